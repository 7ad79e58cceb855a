//! The Identities of a file: a file of results names a learner on every line, and each Identity is made once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use creditbank_protocol::counted;
use sha2::{Digest as _, Sha256};

use super::RefusedLine;
use super::draft::DraftRecord;

/// Learners of whom two lines of a file say something else, by the first bytes of who they are.
pub(crate) type Contradicted = Arc<HashSet<[u8; 16]>>;

/// The Identities of the lines until now: bounded at 40 bytes a learner.
#[derive(Default)]
pub(super) struct People {
    /// First bytes of who it is, with the line and the first bytes of what it says.
    seen: HashMap<[u8; 16], (u64, [u8; 16])>,
    /// Of this reading.
    contradicted: HashSet<[u8; 16]>,
    /// Of an earlier reading of the same file.
    known: Contradicted,
    again: u64,
}

impl People {
    /// The same, where the file was read before.
    pub(super) fn knowing(known: Contradicted) -> Self {
        Self { known, ..Self::default() }
    }

    /// Whether an earlier line has made the same Identity. Where two lines say something else of one learner, each of them is
    /// refused: nobody can tell which number was mistyped.
    pub(super) fn has(&mut self, identity: &DraftRecord) -> Result<bool, RefusedLine> {
        let who = short(&identity.reference);
        let refuse = |reason: String| RefusedLine { line: identity.line, field: "identity".to_owned(), reason };
        let seen = self.seen.get(&who).copied();
        if self.known.contains(&who) && seen.is_none() {
            self.add(identity);
            return Err(refuse(
                "a later line says something else of who this learner is: correct the one that is wrong".to_owned(),
            ));
        }
        match seen {
            None => Ok(false),
            Some((_, said)) if said == short(&identity.body_bytes()) && !self.known.contains(&who) => {
                self.again += 1;
                Ok(true)
            }
            Some((line, _)) => {
                self.contradicted.insert(who);
                Err(refuse(format!(
                    "line {line} says something else of who this learner is: correct the one that is wrong"
                )))
            }
        }
    }

    pub(super) fn add(&mut self, identity: &DraftRecord) {
        self.seen.insert(short(&identity.reference), (identity.line, short(&identity.body_bytes())));
    }

    /// Learners of whom the lines until now contradict each other.
    pub(super) fn contradicted(&self) -> Contradicted {
        Arc::new(self.contradicted.iter().chain(self.known.iter()).copied().collect())
    }

    /// What a registrar should know of them.
    pub(super) fn note(&self) -> Option<String> {
        let again = self.again;
        (again > 0).then(|| {
            format!(
                "{} about a learner what an earlier line says: each Identity is made once",
                counted(again, "line says", "lines say")
            )
        })
    }
}

fn short(bytes: &[u8]) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    std::array::from_fn(|i| digest[i])
}
