//! What an applicant has handed in, and when.

use std::path::PathBuf;

use creditbank_client::evidence;
use creditbank_protocol::pb::Date;

use crate::failure::Failure;
use crate::values;

/// What an applicant has handed in, and when.
#[derive(clap::Args)]
pub(crate) struct Received {
    /// A document that stays with you: its SHA-256 stands in the record
    #[arg(long, value_name = "FILE")]
    evidence: Vec<PathBuf>,
    /// The day on which it was received [default: today]
    #[arg(long, value_parser = values::date)]
    received: Option<Date>,
}

impl Received {
    /// The digests of the documents.
    pub(super) fn evidence(&self) -> Result<Vec<Vec<u8>>, Failure> {
        digests(&self.evidence)
    }

    pub(super) fn day(&self) -> Date {
        self.received.unwrap_or_else(creditbank_client::today)
    }
}

/// The digests of documents, as the set that they are.
pub(super) fn digests(files: &[PathBuf]) -> Result<Vec<Vec<u8>>, Failure> {
    let mut digests =
        files.iter().map(|path| Ok(evidence::digest(path)?.to_vec())).collect::<Result<Vec<_>, Failure>>()?;
    digests.sort_unstable();
    digests.dedup();
    Ok(digests)
}
