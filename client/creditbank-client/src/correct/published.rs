//! Entries of the registry that a stolen key has published: what is done about each kind, and whether that was done.
//!
//! Nobody confirms or revokes such an entry. It acts until another one takes its place, and which one that is depends
//! on the kind: some are stated anew under the same name, others are permanent and are followed by a later version.

use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::{Place, names};

use super::contest::{Suspects, block_at};
use crate::{Client, ClientError};

/// What is done about an entry of the registry that a stolen key has published.
pub fn way_out(kind: Kind) -> &'static str {
    match kind {
        Kind::CourseAlias => {
            "creditbank course alias --code CODE --same-as CODE --withdraw, and without --withdraw to state it anew"
        }
        Kind::CourseCodes => "creditbank course codes --case-matters, or --ignore-case",
        Kind::AgreementProposal => {
            "creditbank agreement propose FILE, with the same version, until it is accepted; then creditbank agreement \
             end CODE VERSION --on DAY"
        }
        Kind::AgreementAcceptance => "creditbank agreement end CODE VERSION --on DAY",
        Kind::AgreementEnding => {
            "creditbank agreement propose FILE, with the next version, which the other one accepts"
        }
        Kind::Equivalence => {
            "creditbank equivalence publish FILE, with the next version; this one acts until that one's first day"
        }
        Kind::QualificationDefinition => {
            "creditbank qualification publish FILE, with the next version; this one acts until that one's first day, \
             and longer for learners who have enrolled on it"
        }
        Kind::GradeDistribution => {
            "creditbank distribution publish FILE --number NUMBER, of the same scale, cycle and field, with a later \
             end or number; this list does not see that, and the state stays `in force`"
        }
        _ => "another entry in its place",
    }
}

/// Why the record at a place is neither confirmed, revoked nor reinstated: it is an entry of the registry. `None` where
/// none stands there.
pub(super) async fn published_at(client: &Client, place: Place) -> Result<Option<String>, ClientError> {
    let size = client.checkpoint().await?.0.checkpoint.size;
    if place.entry.0 >= size {
        return Ok(None);
    }
    let Some(block) = block_at(client, place.entry).await? else { return Ok(None) };
    let Some(record) = block.public().records.iter().find(|record| record.index == place.index) else {
        return Ok(None);
    };
    let kind = Kind::try_from(record.kind).unwrap_or_default();
    Ok(Some(format!(
        "an entry of the registry ({}) acts until another one takes its place; it is neither confirmed, revoked nor \
         reinstated: {}",
        names::of(kind),
        way_out(kind)
    )))
}

/// Whether nothing is left to do about an entry of the registry: another one stands under its name; or it is of an
/// agreement that was ended, or has a later version that a key above suspicion has published. Of a grade distribution
/// this is not known: which one is taken depends on what is converted.
pub(super) async fn has_ended(
    client: &Client,
    suspects: &mut Suspects,
    place: Place,
    shown: &pb::PublicRecord,
) -> Result<bool, ClientError> {
    let kind = Kind::try_from(shown.kind).unwrap_or_default();
    let key = RegistryKey::of(kind, &shown.body).map_err(ClientError::lie)?;
    if client.registry_entry(&key).await?.is_none_or(|item| item.place != place) {
        return Ok(true);
    }
    match key {
        RegistryKey::AgreementProposal(code, version) | RegistryKey::AgreementAcceptance(code, version) => {
            let ending = RegistryKey::AgreementEnding(code.clone(), version);
            let has_ended = client.registry_entry(&ending).await?.is_some();
            let accepted = |version| RegistryKey::AgreementAcceptance(code.clone(), version);
            Ok(has_ended || is_followed(client, suspects, version, accepted).await?)
        }
        RegistryKey::AgreementEnding(code, version) => {
            let accepted = |version| RegistryKey::AgreementAcceptance(code.clone(), version);
            is_followed(client, suspects, version, accepted).await
        }
        RegistryKey::Equivalence(institution, code, version) => {
            let name = |version| RegistryKey::Equivalence(institution, code.clone(), version);
            is_followed(client, suspects, version, name).await
        }
        RegistryKey::QualificationDefinition(institution, code, version) => {
            let name = |version| RegistryKey::QualificationDefinition(institution, code.clone(), version);
            is_followed(client, suspects, version, name).await
        }
        _ => Ok(false),
    }
}

/// Whether a key above suspicion has published a later version. Versions follow one another without a gap.
async fn is_followed(
    client: &Client,
    suspects: &mut Suspects,
    mut version: u32,
    name: impl Fn(u32) -> RegistryKey,
) -> Result<bool, ClientError> {
    while let Some(next) = version.checked_add(1) {
        let Some(item) = client.registry_entry(&name(next)).await? else { break };
        if !suspects.is_suspect_at(client, item.place.entry).await? {
            return Ok(true);
        }
        version = next;
    }
    Ok(false)
}
