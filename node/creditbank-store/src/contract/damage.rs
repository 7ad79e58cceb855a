//! The tests that every engine on a disk must pass when its files are damaged, before a start or while it works.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{EmbeddedStore, Index, IndexError, KeyValue, Options, Placement, Round, Row, Store, StoreError, Table};

const ROWS: Table = Table(7);
const ROUNDS: u32 = 60;
const ROWS_PER_ROUND: u32 = 40;
/// How many starts it may take until the index is whole again.
const STARTS_MAX: usize = 3;

/// A damage of one file.
type Damage = (&'static str, fn(&Path));

const DAMAGES: [Damage; 5] = [
    ("deleted", |path| fs::remove_file(path).expect("deleted")),
    ("emptied", |path| fs::write(path, b"").expect("emptied")),
    ("cut in half", |path| change(path, |bytes| bytes.truncate(bytes.len() / 2))),
    ("overwritten", |path| change(path, |bytes| bytes.fill(0x5a))),
    ("with flipped bits", |path| {
        change(path, |bytes| bytes.iter_mut().skip(11).step_by(499).for_each(|byte| *byte ^= 0x20));
    }),
];

pub(super) fn change(path: &Path, how: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("read");
    how(&mut bytes);
    fs::write(path, bytes).expect("written");
}

pub(super) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("a directory") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() { copy(&path, &target) } else { fs::copy(&path, &target).map(drop).expect("copied") }
    }
}

fn append(store: &EmbeddedStore, rows: Vec<Row>) -> Result<(), StoreError> {
    let head = store.head();
    store.append(&Round { base: head, next: head, entries: Vec::new(), nodes: Vec::new(), rows })
}

/// A row, long and irregular enough that the files have something to damage.
fn row(round: u32, number: u32) -> Row {
    let key =
        [creditbank_protocol::hash::sha256(&number.to_be_bytes()).0.to_vec(), round.to_be_bytes().to_vec()].concat();
    Row { table: ROWS, value: Some(creditbank_protocol::hash::sha256(&key).0.repeat(2)), key }
}

fn read(store: &EmbeddedStore) -> Result<Vec<KeyValue>, StoreError> {
    store.scan(ROWS, b"", None, usize::MAX)
}

/// Opens the store until all rows are there again. Everything that is read on the way is right, or is an error that
/// stops the store.
fn recovers(what: &str, open: &impl Fn(&Path) -> Result<EmbeddedStore, StoreError>, dir: &Path, expected: &[KeyValue]) {
    for _ in 0..STARTS_MAX {
        let store = open(dir).unwrap_or_else(|error| panic!("{what}: the start fails: {error}"));
        match read(&store) {
            Ok(rows) => {
                assert!(rows == expected, "{what}: {} rows of {}", rows.len(), expected.len());
                append(&store, vec![expected_row(expected)]).unwrap_or_else(|error| panic!("{what}: {error}"));
                return;
            }
            Err(error) => stops(what, &store, &error),
        }
    }
    panic!("{what}: the index is still damaged after {STARTS_MAX} starts");
}

/// A row that exists already.
fn expected_row(expected: &[KeyValue]) -> Row {
    let (key, value) = expected[0].clone();
    Row { table: ROWS, key, value: Some(value) }
}

/// After damage was found, nothing is accepted any more, and the stop does not count as clean.
fn stops(what: &str, store: &EmbeddedStore, error: &StoreError) {
    assert!(matches!(error, StoreError::Index(_)), "{what}: {error}");
    assert!(store.failure().is_some_and(|why| why.contains("the next start rebuilds it")), "{what}");
    assert!(matches!(append(store, Vec::new()), Err(StoreError::Stopped(_))), "{what}: it goes on");
    assert!(store.close().is_err(), "{what}: a clean stop");
}

/// Files of the index are deleted, emptied, cut, overwritten or damaged, before a start or while the store works. Every
/// read is right or an error, the store stops at the first error, and a start or two later everything is there again.
pub fn check_damage<I: Index>(open_index: impl Fn(&Path) -> Result<I, IndexError>, scratch: &Path) {
    let sizes = Options { sync_bytes: 20_000, reserve_bytes: 0, segment_len_max: 1 << 20, ..Options::new([7; 32]) };
    // Each case works on a copy.
    let options = Options { placement: Placement::TakeOver, ..sizes };
    let open = |dir: &Path| EmbeddedStore::open(dir, &options, &open_index);
    let whole = scratch.join("whole");
    let store = open(&whole).expect("a new store");
    for round in 0..ROUNDS {
        append(&store, (0..ROWS_PER_ROUND).map(|number| row(round, number)).collect()).expect("appended");
    }
    let expected = read(&store).expect("read");
    store.close().expect("closed");
    drop(store);
    for (name, damage) in DAMAGES {
        for after_start in [false, true] {
            let what = format!("{name}, {}", if after_start { "while it works" } else { "before the start" });
            let dir = scratch.join("damaged");
            copy(&whole, &dir);
            if after_start {
                let store = open(&dir).expect("nothing is damaged yet");
                files(&dir.join("index")).iter().for_each(|path| damage(path));
                match read(&store) {
                    Ok(rows) => assert!(rows == expected, "{what}: {} rows of {}", rows.len(), expected.len()),
                    Err(error) => stops(&what, &store, &error),
                }
            } else {
                files(&dir.join("index")).iter().for_each(|path| damage(path));
            }
            recovers(&what, &open, &dir, &expected);
            fs::remove_dir_all(&dir).expect("removed");
        }
    }
}
