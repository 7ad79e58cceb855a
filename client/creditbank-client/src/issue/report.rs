//! The report of refused lines: a CSV with line, field and reason.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use crate::ClientError;
use crate::import::RefusedLine;

/// A report that is being written. A run without refused lines leaves only its header.
pub(super) struct Report {
    path: PathBuf,
    writer: csv::Writer<BufWriter<File>>,
}

impl Report {
    pub(super) fn create(path: &Path) -> Result<Self, ClientError> {
        let file = File::create(path).map_err(|error| ClientError::File { path: path.display().to_string(), error })?;
        let mut report = Self { path: path.to_owned(), writer: csv::Writer::from_writer(BufWriter::new(file)) };
        report.row(["line", "field", "reason"])?;
        Ok(report)
    }

    pub(super) fn write(&mut self, refused: &RefusedLine) -> Result<(), ClientError> {
        self.row([refused.line.to_string().as_str(), &refused.field, &refused.reason])
    }

    fn row(&mut self, row: [&str; 3]) -> Result<(), ClientError> {
        let path = &self.path;
        self.writer.write_record(row).map_err(|error| ClientError::Local(format!("{}: {error}", path.display())))
    }

    pub(super) fn finish(mut self) -> Result<(), ClientError> {
        self.writer.flush().map_err(|error| ClientError::File { path: self.path.display().to_string(), error })
    }
}
