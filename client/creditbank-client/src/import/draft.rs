//! A record that is complete but for the learner's alias.

mod body;
mod keep;

use std::sync::Arc;

use creditbank_protocol::pb::{self, AmendReason, Amends, Kind};
use creditbank_protocol::record::{BODY_LEN_MAX, Record};
use creditbank_protocol::{Alias, Digest, Place};
use creditbank_rpc::v1::{CheckedRecord, RecordBody, TypedIdentity};
use prost::Message as _;

use crate::outbox::Mark;
use crate::seeds::{SeedInput, this_year, why_destroyed};

use super::RefusedLine;
use super::mapping::Unsaid;
use super::survey::Seen;
use crate::{ClientError, IssuingUnit};

pub(super) use body::Body;

/// A record that lacks the learner's alias and its seed.
#[derive(Clone)]
pub struct DraftRecord {
    /// Line of the file on which it begins.
    pub line: u64,
    /// Who it is about.
    pub person: Vec<TypedIdentity>,
    /// What it is.
    pub kind: Kind,
    pub(crate) reference: Vec<u8>,
    /// Text of the column that names the record which the line is about, where the mapping has one.
    pub(crate) place: Option<String>,
    /// The record in whose stead this one is issued.
    pub(crate) after: Option<After>,
    /// Fields whose cells are blank: what was signed of them stays when a file is followed.
    pub(crate) kept: Vec<String>,
    /// Fields whose cells are blank, which the mapping takes for "none": what was signed of them goes.
    pub(crate) cleared: Vec<String>,
    /// What the mapping has no key for: what was signed of it stays.
    pub(super) unsaid: Arc<Unsaid>,
    /// Why it cannot be issued, unless it follows a record that says what its cells do not.
    pub(crate) wanting: Option<RefusedLine>,
    /// What a registrar should see before it is signed.
    pub(crate) seen: Vec<Seen>,
    /// Its line has made another record before it.
    pub(crate) shares_line: bool,
    pub(super) body: Body,
}

/// A record that another one follows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct After {
    /// Where it stands.
    pub(crate) place: Place,
    /// Its status id, where it is amended; nothing where it was revoked and this one is issued anew.
    pub(crate) amends: Option<Digest>,
}

impl DraftRecord {
    /// The fields that following a record would empty: those whose cells are blank and that the record has.
    pub(crate) fn loses(&self, old: &[u8]) -> Vec<String> {
        let mut whole = self.clone();
        whole.kept = self.kept.iter().chain(&self.cleared).cloned().collect();
        whole.keep(old)
    }

    /// Lines that it stands for: a second record of a line counts as none.
    pub(crate) fn lines(&self) -> u64 {
        u64::from(!self.shares_line)
    }

    /// The record for a learner's alias. Its seed is derived from the reference, so that a repeat after a crash is the
    /// same record.
    pub fn finish(&self, alias: Alias, unit: &IssuingUnit) -> Result<Record, ClientError> {
        let body = self.body_for(alias.as_bytes().to_vec());
        let body = body.map_err(|error| ClientError::Local(format!("line {}: {error}", self.line)))?;
        let seed = self.seed(unit)?;
        Record::of(self.kind, &seed, body).map_err(|error| ClientError::Local(format!("line {}: {error}", self.line)))
    }

    /// Whether it can be a record at all, whoever it is about. Dry runs and runs ask this first, so that both refuse the same
    /// lines.
    pub(super) fn spelled(&self) -> Result<(), RefusedLine> {
        let refuse = |field: &str, reason: String| RefusedLine { line: self.line, field: field.to_owned(), reason };
        let body = self.body_for(vec![1; 16]);
        let body = body.map_err(|error| refuse(error.field.unwrap_or("record"), error.to_string()))?;
        if body.len() > BODY_LEN_MAX {
            let what = format!("a record of {} bytes, at most {BODY_LEN_MAX} are taken", body.len());
            return Err(refuse("record", what));
        }
        Ok(())
    }

    /// The same line as a record in another's stead.
    pub(crate) fn following(self, after: After) -> Self {
        Self { after: Some(after), ..self }
    }

    /// Where the salts come from: the reference and, for a record in another's stead, that one's place.
    fn seed(&self, unit: &IssuingUnit) -> Result<[u8; 32], ClientError> {
        unit.seeds.seed(self.year(), self.seed_input())
    }

    /// The seeds that a record of this result may have, the line's own first: its period may have been corrected since,
    /// and it may have been a record of another kind.
    pub(crate) fn all_seeds(&self, unit: &IssuingUnit) -> Result<Vec<[u8; 32]>, ClientError> {
        let mut seeds = Vec::new();
        for kind in self.body.kinds() {
            seeds.extend(unit.seeds.seeds_of_all_years(self.year(), SeedInput { kind, ..self.seed_input() })?);
        }
        Ok(seeds)
    }

    /// Why the line cannot be issued or compared any more: the secret of its year was destroyed.
    pub(crate) fn without_seed(&self, unit: &IssuingUnit) -> Option<RefusedLine> {
        let year = self.year();
        let refused = || RefusedLine { line: self.line, field: "period".to_owned(), reason: why_destroyed(year) };
        unit.seeds.is_destroyed(year).then(refused)
    }

    fn seed_input(&self) -> SeedInput<'_> {
        let predecessor = self.after.map(|after| after.place);
        SeedInput { kind: self.kind, reference: &self.reference, predecessor }
    }

    fn year(&self) -> u32 {
        self.body.year().unwrap_or_else(this_year)
    }

    /// The body for a learner, with what it amends.
    fn body_for(&self, learner: Vec<u8>) -> Result<Vec<u8>, creditbank_protocol::canonical::CanonicalError> {
        let after = self.after.filter(|after| after.amends.is_some());
        // The student system does not say why it says something else now.
        let amends = after.map(|after| Amends { place: Some(after.place.into()), reason: AmendReason::Other.into() });
        self.body.of_learner(learner, amends)
    }

    /// The record as a dry run sends it: without an alias, with the person beside it.
    pub(crate) fn checked(&self, unit: &IssuingUnit) -> Result<CheckedRecord, ClientError> {
        let record = RecordBody {
            kind: u32::try_from(i32::from(self.kind)).unwrap_or(0),
            version: 1,
            // What cannot be spelled the node refuses by itself.
            body: self.body_for(Vec::new()).unwrap_or_default().into(),
            seed: self.seed(unit)?.to_vec().into(),
        };
        Ok(CheckedRecord { record: Some(record), identities: self.person.clone() })
    }

    /// The body without the alias and without what it amends: what the line says.
    pub(crate) fn body_bytes(&self) -> Vec<u8> {
        self.body.bytes()
    }

    /// Bytes of the body, without the alias.
    pub(crate) fn len(&self) -> usize {
        self.body.len()
    }

    /// What the notes know the line by: what names the result, and what the line says.
    pub(crate) fn mark(&self, unit: &IssuingUnit) -> Mark {
        let mut content = vec![u8::try_from(i32::from(self.kind)).unwrap_or(0)];
        for identity in &self.person {
            content.extend(identity.encode_length_delimited_to_vec());
        }
        content.extend(self.body_bytes());
        Mark::of_line(unit, &self.reference, &content)
    }

    /// Who it is about, as bytes for digests.
    pub(crate) fn person_input(&self) -> Vec<u8> {
        self.person.iter().flat_map(prost::Message::encode_length_delimited_to_vec).collect()
    }

    /// The code of the course, or of the programme; empty where the line names none.
    pub(crate) fn course(&self) -> &str {
        self.body.course().map_or("", |course| course.code.as_str())
    }

    /// First and last day of the course.
    pub(super) fn period(&self) -> Option<&pb::Period> {
        self.body.period()
    }

    /// Scale and value of the grade; of an Outcome its score.
    pub fn grade(&self) -> Option<(&str, &str)> {
        self.body.grade()
    }

    /// Whether it lacks a grade that it could have.
    pub(crate) fn is_ungraded(&self) -> bool {
        self.body.takes_grade() && self.grade().is_none()
    }

    /// The kind's name for people and programs.
    pub fn kind_name(&self) -> &'static str {
        self.body.name()
    }

    /// The amount of a Credit in ten-thousandths, and its unit.
    pub fn credits(&self) -> Option<(u64, &str)> {
        match &self.body {
            Body::Credit(credit) => credit.amount.as_ref().map(|amount| (amount.e4, amount.unit.as_str())),
            _ => None,
        }
    }
}

/// The seeds that a record of this reference may have, whatever its line says.
pub(crate) fn seeds_of_reference(unit: &IssuingUnit, reference: &[u8]) -> Result<Vec<[u8; 32]>, ClientError> {
    let mut seeds = Vec::new();
    for kind in body::FILE_KINDS {
        let input = SeedInput { kind, reference, predecessor: None };
        seeds.extend(unit.seeds.seeds_of_all_years(this_year(), input)?);
    }
    Ok(seeds)
}
