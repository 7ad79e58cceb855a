//! The head of a block: what a unit signs, and by whom it is signed and approved.

use super::{
    BLOCK_VERSION, BlockError, HEAD_LEN_MAX, Header, Public, SignedBlock, check_effects, check_places, check_positions,
};
use crate::canonical::decode;
use crate::key::{self, KeyId};
use crate::once::SALT_LEN;
use crate::pb;
use crate::record::SUITE;

/// A head whose shape is right. The signature may be anything until [`SignedHead::verify`].
#[derive(Debug, Clone, PartialEq)]
pub struct SignedHead {
    header: Header,
    signature: Vec<u8>,
    approvals: Vec<pb::Approval>,
}

impl SignedHead {
    /// Reads a canonical `BlockHead`.
    pub fn parse(bytes: &[u8]) -> Result<Self, BlockError> {
        if bytes.len() > HEAD_LEN_MAX {
            return Err(BlockError::TooLong(bytes.len()));
        }
        Self::new(decode(bytes)?)
    }

    pub(super) fn new(head: pb::BlockHead) -> Result<Self, BlockError> {
        let pb::BlockHead { header, signature, approvals, second_signature } = head;
        if !second_signature.is_empty() {
            return Err(BlockError::Version { suite: u32::from(SUITE), version: BLOCK_VERSION });
        }
        let header = Header::parse(header)?;
        if signature.is_empty() {
            return Err(BlockError::Missing("signature"));
        }
        if approvals.iter().any(|approval| approval.salt.len() != SALT_LEN) {
            return Err(BlockError::Missing("salt of the approval"));
        }
        // They ascend by their bytes (canonical form), which begin with the key.
        if approvals.windows(2).any(|pair| pair[0].key_id == pair[1].key_id) {
            return Err(BlockError::RepeatedApproval);
        }
        Ok(Self { header, signature, approvals })
    }

    /// The block with this head and this public part, which must be the one that was signed; of a block without one,
    /// the
    /// empty part.
    pub fn with_public(self, public: Public) -> Result<SignedBlock, BlockError> {
        let found = public.pieces();
        if found != self.header.pieces {
            return Err(BlockError::PublicRoot { expected: Box::new(self.header.pieces), found: Box::new(found) });
        }
        check_positions(public.part(), self.header.count)?;
        check_effects(&public.part().groups)?;
        check_places(&public.part().groups)?;
        Ok(SignedBlock { head: self, public })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The unit's signature, 64 bytes where it is one; unchecked.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The consents of other persons, each by another key; unchecked.
    pub fn approvals(&self) -> &[pb::Approval] {
        &self.approvals
    }

    /// The keys of all who stand by the block: the one that signed it, then those that approved it; unchecked. What one
    /// of them has sealed while it was stolen is contested.
    pub fn key_ids(&self) -> impl Iterator<Item = KeyId> + '_ {
        let approvers = self.approvals.iter().filter_map(|approval| KeyId::from_slice(&approval.key_id));
        std::iter::once(self.header.key_id).chain(approvers)
    }

    /// Whether a public part belongs to it.
    pub fn has_public(&self) -> bool {
        self.header.pieces.count > 0
    }

    /// Checks the unit's signature. Needs no state, so callers may run it on any thread.
    pub fn verify(&self, public_key: &[u8]) -> Result<(), BlockError> {
        Ok(key::verify(public_key, self.header.message().as_bytes(), &self.signature)?)
    }

    /// The message; it has the bytes that it was read from, as those were canonical.
    pub(crate) fn message(&self) -> pb::BlockHead {
        let Self { header, signature, approvals } = self.clone();
        pb::BlockHead { header: header.into_bytes(), signature, approvals, second_signature: Vec::new() }
    }
}
