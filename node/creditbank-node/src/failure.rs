//! The exit code of an error: 2 if the caller asked for something impossible, 3 if a log was restored and is held, 1
//! for everything else.

use std::process::ExitCode;

use creditbank_server::directory::{DirectoryError, InitError};
use creditbank_server::operate::succeed::SucceedError;

/// The caller must ask for something else.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// A log was restored, but is not served, because it lacks what others have seen.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Held(pub(crate) String);

/// Whether the caller must correct the directory, or node.toml, before anything is done.
fn is_wrong_directory(error: &DirectoryError) -> bool {
    use DirectoryError as E;
    matches!(
        error,
        E::Config { .. } | E::Mode { .. } | E::Writable { .. } | E::Owner { .. } | E::TlsMode { .. } | E::Memory { .. }
    )
}

fn is_usage(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref() {
        return is_wrong_directory(error);
    }
    match error.downcast_ref() {
        Some(InitError::Exists(_) | InitError::RegistryKeys(_) | InitError::Origin(_)) => true,
        Some(InitError::Directory(error)) => is_wrong_directory(error),
        _ => error.is::<Usage>(),
    }
}

/// What to do next, where the error itself says only what is damaged.
pub(crate) fn next_step(error: &anyhow::Error) -> Option<&'static str> {
    if let Some(SucceedError::Directory(error)) = error.downcast_ref() {
        return error.next_step();
    }
    error.downcast_ref::<DirectoryError>().and_then(DirectoryError::next_step)
}

/// The exit code of an error.
pub(crate) fn exit_code(error: &anyhow::Error) -> ExitCode {
    if error.is::<Held>() {
        return ExitCode::from(3);
    }
    if error.chain().any(is_usage) { ExitCode::from(2) } else { ExitCode::FAILURE }
}
