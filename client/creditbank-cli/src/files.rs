//! Files that a command reads and writes beside each other.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The path with a suffix, as `results.toml.issue`.
pub(crate) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    name.into()
}

/// Whether two paths lead to one file.
fn is_same(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    id(one).is_some_and(|found| id(other) == Some(found))
}

/// Opens a registrar's file, and says how many bytes it has. A directory is refused.
pub(crate) fn open(file: &Path) -> Result<(File, u64), Failure> {
    let input = File::open(file).map_err(Failure::file(file))?;
    let metadata = input.metadata().map_err(Failure::file(file))?;
    if metadata.is_dir() {
        return Err(Failure::Usage(format!("{} is a directory, expected a CSV file or a workbook", file.display())));
    }
    Ok((input, metadata.len()))
}

/// Where refused lines are written.
#[derive(clap::Args)]
pub(crate) struct Refused {
    /// CSV of the refused lines [default: FILE.refused.csv]
    #[arg(long)]
    pub(crate) refused: Option<PathBuf>,
}

impl Refused {
    /// The report for the lines of a file: never in the place of a file that the command reads.
    pub(crate) fn report(&self, file: &Path, read: &[(&str, Option<&Path>)]) -> Result<PathBuf, Failure> {
        let report = self.refused.clone().unwrap_or_else(|| beside(file, ".refused.csv"));
        let replaced = |other: Option<&Path>| other.is_some_and(|other| is_same(&report, other));
        match read.iter().find(|(_, other)| replaced(*other)) {
            Some((name, _)) => Err(Failure::Usage(format!(
                "the report of refused lines would replace {name}: choose another --refused"
            ))),
            None => Ok(report),
        }
    }
}
