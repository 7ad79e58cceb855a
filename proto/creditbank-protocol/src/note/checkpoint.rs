//! Checkpoints: origin, size and root of a log, as the text of a signed note. Ours never carry extension lines.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;

use super::{NoteError, decimal, signed};
use crate::Digest;

/// What a log's operator commits to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// RFC 6962 root.
    pub root: Digest,
}

impl Checkpoint {
    /// Reads the text of a note.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut lines = text.strip_suffix('\n').ok_or(NoteError::Shape)?.split('\n');
        let mut next = |what| lines.next().ok_or(NoteError::Checkpoint(what));
        let (origin, size, root) = (next("no origin")?, next("no size")?, next("no root")?);
        if lines.next().is_some() {
            return Err(NoteError::Checkpoint("extension lines are not accepted"));
        }
        if origin.is_empty() {
            return Err(NoteError::Checkpoint("the origin is empty"));
        }
        let size = decimal(size).ok_or(NoteError::Checkpoint("the size is not a decimal"))?;
        let root = STANDARD.decode(root).ok().and_then(|bytes| Digest::from_slice(&bytes));
        let root = root.ok_or(NoteError::Checkpoint("the root is not 32 bytes in base64"))?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.as_bytes()))
    }
}

/// The signed note of a checkpoint; the key's name is the origin.
pub fn sign_checkpoint(checkpoint: &Checkpoint, log_key: &SigningKey) -> Result<Vec<u8>, NoteError> {
    sign_checkpoint_by(checkpoint, &[log_key])
}

/// The note of a checkpoint that several log keys have signed, with a line for each in their order.
pub fn sign_checkpoint_by(checkpoint: &Checkpoint, log_keys: &[&SigningKey]) -> Result<Vec<u8>, NoteError> {
    let mut note = format!("{}\n", checkpoint.text());
    for key in log_keys {
        note += &signed::log_line(&checkpoint.origin, &checkpoint.text(), key)?.to_line();
    }
    Ok(note.into_bytes())
}
