//! The public state of a log, and what a block and a seal change in it.
//!
//! [`LogState`] is the log up to a seal. A round opens on it ([`LogState::open`]) at the time that its seal will name,
//! as that time decides which keys are in force. The round takes blocks one by one: [`OpenRound::check`] says whether a
//! block is the next of its chain, [`OpenRound::apply`] moves the round on and returns what changed.
//! [`OpenRound::close`] takes the seal and returns the next `LogState`. Whoever makes the seal asks for its fields
//! first ([`OpenRound::draft_seal`]).
//!
//! What is *not* checked here, because it needs more than the state:
//! - Signatures: they need no order, so callers verify them beside.
//! - Whether the signer may do what the block does. Who has the records asks `creditbank_rules::admission` between
//!   `check` and `apply`; who has not asks what is public (`replay`).

mod block;
mod chain;
mod correction;
mod marks;
mod operator;
mod refusal;
mod registry;
mod round;
mod seal;
mod versions;

use std::sync::Arc;

use creditbank_protocol::map::{MapTags, SparseMap};
use creditbank_protocol::merkle::Frontier;
use creditbank_protocol::status::Marks;
use creditbank_protocol::{Digest, LogIndex, UnitId};
use creditbank_rules::once::Once;
use rpds::RedBlackTreeMapSync;

pub use creditbank_protocol::key::LogKeys;

pub use block::{ReadBlock, log_succession, successor};
pub use chain::{ChainError, ChainHead};
pub use correction::{check_bound, no_seal};
pub(crate) use marks::effect_subject;
pub use marks::{EffectError, MarkChange};
pub use refusal::Refusal;
pub use registry::{InForce, Registration, Written};
pub use round::{Applied, Checked, Closed, OpenRound};
pub use seal::{LastSeal, SealRefusal};
pub use versions::{RegistryVersion, RegistryVersions};

/// A map whose versions share what is the same: a clone costs nothing, a change the path to it.
pub type Shared<K, V> = RedBlackTreeMapSync<K, V>;

/// A log up to a seal, or before its first entry. Cloning is cheap: readers keep the version that they began with.
#[derive(Debug, Clone)]
pub struct LogState {
    keys: Arc<LogKeys>,
    genesis: Digest,
    frontier: Frontier,
    chains: Shared<UnitId, ChainHead>,
    in_force: InForce,
    marks: Shared<Digest, Marks>,
    status: SparseMap,
    once: Once,
    last_seal: Option<LastSeal>,
}

/// What a state is restored from, as whoever followed the log has stored it. The caller vouches for it: it is compared
/// with nothing but itself.
#[derive(Debug)]
pub struct Parts {
    /// The right edge of the tree.
    pub frontier: Frontier,
    /// The newest head of each unit that has one.
    pub chains: Shared<UnitId, ChainHead>,
    /// The registry in force for the next round.
    pub in_force: InForce,
    /// The marks of every record of which something was ever said, by its status id.
    pub marks: Shared<Digest, Marks>,
    /// What blocks have used up, as far as it could be used again.
    pub once: Once,
    /// The seal that the log ends with; `None` of a log without entries.
    pub last_seal: Option<LastSeal>,
}

impl LogState {
    /// The log before its first entry.
    pub fn new(keys: LogKeys) -> Self {
        let in_force = InForce::new(&keys);
        let (frontier, chains, marks) = (Frontier::default(), Shared::new_sync(), Shared::new_sync());
        Self::restore(keys, Parts { frontier, chains, in_force, marks, once: Once::default(), last_seal: None })
    }

    /// The log as it was stored.
    pub fn restore(keys: LogKeys, parts: Parts) -> Self {
        let Parts { frontier, mut chains, in_force, marks, once, last_seal } = parts;
        let genesis = keys.genesis();
        // The operator's own chain needs nobody's admission: it begins with the genesis value.
        if !chains.contains_key(&UnitId::OPERATOR) {
            chains.insert_mut(UnitId::OPERATOR, ChainHead::beginning(genesis, LogIndex(0)));
        }
        let leaves = marks.iter().map(|(id, said)| marks::leaf(*id, said)).filter(|(_, value)| value.is_some());
        let status = SparseMap::new(MapTags::STATUS).update(leaves);
        Self { keys: Arc::new(keys), genesis, frontier, chains, in_force, marks, status, once, last_seal }
    }

    /// The name and the keys that the log was begun with.
    pub fn keys(&self) -> &LogKeys {
        &self.keys
    }

    /// The name that the log has now.
    pub fn origin(&self) -> &str {
        self.in_force.registry.origin()
    }

    /// The name that a checkpoint of a size bears.
    pub fn origin_of_size(&self, size: u64) -> &str {
        let log_keys = self.in_force.registry.log_keys();
        log_keys.map_or(self.origin(), |log_keys| log_keys.origins().of_size(size))
    }

    /// What the operator's first block and the first seal name as their previous.
    pub fn genesis(&self) -> Digest {
        self.genesis
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// RFC 6962 root. Costs some hashes.
    pub fn root(&self) -> Digest {
        self.frontier.root()
    }

    /// The right edge of the tree.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Where the next block of a unit continues; `None` of a unit that was not admitted.
    pub fn chain(&self, unit: UnitId) -> Option<ChainHead> {
        self.chains.get(&unit).copied()
    }

    /// Every unit's head, the operator's own included.
    pub fn chains(&self) -> &Shared<UnitId, ChainHead> {
        &self.chains
    }

    /// The registry in force for the next round.
    pub fn in_force(&self) -> &InForce {
        &self.in_force
    }

    /// The marks that stand under a status id.
    pub fn marks_of(&self, status_id: &Digest) -> Marks {
        self.marks.get(status_id).copied().unwrap_or_default()
    }

    /// The marks of every record of which something was ever said, by its status id.
    pub fn marks(&self) -> &Shared<Digest, Marks> {
        &self.marks
    }

    /// The status tree.
    pub fn status(&self) -> &SparseMap {
        &self.status
    }

    /// What blocks have used up, as far as it could be used again.
    pub fn once(&self) -> &Once {
        &self.once
    }

    /// The seal that the log ends with; `None` of a log without entries.
    pub fn last_seal(&self) -> Option<LastSeal> {
        self.last_seal
    }

    /// The next seal's time is not before this one, milliseconds since 1970: the last seal's, or, behind a correction
    /// of the time, its bound.
    pub fn earliest_ms(&self) -> u64 {
        let earliest = |last: LastSeal| self.in_force.registry.resumes_at(last.index).unwrap_or(last.time_ms);
        self.last_seal.map_or(0, earliest)
    }

    /// Records in the log, hidden and public.
    pub fn records_total(&self) -> u64 {
        self.last_seal.map_or(0, |seal| seal.records_total)
    }
}
