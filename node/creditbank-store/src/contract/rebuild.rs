//! The tests that every engine on a disk must pass when its directory is lost or damaged between two starts.

use std::fs;
use std::path::Path;

use super::check_store;
use super::damage::{change, files};
use crate::{EmbeddedStore, Index, IndexError, KeyValue, Options, Round, Row, Store, Table};

const ROWS: Table = Table(7);

/// A damage of one file's bytes.
type Damage = (&'static str, fn(&mut Vec<u8>));

fn rows(store: &EmbeddedStore) -> Vec<KeyValue> {
    store.scan(ROWS, b"", None, 10_000).expect("scanned")
}

/// The store on this engine keeps its contract across restarts, and an index that is deleted or overwritten is rebuilt.
pub fn check_rebuild<I: Index>(index: impl Fn(&Path) -> Result<I, IndexError>, dir: &Path) {
    let options = Options { segment_len_max: 2_000, sync_bytes: 3_000, ..Options::new([7; 32]) };
    let reopen = || EmbeddedStore::open(dir, &options, &index).expect("opened");
    check_store(reopen, true);

    let store = reopen();
    let before = rows(&store);
    drop(store);
    fs::remove_dir_all(dir.join("index")).expect("removed");
    let store = reopen();
    assert_eq!(rows(&store), before, "deleted");
    store.close().expect("closed");
    drop(store);
    files(&dir.join("index")).iter().for_each(|path| fs::write(path, b"garbage").expect("written"));
    assert_eq!(rows(&reopen()), before, "overwritten");
}

/// An index whose files are cut or damaged is noticed and rebuilt, and never ends the process.
pub fn check_rot<I: Index>(index: impl Fn(&Path) -> Result<I, IndexError>, dir: &Path) {
    let damages: [Damage; 2] = [
        ("cut", |bytes| bytes.truncate(bytes.len() / 2)),
        ("rotten", |bytes| bytes.iter_mut().step_by(997).for_each(|byte| *byte ^= 0x55)),
    ];
    for (name, damage) in damages {
        let dir = dir.join(name);
        let options = Options { segment_len_max: 200_000, sync_bytes: 3_000, ..Options::new([7; 32]) };
        let reopen = || EmbeddedStore::open(&dir, &options, &index).expect("opened");
        let store = reopen();
        for number in 0..2_000u32 {
            let row = Row { table: ROWS, key: number.to_be_bytes().to_vec(), value: Some(vec![7; 100]) };
            let head = store.head();
            let round = Round { base: head, next: head, entries: Vec::new(), nodes: Vec::new(), rows: vec![row] };
            store.append(&round).expect("appended");
        }
        let before = rows(&store);
        assert_eq!(before.len(), 2_000);
        store.close().expect("closed");
        drop(store);
        files(&dir.join("index")).iter().for_each(|path| change(path, damage));
        assert_eq!(rows(&reopen()), before, "{name}");
    }
}

/// Places of an index in which a bit is flipped.
const FLIPS: usize = 32;

/// One flipped bit anywhere in the engine's files never stops a store for good: after three starts all rows are there,
/// whatever a start, or a read after it, has met. No wrong row is read.
pub fn check_flips<I: Index>(index: impl Fn(&Path) -> Result<I, IndexError>, dir: &Path) {
    let options = Options { segment_len_max: 200_000, ..Options::new([7; 32]) };
    let open = || EmbeddedStore::open(dir, &options, &index);
    let store = open().expect("opened");
    for number in 0..200u32 {
        let row = |part: u32| Row {
            table: ROWS,
            key: [number.to_be_bytes(), part.to_be_bytes()].concat(),
            value: Some(vec![u8::try_from(number).expect("small"); 100]),
        };
        let head = store.head();
        let rows = (0..20).map(row).collect();
        let round = Round { base: head, next: head, entries: Vec::new(), nodes: Vec::new(), rows };
        store.append(&round).expect("appended");
    }
    let before = rows(&store);
    store.close().expect("closed");
    drop(store);
    for flip in 0..FLIPS {
        // The files as this start finds them: earlier flips have been repaired.
        let engine = files(&dir.join("index"));
        let path =
            engine.iter().max_by_key(|path| fs::read(path).map_or(0, |bytes| used(&bytes).len())).expect("a file");
        let bytes = fs::read(path).expect("read");
        let places = used(&bytes);
        let at = places[places.len() * flip / FLIPS];
        change(path, |bytes| bytes[at] ^= 1 << (flip % 8));
        let whole = (0..3).any(|_| {
            let Ok(store) = open() else { return false };
            let found = store.scan(ROWS, b"", None, 10_000);
            let Ok(found) = found else { return false };
            assert!(found.iter().all(|row| before.contains(row)), "flip {flip} at {at} of {}", path.display());
            if found != before {
                // Rows that an engine has silently lost are counted by their writer.
                store.distrust_index("rows are missing");
                return false;
            }
            store.close().is_ok()
        });
        assert!(whole, "flip {flip} at {at} of {}: not rebuilt after three starts", path.display());
    }
}

fn used(bytes: &[u8]) -> Vec<usize> {
    (0..bytes.len()).filter(|at| bytes[*at] != 0).collect()
}
