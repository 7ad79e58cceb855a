//! How the learner said yes, on a command line.

use std::path::PathBuf;

use creditbank_client::key_file;
use creditbank_client::recognition::consent::Consent;
use creditbank_protocol::pb::Purpose;

use crate::failure::Failure;

/// The learner's consent: exactly one of the two.
#[derive(clap::Args)]
#[group(id = "consent", required = true, multiple = false)]
#[command(next_help_heading = "The learner's mandate")]
pub(crate) struct Mandated {
    /// Reference of the paper that the learner has signed, and that you keep
    #[arg(long, value_name = "REFERENCE")]
    mandate_paper: Option<String>,
    /// The learner's own key file (keygen --purpose learner): the learner signs this very record
    #[arg(long, value_name = "FILE")]
    learner_key: Option<PathBuf>,
}

impl Mandated {
    pub(super) fn consent(&self) -> Result<Consent, Failure> {
        match (&self.mandate_paper, &self.learner_key) {
            (Some(reference), _) if reference.trim().is_empty() => {
                Err(Failure::Usage("--mandate-paper: expected the reference of a paper".to_owned()))
            }
            (Some(reference), _) => Ok(Consent::Paper(reference.clone())),
            (None, Some(path)) => Ok(Consent::Key(Box::new(key_file::read_for(path, Purpose::Unspecified)?))),
            (None, None) => Err(Failure::Usage("pass --mandate-paper or --learner-key".to_owned())),
        }
    }
}
