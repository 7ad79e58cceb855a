//! What follows from amendments and revocations, in the same block: what stands on those records is put under review, and what a revoked
//! award or conversion had redeemed is released.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::entry::Entry;
use creditbank_protocol::pb::{self, Action, Authority, Basis, Effect, RecordReference};
use creditbank_protocol::{InstitutionId, LogIndex, Place};

use super::{authority, effect};
use crate::outbox::patiently;
use crate::{Client, ClientError, IssuingUnit};

/// Effects that follow from others.
#[derive(Default)]
pub(crate) struct Consequences {
    pub(crate) effects: Vec<(Authority, Effect)>,
    /// How many records are put under review.
    pub(crate) reviewed: u64,
    /// How many are released.
    pub(crate) released: u64,
}

/// What follows from these effects; nothing follows from confirmations.
pub(crate) async fn consequences(
    client: &Client,
    unit: &IssuingUnit,
    effects: impl Iterator<Item = (&Authority, &Effect)>,
) -> Result<Consequences, ClientError> {
    let (mut revoked, mut amended) = (BTreeSet::new(), BTreeSet::new());
    let mut case_reference = String::new();
    for (authority, effect) in effects {
        let place = Place::read(effect.place);
        match Action::try_from(effect.action).unwrap_or_default() {
            Action::Revoke => revoked.insert(place),
            Action::Supersede => amended.insert(place),
            _ => continue,
        };
        case_reference.clone_from(&authority.case_reference);
    }
    let (mut reviews, mut releases) = (BTreeMap::new(), BTreeMap::new());
    for (places, revoke) in [(&revoked, true), (&amended, false)] {
        if places.is_empty() {
            continue;
        }
        let asked = || places.iter().map(|place| pb::Place::from(*place)).collect();
        let (reviewed, released) = patiently(|| client.consequences(asked(), revoke)).await?;
        reviews.extend(reviewed.into_iter().map(|record| (at(&record), record)));
        for held in released {
            let record = held.record.ok_or_else(|| ClientError::lie("a redemption without its record"))?;
            releases.insert(at(&record), (record, LogIndex(held.redemption)));
        }
    }
    // What the block itself takes back needs no review.
    reviews.retain(|place, _| !revoked.contains(place) && !amended.contains(place));
    let mut found =
        Consequences { reviewed: reviews.len() as u64, released: releases.len() as u64, ..Default::default() };
    found.effects.extend(reviews.values().map(|record| (authority(Basis::Dependency), effect(record, Action::Review))));
    let mut sealed_by = BTreeMap::new();
    for (record, redemption) in releases.into_values() {
        let redeemed_by = match sealed_by.get(&redemption) {
            Some(known) => *known,
            None => signer(client, redemption).await?,
        };
        sealed_by.insert(redemption, redeemed_by);
        let redemption_plus_1 =
            redemption.0.checked_add(1).ok_or_else(|| ClientError::lie("a redemption at no entry"))?;
        let release = Effect { redemption_plus_1, ..effect(&record, Action::Release) };
        found.effects.push((right(unit, redeemed_by, &case_reference), release));
    }
    Ok(found)
}

fn at(record: &RecordReference) -> Place {
    Place::read(record.place)
}

/// Whose block stands at a log index.
async fn signer(client: &Client, entry: LogIndex) -> Result<InstitutionId, ClientError> {
    let (bytes, _) = client.entry(entry).await?;
    match Entry::parse(&bytes).map_err(ClientError::lie)? {
        Entry::Head(head) => Ok(head.header().unit.institution),
        Entry::Public(_) | Entry::Seal(_) => Err(ClientError::lie("a redemption at no block")),
    }
}

/// By what right the unit undoes what an institution has redeemed.
fn right(unit: &IssuingUnit, redeemed_by: InstitutionId, case_reference: &str) -> Authority {
    if unit.id.institution == redeemed_by {
        return authority(Basis::Issuer);
    }
    if unit.id.institution.is_operator() {
        return Authority { case_reference: case_reference.to_owned(), ..authority(Basis::Operator) };
    }
    Authority { institution: redeemed_by.0, ..authority(Basis::Custodian) }
}
