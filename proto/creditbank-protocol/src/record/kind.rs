//! The kinds of this version of the protocol: their schema, their fields, and what a verifier must see of them.

use super::{RecordError, RequiredClaims};
use crate::canonical::{Message, tables};
use crate::pb::Kind;

/// What the protocol knows of a kind.
#[derive(Debug)]
pub struct KindInfo {
    /// The kind.
    pub kind: Kind,
    /// Its canonical form in version 1.
    pub schema: &'static Message,
    /// Whether its text stands in the log for everybody.
    pub public: bool,
    /// Whether only the operator signs it.
    pub operator: bool,
    /// Claims that must be opened, possibly as absent, before a verifier may call the record valid.
    pub required: RequiredClaims,
}

/// Field numbers that must be opened: type, course, amount or status, attempt, mode, period, repeats, expiry, embargo,
/// basis and amendment, so that nobody can hide what would make the rest mean something else; of what is derived, by what
/// right, from what, when, and whether it is late.
static KINDS: [KindInfo; 35] = [
    learner(Kind::Identity, &tables::IDENTITY, &[6]),
    learner(Kind::Outcome, &tables::OUTCOME, &[2, 3, 11, 14, 16, 17, 18]),
    learner(Kind::Credit, &tables::CREDIT, &[2, 3, 7, 11, 14, 16, 17, 18, 20, 21]),
    learner(Kind::Result, &tables::RESULT, &[2, 3, 8, 12, 15, 16, 18]),
    learner(Kind::Application, &tables::APPLICATION, &[2, 6, 9]),
    learner(Kind::Appeal, &tables::APPEAL, &[2, 5, 7, 8]),
    learner(Kind::Decision, &tables::DECISION, &[2, 3, 4, 5, 10, 15, 22, 23]),
    published(Kind::AgreementProposal, &tables::AGREEMENT_PROPOSAL),
    published(Kind::AgreementAcceptance, &tables::AGREEMENT_ACCEPTANCE),
    published(Kind::AgreementEnding, &tables::AGREEMENT_ENDING),
    published(Kind::Equivalence, &tables::EQUIVALENCE),
    learner(Kind::Conversion, &tables::CONVERSION, &[2, 3, 4, 6, 8, 12, 13, 14]),
    published(Kind::QualificationDefinition, &tables::QUALIFICATION_DEFINITION),
    learner(Kind::Award, &tables::AWARD, &[2, 3, 4, 10, 13, 17, 19, 20, 21, 23]),
    learner(Kind::QualificationRecognition, &tables::QUALIFICATION_RECOGNITION, &[2, 3, 5, 6, 10, 12, 13, 14, 15, 16]),
    published(Kind::GradeDistribution, &tables::GRADE_DISTRIBUTION),
    published(Kind::CourseAlias, &tables::COURSE_ALIAS),
    published(Kind::CourseCodes, &tables::COURSE_CODES),
    learner(Kind::Enrolment, &tables::ENROLMENT, &[2, 4, 5, 6, 9]),
    learner(Kind::ForeignAward, &tables::FOREIGN_AWARD, &[2, 3, 4, 6, 8, 10]),
    registry(Kind::Institution, &tables::INSTITUTION),
    registry(Kind::Unit, &tables::UNIT),
    registry(Kind::Key, &tables::KEY),
    registry(Kind::Accreditation, &tables::ACCREDITATION),
    registry(Kind::CreditUnit, &tables::CREDIT_UNIT),
    registry(Kind::Framework, &tables::FRAMEWORK),
    registry(Kind::GradeScale, &tables::GRADE_SCALE),
    registry(Kind::LevelMap, &tables::LEVEL_MAP),
    registry(Kind::LegalDeadline, &tables::LEGAL_DEADLINE),
    registry(Kind::Country, &tables::COUNTRY),
    registry(Kind::FieldOfEducation, &tables::FIELD_OF_EDUCATION),
    registry(Kind::RegistrySuccession, &tables::REGISTRY_SUCCESSION),
    registry(Kind::RegistryPolicy, &tables::REGISTRY_POLICY),
    registry(Kind::TimeCorrection, &tables::TIME_CORRECTION),
    registry(Kind::LogSuccession, &tables::LOG_SUCCESSION),
];

const fn learner(kind: Kind, schema: &'static Message, required: RequiredClaims) -> KindInfo {
    KindInfo { kind, schema, public: false, operator: false, required }
}

/// What an institution says to everybody.
const fn published(kind: Kind, schema: &'static Message) -> KindInfo {
    KindInfo { kind, schema, public: true, operator: false, required: &[] }
}

const fn registry(kind: Kind, schema: &'static Message) -> KindInfo {
    KindInfo { kind, schema, public: true, operator: true, required: &[] }
}

/// The kind with `number`, or `None` where this version of the protocol has none.
pub fn kind_info(number: u32) -> Option<&'static KindInfo> {
    KINDS.iter().find(|info| u32::try_from(i32::from(info.kind)) == Ok(number))
}

/// What the protocol knows of a kind; `None` for kinds that have no records.
pub fn info_of(kind: Kind) -> Option<&'static KindInfo> {
    KINDS.iter().find(|info| info.kind == kind)
}

impl KindInfo {
    /// The kind's name in the schema.
    pub fn name(&self) -> &'static str {
        self.schema.name
    }

    /// The numbers of its fields, in order: those of its claims.
    pub fn numbers(&self) -> impl Iterator<Item = u16> + use<> {
        self.schema.fields.iter().map(|field| u16::try_from(field.number).expect("fields are numbered below 128"))
    }

    /// Number of claims.
    pub fn fields(&self) -> usize {
        self.schema.fields.len()
    }

    /// `version`, if the kind has it; every kind has version 1 only.
    pub fn version(&self, version: u32) -> Result<u16, RecordError> {
        if version == 1 {
            Ok(1)
        } else {
            Err(RecordError::UnknownVersion { kind: self.name(), expected: 1, found: version })
        }
    }
}
