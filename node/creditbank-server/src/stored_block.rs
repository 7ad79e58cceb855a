//! Reads blocks from the store, where each is one log entry or two.

use creditbank_protocol::LogIndex;
use creditbank_protocol::block::{SignedBlock, SignedHead};
use creditbank_protocol::entry::{self, EntryError};
use creditbank_rules::ViewError;
use creditbank_store::{Store, StoreError};

use crate::unreadable::{damaged, of_store};

/// Why a block cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoredBlockError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored bytes are not a block.
    #[error(transparent)]
    Entry(#[from] EntryError),
}

impl From<StoredBlockError> for ViewError {
    fn from(error: StoredBlockError) -> Self {
        match error {
            StoredBlockError::Store(error) => of_store(error),
            StoredBlockError::Entry(error) => damaged(error),
        }
    }
}

/// The block whose head is at a log index.
pub(crate) fn block_at(store: &dyn Store, index: LogIndex) -> Result<SignedBlock, StoredBlockError> {
    entry::block_at(index, |index| Ok(store.entry(index)?))
}

/// The block of a head that was read at a log index.
pub(crate) fn join(store: &dyn Store, index: LogIndex, head: SignedHead) -> Result<SignedBlock, StoredBlockError> {
    entry::join(head, || Ok(store.entry(index.next())?))
}
