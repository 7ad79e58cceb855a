//! The text form of an inclusion proof (C2SP tlog-proof), file extension `.tlog-proof`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{NoteError, decimal};
use crate::Digest;
use crate::merkle::PROOF_LEN_MAX;

const HEAD: &str = "c2sp.org/tlog-proof@v1";

/// An inclusion proof with the checkpoint that it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Log index of the entry.
    pub index: u64,
    /// Leaf sibling first.
    pub hashes: Vec<Digest>,
    /// The signed note, verbatim.
    pub checkpoint: Vec<u8>,
}

/// The text.
pub fn write_proof(proof: &TlogProof) -> Vec<u8> {
    let mut text = format!("{HEAD}\nindex {}\n", proof.index);
    for hash in &proof.hashes {
        text.push_str(&STANDARD.encode(hash.as_bytes()));
        text.push('\n');
    }
    text.push('\n');
    [text.as_bytes(), &proof.checkpoint].concat()
}

/// Reads the text; strictly, without the optional `extra` line, which proves nothing.
pub fn parse_proof(bytes: &[u8]) -> Result<TlogProof, NoteError> {
    let text = std::str::from_utf8(bytes).map_err(|_| NoteError::Text)?;
    let (head, checkpoint) = text.split_once("\n\n").ok_or(NoteError::Proof("no blank line before the checkpoint"))?;
    let mut lines = head.split('\n');
    if lines.next() != Some(HEAD) {
        return Err(NoteError::Proof("the first line is not c2sp.org/tlog-proof@v1"));
    }
    let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(decimal);
    let index = index.ok_or(NoteError::Proof("the second line is not an index"))?;
    let mut hashes = Vec::new();
    for line in lines {
        let hash = STANDARD.decode(line).ok().and_then(|bytes| Digest::from_slice(&bytes));
        hashes.push(hash.ok_or(NoteError::Proof("a hash is not 32 bytes in base64"))?);
        if hashes.len() > PROOF_LEN_MAX {
            return Err(NoteError::Proof("more than 64 hashes"));
        }
    }
    Ok(TlogProof { index, hashes, checkpoint: checkpoint.as_bytes().to_vec() })
}
