//! sled under the contract of every engine.
#![allow(missing_docs, clippy::unwrap_used)]

use creditbank_store::{EmbeddedStore, Options, Round, Row, Store as _, Table, contract};
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

    let rows = |store: &EmbeddedStore| store.scan(Table(7), b"", None, 1_000).unwrap();
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

/// Goal: an index whose file is cut or rotten is found out and rebuilt, and never takes the process with it.
#[test]
fn a_damaged_index_is_rebuilt() {
    for damage in [
        |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2),
        |bytes: &mut Vec<u8>| {
            bytes.iter_mut().step_by(997).for_each(|byte| *byte ^= 0x55);
        },
    ] {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { segment_len_max: 200_000, sync_bytes: 3_000, ..Options::new([7; 32]) };
        let reopen = || EmbeddedStore::open(dir.path(), &options, SledIndex::open).unwrap();
        let store = reopen();
        for number in 0..2_000u32 {
            let row = Row { table: Table(7), key: number.to_be_bytes().to_vec(), value: Some(vec![7; 100]) };
            let head = store.head();
            let round = Round { base: head, next: head, entries: Vec::new(), nodes: Vec::new(), rows: vec![row] };
            store.append(&round).unwrap();
        }
        let rows = |store: &EmbeddedStore| store.scan(Table(7), b"", None, 10_000).unwrap();
        let before = rows(&store);
        assert_eq!(before.len(), 2_000);
        store.close().unwrap();
        drop(store);
        let file = dir.path().join("index/db");
        let mut bytes = std::fs::read(&file).unwrap();
        damage(&mut bytes);
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(rows(&reopen()), before);
    }
}

/// Goal: whatever happens to the engine's files, before a start or while it works, no wrong row is read and the index comes back.
#[test]
fn sled_keeps_the_damage_contract() {
    let dir = tempfile::tempdir().unwrap();
    contract::check_damage(SledIndex::open, dir.path());
}
