//! Client library of the credit bank: a node's answer is verified before it is returned, so a lying node is an error.
//!
//! - [`Client`] talks to a node: submits blocks, reads chains, records and the registry.
//! - [`issue`] turns a registrar's file into sealed blocks, and goes on after an interruption without issuing twice.
//! - [`correct`] amends, revokes and confirms what was issued; [`approval`] is a second person's consent.
//! - [`sync`] follows a student system by its own record ids: new, changed, vanished; [`reconcile`] compares both sides.
//! - [`import`] reads the file by a mapping.
//! - [`sealing`] puts records and effects of any kind into one block; [`consent`] is the learner's mandate; [`derived`]
//!   completes what the node drafts; [`joint`] has an award signed by those who confer it together.
//! - [`agreement`], [`equivalence`], [`distribution`], [`qualification`] and [`assessment`] are
//!   what people write for recognition.
//! - [`trust`] is a verifier's own file: which logs, witnesses and institutions to believe.
#![forbid(unsafe_code)]

pub mod agreement;
pub mod approval;
pub mod assessment;
mod client;
pub mod consent;
pub mod correct;
pub mod derived;
pub mod distribution;
pub mod equivalence;
mod error;
pub mod evidence;
pub mod import;
pub mod issue;
pub mod joint;
pub mod key_file;
pub mod operator;
pub mod qualification;
pub mod reconcile;
pub mod sealing;
mod secret;
mod signer;
pub mod sync;
mod text_file;
pub mod trust;
mod wording;

pub use client::{
    Audit, ChainHead, Client, ConnectOptions, ConversionPreview, IssuedBlock, IssuedItem, ReadRecord, RegistryItem,
    today,
};
pub use error::ClientError;
pub use signer::{KeyPlace, Pkcs11Uri, Signer};
pub use text_file::TextError;
