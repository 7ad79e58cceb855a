//! Rebuilds the state from the store at a start: from the rows of the index and the registry's own entries, not from
//! the whole log.

use std::collections::BTreeMap;

use creditbank_ledger::state::{
    InForce, LastSeal, LogKeys, LogState, Parts, Refusal, Registration, RegistryVersions, Shared,
};
use creditbank_protocol::entry::{Entry, EntryError};
use creditbank_protocol::merkle::Frontier;
use creditbank_protocol::seal::SignedSeal;
use creditbank_protocol::{LogIndex, Place};
use creditbank_rules::once::Once;
use creditbank_store::{Store, StoreError, Table};

use super::{Marked, State};
use crate::stored_block::{self, StoredBlockError};
use crate::tables;

/// Why the state cannot be rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row of the index cannot be read.
    #[error("table {0} of the index holds a row that cannot be read; rebuild the index")]
    Row(u8),
    /// An entry of the log is malformed.
    #[error("log entry {index}: {error}")]
    Entry {
        /// Which one.
        index: LogIndex,
        /// What is wrong.
        error: EntryError,
    },
    /// The log does not end with a seal.
    #[error("log entry {0} is not the seal that the log must end with")]
    NoSeal(LogIndex),
    /// A registry record that the rules would not have admitted.
    #[error("log entry {index}: {error}")]
    Registry {
        /// Which one.
        index: LogIndex,
        /// What is wrong.
        error: Refusal,
    },
}

/// Calls `each` for every row of a table, in order of the keys.
pub(crate) fn each_row(
    store: &dyn Store,
    table: Table,
    mut each: impl FnMut(&[u8], &[u8]) -> Result<(), LoadError>,
) -> Result<(), LoadError> {
    for row in store.rows(table, &[]) {
        let (key, value) = row?;
        each(&key, &value)?;
    }
    Ok(())
}

impl LoadError {
    /// Whether the index is at fault; the next start then rebuilds it.
    pub(crate) fn is_index(&self) -> bool {
        matches!(self, Self::Store(StoreError::Index(_)))
    }
}

/// The state of the log in `store`, which is bound to these keys. If a row cannot be used, the index is not trusted and
/// the next start rebuilds it.
pub(crate) fn load(store: &dyn Store, keys: LogKeys) -> Result<State, LoadError> {
    read(store, keys).map_err(|error| match error {
        LoadError::Row(_) | LoadError::NoSeal(_) => store.distrust_index(&error.to_string()).into(),
        error => error,
    })
}

fn read(store: &dyn Store, keys: LogKeys) -> Result<State, LoadError> {
    let head = store.head();
    let frontier = Frontier::restore(head.size, |level, index| store.node(level, index))?;
    if frontier.root() != head.root {
        return Err(store.distrust_index("the tree's nodes do not make the root of the log").into());
    }
    let mut chains = Shared::new_sync();
    each_row(store, tables::CHAIN, |key, value| {
        let (unit, head) = tables::read_chain(key, value).ok_or(LoadError::Row(tables::CHAIN.0))?;
        chains.insert_mut(unit, head);
        Ok(())
    })?;
    let (mut marks, mut marked) = (Shared::new_sync(), Marked::new_sync());
    each_row(store, tables::STATUS, |key, value| {
        let (place, id, found) = tables::read_status(key, value).ok_or(LoadError::Row(tables::STATUS.0))?;
        marks.insert_mut(id, found);
        marked.insert_mut(place, id);
        Ok(())
    })?;
    let mut once = Once::default();
    each_row(store, tables::USED, |key, _| {
        once.use_up(tables::read_used(key).ok_or(LoadError::Row(tables::USED.0))?);
        Ok(())
    })?;
    let last_seal = head.size.checked_sub(1).map(|index| last_seal(store, LogIndex(index))).transpose()?;
    let (in_force, versions) = registry(store, &keys)?;
    let log = LogState::restore(keys, Parts { frontier, chains, in_force, marks, once, last_seal });
    check_roots(store, &log, &versions)?;
    Ok(State { head, log, checkpoint: Vec::new(), signers: Vec::new(), versions, marked })
}

/// Checks that the loaded state gives the roots that the last seal names.
fn check_roots(store: &dyn Store, log: &LogState, versions: &RegistryVersions) -> Result<(), LoadError> {
    let Some(last) = log.last_seal() else { return Ok(()) };
    let signed = seal(store, last.index)?;
    let said = signed.seal();
    let found = [
        ("status tree", said.status_root, log.status().root()),
        ("registry", said.registry_root, versions.at(last.index).map.root()),
    ];
    for (what, expected, found) in found {
        if expected != found {
            let what = format!("the {what} has the root {found}, the last seal names {expected}");
            return Err(store.distrust_index(&what).into());
        }
    }
    Ok(())
}

fn entry(store: &dyn Store, index: LogIndex) -> Result<Entry, LoadError> {
    Entry::parse(&store.entry(index)?).map_err(|error| LoadError::Entry { index, error })
}

fn seal(store: &dyn Store, index: LogIndex) -> Result<SignedSeal, LoadError> {
    match entry(store, index)? {
        Entry::Seal(signed) => Ok(signed),
        Entry::Head(_) | Entry::Public(_) => Err(LoadError::NoSeal(index)),
    }
}

fn last_seal(store: &dyn Store, index: LogIndex) -> Result<LastSeal, LoadError> {
    let signed = seal(store, index)?;
    let said = signed.seal();
    Ok(LastSeal { id: signed.id(), index, time_ms: said.time_ms, records_total: said.records_total })
}

/// The registry in force and every version of it, from the blocks with registry records in log order.
fn registry(store: &dyn Store, keys: &LogKeys) -> Result<(InForce, RegistryVersions), LoadError> {
    let mut blocks: BTreeMap<LogIndex, Vec<Place>> = BTreeMap::new();
    each_row(store, tables::REGISTRY, |key, _| {
        let place = tables::place_of(key).ok_or(LoadError::Row(tables::REGISTRY.0))?;
        blocks.entry(place.entry).or_default().push(place);
        Ok(())
    })?;
    let (mut in_force, mut versions) = (InForce::new(keys), RegistryVersions::new(keys));
    let mut blocks = blocks.into_iter().peekable();
    while let Some((first, _)) = blocks.peek() {
        let at = tables::seal_of(store, *first)?.ok_or(LoadError::NoSeal(*first))?;
        let sealed_at_ms = seal(store, at)?.seal().time_ms;
        let mut round = Registration::again(&in_force);
        while let Some((index, places)) = blocks.next_if(|(index, _)| *index < at) {
            let block = stored_block::block_at(store, index).map_err(|error| match error {
                StoredBlockError::Store(error) => LoadError::Store(error),
                StoredBlockError::Entry(error) => LoadError::Entry { index, error },
            })?;
            let admitted = round.admit(&block, index, sealed_at_ms);
            let admitted = admitted.map_err(|error| LoadError::Registry { index, error })?;
            if !admitted.iter().map(|one| one.place).eq(places) {
                return Err(LoadError::Row(tables::REGISTRY.0));
            }
        }
        let (next, written) = round.finish(&in_force);
        versions.push(at, &next, written);
        in_force = next;
    }
    Ok((in_force, versions))
}
