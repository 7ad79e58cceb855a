//! Opens a log in a directory: journal, guard and index must fit together.

use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};

use super::indexer::{Indexer, Job, Shared};
use super::position::Durable;
use super::recover::{self, Found, Held, HeldRound};
use super::upkeep::{IndexThread, Steps, Upkeep};
use super::{CLEAN, EmbeddedStore, HeldJobs, Options, Writer, clean_marker};
use crate::flat::FlatFiles;
use crate::guard::Guard;
use crate::journal::{Before, Journal};
use crate::{Head, Index, StoreError, file};
use creditbank_protocol::counted;

impl EmbeddedStore {
    /// Opens or makes the log in `dir`. `index` opens the engine in a separate directory; if it fails, that directory
    /// is deleted and the index rebuilt from the journal.
    pub fn open<I: Index>(
        dir: &Path,
        options: &Options,
        index: impl Fn(&Path) -> Result<I, crate::IndexError>,
    ) -> Result<Self, StoreError> {
        Self::open_telling(dir, options, index, &mut |_| {})
    }

    /// As [`Self::open`]; after each replayed round, `replayed` gets the size of the log up to there.
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
        // A marker with other contents means nothing: the start does everything that an unclean stop needs.
        let clean = clean && disk.read(&marker).map_err(file::at(&marker))? == CLEAN;
        let has_room = file::has_room(&**disk, dir, options.reserve_bytes)?;
        let guard = Guard::open(&**disk, dir, options.placement)?;
        let guarded = guard.state().map(|(sequence, _)| sequence);
        let open = |has_room| {
            let before = Before { guarded, clean, has_room };
            Journal::open(disk, &dir.join("journal"), options.log, options.segment_len_max, before)
        };
        // Somebody else may have taken the room in the meantime: then there is none.
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
        // The replayed rounds are applied but not durable. A clean stop says that everything is durable, even if
        // nothing follows.
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
        // A complete round that was written but not yet guarded counts: guard it before anything builds on it.
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
}

/// A log without its guard could have lost its end without anybody noticing. Only the very first round is guarded late.
fn check_present(guard: &Guard, last: u64, dir: &Path) -> Result<(), StoreError> {
    if guard.state().is_some() || last <= 1 {
        return Ok(());
    }
    let what =
        format!("it is missing, empty, or nothing but zeros; the journal has {}", counted(last, "round", "rounds"));
    Err(StoreError::Damaged { path: dir.join("guard").display().to_string(), offset: 0, what })
}

/// The guard knows the log's head, unless one complete round came after it.
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
