//! The store on disk: contract, torn writes, damage, lost indexes.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use creditbank_protocol::LogIndex;
use creditbank_protocol::merkle::{Frontier, leaf_hash};
use creditbank_store::{
    EmbeddedStore, EntryWrite, Head, IndexError, MemoryIndex, MemoryStore, Node, Options, Round, Row, Store,
    StoreError, Table, contract,
};

#[allow(clippy::unnecessary_wraps)] // The shape that the store asks for.
fn memory_index(_: &Path) -> Result<MemoryIndex, IndexError> {
    Ok(MemoryIndex::default())
}

fn options() -> Options {
    Options { segment_len_max: 2_000, sync_bytes: 3_000, ..Options::new([7; 32]) }
}

fn open(dir: &Path) -> Result<EmbeddedStore, StoreError> {
    EmbeddedStore::open(dir, &options(), memory_index)
}

/// Appends a round of one entry and one row.
fn append(store: &EmbeddedStore, text: &str) {
    let base = store.head();
    let mut frontier = Frontier::restore(base.size, |level, index| store.node(level, index)).unwrap();
    let completed = frontier.push(leaf_hash(text.as_bytes()));
    let round = Round {
        base,
        next: Head { size: base.size + 1, root: frontier.root(), ..base },
        entries: vec![EntryWrite { entry: text.as_bytes().to_vec(), bodies: vec![vec![1; 50]] }],
        nodes: completed.iter().map(|n| Node { level: n.level, index: n.index, hash: n.hash }).collect(),
        rows: vec![Row { table: Table(1), key: text.as_bytes().to_vec(), value: Some(vec![9]) }],
    };
    store.append(&round).unwrap();
}

fn last_segment(dir: &Path) -> PathBuf {
    let mut segments: Vec<_> = fs::read_dir(dir.join("journal")).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    segments.pop().unwrap()
}

/// What a file holds in front of the zeros that fill its room.
fn used(path: &Path) -> Vec<u8> {
    let mut bytes = fs::read(path).unwrap();
    bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
    bytes
}

fn refused(dir: &Path) -> String {
    open(dir).err().expect("must be refused").to_string()
}

#[test]
fn memory_store_keeps_the_contract() {
    contract::check_store(MemoryStore::default, false);
    contract::check_index(&MemoryIndex::default());
}

/// Goal: the contract holds over restarts, clean or not, over segments, and with an index that begins empty each time.
#[test]
fn embedded_store_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    // A memory index is empty after every start, as one that was lost: its position must not be believed.
    let reopen = || {
        let _ = fs::remove_file(dir.path().join("position"));
        open(dir.path()).unwrap()
    };
    contract::check_store(reopen, true);
}

/// Goal: whatever bytes of the last, unguarded round are missing, the start cuts it and goes on from the round before.
#[test]
fn a_torn_last_round_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    append(&store, "one");
    let (guard, segment) = (dir.path().join("guard"), last_segment(dir.path()));
    let (guarded, before) = (fs::read(&guard).unwrap(), used(&segment).len());
    append(&store, "two");
    drop(store);
    let whole = used(&segment);
    for len in (before + 1..whole.len()).step_by(7) {
        fs::write(&segment, &whole[..len]).unwrap();
        fs::write(&guard, &guarded).unwrap();
        let _ = fs::remove_file(dir.path().join("position"));
        let store = open(dir.path()).unwrap_or_else(|error| panic!("cut at {len}: {error}"));
        assert_eq!((store.head().size, store.entry(LogIndex(0)).unwrap()), (1, b"one".to_vec()));
        assert_eq!(store.get(Table(1), b"two").unwrap(), None);
        append(&store, "three");
        assert_eq!(store.entry(LogIndex(1)).unwrap(), b"three");
    }
    // Whole but not guarded: it counts.
    fs::write(&segment, &whole).unwrap();
    fs::write(&guard, &guarded).unwrap();
    let _ = fs::remove_file(dir.path().join("position"));
    assert_eq!(open(dir.path()).unwrap().head().size, 2);
}

/// Goal: an acknowledged round is never cut: a flipped byte anywhere in it, or its loss, is refused with its place.
#[test]
fn damage_is_refused_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    append(&store, "one");
    append(&store, "two");
    drop(store);
    let segment = last_segment(dir.path());
    let whole = used(&segment);
    for at in (0..whole.len()).step_by(5) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        fs::write(&segment, &flipped).unwrap();
        let said = refused(dir.path());
        assert!(said.contains(".seg is damaged at"), "byte {at}: {said}");
    }
    fs::write(&segment, &whole[..whole.len() - 60]).unwrap();
    assert!(refused(dir.path()).contains("the round was acknowledged"));
    fs::remove_file(&segment).unwrap();
    assert!(refused(dir.path()).contains("acknowledged rounds are lost"));
}

/// Goal: flat files that are lost or cut are rebuilt from the journal.
#[test]
fn lost_flat_files_are_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    (0..30).for_each(|number| append(&store, &format!("entry {number}")));
    let root = store.head().root;
    store.close().unwrap();
    drop(store);
    fs::remove_dir_all(dir.path().join("flat")).unwrap();
    let store = open(dir.path()).unwrap();
    assert_eq!(store.head().root, root);
    assert_eq!(store.entry(LogIndex(17)).unwrap(), b"entry 17");
    assert_eq!(Frontier::restore(30, |level, index| store.node(level, index)).unwrap().root(), root);
}

/// Goal: a second process in the same directory is refused.
#[test]
fn one_process_per_directory() {
    let dir = tempfile::tempdir().unwrap();
    let _store = open(dir.path()).unwrap();
    assert!(refused(dir.path()).contains("another process works in this directory"));
}

/// Goal: the journal of another log is refused.
#[test]
fn another_logs_journal_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    let other = EmbeddedStore::open(dir.path(), &Options::new([8; 32]), memory_index);
    assert!(other.err().unwrap().to_string().contains("is whole, and of another log"));
}

/// Goal: after an append that failed behind the journal nothing is built on the old head, the stop is not called clean, and the
/// next start has the round.
#[test]
fn nothing_follows_a_failed_append() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    append(&store, "one");
    // The tree's next level needs a file of its own, and its directory is gone.
    fs::remove_dir_all(dir.path().join("flat")).unwrap();
    let two = || {
        let base = store.head();
        let mut frontier = Frontier::restore(1, |_, _| Ok::<_, StoreError>(leaf_hash(b"one"))).unwrap();
        let completed = frontier.push(leaf_hash(b"two"));
        Round {
            base,
            next: Head { size: 2, root: frontier.root(), ..base },
            entries: vec![EntryWrite { entry: b"two".to_vec(), bodies: Vec::new() }],
            nodes: completed.iter().map(|n| Node { level: n.level, index: n.index, hash: n.hash }).collect(),
            rows: Vec::new(),
        }
    };
    store.append(&two()).expect_err("the file cannot be made");
    let head = store.head();
    let private = Round { base: head, next: head, entries: Vec::new(), nodes: Vec::new(), rows: Vec::new() };
    assert!(matches!(store.append(&private), Err(StoreError::Stopped(_))), "not even a private round");
    assert!(store.close().is_err());
    drop(store);
    assert!(!dir.path().join("clean").exists());
    let store = open(dir.path()).unwrap();
    assert_eq!((store.head().size, store.entry(LogIndex(1)).unwrap()), (2, b"two".to_vec()));
}

/// Goal: without a guard nothing is cut, as nobody knows what was acknowledged.
#[test]
fn nothing_is_cut_without_a_guard() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    append(&store, "one");
    append(&store, "two");
    drop(store);
    let segment = last_segment(dir.path());
    let whole = used(&segment);
    let torn = &whole[..whole.len() - 10];
    fs::write(&segment, torn).unwrap();
    fs::remove_file(dir.path().join("guard")).unwrap();
    assert!(refused(dir.path()).contains("may have been"));
    assert_eq!(fs::read(&segment).unwrap(), torn);
}

/// Goal: a segment without its header cannot be left behind by a crash: it appears whole.
#[test]
fn a_segment_appears_whole() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    (0..200).for_each(|number| append(&store, &format!("entry {number}")));
    drop(store);
    // What a crash before the rename leaves.
    fs::write(dir.path().join("journal/00000000000000000999.new"), b"half").unwrap();
    assert_eq!(open(dir.path()).unwrap().head().size, 200);
}

/// Goal: a new guard that is cut to one of its slots, or loses either, still says what was acknowledged.
#[test]
fn either_slot_of_a_guard_is_enough() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    (0..4).for_each(|number| append(&store, &format!("entry {number}")));
    drop(store);
    let guard = dir.path().join("guard");
    // As after a move: written as a whole.
    let moved = Options { placement: creditbank_store::Placement::TakeOver, ..options() };
    let elsewhere = tempfile::tempdir().unwrap();
    let to = elsewhere.path().join("log");
    fs::rename(dir.path(), &to).unwrap();
    drop(EmbeddedStore::open(&to, &moved, memory_index).unwrap());
    let path = to.join(guard.file_name().unwrap());
    let whole = fs::read(&path).unwrap();
    let mut damaged = vec![whole[..512].to_vec()];
    for slot in [0, 512] {
        let mut one = whole.clone();
        one[slot + 3] ^= 1;
        damaged.push(one);
    }
    for bytes in damaged {
        fs::write(&path, &bytes).unwrap();
        let store = EmbeddedStore::open(&to, &moved, memory_index).unwrap();
        assert_eq!(store.head().size, 4);
        drop(store);
        fs::write(&path, &whole).unwrap();
    }
}

/// Goal: a round is refused, and nothing is stored, where a file that it is written to is not in its place; and taken once it is.
#[test]
fn nothing_is_written_into_a_file_that_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    append(&store, "one");
    let aside = dir.path().join("aside");
    for path in [dir.path().join("guard"), last_segment(dir.path())] {
        fs::rename(&path, &aside).unwrap();
        let head = store.head();
        let rows = vec![Row { table: Table(1), key: b"refused".to_vec(), value: Some(vec![1]) }];
        let round = Round { base: head, next: head, entries: Vec::new(), nodes: Vec::new(), rows };
        assert!(matches!(store.append(&round), Err(StoreError::Displaced { .. })), "{}", path.display());
        assert!(matches!(store.look(), Err(StoreError::Displaced { .. })));
        fs::rename(&aside, &path).unwrap();
        store.look().unwrap();
        append(&store, &path.display().to_string());
    }
    drop(store);
    assert_eq!(open(dir.path()).unwrap().head().size, 3);
}
