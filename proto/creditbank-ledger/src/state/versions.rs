//! Every version of the registry that a seal has named, so that each stays provable.

use std::sync::Arc;

use creditbank_protocol::canonical::decode;
use creditbank_protocol::key::LogKeys;
use creditbank_protocol::map::SparseMap;
use creditbank_protocol::pb::{Key, Kind, LogSuccession, Purpose, RegistryEntry};
use creditbank_protocol::{Digest, LogIndex, Place};
use creditbank_rules::Registry;

use super::{InForce, Shared, Written};

/// The registry as some rounds had it in force, with its entries. A version costs what it changes.
#[derive(Debug, Clone)]
pub struct RegistryVersion {
    /// What it says.
    pub registry: Arc<Registry>,
    /// Its entries' values by their registry keys.
    pub map: SparseMap,
    /// The entries by their registry keys.
    pub entries: Shared<Digest, Arc<RegistryEntry>>,
}

/// All versions, by the first log index at which each is in force. Never empty. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct RegistryVersions {
    versions: Shared<LogIndex, RegistryVersion>,
    /// Log indexes of the blocks with which another registry key has taken over, ascending.
    successions: Vec<LogIndex>,
    /// Where the log keys stand that have followed the first one, as far as one begins, each with the first log index
    /// whose seal it signs; ascending.
    log_keys: Vec<(Place, LogIndex, [u8; 32])>,
}

impl RegistryVersions {
    /// The versions of a log before its first entry: the empty registry.
    pub fn new(keys: &LogKeys) -> Self {
        let InForce { registry, map } = InForce::new(keys);
        let first = RegistryVersion { registry, map, entries: Shared::new_sync() };
        Self { versions: Shared::new_sync().insert(LogIndex(0), first), successions: Vec::new(), log_keys: Vec::new() }
    }

    /// Adds the version that the round with the seal at log index `seal` has made. It begins after that seal.
    pub fn push(&mut self, seal: LogIndex, in_force: &InForce, written: Vec<Written>) {
        let kind = i32::from(Kind::RegistrySuccession);
        let followed = written.iter().filter(|one| one.entry.kind == kind);
        self.successions.extend(followed.map(|one| one.place.entry));
        for one in &written {
            self.follow_log_key(one, &in_force.registry);
        }
        let mut entries = self.newest().entries.clone();
        written.into_iter().for_each(|one| entries.insert_mut(one.key, one.entry));
        let InForce { registry, map } = in_force.clone();
        self.versions.insert_mut(seal.next(), RegistryVersion { registry, map, entries });
    }

    /// Keeps where a log key stands that follows another one. Those that have not begun then never will.
    fn follow_log_key(&mut self, one: &Written, registry: &Registry) {
        let Some(known) = registry.log_keys() else { return };
        let Some((from, key)) = log_key_of(&one.entry) else { return };
        let follows = known.followers().any(|follower| follower == key);
        if follows && self.log_keys.iter().all(|(_, _, before)| *before != key) {
            self.log_keys.push((one.place, from, key));
        }
        self.log_keys.retain(|(_, _, key)| known.contains(key));
    }

    /// The version in force for the next round.
    pub fn newest(&self) -> &RegistryVersion {
        self.versions.last().expect("the first version is made with the map").1
    }

    /// The version in force during the round that a log index belongs to.
    pub fn at(&self, index: LogIndex) -> &RegistryVersion {
        self.versions.range(..=index).next_back().expect("the first version is in force from log index 0 on").1
    }

    /// Number of versions.
    pub fn len(&self) -> usize {
        self.versions.size()
    }

    /// Never: the empty registry is a version too.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// Where the log keys stand that have followed the first one, each with the first log index whose seal it signs.
    pub fn log_keys(&self) -> impl Iterator<Item = (Place, LogIndex)> + '_ {
        self.log_keys.iter().map(|(place, from, _)| (*place, *from))
    }

    /// The blocks with which another registry key has taken over, ascending.
    pub fn successions(&self) -> &[LogIndex] {
        &self.successions
    }
}

/// The log key that an entry names, with the first log index whose seal it signs.
fn log_key_of(entry: &RegistryEntry) -> Option<(LogIndex, [u8; 32])> {
    match Kind::try_from(entry.kind) {
        Ok(Kind::Key) => {
            let key = decode::<Key>(&entry.body).ok().filter(|key| key.purpose == i32::from(Purpose::Log))?;
            Some((LogIndex(key.from_index), key.public_key.try_into().ok()?))
        }
        Ok(Kind::LogSuccession) => {
            let said = decode::<LogSuccession>(&entry.body).ok()?;
            Some((LogIndex(said.size), said.log_key.try_into().ok()?))
        }
        _ => None,
    }
}
