//! What registrars want sealed, and the records and effects that say it.

use std::fmt;

use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::hash::sha256;
use creditbank_protocol::mandate::mandate_of;
use creditbank_protocol::pb::{
    self, Action, AmendReason, Amends, Authority, Basis, Effect, EffectGroup, EffectReason, Kind, RecordReference,
};
use creditbank_protocol::record::{PUBLIC_SEED, Record};
use creditbank_protocol::{Alias, Digest, Place, UnitId};
use creditbank_rpc::v1::HeldRedemption;

use crate::cast::ORIGIN;
use crate::clock::START_MS;
use crate::courses;

/// Learners' mandates hold longer than a run lasts, and no longer than they may at its beginning, with a clock that
/// is a few
/// days wrong.
const MANDATE_MINUTES: u64 = 20 * 1_440;

/// The definition that every institution publishes.
const DEGREE: &str = "BA";
/// Two credits are enough for a degree.
const CREDIT_E4: u64 = 600_000;

/// A sealed record of a learner, as whoever was shown it knows it.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) reference: RecordReference,
    pub(crate) place: Place,
    pub(crate) kind: Kind,
    pub(crate) issuer: UnitId,
    pub(crate) citizen: u64,
    pub(crate) course: String,
}

/// Something that is to be sealed in one block.
#[derive(Debug, Clone)]
pub(crate) enum Want {
    /// Credits for a citizen.
    Issue { citizen: u64, courses: Vec<String> },
    /// A credit says something else, and perhaps spells its course otherwise.
    Amend { target: Known, course: String, amount_e4: u64 },
    /// A record is taken back.
    Revoke { target: Known },
    /// A degree for credits, which it redeems.
    Award { citizen: u64, counted: Vec<Known>, certificate: String },
    /// What is under review stands.
    StandBy { target: Known },
    /// A new version of the definition.
    Publish { version: u32 },
    /// Two codes name one course, or do no more.
    Alias { number: u64, withdrawn: bool },
    /// Entries of the registry: the operator's.
    Register { records: Vec<Record> },
}

/// What a block will hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Content {
    pub(crate) records: Vec<Record>,
    pub(crate) groups: Vec<EffectGroup>,
}

/// What the node says that a correction must say besides.
#[derive(Debug, Clone, Default)]
pub(crate) struct Consequences {
    pub(crate) reviews: Vec<RecordReference>,
    pub(crate) releases: Vec<HeldRedemption>,
}

impl Want {
    /// The citizen whose alias it needs.
    pub(crate) fn citizen(&self) -> Option<u64> {
        match self {
            Self::Issue { citizen, .. } | Self::Award { citizen, .. } => Some(*citizen),
            Self::Amend { target, .. } => Some(target.citizen),
            Self::Revoke { .. }
            | Self::StandBy { .. }
            | Self::Publish { .. }
            | Self::Alias { .. }
            | Self::Register { .. } => None,
        }
    }

    /// What must be asked about consequences: the record, and whether it is revoked.
    pub(crate) fn correction(&self) -> Option<(Place, bool)> {
        match self {
            Self::Amend { target, .. } => Some((target.place, false)),
            Self::Revoke { target } => Some((target.place, true)),
            _ => None,
        }
    }

    /// The records and effects. The same want gives the same records.
    pub(crate) fn content(&self, institution: u64, alias: Option<Alias>, and: &Consequences, id: u64) -> Content {
        let learner = alias.map(|alias| alias.0.to_vec()).unwrap_or_default();
        let hidden = |index: u64, kind, body: Vec<u8>| {
            let seed = sha256(&[id.to_be_bytes(), index.to_be_bytes()].concat());
            Record::of(kind, &seed.0, body).expect("a record")
        };
        match self {
            Self::Issue { courses, .. } => {
                let bodies = courses.iter().map(|course| credit(&learner, course, CREDIT_E4, None));
                let records = (0..).zip(bodies).map(|(index, body)| hidden(index, Kind::Credit, bytes(&body)));
                Content { records: records.collect(), groups: Vec::new() }
            }
            Self::Amend { target, course, amount_e4 } => {
                let amends = Amends { place: target.place.written(), reason: AmendReason::Error.into() };
                let body = credit(&learner, course, *amount_e4, Some(amends));
                let effects = vec![effect(Action::Supersede, &target.reference)];
                let groups = [group(by(Basis::Issuer), effects)].into_iter().chain(reviewing(&and.reviews));
                Content { records: vec![hidden(0, Kind::Credit, bytes(&body))], groups: ordered(groups.collect()) }
            }
            Self::Revoke { target } => {
                let reason = EffectReason::Error.into();
                let mut effects = vec![Effect { reason, ..effect(Action::Revoke, &target.reference) }];
                effects.extend(and.releases.iter().map(release));
                let groups = [group(by(Basis::Issuer), effects)].into_iter().chain(reviewing(&and.reviews));
                Content { records: Vec::new(), groups: ordered(groups.collect()) }
            }
            Self::StandBy { target } => {
                let groups = vec![group(by(Basis::Issuer), vec![effect(Action::CloseReview, &target.reference)])];
                Content { records: Vec::new(), groups }
            }
            Self::Award { counted, certificate, .. } => {
                let references: Vec<_> = counted.iter().map(|one| one.reference.clone()).collect();
                let body = award(institution, &learner, &references, certificate, mandate(id));
                let award = hidden(0, Kind::Award, bytes(&body));
                Content { groups: redeem(institution, &award, &references), records: vec![award] }
            }
            Self::Publish { version } => {
                let body = bytes(&definition(institution, *version));
                let record = Record::of(Kind::QualificationDefinition, &PUBLIC_SEED, body).expect("a record");
                Content { records: vec![record], groups: Vec::new() }
            }
            Self::Alias { number, withdrawn } => {
                let body = bytes(&courses::alias(institution, *number, *withdrawn));
                let record = Record::of(Kind::CourseAlias, &PUBLIC_SEED, body).expect("a record");
                Content { records: vec![record], groups: Vec::new() }
            }
            Self::Register { records } => Content { records: records.clone(), groups: Vec::new() },
        }
    }
}

/// In a line of the trace.
impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = |known: &Known| format!("{} of {}", known.place, known.citizen);
        match self {
            Self::Issue { citizen, courses } => write!(f, "credits {courses:?} for {citizen}"),
            Self::Amend { target, course, amount_e4 } => write!(f, "{} is {amount_e4} for {course:?}", one(target)),
            Self::Revoke { target } => write!(f, "{} {:?} is revoked", one(target), target.kind),
            Self::Award { citizen, counted, certificate } => {
                let counted: Vec<String> = counted.iter().map(one).collect();
                write!(f, "degree {certificate} for {citizen}, counting {counted:?}")
            }
            Self::StandBy { target } => write!(f, "{} stands", one(target)),
            Self::Publish { version } => write!(f, "version {version} of the definition"),
            Self::Alias { number, withdrawn } => {
                write!(f, "the codes of course {number} are {}", if *withdrawn { "two courses" } else { "one course" })
            }
            Self::Register { records } => write!(f, "{} entries of the registry", records.len()),
        }
    }
}

fn bytes(message: &impl Canonical) -> Vec<u8> {
    encode(message).expect("a canonical message")
}

/// What revokes a record, by some right.
pub(crate) fn revoking(record: &RecordReference, authority: Authority) -> Content {
    let effects = vec![Effect { reason: EffectReason::Error.into(), ..effect(Action::Revoke, record) }];
    Content { records: Vec::new(), groups: vec![group(authority, effects)] }
}

/// An English text.
pub(crate) fn text(value: &str) -> pb::Text {
    pb::Text { language: "en".to_owned(), value: value.to_owned() }
}

fn credit(learner: &[u8], course: &str, e4: u64, amends: Option<Amends>) -> pb::Credit {
    let date = |month| Some(pb::Date { year: 2024, month, day: 0 });
    pb::Credit {
        learner: learner.to_vec(),
        course: Some(pb::Course { code: course.to_owned(), titles: vec![text(course)] }),
        amount: Some(pb::Amount { e4, unit: "CATS".to_owned() }),
        level: Some(pb::Level { framework: "FHEQ".to_owned(), level: "6".to_owned() }),
        period: Some(pb::Period { from: date(2), until: date(9) }),
        amends,
        ..Default::default()
    }
}

/// At least 120 CATS.
pub(crate) fn definition(institution: u64, version: u32) -> pb::QualificationDefinition {
    let requirement =
        pb::Requirement { r#type: pb::RequirementType::Credits.into(), amount_e4: 2 * CREDIT_E4, ..Default::default() };
    pb::QualificationDefinition {
        institution,
        code: DEGREE.to_owned(),
        version,
        titles: vec![text("Bachelor of Arts")],
        unit: "CATS".to_owned(),
        requirements: vec![requirement],
        from: Some(pb::Date { year: 2020, month: 1, day: 1 }),
        source: "the senate".to_owned(),
        ..Default::default()
    }
}

/// The paper for the degree that a want asks for: each want has its own, as a paper is used once.
fn mandate(want: u64) -> pb::Mandate {
    pb::Mandate {
        paper_reference: format!("form {want}"),
        salt: vec![5; 16],
        until_minute: START_MS / 60_000 + MANDATE_MINUTES,
        acts: vec![Kind::Award.into()],
        ..Default::default()
    }
}

fn award(
    institution: u64,
    learner: &[u8],
    counted: &[RecordReference],
    certificate: &str,
    mandate: pb::Mandate,
) -> pb::Award {
    let allocation =
        |record: &RecordReference| pb::Allocation { requirement: 1, record: Some(record.clone()), result_plus_1: 0 };
    // A day of the simulated time.
    let conferred = Some(pb::Date { year: 2026, month: 1, day: 15 });
    pb::Award {
        learner: learner.to_vec(),
        definition: Some(pb::QualificationName { institution, code: DEGREE.to_owned(), version: 1 }),
        basis: pb::AwardBasis::Audited.into(),
        allocations: counted.iter().map(allocation).collect(),
        redeems: counted.to_vec(),
        documents: vec![pb::AwardDocument { issued: conferred, ..creditbank_fixtures::document(certificate) }],
        kind: pb::AwardKind::Degree.into(),
        conferred,
        decider: "A registrar".to_owned(),
        mandate: Some(mandate),
        ..Default::default()
    }
}

fn redeem(institution: u64, award: &Record, records: &[RecordReference]) -> Vec<EffectGroup> {
    let digest = mandate_of(ORIGIN, institution.into(), award).expect("a canonical award").unwrap_or(Digest::ZERO);
    let authority = Authority { mandate_digest: digest.0.to_vec(), ..by(Basis::Mandate) };
    vec![group(authority, records.iter().map(|one| effect(Action::Redeem, one)).collect())]
}

fn reviewing(reviews: &[RecordReference]) -> Option<EffectGroup> {
    let effects: Vec<_> = reviews.iter().map(|one| effect(Action::Review, one)).collect();
    (!effects.is_empty()).then(|| group(by(Basis::Dependency), effects))
}

fn release(held: &HeldRedemption) -> Effect {
    let record = held.record.clone().unwrap_or_default();
    Effect { redemption_plus_1: held.redemption + 1, ..effect(Action::Release, &record) }
}

fn effect(action: Action, record: &RecordReference) -> Effect {
    let (place, status_id) = (record.place, record.status_id.clone());
    Effect { status_id, place, action: action.into(), ..Default::default() }
}

fn by(basis: Basis) -> Authority {
    Authority { basis: basis.into(), ..Default::default() }
}

fn group(authority: Authority, mut effects: Vec<Effect>) -> EffectGroup {
    effects.sort_by_key(bytes);
    EffectGroup { authority: Some(authority), effects }
}

fn ordered(mut groups: Vec<EffectGroup>) -> Vec<EffectGroup> {
    groups.sort_by_key(bytes);
    groups
}
