//! What goes into one block: records and the effects that come with them.

use std::collections::BTreeMap;

use creditbank_protocol::Place;
use creditbank_protocol::block::in_order;
use creditbank_protocol::canonical::{Canonical, CanonicalError, encode};
use creditbank_protocol::pb::{self, Action, Authority, Basis, Effect, EffectGroup, Kind};
use creditbank_protocol::record::{PUBLIC_SEED, Record, info_of};

use crate::outbox::Mark;
use crate::seeds::{SeedInput, year_of};
use crate::{ClientError, IssuingUnit};

/// What goes into one block.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    records: Vec<Record>,
    effects: Vec<(Authority, Effect)>,
    /// What was asked for, where what it comes to depends on the day.
    pub(super) request: Option<Vec<u8>>,
    /// What it is about, where the same may be said again about something else.
    before: Vec<u8>,
}

fn spelled(error: CanonicalError) -> ClientError {
    ClientError::Local(error.to_string())
}

/// A record of a unit. Of a kind that is hidden, its seed is derived from the unit's secrets, a reference and what it
/// says: the same again is the same record, and another reference makes it another one.
pub fn record<M: Canonical>(
    unit: &IssuingUnit,
    kind: Kind,
    message: &M,
    reference: &str,
) -> Result<Record, ClientError> {
    let body = encode(message).map_err(spelled)?;
    let public = info_of(kind).is_some_and(|info| info.public);
    let seed = if public {
        PUBLIC_SEED
    } else {
        let len = (reference.len() as u64).to_be_bytes();
        let named = [&len[..], reference.as_bytes(), &body].concat();
        unit.seeds.seed(year_of(kind, &body), SeedInput { kind, reference: &named, predecessor: None })?
    };
    Record::of(kind, &seed, body).map_err(|error| ClientError::Local(error.to_string()))
}

/// An authority of a basis that needs nothing else.
pub fn authority(basis: Basis) -> Authority {
    Authority { basis: basis.into(), ..Default::default() }
}

/// An effect on a record.
pub fn effect(record: &pb::RecordReference, action: Action) -> Effect {
    let place = Place::read(record.place).written();
    Effect { status_id: record.status_id.clone(), place, action: action.into(), ..Default::default() }
}

impl Contents {
    /// A block of these records.
    pub fn of(records: impl IntoIterator<Item = Record>) -> Self {
        Self { records: records.into_iter().collect(), ..Self::default() }
    }

    /// The same, made for a request: what [`resume`](super::resume) knows it by.
    #[must_use]
    pub fn requested(self, request: &[u8]) -> Self {
        Self { request: Some(request.to_vec()), ..self }
    }

    /// The same, told apart by the notes from one that says the same about something else: of an entry of the registry,
    /// which may be published, replaced and published anew, what stands there before.
    #[must_use]
    pub fn about(self, before: &[u8]) -> Self {
        Self { before: before.to_vec(), ..self }
    }

    /// Adds an effect by an authority; the same one again changes nothing.
    pub fn add(&mut self, authority: Authority, effect: Effect) {
        if !self.effects.iter().any(|one| (&one.0, &one.1) == (&authority, &effect)) {
            self.effects.push((authority, effect));
        }
    }

    /// The records.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The effects with their authorities.
    pub fn effects(&self) -> &[(Authority, Effect)] {
        &self.effects
    }

    /// What the notes will say of it.
    pub(super) fn mark(&self, unit: &IssuingUnit) -> Result<Mark, ClientError> {
        let mut said: Vec<u8> = self.records.iter().flat_map(|record| record.hash().0).collect();
        for group in groups(self.effects.iter().cloned())? {
            said.extend(encode(&group).map_err(spelled)?);
        }
        said.extend(&self.before);
        Ok(Mark::new(unit, &said, &said))
    }
}

/// The effects of one authority, by their bytes.
type EffectsByBytes = (Authority, BTreeMap<Vec<u8>, Effect>);

/// Effects as a block groups them: by their authorities, ascending by their bytes.
pub(crate) fn groups(effects: impl IntoIterator<Item = (Authority, Effect)>) -> Result<Vec<EffectGroup>, ClientError> {
    let mut groups: BTreeMap<Vec<u8>, EffectsByBytes> = BTreeMap::new();
    for (authority, effect) in effects {
        let group = groups.entry(encode(&authority).map_err(spelled)?);
        let (_, effects) = group.or_insert_with(|| (authority, BTreeMap::new()));
        effects.insert(encode(&effect).map_err(spelled)?, effect);
    }
    let group = |(authority, effects): EffectsByBytes| EffectGroup {
        authority: Some(authority),
        effects: effects.into_values().collect(),
    };
    Ok(in_order(groups.into_values().map(group).collect()))
}
