//! Key files on the disk: text, mode 0600.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::pb::Purpose;
use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use crate::ClientError;
use crate::files::{PRIVATE, at, write_new};
use crate::secret::random;

/// Makes a random key for a purpose and writes it to a new file; never replaces one.
pub fn generate(path: &Path, purpose: Purpose) -> Result<KeyFile, ClientError> {
    let key = KeyFile { purpose, key: SigningKey::from_bytes(&random()?) };
    write_new(path, key.to_text().as_bytes(), PRIVATE).map_err(at(path))?;
    Ok(key)
}

/// Reads a key file; refused when others may read it.
pub fn read(path: &Path) -> Result<KeyFile, ClientError> {
    let mode = fs::metadata(path).map_err(at(path))?.permissions().mode() & 0o777;
    let shown = path.display();
    if mode & 0o077 != 0 {
        return Err(ClientError::Local(format!(
            "{shown} has mode {mode:o}: a key must be its owner's alone (chmod 600)"
        )));
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(at(path))?);
    KeyFile::parse(&text).map_err(|error| ClientError::Local(format!("{shown}: {error}")))
}

/// Reads a key file that must be for `purpose`.
pub fn read_for(path: &Path, purpose: Purpose) -> Result<KeyFile, ClientError> {
    let key = read(path)?;
    if key.purpose == purpose {
        return Ok(key);
    }
    let name = creditbank_protocol::key_file::purpose_name;
    let (found, expected) = (name(key.purpose), name(purpose));
    Err(ClientError::Local(format!("{} is a key for {found}, expected one for {expected}", path.display())))
}
