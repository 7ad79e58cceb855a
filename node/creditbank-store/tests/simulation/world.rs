//! One seeded run: a machine that is killed, cut off and started again, and everything that it has promised.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use creditbank_protocol::AccountId;
use creditbank_protocol::Digest;
use creditbank_protocol::merkle::{Frontier, leaf_hash};
use creditbank_store::{
    Crash, Disk, EmbeddedStore, EntryWrite, FaultRates, Head, KeyStore, KeyStoreError, Known, Node, Options, Random,
    Round, Row, SimulatedDisk, Store as _, StoreError, Table,
};

use crate::index::ModelIndex;

const LOG: &str = "/machine/log";
const KEYS: &str = "/machine/learners.keys";
const MASTER: [u8; 32] = [3; 32];
const RESERVE: u64 = 2_000;
const ROWS: Table = Table(1);
const KEY_COUNT: &[u8] = b"keys";

/// How often each thing has happened, over all runs.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) appended: u64,
    pub(crate) failed: u64,
    pub(crate) full: u64,
    pub(crate) kills: u64,
    pub(crate) power_cuts: u64,
    pub(crate) clean_stops: u64,
    pub(crate) failed_starts: u64,
    pub(crate) unacknowledged_kept: u64,
    pub(crate) keys: u64,
    pub(crate) erased: u64,
    pub(crate) damages_refused: u64,
    pub(crate) damages_harmless: u64,
}

/// A round that was appended, or may have been.
#[derive(Clone)]
struct Written {
    round: Round,
    frontier: Frontier,
    keys: u64,
}

pub(crate) struct World {
    random: Random,
    disk: SimulatedDisk,
    files: Arc<dyn Disk>,
    index: ModelIndex,
    options: Options,
    fill: Random,
    /// The rounds that append has returned for.
    rounds: Vec<Written>,
    /// A round whose outcome is not known.
    uncertain: Option<Written>,
    keys: BTreeMap<AccountId, [u8; 32]>,
    /// Accounts whose keys may or may not be there.
    uncertain_keys: BTreeSet<AccountId>,
    erased: BTreeSet<AccountId>,
    next: u64,
    pub(crate) seen: Seen,
}

struct Open {
    store: EmbeddedStore,
    keys: KeyStore,
}

fn fill(random: &mut Random) -> impl FnMut(&mut [u8]) + '_ {
    move |bytes| {
        for chunk in bytes.chunks_mut(8) {
            let word = random.below(u64::MAX).to_be_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let disk = SimulatedDisk::new(seed, 1 << 30);
        let mut random = Random::new(seed ^ 0x5eed);
        let options = Options {
            segment_len_max: 1_000 + random.below(12_000),
            sync_bytes: random.below(6_000),
            queue_rows_max: 0,
            reserve_bytes: RESERVE,
            disk: disk.shared(),
            ..Options::new([7; 32])
        };
        Self {
            random,
            files: disk.shared(),
            disk,
            index: ModelIndex::new(seed ^ 1),
            options,
            fill: Random::new(seed ^ 2),
            rounds: Vec::new(),
            uncertain: None,
            keys: BTreeMap::new(),
            uncertain_keys: BTreeSet::new(),
            erased: BTreeSet::new(),
            next: 0,
            seen: Seen::default(),
        }
    }

    pub(crate) fn run(&mut self) {
        for _ in 0..2 + self.random.below(5) {
            let open = self.start();
            self.life(&open);
            let crash = if self.random.chance(500) { Crash::Kill } else { Crash::PowerCut };
            if !self.disk.is_down() && self.random.chance(300) {
                self.disk.set_rates(FaultRates::default());
                self.index.0.lock().unwrap().fails = 0;
                // After a failure it refuses to call the stop clean.
                self.seen.clean_stops += u64::from(open.store.close().is_ok());
                self.disk.crash_in(Some(0));
                drop(open);
                // A clean stop may be followed by a power cut as well.
                self.restart(crash);
            } else {
                self.disk.crash_in(Some(0));
                drop(open);
                self.restart(crash);
            }
        }
        let open = self.start();
        drop(open);
        self.restart(Crash::Kill);
        self.rot();
    }

    fn restart(&mut self, crash: Crash) {
        match crash {
            Crash::Kill => self.seen.kills += 1,
            Crash::PowerCut => self.seen.power_cuts += 1,
        }
        self.disk.restart(crash);
        self.index.restart(crash);
        self.disk.set_room(1 << 20);
        if self.random.chance(30) {
            self.index.0.lock().unwrap().damaged = true;
        }
    }

    fn open(&mut self) -> Result<Open, String> {
        let index = self.index.clone();
        let store = EmbeddedStore::open(Path::new(LOG), &self.options, |_: &Path| index.open());
        let store = store.map_err(|error| error.to_string())?;
        let needed = store.get(ROWS, KEY_COUNT).map_err(|error| error.to_string())?;
        let needed = needed.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().expect("eight bytes")));
        let mut fill = fill(&mut self.fill);
        let keys = KeyStore::open(&self.files, RESERVE, Path::new(KEYS), &MASTER, needed, &mut fill);
        Ok(Open { store, keys: keys.map_err(|error| error.to_string())? })
    }

    /// Starts the machine: first with faults perhaps, then without; that start must succeed, and find all that was promised.
    fn start(&mut self) -> Open {
        while self.random.chance(250) {
            self.faults();
            match self.open() {
                Ok(open) => {
                    // What it serves now must be true.
                    self.calm();
                    if !self.disk.is_down() {
                        self.check(&open);
                        return open;
                    }
                    drop(open);
                }
                Err(said) => {
                    self.seen.failed_starts += 1;
                    assert!(said.contains("/machine/") || said.contains("index"), "the error names no file: {said}");
                }
            }
            let crash = if self.random.chance(500) { Crash::Kill } else { Crash::PowerCut };
            self.restart(crash);
        }
        self.calm();
        let mut opened = self.open();
        while opened.as_ref().is_err_and(|said| said.contains("it read differently a second time")) {
            opened = self.open();
        }
        let open = opened.unwrap_or_else(|error| panic!("the start refuses what it should recover: {error}"));
        self.check(&open);
        open
    }

    fn calm(&mut self) {
        self.disk.set_rates(FaultRates::default());
        self.index.0.lock().unwrap().fails = 0;
        self.disk.crash_in(None);
    }

    /// Some kinds of faults, and perhaps a crash.
    fn faults(&mut self) {
        let mut rate = |often: u64, most: u64| {
            if self.random.chance(often) { self.random.below(most) } else { 0 }
        };
        let rates = FaultRates {
            write: rate(300, 60),
            full: rate(300, 60),
            sync: rate(400, 100),
            name: rate(200, 100),
            read: rate(150, 40),
        };
        self.index.0.lock().unwrap().fails = rate(150, 60);
        self.disk.set_rates(rates);
        let crash = self.random.chance(500).then(|| self.random.below(80));
        self.disk.crash_in(crash);
    }

    /// One run of the process.
    fn life(&mut self, open: &Open) {
        if self.random.chance(800) {
            self.faults();
        }
        for _ in 0..self.random.below(24) {
            if self.disk.is_down() {
                return;
            }
            let done = match self.random.below(10) {
                0..=5 => self.append(open, false),
                6 => self.append(open, true),
                7 => self.insert(open),
                8 if self.random.chance(300) => self.erase(open),
                8 => self.squeeze(open),
                _ => {
                    self.read_one(open);
                    Ok(())
                }
            };
            if done.is_err() {
                return;
            }
        }
    }

    /// The round after the last one: entries of any length, or rows only.
    fn next_round(&mut self, store: &EmbeddedStore, private: bool, keys: u64) -> Written {
        self.next += 1;
        let base = store.head();
        let mut frontier = self.rounds.last().map_or_else(Frontier::default, |last| last.frontier.clone());
        assert_eq!(base.size, frontier.size());
        let mut entries = Vec::new();
        let mut nodes = Vec::new();
        for number in 0..if private { 0 } else { 1 + self.random.below(3) } {
            let long = if self.random.chance(100) { 15_000 } else { 500 };
            let mut bytes = |most: u64| {
                let mut bytes = vec![0; usize::try_from(self.random.below(most)).unwrap()];
                fill(&mut self.random)(&mut bytes);
                bytes
            };
            let entry = [format!("{}/{number}/", self.next).into_bytes(), bytes(100)].concat();
            entries.push(EntryWrite { entry, bodies: vec![bytes(long), bytes(100)] });
            let completed = frontier.push(leaf_hash(&entries.last().unwrap().entry));
            nodes.extend(completed.iter().map(|n| Node { level: n.level, index: n.index, hash: n.hash }));
        }
        let value = |number: u64| Some(number.to_be_bytes().to_vec());
        let rows = vec![
            Row { table: ROWS, key: b"newest".to_vec(), value: value(self.next) },
            Row { table: ROWS, key: format!("round/{}", self.next).into_bytes(), value: value(base.size) },
            Row { table: ROWS, key: KEY_COUNT.to_vec(), value: value(keys) },
        ];
        let root = if private { base.root } else { frontier.root() };
        let next = Head { size: frontier.size(), root, ..base };
        Written { round: Round { base, next, entries, nodes, rows }, frontier, keys }
    }

    fn append(&mut self, open: &Open, private: bool) -> Result<(), ()> {
        let written = self.next_round(&open.store, private, open.keys.len() as u64);
        let before = open.store.head();
        match open.store.append(&written.round) {
            Ok(()) => {
                assert_eq!(open.store.head(), written.round.next);
                self.seen.appended += 1;
                self.rounds.push(written);
                Ok(())
            }
            Err(StoreError::Full { .. }) => {
                assert_eq!(open.store.head(), before, "a full disk changes nothing");
                self.seen.full += 1;
                Ok(())
            }
            Err(StoreError::Conflict { .. } | StoreError::Round(_)) => panic!("a good round was refused"),
            Err(error) => {
                self.seen.failed += 1;
                // Refused before anything was tried: the index had failed with an earlier round.
                if !matches!(error, StoreError::Stopped(_)) {
                    self.uncertain = Some(written.clone());
                }
                if !self.disk.is_down() && !said_by_statvfs(&error) {
                    self.calm();
                    let again = open.store.append(&written.round);
                    assert!(again.is_err(), "after a failure ({error}) it accepts more");
                    assert!(!matches!(again, Err(StoreError::Full { .. })), "a failure is no full disk");
                }
                Err(())
            }
        }
    }

    fn insert(&mut self, open: &Open) -> Result<(), ()> {
        let most = if self.random.chance(100) { 60 } else { 4 };
        let accounts: Vec<AccountId> = (0..=self.random.below(most)).map(|_| self.account()).collect();
        let inserted = open.keys.insert(&accounts, &mut fill(&mut self.fill));
        match inserted {
            Ok(()) => {
                for account in &accounts {
                    let key = open.keys.get(account).expect("it was inserted");
                    self.keys.insert(*account, *key.as_bytes());
                }
                self.seen.keys += accounts.len() as u64;
                self.append(open, true)
            }
            Err(error) => {
                self.uncertain_keys.extend(accounts);
                self.key_failure(open, &error)
            }
        }
    }

    fn account(&mut self) -> AccountId {
        let mut account = [0; 16];
        fill(&mut self.random)(&mut account);
        AccountId(account)
    }

    fn key_failure(&mut self, open: &Open, error: &KeyStoreError) -> Result<(), ()> {
        if matches!(error, KeyStoreError::File(StoreError::Full { .. })) {
            self.seen.full += 1;
            return Ok(());
        }
        self.seen.failed += 1;
        if !self.disk.is_down() {
            self.calm();
            let account = self.account();
            let again = open.keys.insert(&[account], &mut fill(&mut self.fill));
            assert!(again.is_err(), "after a failure ({error}) the key store accepts more");
            let again = open.keys.erase(&account, &mut fill(&mut self.fill));
            assert!(again.is_err(), "after a failure ({error}) the key store erases");
        }
        Err(())
    }

    /// A tombstone stays: the log needs as many records as before.
    fn erase(&mut self, open: &Open) -> Result<(), ()> {
        let nth = usize::try_from(self.random.below(self.keys.len() as u64 + 1)).unwrap();
        let Some(account) = self.keys.keys().nth(nth).copied() else { return Ok(()) };
        let erased = open.keys.erase(&account, &mut fill(&mut self.fill));
        match erased {
            Ok(()) => {
                self.seen.erased += 1;
                self.keys.remove(&account);
                self.erased.insert(account);
                Ok(())
            }
            Err(error) => {
                if !matches!(error, KeyStoreError::File(StoreError::Full { .. })) {
                    self.keys.remove(&account);
                    self.uncertain_keys.insert(account);
                }
                self.key_failure(open, &error)
            }
        }
    }

    /// The disk is full for a while.
    fn squeeze(&mut self, open: &Open) -> Result<(), ()> {
        let room = self.random.below(2 * RESERVE);
        self.disk.set_room(room);
        let mut outcome = Ok(());
        for _ in 0..self.random.below(5) {
            outcome = outcome.and_then(|()| self.append(open, false));
        }
        self.disk.set_room(1 << 20);
        outcome
    }

    fn read_one(&mut self, open: &Open) {
        let entries: Vec<&EntryWrite> = self.rounds.iter().flat_map(|written| &written.round.entries).collect();
        if entries.is_empty() {
            return;
        }
        let index = self.random.below(entries.len() as u64);
        match open.store.entry(index.into()) {
            Ok(bytes) => assert_eq!(bytes, entries[usize::try_from(index).unwrap()].entry),
            Err(error) => assert!(error.to_string().contains(LOG), "{error}"),
        }
    }

    /// Everything that was promised is there, and nothing else but one round and some keys that were under way.
    fn check(&mut self, open: &Open) {
        let head = open.store.head();
        let promised = self.rounds.last().map(|written| written.round.next);
        if let Some(uncertain) = self.uncertain.take() {
            let newest = Some(uncertain.round.rows[0].value.clone().unwrap());
            if open.store.get(ROWS, b"newest").unwrap() == newest {
                assert_eq!(head, uncertain.round.next, "a round is there as a whole or not at all");
                self.seen.unacknowledged_kept += 1;
                self.rounds.push(uncertain);
            } else {
                assert!(promised.is_none_or(|promised| promised == head), "half a round is there");
            }
        } else if let Some(promised) = promised {
            assert_eq!(head, promised, "the head contradicts what was acknowledged");
        } else {
            assert_eq!(head.size, 0);
        }
        let mut index = 0;
        for Written { round, .. } in &self.rounds {
            for EntryWrite { entry, bodies } in &round.entries {
                assert_eq!(open.store.entry(index.into()).expect("an acknowledged entry"), *entry);
                for (record, body) in (0u32..).zip(bodies) {
                    assert_eq!(open.store.body(index.into(), record).expect("an acknowledged body"), *body);
                }
                index += 1;
            }
            let row = &round.rows[1];
            assert_eq!(open.store.get(ROWS, &row.key).unwrap(), row.value, "a row of an acknowledged round");
            for node in &round.nodes {
                assert_eq!(open.store.node(node.level, node.index).expect("a tree node"), node.hash);
            }
        }
        if let Some(last) = self.rounds.last() {
            let newest = open.store.get(ROWS, b"newest").unwrap();
            assert_eq!(newest, last.round.rows[0].value, "the newest value of a row");
            let restored: Result<Frontier, StoreError> =
                Frontier::restore(head.size, |level, index| -> Result<Digest, _> { open.store.node(level, index) });
            assert_eq!(restored.expect("the tree").root(), head.root);
            assert!(open.keys.len() as u64 >= last.keys, "the log needs more keys than there are");
        }
        for (account, key) in &self.keys {
            let found = open.keys.get(account).expect("a key that was durable is lost");
            assert_eq!(found.as_bytes(), key, "a learner's key has changed");
        }
        let is_erased = |account: &AccountId| matches!(open.keys.known(account), Known::Erased);
        assert!(self.erased.iter().all(is_erased), "an erased key is back, or its tombstone is gone");
        // Those under way are known now.
        for account in std::mem::take(&mut self.uncertain_keys) {
            match open.keys.known(&account) {
                Known::Key(key) => drop(self.keys.insert(account, *key.as_bytes())),
                Known::Erased => drop(self.erased.insert(account)),
                Known::Unknown => {}
            }
        }
        assert_eq!(open.keys.len(), self.keys.len() + self.erased.len(), "a key that nobody made");
    }

    /// A bit flips somewhere: the start refuses and names the file, or what it reads is right, or says where it is not.
    fn rot(&mut self) {
        let truth: Vec<PathBuf> = self.disk.files().into_iter().filter(|path| is_truth(path)).collect();
        let path = truth[usize::try_from(self.random.below(truth.len() as u64)).unwrap()].clone();
        let mut place = (0, 0);
        self.disk.damage(&path, |bytes| {
            if !bytes.is_empty() {
                place = (usize::try_from(self.random.below(bytes.len() as u64)).unwrap(), self.random.below(8));
                bytes[place.0] ^= 1 << place.1;
            }
        });
        match self.open() {
            Err(said) => {
                self.seen.damages_refused += 1;
                assert!(said.contains("/machine/"), "the error names no file: {said}");
                // No checksum tells another master key from a rotten header: both name the file.
                assert!(said.contains(" at ") || said.contains("master key"), "the error names no place: {said}");
            }
            Ok(open) => {
                self.seen.damages_harmless += 1;
                let entries = self.rounds.iter().flat_map(|written| &written.round.entries);
                for (index, written) in (0..).zip(entries) {
                    let place = || format!("rot at {place:?} of {} is served", path.display());
                    match open.store.entry(index.into()) {
                        Ok(bytes) => assert_eq!(bytes, written.entry, "{}", place()),
                        Err(error) => assert!(error.to_string().contains("damaged at"), "{error}"),
                    }
                    for (position, body) in (0..).zip(&written.bodies) {
                        match open.store.body(index.into(), position) {
                            Ok(bytes) => assert_eq!(bytes, *body, "{}", place()),
                            Err(error) => assert!(error.to_string().contains("damaged at"), "{error}"),
                        }
                    }
                }
                for (account, key) in &self.keys {
                    let found = open.keys.get(account);
                    assert!(found.is_none_or(|found| found.as_bytes() == key), "a rotten key is served");
                }
            }
        }
    }
}

/// The question how much room there is touches nothing.
fn said_by_statvfs(error: &StoreError) -> bool {
    matches!(error, StoreError::File { path, .. } if path == LOG)
}

fn is_truth(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name == "guard" || name == "learners.keys" || name.ends_with(".seg")
}
