//! The verification of a transcript, link by link, without I/O and without a clock.

mod effects;
mod published;
mod registry;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use registry::RegistryProofs;
use tree::Tree;

use super::report::{Institution, Report, Statement, TranscriptRecord};
use super::{FileError, STATEMENT_VERSION, TRANSCRIPT_VERSION, open_file, statement};
use crate::authority::{amended_for, is_custodian};
use crate::block::{BlockError, CREATED_WITHIN_MINUTES, SignedHead};
use crate::canonical::{CanonicalError, decode};
use crate::contested::is_suspect;
use crate::dates::day_of_ms;
use crate::entry::{Entry, EntryError};
use crate::key::{self, KeyId, SignatureError};
use crate::map::MapError;
use crate::merkle::{ProofError, record_leaf, verify_inclusion};
use crate::note::NoteError;
use crate::pb::{self, Purpose};
use crate::record::{Disclosed, DisclosureError, RestsOn, SUITE, amends_of, expires_of, has_expired};
use crate::seal::{Seal, SealError};
use crate::status::status_id;
use crate::trust::Trust;
use crate::{Digest, InstitutionId, LogIndex, Place, UnitId, merkle};

/// A link of the proof, in the order in which they are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// The file itself.
    File,
    /// The signed note.
    Checkpoint,
    /// A seal.
    Seal,
    /// A registry entry.
    Registry,
    /// A block.
    Block,
    /// That a registry entry was published.
    Publication,
    /// A record.
    Record,
    /// The subject statement.
    Statement,
}

/// The first broken link of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{link:?} {at}: {fault}")]
pub struct TranscriptError {
    /// Which link.
    pub link: Link,
    /// Which one of them: a log index, a place, a name.
    pub at: String,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file is none.
    #[error(transparent)]
    File(#[from] FileError),
    /// Suite or version of another time.
    #[error("suite {suite} and version {version} are not supported, expected 1 and 1")]
    Version {
        /// The suite that came.
        suite: u32,
        /// The version that came.
        version: u32,
    },
    /// The note does not verify under the trust file.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The log is another one than the transcript's.
    #[error("the origin is {found}, expected {expected}")]
    Origin {
        /// The transcript's.
        expected: String,
        /// The link's.
        found: String,
    },
    /// An entry is none.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// A block where a seal belongs, or the reverse.
    #[error("the entry is not a {0}")]
    EntryType(&'static str),
    /// A path does not lead to its root.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A path of the registry map does not lead to its root.
    #[error(transparent)]
    Map(#[from] MapError),
    /// A seal is none.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A block is none.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// A signature does not hold.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// A structure is not canonical.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// A disclosed record is none.
    #[error(transparent)]
    Disclosure(#[from] DisclosureError),
    /// Something that must be there is not.
    #[error("{0} is missing")]
    Missing(String),
    /// Something that nothing uses, or in the wrong order: every byte of a transcript is there for a proof.
    #[error("{0}")]
    Surplus(&'static str),
    /// Two values that must be the same are not.
    #[error("{what} is {found}, expected {expected}")]
    Differs {
        /// Of what.
        what: &'static str,
        /// What must be.
        expected: String,
        /// What is.
        found: String,
    },
    /// An effect on a record by somebody without the right.
    #[error("an effect on the record without the right: {0}")]
    Authority(&'static str),
    /// The key may not sign this.
    #[error("the key may not sign this: {0}")]
    KeyScope(&'static str),
}

/// Names the link in which a fault lies.
fn broken<E: Into<Fault>>(link: Link, at: impl ToString) -> impl FnOnce(E) -> TranscriptError {
    move |fault| TranscriptError { link, at: at.to_string(), fault: fault.into() }
}

fn differs(what: &'static str, expected: impl ToString, found: impl ToString) -> Fault {
    Fault::Differs { what, expected: expected.to_string(), found: found.to_string() }
}

/// Verifies a `.cbt` file. The first broken link is the error; whether the records are what the verifier needs is theirs to
/// read in the report.
pub fn verify(file: &[u8], trust: &Trust) -> Result<Report, TranscriptError> {
    let transcript = open_file(file).map_err(broken(Link::File, "header"))?;
    if transcript.suite != u32::from(SUITE) || transcript.version != TRANSCRIPT_VERSION {
        let fault = Fault::Version { suite: transcript.suite, version: transcript.version };
        return Err(broken(Link::File, "header")(fault));
    }
    let tree = Tree::open(&transcript, trust)?;
    let mut registry = RegistryProofs::open(&transcript.registry, &tree)?;
    let blocks = tree.blocks(&transcript)?;
    let published = published::check(&transcript.publications, &blocks, &tree, &mut registry, trust)?;
    let mut records = Vec::with_capacity(transcript.records.len());
    let mut used_blocks = BTreeSet::new();
    let mut needed_seals = published.seals;
    let mut replaced: BTreeMap<LogIndex, Vec<Place>> = BTreeMap::new();
    let mut ids = BTreeMap::new();
    let mut last = None;
    for disclosed in &transcript.records {
        let place = Place::read(disclosed.place);
        if last.is_some_and(|last| place <= last) {
            return Err(broken(Link::Record, place)(Fault::Surplus("records are not in order of their places")));
        }
        last = Some(place);
        let block = blocks
            .get(&place.entry)
            .ok_or_else(|| broken(Link::Record, place)(Fault::Missing("the record's block".to_owned())))?;
        used_blocks.insert(place.entry);
        let read = record(disclosed, place, block, &tree, &mut registry, trust);
        let read = read.map_err(broken(Link::Record, place))?;
        if ids.insert(read.status_id, records.len()).is_some() {
            return Err(broken(Link::Record, place)(Fault::Surplus("the same record stands twice in the log")));
        }
        if let Some(amended) = read.amends {
            replaced.entry(place.entry).or_default().push(amended);
        }
        records.push(read);
    }
    let mut said = effects::Said::of(&records);
    for (index, proved) in &blocks {
        let replaced = replaced.get(index);
        let is_used = |group: &pb::EffectGroup| {
            let replaces = |places: &Vec<Place>| places.iter().any(|place| effects::supersedes(group, *place));
            effects::touches(group, &ids) || replaced.is_some_and(replaces)
        };
        let is_asked = used_blocks.contains(index) || !proved.groups.is_empty();
        if !is_asked && !published.blocks.contains(index) {
            let fault = Fault::Surplus("no record of this block is disclosed, and it says nothing of one that is");
            return Err(broken(Link::Block, index)(fault));
        }
        if is_asked {
            needed_seals.extend(proved.seal_index);
        }
        if !proved.groups.iter().all(is_used) {
            let fault = Fault::Surplus("a group of effects says nothing of a record that is disclosed");
            return Err(broken(Link::Block, index)(fault));
        }
        let read = effects::apply(*index, proved, &ids, (&records, &mut said), &tree, &mut registry);
        read.map_err(broken(Link::Block, index))?;
    }
    said.settle(&mut records);
    let statement = check_statement(&transcript, &tree, &mut registry, &records)
        .map_err(broken(Link::Statement, &transcript.origin))?;
    let institutions = institutions(&records, &tree, &mut registry, trust)?;
    let custodians =
        registry.custodians(&institutions, tree.last(), tree.day()).map_err(broken(Link::Registry, "custodians"))?;
    for record in &mut records {
        record.kept_by = kept_by(record.owner(), &institutions, &custodians, &tree);
    }
    registry.all_used().map_err(broken(Link::Registry, "list"))?;
    tree.all_used(&needed_seals).map_err(broken(Link::Seal, "list"))?;
    Ok(Report {
        origin: transcript.origin,
        size: tree.size,
        root: tree.root,
        sealed_at_ms: tree.last_seal().time_ms,
        witnesses: tree.witnesses.clone(),
        records,
        statement,
        institutions,
        custodians,
    })
}

/// A block that is in the log.
pub(super) struct ProvedBlock {
    head: SignedHead,
    leaf: Digest,
    /// The seal that closes its round, if it is given: always of a block with records or effects.
    seal_index: Option<LogIndex>,
    /// The groups of its effects that are given.
    groups: Vec<pb::EffectGroup>,
}

/// Checks one record up to the log: claims, path, signature, key at the place.
fn record(
    disclosed: &pb::DisclosedRecord,
    place: Place,
    proved: &ProvedBlock,
    tree: &Tree,
    registry: &mut RegistryProofs,
    trust: &Trust,
) -> Result<TranscriptRecord, Fault> {
    let header = proved.head.header();
    let path = digests(&disclosed.path)?;
    let disclosed = Disclosed::new(disclosed)?;
    // What a block publishes has no learner.
    if disclosed.info.public {
        return Err(Fault::Surplus("the record is a public one"));
    }
    let leaf = record_leaf(&disclosed.hash);
    verify_inclusion(&leaf, u64::from(place.index), u64::from(header.count), &path, &header.records_root)?;
    let seal = tree.seal_of_round(proved)?;
    let key = check_signer(proved, seal, registry)?;
    if key.purpose != i32::from(Purpose::Unit) {
        return Err(Fault::KeyScope("it has another purpose"));
    }
    if !key.kinds.contains(&i32::from(disclosed.info.kind)) {
        return Err(Fault::KeyScope("the kind of the record is outside its scope"));
    }
    let kind = disclosed.info.kind;
    let unit = header.unit;
    // Whose record an amendment is, the effect says by which it replaces the other one: each has such an effect.
    let amended = amends_of(kind, &disclosed.body)?.and_then(|amends| amends.place).map(Place::from);
    if amended.is_some_and(|place| !proved.groups.iter().any(|group| effects::supersedes(group, place))) {
        return Err(Fault::Missing("the effect that replaces what the record amends".to_owned()));
    }
    let on_behalf_of = amended_for(&proved.groups, kind, &disclosed.body)?;
    if let Some(other) = on_behalf_of
        && !effects::is_custodian(unit.institution, other, seal, registry)?
    {
        return Err(Fault::Authority("its signer was not the custodian of the institution that it names"));
    }
    let now = registry.key(header.key_id, tree.last())?;
    Ok(TranscriptRecord {
        place,
        status_id: status_id(&proved.leaf, place.index, &disclosed.hash),
        unit,
        issuer_trusted: trust.includes(unit.institution),
        key_id: header.key_id,
        sealed_at_ms: seal.time_ms,
        on_behalf_of,
        amends: amended,
        kept_by: None,
        contested: is_suspect(&now, seal.time_ms),
        confirmed: None,
        redeemed: None,
        under_review: None,
        ended: None,
        expired: has_expired(expires_of(kind, &disclosed.body)?.as_ref(), tree.day()),
        missing_claim: disclosed.missing_claim(),
        rests_on: RestsOn::of(kind, &disclosed.body)?,
        disclosed,
    })
}

/// Checks the signature of a block under its key as the registry had it during the round, and returns the key.
fn check_signer(proved: &ProvedBlock, seal: &Seal, registry: &mut RegistryProofs) -> Result<pb::Key, Fault> {
    let header = proved.head.header();
    if header.created_at_minute.abs_diff(seal.time_ms / 60_000) > CREATED_WITHIN_MINUTES {
        return Err(differs("the block's creation, in minutes", seal.time_ms / 60_000, header.created_at_minute));
    }
    let key = registry.key(header.key_id, seal.index)?;
    let purpose = if header.unit.institution.is_operator() { Purpose::Registry } else { Purpose::Unit };
    if key.purpose != i32::from(purpose) {
        return Err(Fault::KeyScope("it has another purpose"));
    }
    if key.institution != header.unit.institution.0 || key.unit != header.unit.number {
        return Err(Fault::KeyScope("it belongs to another unit"));
    }
    if !in_force(&key, seal) {
        return Err(Fault::KeyScope("it was not in force when the round was sealed"));
    }
    if key.revoked.is_some() {
        return Err(Fault::KeyScope("it was revoked before the round"));
    }
    proved.head.verify(&key.public_key)?;
    Ok(key)
}

/// Whether the time of the seal lies between the key's dates.
fn in_force(key: &pb::Key, seal: &Seal) -> bool {
    key::within_dates(key, seal.time_ms / 60_000)
}

/// Checks the subject statement against checkpoint, statement key and records.
fn check_statement(
    transcript: &pb::Transcript,
    tree: &Tree,
    registry: &mut RegistryProofs,
    records: &[TranscriptRecord],
) -> Result<Statement, Fault> {
    let said: pb::SubjectStatement = decode(&transcript.statement)?;
    if said.suite != u32::from(SUITE) || said.version != STATEMENT_VERSION {
        return Err(Fault::Version { suite: said.suite, version: said.version });
    }
    if said.origin != tree.origin {
        return Err(Fault::Origin { expected: tree.origin.clone(), found: said.origin });
    }
    if said.size != tree.size || said.root != tree.root.0 {
        return Err(differs("the statement's checkpoint", tree.size, said.size));
    }
    let key_id = KeyId::from_slice(&said.key_id).ok_or_else(|| Fault::Missing("the statement's key id".to_owned()))?;
    let statement_key = registry.key(key_id, tree.last())?;
    if statement_key.purpose != i32::from(Purpose::Statement) || statement_key.institution != 0 {
        return Err(Fault::KeyScope("it has another purpose"));
    }
    if statement_key.revoked.is_some() {
        return Err(Fault::KeyScope("it is revoked"));
    }
    if !in_force(&statement_key, tree.last_seal()) {
        return Err(Fault::KeyScope("it was not in force at the checkpoint"));
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
        complete_for,
        withheld: ids.len().saturating_sub(records.len()),
        holder_key: said.holder_key.try_into().ok(),
        identity: said.identity.map(Place::from),
    })
}

/// The institutions that signed, and those whose records these are, under the registry of the checkpoint's seal.
fn institutions(
    records: &[TranscriptRecord],
    tree: &Tree,
    registry: &mut RegistryProofs,
    trust: &Trust,
) -> Result<Vec<Institution>, TranscriptError> {
    let of = |record: &TranscriptRecord| [record.unit.institution, record.owner()];
    let ids: BTreeSet<InstitutionId> = records.iter().flat_map(of).collect();
    let institution = |id: InstitutionId| {
        let entry = registry.institution(id, tree.last()).map_err(broken(Link::Registry, id))?;
        Ok(Institution { id, entry, trusted: trust.includes(id) })
    };
    ids.into_iter().map(institution).collect()
}

/// The custodian of an institution as of the checkpoint, among those that the transcript names.
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
