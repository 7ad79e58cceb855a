//! Client library of the credit bank: a node's answer is verified before it is returned, so a lying node is an error.
//!
//! Rooms, each above those before it:
//!
//! - [`connection`]: [`Client`] talks to a node: reads chains, records and the registry, submits blocks; [`trust`] is the
//!   verifier's own file of which logs, witnesses and institutions to believe.
//! - [`outbox`]: a signed block is on the disk before it is sent, until it is known what became of it.
//! - [`import`] reads a registrar's file by a mapping; [`authoring`] reads what people write for recognition.
//! - [`sealing`] puts records and effects of any kind into one block, with the approval of a second person where one is
//!   asked for.
//! - [`issue`] turns a registrar's file into sealed blocks, and goes on after an interruption without issuing twice.
//! - [`correct`] amends, revokes and confirms what was issued.
//! - [`sync`] follows a student system by its own record ids: new, changed, vanished; [`sync::reconcile`] compares both
//!   sides.
//! - [`recognition`] completes what the node drafts: conversions, awards, and the learner's mandate for them.
#![forbid(unsafe_code)]

pub mod authoring;
pub mod connection;
pub mod correct;
mod error;
pub mod files;
pub mod import;
pub mod issue;
pub mod key_file;
pub mod notice;
pub mod operator;
pub mod outbox;
pub mod recognition;
pub mod sealing;
mod secret;
mod seeds;
mod signer;
pub mod succession;
pub mod sync;
pub mod time_correction;
mod unit;
pub mod validity;

pub use connection::{
    Audit, ChainHead, Client, ConnectOptions, ConversionPreview, IssuedBlock, IssuedItem, ReadRecord, Refreshed,
    RegistryItem, evidence, now_ms, seen, today, trust,
};
pub use error::ClientError;
pub use notice::Notice;
pub use seeds::{Seeds, YearState};
pub use signer::{KeyPlace, Pkcs11Uri, Signer};
pub use unit::IssuingUnit;
