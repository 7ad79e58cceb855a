//! Requests that wait for a second person, or for several.

use std::fs;
use std::path::{Path, PathBuf};

use creditbank_protocol::UnitId;
use creditbank_protocol::key::{KeyId, within_dates};
use creditbank_protocol::pb::{self, Purpose};
use creditbank_protocol::registry::RegistryKey;

use super::{ApprovalRequest, read_text, wrong};
use crate::files::{at, make_dir, replace, sync_dir};
use crate::outbox::{Mark, Operation};
use crate::validity;
use crate::{Client, ClientError, IssuingUnit, now_ms};

/// The file of an approval: the request's name and `.approval`.
pub fn approval_path(request: &Path) -> PathBuf {
    named(request, ".approval")
}

/// The file of one approval among several: the request's name, the approver's key and `.approval`.
pub fn approval_path_by(request: &Path, key_id: &str) -> PathBuf {
    named(request, &format!(".{key_id}.approval"))
}

fn named(request: &Path, ending: &str) -> PathBuf {
    let mut name = request.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Requests that wait for an approval, in the directory of a run's notes.
pub(crate) struct ApprovalQueue {
    dir: PathBuf,
}

/// A request that waits.
pub(crate) struct Waiting {
    pub(crate) path: PathBuf,
    /// With the approvals that are there.
    pub(crate) operation: Operation,
    pub(crate) marks: Vec<Mark>,
    /// The file of each approval, in the operation's order.
    files: Vec<PathBuf>,
}

impl ApprovalQueue {
    pub(crate) fn open(work: &Path) -> Self {
        Self { dir: work.join("requests") }
    }

    /// Puts an operation into the queue and returns the file to send to the approver.
    pub(crate) fn put(
        &self,
        origin: &str,
        unit: &IssuingUnit,
        operation: &Operation,
        marks: &[Mark],
    ) -> Result<PathBuf, ClientError> {
        unit.seeds.keep()?;
        make_dir(&self.dir)?;
        let request = ApprovalRequest::new(origin, unit.id, operation)?;
        let path = self.path(operation.operation_id);
        replace(&path.with_extension("marks"), &Mark::write(marks))?;
        let text = serde_json::to_string_pretty(&request).map_err(wrong)? + "\n";
        replace(&path, text.as_bytes())?;
        Ok(path)
    }

    /// Gives up the request for an operation, for good and with its approvals. Whether one waited.
    pub(crate) fn give_up(&self, operation_id: [u8; 16]) -> Result<bool, ClientError> {
        let path = self.path(operation_id);
        if !path.exists() {
            return Ok(false);
        }
        remove(&path)?;
        sync_dir(&self.dir).map_err(at(&self.dir))?;
        Ok(true)
    }

    fn path(&self, operation_id: [u8; 16]) -> PathBuf {
        self.dir.join(format!("{}.json", hex::encode(operation_id)))
    }

    /// What waits, in the order of the files' names.
    pub(crate) fn waiting(&self) -> Result<Vec<Waiting>, ClientError> {
        self.paths()?.into_iter().map(Self::read).collect()
    }

    /// What waits and has one of these marks. What is wrong with other requests does not matter.
    pub(crate) fn waiting_of(&self, marks: &[Mark]) -> Result<Vec<Waiting>, ClientError> {
        let mut found = Vec::new();
        for path in self.paths()? {
            if marks_of(&path)?.iter().any(|mark| marks.contains(mark)) {
                found.push(Self::read(path)?);
            }
        }
        Ok(found)
    }

    /// What the requests that wait would seal, whoever has approved it.
    pub(crate) fn operations(&self) -> Result<Vec<Operation>, ClientError> {
        self.paths()?.iter().map(|path| ApprovalRequest::read(path)?.operation()).collect()
    }

    fn paths(&self) -> Result<Vec<PathBuf>, ClientError> {
        let at = |error| ClientError::File { path: self.dir.display().to_string(), error };
        let listed = match fs::read_dir(&self.dir) {
            Ok(listed) => listed,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(at(error)),
        };
        let mut paths = Vec::new();
        for item in listed {
            let path = item.map_err(at)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }

    fn read(path: PathBuf) -> Result<Waiting, ClientError> {
        let request = ApprovalRequest::read(&path)?;
        let marks = marks_of(&path)?;
        let (mut approvals, mut files): (Vec<pb::Approval>, _) = (Vec::new(), Vec::new());
        for answer in answers(&path)? {
            let text = serde_json::from_str(&read_text(&answer)?);
            let text = text.map_err(|error| {
                let file = answer.display();
                wrong(format!(
                    "{file} is no whole approval ({error}): expected what `creditbank approve` has written; have it sent \
                     again, or remove it"
                ))
            })?;
            let approval = request.approval(&text).map_err(|error| wrong(format!("{}: {error}", answer.display())))?;
            // Of one person's two approvals one counts.
            if approvals.iter().all(|known| known.key_id != approval.key_id) {
                approvals.push(approval);
                files.push(answer);
            }
        }
        let operation = Operation { approvals, ..request.operation()? };
        Ok(Waiting { path, operation, marks, files })
    }
}

impl Waiting {
    /// Checks against the registry that each approval is by a key that approves for a unit: the node would refuse the
    /// block, and not say which file is wrong.
    pub(crate) async fn check_approvers(&self, client: &Client, unit: UnitId) -> Result<(), ClientError> {
        for (approval, file) in self.operation.approvals.iter().zip(&self.files) {
            let Some(id) = KeyId::from_slice(&approval.key_id) else { continue };
            let why = match client.registry_entry(&RegistryKey::Key(id)).await? {
                None => "is not in the registry",
                Some(item) => {
                    let key: pb::Key = item.decode()?;
                    if key.revoked.is_some() {
                        "is revoked"
                    } else if key.purpose != i32::from(Purpose::Approver) || unit_of(&key) != unit {
                        "does not approve for this unit"
                    } else if !within_dates(&key, now_ms() / 60_000) {
                        "is not in force now"
                    } else {
                        continue;
                    }
                }
            };
            return Err(wrong(format!(
                "{} is by key {id}, which {why}: remove this file, have its request approved by another person, and run \
                 this command again",
                file.display()
            )));
        }
        Ok(())
    }

    /// An approval that has ended is not sent: the node would refuse the block.
    pub(crate) fn check_in_time(&self) -> Result<(), ClientError> {
        let Some(approval) = self.operation.approvals.iter().find(|one| validity::is_over(one.until_minute)) else {
            return Ok(());
        };
        let (key, ended) = (hex::encode(&approval.key_id), validity::shown(approval.until_minute));
        let path = self.path.display();
        Err(wrong(format!(
            "an approval of {path}, by key {key}, has ended at {ended}: remove its file ({path}*.approval), have {path} \
             approved once more (creditbank approve), and run this command again",
        )))
    }

    /// Nothing is left to do about it.
    pub(crate) fn done(&self) -> Result<(), ClientError> {
        remove(&self.path)
    }
}

/// Takes a request away, with its approvals and its marks.
fn remove(path: &Path) -> Result<(), ClientError> {
    let own = [path.to_owned(), path.with_extension("marks")];
    for file in answers(path)?.into_iter().chain(own) {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(ClientError::File { path: file.display().to_string(), error });
            }
            _ => {}
        }
    }
    Ok(())
}

/// What the notes will say of a request, from the file beside it.
fn marks_of(request: &Path) -> Result<Vec<Mark>, ClientError> {
    let path = request.with_extension("marks");
    let bytes = fs::read(&path).map_err(|error| ClientError::File { path: path.display().to_string(), error })?;
    Mark::read(&bytes).map_err(|error| wrong(format!("the marks beside {}: {error}", request.display())))
}

fn unit_of(key: &pb::Key) -> UnitId {
    UnitId::new(key.institution, key.unit)
}

/// The approvals that lie beside a request, in the order of their names.
fn answers(request: &Path) -> Result<Vec<PathBuf>, ClientError> {
    let (Some(dir), Some(name)) = (request.parent(), request.file_name().and_then(|name| name.to_str())) else {
        return Ok(Vec::new());
    };
    let at = |error| ClientError::File { path: dir.display().to_string(), error };
    let mut found = Vec::new();
    for item in fs::read_dir(dir).map_err(at)? {
        let path = item.map_err(at)?.path();
        let own = |file: &str| file.starts_with(name) && file.ends_with(".approval");
        if path.file_name().and_then(|file| file.to_str()).is_some_and(own) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
