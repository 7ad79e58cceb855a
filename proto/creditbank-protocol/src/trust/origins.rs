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
    /// Another name than the file has at this place: a rival log.
    #[error("the log goes on as {found}, which the trust file does not name: it names {expected}")]
    OtherOrigin {
        /// What the trust file names there.
        expected: String,
        /// What the log says.
        found: String,
    },
}

impl Trust {
    /// The origin that a log was begun with, of which the newest that is known is this one.
    pub fn first_origin<'a>(&'a self, newest: &'a str) -> &'a str {
        self.former.first().map_or(newest, |first| &first.origin)
    }

    /// The keys beside the policy's that sign checkpoints of a log that this file trusts: those that have followed, and
    /// those of its other origins. Of an origin that the policy names, those that follow a key that it names.
    pub fn followers(&self, history: &LogKeyHistory) -> Result<Vec<VerifierKey>, NoteError> {
        let logs = self.policy.logs();
        let is_named = |origin: &str| logs.iter().any(|log| log.name() == origin);
        let is_former = |origin: &str| self.former.iter().any(|former| former.origin == origin);
        let origins = history.origins();
        if !origins.all().any(|(_, origin)| is_named(origin) || is_former(origin)) {
            return Ok(Vec::new());
        }
        let mut keys = Vec::new();
        for (_, origin) in origins.all() {
            // What does not lead back to a key of the policy may be a thief's: he can begin the same name with another.
            let mut counts = !is_named(origin);
            for (_, key) in history.signers_of(origin) {
                if counts {
                    keys.push(VerifierKey::new(origin, KeyType::Log, key)?);
                }
                counts |= logs.iter().any(|log| log.name() == origin && *log.public_key() == key);
            }
        }
        Ok(keys)
    }

    /// Refuses a checkpoint of a former origin beyond its end.
    pub fn check_former(&self, checkpoint: &Checkpoint) -> Result<(), FormerError> {
        for FormerOrigin { origin, size } in &self.former {
            let size = size.0;
            if checkpoint.origin == *origin && checkpoint.size > size {
                return Err(FormerError::Beyond { origin: origin.clone(), size, found: checkpoint.size });
            }
        }
        Ok(())
    }

    /// Checks that a log had the former origins of this file, each up to where it ends, and has gone on from the last
    /// of them as a log that the policy names.
    pub fn check_origins(&self, history: &LogKeyHistory) -> Result<(), FormerError> {
        if self.former.is_empty() {
            return Ok(());
        }
        let origins = history.origins();
        for (at, (_, found)) in origins.all().enumerate().take(self.former.len() + 1) {
            let known = self.former.get(at);
            let is_named = || self.policy.logs().iter().any(|log| log.name() == found);
            if !known.map_or_else(is_named, |known| known.origin == found) {
                let named = || self.policy.logs().iter().map(VerifierKey::name).collect::<Vec<_>>().join(", ");
                let expected = known.map_or_else(named, |known| known.origin.clone());
                return Err(FormerError::OtherOrigin { expected, found: found.to_owned() });
            }
            let end = origins.former().get(at).map(|former| former.size.0);
            if let Some((known, end)) = known.zip(end).filter(|(known, end)| known.size.0 != *end) {
                let FormerOrigin { origin, size } = known.clone();
                return Err(FormerError::EndsElsewhere { origin, size: size.0, found: end });
            }
        }
        Ok(())
    }

    /// Whether an origin is a former one by this file: what is said of it is never current.
    pub fn is_former(&self, origin: &str) -> bool {
        self.former.iter().any(|former| former.origin == origin)
    }
}
