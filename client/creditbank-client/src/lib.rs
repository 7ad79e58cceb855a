//! Client library of the credit bank: a node's answer is verified before it is returned, so a lying node is an error.
//!
//! - [`Client`] talks to a node: submits blocks, reads chains, records and the registry.
//! - [`issue`] turns a registrar's file into sealed blocks, and goes on after an interruption without issuing twice.
//! - [`correct`] amends, revokes and confirms what was issued; [`approval`] is a second person's consent.
//! - [`sync`] follows a student system by its own record ids: new, changed, vanished; [`reconcile`] compares both sides.
//! - [`import`] reads the file by a mapping.
//! - [`trust`] is a verifier's own file: which logs, witnesses and institutions to believe.
#![forbid(unsafe_code)]

pub mod approval;
mod client;
pub mod correct;
mod error;
pub mod import;
pub mod issue;
pub mod key_file;
pub mod operator;
pub mod reconcile;
mod secret;
mod signer;
pub mod sync;
pub mod trust;

pub use client::{Audit, ChainHead, Client, ConnectOptions, IssuedBlock, IssuedItem, ReadRecord, RegistryItem};
pub use error::ClientError;
pub use signer::{KeyPlace, Pkcs11Uri, Signer};
