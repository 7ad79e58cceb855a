//! The registry: who may issue what, in which units, levels and scales.

mod admit;
mod key;
mod scale;

use std::collections::BTreeMap;
use std::sync::Arc;

use creditbank_protocol::canonical::decode;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::registry::{RegistryKey, RegistryKeyError};

use crate::{Rejection, Rule};

/// A registry record of a block.
#[derive(Debug, Clone, Copy)]
pub struct RegistryRecord<'a> {
    /// A registry kind.
    pub kind: Kind,
    /// Its canonical body.
    pub body: &'a [u8],
}

/// The registry at one moment. Cloning is cheap: the node keeps every version that a seal has named.
#[derive(Debug, Clone)]
pub struct Registry {
    origin: String,
    institutions: BTreeMap<u64, Arc<pb::Institution>>,
    units: BTreeMap<(u64, u32), Arc<pb::Unit>>,
    keys: BTreeMap<KeyId, Arc<pb::Key>>,
    accreditations: BTreeMap<(u64, u32), Arc<pb::Accreditation>>,
    credit_units: BTreeMap<String, Arc<pb::CreditUnit>>,
    frameworks: BTreeMap<String, Arc<pb::Framework>>,
    scales: BTreeMap<String, Arc<pb::GradeScale>>,
}

impl Registry {
    /// The registry of a new log.
    pub fn new(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            institutions: BTreeMap::new(),
            units: BTreeMap::new(),
            keys: BTreeMap::new(),
            accreditations: BTreeMap::new(),
            credit_units: BTreeMap::new(),
            frameworks: BTreeMap::new(),
            scales: BTreeMap::new(),
        }
    }

    /// The log that it belongs to.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// An institution by number.
    pub fn institution(&self, number: u64) -> Option<&pb::Institution> {
        self.institutions.get(&number).map(AsRef::as_ref)
    }

    /// A unit.
    pub fn unit(&self, institution: u64, unit: u32) -> Option<&pb::Unit> {
        self.units.get(&(institution, unit)).map(AsRef::as_ref)
    }

    /// A key by id.
    pub fn key(&self, id: &KeyId) -> Option<&pb::Key> {
        self.keys.get(id).map(AsRef::as_ref)
    }

    /// All keys.
    pub fn keys(&self) -> impl Iterator<Item = &pb::Key> {
        self.keys.values().map(AsRef::as_ref)
    }

    /// The accreditations of an institution.
    pub fn accreditations(&self, institution: u64) -> impl Iterator<Item = &pb::Accreditation> {
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

    /// Whether a framework has a level.
    pub fn has_level(&self, level: &pb::Level) -> bool {
        self.framework(&level.framework).is_some_and(|found| found.levels.iter().any(|one| one.code == level.level))
    }

    /// Whether a grade passes; `None` when scale or grade are not in the registry.
    pub fn passes(&self, grade: &pb::Grade) -> Option<bool> {
        scale::passes(self.scale(&grade.scale)?, &grade.value)
    }

    /// Whether `institution` is in force as the custodian of `other`, which is closed.
    pub fn is_custodian(&self, institution: u64, other: u64, day: crate::dates::Day) -> bool {
        let closed = |found: &pb::Institution| found.state == i32::from(pb::RegistryState::Closed);
        let relates = |found: &pb::Institution| {
            found.relations.iter().any(|relation| {
                relation.r#type == i32::from(pb::RelationType::CustodianOf)
                    && relation.institution == other
                    && crate::dates::within(day, relation.from.as_ref(), relation.until.as_ref())
            })
        };
        self.institution(other).is_some_and(closed) && self.institution(institution).is_some_and(relates)
    }

    /// The institutions in force as custodians of `other`, which is closed.
    pub fn custodians(&self, other: u64, day: crate::dates::Day) -> impl Iterator<Item = u64> + '_ {
        let closed = self.institution(other).is_some_and(|found| found.state == i32::from(pb::RegistryState::Closed));
        let all = closed.then(|| self.institutions.keys().copied());
        all.into_iter().flatten().filter(move |number| self.is_custodian(*number, other, day))
    }

    /// Whether what a key sealed at a time is contested: the key was revoked as compromised since then.
    pub fn is_contested(&self, key: &KeyId, sealed_at_ms: u64) -> bool {
        let revoked = self.key(key).and_then(|key| key.revoked.as_ref());
        let since = revoked.map_or(0, |revoked| revoked.compromised_since_minute);
        since != 0 && sealed_at_ms / 60_000 >= since
    }

    /// Sets what the record says, after checking it against what is in force; returns the key of the entry.
    pub fn admit(&mut self, record: RegistryRecord<'_>) -> Result<RegistryKey, Rejection> {
        let malformed =
            |error: &dyn std::fmt::Display| Rejection::new(Rule::InvalidCode, "a canonical body", error.to_string());
        let key = RegistryKey::of(record.kind, record.body).map_err(|error| match error {
            RegistryKeyError::Suite(found) => {
                Rejection::new(Rule::Contradiction, "1 (Ed25519)", found.to_string()).field("suite")
            }
            error @ RegistryKeyError::PublicKey => malformed(&error).field("public_key"),
            error => malformed(&error),
        })?;
        macro_rules! set {
            ($map:ident, $check:path, $key:expr) => {{
                let entry = decode(record.body).map_err(|error| malformed(&error))?;
                $check(self, &entry)?;
                self.$map.insert($key, Arc::new(entry));
            }};
        }
        match &key {
            RegistryKey::Institution(number) => set!(institutions, admit::institution, *number),
            RegistryKey::Unit(institution, unit) => set!(units, admit::unit, (*institution, *unit)),
            RegistryKey::Key(id) => set!(keys, key::check, *id),
            RegistryKey::Accreditation(institution, number) => {
                set!(accreditations, admit::accreditation, (*institution, *number));
            }
            RegistryKey::CreditUnit(code) => set!(credit_units, admit::credit_unit, code.clone()),
            RegistryKey::Framework(code) => set!(frameworks, admit::framework, code.clone()),
            RegistryKey::GradeScale(code) => set!(scales, scale::check, code.clone()),
        }
        Ok(key)
    }
}
