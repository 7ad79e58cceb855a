//! What can fill a requirement, as facts.

use creditbank_protocol::pb::{
    self, AssessmentType, ConvertedCredit, EquivalenceType, Kind, Level, Mode, Origin, OutcomeType,
    QualificationDefinition, Ratio, RecordReference,
};
use creditbank_protocol::record::exemption_expires;
use creditbank_protocol::{InstitutionId, Place};

use crate::dates::{Day, last_day, period_days};

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
    /// Of a Conversion or a recognition: which result, plus 1. 0: the record itself.
    pub result_plus_1: u32,
    /// The record's kind.
    pub kind: Kind,
    /// Who issued or converted it.
    pub institution: InstitutionId,
    /// Course code; empty where there is none.
    pub course: String,
    /// Unit of the amount; empty for an Outcome.
    pub unit: String,
    /// The amount in ten-thousandths; 0 for an Outcome.
    pub amount_e4: u64,
    /// The level, where it is stated.
    pub level: Option<Level>,
    /// ISCED-F 2013; empty where it is not stated.
    pub field: String,
    /// How learning took place.
    pub mode: Mode,
    /// How it was assessed.
    pub assessment: AssessmentType,
    /// Where the credit comes from, as the awarding institution sees it.
    pub origin: Origin,
    /// The grade, where there is one.
    pub grade: Option<pb::Grade>,
    /// Attempt, from 1; 0: not known.
    pub attempt: u32,
    /// First and last day of the period of study.
    pub period: Option<(Day, Day)>,
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

fn itself(record: &RecordReference) -> Vec<CandidateRoot> {
    let place = Place::read(record.place);
    vec![CandidateRoot { place, fraction: Ratio { numerator: 1, denominator: 1 } }]
}

impl Candidate {
    /// Where its record stands.
    pub fn place(&self) -> Place {
        Place::read(self.record.place)
    }

    /// Place and result: what an allocation names.
    pub fn key(&self) -> (Place, u32) {
        (self.place(), self.result_plus_1)
    }

    /// `7/3`, or `7/3 result 2`.
    pub fn show(&self) -> String {
        let place = self.place();
        match self.result_plus_1 {
            0 => place.to_string(),
            result => format!("{place} result {result}"),
        }
    }

    fn bare(record: RecordReference, kind: Kind, institution: InstitutionId) -> Self {
        Self {
            roots: itself(&record),
            record,
            result_plus_1: 0,
            kind,
            institution,
            course: String::new(),
            unit: String::new(),
            amount_e4: 0,
            level: None,
            field: String::new(),
            mode: Mode::Unspecified,
            assessment: AssessmentType::Unspecified,
            origin: Origin::Unspecified,
            grade: None,
            attempt: 0,
            period: None,
            expires: None,
            esco_uris: Vec::new(),
            outcome: OutcomeType::Unspecified,
            score: None,
            agreement: None,
            barred: None,
            hypothetical: false,
        }
    }

    /// A Credit. Its origin: RPL by its mode; own where an awarding institution issued it; else transfer.
    pub fn credit(
        definition: &QualificationDefinition,
        record: RecordReference,
        institution: InstitutionId,
        credit: &pb::Credit,
    ) -> Self {
        let mode = Mode::try_from(credit.mode).unwrap_or_default();
        let origin = match mode {
            Mode::Rpl => Origin::Rpl,
            _ if is_awarding(definition, institution) => Origin::Own,
            _ => Origin::Transfer,
        };
        let amount = credit.amount.clone().unwrap_or_default();
        Self {
            course: credit.course.as_ref().map(|course| course.code.clone()).unwrap_or_default(),
            unit: amount.unit,
            amount_e4: amount.e4,
            level: credit.level.clone(),
            field: credit.field.clone(),
            mode,
            assessment: AssessmentType::try_from(credit.assessment).unwrap_or_default(),
            origin,
            grade: credit.grade.clone(),
            attempt: credit.attempt,
            period: credit.period.as_ref().and_then(period_days),
            expires: credit.expires.as_ref().map(last_day),
            esco_uris: esco(&credit.outcomes),
            ..Self::bare(record, Kind::Credit, institution)
        }
    }

    /// An Outcome. Its origin: RPL for prior learning, else non-formal.
    pub fn outcome(record: RecordReference, institution: InstitutionId, outcome: &pb::Outcome) -> Self {
        let kind = OutcomeType::try_from(outcome.r#type).unwrap_or_default();
        let score =
            outcome.score.as_ref().map(|score| pb::Grade { scale: score.scale.clone(), value: score.value.clone() });
        Self {
            course: outcome.course.as_ref().map(|course| course.code.clone()).unwrap_or_default(),
            level: outcome.level.clone(),
            field: outcome.field.clone(),
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
    /// non-formal by an equivalence of a test or of non-formal learning; own where the converting institution and all of the
    /// sources' are awarding ones; else transfer. `equivalence` is the type of the equivalence that the Conversion names.
    pub fn conversion(
        definition: &QualificationDefinition,
        record: &RecordReference,
        institution: InstitutionId,
        conversion: &pb::Conversion,
        equivalence: Option<EquivalenceType>,
    ) -> Vec<Self> {
        let own = is_awarding(definition, institution)
            && conversion.sources.iter().all(|source| is_awarding(definition, source.institution.into()));
        let standing = matches!(equivalence, Some(EquivalenceType::Test | EquivalenceType::NonFormal));
        let each = conversion.results.iter().zip(1u32..).map(|(result, number)| {
            let origin = match Mode::try_from(result.mode).unwrap_or_default() {
                _ if conversion.assessment.is_some() => Origin::Rpl,
                Mode::Rpl => Origin::Rpl,
                _ if standing => Origin::NonFormal,
                _ if own => Origin::Own,
                _ => Origin::Transfer,
            };
            let agreement = conversion.agreement.clone();
            Self { agreement, ..Self::converted(record, Kind::Conversion, institution, number, result, origin) }
        });
        each.collect()
    }

    /// The exemptions of a qualification recognition; their origin is exemption. They expire with it, if not before.
    pub fn recognition(
        record: &RecordReference,
        institution: InstitutionId,
        recognition: &pb::QualificationRecognition,
    ) -> Vec<Self> {
        let each = recognition.exemptions.iter().zip(1u32..).map(|(result, number)| {
            let kind = Kind::QualificationRecognition;
            let one = Self::converted(record, kind, institution, number, result, Origin::Exemption);
            Self { expires: exemption_expires(result, recognition).as_ref().map(last_day), ..one }
        });
        each.collect()
    }

    fn converted(
        record: &RecordReference,
        kind: Kind,
        institution: InstitutionId,
        number: u32,
        result: &ConvertedCredit,
        origin: Origin,
    ) -> Self {
        let amount = result.amount.clone().unwrap_or_default();
        let roots = result.roots.iter().map(|root| {
            let fraction = root.fraction.unwrap_or(Ratio { numerator: 1, denominator: 1 });
            CandidateRoot { place: Place::read(root.place), fraction }
        });
        let roots: Vec<CandidateRoot> = roots.collect();
        Self {
            result_plus_1: number,
            course: result.course.as_ref().map(|course| course.code.clone()).unwrap_or_default(),
            unit: amount.unit,
            amount_e4: amount.e4,
            level: result.level.clone(),
            field: result.field.clone(),
            mode: Mode::try_from(result.mode).unwrap_or_default(),
            origin,
            grade: result.grade.clone(),
            period: result.period.as_ref().and_then(period_days),
            expires: result.expires.as_ref().map(last_day),
            // A result without roots (an exemption for a foreign qualification) stands on the recognition, of which each
            // exemption is a part of its own.
            roots,
            ..Self::bare(record.clone(), kind, institution)
        }
    }
}
