//! How the learner said yes, on a command line.

use std::path::PathBuf;

use creditbank_client::recognition::consent::{Consent, Given};
use creditbank_client::{key_file, validity};
use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::pb::{Kind, Purpose};

use crate::failure::Failure;
use crate::values;

/// The learner's consent, and until when it holds.
#[derive(clap::Args)]
#[command(next_help_heading = "The learner's mandate")]
pub(crate) struct Mandated {
    #[command(flatten)]
    said: Said,
    /// Other kinds of records that the paper is for, as application,conversion: it serves one record of each kind
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = values::kind, requires = "mandate_paper")]
    mandate_acts: Vec<Kind>,
    /// Days for which the mandate holds, today counted; a record that is not sealed by then needs another one
    #[arg(long, value_name = "DAYS", default_value_t = validity::DAYS_STANDARD, value_parser = values::days())]
    mandate_days: u32,
}

/// How the learner said yes, or why nobody asked: exactly one of the three.
#[derive(clap::Args)]
#[group(id = "consent", required = true, multiple = false)]
struct Said {
    /// Reference of the paper that the learner has signed, and that you keep
    #[arg(long, value_name = "REFERENCE")]
    mandate_paper: Option<String>,
    /// The learner's own key file (keygen --purpose learner): the learner signs this very record
    #[arg(long, value_name = "FILE")]
    learner_key: Option<PathBuf>,
    /// The regulation by which you act without the learner, ex officio or after their death, and the reference of the
    /// case; for conversions, awards and recognitions of qualifications
    #[arg(long, value_name = "TEXT")]
    mandate_law: Option<String>,
}

impl Mandated {
    pub(super) fn consent(&self) -> Result<Consent, Failure> {
        if let Some(basis) = &self.said.mandate_law {
            return Ok(Consent::Law(basis.clone()));
        }
        match (&self.said.mandate_paper, &self.said.learner_key) {
            (Some(reference), _) if reference.trim().is_empty() => {
                Err(Failure::Usage("--mandate-paper: expected the reference of a paper".to_owned()))
            }
            (Some(reference), _) => {
                Ok(Consent::Paper { reference: reference.clone(), acts: self.mandate_acts.clone() })
            }
            (None, Some(path)) => Ok(Consent::Key(Box::new(key_file::read_for(path, Purpose::Unspecified)?))),
            (None, None) => Err(Failure::Usage("pass --mandate-paper, --learner-key or --mandate-law".to_owned())),
        }
    }

    /// The consent to one record.
    pub(super) fn given<'a>(&self, consent: &'a Consent, reference: &'a str) -> Given<'a> {
        Given { consent, until_minute: validity::last_minute(self.mandate_days), reference }
    }
}

/// What is asked for, but for the mandate: it ends with a day, and the same command on a later day goes on with what
/// the first
/// has begun.
pub(super) fn wish<M: Canonical>(reference: &str, draft: &M) -> Result<Vec<u8>, Failure> {
    let asked = encode(draft).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok([M::SCHEMA.name.as_bytes(), &[0], reference.as_bytes(), &[0], &asked].concat())
}
