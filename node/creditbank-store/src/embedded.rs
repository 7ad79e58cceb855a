//! A store on one machine's disk: journal, guard, flat files, and an index that a thread, or its owner, keeps up to
//! date.

mod indexer;
mod open;
mod options;
mod position;
mod recover;
mod upkeep;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use creditbank_protocol::merkle::{empty_root, leaf_hash};
use creditbank_protocol::{Digest, LogIndex};

use crate::flat::{FlatFiles, Location};
use crate::guard::Guard;
use crate::journal::{FRAME_HEAD_LEN, Journal, Position, Readers};
use crate::round::{Section, SectionTable, table_len};
use crate::scrub::{self, ScrubPosition, Scrubbed};
use crate::{DirectoryLock, Disk, Head, KeyValue, Round, Store, StoreError, Table, file};
use indexer::{Job, Shared};
pub use options::Options;
use upkeep::Upkeep;

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
    /// What waits for room on the disk; `None` if there is room.
    held: Option<HeldJobs>,
    /// The bytes of the round that is being written. The memory is kept for the next one.
    payload: Vec<u8>,
    /// Why nothing more is appended: after a failure the state of the disk is unknown.
    failed: Option<String>,
}

impl Writer {
    /// Accepts nothing more, after a failure. A full disk, or a file that is not in its place, is not a failure:
    /// nothing was written.
    fn fail(&mut self, error: &StoreError) {
        match error {
            StoreError::Full { .. } | StoreError::Displaced { .. } => {}
            StoreError::Stopped(why) => self.failed = Some(why.clone()),
            error => self.failed = Some(error.to_string()),
        }
    }
}

/// Rounds that the index lacks. They wait for room on the disk, and are read from memory.
struct HeldJobs {
    jobs: Vec<Job>,
    /// The engine could not be opened: only the next start can continue.
    in_memory: bool,
}

/// The contents of the marker of a clean stop.
const CLEAN: &[u8] = b"stopped cleanly\n";

fn clean_marker(dir: &Path) -> PathBuf {
    dir.join("clean")
}

impl EmbeddedStore {
    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does the work for which the start had no room.
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

/// The head of a log without rounds.
fn first_head() -> Head {
    Head { epoch: 1, size: 0, root: empty_root() }
}

/// Where the entries of a round are, from the position of its frame and its sections.
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

/// Where a body is in the journal.
struct Body {
    segment: u64,
    start: u64,
    len: u64,
    crc: u32,
}

impl EmbeddedStore {
    /// Finds a body, by the table before its entry.
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
        // Once the journal may have the round, nothing may build on the head before it.
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
        // The start does not read older segments through: damage is found when they are read.
        let expected = self.flat.node(0, index.0)?;
        let found = leaf_hash(&entry);
        if found != expected {
            // Either may be damaged. Only the frame's checksum, over the whole round, would tell.
            let what = format!(
                "entry {index} has the hash {found}, its leaf in log/flat is {expected}: stop the node and run \
                 `creditbank-node reindex`; if that does not help, the journal is damaged: restore a backup"
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
        let (path, needed) = (self.dir.display().to_string(), self.reserve_bytes);
        self.writer().held.as_ref().map(|_| StoreError::Full { path, needed }.to_string())
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
        let last = self.writer().journal.end();
        let segments = self.readers.segments()?;
        // Behind the end of the last one is room that was set aside.
        let len = |(first, path): &(u64, PathBuf)| {
            if *first == last.segment { Ok(last.offset) } else { self.readers.len_of(path) }
        };
        segments.iter().map(len).sum()
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
        if writer.held.is_some() || writer.journal.is_deferred() {
            // The next start does the work for which this one had no room.
            return Ok(());
        }
        let marker = clean_marker(&self.dir);
        self.disk.replace(&marker, CLEAN).map_err(file::at(&marker))
    }
}

impl Drop for EmbeddedStore {
    /// Ends the index thread, so that nothing writes to the directory once its lock is released. This is not a clean
    /// stop.
    fn drop(&mut self) {
        let upkeep = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).upkeep.take();
        if let Some(Err(error)) = upkeep.map(Upkeep::abandon) {
            tracing::error!(%error, "the index could not be finished; the next start rebuilds it");
        }
    }
}
