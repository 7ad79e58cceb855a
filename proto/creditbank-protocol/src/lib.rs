//! Canonical bytes, hashes, signatures and proofs of the credit ledger.
//!
//! Everything two parties must agree on, and nothing else: no I/O, no clock, no transport, no threads. The rules are
//! stated over bytes in `proto/PROTOCOL.md`, which is normative; this crate is one implementation of them.
//!
//! # Invariants
//! - One value, one spelling: what decodes re-encodes to the same bytes, and nobody hashes a re-serialisation.
//! - Functions that take untrusted bytes return an error; they do not panic.
#![forbid(unsafe_code)]

pub mod accreditation;
pub mod approval;
pub mod authority;
pub mod block;
pub mod canonical;
pub mod contested;
pub mod correction;
mod counted;
pub mod course_code;
pub mod dates;
pub mod entry;
pub mod hash;
pub mod ids;
pub mod key;
pub mod key_file;
pub mod mandate;
pub mod map;
pub mod merkle;
pub mod names;
pub mod note;
pub mod once;
pub mod pb;
pub mod receipt;
pub mod record;
mod refusals;
pub mod registry;
pub mod seal;
pub mod standing;
pub mod status;
pub mod text;
pub mod transcript;
pub mod trust;
pub mod unicode;

pub use counted::counted;
pub use hash::Digest;
pub use ids::{AccountId, Alias, InstitutionId, LogIndex, Part, Place, Portion, UnitId};
pub use standing::Standing;
pub use trust::Trust;
