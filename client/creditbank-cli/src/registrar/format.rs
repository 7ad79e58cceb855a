//! How a registrar's file is to be read.

use std::fs;
use std::path::Path;

use creditbank_client::import::{Encoding, Mapping};

use crate::failure::Failure;

/// How a file is to be read.
#[derive(clap::Args)]
#[command(next_help_heading = "Format of the file")]
pub(super) struct Format {
    /// auto, utf-8, utf-16le, windows-1252, euc-kr, gb18030 and others [default: the mapping's, else auto]
    ///
    /// A byte order mark always wins. Without one, auto means UTF-8: a file that is not is refused before anything is
    /// issued, with the line and the place in it, and with the list of all names. Other encodings are never guessed, because
    /// text in one is often text in another, with other names in it. What cannot be decoded is refused, never replaced.
    #[arg(long, value_parser = encoding, value_name = "NAME")]
    encoding: Option<Encoding>,
    /// The sheet of a workbook [default: the mapping's, else the first visible one]
    ///
    /// Cells are read as they are shown where that loses nothing: 00101234, 85 of 85%. Where the display rounds, the line is
    /// refused with both values. Dates are read as 2024-09-01. Formulas count by their last value. Errors such as #N/A, merged
    /// cells and hidden rows are refused.
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
    Encoding::by_name(name).ok_or_else(|| format!("expected auto or one of these. {}", Encoding::names()))
}
