//! The verification of a transcript, link by link, without I/O and without a clock.
//!
//! Two trees are proved: the *base*, which the statement names, and the tree of the *status part*, which may be a newer
//! one of the same log. The same steps check what is in each of them ([`part`]).

mod effects;
mod fault;
mod log_keys;
mod part;
mod published;
mod record;
mod registrars;
mod registry;
mod said;
mod suspicion;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use fault::{broken, differs};
use part::{Part, Parts, ProvedBlock, Which};
use registry::RegistryProofs;
use tree::Tree;

pub use fault::{Fault, Link, TranscriptError};
pub use log_keys::follow_log_keys;
pub(super) use part::Unneeded;

use super::currency::Currency;
use super::report::{Institution, Report, TranscriptRecord};
use super::{FileError, TRANSCRIPT_VERSION, open_file};
use crate::authority::is_custodian;
use crate::pb;
use crate::record::SUITE;
use crate::trust::Trust;
use crate::{Digest, InstitutionId, LogIndex, Place};

/// Verifies a `.cbt` file. The first broken link is the error; whether the records are what the verifier needs is
/// theirs to read in the report. `now_ms` is the verifier's time, milliseconds since 1970: what the file says is of
/// another one.
pub fn verify(file: &[u8], trust: &Trust, now_ms: u64) -> Result<Report, TranscriptError> {
    let transcript = open_file(file).map_err(broken(Link::File, "header"))?;
    let (parts, report) = check(&transcript, trust, now_ms, Surplus::Refused)?;
    parts.base.all_used()?;
    parts.status.all_used()?;
    Ok(report)
}

/// What no step needs of the two parts of a transcript that is right but for that.
pub(super) fn unneeded(transcript: &pb::Transcript, trust: &Trust) -> Result<[Unneeded; 2], TranscriptError> {
    let (parts, _) = check(transcript, trust, 0, Surplus::Taken)?;
    Ok([parts.base.unneeded(), parts.status.unneeded()])
}

/// Whether blocks and groups that nothing needs are refused.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Surplus {
    Refused,
    Taken,
}

/// All steps but the last one, which asks whether all was needed.
fn check(
    transcript: &pb::Transcript,
    trust: &Trust,
    now_ms: u64,
    surplus: Surplus,
) -> Result<(Parts, Report), TranscriptError> {
    if transcript.suite != u32::from(SUITE) || transcript.version != TRANSCRIPT_VERSION {
        let fault = Fault::Version { suite: transcript.suite, version: transcript.version };
        return Err(broken(Link::File, "header")(fault));
    }
    let parts = Parts::open(transcript, trust)?;
    let mut records = record::check_all(&transcript.records, &parts, trust, now_ms)?;
    let statuses = transcript.status.as_ref().map_or(&[][..], |status| &status.statuses);
    effects::check(&parts.status, statuses, &mut records)?;
    for record in records.iter_mut().filter(|record| record.contested) {
        record.suspicion = suspicion::of(&parts, record);
    }
    if surplus == Surplus::Refused {
        parts.base.blocks_used()?;
        parts.status.blocks_used()?;
    }
    let statement = said::check(transcript, &parts, &records).map_err(broken(Link::Statement, &transcript.origin))?;
    let status = &parts.status;
    let (tree, last) = (&status.tree, status.tree.last_seal());
    let institutions = institutions(&records, status, trust)?;
    let custodians = status.registry.custodians(&institutions, last.index, tree.day());
    let custodians = custodians.map_err(broken(Link::Registry, "custodians"))?;
    for record in &mut records {
        record.kept_by = kept_by(record.owner(), &institutions, &custodians, tree);
    }
    let report = Report {
        origin: tree.head.origin.clone(),
        former: status.former_origins().to_vec(),
        size: tree.head.size,
        root: tree.head.root,
        sealed_at_ms: last.time_ms,
        currency: Currency::of(
            last.time_ms,
            parts.cosigned_s,
            now_ms,
            &trust.freshness,
            trust.is_former(&tree.head.origin),
        ),
        witnesses: parts.witnesses.clone(),
        records,
        statement,
        institutions,
        custodians,
        corrections: parts.corrections.clone(),
    };
    Ok((parts, report))
}

/// The institutions that signed, and those whose records these are, under the registry of the last seal.
fn institutions(
    records: &[TranscriptRecord],
    status: &Part,
    trust: &Trust,
) -> Result<Vec<Institution>, TranscriptError> {
    let of = |record: &TranscriptRecord| [record.unit.institution, record.owner()];
    let ids: BTreeSet<InstitutionId> = records.iter().flat_map(of).collect();
    let institution = |id: InstitutionId| {
        let entry = status.registry.institution(id, status.tree.last_seal()).map_err(broken(Link::Registry, id))?;
        Ok(Institution { id, entry, trusted: trust.includes(id) })
    };
    ids.into_iter().map(institution).collect()
}

/// The custodian of an institution as of the last seal, among those that the transcript names.
fn kept_by(
    owner: InstitutionId,
    institutions: &[Institution],
    custodians: &[pb::Institution],
    tree: &Tree,
) -> Option<InstitutionId> {
    let closed = &institutions.iter().find(|institution| institution.id == owner)?.entry;
    let keeper = custodians.iter().find(|keeper| is_custodian(keeper, closed, tree.day()))?;
    Some(InstitutionId(keeper.number))
}

/// The hashes of a path.
fn digests(hashes: &[Vec<u8>]) -> Result<Vec<Digest>, Fault> {
    let digest =
        |hash: &Vec<u8>| Digest::from_slice(hash).ok_or_else(|| Fault::Missing("a hash of 32 bytes".to_owned()));
    hashes.iter().map(digest).collect()
}
