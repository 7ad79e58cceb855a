//! What a verifier takes of a log that goes on under another origin.

use super::Trust;
use crate::key::{FormerOrigin, LogKeyHistory};
use crate::note::{Checkpoint, KeyType, NoteError, VerifierKey};

/// A former origin does not end where the trust file says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormerError {
    /// A checkpoint of it that is larger: the thief's.
    #[error("{origin} holds up to size {size} by the trust file, the checkpoint has {found}")]
    Beyond {
        /// The origin.
        origin: String,
        /// Where it ends.
        size: u64,
        /// The size of the checkpoint.
        found: u64,
    },
    /// A succession at another size.
    #[error("{origin} ends at size {size} by the trust file, the succession is at {found}")]
    EndsElsewhere {
        /// The origin.
        origin: String,
        /// Where it ends.
        size: u64,
        /// Where the succession is.
        found: u64,
    },
}

impl Trust {
    /// The origin that a log was begun with, of which the newest that is known is this one.
    pub fn first_origin<'a>(&'a self, newest: &'a str) -> &'a str {
        self.former.first().map_or(newest, |first| &first.origin)
    }

    /// The keys beside the policy's that sign checkpoints of a log that this file trusts: those that have followed, and
    /// those of its other origins.
    pub fn followers(&self, history: &LogKeyHistory) -> Result<Vec<VerifierKey>, NoteError> {
        let is_named = |origin: &str| self.policy.logs().iter().any(|log| log.name() == origin);
        let is_former = |origin: &str| self.former.iter().any(|former| former.origin == origin);
        let origins = history.origins();
        if !origins.all().any(|(_, origin)| is_named(origin) || is_former(origin)) {
            return Ok(Vec::new());
        }
        let mut keys = Vec::new();
        for (begins, origin) in origins.all() {
            // Of an origin that the policy names, the policy says whether the first key still counts.
            let own = |(from, _): &(crate::LogIndex, [u8; 32])| *from > begins || !is_named(origin);
            for (_, key) in history.signers_of(origin).filter(own) {
                keys.push(VerifierKey::new(origin, KeyType::Log, key)?);
            }
        }
        Ok(keys)
    }

    /// Checks that the log's origins end where the file says. Refuses a checkpoint of a former origin beyond its end.
    pub fn check_former(&self, checkpoint: &Checkpoint, history: &LogKeyHistory) -> Result<(), FormerError> {
        for FormerOrigin { origin, size } in &self.former {
            let size = size.0;
            if checkpoint.origin == *origin && checkpoint.size > size {
                return Err(FormerError::Beyond { origin: origin.clone(), size, found: checkpoint.size });
            }
            let said = history.origins().former().iter().find(|said| said.origin == *origin);
            if let Some(said) = said.filter(|said| said.size.0 != size) {
                return Err(FormerError::EndsElsewhere { origin: origin.clone(), size, found: said.size.0 });
            }
        }
        Ok(())
    }
}
