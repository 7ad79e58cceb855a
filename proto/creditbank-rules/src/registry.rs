//! The registry: who may issue what, in which units, levels and scales.

pub(crate) mod admit;
mod agreement;
mod authority;
mod correction;
mod courses;
pub(crate) mod definition;
mod distribution;
pub(crate) mod equivalence;
mod key;
mod level;
mod lists;
mod log_key;
mod log_succession;
mod policy;
pub(crate) mod rank;
pub(crate) mod scale;

use std::collections::BTreeSet;
use std::sync::Arc;

use creditbank_protocol::authority as rights;
use creditbank_protocol::canonical::decode;
use creditbank_protocol::contested::is_suspect;
use creditbank_protocol::correction::Correction;
use creditbank_protocol::key::{KeyId, LogKeyHistory, LogKeys, RegistryAuthority};
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::registry::{RegistryKey, RegistryKeyError};
use creditbank_protocol::{InstitutionId, LogIndex, UnitId};

use rpds::RedBlackTreeMapSync;

pub use agreement::Agreement;
pub use level::Comparable;
pub use rank::Rank;

use crate::dates::Day;
use crate::plausible::{earliest_day, latest_day};
use crate::{CourseName, Rejection, Rule, texts};

/// A registry record of a block.
#[derive(Debug, Clone, Copy)]
pub struct RegistryRecord<'a> {
    /// A public kind.
    pub kind: Kind,
    /// Its canonical body.
    pub body: &'a [u8],
    /// Who signed the block.
    pub institution: InstitutionId,
    /// When its block was created, in minutes since 1970.
    pub created_at_minute: u64,
    /// Time of the seal of its round.
    pub sealed_at_ms: u64,
    /// Log index of its block.
    pub entry: LogIndex,
}

impl<'a> RegistryRecord<'a> {
    /// A record of the operator, where the time does not matter.
    pub fn of_operator(kind: Kind, body: &'a [u8]) -> Self {
        Self {
            kind,
            body,
            institution: InstitutionId::OPERATOR,
            created_at_minute: 0,
            sealed_at_ms: 0,
            entry: LogIndex(0),
        }
    }
}

/// When a record was judged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Judged {
    Now,
    Before,
}

/// A map whose versions share what is the same.
type Map<K, V> = RedBlackTreeMapSync<K, Arc<V>>;

/// The registry at one moment. Cloning is cheap: versions share their entries, and the node keeps every version that a
/// seal has named.
#[derive(Debug, Clone)]
pub struct Registry {
    origin: String,
    institutions: Map<InstitutionId, pb::Institution>,
    units: Map<UnitId, pb::Unit>,
    keys: Map<KeyId, pb::Key>,
    policy: pb::RegistryPolicy,
    corrections: Map<LogIndex, Correction>,
    /// `None` of a registry that was put together without its log: it takes any registry key.
    authority: Option<RegistryAuthority>,
    /// The log keys, likewise.
    log_keys: Option<LogKeyHistory>,
    accreditations: Map<(InstitutionId, u32), pb::Accreditation>,
    credit_units: Map<String, pb::CreditUnit>,
    frameworks: Map<String, pb::Framework>,
    scales: Map<String, pb::GradeScale>,
    level_maps: Map<String, pb::LevelMap>,
    deadlines: Map<String, pb::LegalDeadline>,
    countries: Map<String, pb::Country>,
    fields: Map<String, pb::FieldOfEducation>,
    agreements: Map<(String, u32), Agreement>,
    equivalences: Map<(InstitutionId, String, u32), pb::Equivalence>,
    definitions: Map<(InstitutionId, String, u32), pb::QualificationDefinition>,
    distributions: Map<(InstitutionId, u32), pb::GradeDistribution>,
    courses: courses::Courses,
    /// Of what decisions stand on, when it was sealed first: institutions, acceptances, equivalences.
    first_sealed: Map<RegistryKey, FirstSeal>,
}

/// Where and when an entry was sealed first.
#[derive(Debug)]
struct FirstSeal {
    entry: LogIndex,
    minute: u64,
}

impl Registry {
    /// The registry of a log before its first entry.
    pub fn begun(keys: &LogKeys) -> Self {
        let log_keys = Some(LogKeyHistory::new(&keys.origin, keys.log_key));
        Self { authority: Some(keys.registry()), log_keys, ..Self::new(&keys.origin) }
    }

    /// An empty registry that knows nothing of the registry key.
    pub fn new(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            institutions: Map::new_sync(),
            units: Map::new_sync(),
            keys: Map::new_sync(),
            policy: pb::RegistryPolicy::default(),
            corrections: Map::new_sync(),
            authority: None,
            log_keys: None,
            accreditations: Map::new_sync(),
            credit_units: Map::new_sync(),
            frameworks: Map::new_sync(),
            scales: Map::new_sync(),
            level_maps: Map::new_sync(),
            deadlines: Map::new_sync(),
            countries: Map::new_sync(),
            fields: Map::new_sync(),
            agreements: Map::new_sync(),
            equivalences: Map::new_sync(),
            definitions: Map::new_sync(),
            distributions: Map::new_sync(),
            courses: courses::Courses::new(),
            first_sealed: Map::new_sync(),
        }
    }

    /// The registry key in force, and who may follow; `None` where the registry was put together without its log.
    pub fn authority(&self) -> Option<RegistryAuthority> {
        self.authority
    }

    /// Which log key signs which seals; `None` where the registry was put together without its log.
    pub fn log_keys(&self) -> Option<&LogKeyHistory> {
        self.log_keys.as_ref()
    }

    /// Checks, after a block of the operator, that the registry key in force stands in the registry, and no other one
    /// does without having ended.
    pub fn check_authority(&self) -> Result<(), Rejection> {
        let Some(authority) = self.authority else { return Ok(()) };
        authority::complete(self, &authority)
    }

    /// The log that it belongs to, by the name that it has now.
    pub fn origin(&self) -> &str {
        self.log_keys.as_ref().map_or(&self.origin, |log_keys| log_keys.origins().newest())
    }

    /// All names that the log has had.
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        let known = self.log_keys.iter().flat_map(|log_keys| log_keys.origins().all().map(|(_, origin)| origin));
        known.chain(self.log_keys.is_none().then_some(self.origin.as_str()))
    }

    /// An institution by number.
    pub fn institution(&self, number: InstitutionId) -> Option<&pb::Institution> {
        self.institutions.get(&number).map(AsRef::as_ref)
    }

    /// A unit.
    pub fn unit(&self, unit: UnitId) -> Option<&pb::Unit> {
        self.units.get(&unit).map(AsRef::as_ref)
    }

    /// A key by id.
    pub fn key(&self, id: &KeyId) -> Option<&pb::Key> {
        self.keys.get(id).map(AsRef::as_ref)
    }

    /// All keys.
    pub fn keys(&self) -> impl Iterator<Item = &pb::Key> {
        self.keys.values().map(AsRef::as_ref)
    }

    /// How many other persons must approve a block of a unit, or of the operator.
    pub fn approvals_required(&self, unit: UnitId) -> usize {
        if unit.institution.is_operator() {
            let policy = self.policy.approvals;
            return usize::try_from(policy).unwrap_or(usize::MAX);
        }
        usize::from(self.unit(unit).is_some_and(|unit| unit.requires_approval))
    }

    /// The accreditations of an institution.
    pub fn accreditations(&self, institution: InstitutionId) -> impl Iterator<Item = &pb::Accreditation> {
        self.accreditations.range((institution, 0)..=(institution, u32::MAX)).map(|(_, entry)| entry.as_ref())
    }

    /// A credit unit by code.
    pub fn credit_unit(&self, code: &str) -> Option<&pb::CreditUnit> {
        self.credit_units.get(code).map(AsRef::as_ref)
    }

    /// A framework by code.
    pub fn framework(&self, code: &str) -> Option<&pb::Framework> {
        self.frameworks.get(code).map(AsRef::as_ref)
    }

    /// A grade scale by code.
    pub fn scale(&self, code: &str) -> Option<&pb::GradeScale> {
        self.scales.get(code).map(AsRef::as_ref)
    }

    /// A level map by code.
    pub fn level_map(&self, code: &str) -> Option<&pb::LevelMap> {
        self.level_maps.get(code).map(AsRef::as_ref)
    }

    /// A legal deadline by code.
    pub fn deadline(&self, code: &str) -> Option<&pb::LegalDeadline> {
        self.deadlines.get(code).map(AsRef::as_ref)
    }

    /// All legal deadlines, by code.
    pub fn deadlines(&self) -> impl Iterator<Item = &pb::LegalDeadline> {
        self.deadlines.values().map(AsRef::as_ref)
    }

    /// A country by its two letters.
    pub fn country(&self, alpha2: &str) -> Option<&pb::Country> {
        self.countries.get(alpha2).map(AsRef::as_ref)
    }

    /// A field of education by code.
    pub fn field(&self, code: &str) -> Option<&pb::FieldOfEducation> {
        self.fields.get(code).map(AsRef::as_ref)
    }

    /// One version of an agreement, whether or not it was accepted.
    pub fn agreement(&self, code: &str, version: u32) -> Option<&Agreement> {
        self.agreements.get(&(code.to_owned(), version)).map(AsRef::as_ref)
    }

    /// All versions of all agreements, by code and version.
    pub fn agreements(&self) -> impl Iterator<Item = &Agreement> {
        self.agreements.values().map(AsRef::as_ref)
    }

    /// One version of an equivalence.
    pub fn equivalence(&self, institution: InstitutionId, code: &str, version: u32) -> Option<&pb::Equivalence> {
        self.equivalences.get(&(institution, code.to_owned(), version)).map(AsRef::as_ref)
    }

    /// All versions of all equivalences of an institution, by code and version.
    pub fn equivalences(&self, institution: InstitutionId) -> impl Iterator<Item = &pb::Equivalence> {
        let first = (institution, String::new(), 0);
        let of = move |entry: &&Arc<pb::Equivalence>| InstitutionId(entry.institution) == institution;
        self.equivalences.range(first..).map(|(_, entry)| entry).take_while(of).map(AsRef::as_ref)
    }

    /// One version of a qualification definition.
    pub fn definition(
        &self,
        institution: InstitutionId,
        code: &str,
        version: u32,
    ) -> Option<&pb::QualificationDefinition> {
        self.definitions.get(&(institution, code.to_owned(), version)).map(AsRef::as_ref)
    }

    /// All versions of all qualification definitions of an institution, by code and version.
    pub fn definitions(&self, institution: InstitutionId) -> impl Iterator<Item = &pb::QualificationDefinition> {
        let first = (institution, String::new(), 0);
        let of = move |entry: &&Arc<pb::QualificationDefinition>| InstitutionId(entry.institution) == institution;
        self.definitions.range(first..).map(|(_, entry)| entry).take_while(of).map(AsRef::as_ref)
    }

    /// All versions of one qualification definition.
    pub fn versions_of(
        &self,
        institution: InstitutionId,
        code: &str,
    ) -> impl Iterator<Item = &pb::QualificationDefinition> {
        let (first, last) = ((institution, code.to_owned(), 0), (institution, code.to_owned(), u32::MAX));
        self.definitions.range(first..=last).map(|(_, entry)| entry.as_ref())
    }

    /// The day on which an institution, the acceptance of an agreement or an equivalence was sealed first: the earliest
    /// one on earth, so that nobody's local day lies before it. `None` where it was not.
    pub fn recorded_on(&self, key: &RegistryKey) -> Option<Day> {
        let first = self.first_sealed.get(key)?;
        Some(earliest_day(self.counted_minute(first.entry, first.minute)))
    }

    /// Every institution that confers a qualification, in any of its versions.
    pub fn conferring(&self, institution: InstitutionId, code: &str) -> BTreeSet<InstitutionId> {
        let listed = self.versions_of(institution, code).flat_map(|version| version.awarding.iter().copied());
        listed.map(InstitutionId).chain([institution]).collect()
    }

    /// Whether any definition lets another award count the same credit.
    pub fn has_overlaps(&self) -> bool {
        self.definitions.values().any(|entry| !entry.overlaps.is_empty())
    }

    /// The grade distributions of an institution, by number.
    pub fn distributions(&self, institution: InstitutionId) -> impl Iterator<Item = &pb::GradeDistribution> {
        self.distributions.range((institution, 0)..=(institution, u32::MAX)).map(|(_, entry)| entry.as_ref())
    }

    /// The course that a code of an institution names, with all codes that name it.
    pub fn course(&self, institution: InstitutionId, code: &str) -> CourseName {
        self.courses.course(institution, code)
    }

    /// The aliases that an institution has published and not withdrawn, by code.
    pub fn course_aliases(&self, institution: InstitutionId) -> impl Iterator<Item = &pb::CourseAlias> {
        self.courses.aliases(institution)
    }

    /// Whether any institution has an alias that is not withdrawn.
    pub(crate) fn has_aliases(&self) -> bool {
        self.courses.has_aliases()
    }

    /// Whether case matters in the course codes of an institution.
    pub fn case_matters(&self, institution: InstitutionId) -> bool {
        self.courses.case_matters(institution)
    }

    /// Whether a framework has a level.
    pub fn has_level(&self, level: &pb::Level) -> bool {
        self.level_exists(&level.framework, &level.level)
    }

    /// Whether a grade passes; `None` when scale or grade are not in the registry.
    pub fn passes(&self, grade: &pb::Grade) -> Option<bool> {
        scale::passes(self.scale(&grade.scale)?, &grade.value)
    }

    /// The place of a grade in the order of its scale; `None` when scale or grade are not in the registry.
    pub fn rank(&self, grade: &pb::Grade) -> Option<Rank> {
        rank::rank(self.scale(&grade.scale)?, &grade.value)
    }

    /// Whether an institution is active.
    pub fn is_active(&self, institution: InstitutionId) -> bool {
        let active = i32::from(pb::RegistryState::Active);
        self.institution(institution).is_some_and(|found| found.state == active)
    }

    /// Whether `institution` is in force as the custodian of `other`, which is closed.
    pub fn is_custodian(&self, institution: InstitutionId, other: InstitutionId, day: crate::dates::Day) -> bool {
        let (keeper, other) = (self.institution(institution), self.institution(other));
        keeper.zip(other).is_some_and(|(keeper, other)| rights::is_custodian(keeper, other, day))
    }

    /// The institutions in force as custodians of `other`, which is closed.
    pub fn custodians(&self, other: InstitutionId, day: crate::dates::Day) -> impl Iterator<Item = InstitutionId> + '_ {
        let institutions = || self.institutions.values().map(AsRef::as_ref);
        let all = self.institution(other).map(|other| rights::custodians(other, institutions(), day));
        all.into_iter().flatten().map(|keeper| keeper.number.into())
    }

    /// Whether a block is suspect that was sealed at a time: one of the keys that signed or approved it was revoked as
    /// compromised since then.
    pub fn is_suspect<'a>(&self, keys: impl IntoIterator<Item = &'a KeyId>, sealed_at_ms: u64) -> bool {
        keys.into_iter().filter_map(|id| self.key(id)).any(|key| is_suspect(key, sealed_at_ms))
    }

    /// Sets what the record says, after checking it against what is in force; returns the key of the entry.
    pub fn admit(&mut self, record: RegistryRecord<'_>) -> Result<RegistryKey, Rejection> {
        self.set(record, Judged::Now)
    }

    /// Sets what a record says that was admitted before, after the same records as now: a node that starts, which has
    /// the log from itself. What costs most, whether a definition is a good one, is not asked again.
    pub fn admit_again(&mut self, record: RegistryRecord<'_>) -> Result<RegistryKey, Rejection> {
        self.set(record, Judged::Before)
    }

    fn set(&mut self, record: RegistryRecord<'_>, judged: Judged) -> Result<RegistryKey, Rejection> {
        let key = key_of(record)?;
        // Of what is canonical; a body that is not is refused below.
        texts::check(record.kind, record.body)?;
        macro_rules! set {
            ($map:ident, $check:path, $key:expr) => {{
                let entry = decode(record.body).map_err(|error| malformed(&error))?;
                $check(self, &entry)?;
                self.$map.insert_mut($key, Arc::new(entry));
            }};
        }
        match &key {
            RegistryKey::Institution(number) => set!(institutions, admit::institution, *number),
            RegistryKey::Unit(unit) => set!(units, admit::unit, *unit),
            RegistryKey::Key(id) => {
                let entry: pb::Key = decode(record.body).map_err(|error| malformed(&error))?;
                key::check(self, &entry)?;
                authority::check_key(self, &entry, record)?;
                self.log_keys = log_key::follow(self, &entry, record)?;
                self.keys.insert_mut(*id, Arc::new(entry));
            }
            RegistryKey::RegistrySuccession => {
                let said: pb::RegistrySuccession = decode(record.body).map_err(|error| malformed(&error))?;
                self.authority = Some(authority::succeed(self, &said)?);
            }
            RegistryKey::LogSuccession => {
                let said: pb::LogSuccession = decode(record.body).map_err(|error| malformed(&error))?;
                self.log_keys = Some(log_succession::succeed(self, &said, record)?);
            }
            RegistryKey::RegistryPolicy => {
                let entry = decode(record.body).map_err(|error| malformed(&error))?;
                policy::check(self, entry)?;
                self.policy = entry;
            }
            RegistryKey::TimeCorrection(first) => {
                let entry: pb::TimeCorrection = decode(record.body).map_err(|error| malformed(&error))?;
                let entry = Correction::from(entry);
                correction::check(self, &entry)?;
                self.corrections.insert_mut(*first, Arc::new(entry));
            }
            RegistryKey::Accreditation(institution, number) => {
                set!(accreditations, admit::accreditation, (*institution, *number));
            }
            RegistryKey::CreditUnit(code) => set!(credit_units, admit::credit_unit, code.clone()),
            RegistryKey::Framework(code) => set!(frameworks, admit::framework, code.clone()),
            RegistryKey::GradeScale(code) => set!(scales, scale::check, code.clone()),
            RegistryKey::LevelMap(code) => set!(level_maps, level::map, code.clone()),
            RegistryKey::LegalDeadline(code) => set!(deadlines, lists::deadline, code.clone()),
            RegistryKey::Country(code) => set!(countries, lists::country, code.clone()),
            RegistryKey::FieldOfEducation(code) => set!(fields, lists::field, code.clone()),
            RegistryKey::AgreementProposal(code, version) => {
                let proposal = decode(record.body).map_err(|error| malformed(&error))?;
                agreement::proposal(self, record, &proposal)?;
                let agreement = Agreement { proposal, acceptance: None, ending: None };
                self.agreements.insert_mut((code.clone(), *version), Arc::new(agreement));
            }
            RegistryKey::AgreementAcceptance(code, version) => {
                let acceptance = decode(record.body).map_err(|error| malformed(&error))?;
                let agreement = agreement::acceptance(self, record, acceptance)?;
                self.agreements.insert_mut((code.clone(), *version), Arc::new(agreement));
            }
            RegistryKey::AgreementEnding(code, version) => {
                let ending = decode(record.body).map_err(|error| malformed(&error))?;
                let agreement = agreement::ending(self, record, ending)?;
                self.agreements.insert_mut((code.clone(), *version), Arc::new(agreement));
            }
            RegistryKey::Equivalence(institution, code, version) => {
                let entry: pb::Equivalence = decode(record.body).map_err(|error| malformed(&error))?;
                published_by(record, entry.institution.into())?;
                equivalence::check(self, &entry)?;
                self.equivalences.insert_mut((*institution, code.clone(), *version), Arc::new(entry));
            }
            RegistryKey::QualificationDefinition(institution, code, version) => {
                let entry: pb::QualificationDefinition = decode(record.body).map_err(|error| malformed(&error))?;
                published_by(record, entry.institution.into())?;
                if judged == Judged::Now {
                    definition::check(self, &entry)?;
                }
                self.definitions.insert_mut((*institution, code.clone(), *version), Arc::new(entry));
            }
            RegistryKey::GradeDistribution(institution, number) => {
                let entry: pb::GradeDistribution = decode(record.body).map_err(|error| malformed(&error))?;
                published_by(record, entry.institution.into())?;
                distribution::check(self, &entry, latest_day(record.created_at_minute))?;
                self.distributions.insert_mut((*institution, *number), Arc::new(entry));
            }
            RegistryKey::CourseAlias(institution, _) => {
                published_by(record, *institution)?;
                self.courses = self.courses.with_alias(decode(record.body).map_err(|error| malformed(&error))?)?;
            }
            RegistryKey::CourseCodes(institution) => {
                published_by(record, *institution)?;
                self.courses = self.courses.with_codes(decode(record.body).map_err(|error| malformed(&error))?)?;
            }
        }
        self.remember(&key, record);
        Ok(key)
    }

    /// Remembers the first seal of what decisions stand on.
    fn remember(&mut self, key: &RegistryKey, record: RegistryRecord<'_>) {
        use RegistryKey::{AgreementAcceptance, Equivalence, Institution};
        let stands = matches!(key, Institution(..) | AgreementAcceptance(..) | Equivalence(..));
        if stands && !self.first_sealed.contains_key(key) {
            let first = FirstSeal { entry: record.entry, minute: record.sealed_at_ms / 60_000 };
            self.first_sealed.insert_mut(key.clone(), Arc::new(first));
        }
    }
}

/// A body that is not what a record of its kind is.
fn malformed(error: &dyn std::fmt::Display) -> Rejection {
    Rejection::new(Rule::InvalidCode, "a canonical body", error.to_string())
}

/// The key of the entry that a record sets.
fn key_of(record: RegistryRecord<'_>) -> Result<RegistryKey, Rejection> {
    RegistryKey::of(record.kind, record.body).map_err(|error| match error {
        RegistryKeyError::Suite(found) => {
            Rejection::new(Rule::Contradiction, "1 (Ed25519)", found.to_string()).field("suite")
        }
        error @ RegistryKeyError::PublicKey => malformed(&error).field("public_key"),
        error => malformed(&error),
    })
}

/// What an institution publishes it publishes in its own name.
fn published_by(record: RegistryRecord<'_>, institution: InstitutionId) -> Result<(), Rejection> {
    let own = record.institution == institution;
    admit::require(own, Rule::NotThePublisher, "institution", "the institution that signs the block", institution)
}
