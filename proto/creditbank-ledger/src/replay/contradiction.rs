//! What contradicts the protocol, said of which entry.

use std::fmt;

use creditbank_protocol::block::{BlockError, SignedBlock};
use creditbank_protocol::dates::show_minute;
use creditbank_protocol::entry::EntryError;
use creditbank_protocol::key::SignatureError;
use creditbank_protocol::{InstitutionId, LogIndex};
use creditbank_rules::Rejection;

use super::{ROUND_BYTES_MAX, ROUND_ENTRIES_MAX};
use crate::state::{ChainError, EffectError, ReadBlock, Refusal, SealRefusal};

/// The first thing in a log that contradicts the protocol, with what was expected and found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("log entry {index} ({subject}): {what}: expected {expected}, found {found}")]
pub struct Contradiction {
    /// Log index of the entry.
    pub index: LogIndex,
    /// The entry, as people name it.
    pub subject: String,
    /// What does not hold.
    pub what: String,
    /// What it must be.
    pub expected: String,
    /// What it is.
    pub found: String,
}

impl Contradiction {
    /// The bytes at a log index are no entry.
    pub(super) fn no_entry(index: LogIndex, error: &EntryError) -> Self {
        let subject = Subject { index, name: Name::Entry };
        subject.wrong(
            "the bytes are no entry",
            &"the head of a block, its public part or a seal, in canonical form",
            error,
        )
    }

    /// The round has more in it than a replay holds.
    pub(super) fn round_too_large(index: LogIndex) -> Self {
        let bound = format!("a seal after at most {ROUND_ENTRIES_MAX} entries or {ROUND_BYTES_MAX} bytes");
        Subject { index, name: Name::Entry }.wrong("the round is larger than this replay holds", &bound, "none")
    }

    /// A signature of an entry does not hold.
    pub(super) fn signature(index: LogIndex, subject: &str, error: &SignatureError) -> Self {
        Self {
            index,
            subject: subject.to_owned(),
            what: "the signature does not hold".to_owned(),
            expected: "a signature by the key in force".to_owned(),
            found: error.to_string(),
        }
    }
}

impl Contradiction {
    /// The head of a block names a public part, and another entry follows it.
    pub(super) fn no_public(index: LogIndex, found: &str) -> Self {
        let subject = Subject { index, name: Name::Entry };
        subject.wrong("a head without its public part", "the public part of the block before", found)
    }

    /// A public part, and no head before it that names one.
    pub(super) fn no_head(index: LogIndex) -> Self {
        let subject = Subject { index, name: Name::Public };
        subject.wrong("a public part without its head", "the head of a block or a seal", "a public part")
    }

    /// A public part is another one than its head names.
    pub(super) fn other_public(index: LogIndex, error: &BlockError) -> Self {
        Subject { index, name: Name::Public }.wrong("the public part is not its head's", "as signed", error)
    }
}

/// Says of which entry something does not hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject {
    pub(super) index: LogIndex,
    pub(super) name: Name,
}

/// An entry as people name it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Name {
    Entry,
    Public,
    Block { institution: InstitutionId, unit: u32, height: u64 },
    Seal { first: LogIndex, index: LogIndex },
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry => f.write_str("entry"),
            Self::Public => f.write_str("public part"),
            Self::Block { institution: InstitutionId::OPERATOR, height, .. } => {
                write!(f, "block {height} of the operator")
            }
            Self::Block { institution, unit, height } => {
                write!(f, "block {height} of institution {institution}, unit {unit}")
            }
            Self::Seal { first, index } => write!(f, "seal over entries {first} to {index}"),
        }
    }
}

impl Subject {
    /// The block at a log index.
    pub(super) fn block(index: LogIndex, block: &SignedBlock) -> Self {
        let header = block.header();
        let (institution, unit, height) = (header.unit.institution, header.unit.number, header.height);
        Self { index, name: Name::Block { institution, unit, height } }
    }

    /// The seal at a log index, of a round that begins at another.
    pub(super) fn seal(first: LogIndex, index: LogIndex) -> Self {
        Self { index, name: Name::Seal { first, index } }
    }

    pub(super) fn wrong(
        &self,
        what: &str,
        expected: &(impl ToString + ?Sized),
        found: &(impl ToString + ?Sized),
    ) -> Contradiction {
        Contradiction {
            index: self.index,
            subject: self.name.to_string(),
            what: what.to_owned(),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }

    /// A rule is broken.
    pub(super) fn breaks(&self, rejection: &Rejection) -> Contradiction {
        self.wrong(rejection.rule.name(), &rejection.expected, &rejection.found)
    }

    /// Something about an effect is wrong.
    pub(super) fn effect(
        &self,
        record: impl fmt::Display,
        expected: &(impl ToString + ?Sized),
        found: &(impl ToString + ?Sized),
    ) -> Contradiction {
        self.wrong(&format!("effect on {record}"), expected, found)
    }

    /// A block does not follow.
    pub(super) fn does_not_follow(&self, refusal: &Refusal, read: &ReadBlock) -> Contradiction {
        match refusal {
            Refusal::Origin { expected, found } => self.wrong("origin", expected, found),
            Refusal::Chain(error) => self.chain(*error),
            Refusal::OperatorKey(rejection) if read.block().header().height == 0 => {
                self.wrong("key_id", &rejection.expected, &rejection.found)
            }
            Refusal::OperatorKey(rejection) => self.wrong("key_id", "a registry key in force", &rejection.found),
            Refusal::Empty => self.wrong("content", "a record or an effect", "nothing"),
            Refusal::Public(error) => self.wrong("public records", "as signed", error),
            Refusal::Rule(rejection) => self.breaks(rejection),
            Refusal::Canonical(error) => self.wrong("registry entry", "canonical", error),
            Refusal::Effect { record, error } => self.mark(record, error),
        }
    }

    fn chain(&self, error: ChainError) -> Contradiction {
        match error {
            ChainError::UnknownUnit { .. } => {
                self.wrong("chain", "an admitted unit", "one that is not in the registry")
            }
            ChainError::Height { expected, found } => self.wrong("height", &expected, &found),
            ChainError::Previous { expected, found } => self.wrong("previous", &expected, &found),
            ChainError::CreatedAt { min, max, found } => {
                let [min, max, found] = [min, max, found].map(show_minute);
                self.wrong("created_at_minute", &format!("{min} to {max}"), &found)
            }
        }
    }

    fn mark(&self, record: &str, error: &EffectError) -> Contradiction {
        let at = format!("effect on {record}");
        match error {
            EffectError::StatusId => self.wrong(&at, "a status id", "none"),
            EffectError::Marks(error) => self.wrong(&at, "marks that allow the change", error),
        }
    }

    /// A seal does not close its round.
    pub(super) fn no_seal(&self, refusal: &SealRefusal) -> Contradiction {
        match refusal {
            SealRefusal::Origin { expected, found } => self.wrong("origin", expected, found),
            SealRefusal::Index { expected, found } => self.wrong("index", expected, found),
            SealRefusal::FirstIndex { expected, found } => self.wrong("first_index", expected, found),
            SealRefusal::RulesVersion { expected, found } => self.wrong("rules_version", expected, found),
            SealRefusal::Previous { expected, found } => self.wrong("previous", expected, found),
            SealRefusal::Time { min, found } => self.wrong("time_ms goes back", &format!("at least {min}"), found),
            SealRefusal::RegistryRoot { expected, found } => {
                self.wrong("registry_root (in force during the round)", expected, found)
            }
            SealRefusal::StatusRoot { expected, found } => self.wrong("status_root (after the round)", expected, found),
            SealRefusal::RecordsTotal { expected, found } => self.wrong("records_total", expected, found),
        }
    }
}
