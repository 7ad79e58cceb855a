//! Rebuilding the state from the store at a start.

use std::sync::Arc;

use creditbank_protocol::canonical::{CanonicalError, encode};
use creditbank_protocol::entry::{Entry, EntryError};
use creditbank_protocol::map::{MapTags, SparseMap};
use creditbank_protocol::merkle::Frontier;
use creditbank_protocol::pb::{Kind, Place, RegistryEntry};
use creditbank_protocol::registry::registry_value;
use creditbank_rules::{Registry, RegistryRecord, Rejection};
use creditbank_store::{Store, StoreError, Table};

use super::{LastSeal, RegistryVersion, Shared, State};
use crate::tables::{self, ChainHead};

/// Rows read at once.
const PAGE: usize = 10_000;

/// Why the state cannot be rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row of the index is none.
    #[error("table {0} of the index holds a row that is none; rebuild the index")]
    Row(u8),
    /// An entry of the log is none.
    #[error("log entry {index}: {error}")]
    Entry {
        /// Which one.
        index: u64,
        /// What is wrong.
        error: EntryError,
    },
    /// The tree's nodes do not give the root of the head.
    #[error("the tree's root does not belong to the head of the log")]
    Root,
    /// The log does not end with a seal.
    #[error("log entry {0} is not the seal that the log must end with")]
    NoSeal(u64),
    /// A registry record that the rules would not have admitted.
    #[error("log entry {index}: {error}")]
    Registry {
        /// Which one.
        index: u64,
        /// What is wrong.
        error: Rejection,
    },
    /// A registry entry that cannot be spelled.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// Calls `each` for every row of a table, in order of the keys.
pub(crate) fn each_row(
    store: &dyn Store,
    table: Table,
    mut each: impl FnMut(&[u8], &[u8]) -> Result<(), LoadError>,
) -> Result<(), LoadError> {
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = store.scan(table, &[], after.as_deref(), PAGE)?;
        for (key, value) in &page {
            each(key, value)?;
        }
        match page.last() {
            Some((key, _)) if page.len() == PAGE => after = Some(key.clone()),
            _ => return Ok(()),
        }
    }
}

fn entry(store: &dyn Store, index: u64) -> Result<Entry, LoadError> {
    Entry::parse(&store.entry(index)?).map_err(|error| LoadError::Entry { index, error })
}

/// The state of the log in `store`.
pub(crate) fn load(store: &dyn Store, origin: &str) -> Result<State, LoadError> {
    let head = store.head();
    let frontier = Frontier::restore(head.size, |level, index| store.node(level, index))?;
    if frontier.root() != head.root {
        return Err(LoadError::Root);
    }
    let mut chains = Shared::new_sync();
    each_row(store, tables::CHAIN, |key, value| {
        let (unit, head) = ChainHead::read(key, value).ok_or(LoadError::Row(tables::CHAIN.0))?;
        chains.insert_mut(unit, head);
        Ok(())
    })?;
    let mut marks = Shared::new_sync();
    each_row(store, tables::STATUS, |key, value| {
        let (place, id, found) = tables::read_status(key, value).ok_or(LoadError::Row(tables::STATUS.0))?;
        marks.insert_mut((place.entry, place.index), (id, found));
        Ok(())
    })?;
    let leaves = marks.values().filter(|(_, marks)| !marks.is_empty()).map(|(id, marks)| (*id, Some(marks.value())));
    let status = SparseMap::new(MapTags::STATUS).update(leaves);
    let last_seal = head.size.checked_sub(1).map(|index| last_seal(store, index)).transpose()?;
    let versions = Arc::new(versions(store, origin)?);
    Ok(State { head, frontier, last_seal, checkpoint: Vec::new(), versions, chains, status, marks })
}

fn last_seal(store: &dyn Store, index: u64) -> Result<LastSeal, LoadError> {
    let Entry::Seal(signed) = entry(store, index)? else {
        return Err(LoadError::NoSeal(index));
    };
    let seal = signed.seal();
    Ok(LastSeal { id: signed.id(), index, time_ms: seal.time_ms, records_total: seal.records_total })
}

/// Every version of the registry, from the records in the order of their places. A round's changes act from the next one,
/// so a version begins after the seal of the round that made it.
fn versions(store: &dyn Store, origin: &str) -> Result<Vec<RegistryVersion>, LoadError> {
    let first = RegistryVersion {
        after: None,
        registry: Arc::new(Registry::new(origin)),
        map: SparseMap::new(MapTags::REGISTRY),
        entries: Shared::new_sync(),
    };
    let mut versions = vec![first];
    let mut places = Vec::new();
    each_row(store, tables::REGISTRY, |key, _| {
        places.push(tables::place_of(key).ok_or(LoadError::Row(tables::REGISTRY.0))?);
        Ok(())
    })?;
    let mut round: Vec<Place> = Vec::new();
    let mut seal: Option<u64> = None;
    for place in places {
        if seal.is_none_or(|seal| place.entry > seal) {
            close_round(store, &mut versions, &round, seal)?;
            round.clear();
            let after = place.entry.to_be_bytes();
            let next = store.scan(tables::SEAL, &[], Some(&after), 1)?;
            let next = next.first().and_then(|(key, _)| tables::index_of(key));
            seal = Some(next.ok_or(LoadError::NoSeal(place.entry))?);
        }
        round.push(place);
    }
    close_round(store, &mut versions, &round, seal)?;
    Ok(versions)
}

/// Adds the version that a round's registry records make.
fn close_round(
    store: &dyn Store,
    versions: &mut Vec<RegistryVersion>,
    round: &[Place],
    seal: Option<u64>,
) -> Result<(), LoadError> {
    let Some((last, seal)) = versions.last().filter(|_| !round.is_empty()).zip(seal) else {
        return Ok(());
    };
    let Entry::Seal(signed) = entry(store, seal)? else {
        return Err(LoadError::NoSeal(seal));
    };
    let sealed_at_ms = signed.seal().time_ms;
    let mut registry = (*last.registry).clone();
    let mut changes = Vec::new();
    let mut read: Option<(u64, Entry)> = None;
    for place in round {
        if read.as_ref().is_none_or(|(index, _)| *index != place.entry) {
            read = Some((place.entry, entry(store, place.entry)?));
        }
        let Some((_, Entry::Block(block))) = &read else {
            return Err(LoadError::Row(tables::REGISTRY.0));
        };
        let shown = block.public().records.iter().find(|shown| shown.index == place.index);
        let shown = shown.ok_or(LoadError::Row(tables::REGISTRY.0))?;
        let record = RegistryRecord {
            kind: Kind::try_from(shown.kind).unwrap_or_default(),
            body: &shown.body,
            institution: block.header().unit.institution,
            sealed_at_ms,
        };
        let key = registry.admit(record).map_err(|error| LoadError::Registry { index: place.entry, error })?;
        let entry = RegistryEntry {
            kind: shown.kind,
            version: shown.version,
            body: shown.body.clone(),
            place: written(*place),
        };
        changes.push((key.digest(), entry));
    }
    let next = next_version(last, registry, changes, seal)?;
    versions.push(next);
    Ok(())
}

/// A place as a canonical message has it: entry 0, index 0 is all defaults, and left out.
pub(crate) fn written(place: Place) -> Option<Place> {
    (place != Place::default()).then_some(place)
}

/// The version that changes make of the one before, in force after the seal at `after`.
pub(crate) fn next_version(
    last: &RegistryVersion,
    registry: Registry,
    changes: Vec<(creditbank_protocol::Digest, RegistryEntry)>,
    after: u64,
) -> Result<RegistryVersion, CanonicalError> {
    let mut entries = last.entries.clone();
    let mut leaves = Vec::with_capacity(changes.len());
    for (key, entry) in changes {
        leaves.push((key, Some(registry_value(&encode(&entry)?))));
        entries.insert_mut(key, Arc::new(entry));
    }
    Ok(RegistryVersion { after: Some(after), registry: Arc::new(registry), map: last.map.update(leaves), entries })
}
