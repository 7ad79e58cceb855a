//! A round of a replay: its blocks wait for the seal, whose time says which keys were in force.

use std::sync::Arc;

use creditbank_protocol::authority::amended_institutions;
use creditbank_protocol::block::{Header, SignedBlock};
use creditbank_protocol::canonical::encode;
use creditbank_protocol::contested::is_contested;
use creditbank_protocol::key::{KeyId, within_dates};
use creditbank_protocol::pb::{Action, Effect, EffectGroup, Kind, Place, PublicRecord, Purpose, RegistryEntry};
use creditbank_protocol::record::{KindInfo, PUBLIC_SEED, Record, info_of};
use creditbank_protocol::registry::{RegistryKey, registry_value};
use creditbank_protocol::seal::{Seal, SignedSeal};
use creditbank_protocol::status::{Mark, Marks};
use creditbank_protocol::{Digest, InstitutionId, UnitId};

use super::{CheckedBlock, Contradiction, Kept, LastSeal, ROUND_BLOCKS_MAX, ROUND_BYTES_MAX, Replay, SignatureCheck};
use super::{UnitHead, block_checks};
use crate::admission::{BlockFacts, check_public_effect, check_public_kind, check_signer};
use crate::{RULES_VERSION, Registry, RegistryRecord, Rejection, Rule};

/// Blocks are created within a day of their seal.
const DAY_MINUTES: u64 = 24 * 60;

/// The blocks since the last seal.
#[derive(Debug, Default)]
pub(super) struct Open {
    blocks: Vec<CheckedBlock>,
    bytes: usize,
}

impl Open {
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }
}

/// A block as people name it.
pub(super) fn name(block: &SignedBlock) -> String {
    let Header { institution, unit, height, .. } = block.header();
    if *institution == 0 {
        format!("block {height} of the operator")
    } else {
        format!("block {height} of institution {institution}, unit {unit}")
    }
}

/// Says of which entry something does not hold.
struct Subject<'a> {
    index: u64,
    name: &'a str,
}

impl Subject<'_> {
    fn is<T: PartialEq + ToString>(&self, what: &str, expected: &T, found: &T) -> Result<(), Contradiction> {
        if expected == found { Ok(()) } else { Err(self.wrong(what, expected, found)) }
    }

    fn wrong(&self, what: &str, expected: &impl ToString, found: &impl ToString) -> Contradiction {
        Contradiction {
            index: self.index,
            subject: self.name.to_owned(),
            what: what.to_owned(),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }

    fn breaks(&self, rejection: &Rejection) -> Contradiction {
        self.wrong(rejection.rule.name(), &rejection.expected, &rejection.found)
    }
}

impl Replay {
    /// Keeps a block until its round is sealed.
    pub(super) fn hold(&mut self, index: u64, block: CheckedBlock, len: usize) -> Result<(), Contradiction> {
        let round = &mut self.round;
        round.bytes += len;
        if round.blocks.len() >= ROUND_BLOCKS_MAX || round.bytes > ROUND_BYTES_MAX {
            let shown = name(&block.block);
            let subject = Subject { index, name: &shown };
            let bound = format!("a seal after at most {ROUND_BLOCKS_MAX} blocks or {ROUND_BYTES_MAX} bytes");
            return Err(subject.wrong("the round is larger than this replay holds", &bound, &"none"));
        }
        round.blocks.push(block);
        Ok(())
    }

    /// Checks a round and its seal, and moves on to behind it.
    pub(super) fn close(
        &mut self,
        index: u64,
        signed: &SignedSeal,
        checks: &mut Vec<SignatureCheck>,
    ) -> Result<(), Contradiction> {
        let blocks = std::mem::take(&mut self.round).blocks;
        let seal = signed.seal();
        let shown = format!("seal over entries {} to {index}", index - blocks.len() as u64);
        let subject = Subject { index, name: &shown };
        subject.is("origin", &self.keys.origin, &seal.origin)?;
        subject.is("index", &index, &seal.index)?;
        subject.is("first_index", &(index - blocks.len() as u64), &seal.first_index)?;
        let oldest = self.last_seal.map_or(1, |last| last.rules_version);
        if !(oldest..=RULES_VERSION).contains(&seal.rules_version) {
            let expected = format!("{oldest} to {RULES_VERSION}");
            return Err(subject.wrong("rules_version", &expected, &seal.rules_version));
        }
        let previous = self.last_seal.map_or(self.genesis, |last| last.id);
        subject.is("previous", &previous, &seal.previous)?;
        let earliest = self.last_seal.map_or(0, |last| last.time_ms);
        if seal.time_ms < earliest {
            return Err(subject.wrong("time_ms goes back", &format!("at least {earliest}"), &seal.time_ms));
        }
        subject.is("registry_root (in force during the round)", &self.registry_map.root(), &seal.registry_root)?;

        let mut records = self.last_seal.map_or(0, |last| last.records_total);
        let mut next = None;
        let mut changes = Vec::new();
        let mut changed = Vec::new();
        for (entry, block) in (seal.first_index..).zip(&blocks) {
            checks.extend(self.block(entry, block, seal, &mut next, &mut changes)?);
            self.effects(entry, block, seal, &mut changed)?;
            self.keep(entry, block, seal.time_ms)?;
            records += u64::from(block.block.header().count);
        }
        self.kept.push(Kept { institution: 0, signer: u32::MAX, sealed_at_minute: 0, records: 0 });

        let leaves = changed.iter().map(|place| {
            let (id, marks) = self.marks.get(place).copied().unwrap_or((Digest::ZERO, Marks::default()));
            (id, (!marks.is_empty()).then(|| marks.value()))
        });
        self.status = self.status.update(leaves.collect::<Vec<_>>());
        subject.is("status_root (after the round)", &self.status.root(), &seal.status_root)?;
        subject.is("records_total", &records, &seal.records_total)?;
        checks.push(SignatureCheck {
            index,
            subject: shown,
            public_key: self.keys.log_key.to_vec(),
            message: signed.message().as_bytes().to_vec(),
            signature: signed.signature().to_vec(),
        });
        if let Some(next) = next {
            self.counts.registry_records += changes.len() as u64;
            self.registry_map = self.registry_map.update(changes);
            self.registry = Arc::new(next);
        }
        self.counts.blocks += blocks.len() as u64;
        self.counts.seals += 1;
        self.counts.records = records;
        let (id, time_ms, rules_version) = (signed.id(), seal.time_ms, seal.rules_version);
        self.last_seal = Some(LastSeal { id, time_ms, records_total: records, rules_version });
        Ok(())
    }

    /// A block's place in its chain, its signer, and what it changes in the registry.
    fn block(
        &mut self,
        entry: u64,
        checked: &CheckedBlock,
        seal: &Seal,
        next: &mut Option<Registry>,
        changes: &mut Vec<(Digest, Option<Digest>)>,
    ) -> Result<Vec<SignatureCheck>, Contradiction> {
        let sealed_at_ms = seal.time_ms;
        let block = &checked.block;
        let header = block.header();
        let shown = name(block);
        let subject = Subject { index: entry, name: &shown };
        subject.is("origin", &self.keys.origin, &header.origin)?;
        let unit = (header.institution, header.unit);
        let head = self.chains.get(&unit).copied();
        let head =
            head.ok_or_else(|| subject.wrong("chain", &"an admitted unit", &"one that is not in the registry"))?;
        subject.is("height", &head.next_height, &header.height)?;
        subject.is("previous", &head.previous, &header.previous)?;
        let minute = sealed_at_ms / 60_000;
        let (min, max) = (head.created_at_minute.max(minute.saturating_sub(DAY_MINUTES)), minute + DAY_MINUTES);
        if !(min..=max).contains(&header.created_at_minute) {
            let expected = format!("minute {min} to {max}");
            return Err(subject.wrong("created_at_minute", &expected, &header.created_at_minute));
        }
        let public = block.public();
        if header.count == 0 && public.groups.is_empty() {
            return Err(subject.wrong("content", &"a record or an effect", &"nothing"));
        }
        let approver = block.approval().map(|approval| KeyId::from_slice(&approval.key_id));
        if approver == Some(None) {
            return Err(subject.wrong("approval", &"the id of a key", &"none"));
        }
        let facts = BlockFacts {
            unit: UnitId::new(header.institution, header.unit),
            key_id: header.key_id,
            approver: approver.flatten(),
            sealed_at_ms,
            rules_version: seal.rules_version,
            records: &[],
            groups: &public.groups,
        };
        let registry = Arc::clone(&self.registry);
        let key_of = |id: &KeyId| registry.key(id).map(|key| key.public_key.clone());
        let public_key = if header.institution == 0 {
            let key = self.registry_key(&subject, header, minute)?;
            if facts.approver.is_some() {
                return Err(subject.wrong("approval", &"none on the operator's chain", &"one"));
            }
            let records = checked.block.records(Vec::new());
            let records = records.map_err(|error| subject.wrong("public records", &"as signed", &error))?;
            let odd = records.iter().find(|record| !info_of(record.kind()).is_some_and(|info| info.operator));
            if let Some(odd) = odd {
                return Err(subject.wrong("record", &"a registry record", &odd.kind().as_str_name()));
            }
            self.registry_records(&subject, checked, entry, sealed_at_ms, next, changes)?;
            key
        } else {
            check_signer(&registry, &facts).map_err(|rejection| subject.breaks(&rejection))?;
            let admitted = |info: &KindInfo| info.public && !info.operator && seal.rules_version > 1;
            if public.records.iter().any(|record| !is_kind(record, admitted)) {
                return Err(subject.wrong("public records", &"kinds that institutions publish", &"others"));
            }
            for record in &public.records {
                let kind = Kind::try_from(record.kind).unwrap_or_default();
                check_public_kind(&registry, &facts, kind).map_err(|rejection| subject.breaks(&rejection))?;
                self.published.insert((entry, record.index));
            }
            self.registry_records(&subject, checked, entry, sealed_at_ms, next, changes)?;
            key_of(&header.key_id).unwrap_or_default()
        };
        let approver = facts.approver.as_ref().and_then(key_of);
        let (next_height, created_at_minute) = (header.height + 1, header.created_at_minute);
        self.chains.insert(unit, UnitHead { next_height, previous: checked.id, entry, created_at_minute });
        Ok(block_checks(entry, block, &public_key, approver.as_deref()))
    }

    /// The operator's key as it is in force. The first block of a log admits the key that signs it.
    fn registry_key(&self, subject: &Subject<'_>, header: &Header, minute: u64) -> Result<Vec<u8>, Contradiction> {
        if header.height == 0 {
            subject.is("key_id", &KeyId::of(&self.keys.registry_key), &header.key_id)?;
            return Ok(self.keys.registry_key.to_vec());
        }
        let in_force = self.registry.key(&header.key_id).filter(|key| {
            key.purpose == i32::from(Purpose::Registry) && key.revoked.is_none() && within_dates(key, minute)
        });
        let expected = "a registry key in force";
        in_force.map(|key| key.public_key.clone()).ok_or_else(|| subject.wrong("key_id", &expected, &header.key_id))
    }

    /// Admits the registry records of a block of the operator; they act from the next round.
    fn registry_records(
        &mut self,
        subject: &Subject<'_>,
        checked: &CheckedBlock,
        entry: u64,
        sealed_at_ms: u64,
        next: &mut Option<Registry>,
        changes: &mut Vec<(Digest, Option<Digest>)>,
    ) -> Result<(), Contradiction> {
        for shown in &checked.block.public().records {
            let kind = u32::try_from(shown.kind).unwrap_or(0);
            let record = Record::new(kind, shown.version, &PUBLIC_SEED, shown.body.clone());
            let record = record.map_err(|error| subject.wrong("public record", &"a record", &error))?;
            let index = shown.index;
            let (kind, body) = (record.kind(), record.body());
            let one =
                RegistryRecord { kind, body, institution: checked.block.header().institution.into(), sealed_at_ms };
            let registry = next.get_or_insert_with(|| (*self.registry).clone());
            let key = registry.admit(one).map_err(|rejection| subject.breaks(&rejection))?;
            if let RegistryKey::Unit(unit) = key {
                let head = UnitHead { next_height: 0, previous: checked.leaf, entry, created_at_minute: 0 };
                self.chains.entry((unit.institution.0, unit.number)).or_insert(head);
            }
            let place = Place { entry, index };
            let written = RegistryEntry {
                kind: record.kind().into(),
                version: u32::from(record.version()),
                body: record.body().to_vec(),
                place: (place != Place::default()).then_some(place),
            };
            let value = encode(&written).map_err(|error| subject.wrong("registry entry", &"canonical", &error))?;
            changes.push((key.digest(), Some(registry_value(&value))));
        }
        Ok(())
    }

    /// The effects of a block on the marks, by the table and by the signer's right.
    fn effects(
        &mut self,
        entry: u64,
        checked: &CheckedBlock,
        seal: &Seal,
        changed: &mut Vec<(u64, u32)>,
    ) -> Result<(), Contradiction> {
        let block = &checked.block;
        let header = block.header();
        let shown = name(block);
        let subject = Subject { index: entry, name: &shown };
        let groups: &[EffectGroup] = &block.public().groups;
        for (group, effect) in groups.iter().flat_map(|group| group.effects.iter().map(move |effect| (group, effect))) {
            let place = effect.place.unwrap_or_default();
            let at = format!("effect on {}/{}", place.entry, place.index);
            let id = Digest::from_slice(&effect.status_id);
            let id = id.ok_or_else(|| subject.wrong(&at, &"a status id", &"none"))?;
            let issuer = self.issuer_at(place);
            let issuer = issuer.ok_or_else(|| subject.wrong(&at, &"the place of a record", &"none there"))?;
            // What was redeemed is released by whoever redeemed it.
            let redemption = effect.redemption_plus_1.checked_sub(1);
            let issuer = match redemption.filter(|_| action(effect) == Action::Release) {
                Some(redemption) => self.institution_at(redemption).unwrap_or(0),
                None => issuer,
            };
            if let Some((known, _)) = self.marks.get(&(place.entry, place.index)) {
                subject.is(&format!("{at}: status id"), known, &id)?;
            }
            let facts = BlockFacts {
                unit: UnitId::new(header.institution, header.unit),
                key_id: header.key_id,
                approver: None,
                sealed_at_ms: seal.time_ms,
                rules_version: seal.rules_version,
                records: &[],
                groups,
            };
            let authority = group.authority.clone().unwrap_or_default();
            // Whether a record of a custodian's block is its own or a closed institution's stands in the record.
            let kept_for = self.kept_for.get(&place.entry).into_iter().flatten();
            let check = |issuer| check_public_effect(&self.registry, &facts, &authority, effect, InstitutionId(issuer));
            let checked = check(issuer);
            if checked.is_err() && !kept_for.copied().any(|other| check(other).is_ok()) {
                checked.map_err(|rejection| subject.breaks(&rejection))?;
            }
            if action(effect) == Action::Confirm {
                let confirmation = self.marks_at(place).get(Mark::Confirmed).map(|at| self.is_suspect(at));
                if !is_contested(self.is_suspect(place.entry), confirmation) {
                    let rule = Rule::NotContested.name();
                    return Err(subject.wrong(rule, &"a record that a compromised key has sealed", &at));
                }
            }
            let marks = self.marks_at(place).after(action(effect), entry, effect.redemption_plus_1.checked_sub(1));
            let marks = marks.map_err(|error| subject.wrong(&at, &"marks that allow the change", &error))?;
            self.marks.insert((place.entry, place.index), (id, marks));
            changed.push((place.entry, place.index));
            self.counts.effects += 1;
        }
        Ok(())
    }

    fn keep(&mut self, entry: u64, checked: &CheckedBlock, sealed_at_ms: u64) -> Result<(), Contradiction> {
        let header = checked.block.header();
        let next = u32::try_from(self.institutions.len()).unwrap_or(u32::MAX);
        let institution = *self.numbers.entry(header.institution).or_insert(next);
        if institution == next {
            self.institutions.push(header.institution);
        }
        let shown = name(&checked.block);
        let subject = Subject { index: entry, name: &shown };
        let records =
            u16::try_from(header.count).map_err(|_| subject.wrong("count", &"at most 1,024", &header.count))?;
        let next = u32::try_from(self.signers.len()).unwrap_or(u32::MAX);
        let signer = *self.signer_numbers.entry(header.key_id).or_insert(next);
        if signer == next {
            self.signers.push(header.key_id);
        }
        let sealed_at_minute = u32::try_from(sealed_at_ms / 60_000).unwrap_or(u32::MAX);
        self.kept.push(Kept { institution, signer, sealed_at_minute, records });
        let kept_for: Vec<u64> = amended_institutions(&checked.block).into_iter().map(|other| other.0).collect();
        if !kept_for.is_empty() {
            self.kept_for.insert(entry, kept_for);
        }
        Ok(())
    }
}

fn action(effect: &Effect) -> Action {
    Action::try_from(effect.action).unwrap_or_default()
}

fn is_kind(record: &PublicRecord, admitted: impl Fn(&KindInfo) -> bool) -> bool {
    Kind::try_from(record.kind).ok().and_then(info_of).is_some_and(admitted)
}
