//! Requests that wait for a second person.

use std::fs;
use std::path::{Path, PathBuf};

use super::{ApprovalRequest, read_text, wrong};
use crate::files::{make_dir, replace};
use crate::outbox::{Mark, Operation};
use crate::validity;
use crate::{ClientError, IssuingUnit};

/// The file of an approval: the request's name and `.approval`.
pub fn approval_path(request: &Path) -> PathBuf {
    let mut name = request.as_os_str().to_owned();
    name.push(".approval");
    name.into()
}

/// Requests that wait for an approval, in the directory of a run's notes.
pub(crate) struct ApprovalQueue {
    dir: PathBuf,
}

/// A request that waits.
pub(crate) struct Waiting {
    pub(crate) path: PathBuf,
    /// With the approval, once it is there.
    pub(crate) operation: Operation,
    pub(crate) marks: Vec<Mark>,
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
        let path = self.dir.join(format!("{}.json", request.operation_id));
        replace(&path.with_extension("marks"), &Mark::write(marks))?;
        let text = serde_json::to_string_pretty(&request).map_err(wrong)? + "\n";
        replace(&path, text.as_bytes())?;
        Ok(path)
    }

    /// What waits, in the order of the files' names.
    pub(crate) fn waiting(&self) -> Result<Vec<Waiting>, ClientError> {
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
        paths.into_iter().map(Self::read).collect()
    }

    fn read(path: PathBuf) -> Result<Waiting, ClientError> {
        let request = ApprovalRequest::read(&path)?;
        let marks = path.with_extension("marks");
        let marks = fs::read(&marks).map_err(|error| ClientError::File { path: marks.display().to_string(), error })?;
        let answer = approval_path(&path);
        let approval = if answer.exists() {
            let text = serde_json::from_str(&read_text(&answer)?);
            Some(request.approval(&text.map_err(|error| wrong(format!("{}: {error}", answer.display())))?)?)
        } else {
            None
        };
        let operation = Operation { approval, ..request.operation()? };
        let read =
            Mark::read(&marks).map_err(|error| wrong(format!("the marks beside {}: {error}", path.display())))?;
        Ok(Waiting { operation, marks: read, path })
    }
}

impl Waiting {
    /// An approval that has ended is not sent: the node would refuse the block.
    pub(crate) fn check_in_time(&self) -> Result<(), ClientError> {
        let Some(approval) = self.operation.approval.as_ref().filter(|one| validity::is_over(one.until_minute)) else {
            return Ok(());
        };
        let (file, ended) = (approval_path(&self.path), validity::shown(approval.until_minute));
        Err(wrong(format!(
            "the approval {} has ended at {ended}: remove it, have {} approved once more (creditbank approve), and run \
             this command again",
            file.display(),
            self.path.display()
        )))
    }

    /// Nothing is left to do about it.
    pub(crate) fn done(&self) -> Result<(), ClientError> {
        let path = &self.path;
        for file in [path.clone(), approval_path(path), path.with_extension("marks")] {
            match fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(ClientError::File { path: file.display().to_string(), error });
                }
                _ => {}
            }
        }
        Ok(())
    }
}
