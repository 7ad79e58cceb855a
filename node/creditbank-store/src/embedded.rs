//! A store on one machine's disk: journal, guard, flat files, and an index that a thread, or its owner, keeps up.

mod indexer;
mod position;
mod recover;
mod upkeep;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use creditbank_protocol::merkle::{empty_root, leaf_hash};
use creditbank_protocol::{Digest, LogIndex};

use crate::flat::{FlatFiles, Location};
use crate::guard::Guard;
use crate::journal::{Before, FRAME_HEAD_LEN, Journal, Position, Readers};
use crate::round::{Section, SectionTable, table_len};
use crate::scrub::{self, ScrubPosition, Scrubbed};
use crate::{DirectoryLock, Disk, Head, Index, KeyValue, Placement, RealDisk, Round, Store, StoreError, Table, file};
use indexer::{Indexer, Job, Shared};
use position::Durable;
use recover::{Found, Held, HeldRound};
use upkeep::{IndexThread, Steps, Upkeep};

/// How an embedded store behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the log is bound to: its genesis value.
    pub log: [u8; 32],
    /// Length of a segment, which gets all its room when it is made; longer only for a single round that needs it.
    pub segment_len_max: u64,
    /// Most rows that may wait for the index; an append waits when there are more. 0: each append waits for the index.
    pub queue_rows_max: usize,
    /// The index is synced and its position recorded after this many bytes of rounds.
    pub sync_bytes: u64,
    /// A round is refused when the disk has less left than this.
    pub reserve_bytes: u64,
    /// Where the files are.
    pub disk: Arc<dyn Disk>,
    /// Rounds are applied to the index by [`Store::step`], and not by a thread.
    pub stepped: bool,
    /// In which directory the log may be.
    pub placement: Placement,
}

impl Options {
    /// The defaults for the log with this genesis value.
    pub fn new(log: [u8; 32]) -> Self {
        Self {
            log,
            segment_len_max: 64 << 20,
            queue_rows_max: 500_000,
            sync_bytes: 64 << 20,
            reserve_bytes: crate::RESERVE_BYTES,
            disk: RealDisk::shared(),
            stepped: false,
            placement: Placement::Same,
        }
    }
}

/// A log in a directory.
pub struct EmbeddedStore {
    disk: Arc<dyn Disk>,
    reserve_bytes: u64,
    queue_rows_max: usize,
    dir: PathBuf,
    writer: Mutex<Writer>,
    head: RwLock<Head>,
    log: [u8; 32],
    flat: Arc<FlatFiles>,
    readers: Readers,
    shared: Arc<Shared>,
    _lock: DirectoryLock,
}

struct Writer {
    journal: Journal,
    guard: Guard,
    /// `None` once the store is closed.
    upkeep: Option<Upkeep>,
    /// What waits for room on the disk; `None` where there is room.
    held: Option<HeldJobs>,
    /// The bytes of the round that is written; kept for the next one.
    payload: Vec<u8>,
    /// Why nothing more is appended: after a failure it is uncertain what the disk holds.
    failed: Option<String>,
}

impl Writer {
    /// Takes nothing more, after a failure. A full disk, or a file that is not in its place, is none: nothing was written.
    fn fail(&mut self, error: &StoreError) {
        match error {
            StoreError::Full { .. } | StoreError::Displaced { .. } => {}
            StoreError::Stopped(why) => self.failed = Some(why.clone()),
            error => self.failed = Some(error.to_string()),
        }
    }
}

/// Rounds that the index lacks: they wait for room on the disk, and are read from memory.
struct HeldJobs {
    jobs: Vec<Job>,
    /// The engine could not be opened: only the next start can go on.
    in_memory: bool,
}

/// What the marker of a clean stop says.
const CLEAN: &[u8] = b"stopped cleanly\n";

fn clean_marker(dir: &Path) -> PathBuf {
    dir.join("clean")
}

impl EmbeddedStore {
    /// Opens or makes the log in `dir`. `index` opens the engine in a directory of its own; when it fails, that directory is
    /// deleted and the index rebuilt from the journal.
    pub fn open<I: Index>(
        dir: &Path,
        options: &Options,
        index: impl Fn(&Path) -> Result<I, crate::IndexError>,
    ) -> Result<Self, StoreError> {
        Self::open_telling(dir, options, index, &mut |_| {})
    }

    /// As [`Self::open`]; `replayed` is told the size of the log up to which a replay of the journal has come, after each round.
    pub fn open_telling<I: Index>(
        dir: &Path,
        options: &Options,
        index: impl Fn(&Path) -> Result<I, crate::IndexError>,
        replayed: &mut dyn FnMut(u64),
    ) -> Result<Self, StoreError> {
        let disk = &options.disk;
        disk.make_dir(dir).map_err(file::at(dir))?;
        let lock = disk.lock(dir)?;
        let marker = clean_marker(dir);
        let clean = disk.exists(&marker).map_err(file::at(&marker))?;
        // Of a marker that says something else nothing follows: the start does all that an unclean stop needs.
        let clean = clean && disk.read(&marker).map_err(file::at(&marker))? == CLEAN;
        let has_room = file::has_room(&**disk, dir, options.reserve_bytes)?;
        let guard = Guard::open(&**disk, dir, options.placement)?;
        let guarded = guard.state().map(|(sequence, _)| sequence);
        let open = |has_room| {
            let before = Before { guarded, clean, has_room };
            Journal::open(disk, &dir.join("journal"), options.log, options.segment_len_max, before)
        };
        // Somebody else may have taken the room in between: then there is none.
        let (journal, has_room) = match open(has_room) {
            Err(StoreError::Full { .. }) if has_room => (open(false)?, false),
            opened => (opened?, has_room),
        };
        check_present(&guard, journal.last_sequence(), dir)?;
        let flat = Arc::new(FlatFiles::open(disk, &dir.join("flat"))?);
        let recovered = recover::recover(dir, options, &journal, &flat, &index, Found { clean, has_room }, replayed)?;
        if clean {
            disk.remove(&marker).map_err(file::at(&marker))?;
            disk.sync_dir(dir).map_err(file::at(dir))?;
        }
        check_guard(&guard, recovered.head, journal.last_sequence(), dir)?;
        let readers = journal.readers();
        let shared = Arc::new(Shared::new(recovered.index, disk, dir));
        // What was replayed is applied and not durable: a clean stop says that all of it is, also when nothing follows.
        let replayed = Durable { sequence: journal.last_sequence(), size: recovered.head.size };
        let applied = if recovered.held.is_some() { recovered.durable } else { replayed };
        let held = recovered.held.map(|Held { rounds, in_memory }| {
            let job = |HeldRound { durable, rows, bytes }: HeldRound| {
                Job::new(shared.overlay(durable.sequence, &rows), durable.size, bytes)
            };
            HeldJobs { jobs: rounds.into_iter().map(job).collect(), in_memory }
        });
        let (durable, of_indexer) = (recovered.durable, Arc::clone(&flat));
        let indexer = Indexer::new(dir, options, Arc::clone(&shared), of_indexer, durable, applied);
        let mut writer = Writer { journal, guard, upkeep: None, held, payload: Vec::new(), failed: None };
        // A whole round that was written but not yet guarded counts: guard it before anything is built on it.
        let last = writer.journal.last_sequence();
        if last > 0 && guarded != Some(last) {
            writer.guard.persist(last, recovered.head)?;
        }
        writer.upkeep = Some(if options.stepped {
            Upkeep::Stepped(Steps::new(indexer, Arc::clone(&shared)))
        } else {
            Upkeep::Thread(IndexThread::start(indexer, Arc::clone(&shared)))
        });
        let head = RwLock::new(recovered.head);
        let disk = Arc::clone(disk);
        let Options { reserve_bytes, queue_rows_max, .. } = *options;
        Ok(Self {
            disk,
            reserve_bytes,
            queue_rows_max,
            dir: dir.to_owned(),
            writer: Mutex::new(writer),
            head,
            log: options.log,
            flat,
            readers,
            shared,
            _lock: lock,
        })
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what the start had no room for.
    fn catch_up(&self, writer: &mut Writer) -> Result<(), StoreError> {
        let Writer { upkeep: Some(upkeep), held, .. } = writer else { return Ok(()) };
        let Some(waiting) = held else { return Ok(()) };
        if waiting.in_memory {
            let why = "the disk has room again: start the node again, so that it can write its index";
            self.shared.fail(&StoreError::Stopped(why.to_owned()));
            return Err(StoreError::Stopped(why.to_owned()));
        }
        self.flat.release(self.head().size)?;
        for job in waiting.jobs.drain(..) {
            upkeep.send(job, self.queue_rows_max);
        }
        *held = None;
        tracing::info!("the disk has room again: the log is written again");
        Ok(())
    }

    fn location(&self, index: LogIndex) -> Result<Location, StoreError> {
        if index.0 >= self.head().size {
            return Err(StoreError::Missing { what: "entry", index: index.0 });
        }
        self.flat.location(index.0)
    }
}

/// A log without its guard could have lost its end without anybody seeing it. Only the very first round is guarded late.
fn check_present(guard: &Guard, last: u64, dir: &Path) -> Result<(), StoreError> {
    if guard.state().is_some() || last <= 1 {
        return Ok(());
    }
    let what = format!(
        "it is missing, empty, or nothing but zeros; the journal has {last} rounds: restore both from one backup"
    );
    Err(StoreError::Damaged { path: dir.join("guard").display().to_string(), offset: 0, what })
}

/// The guard knows the log's head, unless one whole round came after it.
fn check_guard(guard: &Guard, head: Head, last: u64, dir: &Path) -> Result<(), StoreError> {
    match guard.state() {
        Some((sequence, guarded)) if sequence == last && guarded != head => Err(StoreError::Damaged {
            path: dir.join("guard").display().to_string(),
            offset: 0,
            what: format!(
                "size {} with root {}, but the journal has size {} with root {}",
                guarded.size, guarded.root, head.size, head.root
            ),
        }),
        _ => Ok(()),
    }
}

/// The head of a log without rounds.
fn first_head() -> Head {
    Head { epoch: 1, size: 0, root: empty_root() }
}

/// Where the entries of a round lie, from the position of its frame and its sections.
pub(crate) fn locations(position: Position, sections: &[Section]) -> Vec<Location> {
    let payload = position.offset + FRAME_HEAD_LEN;
    let location = |section: &Section| Location {
        segment: position.segment,
        offset: payload + section.offset,
        entry_len: section.entry_len,
        bodies: section.bodies,
    };
    sections.iter().map(location).collect()
}

/// Up to which round, and which log size, index and flat files of the log in `dir` are certainly on the disk.
pub(crate) fn recorded_position(disk: &dyn Disk, dir: &Path) -> Option<(u64, u64)> {
    position::read(disk, dir).map(|durable| (durable.sequence, durable.size))
}

/// Where a body lies in the journal.
struct Body {
    segment: u64,
    start: u64,
    len: u64,
    crc: u32,
}

impl EmbeddedStore {
    /// Where a body lies, by the table in front of its entry.
    fn find_body(&self, index: LogIndex, record: u32) -> Result<Body, StoreError> {
        let missing = || StoreError::Missing { what: "record", index: record.into() };
        let Location { segment, offset, bodies, .. } = self.location(index)?;
        if record >= bodies {
            return Err(missing());
        }
        let bytes = self.readers.read(segment, offset, usize::try_from(table_len(bodies)).unwrap_or(usize::MAX))?;
        let table = SectionTable::read(index.0, &bytes)
            .map_err(|error| self.readers.damaged(segment, offset, format!("entry {index}: {error}")))?;
        let place = table.body(record).ok_or_else(missing)?;
        Ok(Body { segment, start: offset + place.start, len: place.len.into(), crc: place.crc })
    }
}

impl Store for EmbeddedStore {
    fn head(&self) -> Head {
        *self.head.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, round: &Round) -> Result<(), StoreError> {
        round.check().map_err(StoreError::Round)?;
        let mut writer = self.writer();
        if let Some(why) = &writer.failed {
            return Err(StoreError::Stopped(why.clone()));
        }
        if writer.held.is_some() {
            file::check_room(&*self.disk, &self.dir, self.reserve_bytes)?;
            self.catch_up(&mut writer).inspect_err(|error| writer.fail(error))?;
        }
        let Writer { journal, guard, upkeep, payload, .. } = &mut *writer;
        let upkeep = upkeep.as_mut().ok_or_else(|| StoreError::Stopped("it was closed".to_owned()))?;
        self.shared.healthy()?;
        let head = self.head();
        if round.base != head {
            return Err(StoreError::Conflict { expected: head, found: round.base });
        }
        file::check_room(&*self.disk, &self.dir, self.reserve_bytes)?;
        journal.check_in_place()?;
        guard.check_in_place()?;
        let sections = round.encode_into(payload);
        let written = journal.append(payload).and_then(|position| {
            guard.persist(journal.last_sequence(), round.next)?;
            self.flat.write(round.base.size, &locations(position, &sections), &round.nodes)
        });
        // Once the journal may have the round, nothing may be built on the head before it.
        if let Err(error) = written {
            writer.fail(&error);
            return Err(error);
        }
        let sequence = journal.last_sequence();
        let batch = self.shared.overlay(sequence, &round.rows);
        *self.head.write().unwrap_or_else(PoisonError::into_inner) = round.next;
        upkeep.send(Job::new(batch, round.next.size, payload.len() as u64), self.queue_rows_max);
        Ok(())
    }

    fn entry(&self, index: LogIndex) -> Result<Vec<u8>, StoreError> {
        let Location { segment, offset, entry_len, bodies } = self.location(index)?;
        let start = offset + table_len(bodies);
        let entry = self.readers.read(segment, start, usize::try_from(entry_len).unwrap_or(usize::MAX))?;
        // Older segments are not read through at the start: rot is found where it is read.
        let expected = self.flat.node(0, index.0)?;
        let found = leaf_hash(&entry);
        if found != expected {
            // Either may be rotten; only the frame's checksum, over the whole round, would tell.
            let what = format!(
                "entry {index} has the hash {found}, its leaf in log/flat is {expected}: stop the node and run \
                 `creditbank-node reindex`; if it says so still, the journal is damaged: restore a backup"
            );
            return Err(self.readers.damaged(segment, start, what));
        }
        Ok(entry)
    }

    fn body(&self, index: LogIndex, record: u32) -> Result<Vec<u8>, StoreError> {
        let Body { segment, start, len, crc } = self.find_body(index, record)?;
        let body = self.readers.read(segment, start, usize::try_from(len).unwrap_or(usize::MAX))?;
        if crc32c::crc32c(&body) != crc {
            let what = format!("body {record} of entry {index}: the checksum does not hold");
            return Err(self.readers.damaged(segment, start, what));
        }
        Ok(body)
    }

    fn body_len(&self, index: LogIndex, record: u32) -> Result<u64, StoreError> {
        Ok(self.find_body(index, record)?.len)
    }

    fn body_part(&self, index: LogIndex, record: u32, from: u64, len: usize) -> Result<Vec<u8>, StoreError> {
        let body = self.find_body(index, record)?;
        if from.saturating_add(len as u64) > body.len {
            return Err(StoreError::Missing { what: "part of a record", index: from });
        }
        self.readers.read(body.segment, body.start + from, len)
    }

    fn node(&self, level: u8, index: u64) -> Result<Digest, StoreError> {
        if level >= 64 || index >= self.head().size >> level {
            return Err(StoreError::Missing { what: "tree node", index });
        }
        self.flat.node(level, index)
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.shared.get(table, key)
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KeyValue>, StoreError> {
        self.shared.scan(table, prefix, after, limit)
    }

    fn failure(&self) -> Option<String> {
        self.shared.failure()
    }

    fn read_only(&self) -> Option<String> {
        let why = || {
            let dir = self.dir.display();
            format!("{dir} has less than {} bytes of room: nothing is written until it has", self.reserve_bytes)
        };
        self.writer().held.as_ref().map(|_| why())
    }

    fn look(&self) -> Result<(), StoreError> {
        let mut writer = self.writer();
        if writer.failed.is_some() || writer.upkeep.is_none() {
            return Ok(());
        }
        file::check_room(&*self.disk, &self.dir, self.reserve_bytes)?;
        writer.journal.check_in_place()?;
        writer.guard.check_in_place()?;
        self.catch_up(&mut writer).inspect_err(|error| writer.fail(error))
    }

    fn distrust_index(&self, why: &str) -> StoreError {
        self.shared.broken(crate::IndexError(why.to_owned()))
    }

    fn scrub(&self, from: ScrubPosition, len_max: u64) -> Result<Scrubbed, StoreError> {
        let until = self.writer().journal.last_sequence();
        let parts = scrub::Parts { readers: &self.readers, log: &self.log, flat: &self.flat, until };
        scrub::scrub(&parts, from, len_max, &|row| self.shared.get(row.table, &row.key))
    }

    fn scrub_len(&self) -> Result<u64, StoreError> {
        let segments = self.readers.segments()?;
        segments.iter().map(|(_, path)| self.readers.len_of(path)).sum()
    }

    fn step(&self) -> Result<bool, StoreError> {
        let mut writer = self.writer();
        writer.upkeep.as_mut().map_or(Ok(false), Upkeep::step)
    }

    fn close(&self) -> Result<(), StoreError> {
        let mut writer = self.writer();
        let Some(upkeep) = writer.upkeep.take() else {
            return Ok(());
        };
        upkeep.stop()?;
        if let Some(why) = &writer.failed {
            return Err(StoreError::Stopped(why.clone()));
        }
        writer.journal.close()?;
        if writer.held.is_some() {
            // The next start does what this one had no room for.
            return Ok(());
        }
        let marker = clean_marker(&self.dir);
        self.disk.replace(&marker, CLEAN).map_err(file::at(&marker))
    }
}

impl Drop for EmbeddedStore {
    /// Ends the index thread, so that nothing writes into the directory once its lock is released. Not a clean stop.
    fn drop(&mut self) {
        let upkeep = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).upkeep.take();
        if let Some(Err(error)) = upkeep.map(Upkeep::abandon) {
            tracing::error!(%error, "the index could not be finished; the next start rebuilds it");
        }
    }
}
