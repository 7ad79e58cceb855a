//! sled under the contract of every engine.
#![allow(missing_docs, clippy::unwrap_used)]

use creditbank_store::{EmbeddedStore, Options, Store as _, contract};
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
    let options = Options { segment_len_max: 2_000, sync_bytes: 3_000, ..Options::new([7; 32]) };
    let reopen = || EmbeddedStore::open(dir.path(), &options, SledIndex::open).unwrap();
    contract::check_store(reopen, true);

    let rows = |store: &EmbeddedStore| store.scan(creditbank_store::Table(7), b"", None, 1_000).unwrap();
    let store = reopen();
    let before = rows(&store);
    drop(store);
    std::fs::remove_dir_all(dir.path().join("index")).unwrap();
    let store = reopen();
    assert_eq!(rows(&store), before, "deleted");
    store.close().unwrap();
    drop(store);
    for file in std::fs::read_dir(dir.path().join("index")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            std::fs::write(&path, b"garbage").unwrap();
        }
    }
    assert_eq!(rows(&reopen()), before, "overwritten");
}
