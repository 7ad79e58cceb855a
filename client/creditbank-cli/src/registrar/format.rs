//! How a registrar's file is to be read.

use std::fs;
use std::path::Path;

use creditbank_client::import::{Encoding, Mapping};

use crate::failure::Failure;

/// How a file is to be read.
#[derive(clap::Args)]
#[command(next_help_heading = "Format of the file")]
pub(super) struct Format {
    /// auto, utf-8, utf-16le, utf-16be or gb18030 [default: the mapping's, else auto]
    ///
    /// A byte order mark always wins. Without one, auto means UTF-8: a file that is not is refused before anything is
    /// issued, with the line and the place in it. Other encodings are never guessed, because text in one is often text in
    /// another, with other names in it. What cannot be decoded is refused, never replaced.
    #[arg(long, value_parser = encoding, value_name = "NAME")]
    encoding: Option<Encoding>,
    /// The sheet of a workbook [default: the mapping's, else the first]
    ///
    /// Cells are taken as they were typed: text as it is, numbers exactly or not at all (what a computation left, as
    /// 0.30000000000000004, is refused and not rounded), dates as 2024-09-01. Formulas count by their last value. Errors such
    /// as #N/A and merged cells are refused with the cell's name.
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
}

impl Format {
    /// The mapping of a file for a file of this format.
    pub(super) fn mapping(&self, path: &Path) -> Result<Mapping, Failure> {
        let text = fs::read_to_string(path).map_err(Failure::file(path))?;
        Ok(Mapping::parse(&text)?.for_file(self.encoding, self.sheet.clone()))
    }
}

pub(super) fn encoding(name: &str) -> Result<Encoding, String> {
    Encoding::by_name(name).ok_or_else(|| "expected auto, utf-8, utf-16le, utf-16be or gb18030".to_owned())
}
