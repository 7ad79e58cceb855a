//! The signatures of a log, as checks that need no order.

use creditbank_protocol::LogIndex;
use creditbank_protocol::approval::approval_message;
use creditbank_protocol::key::{KeyId, verify};
use creditbank_protocol::seal::SignedSeal;

use super::Contradiction;
use super::contradiction::Subject;
use crate::state::{LogState, ReadBlock};

/// A signature that must hold.
#[derive(Debug, Clone)]
pub struct SignatureCheck {
    /// Log index of the entry.
    pub index: LogIndex,
    /// Whose signature it is.
    pub subject: String,
    /// The key in force.
    pub public_key: Vec<u8>,
    /// What was signed.
    pub message: Vec<u8>,
    /// 64 bytes, if it is one.
    pub signature: Vec<u8>,
}

impl SignatureCheck {
    /// Verifies it, strictly.
    pub fn verify(&self) -> Result<(), Contradiction> {
        verify(&self.public_key, &self.message, &self.signature)
            .map_err(|error| Contradiction::signature(self.index, &self.subject, &error))
    }

    /// The log key's that is in force at a seal.
    pub(super) fn seal(subject: Subject, signed: &SignedSeal, log_key: [u8; 32]) -> Self {
        Self {
            index: subject.index,
            subject: subject.name.to_string(),
            public_key: log_key.to_vec(),
            message: signed.message().as_bytes().to_vec(),
            signature: signed.signature().to_vec(),
        }
    }

    /// Adds those of a block under the keys in force: the signer's and the approvers'. `registry_key` signs the
    /// operator's blocks where the block names no other one.
    pub(super) fn block(
        subject: Subject,
        (state, registry_key): (&LogState, [u8; 32]),
        read: &ReadBlock,
        checks: &mut Vec<Self>,
    ) {
        let (index, block) = (subject.index, read.block());
        let key = |id: &KeyId| state.in_force().registry.key(id).map(|key| key.public_key.clone());
        let signer = match block.header() {
            // A key that takes over may sign for itself.
            header if read.is_operators() => match read.successor() {
                Some(key) if KeyId::of(&key) == header.key_id => key.to_vec(),
                _ => registry_key.to_vec(),
            },
            header => key(&header.key_id).unwrap_or_default(),
        };
        checks.push(Self {
            index,
            subject: subject.name.to_string(),
            public_key: signer,
            message: block.header().message().as_bytes().to_vec(),
            signature: block.signature().to_vec(),
        });
        for (approval, approved) in block.approvals().iter().zip(read.approvals()) {
            let public_key = key(&approved.key).unwrap_or_default();
            checks.push(Self {
                index,
                subject: format!("approval of {}", subject.name),
                public_key,
                message: approval_message(block.header(), approval).as_bytes().to_vec(),
                signature: approval.signature.clone(),
            });
        }
    }
}
