//! Documents that stay with the institution: their SHA-256 goes into records.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::ClientError;

/// The SHA-256 of a file.
pub fn digest(path: &Path) -> Result<[u8; 32], ClientError> {
    let at = |error| ClientError::File { path: path.display().to_string(), error };
    let mut file = File::open(path).map_err(at)?;
    let (mut hasher, mut part) = (Sha256::new(), vec![0; 64 << 10]);
    loop {
        match file.read(&mut part).map_err(at)? {
            0 => return Ok(hasher.finalize().into()),
            len => hasher.update(&part[..len]),
        }
    }
}
