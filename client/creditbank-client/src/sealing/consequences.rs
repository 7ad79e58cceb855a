//! What follows from amendments and revocations, in the same block: what stands on those records is put under review,
//! and what a revoked award or conversion had redeemed is released. What follows from a reinstatement undoes that.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::entry::Entry;
use creditbank_protocol::pb::{self, Action, Authority, Basis, Effect, EffectReason, RecordReference};
use creditbank_protocol::{InstitutionId, LogIndex, Place};
use creditbank_rpc::v1::ListConsequencesResponse;

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

/// What follows from these effects; nothing follows from confirmations. Reinstatements are of records that have ended:
/// where a review is opened again, nothing follows, and it is not among them.
pub(crate) async fn consequences(
    client: &Client,
    unit: &IssuingUnit,
    effects: impl Iterator<Item = (&Authority, &Effect)>,
) -> Result<Consequences, ClientError> {
    let (mut revoked, mut amended) = (BTreeSet::new(), BTreeSet::new());
    let (mut restored, mut authorities) = (BTreeSet::new(), BTreeMap::new());
    let mut case_reference = String::new();
    for (authority, effect) in effects {
        let place = Place::read(effect.place);
        match Action::try_from(effect.action).unwrap_or_default() {
            Action::Revoke => revoked.insert(place),
            Action::Supersede => amended.insert(place),
            Action::Reinstate => {
                authorities.insert(place, authority.clone());
                restored.insert(place)
            }
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
        let (reviewed, released) = patiently(client, || client.consequences(asked(), revoke)).await?;
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
    let mut restores = Vec::new();
    if !restored.is_empty() {
        let asked = || restored.iter().map(|place| pb::Place::from(*place)).collect();
        let ListConsequencesResponse { reviews, releases: let_go, amendments, closes, restores: held } =
            patiently(client, || client.reinstating(asked())).await?;
        found.reviewed += reviews.len() as u64;
        found.effects.extend(reviews.iter().map(|one| (authority(Basis::Dependency), effect(one, Action::Review))));
        found.effects.extend(closes.iter().map(|one| (authority(Basis::Dependency), effect(one, Action::CloseReview))));
        for one in &amendments {
            // It is taken back by the right by which the record is reinstated that it amends.
            let former = client.record(at(one)).await?.amends().map(|amends| Place::read(amends.place));
            let by = former.and_then(|former| authorities.get(&former));
            let by = by.ok_or_else(|| ClientError::lie("an amendment of another record"))?.clone();
            let reason = EffectReason::Error.into();
            found.effects.push((by, Effect { reason, ..effect(one, Action::Revoke) }));
        }
        for held in let_go {
            let record = held.record.ok_or_else(|| ClientError::lie("a redemption without its record"))?;
            releases.insert(at(&record), (record, LogIndex(held.redemption)));
        }
        restores = held;
    }
    let mut sealed_by = BTreeMap::new();
    for held in restores {
        let record = held.record.ok_or_else(|| ClientError::lie("a redemption without its record"))?;
        let redeemed_by = signer(client, LogIndex(held.redemption)).await?;
        let (redemption_plus_1, contested_plus_1) = (plus_1(held.redemption)?, plus_1(held.contested)?);
        let restore = Effect { redemption_plus_1, contested_plus_1, ..effect(&record, Action::Reinstate) };
        found.effects.push((right(unit, redeemed_by, &case_reference), restore));
    }
    for (record, redemption) in releases.into_values() {
        let redeemed_by = match sealed_by.get(&redemption) {
            Some(known) => *known,
            None => signer(client, redemption).await?,
        };
        sealed_by.insert(redemption, redeemed_by);
        let release = Effect { redemption_plus_1: plus_1(redemption.0)?, ..effect(&record, Action::Release) };
        found.effects.push((right(unit, redeemed_by, &case_reference), release));
    }
    Ok(found)
}

fn plus_1(entry: u64) -> Result<u64, ClientError> {
    entry.checked_add(1).ok_or_else(|| ClientError::lie("an effect at no entry"))
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
