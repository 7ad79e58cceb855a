//! Transcripts: disclosed records with every proof that a stranger needs, checked offline.
//!
//! The way of a proof: disclosed fields, record hash, block root, issuer's signature, log entry, checkpoint, witnesses;
//! beside it the key at the block's place: registry entry, registry root of the seal that closes the block's round,
//! log; and the block that has published the entry, under the registry key: the log key alone cannot invent one. Every
//! entry that is used is proved into the log by itself: a chain checked only at its ends could show two histories.

mod currency;
mod cut;
mod file;
mod report;
mod statement;
mod verify;

pub use currency::{AHEAD_MAX_MS, Currency, Current};
pub use cut::{CutError, cut};
pub use file::{FileError, MAGIC, TRANSCRIPT_LEN_MAX, open_file, write_file};
pub use report::{Institution, Reliance, Report, Statement, Suspicion, TranscriptRecord};
pub use statement::{COMMITMENTS_MIN, commitment, commitments, padding, sign_statement};
pub use verify::{Fault, Link, TranscriptError, follow_log_keys, verify};

/// Version of the transcript's layout.
pub const TRANSCRIPT_VERSION: u32 = 1;
/// Version of the subject statement's layout.
pub const STATEMENT_VERSION: u32 = 1;
