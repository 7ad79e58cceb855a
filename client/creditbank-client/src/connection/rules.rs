//! The registry as the rules see it, put together from proved entries: for what a client works out itself.

use creditbank_protocol::InstitutionId;
use creditbank_protocol::canonical::{Canonical, decode};
use creditbank_protocol::pb::{self, Kind};
use creditbank_rules::{Registry, RegistryRecord};

use super::{Client, RegistryItem};
use crate::ClientError;

/// What agreements and definitions refer to, and they themselves.
const KINDS: [Kind; 14] = [
    Kind::Country,
    Kind::FieldOfEducation,
    Kind::CreditUnit,
    Kind::Framework,
    Kind::GradeScale,
    Kind::LevelMap,
    Kind::LegalDeadline,
    Kind::Institution,
    Kind::AgreementProposal,
    Kind::AgreementAcceptance,
    Kind::AgreementEnding,
    Kind::QualificationDefinition,
    Kind::CourseCodes,
    Kind::CourseAlias,
];

impl Client {
    /// The registry in force: lists, institutions, agreements, definitions and what is said of course codes, without units, keys and accreditations. Each
    /// entry is proved; that none is missing is the node's word. An entry that the rules would not admit as things stand now,
    /// as one of an institution that is closed since, is left out.
    pub async fn rules_registry(&self) -> Result<Registry, ClientError> {
        let mut waiting = Vec::new();
        for kind in KINDS {
            waiting.extend(self.registry_list(kind, None).await?);
        }
        let mut registry = Registry::new(self.origin());
        // In the order in which they were published; what refers to a later one, as it was replaced since, waits for it.
        waiting.sort_by_key(|item| (item.place.entry, item.place.index));
        loop {
            let before = waiting.len();
            let mut later = Vec::new();
            for item in waiting {
                let institution = publisher(&item)?.into();
                let kind = item.key.kind();
                let record = RegistryRecord {
                    kind,
                    body: &item.body,
                    institution,
                    created_at_minute: 0,
                    sealed_at_ms: 0,
                    entry: 0.into(),
                };
                if registry.admit(record).is_err() {
                    later.push(item);
                }
            }
            if later.is_empty() || later.len() == before {
                return Ok(registry);
            }
            waiting = later;
        }
    }
}

impl Client {
    /// What the registry says of the course codes of an institution, or of all, and nothing else: enough to know which
    /// codes name one course.
    pub async fn course_codes(&self, institution: Option<InstitutionId>) -> Result<Registry, ClientError> {
        let mut registry = Registry::new(self.origin());
        for kind in [Kind::CourseCodes, Kind::CourseAlias] {
            for item in self.registry_list(kind, institution).await? {
                if kind == Kind::CourseAlias && says_nothing(&registry, &item.decode()?) {
                    continue;
                }
                let (body, entry) = (item.body.as_slice(), item.place.entry);
                let institution = publisher(&item)?.into();
                let record = RegistryRecord { kind, body, institution, created_at_minute: 0, sealed_at_ms: 0, entry };
                registry.admit(record).map_err(|error| ClientError::Local(error.to_string()))?;
            }
        }
        Ok(registry)
    }
}

/// Whether an alias was withdrawn, or is needless by now: its codes differ in case alone, and case matters no more.
fn says_nothing(registry: &Registry, alias: &pb::CourseAlias) -> bool {
    alias.withdrawn || registry.course(alias.institution.into(), &alias.code).is(&alias.same_as)
}

/// Who signs an entry: the institution that publishes it, or the operator.
fn publisher(item: &RegistryItem) -> Result<u64, ClientError> {
    fn read<M: Canonical>(item: &RegistryItem, institution: impl Fn(M) -> u64) -> Result<u64, ClientError> {
        Ok(institution(decode(&item.body)?))
    }
    match item.key.kind() {
        Kind::AgreementProposal => read(item, |one: pb::AgreementProposal| one.institution),
        Kind::AgreementAcceptance => read(item, |one: pb::AgreementAcceptance| one.institution),
        Kind::AgreementEnding => read(item, |one: pb::AgreementEnding| one.institution),
        Kind::QualificationDefinition => read(item, |one: pb::QualificationDefinition| one.institution),
        Kind::CourseAlias => read(item, |one: pb::CourseAlias| one.institution),
        Kind::CourseCodes => read(item, |one: pb::CourseCodes| one.institution),
        _ => Ok(0),
    }
}
