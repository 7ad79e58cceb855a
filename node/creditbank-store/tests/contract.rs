//! The engine of simulated nodes under the contract of every engine.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::Path;

use creditbank_store::{IndexError, RealDisk, SimulatedIndex, contract};

fn open(dir: &Path) -> Result<SimulatedIndex, IndexError> {
    SimulatedIndex::open(&RealDisk::shared(), dir)
}

/// Goal: what a simulated node keeps its index in loses and keeps what a real engine may lose and must keep.
#[test]
fn the_simulated_engine_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    contract::check_index(&open(&dir.path().join("index")).unwrap());
    contract::check_rebuild(open, &dir.path().join("rebuild"));
    contract::check_damage(open, &dir.path().join("damage"));
}
