//! A restored log that lacks what was published. Nothing is signed until the log has it.

use std::collections::BTreeSet;
use std::path::Path;

use creditbank_protocol::counted;
use creditbank_protocol::key::LogKeys;
use creditbank_protocol::merkle::root_at;
use creditbank_protocol::note::{Checkpoint, KeyType, Note, NoteError, VerifierKey};
use creditbank_store::{Disk, Store};

use super::{DirectoryError, at};
use crate::append::state::load;
use crate::ledger::OpenError;
use crate::tables;

/// In a log's directory: the signed note of the checkpoint that the log must contain before the node serves it.
pub(crate) const HELD_FILE: &str = "held";

/// The checkpoint that holds a log, as its file says; `None` if there is no such file. The signatures are not checked.
pub(crate) fn held_by(disk: &dyn Disk, log_dir: &Path) -> Result<Option<Checkpoint>, DirectoryError> {
    let path = log_dir.join(HELD_FILE);
    let Some(note) = read(disk, &path)? else { return Ok(None) };
    let checkpoint = Note::parse(&note).and_then(|note| Checkpoint::parse(note.text()));
    let damaged = |error: NoteError| DirectoryError::Held { path: path.display().to_string(), what: error.to_string() };
    checkpoint.map(Some).map_err(damaged)
}

/// The file, if there is one.
fn read(disk: &dyn Disk, path: &Path) -> Result<Option<Vec<u8>>, DirectoryError> {
    match disk.read(path) {
        Ok(note) => Ok(Some(note)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path)(error)),
    }
}

/// The message about a log with `size` entries that lacks what others have seen.
pub(super) fn lacks(log_dir: &Path, size: u64, published: u64) -> DirectoryError {
    let what = format!(
        "the log was restored with {}, and others have seen a checkpoint of {published}: signing below it \
         would be a second history. Restore from a newer backup or copy that has them, into a new directory; if there \
         is none, continue the log under another name (creditbank-node succeed --dir OLD --size {size} ...)",
        counted(size, "entry", "entries")
    );
    DirectoryError::Held { path: log_dir.join(HELD_FILE).display().to_string(), what }
}

/// Refuses a log that is held, and removes the hold if the log has what it lacked.
pub(super) fn check(disk: &dyn Disk, log_dir: &Path, store: &dyn Store, begun: &LogKeys) -> Result<(), DirectoryError> {
    let path = log_dir.join(HELD_FILE);
    let Some(note) = read(disk, &path)? else { return Ok(()) };
    let shown = path.display().to_string();
    let mut log_keys = tables::note_signers(store)?;
    log_keys.insert(begun.log_key);
    // The newest name: what others have seen under a former one is the thief's.
    let log = load(store, begun.clone()).map_err(OpenError::from)?.log;
    let published = parse_published(&note, log.origin(), &log_keys)
        .map_err(|error| DirectoryError::Held { path: shown.clone(), what: error.to_string() })?;
    let size = store.head().size;
    if size < published.size {
        return Err(lacks(log_dir, size, published.size));
    }
    let root = root_at(published.size, &mut |level, index| store.node(level, index))?;
    if root != published.root {
        let what = format!(
            "the log has root {root} at size {}, others have seen {}: this is another history, which must not be served",
            published.size, published.root
        );
        return Err(DirectoryError::Held { path: shown, what });
    }
    disk.remove(&path).map_err(at(&path))?;
    disk.sync_dir(log_dir).map_err(at(log_dir))
}

/// A checkpoint of this log, signed by one of its keys.
pub(crate) fn parse_published(
    note: &[u8],
    origin: &str,
    log_keys: &BTreeSet<[u8; 32]>,
) -> Result<Checkpoint, NoteError> {
    let note = Note::parse(note)?;
    let mut is_signed = false;
    for key in log_keys {
        is_signed |= note.signed_by(&VerifierKey::new(origin, KeyType::Log, *key)?)?.is_some();
    }
    if !is_signed {
        return Err(NoteError::NoTrustedLog { origin: origin.to_owned() });
    }
    let checkpoint = Checkpoint::parse(note.text())?;
    if checkpoint.origin == origin { Ok(checkpoint) } else { Err(NoteError::Checkpoint("it is of another log")) }
}
