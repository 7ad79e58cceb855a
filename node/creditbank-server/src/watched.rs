//! The store. It reports to the operator every damage that a read meets, wherever the read comes from.

use creditbank_protocol::{Digest, LogIndex};
use creditbank_store::{Head, KeyValue, Round, ScrubPosition, Scrubbed, Store, StoreError, Table};

use std::sync::Arc;

use crate::health::Health;
use crate::unreadable;

/// A store that reports its damage.
pub(crate) struct Watched {
    store: Box<dyn Store>,
    health: Arc<Health>,
}

impl Watched {
    pub(crate) fn new(store: Box<dyn Store>, health: Arc<Health>) -> Self {
        Self { store, health }
    }

    fn told<T>(&self, read: Result<T, StoreError>) -> Result<T, StoreError> {
        read.inspect_err(|error| {
            if unreadable::is_damage(error) {
                self.health.damage(&error.to_string());
            }
        })
    }
}

impl Store for Watched {
    fn head(&self) -> Head {
        self.store.head()
    }

    fn append(&self, round: &Round) -> Result<(), StoreError> {
        self.told(self.store.append(round))
    }

    fn entry(&self, index: LogIndex) -> Result<Vec<u8>, StoreError> {
        self.told(self.store.entry(index))
    }

    fn body(&self, index: LogIndex, position: u32) -> Result<Vec<u8>, StoreError> {
        self.told(self.store.body(index, position))
    }

    fn body_len(&self, index: LogIndex, position: u32) -> Result<u64, StoreError> {
        self.told(self.store.body_len(index, position))
    }

    fn body_part(&self, index: LogIndex, position: u32, from: u64, len: usize) -> Result<Vec<u8>, StoreError> {
        self.told(self.store.body_part(index, position, from, len))
    }

    fn node(&self, level: u8, index: u64) -> Result<Digest, StoreError> {
        self.told(self.store.node(level, index))
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.told(self.store.get(table, key))
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KeyValue>, StoreError> {
        self.told(self.store.scan(table, prefix, after, limit))
    }

    fn failure(&self) -> Option<String> {
        self.store.failure()
    }

    fn read_only(&self) -> Option<String> {
        self.store.read_only()
    }

    fn look(&self) -> Result<(), StoreError> {
        self.store.look()
    }

    fn distrust_index(&self, why: &str) -> StoreError {
        let error = self.store.distrust_index(why);
        self.health.damage(&error.to_string());
        error
    }

    fn scrub(&self, from: ScrubPosition, len_max: u64) -> Result<Scrubbed, StoreError> {
        self.told(self.store.scrub(from, len_max))
    }

    fn scrub_len(&self) -> Result<u64, StoreError> {
        self.store.scrub_len()
    }

    fn step(&self) -> Result<bool, StoreError> {
        self.store.step()
    }

    fn close(&self) -> Result<(), StoreError> {
        self.store.close()
    }
}
