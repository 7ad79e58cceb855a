//! The start: what is certain is kept, what is derived is brought up to the journal.

use std::path::Path;

use super::position::{self, Durable};
use super::{Options, first_head, locations};
use crate::flat::FlatFiles;
use crate::journal::Journal;
use crate::{Disk, Head, Index, IndexError, Round, StoreError, file};

/// Rows applied in one go during a replay.
const BATCH_ROWS: usize = 20_000;

pub(super) struct Recovered<I> {
    pub(super) head: Head,
    pub(super) index: I,
    pub(super) durable: Durable,
}

/// Opens the index and replays what it may lack.
pub(super) fn recover<I: Index>(
    dir: &Path,
    options: &Options,
    journal: &Journal,
    flat: &FlatFiles,
    open: &impl Fn(&Path) -> Result<I, IndexError>,
    clean: bool,
    told: &mut dyn FnMut(u64),
) -> Result<Recovered<I>, StoreError> {
    let recorded = position::read(&*options.disk, dir).filter(|at| at.sequence <= journal.last_sequence());
    let disk = &*options.disk;
    let (index, mut durable) = open_index(disk, dir, open, recorded)?;
    if !flat.holds(durable.size)? {
        tracing::warn!("the flat files are shorter than recorded: rebuilding everything from the journal");
        position::forget(disk, dir)?;
        index.clear()?;
        durable = Durable::default();
    }
    if clean && durable.sequence == journal.last_sequence() && durable.sequence > 0 {
        tracing::debug!("clean stop: nothing to replay");
    }
    flat.truncate(durable.size)?;
    // The head after the last certain round is in that round: replay from it on.
    let mut head = first_head();
    let mut rows = Vec::new();
    let mut replayed = 0u64;
    journal.readers().replay(&options.log, durable.sequence.max(1), |sequence, position, payload| {
        let damaged = |what: String| StoreError::Damaged {
            path: dir.join("journal").display().to_string(),
            offset: position.offset,
            what: format!("round {sequence}: {what}"),
        };
        let (round, sections) = Round::decode(payload).map_err(|error| damaged(error.to_string()))?;
        let first = sequence == durable.sequence || sequence == 1;
        if !first && round.base != head {
            return Err(damaged(format!(
                "it builds on size {}, the round before ends at {}",
                round.base.size, head.size
            )));
        }
        head = round.next;
        if sequence > durable.sequence {
            flat.write(round.base.size, &locations(position, &sections), &round.nodes)?;
            rows.extend(round.rows);
            replayed += 1;
            told(head.size);
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
    Ok(Recovered { head, index, durable })
}

/// Opens the engine; a broken one is deleted and begun anew, as the journal has everything.
fn open_index<I: Index>(
    disk: &dyn Disk,
    dir: &Path,
    open: &impl Fn(&Path) -> Result<I, IndexError>,
    recorded: Option<Durable>,
) -> Result<(I, Durable), StoreError> {
    let path = dir.join("index");
    let existed = disk.exists(&path).map_err(file::at(&path))?;
    let usable = |index: I| -> Result<(I, Option<Durable>), String> {
        if let Some(durable) = recorded
            && position::is_marked(&index, durable).map_err(|error| error.to_string())?
        {
            return Ok((index, Some(durable)));
        }
        Ok((index, None))
    };
    match open(&path).map_err(|error| error.to_string()).and_then(usable) {
        Ok((index, Some(durable))) => Ok((index, durable)),
        Ok((index, None)) => {
            if existed {
                tracing::warn!("the index does not hold what was recorded: rebuilding it from the journal");
            }
            position::forget(disk, dir)?;
            index.clear()?;
            Ok((index, Durable::default()))
        }
        Err(error) => {
            tracing::warn!(error, "the index is damaged: rebuilding it from the journal");
            position::forget(disk, dir)?;
            disk.remove_dir(&path).map_err(file::at(&path))?;
            Ok((open(&path)?, Durable::default()))
        }
    }
}
