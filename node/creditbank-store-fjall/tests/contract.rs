//! fjall under the contract of every engine.
#![allow(missing_docs, clippy::unwrap_used)]

use creditbank_store::contract;
use creditbank_store_fjall::FjallIndex;

#[test]
fn fjall_keeps_the_index_contract() {
    let dir = tempfile::tempdir().unwrap();
    contract::check_index(&FjallIndex::open(dir.path()).unwrap());
}

/// Goal: the store on fjall keeps the contract over restarts, and one whose index is deleted or damaged rebuilds it.
#[test]
fn fjall_keeps_the_store_contract() {
    let dir = tempfile::tempdir().unwrap();
    contract::check_rebuild(FjallIndex::open, dir.path());
}

/// Goal: an index whose files are cut or rotten is found out and rebuilt, and never takes the process with it.
#[test]
fn a_damaged_index_is_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    contract::check_rot(FjallIndex::open, dir.path());
}

/// Goal: whatever happens to the engine's files, before a start or while it works, no wrong row is read and the index comes back.
#[test]
fn fjall_keeps_the_damage_contract() {
    let dir = tempfile::tempdir().unwrap();
    contract::check_damage(FjallIndex::open, dir.path());
}
