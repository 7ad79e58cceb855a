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
    /// Claims that must be opened, possibly as absent, before a verifier may call the record valid.
    pub required: RequiredClaims,
}

/// Field numbers that must be opened: type, course, amount or status, attempt, mode, period, repeats, expiry, embargo and
/// amendment, so that nobody can hide what would make the rest mean something else.
static KINDS: [KindInfo; 11] = [
    learner(Kind::Identity, &tables::IDENTITY, &[6]),
    learner(Kind::Outcome, &tables::OUTCOME, &[2, 3, 11, 14, 16, 17, 18]),
    learner(Kind::Credit, &tables::CREDIT, &[2, 3, 7, 11, 14, 16, 17, 18, 20]),
    learner(Kind::Result, &tables::RESULT, &[2, 3, 8, 12, 15, 16, 18]),
    registry(Kind::Institution, &tables::INSTITUTION),
    registry(Kind::Unit, &tables::UNIT),
    registry(Kind::Key, &tables::KEY),
    registry(Kind::Accreditation, &tables::ACCREDITATION),
    registry(Kind::CreditUnit, &tables::CREDIT_UNIT),
    registry(Kind::Framework, &tables::FRAMEWORK),
    registry(Kind::GradeScale, &tables::GRADE_SCALE),
];

const fn learner(kind: Kind, schema: &'static Message, required: RequiredClaims) -> KindInfo {
    KindInfo { kind, schema, public: false, required }
}

const fn registry(kind: Kind, schema: &'static Message) -> KindInfo {
    KindInfo { kind, schema, public: true, required: &[] }
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
