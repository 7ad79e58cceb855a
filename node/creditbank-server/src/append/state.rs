//! What the node holds in memory of the log: chain heads, registry versions, status tree. Derived; rebuilt at every start.

mod load;

use std::collections::BTreeMap;
use std::sync::Arc;

use creditbank_protocol::Digest;
use creditbank_protocol::map::SparseMap;
use creditbank_protocol::merkle::Frontier;
use creditbank_protocol::pb::{Place, RegistryEntry};
use creditbank_protocol::status::Marks;
use creditbank_rules::Registry;
use creditbank_store::Head;
use rpds::RedBlackTreeMapSync;

pub use load::LoadError;
pub(crate) use load::{load, written};

use crate::tables::ChainHead;

/// The seal that closed the last round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastSeal {
    /// What the next seal names as its previous.
    pub(crate) id: Digest,
    pub(crate) index: u64,
    pub(crate) time_ms: u64,
    pub(crate) records_total: u64,
}

pub(crate) use load::next_version;

/// The registry as rounds after a log index have it in force.
#[derive(Debug, Clone)]
pub(crate) struct RegistryVersion {
    /// In force for entries after this one; `None` from the first on.
    pub(crate) after: Option<u64>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) map: SparseMap,
    /// The entries by their registry keys. A version costs what it changes.
    pub(crate) entries: Shared<Digest, Arc<RegistryEntry>>,
}

/// A map whose versions share what is the same: a clone costs nothing, a change the path to it.
pub(crate) type Shared<K, V> = RedBlackTreeMapSync<K, V>;

/// The log up to a round. Cloning is cheap: readers keep the version that they began with.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) head: Head,
    pub(crate) frontier: Frontier,
    pub(crate) last_seal: Option<LastSeal>,
    /// The signed note of the newest checkpoint; empty before the first round.
    pub(crate) checkpoint: Vec<u8>,
    /// Every version, oldest first; never empty.
    pub(crate) versions: Arc<Vec<RegistryVersion>>,
    pub(crate) chains: Shared<(u64, u32), ChainHead>,
    pub(crate) status: SparseMap,
    /// Records about which something was said, by place.
    pub(crate) marks: Shared<(u64, u32), (Digest, Marks)>,
}

/// What a round changes.
pub(crate) struct Change {
    pub(crate) head: Head,
    pub(crate) frontier: Frontier,
    pub(crate) last_seal: LastSeal,
    pub(crate) chains: BTreeMap<(u64, u32), ChainHead>,
    pub(crate) marks: BTreeMap<(u64, u32), (Digest, Marks)>,
    pub(crate) status: SparseMap,
    pub(crate) version: Option<RegistryVersion>,
}

impl State {
    /// The state after a round; its checkpoint is still to be signed.
    pub(crate) fn after(&self, change: Change) -> Self {
        let Change { head, frontier, last_seal, chains: moved, marks: said, status, version } = change;
        let Self { mut versions, mut chains, mut marks, .. } = self.clone();
        moved.into_iter().for_each(|(unit, head)| chains.insert_mut(unit, head));
        said.into_iter().for_each(|(place, found)| marks.insert_mut(place, found));
        if let Some(version) = version {
            Arc::make_mut(&mut versions).push(version);
        }
        Self { head, frontier, last_seal: Some(last_seal), checkpoint: Vec::new(), versions, chains, status, marks }
    }

    /// The registry in force during the next round.
    pub(crate) fn registry(&self) -> &RegistryVersion {
        self.versions.last().expect("the first version is made with the state")
    }

    /// The registry in force during the round that log index `index` belongs to.
    pub(crate) fn registry_at(&self, index: u64) -> &RegistryVersion {
        let later = self.versions.partition_point(|version| version.after.is_none_or(|after| after < index));
        &self.versions[later.saturating_sub(1)]
    }

    /// The marks of the record at a place.
    pub(crate) fn marks(&self, place: Place) -> Marks {
        self.marks.get(&(place.entry, place.index)).map_or_else(Marks::default, |(_, marks)| *marks)
    }
}
