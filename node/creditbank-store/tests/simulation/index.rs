//! An index engine as the contract allows it to be: after a power cut it has what was synced and any part of what came later,
//! and now and then it fails or finds itself damaged.

use std::sync::{Arc, Mutex};

use creditbank_store::{Crash, Index, IndexError, KeyValue, MemoryIndex, Random, Row, Table};

pub(crate) struct State {
    random: Random,
    synced: Vec<Vec<Row>>,
    unsynced: Vec<Vec<Row>>,
    rows: MemoryIndex,
    /// How often calls fail, in thousandths.
    pub(crate) fails: u64,
    pub(crate) damaged: bool,
}

#[derive(Clone)]
pub(crate) struct ModelIndex(pub(crate) Arc<Mutex<State>>);

impl ModelIndex {
    pub(crate) fn new(seed: u64) -> Self {
        let (random, rows) = (Random::new(seed), MemoryIndex::default());
        let state = State { random, synced: Vec::new(), unsynced: Vec::new(), rows, fails: 0, damaged: false };
        Self(Arc::new(Mutex::new(state)))
    }

    /// As the store opens it.
    pub(crate) fn open(&self) -> Result<Self, IndexError> {
        let mut state = self.0.lock().unwrap();
        if std::mem::take(&mut state.damaged) {
            // The store deletes the engine's directory and opens it again.
            state.synced.clear();
            state.unsynced.clear();
            state.rows.clear()?;
            return Err(IndexError("simulated: damaged".to_owned()));
        }
        Ok(self.clone())
    }

    pub(crate) fn restart(&self, crash: Crash) {
        let mut guard = self.0.lock().unwrap();
        let state = &mut *guard;
        state.fails = 0;
        if crash == Crash::PowerCut {
            let kept = state.random.below(state.unsynced.len() as u64 + 1);
            state.unsynced.truncate(usize::try_from(kept).unwrap());
            state.rows.clear().unwrap();
            for rows in state.synced.iter().chain(&state.unsynced) {
                state.rows.apply(rows).unwrap();
            }
        }
    }
}

impl State {
    fn step(&mut self) -> Result<(), IndexError> {
        if self.random.chance(self.fails) {
            return Err(IndexError("simulated: failed".to_owned()));
        }
        Ok(())
    }
}

impl Index for ModelIndex {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        self.0.lock().unwrap().rows.get(table, key)
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KeyValue>, IndexError> {
        self.0.lock().unwrap().rows.scan(table, prefix, after, limit)
    }

    fn apply(&self, rows: &[Row]) -> Result<(), IndexError> {
        let mut state = self.0.lock().unwrap();
        state.step()?;
        state.unsynced.push(rows.to_vec());
        state.rows.apply(rows)
    }

    fn sync(&self) -> Result<(), IndexError> {
        let mut state = self.0.lock().unwrap();
        state.step()?;
        let unsynced = std::mem::take(&mut state.unsynced);
        state.synced.extend(unsynced);
        Ok(())
    }

    fn clear(&self) -> Result<(), IndexError> {
        let mut state = self.0.lock().unwrap();
        state.synced.clear();
        state.unsynced.clear();
        state.rows.clear()
    }
}
