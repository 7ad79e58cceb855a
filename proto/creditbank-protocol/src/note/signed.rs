//! Signed notes: text, a blank line, signature lines.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;

use super::key::valid_name;
use super::{KeyType, NoteError, VerifierKey};
use crate::key::{self, SignatureError};

/// Most bytes of a note.
pub const NOTE_LEN_MAX: usize = 65_536;
/// Most signature lines of a note.
pub const SIGNATURES_MAX: usize = 100;
const LINE_START: &str = "\u{2014} ";

/// A note whose shape is right; its signatures may be anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine {
    /// Name of the key.
    pub name: String,
    /// Id of the key.
    pub id: [u8; 4],
    /// What follows the id.
    pub signature: Vec<u8>,
}

impl Note {
    /// Reads a note.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_LEN_MAX {
            return Err(NoteError::TooLong(bytes.len()));
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Text)?;
        if note.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(NoteError::Text);
        }
        let split = note.rfind("\n\n").ok_or(NoteError::Shape)?;
        let (text, lines) = (&note[..=split], &note[split + 2..]);
        if lines.is_empty() || !lines.ends_with('\n') {
            return Err(NoteError::Shape);
        }
        let mut signatures = Vec::new();
        for (number, line) in lines.split_terminator('\n').enumerate() {
            if number == SIGNATURES_MAX {
                return Err(NoteError::TooManySignatures);
            }
            signatures.push(SignatureLine::parse(line).ok_or(NoteError::SignatureLine(number + 1))?);
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The signed text, with its last line feed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The lines.
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// Whether `key` has signed: `None` when no line names it; an error when a line does and does not verify. For a
    /// cosigner, the time of the cosignature in seconds since 1970; for a log, 0.
    pub fn signed_by(&self, key: &VerifierKey) -> Result<Option<u64>, NoteError> {
        let mut found = None;
        for line in self.signatures.iter().filter(|line| line.name == key.name() && line.id == key.id()) {
            let time = verify_line(&self.text, key, &line.signature)
                .map_err(|error| NoteError::Signature { name: line.name.clone(), error })?;
            found = Some(time);
        }
        Ok(found)
    }
}

fn verify_line(text: &str, key: &VerifierKey, signature: &[u8]) -> Result<u64, SignatureError> {
    match key.key_type() {
        KeyType::Log => key::verify(key.public_key(), text.as_bytes(), signature).map(|()| 0),
        KeyType::Cosigner => {
            let (time, signature) =
                signature.split_first_chunk::<8>().ok_or(SignatureError::Length(signature.len()))?;
            let time = u64::from_be_bytes(*time);
            if time > i64::MAX.unsigned_abs() {
                return Err(SignatureError::Invalid);
            }
            key::verify(key.public_key(), cosigned_message(text, time).as_bytes(), signature).map(|()| time)
        }
    }
}

fn cosigned_message(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

impl SignatureLine {
    fn parse(line: &str) -> Option<Self> {
        let (name, data) = line.strip_prefix(LINE_START)?.split_once(' ')?;
        let blob = STANDARD.decode(data).ok()?;
        let (id, signature) = blob.split_first_chunk::<4>()?;
        (valid_name(name) && !signature.is_empty()).then(|| Self {
            name: name.to_owned(),
            id: *id,
            signature: signature.to_vec(),
        })
    }

    /// The line, with its line feed.
    pub fn to_line(&self) -> String {
        format!("{LINE_START}{} {}\n", self.name, STANDARD.encode([&self.id[..], &self.signature].concat()))
    }
}

/// The line by which a log signs `text`.
pub(super) fn log_line(name: &str, text: &str, signer: &SigningKey) -> Result<SignatureLine, NoteError> {
    let key = VerifierKey::new(name, KeyType::Log, signer.verifying_key().to_bytes())?;
    Ok(SignatureLine { name: name.to_owned(), id: key.id(), signature: key::sign(signer, text.as_bytes()).to_vec() })
}

/// The line by which a witness cosigns the text of a checkpoint at `time_s`, seconds since 1970.
pub fn cosign(name: &str, text: &str, time_s: u64, signer: &SigningKey) -> Result<SignatureLine, NoteError> {
    let key = VerifierKey::new(name, KeyType::Cosigner, signer.verifying_key().to_bytes())?;
    let signature = key::sign(signer, cosigned_message(text, time_s).as_bytes());
    Ok(SignatureLine {
        name: name.to_owned(),
        id: key.id(),
        signature: [&time_s.to_be_bytes()[..], &signature].concat(),
    })
}
