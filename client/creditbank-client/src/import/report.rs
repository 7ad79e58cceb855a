//! The report of refused lines: a CSV with line, field and reason.

use std::fs::{File, OpenOptions};
use std::io::BufWriter;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::RefusedLine;
use crate::ClientError;

/// A report that is being written. A run without refused lines leaves only its header.
pub(crate) struct Report {
    path: PathBuf,
    /// Where it is written; it takes the place of the last run's when it is whole.
    new: PathBuf,
    writer: csv::Writer<BufWriter<File>>,
}

impl Report {
    pub(crate) fn create(path: &Path) -> Result<Self, ClientError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let new = PathBuf::from(name);
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new);
        let file = file.map_err(|error| ClientError::File { path: new.display().to_string(), error })?;
        let mut report = Self { path: path.to_owned(), new, writer: csv::Writer::from_writer(BufWriter::new(file)) };
        report.row(["line", "field", "reason"])?;
        Ok(report)
    }

    pub(crate) fn write(&mut self, refused: &RefusedLine) -> Result<(), ClientError> {
        self.row([refused.line.to_string().as_str(), &refused.field, &refused.reason])
    }

    fn row(&mut self, row: [&str; 3]) -> Result<(), ClientError> {
        let path = &self.path;
        self.writer.write_record(row).map_err(|error| ClientError::Local(format!("{}: {error}", path.display())))
    }

    /// Puts the report in its place.
    pub(crate) fn finish(mut self) -> Result<(), ClientError> {
        let renamed = self.writer.flush().and_then(|()| std::fs::rename(&self.new, &self.path));
        renamed.map_err(|error| ClientError::File { path: self.path.display().to_string(), error })
    }
}

impl Drop for Report {
    /// A run that ends early leaves no half report; the last run's stays.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.new);
    }
}
