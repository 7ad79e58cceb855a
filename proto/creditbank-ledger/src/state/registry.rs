//! The registry in force, and what a round makes of it.

use std::sync::Arc;

use creditbank_protocol::block::SignedBlock;
use creditbank_protocol::canonical::encode;
use creditbank_protocol::key::LogKeys;
use creditbank_protocol::map::{MapTags, SparseMap};
use creditbank_protocol::pb::{Kind, PublicRecord, RegistryEntry};
use creditbank_protocol::record::info_of;
use creditbank_protocol::registry::{RegistryKey, registry_value};
use creditbank_protocol::{Digest, InstitutionId, LogIndex, Place, UnitId};
use creditbank_rules::{Registry, RegistryRecord, Rejection, Rule};

use super::Refusal;

/// The registry in force during a round, with the map whose root the seal of the round names. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct InForce {
    /// What it says.
    pub registry: Arc<Registry>,
    /// Its entries' values by their registry keys.
    pub map: SparseMap,
}

/// An entry that a registry record has written.
#[derive(Debug, Clone)]
pub struct Written {
    /// The registry key.
    pub key: Digest,
    /// Where the record stands.
    pub place: Place,
    /// The entry.
    pub entry: Arc<RegistryEntry>,
    /// The unit, where it is a unit's.
    pub unit: Option<UnitId>,
}

/// The registry records of a round. Each sees those before it; all of them act from the next round on.
#[derive(Debug, Clone)]
pub struct Registration {
    registry: Registry,
    leaves: Vec<(Digest, Option<Digest>)>,
    written: Vec<Written>,
    /// The records were admitted before: they come from a log that was judged.
    again: bool,
}

impl InForce {
    /// The registry of a log before its first entry.
    pub fn new(keys: &LogKeys) -> Self {
        Self { registry: Arc::new(Registry::begun(keys)), map: SparseMap::new(MapTags::REGISTRY) }
    }
}

impl Registration {
    /// The registry with the records so far.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// No records yet, in a round during which `in_force` is in force.
    pub fn new(in_force: &InForce) -> Self {
        Self { registry: (*in_force.registry).clone(), leaves: Vec::new(), written: Vec::new(), again: false }
    }

    /// The same, for records that were admitted before: what they cost to judge is not spent again.
    pub fn again(in_force: &InForce) -> Self {
        Self { again: true, ..Self::new(in_force) }
    }

    /// Admits the public records of the block at log index `entry`, all or none: what the operator registers, or what
    /// an institution publishes.
    pub fn admit(&mut self, block: &SignedBlock, entry: LogIndex, sealed_at_ms: u64) -> Result<&[Written], Refusal> {
        let (institution, created_at_minute) = (block.header().unit.institution, block.header().created_at_minute);
        let mut registry = self.registry.clone();
        let (mut leaves, mut written) = (Vec::new(), Vec::new());
        for shown in &block.public().records {
            let at = |rejection: Rejection| rejection.record(shown.index);
            let kind = published_kind(institution, shown).map_err(at)?;
            let record =
                RegistryRecord { kind, body: &shown.body, institution, created_at_minute, sealed_at_ms, entry };
            let admitted = if self.again { registry.admit_again(record) } else { registry.admit(record) };
            let key = admitted.map_err(at)?;
            let place = Place::new(entry, shown.index);
            let one = RegistryEntry {
                kind: shown.kind,
                version: shown.version,
                body: shown.body.clone(),
                place: place.written(),
            };
            let unit = match key {
                RegistryKey::Unit(unit) => Some(unit),
                _ => None,
            };
            let key = key.digest();
            leaves.push((key, Some(registry_value(&encode(&one)?))));
            written.push(Written { key, place, entry: Arc::new(one), unit });
        }
        if institution.is_operator() && !written.is_empty() {
            registry.check_authority()?;
        }
        let first = self.written.len();
        self.registry = registry;
        self.leaves.append(&mut leaves);
        self.written.append(&mut written);
        Ok(&self.written[first..])
    }

    /// The registry in force from the next round on, where this one had `before`, and what was written.
    pub fn finish(self, before: &InForce) -> (InForce, Vec<Written>) {
        let Self { registry, leaves, written, again: _ } = self;
        if written.is_empty() {
            return (before.clone(), written);
        }
        (InForce { registry: Arc::new(registry), map: before.map.update(leaves) }, written)
    }
}

/// The kind of a public record, if the signer may publish it at all.
fn published_kind(institution: InstitutionId, shown: &PublicRecord) -> Result<Kind, Rejection> {
    let kind = Kind::try_from(shown.kind).unwrap_or_default();
    let info = info_of(kind);
    let refuse = |rule, expected: &str| Err(Rejection::new(rule, expected, kind.as_str_name()));
    if institution.is_operator() {
        let registered = info.is_some_and(|info| info.operator);
        return if registered { Ok(kind) } else { refuse(Rule::NotTheOperator, "a registry record") };
    }
    let published = info.is_some_and(|info| info.public && !info.operator);
    if published { Ok(kind) } else { refuse(Rule::KindNotIssued, "a kind that institutions publish") }
}
