//! Verifier keys, in the text form `name+id+base64`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::NoteError;
use crate::hash::sha256;
use crate::key::verifying_key;

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum KeyType {
    /// A log: Ed25519 over the note's text.
    Log = 0x01,
    /// A witness: Ed25519, timestamped (cosignature/v1).
    Cosigner = 0x04,
}

/// A public key of a log or a witness, with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    // Invariant: not empty, without white space and `+`. `new` refuses the rest.
    name: String,
    key_type: KeyType,
    public_key: [u8; 32],
}

impl VerifierKey {
    /// A key; refused when the name cannot stand in a note or the key is no point of full order.
    pub fn new(name: &str, key_type: KeyType, public_key: [u8; 32]) -> Result<Self, NoteError> {
        if !valid_name(name) {
            return Err(NoteError::Key("the name is empty or holds white space or a plus sign"));
        }
        verifying_key(&public_key).map_err(|_| NoteError::Key("the public key is not a valid Ed25519 key"))?;
        Ok(Self { name: name.to_owned(), key_type, public_key })
    }

    /// Reads `name+id+base64`. Base64 may hold a plus sign too, so only the first two separate.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(data)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key("expected name+id+base64"));
        };
        let data = STANDARD.decode(data).map_err(|_| NoteError::Key("the last part is not base64"))?;
        let (key_type, public_key) = data.split_first().ok_or(NoteError::Key("the last part is empty"))?;
        let key_type = match key_type {
            0x01 => KeyType::Log,
            0x04 => KeyType::Cosigner,
            _ => return Err(NoteError::Key("the type is neither Ed25519 (1) nor cosignature/v1 (4)")),
        };
        let public_key = public_key.try_into().map_err(|_| NoteError::Key("the public key is not 32 bytes"))?;
        let key = Self::new(name, key_type, public_key)?;
        if key.id_text() == id { Ok(key) } else { Err(NoteError::Key("the id does not belong to name and key")) }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The 32 bytes.
    pub fn public_key(&self) -> &[u8; 32] {
        &self.public_key
    }

    /// First four bytes of SHA-256(name, line feed, type, public key).
    pub fn id(&self) -> [u8; 4] {
        let preimage = [self.name.as_bytes(), b"\n", &[self.key_type as u8], &self.public_key].concat();
        let digest = sha256(&preimage);
        [digest.0[0], digest.0[1], digest.0[2], digest.0[3]]
    }

    fn id_text(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(self.id()))
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let data = [&[self.key_type as u8][..], &self.public_key].concat();
        write!(f, "{}+{}+{}", self.name, self.id_text(), STANDARD.encode(data))
    }
}

/// Whether a name can stand in a note.
pub(super) fn valid_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}
