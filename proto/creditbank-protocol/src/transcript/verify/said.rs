//! The subject statement: of which tree it speaks, and what it says of whom.

use super::{BTreeSet, Fault, InstitutionId, Parts, Place, SUITE, TranscriptRecord, differs, part, pb};
use crate::Digest;
use crate::canonical::decode;
use crate::contested::compromised_since;
use crate::correction::sealed_by_ms;
use crate::key::{self, KeyId};
use crate::note::Checkpoint;
use crate::pb::Purpose;
use crate::transcript::STATEMENT_VERSION;
use crate::transcript::report::Statement;
use crate::transcript::statement::{self, COMMITMENTS_MIN, commitment, padding};

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
    Parts { said, base, status, corrections, .. }: &Parts,
    records: &[TranscriptRecord],
) -> Result<Statement, Fault> {
    let key_id = KeyId::from_slice(&said.key_id).ok_or_else(|| Fault::Missing("the statement's key id".to_owned()))?;
    let statement_key = base.registry.key(key_id, base.tree.last_seal())?;
    if statement_key.purpose != i32::from(Purpose::Statement) || statement_key.institution != 0 {
        return Err(Fault::KeyScope("it has another purpose"));
    }
    if statement_key.revoked.is_some() {
        return Err(Fault::KeyScope("it was revoked before the statement"));
    }
    if !part::in_force(&statement_key, base.tree.last_seal()) {
        return Err(Fault::KeyScope("it was not in force at the time of the statement"));
    }
    // A statement is not in the log: a thief of its key can give it any time of the past.
    if compromised_since(&status.registry.key(key_id, status.tree.last_seal())?).is_some() {
        return Err(Fault::KeyScope(
            "it was stolen, and nobody can tell its owner's statements from the thief's: export the transcript anew",
        ));
    }
    let message = statement::message(&transcript.statement);
    key::verify(&statement_key.public_key, message.as_bytes(), &transcript.statement_signature)?;

    let is_whole = committed(transcript, said, records)?;
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
    let visible_on = said.visible_on.filter(|date| date.day != 0);
    let visible_on = visible_on.ok_or(Fault::Surplus("visible_on must be a day"))?;
    Ok(Statement {
        size: said.size,
        as_of_ms: sealed_by_ms(corrections, base.tree.last_seal().index, base.tree.last_seal().time_ms),
        key_id,
        complete_for,
        visible_on,
        is_whole,
        holder_key: said.holder_key.as_slice().try_into().ok(),
        identity: said.identity.map(Place::from),
    })
}

/// Checks that the statement commits to each record. Whether it is shown that it commits to no other.
fn committed(
    transcript: &pb::Transcript,
    said: &pb::SubjectStatement,
    records: &[TranscriptRecord],
) -> Result<bool, Fault> {
    let commitments: BTreeSet<&[u8]> = said.commitments.iter().map(Vec::as_slice).collect();
    if commitments.len() < COMMITMENTS_MIN || !commitments.len().is_power_of_two() {
        return Err(Fault::Surplus("the commitments are not a power of two, at least 16"));
    }
    if transcript.salts.len() != records.len() {
        return Err(differs("the number of salts", records.len(), transcript.salts.len()));
    }
    for (record, salt) in records.iter().zip(&transcript.salts) {
        let missing = || Fault::Missing(format!("record {} among the statement's records", record.place));
        let salt = salt.as_slice().try_into().map_err(|_| missing())?;
        if !commitments.contains(&commitment(salt, &record.status_id).0[..]) {
            return Err(missing());
        }
    }
    if transcript.padding_seed.is_empty() {
        return Ok(false);
    }
    let wrong = || Fault::Surplus("the padding is not what its seed makes: a record is withheld");
    let seed = transcript.padding_seed.as_slice().try_into().map_err(|_| wrong())?;
    let rest = commitments.len().saturating_sub(records.len());
    if (0u32..).take(rest).all(|number| commitments.contains(&padding(seed, number).0[..])) {
        Ok(true)
    } else {
        Err(wrong())
    }
}
