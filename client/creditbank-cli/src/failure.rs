//! What ends a command, and with which exit code.

use std::process::ExitCode;

use creditbank_client::ClientError;
use creditbank_client::files::told;
use creditbank_client::import::{ImportError, MappingError, ScalesError};
use creditbank_client::issue::IssueError;

/// Why a command did not do what it was to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Exit code 1: something is not valid, or was refused.
    #[error("{0}")]
    NotValid(String),
    /// The same, and what was printed says it to programs already.
    #[error("{0}")]
    Told(String),
    /// Exit code 4: authentic and good as of its time, which is too long ago.
    #[error("{0}")]
    Stale(String),
    /// Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// By its kind.
    #[error("{}", plain(.0))]
    Client(#[from] ClientError),
}

/// What the node has refused, in the words of somebody who has typed one command: it has one record, and no parts.
fn plain(error: &ClientError) -> String {
    let mut text = error.to_string();
    for (inner, plain) in [("record 0: ", ""), ("person 0: ", ""), ("public_part: ", "what it does to other records: ")]
    {
        text = text.replacen(inner, plain, 1);
    }
    text
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::NotValid(_)
            | Self::Told(_)
            | Self::Client(ClientError::Refused(_) | ClientError::Lie(_) | ClientError::Missing(_)) => {
                ExitCode::from(1)
            }
            Self::Usage(_) | Self::Client(ClientError::File { .. } | ClientError::Local(_)) => ExitCode::from(2),
            Self::Client(ClientError::Unreachable(_)) => ExitCode::from(3),
            Self::Stale(_) => ExitCode::from(4),
        }
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(path: &std::path::Path) -> impl Fn(std::io::Error) -> Self + '_ {
        move |error| {
            let looked = match std::env::current_dir() {
                Ok(here) if path.is_relative() && error.kind() == std::io::ErrorKind::NotFound => {
                    format!(" (looked in {})", here.display())
                }
                _ => String::new(),
            };
            Self::Usage(format!("{}: {}{looked}", path.display(), told(&error)))
        }
    }
}

impl From<MappingError> for Failure {
    fn from(error: MappingError) -> Self {
        Self::Usage(format!("mapping: {error}"))
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Mapping(error) => error.into(),
            error => Self::NotValid(error.to_string()),
        }
    }
}

impl From<ScalesError> for Failure {
    fn from(error: ScalesError) -> Self {
        match error {
            ScalesError::Client(error) => error.into(),
            ScalesError::Mapping(error) => error.into(),
        }
    }
}

impl From<IssueError> for Failure {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Client(error) => error.into(),
            IssueError::Import(error) => error.into(),
            stopped @ (IssueError::Stopped(_) | IssueError::Warned(..)) => Self::NotValid(stopped.to_string()),
        }
    }
}
