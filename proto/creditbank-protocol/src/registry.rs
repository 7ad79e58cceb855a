//! Names and values of the registry map.

use crate::canonical::{Canonical, CanonicalError, decode};
use crate::hash::{Preimage, tag};
use crate::key::KeyId;
use crate::pb;
use crate::record::kind_number;
use crate::{Digest, InstitutionId, LogIndex, UnitId};

/// What a registry entry is about; its digest is the key in the registry map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RegistryKey {
    /// An institution by number.
    Institution(InstitutionId),
    /// A unit.
    Unit(UnitId),
    /// A key by id.
    Key(KeyId),
    /// An accreditation by institution and number.
    Accreditation(InstitutionId, u32),
    /// A credit unit by code.
    CreditUnit(String),
    /// A framework by code.
    Framework(String),
    /// A grade scale by code.
    GradeScale(String),
    /// A level map by code.
    LevelMap(String),
    /// A legal deadline by code.
    LegalDeadline(String),
    /// A country by its two letters.
    Country(String),
    /// A field of education by code.
    FieldOfEducation(String),
    /// The newest succession of the registry key.
    RegistrySuccession,
    /// How many persons approve the operator's own blocks.
    RegistryPolicy,
    /// A correction of the time, by the log index of the first wrong seal.
    TimeCorrection(LogIndex),
    /// The newest succession of the log.
    LogSuccession,
    /// What was proposed as an agreement, by code and version.
    AgreementProposal(String, u32),
    /// Its acceptance.
    AgreementAcceptance(String, u32),
    /// The notice of its ending.
    AgreementEnding(String, u32),
    /// An equivalence by institution, code and version.
    Equivalence(InstitutionId, String, u32),
    /// A qualification definition by institution, code and version.
    QualificationDefinition(InstitutionId, String, u32),
    /// A grade distribution by institution and number.
    GradeDistribution(InstitutionId, u32),
    /// An alias by institution and code.
    CourseAlias(InstitutionId, String),
    /// What an institution says of its course codes.
    CourseCodes(InstitutionId),
}

/// Why a body has no registry key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryKeyError {
    /// The kind has no place in the registry.
    #[error("kind {0:?} is not a registry kind")]
    Kind(pb::Kind),
    /// A key of another suite, which has no id.
    #[error("suite {0} of the key is not supported, expected 1")]
    Suite(u32),
    /// A key without its 32 bytes.
    #[error("the key has no public key")]
    PublicKey,
    /// The body is not canonical.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

impl RegistryKey {
    /// The key of a registry record.
    pub fn of(kind: pb::Kind, body: &[u8]) -> Result<Self, RegistryKeyError> {
        fn read<M: Canonical>(
            body: &[u8],
            key: impl FnOnce(M) -> RegistryKey,
        ) -> Result<RegistryKey, RegistryKeyError> {
            Ok(key(decode(body)?))
        }
        match kind {
            pb::Kind::Institution => read(body, |m: pb::Institution| Self::Institution(m.number.into())),
            pb::Kind::Unit => read(body, |m: pb::Unit| Self::Unit(UnitId::new(m.institution, m.unit))),
            pb::Kind::Key => {
                let key: pb::Key = decode(body)?;
                if key.suite != u32::from(crate::record::SUITE) {
                    return Err(RegistryKeyError::Suite(key.suite));
                }
                let public_key = key.public_key.as_slice().try_into().map_err(|_| RegistryKeyError::PublicKey)?;
                Ok(Self::Key(KeyId::of(public_key)))
            }
            pb::Kind::Accreditation => {
                read(body, |m: pb::Accreditation| Self::Accreditation(m.institution.into(), m.number))
            }
            pb::Kind::CreditUnit => read(body, |m: pb::CreditUnit| Self::CreditUnit(m.code)),
            pb::Kind::Framework => read(body, |m: pb::Framework| Self::Framework(m.code)),
            pb::Kind::GradeScale => read(body, |m: pb::GradeScale| Self::GradeScale(m.code)),
            pb::Kind::LevelMap => read(body, |m: pb::LevelMap| Self::LevelMap(m.code)),
            pb::Kind::LegalDeadline => read(body, |m: pb::LegalDeadline| Self::LegalDeadline(m.code)),
            pb::Kind::Country => read(body, |m: pb::Country| Self::Country(m.alpha2)),
            pb::Kind::FieldOfEducation => read(body, |m: pb::FieldOfEducation| Self::FieldOfEducation(m.code)),
            pb::Kind::RegistrySuccession => read(body, |_: pb::RegistrySuccession| Self::RegistrySuccession),
            pb::Kind::RegistryPolicy => read(body, |_: pb::RegistryPolicy| Self::RegistryPolicy),
            pb::Kind::TimeCorrection => read(body, |m: pb::TimeCorrection| Self::TimeCorrection(LogIndex(m.first))),
            pb::Kind::LogSuccession => read(body, |_: pb::LogSuccession| Self::LogSuccession),
            pb::Kind::AgreementProposal => read(body, |m: pb::AgreementProposal| {
                let terms = m.terms.unwrap_or_default();
                Self::AgreementProposal(terms.code, terms.version)
            }),
            pb::Kind::AgreementAcceptance => read(body, |m: pb::AgreementAcceptance| {
                let name = m.agreement.unwrap_or_default();
                Self::AgreementAcceptance(name.code, name.version)
            }),
            pb::Kind::AgreementEnding => read(body, |m: pb::AgreementEnding| {
                let name = m.agreement.unwrap_or_default();
                Self::AgreementEnding(name.code, name.version)
            }),
            pb::Kind::Equivalence => {
                read(body, |m: pb::Equivalence| Self::Equivalence(m.institution.into(), m.code, m.version))
            }
            pb::Kind::QualificationDefinition => read(body, |m: pb::QualificationDefinition| {
                Self::QualificationDefinition(m.institution.into(), m.code, m.version)
            }),
            pb::Kind::GradeDistribution => {
                read(body, |m: pb::GradeDistribution| Self::GradeDistribution(m.institution.into(), m.number))
            }
            pb::Kind::CourseAlias => read(body, |m: pb::CourseAlias| Self::CourseAlias(m.institution.into(), m.code)),
            pb::Kind::CourseCodes => read(body, |m: pb::CourseCodes| Self::CourseCodes(m.institution.into())),
            other => Err(RegistryKeyError::Kind(other)),
        }
    }

    /// The kind of the entries with such a key.
    pub fn kind(&self) -> pb::Kind {
        match self {
            Self::Institution(_) => pb::Kind::Institution,
            Self::Unit(_) => pb::Kind::Unit,
            Self::Key(_) => pb::Kind::Key,
            Self::Accreditation(..) => pb::Kind::Accreditation,
            Self::CreditUnit(_) => pb::Kind::CreditUnit,
            Self::Framework(_) => pb::Kind::Framework,
            Self::GradeScale(_) => pb::Kind::GradeScale,
            Self::LevelMap(_) => pb::Kind::LevelMap,
            Self::LegalDeadline(_) => pb::Kind::LegalDeadline,
            Self::Country(_) => pb::Kind::Country,
            Self::FieldOfEducation(_) => pb::Kind::FieldOfEducation,
            Self::RegistrySuccession => pb::Kind::RegistrySuccession,
            Self::RegistryPolicy => pb::Kind::RegistryPolicy,
            Self::TimeCorrection(_) => pb::Kind::TimeCorrection,
            Self::LogSuccession => pb::Kind::LogSuccession,
            Self::AgreementProposal(..) => pb::Kind::AgreementProposal,
            Self::AgreementAcceptance(..) => pb::Kind::AgreementAcceptance,
            Self::AgreementEnding(..) => pb::Kind::AgreementEnding,
            Self::Equivalence(..) => pb::Kind::Equivalence,
            Self::QualificationDefinition(..) => pb::Kind::QualificationDefinition,
            Self::GradeDistribution(..) => pb::Kind::GradeDistribution,
            Self::CourseAlias(..) => pb::Kind::CourseAlias,
            Self::CourseCodes(_) => pb::Kind::CourseCodes,
        }
    }

    /// The key in the registry map: H(tag, kind, identity).
    pub fn digest(&self) -> Digest {
        let preimage = Preimage::new(tag::REGISTRY_KEY).u16(kind_number(self.kind()));
        match self {
            Self::Institution(institution) | Self::CourseCodes(institution) => preimage.u64(institution.0),
            Self::CourseAlias(institution, code) => preimage.u64(institution.0).variable(code.as_bytes()),
            Self::Unit(unit) => preimage.u64(unit.institution.0).u32(unit.number),
            Self::Accreditation(institution, number) | Self::GradeDistribution(institution, number) => {
                preimage.u64(institution.0).u32(*number)
            }
            Self::Key(id) => preimage.fixed(&id.0),
            Self::RegistrySuccession | Self::RegistryPolicy | Self::LogSuccession => preimage,
            Self::TimeCorrection(first) => preimage.u64(first.0),
            Self::CreditUnit(code)
            | Self::Framework(code)
            | Self::GradeScale(code)
            | Self::LevelMap(code)
            | Self::LegalDeadline(code)
            | Self::Country(code)
            | Self::FieldOfEducation(code) => preimage.variable(code.as_bytes()),
            Self::AgreementProposal(code, version)
            | Self::AgreementAcceptance(code, version)
            | Self::AgreementEnding(code, version) => preimage.variable(code.as_bytes()).u32(*version),
            Self::Equivalence(institution, code, version)
            | Self::QualificationDefinition(institution, code, version) => {
                preimage.u64(institution.0).variable(code.as_bytes()).u32(*version)
            }
        }
        .digest()
    }
}

impl std::fmt::Display for RegistryKey {
    /// What people call the entry: its number, code, or code and version.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Institution(number) | Self::CourseCodes(number) => write!(f, "{number}"),
            Self::CourseAlias(institution, code) => write!(f, "{institution}/{code}"),
            Self::Unit(UnitId { institution, number })
            | Self::Accreditation(institution, number)
            | Self::GradeDistribution(institution, number) => write!(f, "{institution}.{number}"),
            Self::Key(id) => write!(f, "{id}"),
            Self::RegistrySuccession => f.write_str("succession"),
            Self::RegistryPolicy => f.write_str("policy"),
            Self::TimeCorrection(first) => write!(f, "{first}"),
            Self::LogSuccession => f.write_str("log"),
            Self::CreditUnit(code)
            | Self::Framework(code)
            | Self::GradeScale(code)
            | Self::LevelMap(code)
            | Self::LegalDeadline(code)
            | Self::Country(code)
            | Self::FieldOfEducation(code) => f.write_str(code),
            Self::AgreementProposal(code, version)
            | Self::AgreementAcceptance(code, version)
            | Self::AgreementEnding(code, version) => write!(f, "{code}.{version}"),
            Self::Equivalence(institution, code, version)
            | Self::QualificationDefinition(institution, code, version) => write!(f, "{institution}/{code}.{version}"),
        }
    }
}

/// The value of a registry leaf: H(tag, canonical bytes of the entry).
pub fn registry_value(entry: &[u8]) -> Digest {
    Preimage::new(tag::REGISTRY_VALUE).variable(entry).digest()
}
