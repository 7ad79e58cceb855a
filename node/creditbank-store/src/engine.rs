//! Engines for a node's index. Each engine's crate describes itself; the server lists those with which it is built.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::{Disk, Index, IndexError, Table};

/// Opens or makes an engine's files in a directory of a disk.
pub type OpenIndex = fn(&Arc<dyn Disk>, &Path) -> Result<Box<dyn Index>, IndexError>;

/// An engine of an index, by name.
#[derive(Clone, Copy)]
pub struct Engine {
    /// The part of a store's name before the colon, as in `sled:log`.
    pub scheme: &'static str,
    /// Who should use it, in a few words, for the help of a command.
    pub about: &'static str,
    /// Opens or makes the engine's files in a directory. The disk is for engines that can work on any; others need the
    /// real one.
    pub open: OpenIndex,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Engine({})", self.scheme)
    }
}

/// Runs what an engine may panic in when its files are damaged; a panic is an error like another, and the index is
/// rebuilt.
pub fn catching_panics<T>(engine: &str, what: impl FnOnce() -> Result<T, IndexError>) -> Result<T, IndexError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(what))
        .unwrap_or_else(|_| Err(IndexError(format!("{engine}: its files are damaged"))))
}

/// Table and key as one key, for an engine that has no tables: so a table is a prefix.
pub fn flat_key(table: Table, key: &[u8]) -> Vec<u8> {
    [&[table.0][..], key].concat()
}

/// Engines with the same name are the same.
impl PartialEq for Engine {
    fn eq(&self, other: &Self) -> bool {
        self.scheme == other.scheme
    }
}

impl Eq for Engine {}
