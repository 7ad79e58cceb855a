//! Which exit code an error has: 2 where the caller asked for what cannot be, 1 for everything else.

use std::process::ExitCode;

use creditbank_server::directory::{DirectoryError, InitError};

/// Something that the caller must ask for differently.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// The exit code of an error.
pub(crate) fn exit_code(error: &anyhow::Error) -> ExitCode {
    let usage = |error: &(dyn std::error::Error + 'static)| {
        error.is::<Usage>()
            || matches!(
                error.downcast_ref(),
                Some(InitError::Exists(_) | InitError::RegistryKeys(_) | InitError::Origin(_))
            )
            || matches!(
                error.downcast_ref(),
                Some(
                    DirectoryError::Config { .. } | DirectoryError::Mode { .. } | DirectoryError::DirectoryMode { .. }
                )
            )
    };
    if error.chain().any(usage) { ExitCode::from(2) } else { ExitCode::FAILURE }
}
