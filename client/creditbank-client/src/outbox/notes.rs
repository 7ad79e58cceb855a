//! A run's notes on the disk, so that nothing is issued twice: what was issued, and the blocks that are under way.
//!
//! ```text
//! WORK/job.toml    the log, institution, unit and secret check that the notes are for
//! WORK/issued      36 bytes for each thing that was sealed: which one and what it says, as keyed digests, and a check
//! WORK/receipts    the node's receipts, each behind its length: the proof of what was sealed
//! WORK/outbox/     the blocks under way, on the disk before they are sent
//! WORK/lock        held while a run is under way; which process that is
//! ```

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::mark::{MARK_LEN, Mark, keyed};
use crate::files::{PRIVATE, append, at, make_dir, replace, sync_dir};
use crate::{ClientError, IssuingUnit};

/// Bytes of the name of whoever holds the lock.
const HOLDER_LEN_MAX: u64 = 64;

/// What the notes know of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    No,
    Same,
    Changed,
}

/// What was issued: the content by the reference.
#[derive(Default)]
pub(crate) struct Issued(HashMap<[u8; 16], [u8; 16]>);

impl Issued {
    /// The notes of `dir` as they are, for a run that changes nothing; none where there are none. Refused when they are
    /// of another unit.
    pub(crate) fn peek(dir: &Path, origin: &str, unit: &IssuingUnit) -> Result<Self, ClientError> {
        let path = dir.join("job.toml");
        let issued = Self::read(&dir.join("issued"))?.0;
        match fs::read_to_string(&path) {
            Ok(found) if found == job(origin, unit) || issued.0.is_empty() => Ok(issued),
            Ok(found) => Err(of_another(dir, &found, origin, unit)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(at(&path)(error)),
        }
    }

    /// The notes, without what a crash left of the last one, and the length of the file.
    fn read(path: &Path) -> Result<(Self, usize), ClientError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(at(path)(error)),
        };
        let mut issued = Self::default();
        issued.note(&Mark::read(&bytes).map_err(|error| damaged(path, &error))?);
        Ok((issued, bytes.len()))
    }

    /// Whether something was issued, and says the same.
    pub(crate) fn held(&self, mark: &Mark) -> Held {
        match self.0.get(&mark.reference) {
            None => Held::No,
            Some(content) if *content == mark.content => Held::Same,
            Some(_) => Held::Changed,
        }
    }

    fn note(&mut self, marks: &[Mark]) {
        self.0.extend(marks.iter().map(|mark| (mark.reference, mark.content)));
    }
}

/// What the notes are for.
fn job(origin: &str, unit: &IssuingUnit) -> String {
    let check = hex::encode(keyed(unit, b"job", b""));
    format!(
        "# Notes of an import, so that nothing is issued twice. Keep them as long as the file.\n\
         origin = {origin:?}\ninstitution = {}\nunit = {}\nsecret_check = {check:?}\n",
        unit.id.institution, unit.id.number
    )
}

/// Notes that cannot be read. With new ones the ledger itself is asked for each thing, so nothing is issued twice.
pub(crate) fn damaged(path: &Path, error: &dyn std::fmt::Display) -> ClientError {
    let next = "pass another --work directory and run this again: what the ledger holds already is found there and \
                not issued twice";
    ClientError::Local(format!("{} is damaged: {error}; {next}", path.display()))
}

/// Notes of something else. Those of a former name of the log say of lost blocks that they were sealed: with them
/// nothing of these would be issued again.
fn of_another(dir: &Path, found: &str, origin: &str, unit: &IssuingUnit) -> ClientError {
    let named = found.lines().find_map(|line| line.strip_prefix("origin = \"")?.strip_suffix('"'));
    if let Some(named) = named.filter(|named| job(named, unit) == found) {
        return ClientError::Local(format!(
            "{} holds the notes of {named}, and the log is {origin}. Where {named} is a former name of this log, its \
             key was stolen or entries were lost, and blocks beyond the end of {named} are gone: pass another --work \
             directory and run this again. What the ledger holds is found there and not issued twice; what is lost is \
             issued again",
            dir.display()
        ));
    }
    let what = "holds the notes of an import with another log or unit, or with other seed secrets";
    ClientError::Local(format!("{} {what}: pass another --work directory", dir.display()))
}

/// The notes of one file's import, or of one key's blocks.
pub(crate) struct Notes {
    dir: PathBuf,
    issued: Issued,
    _lock: File,
}

/// Keeps other runs away from the notes of `dir`: two that sign for one chain would sign one height twice. Whoever
/// comes second is told which process is first.
pub(super) fn lock(dir: &Path) -> Result<File, ClientError> {
    let path = dir.join("lock");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(PRIVATE).open(&path);
    let mut file = file.map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // For the message alone: a holder that is about to write its number is one without a name.
            let _ = file.take(HOLDER_LEN_MAX).read_to_string(&mut holder);
            let holder = holder.lines().next().filter(|name| !name.is_empty()).unwrap_or("another process");
            let what = format!("{holder} is sealing with these notes: wait until it has ended, then run this again");
            return Err(ClientError::Local(format!("{}: {what}", dir.display())));
        }
        Err(TryLockError::Error(error)) => return Err(at(&path)(error)),
    }
    let name = format!("process {}\n", std::process::id());
    let named = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(name.as_bytes()));
    named.map_err(at(&path))?;
    Ok(file)
}

impl Notes {
    /// Opens the notes; refused when they are of another unit, or a run is under way.
    pub(crate) fn open(dir: &Path, origin: &str, unit: &IssuingUnit) -> Result<Self, ClientError> {
        make_dir(dir)?;
        let lock = lock(dir)?;
        let outbox = dir.join("outbox");
        make_dir(&outbox)?;
        let job = job(origin, unit);
        let path = dir.join("job.toml");
        match fs::read_to_string(&path) {
            Ok(found) if found == job => {}
            // Nothing was sealed or is under way: the notes may be taken over.
            Ok(_) if !dir.join("issued").exists() && fs::read_dir(&outbox).map_err(at(&outbox))?.next().is_none() => {
                replace(&path, job.as_bytes())?;
            }
            Ok(found) => return Err(of_another(dir, &found, origin, unit)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => replace(&path, job.as_bytes())?,
            Err(error) => return Err(at(&path)(error)),
        }
        sync_dir(dir).map_err(at(dir))?;
        let path = dir.join("issued");
        let (issued, len) = Issued::read(&path)?;
        if len % MARK_LEN != 0 {
            // A crash within an append: the block is still under way and will be noted again.
            let file = OpenOptions::new().write(true).open(&path).map_err(at(&path))?;
            file.set_len((len - len % MARK_LEN) as u64).map_err(at(&path))?;
        }
        Ok(Self { dir: dir.to_owned(), issued, _lock: lock })
    }

    /// Where they are.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether something was issued, and says the same.
    pub(crate) fn held(&self, mark: &Mark) -> Held {
        self.issued.held(mark)
    }

    /// Notes what the ledger holds already.
    pub(crate) fn known(&mut self, marks: &[Mark]) -> Result<(), ClientError> {
        append(&self.dir.join("issued"), &Mark::write(marks))?;
        self.issued.note(marks);
        Ok(())
    }

    /// What another hand has put on the disk.
    pub(super) fn noted(&mut self, marks: &[Mark]) {
        self.issued.note(marks);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use creditbank_protocol::UnitId;
    use creditbank_protocol::key_file::KeyFile;
    use creditbank_protocol::pb::Purpose;

    use super::*;
    use crate::Seeds;

    /// Goal: notes of a former name of the log are not used, as they know nothing of lost blocks; what to do is said.
    #[test]
    fn notes_of_a_former_name_are_not_used() {
        let dir = tempfile::tempdir().expect("a directory");
        let key = KeyFile { purpose: Purpose::Unit, key: ed25519_dalek::SigningKey::from_bytes(&[1; 32]) };
        let unit = |number| {
            let seeds = Seeds::derived([1; 32]);
            IssuingUnit::new(UnitId::new(1, number), Arc::new(key.clone()), seeds)
        };
        drop(Notes::open(dir.path(), "test.example/log", &unit(1)).expect("opened"));
        fs::write(dir.path().join("issued"), [0; MARK_LEN]).expect("something was issued");
        let refused = |number| Notes::open(dir.path(), "test.example/second", &unit(number)).map(|_| ());
        let said = refused(1).expect_err("another name").to_string();
        assert!(said.contains("former name") && said.contains("another --work directory"), "{said}");
        let said = refused(2).expect_err("another unit").to_string();
        assert!(!said.contains("former name"), "{said}");
    }

    /// Goal: the second run with the same notes is told who is first and what to do; it can run once that has ended.
    #[test]
    fn the_second_run_is_told_who_is_first() {
        let dir = tempfile::tempdir().expect("a directory");
        let key = KeyFile { purpose: Purpose::Unit, key: ed25519_dalek::SigningKey::from_bytes(&[1; 32]) };
        let unit = IssuingUnit::new(UnitId::new(1, 1), Arc::new(key), Seeds::derived([1; 32]));
        let open = || Notes::open(dir.path(), "test.example/log", &unit);
        let first = open().expect("opened");
        let refused = open().map(|_| ()).expect_err("it is held").to_string();
        let holder = format!("process {} is sealing", std::process::id());
        assert!(refused.contains(&holder) && refused.contains("wait until it has ended"), "{refused}");
        drop(first);
        open().expect("free again");
    }
}
