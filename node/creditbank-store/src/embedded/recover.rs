//! The start: what is certain is kept, and what is derived is brought up to date with the journal.

use std::path::Path;

use super::position::{self, Durable};
use super::{Options, first_head, locations};
use crate::flat::FlatFiles;
use crate::journal::Journal;
use crate::{Disk, Head, Index, IndexError, MemoryIndex, Round, Row, StoreError, file, row_sum};

/// Rows applied in one go during a replay.
const BATCH_ROWS: usize = 20_000;
/// Most bytes of rounds whose rows are held in memory, on a disk that has no room.
const HELD_BYTES_MAX: u64 = 1 << 30;

pub(super) struct Recovered {
    pub(super) head: Head,
    pub(super) index: Box<dyn Index>,
    pub(super) durable: Durable,
    /// What the index lacks until the disk has room.
    pub(super) held: Option<Held>,
}

/// Rounds that wait for room on the disk.
#[derive(Default)]
pub(super) struct Held {
    pub(super) rounds: Vec<HeldRound>,
    /// The engine could not be opened: the index is in memory, and the next start has to open the engine.
    pub(super) in_memory: bool,
}

/// The rows of a round.
pub(super) struct HeldRound {
    pub(super) durable: Durable,
    pub(super) rows: Vec<Row>,
    pub(super) bytes: u64,
}

/// The state in which a log is found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// The last stop was clean.
    pub(super) clean: bool,
    /// The disk has room. Otherwise nothing is written.
    pub(super) has_room: bool,
}

/// Opens the index and replays what it may lack.
pub(super) fn recover<I: Index>(
    dir: &Path,
    options: &Options,
    journal: &Journal,
    flat: &FlatFiles,
    open: &impl Fn(&Path) -> Result<I, IndexError>,
    found: Found,
    told: &mut dyn FnMut(u64),
) -> Result<Recovered, StoreError> {
    recover_from(dir, options, journal, flat, open, found, told).inspect_err(|error| {
        // An engine that fails during this replay would do so at each start.
        if matches!(error, StoreError::Index(_))
            && found.has_room
            && let Err(error) = position::forget(&*options.disk, dir)
        {
            tracing::error!(%error, "the index is damaged, and its position is still there: delete it before the next start");
        }
    })
}

fn recover_from<I: Index>(
    dir: &Path,
    options: &Options,
    journal: &Journal,
    flat: &FlatFiles,
    open: &impl Fn(&Path) -> Result<I, IndexError>,
    Found { clean, has_room }: Found,
    told: &mut dyn FnMut(u64),
) -> Result<Recovered, StoreError> {
    let last = journal.last_sequence();
    let disk = &*options.disk;
    let mut recorded = position::read(disk, dir).filter(|at| at.sequence <= last);
    if let Some(Durable { size, .. }) = recorded
        && !flat.holds(size)?
    {
        tracing::warn!("the flat files are shorter than recorded: rebuilding everything from the journal");
        recorded = None;
    }
    let (index, durable): (Box<dyn Index>, _) = if has_room {
        let (index, durable) = open_index(disk, dir, open, recorded)?;
        (Box::new(index), Some(durable))
    } else {
        open_as_it_is(dir, open, recorded)
    };
    let mut held = (!has_room).then(|| Held { in_memory: durable.is_none(), ..Held::default() });
    let certain = durable.unwrap_or_default();
    if clean && certain.sequence == last && certain.sequence > 0 {
        tracing::debug!("clean stop: nothing to replay");
    }
    if has_room {
        flat.truncate(certain.size)?;
    } else {
        flat.hold();
    }
    // The head after the last certain round is in that round, so the replay begins with it.
    let mut head = first_head();
    let mut rows = Vec::new();
    let (mut replayed, mut held_bytes) = (0u64, 0u64);
    journal.readers().replay(&options.log, certain.sequence.max(1)..=last, |sequence, position, payload| {
        let damaged = |what: String| StoreError::Damaged {
            path: journal.readers().path(position.segment).display().to_string(),
            offset: position.offset,
            what: format!("round {sequence}: {what}"),
        };
        let (round, sections) = Round::decode(payload).map_err(|error| damaged(error.to_string()))?;
        let first = sequence == certain.sequence || sequence == 1;
        if !first && round.base != head {
            return Err(damaged(format!(
                "it builds on size {}, the round before ends at {}",
                round.base.size, head.size
            )));
        }
        head = round.next;
        if sequence <= certain.sequence {
            return Ok(());
        }
        flat.write(round.base.size, &locations(position, &sections), &round.nodes)?;
        replayed += 1;
        told(head.size);
        match &mut held {
            Some(held) if !held.in_memory => {
                let (durable, bytes) = (Durable { sequence, size: head.size }, payload.len() as u64);
                held.rounds.push(HeldRound { durable, rows: round.rows, bytes });
            }
            _ => rows.extend(round.rows.iter().map(row_sum::with_sum)),
        }
        held_bytes += if has_room { 0 } else { payload.len() as u64 };
        if held_bytes > HELD_BYTES_MAX {
            return Err(StoreError::Full { path: dir.display().to_string(), needed: options.reserve_bytes });
        }
        if rows.len() >= BATCH_ROWS {
            index.apply(&rows)?;
            rows.clear();
        }
        Ok(())
    })?;
    index.apply(&rows)?;
    if replayed > 0 {
        tracing::info!(rounds = replayed, "replayed the journal into the index");
    }
    Ok(Recovered { head, index, durable: certain, held })
}

/// Opens the engine on a disk without room. Nothing of it is changed; if it cannot be used as it is, the index is made
/// in memory.
fn open_as_it_is<I: Index>(
    dir: &Path,
    open: &impl Fn(&Path) -> Result<I, IndexError>,
    recorded: Option<Durable>,
) -> (Box<dyn Index>, Option<Durable>) {
    let opened = recorded.and_then(|durable| {
        let index = open(&dir.join("index")).inspect_err(|error| tracing::warn!(%error, "the index does not open"));
        let index = index.ok()?;
        position::is_marked(&index, durable).is_ok_and(|is_marked| is_marked).then_some((index, durable))
    });
    match opened {
        Some((index, durable)) => (Box::new(index), Some(durable)),
        None => (Box::new(MemoryIndex::default()), None),
    }
}

/// Opens the engine. If it is broken, or does not hold what was recorded, it is deleted and begun anew, because the
/// journal has everything. Its files are never reused: if they are damaged, removing their contents fails too.
fn open_index<I: Index>(
    disk: &dyn Disk,
    dir: &Path,
    open: &impl Fn(&Path) -> Result<I, IndexError>,
    recorded: Option<Durable>,
) -> Result<(I, Durable), StoreError> {
    let path = dir.join("index");
    let existed = disk.exists(&path).map_err(file::at(&path))?;
    let marked = |index: &I| recorded.map_or(Ok(false), |durable| position::is_marked(index, durable));
    let opened = open(&path).and_then(|index| marked(&index).map(|is_marked| (index, is_marked)));
    match (opened, recorded) {
        (Ok((index, true)), Some(durable)) => return Ok((index, durable)),
        (Ok(_), _) if existed => {
            tracing::warn!("the index does not hold what was recorded: rebuilding it from the journal");
        }
        (Ok(_), _) => {}
        (Err(error), _) => tracing::warn!(%error, "the index is damaged: rebuilding it from the journal"),
    }
    position::forget(disk, dir)?;
    disk.remove_dir(&path).map_err(file::at(&path))?;
    let index = open(&path)?;
    index.clear()?;
    Ok((index, Durable::default()))
}
