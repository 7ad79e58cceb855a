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

/// What the registry says of course codes.
#[derive(Debug)]
pub struct PublishedCodes {
    /// Enough to know which codes name one course, and nothing else.
    pub registry: Registry,
    /// What institutions have said of case.
    pub codes: Vec<pb::CourseCodes>,
    /// The aliases that are not withdrawn.
    pub aliases: Vec<pb::CourseAlias>,
}

impl PublishedCodes {
    fn new(origin: &str) -> Self {
        Self { registry: Registry::new(origin), codes: Vec::new(), aliases: Vec::new() }
    }

    fn add(&mut self, item: &RegistryItem) -> Result<(), ClientError> {
        let kind = item.key.kind();
        if kind == Kind::CourseCodes {
            self.codes.push(item.decode()?);
        } else {
            let alias: pb::CourseAlias = item.decode()?;
            if alias.withdrawn {
                return Ok(());
            }
            self.aliases.push(alias);
        }
        let (body, entry, institution) = (item.body.as_slice(), item.place.entry, publisher(item)?.into());
        let record = RegistryRecord { kind, body, institution, created_at_minute: 0, sealed_at_ms: 0, entry };
        // An alias that the rules would not admit as things stand now says nothing: since case no longer matters, its two
        // codes are one without it.
        let _ = self.registry.admit(record);
        Ok(())
    }
}

impl Client {
    /// What the registry says of the course codes of an institution, or of all. An alias that says nothing as things stand
    /// now is listed, and left out of the registry.
    pub async fn course_codes(&self, institution: Option<InstitutionId>) -> Result<PublishedCodes, ClientError> {
        let mut found = PublishedCodes::new(self.origin());
        for kind in [Kind::CourseCodes, Kind::CourseAlias] {
            for item in self.registry_list(kind, institution).await? {
                found.add(&item)?;
            }
        }
        Ok(found)
    }
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

#[cfg(test)]
mod tests {
    use creditbank_protocol::Place;
    use creditbank_protocol::canonical::encode;
    use creditbank_protocol::registry::RegistryKey;

    use super::*;

    fn item<M: Canonical>(kind: Kind, entry: &M) -> RegistryItem {
        let body = encode(entry).expect("canonical");
        RegistryItem { key: RegistryKey::of(kind, &body).expect("a key"), body, place: Place::new(1, 0) }
    }

    /// Goal: an alias of two codes that differed in case, and no longer do, ends no command: it is listed, and its codes are
    /// one course; so are those of the aliases beside it.
    #[test]
    fn an_alias_that_says_nothing_any_more_is_left_out() {
        let alias = |code: &str, same_as: &str, withdrawn| pb::CourseAlias {
            institution: 1,
            code: code.to_owned(),
            same_as: same_as.to_owned(),
            withdrawn,
        };
        let mut found = PublishedCodes::new("creditbank.example/log");
        let said = pb::CourseCodes { institution: 1, case_matters: false };
        found.add(&item(Kind::CourseCodes, &said)).expect("what is said of case");
        for one in [alias("ws101", "WS101", false), alias("WS-101", "WS101", false), alias("X", "WS101", true)] {
            found.add(&item(Kind::CourseAlias, &one)).expect("an alias");
        }
        assert_eq!((found.codes.len(), found.aliases.len()), (1, 2));
        let course = found.registry.course(1.into(), "ws101");
        assert!(course.is("WS101") && course.is("WS-101") && !course.is("X"));
    }
}
