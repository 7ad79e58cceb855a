//! A run's notes on the disk, so that nothing is issued twice: what was issued, and the blocks that are under way.
//!
//! ```text
//! WORK/job.toml    the log, institution, unit and secret check that the notes are for
//! WORK/issued      32 bytes for each thing that was sealed: which one, and what it says, both keyed digests
//! WORK/receipts    the node's receipts, each behind its length: the proof of what was sealed
//! WORK/outbox/     the blocks under way, on the disk before they are sent
//! WORK/lock        held while a run is under way
//! ```

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::mark::{MARK_LEN, Mark, keyed};
use crate::{ClientError, IssuingUnit};

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
            Ok(_) => Err(of_another(dir)),
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
        issued.note(&Mark::read(&bytes));
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

fn of_another(dir: &Path) -> ClientError {
    let what = "holds the notes of an import with another log, unit or key";
    ClientError::Local(format!("{} {what}: pass another --work directory", dir.display()))
}

/// The notes of one file's import, or of one key's blocks.
pub(crate) struct Notes {
    dir: PathBuf,
    issued: Issued,
    _lock: File,
}

pub(super) fn at(path: &Path) -> impl Fn(std::io::Error) -> ClientError + '_ {
    move |error| ClientError::File { path: path.display().to_string(), error }
}

pub(super) fn append(path: &Path, bytes: &[u8]) -> Result<(), ClientError> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data())).map_err(at(path))
}

/// Writes a file of the owner's alone; what stood there is gone.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), ClientError> {
    let _ = fs::remove_file(path);
    append(path, bytes)
}

pub(super) fn make_dir(dir: &Path) -> Result<(), ClientError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(at(dir))
}

pub(super) fn sync_dir(dir: &Path) -> Result<(), ClientError> {
    File::open(dir).and_then(|file| file.sync_all()).map_err(at(dir))
}

impl Notes {
    /// Opens the notes; refused when they are of another unit, or a run is under way.
    pub(crate) fn open(dir: &Path, origin: &str, unit: &IssuingUnit) -> Result<Self, ClientError> {
        make_dir(dir)?;
        let path = dir.join("lock");
        let lock =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(at(&path))?;
        lock.try_lock()
            .map_err(|_| ClientError::Local(format!("{}: another run with these notes is under way", dir.display())))?;
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
            Ok(_) => return Err(of_another(dir)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => replace(&path, job.as_bytes())?,
            Err(error) => return Err(at(&path)(error)),
        }
        sync_dir(dir)?;
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
