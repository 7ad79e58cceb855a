//! The subject statement: of which tree it speaks, and what it says of whom.

use super::{BTreeSet, Fault, InstitutionId, Parts, Place, SUITE, TranscriptRecord, part, pb};
use crate::Digest;
use crate::canonical::decode;
use crate::key::{self, KeyId};
use crate::note::Checkpoint;
use crate::pb::Purpose;
use crate::transcript::report::Statement;
use crate::transcript::{STATEMENT_VERSION, statement};

/// Reads the statement, and the tree that it names. Who has signed it is not asked yet.
pub(super) fn read(transcript: &pb::Transcript) -> Result<(pb::SubjectStatement, Checkpoint), Fault> {
    let said: pb::SubjectStatement = decode(&transcript.statement)?;
    if said.suite != u32::from(SUITE) || said.version != STATEMENT_VERSION {
        return Err(Fault::Version { suite: said.suite, version: said.version });
    }
    if said.origin != transcript.origin {
        return Err(Fault::Origin { expected: transcript.origin.clone(), found: said.origin });
    }
    let root = Digest::from_slice(&said.root).ok_or_else(|| Fault::Missing("the statement's root".to_owned()))?;
    let named = Checkpoint { origin: said.origin.clone(), size: said.size, root };
    Ok((said, named))
}

/// Checks the statement against its key and the records.
pub(super) fn check(
    transcript: &pb::Transcript,
    Parts { said, status, .. }: &Parts,
    records: &[TranscriptRecord],
) -> Result<Statement, Fault> {
    let key_id = KeyId::from_slice(&said.key_id).ok_or_else(|| Fault::Missing("the statement's key id".to_owned()))?;
    let last = status.tree.last_seal();
    let statement_key = status.registry.key(key_id, last)?;
    if statement_key.purpose != i32::from(Purpose::Statement) || statement_key.institution != 0 {
        return Err(Fault::KeyScope("it has another purpose"));
    }
    if statement_key.revoked.is_some() {
        return Err(Fault::KeyScope("it is revoked"));
    }
    if !part::in_force(&statement_key, last) {
        return Err(Fault::KeyScope("it was not in force at the last seal"));
    }
    let message = statement::message(&transcript.statement);
    key::verify(&statement_key.public_key, message.as_bytes(), &transcript.statement_signature)?;

    let ids: BTreeSet<&[u8]> = said.status_ids.iter().map(Vec::as_slice).collect();
    if let Some(other) = records.iter().find(|record| !ids.contains(&record.status_id.0[..])) {
        let at = format!("record {} among the statement's records", other.place);
        return Err(Fault::Missing(at));
    }
    if said.holder_key.is_empty() != said.no_holder_key.is_some() {
        return Err(Fault::Surplus("exactly one of holder_key and no_holder_key must stand"));
    }
    if said.identity.is_none() != said.no_identity.is_some() {
        return Err(Fault::Surplus("exactly one of identity and no_identity must stand"));
    }
    let complete_for = match pb::Selection::try_from(said.selection) {
        Ok(pb::Selection::Complete) if said.institution != 0 => Some(InstitutionId(said.institution)),
        Ok(pb::Selection::Some) if said.institution == 0 => None,
        _ => return Err(Fault::Surplus("the selection must be some, or complete and name an institution")),
    };
    Ok(Statement {
        size: said.size,
        key_id,
        complete_for,
        withheld: ids.len().saturating_sub(records.len()),
        holder_key: said.holder_key.as_slice().try_into().ok(),
        identity: said.identity.map(Place::from),
    })
}
