//! C2SP signed notes, checkpoints, cosignatures, proofs and policies: the public formats that the log speaks.
//!
//! signed-note v1.0.0, tlog-checkpoint v1.0.0, tlog-cosignature v1.0.1, tlog-proof and tlog-policy (untagged, July 2026).

mod checkpoint;
mod key;
mod policy;
mod proof;
mod signed;

pub use checkpoint::{Checkpoint, sign_checkpoint, sign_checkpoint_by};
pub use key::{KeyType, VerifierKey};
pub use policy::{Accepted, Policy, PolicyError};
pub use proof::{TlogProof, parse_proof, write_proof};
pub use signed::{NOTE_LEN_MAX, Note, SIGNATURES_MAX, SignatureLine, cosign};

use crate::key::SignatureError;

/// Why bytes are not the note that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than a note may be.
    #[error("the note has {0} bytes, at most {NOTE_LEN_MAX} are allowed")]
    TooLong(usize),
    /// Not UTF-8, or a control character other than a line feed.
    #[error("the note holds something else than plain UTF-8 text")]
    Text,
    /// No blank line before the signatures, or no line feed at an end.
    #[error("the note's text and signatures are not separated by a blank line, or a line is not ended")]
    Shape,
    /// A signature line that is none.
    #[error("signature line {0} is malformed")]
    SignatureLine(usize),
    /// More lines than a note may have.
    #[error("more than {SIGNATURES_MAX} signature lines")]
    TooManySignatures,
    /// A key line that is none.
    #[error("the key is malformed: {0}")]
    Key(&'static str),
    /// A line of a trusted key does not verify.
    #[error("the signature of {name} does not hold: {error}")]
    Signature {
        /// The key's name.
        name: String,
        /// What is wrong.
        error: SignatureError,
    },
    /// No line of a trusted log key.
    #[error("no signature of a trusted log for origin {origin}")]
    NoTrustedLog {
        /// The origin of the note.
        origin: String,
    },
    /// Too few trusted witnesses.
    #[error("the witnesses {found:?} are not the quorum of the policy")]
    Quorum {
        /// The witnesses whose cosignatures hold.
        found: Vec<String>,
    },
    /// A checkpoint body that is none.
    #[error("the checkpoint is malformed: {0}")]
    Checkpoint(&'static str),
    /// A tlog-proof that is none.
    #[error("the proof is malformed: {0}")]
    Proof(&'static str),
}

/// A decimal without sign and superfluous zeros.
fn decimal(text: &str) -> Option<u64> {
    let value: u64 = text.parse().ok()?;
    (value.to_string() == text).then_some(value)
}
