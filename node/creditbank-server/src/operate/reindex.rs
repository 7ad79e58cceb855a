//! Rebuilding what is derived from the journal.

use std::path::Path;

use creditbank_store::{Placement, inspect};

use crate::directory::{Config, DirectoryError, at, store_options};
use crate::environment::Environment;

/// Drops index, flat files and position of a log and rebuilds them from the journal; the log entries that there are.
/// `placement` says in which directory the log may be. `progress` is told log entries that are done, and all of them. An interruption costs time: the next start goes on.
pub fn reindex(
    environment: &Environment,
    dir: &Path,
    config: &Config,
    placement: Placement,
    mut progress: impl FnMut(u64, u64),
) -> Result<u64, DirectoryError> {
    let Some(log_dir) = config.store.path().map(|path| dir.join(path)) else {
        return Ok(0);
    };
    let disk = &*environment.disk;
    let journal = log_dir.join("journal");
    disk.info(&journal).map_err(at(&journal))?;
    let lock = disk.lock(&log_dir)?;
    inspect::check_place(disk, &log_dir, placement)?;
    let total = inspect::guard(disk, &log_dir)?.map_or(0, |(_, head)| head.size);
    // The position first: without it the next start rebuilds everything, whatever else is still there.
    let position = log_dir.join("position");
    match disk.remove(&position) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at(&position)(error)),
        _ => disk.sync_dir(&log_dir).map_err(at(&log_dir))?,
    }
    for name in ["flat", "index"] {
        let path = log_dir.join(name);
        disk.remove_dir(&path).map_err(at(&path))?;
    }
    drop(lock);
    let mut options = store_options(environment, config.beginning().genesis());
    if placement != Placement::Same {
        options.placement = placement;
    }
    let store = config.store.open_store(dir, &options, &mut |done| progress(done, total))?;
    let size = store.head().size;
    store.close()?;
    Ok(size)
}
