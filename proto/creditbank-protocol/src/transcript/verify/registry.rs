//! Registry entries, each proved under the registry map of one seal.

use std::cell::Cell;

use super::{
    BTreeMap, Digest, Fault, Institution, InstitutionId, Link, LogIndex, Place, SUITE, TranscriptError, Tree, broken,
    differs, digests, is_custodian, pb,
};
use crate::UnitId;
use crate::canonical::{Canonical, decode, encode};
use crate::correction::Correction;
use crate::dates::Day;
use crate::key::KeyId;
use crate::map::{MapProof, MapTags};
use crate::registry::{RegistryKey, registry_value};
use crate::seal::Seal;

/// The proved entries by registry key and seal, and which of them were used.
///
/// An entry that stands under a later seal, and was published before a round, was in force during that round: a newer
/// one would stand in its place. So one proof serves many rounds.
pub(super) struct RegistryProofs {
    entries: BTreeMap<(Digest, LogIndex), (pb::RegistryEntry, Cell<bool>)>,
}

impl RegistryProofs {
    /// Checks every proof.
    pub(super) fn open(proved: &[pb::ProvedRegistryEntry], tree: &Tree) -> Result<Self, TranscriptError> {
        let mut entries: BTreeMap<(Digest, LogIndex), _> = BTreeMap::new();
        let mut last = None;
        for item in proved {
            let seal = LogIndex(item.seal);
            let at = tree.at(seal);
            let (key, entry) = check(item, tree).map_err(broken(Link::Registry, &at))?;
            if last.is_some_and(|last| (seal, key) <= last) {
                return Err(broken(Link::Registry, at)(Fault::Surplus("registry entries are not in order")));
            }
            last = Some((seal, key));
            entries.insert((key, seal), (entry, Cell::new(false)));
        }
        Ok(Self { entries })
    }

    /// The key as the registry had it during the round of the seal.
    pub(super) fn key(&self, id: KeyId, seal: &Seal) -> Result<pb::Key, Fault> {
        let key: pb::Key = self.take(&RegistryKey::Key(id), seal)?;
        if key.suite == u32::from(SUITE) { Ok(key) } else { Err(Fault::KeyScope("it is of another suite")) }
    }

    /// The institution as the registry had it during the round of the seal.
    pub(super) fn institution(&self, id: InstitutionId, seal: &Seal) -> Result<pb::Institution, Fault> {
        self.take(&RegistryKey::Institution(id), seal)
    }

    /// The unit as the registry had it during the round of the seal.
    pub(super) fn unit(&self, id: UnitId, seal: &Seal) -> Result<pb::Unit, Fault> {
        self.take(&RegistryKey::Unit(id), seal)
    }

    /// The accreditations of an institution that are given, as the registry had them during the round of the seal.
    pub(super) fn accreditations(&self, of: InstitutionId, seal: &Seal) -> Result<Vec<pb::Accreditation>, Fault> {
        let mut found = Vec::new();
        for ((_, at), (entry, used)) in &self.entries {
            if entry.kind == i32::from(pb::Kind::Accreditation) && *at >= seal.index && is_before(entry, seal) {
                let accreditation: pb::Accreditation = decode(&entry.body)?;
                if accreditation.institution == of.0 {
                    used.set(true);
                    found.push(accreditation);
                }
            }
        }
        Ok(found)
    }

    /// The institutions under the last seal that are custodians of one of `kept` on a day, by number.
    pub(super) fn custodians(
        &self,
        kept: &[Institution],
        last: LogIndex,
        day: Day,
    ) -> Result<Vec<pb::Institution>, Fault> {
        let mut found = Vec::new();
        for ((_, at), (entry, used)) in &self.entries {
            if *at != last || entry.kind != i32::from(pb::Kind::Institution) {
                continue;
            }
            let keeper: pb::Institution = decode(&entry.body)?;
            if kept.iter().any(|other| is_custodian(&keeper, &other.entry, day)) {
                used.set(true);
                found.push(keeper);
            }
        }
        found.sort_by_key(|keeper| keeper.number);
        Ok(found)
    }

    /// The corrections of the time that are given, each with its place.
    pub(super) fn corrections(&self) -> Result<Vec<(Place, Correction)>, Fault> {
        let is_one = |entry: &&pb::RegistryEntry| entry.kind == i32::from(pb::Kind::TimeCorrection);
        let read = |entry: &pb::RegistryEntry| {
            Ok((Place::read(entry.place), decode::<pb::TimeCorrection>(&entry.body)?.into()))
        };
        self.entries().filter(is_one).map(read).collect()
    }

    /// Says that the corrections under a seal are needed, whether or not a time goes back: who asks for the status of
    /// records does not know by which seals others will look at them.
    pub(super) fn using_corrections(&self, seal: LogIndex) {
        for ((_, at), (entry, used)) in &self.entries {
            if *at == seal && entry.kind == i32::from(pb::Kind::TimeCorrection) {
                used.set(true);
            }
        }
    }

    fn take<M: Canonical>(&self, key: &RegistryKey, seal: &Seal) -> Result<M, Fault> {
        let missing =
            || Fault::Missing(format!("the registry entry of {key:?} in force under the seal at {}", seal.index));
        let digest = key.digest();
        let mut given = self.entries.range((digest, seal.index)..=(digest, LogIndex(u64::MAX)));
        let (_, (entry, used)) = given.next().filter(|(_, (entry, _))| is_before(entry, seal)).ok_or_else(missing)?;
        used.set(true);
        Ok(decode(&entry.body)?)
    }

    /// The proved entries.
    pub(super) fn entries(&self) -> impl Iterator<Item = &pb::RegistryEntry> {
        self.entries.values().map(|(entry, _)| entry)
    }

    /// Of each entry, in the order of their list, whether nothing needs it.
    pub(super) fn unneeded(&self) -> Vec<bool> {
        let mut listed: Vec<(LogIndex, Digest, bool)> =
            self.entries.iter().map(|((key, seal), (_, used))| (*seal, *key, !used.get())).collect();
        listed.sort_unstable();
        listed.into_iter().map(|(_, _, unneeded)| unneeded).collect()
    }
}

/// Whether an entry was published before the round of a seal.
fn is_before(entry: &pb::RegistryEntry, seal: &Seal) -> bool {
    Place::read(entry.place).entry < seal.first_index
}

/// Checks one proof and returns the registry key and the entry.
fn check(item: &pb::ProvedRegistryEntry, tree: &Tree) -> Result<(Digest, pb::RegistryEntry), Fault> {
    let missing = |what: &str| Fault::Missing(what.to_owned());
    let entry = item.entry.clone().ok_or_else(|| missing("the registry entry"))?;
    let seal = tree.seal(LogIndex(item.seal)).ok_or_else(|| missing("the seal of the registry entry"))?;
    if entry.version != 1 {
        return Err(differs("the registry entry's version", 1, entry.version));
    }
    let from = Place::read(entry.place).entry;
    if !is_before(&entry, seal) {
        return Err(differs("the registry entry's place, before the round at", seal.first_index, from));
    }
    let kind = pb::Kind::try_from(entry.kind).map_err(|_| missing("a registry kind"))?;
    let key = RegistryKey::of(kind, &entry.body).map_err(|error| Fault::Missing(error.to_string()))?.digest();
    let proof = item.proof.clone().unwrap_or_default();
    if !proof.other_leaf.is_empty() {
        return Err(Fault::Surplus("a proof of presence names another leaf"));
    }
    let value = registry_value(&encode(&entry)?);
    let proof = MapProof { siblings: digests(&proof.siblings)?, terminal: Some((key, value)) };
    match crate::map::verify(MapTags::REGISTRY, &seal.registry_root, &key, &proof)? {
        Some(found) if found == value => Ok((key, entry)),
        _ => Err(missing("the registry entry in the map")),
    }
}
