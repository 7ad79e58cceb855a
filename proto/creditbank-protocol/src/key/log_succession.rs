//! After a theft of the log key the log goes on under another origin and another log key.
//!
//! Witnesses that have cosigned what the thief has signed never cosign anything else of that origin, so the origin is
//! lost. The entries are not: the tree goes on from a size that the operator names, under the registry key. The old log
//! key has signed that too: its owner still has it, and whoever has stolen the registry key alone has not.

use super::{SignatureError, verify, verifying_key};
use crate::hash::{Preimage, tag};
use crate::note::{KeyType, VerifierKey};
use crate::{Digest, LogIndex, pb};

/// An origin that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerOrigin {
    /// The name.
    pub origin: String,
    /// Entries from this log index on bear another one.
    pub size: LogIndex,
}

/// The names of a log, each up to where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginHistory {
    former: Vec<FormerOrigin>,
    newest: String,
}

/// Why a log does not go on under another origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogSuccessionError {
    /// It follows another origin than the one in force.
    #[error("the succession follows {found}, expected {expected}")]
    Origin {
        /// In force.
        expected: String,
        /// What it says.
        found: String,
    },
    /// The log had that name before.
    #[error("the new origin {0} is or was an origin of the log")]
    KnownOrigin(String),
    /// The log key is or was one of the log.
    #[error("the new log key is or was a log key of the log")]
    KnownKey,
    /// Its block is not where it says that the old origin ends.
    #[error("the succession says size {found}, its block is at {expected}")]
    Size {
        /// The log index of its block.
        expected: LogIndex,
        /// What it says.
        found: LogIndex,
    },
    /// Without this it says nothing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The new log key has not signed it.
    #[error("the new log key's signature: {0}")]
    Signature(#[from] SignatureError),
    /// The log key that has signed the last seal of the old origin has not signed it.
    #[error("the old log key's signature: {0}")]
    FormerSignature(SignatureError),
}

impl OriginHistory {
    /// Of a log that was begun with a name.
    pub fn new(origin: &str) -> Self {
        Self { former: Vec::new(), newest: origin.to_owned() }
    }

    /// The name with which the log was begun: its genesis value is bound to it.
    pub fn first(&self) -> &str {
        self.former.first().map_or(&self.newest, |first| &first.origin)
    }

    /// The name that holds now.
    pub fn newest(&self) -> &str {
        &self.newest
    }

    /// The names that have ended, in their order.
    pub fn former(&self) -> &[FormerOrigin] {
        &self.former
    }

    /// The name that the entry at a log index bears.
    pub fn at(&self, index: LogIndex) -> &str {
        self.former.iter().find(|former| index < former.size).map_or(&self.newest, |former| &former.origin)
    }

    /// The name that a checkpoint of a size bears: that of the seal with which it ends.
    pub fn of_size(&self, size: u64) -> &str {
        self.at(LogIndex(size.saturating_sub(1)))
    }

    /// All names, each with the log index from which on it holds.
    pub fn all(&self) -> impl Iterator<Item = (LogIndex, &str)> + '_ {
        let begins = std::iter::once(LogIndex(0)).chain(self.former.iter().map(|former| former.size));
        begins.zip(self.former.iter().map(|former| former.origin.as_str()).chain([self.newest.as_str()]))
    }

    /// Takes in what the block at a log index says; the new log key. `before` has signed the last seal. Whether the
    /// tree had the root that is named, and who has signed the block, is the caller's to check.
    pub(super) fn follow(
        &mut self,
        block: LogIndex,
        said: &pb::LogSuccession,
        before: &[u8; 32],
    ) -> Result<[u8; 32], LogSuccessionError> {
        for (present, field) in [
            (!said.new_origin.is_empty(), "new_origin"),
            (!said.case_reference.is_empty(), "case_reference"),
            (said.root.len() == 32, "root"),
            (said.size != 0, "size"),
        ] {
            if !present {
                return Err(LogSuccessionError::Missing(field));
            }
        }
        let log_key = said.log_key.as_slice().try_into().map_err(|_| LogSuccessionError::Missing("log_key"))?;
        if VerifierKey::new(&said.new_origin, KeyType::Log, log_key).is_err() {
            return Err(LogSuccessionError::Missing("new_origin"));
        }
        if said.origin != self.newest {
            return Err(LogSuccessionError::Origin { expected: self.newest.clone(), found: said.origin.clone() });
        }
        if self.all().any(|(_, known)| known == said.new_origin) {
            return Err(LogSuccessionError::KnownOrigin(said.new_origin.clone()));
        }
        let size = LogIndex(said.size);
        if size != block {
            return Err(LogSuccessionError::Size { expected: block, found: size });
        }
        verifying_key(&log_key)?;
        let message = log_succession_message(said);
        verify(&log_key, message.as_bytes(), &said.signature)?;
        verify(before, message.as_bytes(), &said.former_signature).map_err(LogSuccessionError::FormerSignature)?;
        let origin = std::mem::replace(&mut self.newest, said.new_origin.clone());
        self.former.push(FormerOrigin { origin, size });
        Ok(log_key)
    }
}

/// What the new log key signs, and the old one too.
pub fn log_succession_message(said: &pb::LogSuccession) -> Preimage {
    Preimage::new(tag::LOG_SUCCESSION)
        .variable(said.origin.as_bytes())
        .u64(said.size)
        .fixed(&said.root)
        .variable(said.new_origin.as_bytes())
        .fixed(&said.log_key)
        .variable(said.case_reference.as_bytes())
}

/// The root that a succession names.
pub fn succession_root(said: &pb::LogSuccession) -> Option<Digest> {
    Digest::from_slice(&said.root)
}
