//! The Identities of a file: a file of results names a learner on every line, and each Identity is made once.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::RefusedLine;
use super::draft::DraftRecord;

/// The Identities of the lines until now: bounded at 40 bytes a learner.
#[derive(Default)]
pub(super) struct People {
    /// First bytes of who it is, with the line and the first bytes of what it says.
    seen: HashMap<[u8; 16], (u64, [u8; 16])>,
    again: u64,
}

impl People {
    /// Whether an earlier line has made the same Identity. A line that says something else of the learner is refused.
    pub(super) fn has(&mut self, identity: &DraftRecord) -> Result<bool, RefusedLine> {
        match self.seen.get(&short(&identity.reference)) {
            None => Ok(false),
            Some((_, said)) if *said == short(&identity.body_bytes()) => {
                self.again += 1;
                Ok(true)
            }
            Some((line, _)) => Err(RefusedLine {
                line: identity.line,
                field: "identity".to_owned(),
                reason: format!(
                    "line {line} says something else of who this learner is: correct the one that is wrong"
                ),
            }),
        }
    }

    pub(super) fn add(&mut self, identity: &DraftRecord) {
        self.seen.insert(short(&identity.reference), (identity.line, short(&identity.body_bytes())));
    }

    /// What a registrar should know of them.
    pub(super) fn note(&self) -> Option<String> {
        let again = self.again;
        (again > 0).then(|| {
            format!("{again} lines say of who a learner is what an earlier line says: each Identity is made once")
        })
    }
}

fn short(bytes: &[u8]) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    std::array::from_fn(|i| digest[i])
}
