//! Receipts: what an issuer keeps of a sealed block.

use crate::entry::{Entry, EntryError};
use crate::merkle::{self, ProofError};
use crate::note::{Checkpoint, NoteError, Policy, VerifierKey};
use crate::pb;
use crate::{Digest, LogIndex};

/// A receipt whose proof holds.
#[derive(Debug, Clone)]
pub struct VerifiedReceipt {
    /// The block or the seal.
    pub entry: Entry,
    /// Its log index.
    pub index: LogIndex,
    /// Its leaf hash.
    pub leaf: Digest,
    /// The checkpoint that the proof leads to.
    pub checkpoint: Checkpoint,
}

/// Why a receipt proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The note does not verify under the trust file.
    #[error("checkpoint: {0}")]
    Note(#[from] NoteError),
    /// The entry is none.
    #[error("entry: {0}")]
    Entry(#[from] EntryError),
    /// A hash of the path is not 32 bytes.
    #[error("a hash of the inclusion proof has {0} bytes, expected 32")]
    Hash(usize),
    /// The path does not lead to the root.
    #[error("inclusion: {0}")]
    Proof(#[from] ProofError),
    /// The entry belongs to another log.
    #[error("the entry's origin is {found}, the checkpoint's is {expected}")]
    Origin {
        /// The checkpoint's.
        expected: String,
        /// The entry's.
        found: String,
    },
}

/// Checks note, path and origin. Whether the entry is the one that was submitted is the caller's to compare.
pub fn verify_receipt(receipt: &pb::Receipt, policy: &Policy) -> Result<VerifiedReceipt, ReceiptError> {
    verify_receipt_by(receipt, policy, &[])
}

/// As [`verify_receipt`], where one of these keys may have signed ([`Policy::verify_signed_by`]).
pub fn verify_receipt_by(
    receipt: &pb::Receipt,
    policy: &Policy,
    log_keys: &[VerifierKey],
) -> Result<VerifiedReceipt, ReceiptError> {
    let checkpoint = policy.verify_signed_by(&receipt.checkpoint, log_keys)?.checkpoint;
    let hash = |bytes: &Vec<u8>| Digest::from_slice(bytes).ok_or(ReceiptError::Hash(bytes.len()));
    let path = receipt.inclusion.iter().map(hash).collect::<Result<Vec<_>, _>>()?;
    let leaf = merkle::leaf_hash(&receipt.entry);
    merkle::verify_inclusion(&leaf, receipt.index, checkpoint.size, &path, &checkpoint.root)?;
    let entry = Entry::parse(&receipt.entry)?;
    let origin = match &entry {
        Entry::Head(head) => &head.header().origin,
        Entry::Seal(seal) => &seal.seal().origin,
        // It names no log: its head does.
        Entry::Public(_) => return Err(EntryError::NoHead.into()),
    };
    if *origin != checkpoint.origin {
        return Err(ReceiptError::Origin { expected: checkpoint.origin, found: origin.clone() });
    }
    Ok(VerifiedReceipt { entry, index: LogIndex(receipt.index), leaf, checkpoint })
}
