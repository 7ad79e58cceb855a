//! Subject statements: the node's word that records are about one person.
//!
//! A statement does not list its records: it commits to each under a salt of its own, and to nothing as often as makes
//! the number of commitments a power of two. Who shows some of the records opens their commitments; what the others
//! are, and how many, nobody sees. Who shows all of them also shows the seed of the padding, which proves that these
//! are all.

use super::STATEMENT_VERSION;
use crate::Digest;
use crate::canonical::{CanonicalError, encode};
use crate::hash::{Preimage, tag};
use crate::pb;
use crate::record::SUITE;

/// Fewest commitments of a statement.
pub const COMMITMENTS_MIN: usize = 16;

/// The commitment to a record, under a salt that is random and nobody else's.
pub fn commitment(salt: &[u8; 16], status_id: &Digest) -> Digest {
    Preimage::new(tag::STATEMENT_RECORD).fixed(salt).fixed(status_id.as_bytes()).digest()
}

/// A commitment to nothing.
pub fn padding(seed: &[u8; 32], number: u32) -> Digest {
    Preimage::new(tag::STATEMENT_PADDING).fixed(seed).u32(number).digest()
}

/// The commitments of a statement to records, ascending.
pub fn commitments(records: &[([u8; 16], Digest)], padding_seed: &[u8; 32]) -> Vec<Digest> {
    let all = records.len().max(COMMITMENTS_MIN).next_power_of_two();
    let padding = (0u32..).take(all - records.len()).map(|number| padding(padding_seed, number));
    let mut found: Vec<Digest> = records.iter().map(|(salt, id)| commitment(salt, id)).chain(padding).collect();
    found.sort_unstable();
    found
}

/// What the statement key signs.
pub(super) fn message(statement: &[u8]) -> Preimage {
    Preimage::new(tag::STATEMENT_SIGNATURE).variable(statement)
}

/// The canonical bytes of `statement` and their signature. Suite and version are set here.
pub fn sign_statement(
    mut statement: pb::SubjectStatement,
    sign: impl FnOnce(&[u8]) -> [u8; 64],
) -> Result<(Vec<u8>, [u8; 64]), CanonicalError> {
    statement.suite = u32::from(SUITE);
    statement.version = STATEMENT_VERSION;
    statement.commitments.sort_unstable();
    let bytes = encode(&statement)?;
    let signature = sign(message(&bytes).as_bytes());
    Ok((bytes, signature))
}
