//! What the seal of a round must say.

use creditbank_protocol::seal::Seal;
use creditbank_protocol::{Digest, LogIndex};
use creditbank_rules::RULES_VERSION;

use super::LogState;

/// The seal that closed the last round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastSeal {
    /// What the next seal names as its previous.
    pub id: Digest,
    /// Its log index.
    pub index: LogIndex,
    /// Milliseconds since 1970.
    pub time_ms: u64,
    /// Records in the log up to and with its round.
    pub records_total: u64,
}

/// Why a seal does not close its round. In order of precedence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealRefusal {
    /// It belongs to another log.
    #[error("the seal's origin is {found}, this log is {expected}")]
    Origin {
        /// This log.
        expected: String,
        /// The seal's.
        found: String,
    },
    /// It does not name its own log index.
    #[error("the seal's index is {found}, expected {expected}")]
    Index {
        /// Where it stands.
        expected: LogIndex,
        /// What it says.
        found: LogIndex,
    },
    /// The round does not begin behind the last seal.
    #[error("the round's first index is {found}, expected {expected}")]
    FirstIndex {
        /// Behind the last seal.
        expected: LogIndex,
        /// What it says.
        found: LogIndex,
    },
    /// Rules that this code does not have.
    #[error("the seal's rules have version {found}, expected {expected}")]
    RulesVersion {
        /// The version of this code.
        expected: u32,
        /// What it says.
        found: u32,
    },
    /// It does not name the seal before it.
    #[error("the seal names {found} as its previous, expected {expected}")]
    Previous {
        /// The last seal, or the genesis value.
        expected: Digest,
        /// What it says.
        found: Digest,
    },
    /// It is older than the seal before it, or not of the time at which its round was opened.
    #[error("the seal's time is {found} ms, expected at least {min}")]
    Time {
        /// The last seal's, or the round's.
        min: u64,
        /// What it says.
        found: u64,
    },
    /// Another registry than the one in force during the round.
    #[error("the seal's registry root is {found}, expected {expected}")]
    RegistryRoot {
        /// In force during the round.
        expected: Digest,
        /// What it says.
        found: Digest,
    },
    /// Another status tree than the one after the round.
    #[error("the seal's status root is {found}, expected {expected}")]
    StatusRoot {
        /// After the round.
        expected: Digest,
        /// What it says.
        found: Digest,
    },
    /// Another number of records.
    #[error("the seal counts {found} records, expected {expected}")]
    RecordsTotal {
        /// Up to and with the round.
        expected: u64,
        /// What it says.
        found: u64,
    },
}

impl LogState {
    /// What the seal of the next round must say, if the round has no block and ends at log index `index`.
    pub(super) fn expected_seal(&self, index: LogIndex, time_ms: u64) -> Seal {
        Seal {
            origin: self.origin().to_owned(),
            first_index: LogIndex(self.size()),
            index,
            status_root: self.status.root(),
            registry_root: self.in_force.map.root(),
            rules_version: RULES_VERSION,
            time_ms,
            records_total: self.records_total(),
            previous: self.last_seal.map_or(self.genesis, |last| last.id),
        }
    }
}

/// The fields that are known before the blocks of the round are looked at.
pub(super) fn check_beginning(expected: &Seal, found: &Seal) -> Result<(), SealRefusal> {
    if found.origin != expected.origin {
        let (expected, found) = (expected.origin.clone(), found.origin.clone());
        return Err(SealRefusal::Origin { expected, found });
    }
    if found.index != expected.index {
        return Err(SealRefusal::Index { expected: expected.index, found: found.index });
    }
    if found.first_index != expected.first_index {
        return Err(SealRefusal::FirstIndex { expected: expected.first_index, found: found.first_index });
    }
    if found.rules_version != expected.rules_version {
        return Err(SealRefusal::RulesVersion { expected: expected.rules_version, found: found.rules_version });
    }
    if found.previous != expected.previous {
        return Err(SealRefusal::Previous { expected: expected.previous, found: found.previous });
    }
    if found.time_ms < expected.time_ms {
        return Err(SealRefusal::Time { min: expected.time_ms, found: found.time_ms });
    }
    if found.registry_root != expected.registry_root {
        return Err(SealRefusal::RegistryRoot { expected: expected.registry_root, found: found.registry_root });
    }
    Ok(())
}

/// The fields that follow from the blocks of the round.
pub(super) fn check_end(expected: &Seal, found: &Seal) -> Result<(), SealRefusal> {
    if found.status_root != expected.status_root {
        return Err(SealRefusal::StatusRoot { expected: expected.status_root, found: found.status_root });
    }
    if found.records_total != expected.records_total {
        return Err(SealRefusal::RecordsTotal { expected: expected.records_total, found: found.records_total });
    }
    Ok(())
}
