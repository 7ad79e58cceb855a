//! Corrections of what was issued: amendments, revocations, confirmations, reinstatements; one record or a file of
//! them.
//!
//! As in [`crate::issue`], each block is on the disk before it is sent, the same bytes are sent again after an
//! interruption, and what is done already is not done again: the ledger's own marks say so, also without notes.

pub mod contest;
mod file;
mod published;
mod run;
mod target;

use creditbank_protocol::LogIndex;
use creditbank_protocol::Place;
use creditbank_protocol::pb::{AmendReason, EffectReason, Kind};

use crate::import::DraftRecord;

pub use file::{Asked, Lines, amendments, effects};
pub use published::way_out;
pub use run::{Corrector, Options};
pub use target::newest;

/// What is to become of one record.
#[derive(Clone)]
pub struct Correction {
    /// Line of the file; 0 where there is none.
    pub line: u64,
    /// Which record.
    pub target: Target,
    /// What is to become of it.
    pub change: Change,
}

/// How a record is named.
#[derive(Clone)]
pub enum Target {
    /// By its place.
    At(Place),
    /// By the line that it was issued from: the learner and the reference.
    Issued(Box<DraftRecord>),
}

/// What is to become of a record.
#[derive(Clone)]
pub enum Change {
    /// It is taken back.
    Revoke(EffectReason),
    /// Another stands in its place.
    Amend(AmendReason, NewBody),
    /// Its institution stands by it, although the key that sealed it was compromised.
    Confirm,
    /// What a compromised key has done to it is undone: the effect that has superseded or revoked it; or, where its
    /// review was closed, the effect at this log index.
    Reinstate(Option<LogIndex>),
}

/// What an amended record says.
#[derive(Clone)]
pub enum NewBody {
    /// Canonical bytes of its kind; learner and `amends` are set by the correction.
    Bytes(Kind, Vec<u8>),
    /// A line of a file.
    Line(Box<DraftRecord>),
}

/// What became of a correction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is sealed in the block at this log index.
    Done(LogIndex),
    /// It was done before.
    Already,
    /// The record says so already, and nothing was amended for it.
    Same,
    /// It would be done: a dry run.
    WouldBeDone,
    /// It waits for the approval of a second person.
    Waiting,
    /// It was refused: the field or rule, and why.
    Refused(String, String),
}

/// One correction and what became of it.
#[derive(Debug, Clone)]
pub struct Row {
    /// Line of the file; 0 where there is none.
    pub line: u64,
    /// The record; nothing where it could not be found.
    pub place: Option<Place>,
    /// Its kind's name.
    pub kind: &'static str,
    /// What it said: canonical bytes of its kind.
    pub before: Vec<u8>,
    /// What stands in its place; empty unless it is amended.
    pub after: Vec<u8>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// Corrections read.
    pub lines: u64,
    /// Records changed by this run; of a dry run, that would be.
    pub changed: u64,
    /// Blocks sealed by this run.
    pub blocks: u64,
    /// Records put under review, as they stand on what was changed.
    pub reviewed: u64,
    /// Records released, as what had redeemed them was taken back.
    pub released: u64,
    /// Done before, or not needed.
    pub already: u64,
    /// Waiting for an approval.
    pub waiting: u64,
    /// Refused.
    pub refused: u64,
}
