//! A store in memory: the model with which the others are compared, and `--store memory:`.

use std::sync::{PoisonError, RwLock};

use creditbank_protocol::merkle::empty_root;
use creditbank_protocol::{Digest, LogIndex};

use crate::{EntryWrite, Head, Index as _, KeyValue, MemoryIndex, Round, Store, StoreError, Table};

/// A log that disappears with its process.
#[derive(Debug)]
pub struct MemoryStore {
    log: RwLock<Log>,
    index: MemoryIndex,
}

#[derive(Debug)]
struct Log {
    head: Head,
    entries: Vec<EntryWrite>,
    levels: Vec<Vec<Digest>>,
    closed: bool,
}

impl Default for MemoryStore {
    fn default() -> Self {
        let head = Head { epoch: 1, size: 0, root: empty_root() };
        let log = Log { head, entries: Vec::new(), levels: Vec::new(), closed: false };
        Self { log: RwLock::new(log), index: MemoryIndex::default() }
    }
}

fn at<'a, T>(items: &'a [T], what: &'static str, index: u64) -> Result<&'a T, StoreError> {
    usize::try_from(index).ok().and_then(|at| items.get(at)).ok_or(StoreError::Missing { what, index })
}

impl Store for MemoryStore {
    fn head(&self) -> Head {
        self.log.read().unwrap_or_else(PoisonError::into_inner).head
    }

    fn append(&self, round: &Round) -> Result<(), StoreError> {
        round.check().map_err(StoreError::Round)?;
        let mut log = self.log.write().unwrap_or_else(PoisonError::into_inner);
        if log.closed {
            return Err(StoreError::Stopped("it was closed".to_owned()));
        }
        if round.base != log.head {
            return Err(StoreError::Conflict { expected: log.head, found: round.base });
        }
        for node in &round.nodes {
            let level = usize::from(node.level);
            if log.levels.len() <= level {
                log.levels.resize_with(level + 1, Vec::new);
            }
            if log.levels[level].len() as u64 != node.index {
                return Err(StoreError::Round("the nodes of a level come in order"));
            }
            log.levels[level].push(node.hash);
        }
        self.index.apply(&round.rows)?;
        log.entries.extend(round.entries.iter().cloned());
        log.head = round.next;
        Ok(())
    }

    fn entry(&self, index: LogIndex) -> Result<Vec<u8>, StoreError> {
        let log = self.log.read().unwrap_or_else(PoisonError::into_inner);
        Ok(at(&log.entries, "entry", index.0)?.entry.clone())
    }

    fn body(&self, index: LogIndex, record: u32) -> Result<Vec<u8>, StoreError> {
        let log = self.log.read().unwrap_or_else(PoisonError::into_inner);
        Ok(at(&at(&log.entries, "entry", index.0)?.bodies, "record", record.into())?.clone())
    }

    fn body_len(&self, index: LogIndex, record: u32) -> Result<u64, StoreError> {
        Ok(self.body(index, record)?.len() as u64)
    }

    fn body_part(&self, index: LogIndex, record: u32, from: u64, len: usize) -> Result<Vec<u8>, StoreError> {
        let body = self.body(index, record)?;
        let start = usize::try_from(from).unwrap_or(usize::MAX);
        let part = body.get(start..start.saturating_add(len));
        Ok(part.ok_or(StoreError::Missing { what: "part of a record", index: from })?.to_vec())
    }

    fn node(&self, level: u8, index: u64) -> Result<Digest, StoreError> {
        let log = self.log.read().unwrap_or_else(PoisonError::into_inner);
        let level = log.levels.get(usize::from(level)).map_or(&[][..], Vec::as_slice);
        Ok(*at(level, "tree node", index)?)
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.index.get(table, key)?)
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KeyValue>, StoreError> {
        Ok(self.index.scan(table, prefix, after, limit)?)
    }

    fn close(&self) -> Result<(), StoreError> {
        self.log.write().unwrap_or_else(PoisonError::into_inner).closed = true;
        Ok(())
    }
}
