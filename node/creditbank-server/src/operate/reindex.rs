//! Rebuilds what can be derived from the journal.

use std::path::Path;

use creditbank_store::{Placement, StoreError, inspect};

use crate::directory::{Config, DirectoryError, at, check_room, store_options};
use crate::environment::Environment;

/// Drops index, flat files and position of a log and rebuilds them from the journal. Returns the number of log entries.
/// If the disk has no room for them, it returns an error.
///
/// `placement` says where the log may be. `progress` gets the log entries that are done, and the total. If
/// it is interrupted, the next start continues.
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
    let mut options = store_options(environment, config.beginning().genesis());
    // Before anything is removed, because what is derived needs its room again.
    check_room(environment, &log_dir)?;
    let total = inspect::guard(disk, &log_dir)?.map_or(0, |(_, head)| head.size);
    // The position first: without it the next start rebuilds everything, whatever else still exists.
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
    if placement != Placement::Same {
        options.placement = placement;
    }
    let store = config.store.open_store(dir, &options, &mut |done| progress(done, total))?;
    if store.read_only().is_some() {
        // The room has disappeared in the meantime: the index is in memory only.
        return Err(StoreError::Full { path: log_dir.display().to_string(), needed: options.reserve_bytes }.into());
    }
    let size = store.head().size;
    store.close()?;
    Ok(size)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::directory::{StoreUrl, init};

    /// Goal: without room the command does not claim a rebuild, and removes nothing.
    #[test]
    fn a_full_disk_is_an_error() {
        let dir = std::env::temp_dir().join(format!("creditbank-reindex-{}", std::process::id()));
        let environment = Environment::system();
        let listen = ([127, 0, 0, 1], 0).into();
        let config = init(&environment, &dir, &dir.join("registry"), "x.example", StoreUrl::standard(), listen, None);
        let config = config.expect("a new node");
        let tune = |options: &mut creditbank_store::Options| options.reserve_bytes = u64::MAX;
        let full = Environment { tune: Arc::new(tune), ..environment.clone() };
        let rebuild = |environment| reindex(environment, &dir, &config, Placement::Same, |_, _| {});
        let error = rebuild(&full).expect_err("there is no room").to_string();
        assert!(error.contains("the disk has less than") && error.contains("nothing is written"), "{error}");
        for name in ["position", "flat/entries", "index"] {
            assert!(dir.join("log").join(name).exists(), "{name}");
        }
        let other = dir.join("other");
        let made = init(&full, &other, &other, "x.example", StoreUrl::standard(), listen, None);
        let error = made.expect_err("no node either").to_string();
        assert!(error.contains("the disk has less than") && !other.exists(), "{error}");
        assert!(rebuild(&environment).expect("there is room") > 0);
        environment.disk.remove_dir(&dir).expect("removed");
    }
}
