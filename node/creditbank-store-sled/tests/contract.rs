//! sled under the contract of every engine.
#![allow(missing_docs, clippy::unwrap_used)]

use creditbank_store::contract;
use creditbank_store_sled::SledIndex;

#[test]
fn sled_keeps_the_index_contract() {
    let dir = tempfile::tempdir().unwrap();
    contract::check_index(&SledIndex::open(dir.path()).unwrap());
}

/// Goal: the store on sled keeps the contract over restarts, and one whose index is deleted or damaged rebuilds it.
#[test]
fn sled_keeps_the_store_contract() {
    let dir = tempfile::tempdir().unwrap();
    contract::check_rebuild(SledIndex::open, dir.path());
}

/// Goal: an index whose files are cut or rotten is found out and rebuilt, and never takes the process with it.
#[test]
fn a_damaged_index_is_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    contract::check_rot(SledIndex::open, dir.path());
}

/// Goal: whatever happens to the engine's files, before a start or while it works, no wrong row is read and the index comes back.
#[test]
fn sled_keeps_the_damage_contract() {
    let dir = tempfile::tempdir().unwrap();
    contract::check_damage(SledIndex::open, dir.path());
}

/// Goal: one flipped bit anywhere in sled's files never stops the store for good.
#[test]
fn a_flipped_bit_is_mended_by_a_start() {
    let dir = tempfile::tempdir().unwrap();
    contract::check_flips(SledIndex::open, dir.path());
}
