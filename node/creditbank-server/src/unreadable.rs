//! What a caller is told if something could not be read.

use std::fmt::Display;

use creditbank_rules::ViewError;
use creditbank_store::StoreError;

/// The system's number for an input/output error, on every system on which a node runs. A kernel returns it for a
/// sector that it could not read after its own retries, so waiting does not help.
const EIO: i32 = 5;

/// Bytes or rows are not what they must be.
pub(crate) fn damaged(what: impl Display) -> ViewError {
    ViewError::Damaged(what.to_string())
}

/// A row or an entry that must be there.
pub(crate) fn missing(what: impl Display) -> ViewError {
    ViewError::Missing(what.to_string())
}

/// Something that the same question may find later.
pub(crate) fn unavailable(what: impl Display) -> ViewError {
    ViewError::Unavailable(what.to_string())
}

/// Whether an error of the store says that something on the disk is damaged.
pub(crate) fn is_damage(error: &StoreError) -> bool {
    match error {
        StoreError::Damaged { .. } | StoreError::Lost { .. } | StoreError::Missing { .. } | StoreError::Index(_) => {
            true
        }
        StoreError::File { error, .. } => {
            use std::io::ErrorKind::{InvalidData, NotFound, UnexpectedEof};
            matches!(error.kind(), NotFound | UnexpectedEof | InvalidData) || error.raw_os_error() == Some(EIO)
        }
        _ => false,
    }
}

/// What an error of the store means. An index engine that has failed stops the node, whose next start rebuilds the
/// index.
#[allow(clippy::needless_pass_by_value)] // The shape that `map_err` asks for.
pub(crate) fn of_store(error: StoreError) -> ViewError {
    match &error {
        StoreError::Damaged { .. } | StoreError::Lost { .. } => damaged(error),
        StoreError::Missing { .. } => missing(error),
        StoreError::File { error: inner, .. } => match inner.kind() {
            std::io::ErrorKind::NotFound => missing(error),
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidData => damaged(error),
            _ if inner.raw_os_error() == Some(EIO) => damaged(error),
            _ => unavailable(error),
        },
        StoreError::Conflict { .. }
        | StoreError::Round(_)
        | StoreError::Journal(_)
        | StoreError::Index(_)
        | StoreError::Place { .. }
        | StoreError::OtherLog { .. }
        | StoreError::Full { .. }
        | StoreError::Displaced { .. }
        | StoreError::Stopped(_) => unavailable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: errors that waiting cannot correct are told apart from those that may pass.
    #[test]
    fn damage_is_not_called_passing() {
        let file = |kind: std::io::ErrorKind| StoreError::File { path: "log".to_owned(), error: kind.into() };
        let rot = StoreError::Damaged { path: "log".to_owned(), offset: 7, what: "rot".to_owned() };
        assert!(matches!(of_store(rot), ViewError::Damaged(_)));
        assert!(matches!(of_store(file(std::io::ErrorKind::UnexpectedEof)), ViewError::Damaged(_)));
        let sector = StoreError::File { path: "log".to_owned(), error: std::io::Error::from_raw_os_error(EIO) };
        assert!(matches!(of_store(sector), ViewError::Damaged(_)));
        assert!(matches!(of_store(file(std::io::ErrorKind::NotFound)), ViewError::Missing(_)));
        assert!(matches!(of_store(StoreError::Missing { what: "entry", index: 1 }), ViewError::Missing(_)));
        assert!(matches!(of_store(file(std::io::ErrorKind::Interrupted)), ViewError::Unavailable(_)));
        assert!(matches!(of_store(StoreError::Stopped("it was closed".to_owned())), ViewError::Unavailable(_)));
    }
}
