//! A disk without room: a file system of a few megabytes, where the system lets this user mount one in a namespace of
//! its own.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use creditbank_protocol::AccountId;
use creditbank_protocol::merkle::{Frontier, leaf_hash};
use creditbank_store::{
    Crash, Disk, EmbeddedStore, EntryWrite, Head, KeyStore, KeyStoreError, MemoryIndex, Node, Options, Round, Row,
    SimulatedDisk, SimulatedIndex, Store, StoreError, Table,
};

/// Set in the process that stands in the namespace.
const INSIDE: &str = "CREDITBANK_FULL_DISK_DIR";
const SEGMENT: u64 = 1 << 20;
const ROWS: Table = Table(1);
/// What the simulated disk must have left.
const RESERVE: u64 = 20_000;

fn open(dir: &Path, reserve_bytes: u64) -> EmbeddedStore {
    let options = Options { segment_len_max: SEGMENT, reserve_bytes, ..Options::new([7; 32]) };
    EmbeddedStore::open(&dir.join("log"), &options, |_| Ok(MemoryIndex::default())).unwrap()
}

fn append(store: &EmbeddedStore, len: usize) -> Result<(), StoreError> {
    let base = store.head();
    let mut frontier = Frontier::restore(base.size, |level, index| store.node(level, index)).unwrap();
    let entry = format!("entry {}", base.size).into_bytes();
    let rows = vec![Row { table: ROWS, key: entry.clone(), value: Some(entry.clone()) }];
    let completed = frontier.push(leaf_hash(&entry));
    store.append(&Round {
        base,
        next: Head { size: base.size + 1, root: frontier.root(), ..base },
        entries: vec![EntryWrite { entry, bodies: vec![vec![1; len]] }],
        nodes: completed.iter().map(|n| Node { level: n.level, index: n.index, hash: n.hash }).collect(),
        rows,
    })
}

/// Goal: a full disk is a refusal of its own, found when a segment is made; nothing is stored, what was acknowledged
/// stays, and the same store goes on when there is room. A restart on a full disk loses nothing.
fn on_a_small_disk(dir: &Path) {
    let mut room = 8 * SEGMENT;
    fs::write(dir.join("ballast"), vec![1; usize::try_from(2 * SEGMENT).unwrap()]).unwrap();
    let store = open(dir, 0);
    let full = loop {
        match append(&store, 300_000) {
            Ok(()) => room = room.checked_sub(300_000).expect("the disk is full by now"),
            Err(error) => break error,
        }
    };
    assert!(matches!(full, StoreError::Full { .. }), "{full}");
    let size = store.head().size;
    assert!(size >= 9, "{size}");
    assert!(matches!(append(&store, 300_000), Err(StoreError::Full { .. })), "still");
    assert_eq!(store.head().size, size);
    fs::remove_file(dir.join("ballast")).unwrap();
    append(&store, 300_000).expect("there is room again");
    assert_eq!(store.entry(size.into()).unwrap(), format!("entry {size}").into_bytes());
    drop(store);
    let store = open(dir, 0);
    assert_eq!(store.head().size, size + 1);
    store.close().unwrap();
    drop(store);
    // The reserve keeps room for what is derived.
    let store = open(dir, 64 << 20);
    assert!(matches!(append(&store, 10), Err(StoreError::Full { .. })));
    drop(store);

    let fill = &mut |bytes: &mut [u8]| bytes.fill(5);
    let disk = creditbank_store::RealDisk::shared();
    let path = dir.join("learners.keys");
    let keys = KeyStore::open(&disk, 0, &path, &[1; 32], 0, fill).unwrap();
    keys.insert(&[AccountId([1; 16])], fill).unwrap();
    let ballast = fs::File::create(dir.join("ballast")).unwrap();
    let chunk = vec![1; 1 << 16];
    while std::io::Write::write_all(&mut &ballast, &chunk).is_ok() {}
    let many: Vec<AccountId> = (0..5_000u128).map(|number| AccountId(number.to_be_bytes())).collect();
    let full = keys.insert(&many, fill).expect_err("no room");
    assert!(matches!(full, KeyStoreError::File(StoreError::Full { .. })), "{full}");
    assert_eq!(keys.len(), 1);
    fs::remove_file(dir.join("ballast")).unwrap();
    drop(ballast);
    keys.insert(&many, fill).expect("there is room again");
    drop(keys);
    assert_eq!(KeyStore::open(&disk, 0, &path, &[1; 32], 5_001, fill).unwrap().len(), 5_001);
}

/// A store in segments of a few rounds, without threads of its own.
fn small(disk: &Arc<dyn Disk>) -> Options {
    Options {
        segment_len_max: 4_000,
        sync_bytes: 1_500,
        reserve_bytes: RESERVE,
        disk: Arc::clone(disk),
        stepped: true,
        ..Options::new([7; 32])
    }
}

fn read_all(store: &EmbeddedStore, size: u64) {
    assert_eq!(store.head().size, size);
    for index in 0..size {
        let entry = format!("entry {index}").into_bytes();
        assert_eq!(store.entry(index.into()).unwrap(), entry);
        assert_eq!(store.body(index.into(), 0).unwrap(), vec![1; 100]);
        assert_eq!(store.get(ROWS, &entry).unwrap(), Some(entry.clone()));
    }
    assert_eq!(store.rows(ROWS, b"").count() as u64, size);
    let restored = Frontier::restore(size, |level, index| store.node(level, index)).unwrap();
    assert_eq!(restored.root(), store.head().root);
}

/// Goal: a store and a key store that are opened on a disk without a free byte, after a kill or a power cut, with their
/// index or without it, change no file, read everything, refuse what is new for want of room, and go on when there is
/// room; where the index could not be opened, with the next start.
#[test]
fn a_start_without_room_writes_nothing() {
    for (seed, crash, loses_index) in
        [(1, Crash::Kill, false), (2, Crash::Kill, true), (3, Crash::PowerCut, false), (4, Crash::PowerCut, true)]
    {
        let simulated = SimulatedDisk::new(seed, 1 << 24);
        let disk = simulated.shared();
        let options = small(&disk);
        let open = || EmbeddedStore::open(Path::new("/m/log"), &options, |dir| SimulatedIndex::open(&disk, dir));
        let fill = &mut |bytes: &mut [u8]| bytes.fill(5);
        let account = |number: u8| AccountId([number; 16]);
        let path = Path::new("/m/learners.keys");
        let keys = KeyStore::open(&disk, RESERVE, path, &[1; 32], 0, fill).unwrap();
        keys.insert(&[account(1), account(2)], fill).unwrap();
        let store = open().unwrap();
        for _ in 0..40 {
            append(&store, 100).unwrap();
            store.step().unwrap();
        }
        drop((store, keys));
        simulated.restart(crash);
        if loses_index {
            disk.remove_dir(Path::new("/m/log/index")).unwrap();
        }
        simulated.set_room(0);
        let before: Vec<_> = simulated.files().into_iter().map(|path| (disk.read(&path).unwrap(), path)).collect();

        let keys = KeyStore::open(&disk, RESERVE, path, &[1; 32], 2, fill).unwrap();
        let store = open().unwrap();
        assert!(store.read_only().is_some());
        read_all(&store, 40);
        assert!(keys.contains(&account(1)) && keys.contains(&account(2)));
        assert!(matches!(append(&store, 100), Err(StoreError::Full { .. })));
        let full = keys.insert(&[account(3)], fill).expect_err("no room");
        assert!(matches!(full, KeyStoreError::File(StoreError::Full { .. })), "{full}");
        for (bytes, path) in before {
            assert_eq!(disk.read(&path).unwrap(), bytes, "seed {seed}: {} was changed", path.display());
        }

        simulated.set_room(1 << 20);
        keys.insert(&[account(3)], fill).unwrap();
        let appended = append(&store, 100);
        if loses_index {
            assert!(matches!(appended, Err(StoreError::Stopped(_))), "{appended:?}");
            assert!(store.failure().is_some_and(|why| why.contains("room again")));
        } else {
            appended.unwrap();
            assert_eq!(store.read_only(), None);
            read_all(&store, 41);
        }
        drop((store, keys));
        simulated.restart(Crash::PowerCut);
        let keys = KeyStore::open(&disk, RESERVE, path, &[1; 32], 3, fill).unwrap();
        assert_eq!(keys.len(), 3);
        let store = open().unwrap();
        assert_eq!(store.read_only(), None);
        read_all(&store, if loses_index { 40 } else { 41 });
        append(&store, 100).unwrap();
        store.close().unwrap();
    }
}

/// Goal: a start on a disk that has the reserve, but no room for the whole file of keys, reads it; a stop after which
/// the last segment is still to be written anew is no clean one.
#[test]
fn a_start_with_little_room_does_what_it_can() {
    let simulated = SimulatedDisk::new(9, 1 << 24);
    let disk = simulated.shared();
    let fill = &mut |bytes: &mut [u8]| bytes.fill(5);
    let path = Path::new("/m/learners.keys");
    let many: Vec<AccountId> = (0..1_000_u128).map(|number| AccountId(number.to_be_bytes())).collect();
    KeyStore::open(&disk, RESERVE, path, &[1; 32], 0, fill).unwrap().insert(&many, fill).unwrap();
    let options = small(&disk);
    let open = || EmbeddedStore::open(Path::new("/m/log"), &options, |dir| SimulatedIndex::open(&disk, dir));
    let store = open().unwrap();
    for _ in 0..40 {
        append(&store, 100).unwrap();
        store.step().unwrap();
    }
    drop(store);
    simulated.restart(Crash::Kill);
    simulated.set_room(RESERVE + 1_000);
    let keys = KeyStore::open(&disk, RESERVE, path, &[1; 32], 1_000, fill).unwrap();
    assert!(keys.contains(&many[999]));
    simulated.set_room(1 << 20);
    keys.insert(&[AccountId([77; 16])], fill).unwrap();

    simulated.set_room(0);
    let store = open().unwrap();
    assert!(store.read_only().is_some());
    simulated.set_room(1 << 20);
    store.look().unwrap();
    store.close().unwrap();
    assert!(!disk.exists(Path::new("/m/log/clean")).unwrap(), "the next start still has to write the segment anew");
    drop(store);
    let store = open().unwrap();
    store.close().unwrap();
    assert!(disk.exists(Path::new("/m/log/clean")).unwrap());
}

#[test]
fn a_full_disk_is_a_refusal() {
    if let Some(dir) = std::env::var_os(INSIDE) {
        return on_a_small_disk(Path::new(&dir));
    }
    let dir = tempfile::tempdir().unwrap();
    let mount = |then: &[&str]| {
        let script = "mount -t tmpfs -o size=8m none \"$0\" && exec \"$@\"";
        Command::new("unshare")
            .args(["-Urm", "sh", "-c", script])
            .arg(dir.path())
            .args(then)
            .env(INSIDE, dir.path())
            .output()
    };
    if !mount(&["true"]).is_ok_and(|done| done.status.success()) {
        println!("skipped: this user cannot mount a small file system; the simulated disk has the same test");
        return;
    }
    let own = std::env::current_exe().unwrap();
    let done = mount(&[own.to_str().unwrap(), "--nocapture"]).unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
