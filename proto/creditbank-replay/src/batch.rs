//! Many signatures at once: a batch where the keys allow it, and one by one where there is any doubt.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use creditbank_ledger::replay::{Contradiction, SignatureCheck};
use creditbank_protocol::key::{BatchItem, BatchKey, verify_batch};

/// Keys that are kept ready.
const KEYS_MAX: usize = 1 << 17;
/// Fewer signatures are verified one by one.
const BATCH_MIN: usize = 8;

/// Keys that were looked at before; `None` where signatures must be verified one by one.
#[derive(Default)]
pub(super) struct Batches {
    keys: RwLock<HashMap<Vec<u8>, Option<BatchKey>>>,
}

impl Batches {
    /// The signatures that do not hold. `seed` is random, and unknown to whoever made them.
    pub(super) fn failures(&self, checks: &[SignatureCheck], seed: &[u8; 32]) -> Vec<Contradiction> {
        let keyed: Vec<_> = checks.iter().map(|check| (check, self.key(&check.public_key))).collect();
        let (batch, alone): (Vec<_>, Vec<_>) = keyed.into_iter().partition(|(_, key)| key.is_some());
        let mut failures: Vec<_> = alone.into_iter().filter_map(|(check, _)| check.verify().err()).collect();
        let batch: Vec<_> = batch.into_iter().filter_map(|(check, key)| Some((check, key?))).collect();
        search(&batch, seed, &mut failures);
        failures
    }

    fn key(&self, public_key: &[u8]) -> Option<BatchKey> {
        if let Some(known) = self.keys.read().unwrap_or_else(PoisonError::into_inner).get(public_key) {
            return known.clone();
        }
        let key = BatchKey::new(public_key);
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= KEYS_MAX {
            keys.clear();
        }
        keys.insert(public_key.to_vec(), key.clone());
        key
    }
}

/// Halves a batch that does not hold until the signatures that are to blame stand alone.
fn search(batch: &[(&SignatureCheck, BatchKey)], seed: &[u8; 32], failures: &mut Vec<Contradiction>) {
    if batch.len() < BATCH_MIN {
        failures.extend(batch.iter().filter_map(|(check, _)| check.verify().err()));
        return;
    }
    let items: Vec<_> = batch
        .iter()
        .map(|(check, key)| BatchItem { key, message: &check.message, signature: &check.signature })
        .collect();
    if !verify_batch(&items, seed) {
        let (left, right) = batch.split_at(batch.len() / 2);
        search(left, seed, failures);
        search(right, seed, failures);
    }
}
