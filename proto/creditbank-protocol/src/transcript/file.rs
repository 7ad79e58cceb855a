//! The `.cbt` file: magic, canonical `Transcript`, checksum.
//!
//! The checksum proves nothing (anybody can compute one); it makes an accident a clear error before any proof is looked at.

use crate::canonical::{CanonicalError, decode, encode};
use crate::hash::{Preimage, tag};
use crate::pb;

/// First bytes of the file: `CBT` and the version of the container.
pub const MAGIC: [u8; 4] = *b"CBT\x01";
/// Most bytes of a file: 64 MiB.
pub const TRANSCRIPT_LEN_MAX: usize = 64 << 20;
const CHECKSUM_LEN: usize = 32;

/// Why bytes are no transcript file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Larger than a transcript may be.
    #[error("the file has {0} bytes, at most {TRANSCRIPT_LEN_MAX} are allowed")]
    TooLong(usize),
    /// Another kind of file.
    #[error("the file does not begin with CBT 0x01: it is no transcript, or of a newer version")]
    Magic,
    /// Bytes were changed, lost or added.
    #[error("the checksum does not hold: bytes were changed, lost or added")]
    Checksum,
    /// Not canonical.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// The bytes of the file.
pub fn write_file(transcript: &pb::Transcript) -> Result<Vec<u8>, FileError> {
    let mut file = MAGIC.to_vec();
    file.extend_from_slice(&encode(transcript)?);
    let checksum = Preimage::new(tag::TRANSCRIPT).variable(&file).digest();
    file.extend_from_slice(checksum.as_bytes());
    if file.len() > TRANSCRIPT_LEN_MAX { Err(FileError::TooLong(file.len())) } else { Ok(file) }
}

/// Reads a file; proves nothing yet.
pub fn open_file(file: &[u8]) -> Result<pb::Transcript, FileError> {
    if file.len() > TRANSCRIPT_LEN_MAX {
        return Err(FileError::TooLong(file.len()));
    }
    if !file.starts_with(&MAGIC) {
        return Err(FileError::Magic);
    }
    let end = file.len().checked_sub(CHECKSUM_LEN).filter(|end| *end >= MAGIC.len()).ok_or(FileError::Checksum)?;
    let (content, checksum) = file.split_at(end);
    if Preimage::new(tag::TRANSCRIPT).variable(content).digest().as_bytes() != checksum {
        return Err(FileError::Checksum);
    }
    Ok(decode(&content[MAGIC.len()..])?)
}
