//! The notes of an import, so that nothing is issued twice: what was issued, and the one block that is under way.
//!
//! ```text
//! WORK/job.toml    the log, institution, unit and seed check that the notes are for
//! WORK/issued      32 bytes a line of the file: its reference and its content, both keyed digests
//! WORK/receipts    the node's receipts, each behind its length: the proof of what was sealed
//! WORK/pending     height and bytes of the block under way, on the disk before it is sent
//! WORK/lock        held while a run is under way
//! ```

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use creditbank_protocol::pb::Receipt;
use creditbank_rpc::v1::{RecordBody, SubmitBlockRequest};
use prost::Message as _;

use crate::secret::derive;
use crate::{ClientError, IssuingUnit};

/// What tells one line from another: which result it is, and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    reference: [u8; 16],
    content: [u8; 16],
}

const MARK_LEN: usize = 32;

impl Mark {
    /// Of a line: which result it is, and what it says.
    pub(crate) fn of_line(unit: &IssuingUnit, reference: &[u8], content: &[u8]) -> Self {
        Self { reference: keyed(unit, b"reference", reference), content: keyed(unit, b"content", content) }
    }

    /// Of something else than a line: what it is about, and what is said.
    pub(crate) fn new(unit: &IssuingUnit, about: &[u8], said: &[u8]) -> Self {
        Self { reference: keyed(unit, b"about", about), content: keyed(unit, b"said", said) }
    }

    /// The marks that stand one after the other.
    pub(crate) fn all(bytes: &[u8]) -> Vec<Self> {
        bytes.as_chunks::<MARK_LEN>().0.iter().map(Self::from_bytes).collect()
    }

    pub(crate) fn to_bytes(self) -> [u8; MARK_LEN] {
        let mut bytes = [0; MARK_LEN];
        bytes[..16].copy_from_slice(&self.reference);
        bytes[16..].copy_from_slice(&self.content);
        bytes
    }

    fn from_bytes(bytes: &[u8; MARK_LEN]) -> Self {
        Self { reference: std::array::from_fn(|i| bytes[i]), content: std::array::from_fn(|i| bytes[16 + i]) }
    }
}

pub(crate) fn keyed(unit: &IssuingUnit, label: &[u8], bytes: &[u8]) -> [u8; 16] {
    let digest = derive(&unit.secret, &[label, bytes]);
    std::array::from_fn(|i| digest[i])
}

/// A block under way.
pub(crate) struct Pending {
    pub(crate) height: u64,
    pub(crate) block: Vec<u8>,
    pub(crate) records: Vec<RecordBody>,
    pub(crate) marks: Vec<Mark>,
}

/// What the notes know of a line.
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
        let marks = bytes.as_chunks::<MARK_LEN>().0.iter().map(Mark::from_bytes);
        Ok((Self(marks.map(|mark| (mark.reference, mark.content)).collect()), bytes.len()))
    }

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
        unit.institution, unit.unit
    )
}

fn of_another(dir: &Path) -> ClientError {
    let what = "holds the notes of an import with another log, unit or key";
    ClientError::Local(format!("{} {what}: pass another --work directory", dir.display()))
}

/// The notes of one file's import.
pub(crate) struct Work {
    dir: PathBuf,
    issued: Issued,
    _lock: File,
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> ClientError + '_ {
    move |error| ClientError::File { path: path.display().to_string(), error }
}

fn append(path: &Path, bytes: &[u8]) -> Result<(), ClientError> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data())).map_err(at(path))
}

pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), ClientError> {
    let _ = fs::remove_file(path);
    append(path, bytes)
}

impl Work {
    /// Opens the notes; refused when they are of another unit, or a run is under way.
    pub(crate) fn open(dir: &Path, origin: &str, unit: &IssuingUnit) -> Result<Self, ClientError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(at(dir))?;
        let path = dir.join("lock");
        let lock =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(at(&path))?;
        lock.try_lock()
            .map_err(|_| ClientError::Local(format!("{}: another import of this file is under way", dir.display())))?;
        let job = job(origin, unit);
        let path = dir.join("job.toml");
        match fs::read_to_string(&path) {
            Ok(found) if found == job => {}
            // Nothing was sealed or is under way: the notes may be taken over.
            Ok(_) if !dir.join("issued").exists() && !dir.join("pending").exists() => replace(&path, job.as_bytes())?,
            Ok(_) => return Err(of_another(dir)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => replace(&path, job.as_bytes())?,
            Err(error) => return Err(at(&path)(error)),
        }
        let path = dir.join("issued");
        let (issued, len) = Issued::read(&path)?;
        if len % MARK_LEN != 0 {
            // A crash within an append: the block is still pending and will be noted again.
            let file = OpenOptions::new().write(true).open(&path).map_err(at(&path))?;
            file.set_len((len - len % MARK_LEN) as u64).map_err(at(&path))?;
        }
        Ok(Self { dir: dir.to_owned(), issued, _lock: lock })
    }

    pub(crate) fn held(&self, mark: &Mark) -> Held {
        self.issued.held(mark)
    }

    /// Whether a mark was noted as sealed.
    pub(crate) fn is_noted(&self, mark: &Mark) -> bool {
        self.issued.0.get(&mark.reference) == Some(&mark.content)
    }

    /// Puts a block on the disk before it is sent.
    pub(crate) fn prepare(&self, pending: &Pending) -> Result<(), ClientError> {
        let request = SubmitBlockRequest { block: pending.block.clone().into(), records: pending.records.clone() };
        let request = request.encode_to_vec();
        let mut bytes = pending.height.to_be_bytes().to_vec();
        bytes.extend((request.len() as u64).to_be_bytes());
        bytes.extend(request);
        bytes.extend(pending.marks.iter().flat_map(|mark| mark.to_bytes()));
        let (path, new) = (self.dir.join("pending"), self.dir.join("pending.new"));
        let _ = fs::remove_file(&new);
        append(&new, &bytes)?;
        fs::rename(&new, &path).map_err(at(&path))?;
        self.sync_dir()
    }

    /// The block that a run left under way.
    pub(crate) fn pending(&self) -> Result<Option<Pending>, ClientError> {
        let path = self.dir.join("pending");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(&path)(error)),
        };
        let damaged = || ClientError::Local(format!("{} is damaged", path.display()));
        let (height, rest) = bytes.split_first_chunk::<8>().ok_or_else(damaged)?;
        let (len, rest) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
        let len = usize::try_from(u64::from_be_bytes(*len)).map_err(|_| damaged())?;
        let (request, marks) = rest.split_at_checked(len).ok_or_else(damaged)?;
        let request = SubmitBlockRequest::decode(request).map_err(|_| damaged())?;
        let marks = marks.as_chunks::<MARK_LEN>().0.iter().map(Mark::from_bytes).collect();
        Ok(Some(Pending {
            height: u64::from_be_bytes(*height),
            block: request.block.to_vec(),
            records: request.records,
            marks,
        }))
    }

    /// Notes a sealed block: first what was issued, then that nothing is under way.
    pub(crate) fn sealed(&mut self, pending: &Pending, receipt: &Receipt) -> Result<(), ClientError> {
        append(&self.dir.join("receipts"), &receipt.encode_length_delimited_to_vec())?;
        let bytes: Vec<u8> = pending.marks.iter().flat_map(|mark| mark.to_bytes()).collect();
        append(&self.dir.join("issued"), &bytes)?;
        self.issued.note(&pending.marks);
        self.forget()
    }

    /// Notes lines that the ledger holds already.
    pub(crate) fn known(&mut self, marks: &[Mark]) -> Result<(), ClientError> {
        let bytes: Vec<u8> = marks.iter().flat_map(|mark| mark.to_bytes()).collect();
        append(&self.dir.join("issued"), &bytes)?;
        self.issued.note(marks);
        Ok(())
    }

    /// Nothing is under way.
    pub(crate) fn forget(&self) -> Result<(), ClientError> {
        let path = self.dir.join("pending");
        fs::remove_file(&path).map_err(at(&path))?;
        self.sync_dir()
    }

    fn sync_dir(&self) -> Result<(), ClientError> {
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(at(&self.dir))
    }
}
