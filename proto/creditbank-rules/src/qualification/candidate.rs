//! What can fill a requirement, as facts.

use creditbank_protocol::pb::{
    self, AssessmentType, ConvertedCredit, EquivalenceType, Kind, Level, Mode, Origin, OutcomeType, PassBasis,
    QualificationDefinition, Ratio, RecordReference,
};
use creditbank_protocol::record::exemption_expires;
use creditbank_protocol::{InstitutionId, Part, Place, Portion};

use crate::dates::{Day, first_day, last_day, period_days};
use crate::{CourseName, Registry};

/// A record that was earned, and how much of it a candidate stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateRoot {
    /// Where it stands.
    pub place: Place,
    /// At most 1.
    pub fraction: Ratio,
}

/// Why a candidate cannot be used whatever is asked: what the ledger says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barred {
    /// Redeemed by another award or conversion.
    Spent,
    /// A newer record stands in its place.
    Superseded,
    /// It was taken back.
    Revoked,
    /// The learner contests it.
    Disputed,
    /// Something that it depends on has changed.
    UnderReview,
    /// Sealed by a key that was compromised then, and not confirmed since.
    Contested,
    /// Its course counts already by other credits.
    Surplus,
    /// It may not be shown before this day or month.
    NotVisible(pb::Date),
}

/// By what right a Conversion gives credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Derivation {
    /// An agreement.
    Agreement(pb::AgreementName),
    /// An equivalence of this type.
    Equivalence(EquivalenceType),
    /// The assessment of prior learning.
    Assessment,
}

/// One thing that a learner has and that can fill one requirement: a Credit, one result of a Conversion, one exemption of a
/// recognition, or an Outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The record.
    pub record: RecordReference,
    /// What of it: of a Conversion or a recognition one result.
    pub part: Part,
    /// The record's kind.
    pub kind: Kind,
    /// Who issued or converted it.
    pub institution: InstitutionId,
    /// The course, where there is one: of a Conversion under an agreement that of the source's institution, else of the
    /// candidate's.
    pub course: Option<CourseName>,
    /// The amount; `None` for an Outcome.
    pub amount: Option<pb::Amount>,
    /// The level, where it is stated.
    pub level: Option<Level>,
    /// ISCED-F 2013, where it is stated.
    pub field: Option<String>,
    /// How learning took place.
    pub mode: Mode,
    /// How it was assessed.
    pub assessment: AssessmentType,
    /// Where the credit comes from, as the awarding institution sees it.
    pub origin: Origin,
    /// The grade, where there is one.
    pub grade: Option<pb::Grade>,
    /// Attempt, from 1, where it is known.
    pub attempt: Option<u32>,
    /// First and last day of the period of study.
    pub period: Option<(Day, Day)>,
    /// The day of its assessment, where it is stated, or of the decision that gave it: no award is conferred before it, nor
    /// before the period begins.
    pub completed: Option<Day>,
    /// Last day on which it counts.
    pub expires: Option<Day>,
    /// ESCO concepts of its outcomes.
    pub esco_uris: Vec<String>,
    /// Type of an Outcome.
    pub outcome: OutcomeType,
    /// Score of an Outcome, as a grade of its scale.
    pub score: Option<pb::Grade>,
    /// The agreement by which it was converted.
    pub agreement: Option<pb::AgreementName>,
    /// On what the pass stands.
    pub basis: PassBasis,
    /// Whether it stands on a declared conversion, of which nothing was recomputed.
    pub declared: bool,
    /// How often its course may count again: the least that Credits of the course say, among itself and its roots. `None`:
    /// it stands on none of the course. Of results [`super::mark_repeats`] notes it.
    pub repeats_max: Option<u32>,
    /// Whether its period ended after the learner was enrolled (see [`super::mark_enrolled`]).
    pub after_enrolment: bool,
    /// What it stands on; of what was not converted, itself, whole.
    pub roots: Vec<CandidateRoot>,
    /// Why it cannot be used; `None`: it can.
    pub barred: Option<Barred>,
    /// What a conversion would give that has not taken place: never counts, and shows in the progress.
    pub hypothetical: bool,
}

/// Whether credit of this institution is the awarding institution's own.
fn is_awarding(definition: &QualificationDefinition, institution: InstitutionId) -> bool {
    definition.institution == institution.0 || definition.awarding.contains(&institution.0)
}

fn esco(outcomes: &[pb::LearningOutcome]) -> Vec<String> {
    let mut uris: Vec<String> =
        outcomes.iter().map(|outcome| outcome.esco_uri.clone()).filter(|uri| !uri.is_empty()).collect();
    uris.sort_unstable();
    uris.dedup();
    uris
}

/// A text of a message, in which an empty one says nothing.
fn stated(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn name(registry: &Registry, institution: InstitutionId, course: Option<&pb::Course>) -> Option<CourseName> {
    let code = course.map(|course| course.code.as_str()).filter(|code| !code.is_empty());
    code.map(|code| registry.course(institution, code))
}

/// The basis that a record states; what states nothing was earned.
fn basis(stated: i32) -> PassBasis {
    match PassBasis::try_from(stated).unwrap_or_default() {
        PassBasis::Unspecified => PassBasis::Earned,
        stated => stated,
    }
}

fn itself(record: &RecordReference) -> Vec<CandidateRoot> {
    let place = Place::read(record.place);
    vec![CandidateRoot { place, fraction: Ratio { numerator: 1, denominator: 1 } }]
}

impl Candidate {
    /// Where its record stands.
    pub fn place(&self) -> Place {
        Place::read(self.record.place)
    }

    /// Whether a code names its course.
    pub fn is_of(&self, code: &str) -> bool {
        self.course.as_ref().is_some_and(|course| course.is(code))
    }

    /// The course that it is a pass of; an Outcome is a pass of none.
    pub fn counted_course(&self) -> Option<&CourseName> {
        self.course.as_ref().filter(|_| self.amount.is_some())
    }

    /// What an allocation names.
    pub fn portion(&self) -> Portion {
        Portion { place: self.place(), part: self.part }
    }

    /// How much it counts, in ten-thousandths of its unit: nothing where there is no amount.
    pub fn amount_e4(&self) -> u64 {
        self.amount.as_ref().map_or(0, |amount| amount.e4)
    }

    /// A record that states nothing but whose it is.
    pub fn bare(record: RecordReference, kind: Kind, institution: InstitutionId) -> Self {
        Self {
            roots: itself(&record),
            record,
            part: Part::Whole,
            kind,
            institution,
            course: None,
            amount: None,
            level: None,
            field: None,
            mode: Mode::Unspecified,
            assessment: AssessmentType::Unspecified,
            origin: Origin::Unspecified,
            grade: None,
            attempt: None,
            period: None,
            completed: None,
            expires: None,
            esco_uris: Vec::new(),
            outcome: OutcomeType::Unspecified,
            score: None,
            agreement: None,
            basis: PassBasis::Earned,
            declared: false,
            repeats_max: None,
            after_enrolment: false,
            barred: None,
            hypothetical: false,
        }
    }

    /// A Credit. Its origin: RPL by its mode; transfer or exemption by its basis; own where an awarding institution issued
    /// it; else transfer.
    pub fn credit(
        registry: &Registry,
        definition: &QualificationDefinition,
        record: RecordReference,
        institution: InstitutionId,
        credit: &pb::Credit,
    ) -> Self {
        let mode = Mode::try_from(credit.mode).unwrap_or_default();
        let origin = match (mode, credit.basis()) {
            (Mode::Rpl, _) => Origin::Rpl,
            (_, PassBasis::Recognised) => Origin::Transfer,
            (_, PassBasis::Exempted) => Origin::Exemption,
            _ if is_awarding(definition, institution) => Origin::Own,
            _ => Origin::Transfer,
        };
        Self {
            course: name(registry, institution, credit.course.as_ref()),
            amount: Some(credit.amount.clone().unwrap_or_default()),
            level: credit.level.clone(),
            field: stated(&credit.field),
            mode,
            assessment: AssessmentType::try_from(credit.assessment).unwrap_or_default(),
            origin,
            grade: credit.grade.clone(),
            attempt: (credit.attempt != 0).then_some(credit.attempt),
            period: credit.period.as_ref().and_then(period_days),
            completed: credit.completed.as_ref().map(first_day),
            expires: credit.expires.as_ref().map(last_day),
            esco_uris: esco(&credit.outcomes),
            basis: basis(credit.basis),
            repeats_max: Some(credit.repeats_max),
            ..Self::bare(record, Kind::Credit, institution)
        }
    }

    /// An Outcome. Its origin: RPL for prior learning, else non-formal.
    pub fn outcome(
        registry: &Registry,
        record: RecordReference,
        institution: InstitutionId,
        outcome: &pb::Outcome,
    ) -> Self {
        let kind = OutcomeType::try_from(outcome.r#type).unwrap_or_default();
        let score =
            outcome.score.as_ref().map(|score| pb::Grade { scale: score.scale.clone(), value: score.value.clone() });
        Self {
            course: name(registry, institution, outcome.course.as_ref()),
            level: outcome.level.clone(),
            field: stated(&outcome.field),
            mode: Mode::try_from(outcome.mode).unwrap_or_default(),
            assessment: AssessmentType::try_from(outcome.assessment).unwrap_or_default(),
            origin: if kind == OutcomeType::PriorLearning { Origin::Rpl } else { Origin::NonFormal },
            period: outcome.period.as_ref().and_then(period_days),
            expires: outcome.expires.as_ref().map(last_day),
            esco_uris: esco(&outcome.outcomes),
            outcome: kind,
            score,
            ..Self::bare(record, Kind::Outcome, institution)
        }
    }

    /// The results of a Conversion by an institution. Origin, in this order: RPL by an assessment or by the result's mode;
    /// non-formal by an equivalence of a test or of non-formal learning; transfer or exemption by its basis, which no
    /// conversion changes; own where the converting institution and all of the sources' are awarding ones; else transfer. `equivalence` is the type of the equivalence that the Conversion names.
    pub fn conversion(
        registry: &Registry,
        definition: &QualificationDefinition,
        record: &RecordReference,
        institution: InstitutionId,
        conversion: &pb::Conversion,
        equivalence: Option<EquivalenceType>,
    ) -> Vec<Self> {
        let own = is_awarding(definition, institution)
            && !conversion.sources.is_empty()
            && conversion.sources.iter().all(|source| is_awarding(definition, source.institution.into()));
        let standing = matches!(equivalence, Some(EquivalenceType::Test | EquivalenceType::NonFormal));
        let each = conversion.results.iter().zip(0u32..).map(|(result, position)| {
            let origin = match (Mode::try_from(result.mode).unwrap_or_default(), result.basis()) {
                _ if conversion.assessment.is_some() => Origin::Rpl,
                (Mode::Rpl, _) => Origin::Rpl,
                _ if standing => Origin::NonFormal,
                (_, PassBasis::Exempted) => Origin::Exemption,
                (_, PassBasis::Recognised) => Origin::Transfer,
                _ if own => Origin::Own,
                _ => Origin::Transfer,
            };
            let agreement = conversion.agreement.clone();
            // Under an agreement a result keeps the course of its source; else it is one of the converter's.
            let source = usize::try_from(result.source_plus_1).ok().and_then(|plus_1| plus_1.checked_sub(1));
            let source = source.filter(|_| agreement.is_some()).and_then(|source| conversion.sources.get(source));
            let of = source.map_or(institution, |source| source.institution.into());
            let course = name(registry, of, result.course.as_ref());
            let completed = conversion.decided.as_ref().map(first_day);
            let one = Self::converted(record, Kind::Conversion, institution, position, result, origin);
            Self { course, completed, agreement, ..one }
        });
        each.collect()
    }

    /// The exemptions of a qualification recognition; their origin is exemption. They expire with it, if not before.
    pub fn recognition(
        registry: &Registry,
        record: &RecordReference,
        institution: InstitutionId,
        recognition: &pb::QualificationRecognition,
    ) -> Vec<Self> {
        let each = recognition.exemptions.iter().zip(0u32..).map(|(result, position)| {
            let kind = Kind::QualificationRecognition;
            let one = Self::converted(record, kind, institution, position, result, Origin::Exemption);
            let course = name(registry, institution, result.course.as_ref());
            let completed = recognition.decided.as_ref().map(first_day);
            let expires = exemption_expires(result, recognition).as_ref().map(last_day);
            Self { course, completed, expires, ..one }
        });
        each.collect()
    }

    fn converted(
        record: &RecordReference,
        kind: Kind,
        institution: InstitutionId,
        position: u32,
        result: &ConvertedCredit,
        origin: Origin,
    ) -> Self {
        let roots = result.roots.iter().map(|root| {
            let fraction = root.fraction.unwrap_or(Ratio { numerator: 1, denominator: 1 });
            CandidateRoot { place: Place::read(root.place), fraction }
        });
        let roots: Vec<CandidateRoot> = roots.collect();
        Self {
            part: Part::Result(position),
            amount: Some(result.amount.clone().unwrap_or_default()),
            level: result.level.clone(),
            field: stated(&result.field),
            mode: Mode::try_from(result.mode).unwrap_or_default(),
            origin,
            grade: result.grade.clone(),
            period: result.period.as_ref().and_then(period_days),
            expires: result.expires.as_ref().map(last_day),
            basis: basis(result.basis),
            declared: result.declared,
            // A result without roots (an exemption for a foreign qualification) stands on the recognition, of which each
            // exemption is a part of its own.
            roots,
            ..Self::bare(record.clone(), kind, institution)
        }
    }
}
