//! Receipts and proofs. A receipt leads to the checkpoint of the block's own round, so it is the same whenever it is
//! made.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use creditbank_protocol::merkle::{
    ProofError, RangeError, consistency_proof, inclusion_proof, leaf_hash, root_at, verify_consistency,
    verify_inclusion,
};
use creditbank_protocol::note::Checkpoint;
use creditbank_protocol::pb::{ProvedEntry, Receipt};
use creditbank_protocol::{Digest, LogIndex};
use creditbank_rules::ViewError;
use creditbank_store::StoreError;

use crate::ledger::{Ledger, Shared};
use crate::tables;
use crate::unreadable::{damaged, missing, of_store, unavailable};

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// The entry or size is not in the log.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tree's nodes on the disk do not match the head of the log.
    #[error(
        "the tree's nodes are damaged ({0}): stop the node and run `creditbank-node reindex`; the journal has everything"
    )]
    Damaged(ProofError),
    /// The index has no signatures of a checkpoint.
    #[error("the index has no signatures of the checkpoint of size {0}; rebuild the index")]
    NoNote(u64),
    /// The index has no seal for an entry.
    #[error("the index has no seal for log entry {0}; rebuild the index")]
    NoSeal(LogIndex),
}

/// A missing row, or nodes that do not match, remain so until the operator repairs them.
impl From<ReceiptError> for ViewError {
    fn from(error: ReceiptError) -> Self {
        match error {
            ReceiptError::Store(error) => of_store(error),
            ReceiptError::Damaged(_) => damaged(error),
            ReceiptError::NoSeal(_) | ReceiptError::NoNote(_) => missing(error),
            ReceiptError::Range(_) => unavailable(error),
        }
    }
}

impl Shared {
    pub(crate) fn node(&self) -> impl FnMut(u8, u64) -> Result<Digest, ReceiptError> + '_ {
        |level, index| Ok(self.store.node(level, index)?)
    }

    /// Log index of the seal that closes the round of an entry.
    pub(crate) fn seal_of(&self, index: LogIndex) -> Result<LogIndex, ReceiptError> {
        tables::seal_of(self.store(), index)?.ok_or_else(|| {
            let error = ReceiptError::NoSeal(index);
            self.health.damage(&error.to_string());
            error
        })
    }

    /// The receipt of a log entry.
    pub(crate) fn receipt(&self, index: impl Into<LogIndex>) -> Result<Receipt, ReceiptError> {
        let index = index.into();
        let size = self.seal_of(index)?.next().0;
        let root = self.root_of(size)?;
        let checkpoint =
            self.note(Checkpoint { origin: self.state().log.origin_of_size(size).to_owned(), size, root })?;
        let ProvedEntry { index, entry, inclusion } = self.proved(index, size, &root)?;
        Ok(Receipt { entry, index, inclusion, checkpoint })
    }

    /// The note of a checkpoint, as it was signed after its round.
    fn note(&self, checkpoint: Checkpoint) -> Result<Vec<u8>, ReceiptError> {
        let state = self.state();
        if state.head.size == checkpoint.size {
            return Ok(state.checkpoint.clone());
        }
        let note = tables::note_of(self.store(), checkpoint.size)?.filter(|note| !note.lines.is_empty());
        Ok(note.ok_or(ReceiptError::NoNote(checkpoint.size))?.signed(&checkpoint))
    }

    /// The receipts of entries of the newest round, whose checkpoint is signed already. The proofs share most of their
    /// nodes.
    pub(crate) fn newest_receipts(&self) -> impl FnMut(LogIndex) -> Result<Receipt, ReceiptError> + '_ {
        let (head, checkpoint) = {
            let state = self.state();
            (state.head, state.checkpoint.clone())
        };
        let mut node = self.node_once();
        move |index| {
            let ProvedEntry { index, entry, inclusion } = self.proved_by(index, head.size, &head.root, &mut node)?;
            Ok(Receipt { entry, index, inclusion, checkpoint: checkpoint.clone() })
        }
    }

    /// As [`Self::node`], but reads each node once: many proofs in one tree share most of them.
    pub(crate) fn node_once(&self) -> impl FnMut(u8, u64) -> Result<Digest, ReceiptError> + '_ {
        let mut known = HashMap::new();
        move |level, at| match known.entry((level, at)) {
            Entry::Occupied(found) => Ok(*found.get()),
            Entry::Vacant(free) => Ok(*free.insert(self.store.node(level, at)?)),
        }
    }

    /// The root of the tree of `size`, proved to be part of the tree that the guard knows. It will be signed, and it is
    /// made from derived nodes on a disk: a damaged byte must never become a second history.
    fn root_of(&self, size: u64) -> Result<Digest, ReceiptError> {
        let (head_size, head_root) = {
            let state = self.state();
            (state.head.size, state.head.root)
        };
        if size == head_size {
            return Ok(head_root);
        }
        let root = root_at(size, &mut self.node())?;
        let proof = consistency_proof(size, head_size, &mut self.node())?;
        verify_consistency(size, &root, head_size, &head_root, &proof).map_err(|error| self.rotten(error))?;
        Ok(root)
    }

    /// The path by which the tree of `new` begins with the one of `old`, checked before anybody gets it.
    pub(crate) fn consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>, ReceiptError> {
        let proof = consistency_proof(old, new, &mut self.node())?;
        let (old_root, new_root) = (self.root_of(old)?, self.root_of(new)?);
        verify_consistency(old, &old_root, new, &new_root, &proof).map_err(|error| self.rotten(error))?;
        Ok(proof)
    }

    /// A proof that was made from the nodes on the disk is wrong.
    fn rotten(&self, error: ProofError) -> ReceiptError {
        let error = ReceiptError::Damaged(error);
        self.health.damage(&error.to_string());
        error
    }

    /// A log entry with its proof to the tree of `size`, checked before anybody gets it.
    pub(crate) fn proved(
        &self,
        index: impl Into<LogIndex>,
        size: u64,
        root: &Digest,
    ) -> Result<ProvedEntry, ReceiptError> {
        self.proved_by(index.into(), size, root, self.node())
    }

    /// The same, with the nodes of the tree from anywhere.
    pub(crate) fn proved_by(
        &self,
        index: LogIndex,
        size: u64,
        root: &Digest,
        mut node: impl FnMut(u8, u64) -> Result<Digest, ReceiptError>,
    ) -> Result<ProvedEntry, ReceiptError> {
        let proof = inclusion_proof(index.0, size, &mut node)?;
        let entry = self.store.entry(index)?;
        verify_inclusion(&leaf_hash(&entry), index.0, size, &proof, root).map_err(|error| self.rotten(error))?;
        Ok(ProvedEntry { index: index.0, entry, inclusion: proof.iter().map(|hash| hash.0.to_vec()).collect() })
    }
}

impl Ledger {
    /// The newest signed checkpoint; empty before the first round.
    pub fn checkpoint(&self) -> Vec<u8> {
        self.shared.state().checkpoint.clone()
    }

    /// Number of log entries.
    pub fn size(&self) -> u64 {
        self.shared.state().head.size
    }

    /// A log entry's bytes.
    pub fn entry(&self, index: impl Into<LogIndex>) -> Result<Vec<u8>, StoreError> {
        self.shared.store.entry(index.into())
    }

    /// The receipt of a log entry.
    pub fn receipt(&self, index: impl Into<LogIndex>) -> Result<Receipt, ReceiptError> {
        self.shared.receipt(index)
    }

    /// Leaf hash of an entry and its inclusion proof in the tree of `size`, 0 for the newest; and that size.
    pub fn inclusion(&self, index: impl Into<LogIndex>, size: u64) -> Result<(Digest, Vec<Digest>, u64), ReceiptError> {
        let index = index.into().0;
        let size = self.checked_size(size)?;
        let proof = inclusion_proof(index, size, &mut self.shared.node())?;
        let (leaf, root) = (self.shared.store.node(0, index)?, self.shared.root_of(size)?);
        verify_inclusion(&leaf, index, size, &proof, &root).map_err(|error| self.shared.rotten(error))?;
        Ok((leaf, proof, size))
    }

    /// Consistency proof from `old` to `new` (0 for the newest), and the newer size.
    pub fn consistency(&self, old: u64, new: u64) -> Result<(Vec<Digest>, u64), ReceiptError> {
        let new = self.checked_size(new)?;
        Ok((self.shared.consistency(old, new)?, new))
    }

    fn checked_size(&self, asked: u64) -> Result<u64, RangeError> {
        let size = self.size();
        match asked {
            0 => Ok(size),
            asked if asked <= size => Ok(asked),
            asked => Err(RangeError { asked, size }),
        }
    }
}
