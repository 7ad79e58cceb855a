//! What the node holds in memory of the log: its public state, and what proofs and the store need in addition. It is
//! derived, and rebuilt at every start.

mod load;

use creditbank_ledger::state::{InForce, LogState, RegistryVersion, RegistryVersions, Shared, Written};
use creditbank_protocol::status::Marks;
use creditbank_protocol::{Digest, LogIndex, Place};
use creditbank_store::Head;

pub use load::LoadError;
pub(crate) use load::load;

/// The log up to a round. Cloning is cheap: readers keep the version with which they began.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// Size and root, as the store has them.
    pub(crate) head: Head,
    pub(crate) log: LogState,
    /// The signed note of the newest checkpoint; empty before the first round.
    pub(crate) checkpoint: Vec<u8>,
    /// The log keys that sign it, in the order of their lines.
    pub(crate) signers: Vec<[u8; 32]>,
    /// Every version of the registry, because each stays provable.
    pub(crate) versions: RegistryVersions,
    pub(crate) marked: Marked,
}

/// The status id of every record about which something was ever said, by its place, which the log does not always show.
pub(crate) type Marked = Shared<Place, Digest>;

/// The changes of a round.
pub(crate) struct Change {
    pub(crate) head: Head,
    pub(crate) log: LogState,
    /// The registry entries that it wrote.
    pub(crate) written: Vec<Written>,
    pub(crate) marked: Marked,
    /// The log keys that sign its checkpoint.
    pub(crate) signers: Vec<[u8; 32]>,
}

impl Change {
    /// Whether another registry is in force from the next round on.
    pub(crate) fn changes_registry(&self) -> bool {
        !self.written.is_empty()
    }
}

impl State {
    /// The state after a round. Its checkpoint is not signed yet.
    pub(crate) fn after(&self, change: Change) -> Self {
        let Change { head, log, written, marked, signers } = change;
        let mut versions = self.versions.clone();
        if let Some(seal) = log.last_seal().filter(|_| !written.is_empty()) {
            versions.push(seal.index, log.in_force(), written);
        }
        Self { head, log, checkpoint: Vec::new(), signers, versions, marked }
    }

    /// The registry in force during the next round.
    pub(crate) fn registry(&self) -> &InForce {
        self.log.in_force()
    }

    /// The registry in force during the round that a log index belongs to.
    pub(crate) fn registry_at(&self, index: impl Into<LogIndex>) -> &RegistryVersion {
        self.versions.at(index.into())
    }

    /// The marks of the record at a place.
    pub(crate) fn marks(&self, place: impl Into<Place>) -> Marks {
        self.marked.get(&place.into()).map_or_else(Marks::default, |id| self.log.marks_of(id))
    }
}
