//! Rebuilding what is derived from the journal.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use creditbank_protocol::key::genesis;
use creditbank_protocol::pb::Purpose;
use creditbank_store::{DirectoryLock, Options, inspect};

use crate::directory::{Config, DirectoryError, at, open_store, read_key};

/// How often progress is told.
const TOLD: Duration = Duration::from_millis(200);
/// Bytes of the flat file that says where an entry lies.
const ENTRY_ROW_LEN: u64 = 32;

/// Drops index, flat files and position of a log and rebuilds them from the journal; the log entries that there are.
/// `progress` is told log entries that are done, and all of them. An interruption costs time: the next start goes on.
pub fn reindex(dir: &Path, config: &Config, progress: impl FnMut(u64, u64) + Send) -> Result<u64, DirectoryError> {
    let Some(log_dir) = config.store.path().map(|path| dir.join(path)) else {
        return Ok(0);
    };
    let log_key = read_key(dir, Purpose::Log)?.public_key();
    let journal = log_dir.join("journal");
    std::fs::metadata(&journal).map_err(at(&journal))?;
    let lock = DirectoryLock::take(&log_dir)?;
    let total = inspect::guard(&log_dir)?.map_or(0, |(_, head)| head.size);
    // The position first: without it the next start rebuilds everything, whatever else is still there.
    for name in ["position", "flat", "index"] {
        let path = log_dir.join(name);
        let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at(&path)(error)),
            _ => {}
        }
    }
    drop(lock);
    let flat = log_dir.join("flat").join("entries");
    let done = AtomicBool::new(false);
    let options = Options::new(genesis(&config.origin, &log_key, &config.registry_key).0);
    let opened = std::thread::scope(|scope| {
        let (done, mut progress) = (&done, progress);
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                let rows = std::fs::metadata(&flat).map_or(0, |found| found.len() / ENTRY_ROW_LEN);
                progress(rows, total);
                std::thread::sleep(TOLD);
            }
        });
        let opened = open_store(dir, config, &options).and_then(|store| {
            let size = store.head().size;
            store.close()?;
            Ok(size)
        });
        done.store(true, Ordering::Relaxed);
        opened
    });
    opened.map_err(DirectoryError::from)
}
