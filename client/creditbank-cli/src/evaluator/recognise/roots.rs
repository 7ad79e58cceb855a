//! The roots of an Award of this ledger, from which exemptions for it come: read from the transcript that was shown, or from
//! the node.

use creditbank_client::Client;
use creditbank_protocol::pb::{Award, Kind, RecordReference, Root};
use creditbank_protocol::record::Record;
use creditbank_protocol::status::Marks;
use creditbank_protocol::{AccountId, InstitutionId, Place};
use creditbank_rules::admission::{Used, sources_of};
use creditbank_rules::conversion::{award_roots, counted_by};
use creditbank_rules::{RecordFacts, Rejection};

use crate::evaluator::shown::{Shown, reference};
use crate::failure::Failure;

/// The roots of the award at a place, and whether it counts declared credit.
pub(super) async fn of_award(
    client: &Client,
    shown: Option<&Shown>,
    place: Place,
) -> Result<(Vec<Root>, bool), Failure> {
    let award = read(client, shown, place).await?;
    let award: Award = award.record.read().map_err(|error| Failure::NotValid(format!("record {place}: {error}")))?;
    let mut counted = Vec::new();
    for of_record in counted_by(&award).chunk_by(|(one, _), (other, _)| one == other) {
        let used = read(client, shown, Place::of_reference(Some(&of_record[0].0))).await?;
        let all = sources_of(&used).map_err(refused)?;
        for (_, part) in of_record {
            counted.extend(all.iter().find(|source| source.part == *part).cloned());
        }
    }
    let declared = counted.iter().any(|source| source.declared);
    Ok((award_roots(&counted).map_err(refused)?, declared))
}

pub(super) fn refused(rejection: Rejection) -> Failure {
    Failure::NotValid(format!("--exempt: {rejection}"))
}

/// A record that was shown, or that the node lets the caller read.
async fn read(client: &Client, shown: Option<&Shown>, place: Place) -> Result<Used, Failure> {
    if let Some(record) =
        shown.and_then(|shown| shown.record(place)).filter(|one| one.disclosed.hidden().next().is_none())
    {
        let RecordReference { status_id, .. } = reference(client, shown, place).await?;
        return used(place, record.disclosed.info.kind, record.owner(), &status_id, &record.disclosed.body);
    }
    // Names the transcript as what to pass, where it is another institution's.
    let RecordReference { status_id, .. } = reference(client, None, place).await?;
    let found = client.record(place).await?;
    let owner = found.on_behalf_of.unwrap_or(found.unit.institution);
    used(place, found.disclosed.info.kind, owner, &status_id, &found.disclosed.body)
}

/// A record as the rules see it; whose it is and what became of it is for the node to judge.
fn used(place: Place, kind: Kind, institution: InstitutionId, status_id: &[u8], body: &[u8]) -> Result<Used, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::NotValid(format!("record {place}: {error}"));
    // The hash of this copy is never asked for.
    let record = Record::of(kind, &[1; 32], body.to_vec()).map_err(|error| wrong(&error))?;
    let status_id = creditbank_protocol::Digest::from_slice(status_id).ok_or_else(|| wrong(&"no status id"))?;
    let (account, marks) = (AccountId([0; 16]), Marks::default());
    Ok(Used { place, facts: RecordFacts { kind, institution, account, status_id, marks }, record })
}
