//! The tests that every index engine and every store must pass. Each function panics with what is wrong.
#![allow(clippy::missing_panics_doc)]

mod damage;
mod rebuild;

pub use damage::check_damage;
pub use rebuild::{check_flips, check_rebuild, check_rot};

use creditbank_protocol::hash::sha256;
use creditbank_protocol::merkle::{Frontier, leaf_hash};
use creditbank_protocol::{Digest, LogIndex};

use crate::{EntryWrite, Head, Index, Node, Round, Row, Store, StoreError, Table};

const ROWS: Table = Table(7);
const OTHER: Table = Table(8);

fn row(table: Table, key: &[u8], value: Option<&[u8]>) -> Row {
    Row { table, key: key.to_vec(), value: value.map(<[u8]>::to_vec) }
}

/// The contract of [`Index`].
pub fn check_index(index: &dyn Index) {
    let rows = [
        row(ROWS, b"b/2", Some(b"two")),
        row(ROWS, b"a", Some(b"")),
        row(ROWS, b"b/1", Some(b"one")),
        row(ROWS, b"c", Some(b"x")),
        row(ROWS, b"c", None),
        row(OTHER, b"b/3", Some(b"other table")),
        row(ROWS, &[0xff, 0xff], Some(b"high")),
    ];
    for _ in 0..2 {
        index.apply(&rows).expect("applied");
        index.sync().expect("synced");
        assert_eq!(index.get(ROWS, b"a").expect("read"), Some(Vec::new()), "an empty value is a value");
        assert_eq!(index.get(ROWS, b"c").expect("read"), None, "the last change of a key counts");
        assert_eq!(index.get(OTHER, b"a").expect("read"), None, "tables are apart");
        let keys = |prefix: &[u8], after: Option<&[u8]>, limit| -> Vec<Vec<u8>> {
            index.scan(ROWS, prefix, after, limit).expect("scanned").into_iter().map(|(key, _)| key).collect()
        };
        assert_eq!(keys(b"b/", None, 9), [b"b/1", b"b/2"]);
        assert_eq!(keys(b"b/", Some(b"b/1"), 9), [b"b/2"]);
        assert_eq!(keys(b"b/", Some(b"a"), 9), [b"b/1", b"b/2"], "an `after` before the prefix");
        assert_eq!(keys(b"b/", None, 1), [b"b/1"]);
        assert_eq!(keys(b"", None, 9), [&b"a"[..], b"b/1", b"b/2", &[0xff, 0xff]]);
        assert_eq!(keys(&[0xff], None, 9), [[0xff, 0xff]]);
    }
    index.clear().expect("cleared");
    assert_eq!(index.scan(ROWS, b"", None, 9).expect("scanned"), []);
}

/// A writer that makes rounds and remembers what must be read back.
struct Log {
    frontier: Frontier,
    head: Head,
    entries: Vec<EntryWrite>,
    nodes: Vec<Node>,
}

impl Log {
    fn new(store: &dyn Store) -> Self {
        let head = store.head();
        assert_eq!(head.size, 0, "a new store is empty");
        Self { frontier: Frontier::default(), head, entries: Vec::new(), nodes: Vec::new() }
    }

    /// The next round: two entries with bodies of different lengths, and rows that change with every round.
    fn round(&self) -> (Round, Frontier) {
        let first = self.entries.len();
        let mut frontier = self.frontier.clone();
        let mut nodes = Vec::new();
        let entries: Vec<EntryWrite> = (first..first + 2)
            .map(|number| EntryWrite {
                entry: format!("entry {number}").into_bytes(),
                bodies: (0..number % 4).map(|body| vec![u8::try_from(body).unwrap_or(0); 10 * body + 1]).collect(),
            })
            .collect();
        for entry in &entries {
            let completed = frontier.push(leaf_hash(&entry.entry));
            nodes.extend(completed.iter().map(|node| Node { level: node.level, index: node.index, hash: node.hash }));
        }
        let next = Head { size: frontier.size(), root: frontier.root(), ..self.head };
        let number = first.to_string();
        let rows = vec![
            row(ROWS, b"newest", Some(number.as_bytes())),
            row(ROWS, format!("entry/{first:04}").as_bytes(), Some(b"there")),
            row(ROWS, format!("gone/{first:04}").as_bytes(), Some(b"x")),
            row(ROWS, format!("gone/{first:04}").as_bytes(), None),
        ];
        (Round { base: self.head, next, entries, nodes, rows }, frontier)
    }

    fn append(&mut self, store: &dyn Store) {
        let (round, frontier) = self.round();
        store.append(&round).expect("appended");
        self.entries.extend(round.entries);
        self.nodes.extend(round.nodes);
        (self.head, self.frontier) = (round.next, frontier);
    }

    fn check(&self, store: &dyn Store) {
        assert_eq!(store.head(), self.head);
        for (index, written) in (0u64..).zip(&self.entries) {
            assert_eq!(store.entry(LogIndex(index)).expect("read"), written.entry);
            for (record, body) in (0u32..).zip(&written.bodies) {
                let at = LogIndex(index);
                assert_eq!(store.body(at, record).expect("read"), *body, "entry {index}, body {record}");
                assert_eq!(
                    store.body_len(at, record).expect("read"),
                    body.len() as u64,
                    "entry {index}, body {record}"
                );
                let half = body.len() / 2;
                let rest = store.body_part(at, record, half as u64, body.len() - half);
                assert_eq!(rest.expect("read"), body[half..], "entry {index}, body {record}");
                let beyond = store.body_part(at, record, half as u64, body.len() - half + 1);
                assert!(matches!(beyond, Err(StoreError::Missing { .. })), "entry {index}, body {record}");
            }
            let past = u32::try_from(written.bodies.len()).expect("few");
            assert!(matches!(store.body(LogIndex(index), past), Err(StoreError::Missing { .. })));
        }
        assert!(matches!(store.entry(LogIndex(self.head.size)), Err(StoreError::Missing { .. })));
        for node in &self.nodes {
            assert_eq!(store.node(node.level, node.index).expect("read"), node.hash);
        }
        if let Some(first) = self.entries.len().checked_sub(2) {
            let newest = store.get(ROWS, b"newest").expect("read");
            assert_eq!(newest, Some(first.to_string().into_bytes()), "the newest value is seen at once");
            let found = store.scan(ROWS, b"entry/", None, usize::MAX).expect("scanned");
            assert_eq!(found.len(), self.entries.len() / 2);
            assert!(found.is_sorted());
            assert_eq!(store.scan(ROWS, b"gone/", None, 9).expect("scanned"), []);
        }
    }
}

/// The contract of [`Store`] for one open store; `reopen` opens the same one again, where it outlives a process.
pub fn check_store<S: Store>(reopen: impl Fn() -> S, outlives: bool) {
    let mut store = reopen();
    let mut log = Log::new(&store);
    log.check(&store);
    for round in 0..40 {
        log.append(&store);
        log.check(&store);
        let (mut other, _) = log.round();
        other.base.size += 1;
        other.next.size += 1;
        assert!(matches!(store.append(&other), Err(StoreError::Conflict { .. })), "a round on another head");
        let private = Round {
            base: log.head,
            next: log.head,
            entries: Vec::new(),
            nodes: Vec::new(),
            rows: vec![row(OTHER, b"private", Some(&sha256(&[round]).0))],
        };
        store.append(&private).expect("a private round");
        let mut moved = private.clone();
        moved.next.root = Digest::ZERO;
        assert!(matches!(store.append(&moved), Err(StoreError::Round(_))), "a private round moves no head");
        if outlives && round % 7 == 3 {
            if round % 2 == 0 {
                store.close().expect("closed");
                assert!(matches!(store.append(&private), Err(StoreError::Stopped(_))), "closed means closed");
            }
            drop(store);
            store = reopen();
            log.check(&store);
            assert_eq!(store.get(OTHER, b"private").expect("read"), Some(sha256(&[round]).0.to_vec()));
        }
    }
}
