//! Subject statements: the node's word that records are about one person.

use super::STATEMENT_VERSION;
use crate::canonical::{CanonicalError, encode};
use crate::hash::{Preimage, tag};
use crate::pb;
use crate::record::SUITE;

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
    statement.status_ids.sort_unstable();
    let bytes = encode(&statement)?;
    let signature = sign(message(&bytes).as_bytes());
    Ok((bytes, signature))
}
