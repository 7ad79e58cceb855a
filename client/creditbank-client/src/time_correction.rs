//! Correcting the time of a log that was sealed under a clock that was ahead (PROTOCOL.md, section 10).

use creditbank_protocol::correction::Correction;
use creditbank_protocol::entry::Entry;
use creditbank_protocol::key::{KeyId, within_dates};
use creditbank_protocol::pb::{self, Kind, Purpose};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::seal::Seal;
use creditbank_protocol::{LogIndex, UnitId};

use crate::{Client, ClientError};

/// The correction of the newest seals, as far as they state a later minute than the bound, which is in minutes since
/// 1970; nothing where the newest one does not, or is itself that of a correction ([`is_corrected`]).
///
/// A time that a person gives to the minute holds that whole minute: a seal that was made within it is right, and the
/// log goes on from that seal. So the same minute always gives the same correction, and never one of a right seal.
pub async fn correction(client: &Client, bound_minute: u64) -> Result<Option<pb::TimeCorrection>, ClientError> {
    let mut corrected: Option<Correction> = None;
    for item in client.registry_list(Kind::TimeCorrection, None).await? {
        let one = Correction::from(item.decode::<pb::TimeCorrection>()?);
        corrected = corrected.filter(|other| other.end() > one.end()).or(Some(one));
    }
    let size = client.checkpoint().await?.0.checkpoint.size;
    let last = size.checked_sub(1).map(LogIndex);
    if corrects(client, size).await? {
        return Ok(None);
    }
    let (mut first, mut next) = (None, last);
    let mut bound_ms = bound_minute.saturating_mul(60_000);
    while let Some(index) = next {
        // Behind an interval the log goes on from its bound.
        let earlier = corrected.filter(|one| index <= one.end()).map(|one| one.bound_ms);
        let seal = seal_at(client, index).await?;
        let time_ms = earlier.unwrap_or(seal.time_ms);
        if time_ms / 60_000 <= bound_minute {
            bound_ms = bound_ms.max(time_ms);
            break;
        }
        if earlier.is_some() {
            break;
        }
        first = Some(index);
        next = seal.first_index.0.checked_sub(1).map(LogIndex);
    }
    let found = first.zip(last);
    Ok(found.map(|(first, last)| pb::TimeCorrection { first: first.0, last: last.0, bound_ms }))
}

/// Whether the newest round is that of a correction. Its seal may state a wrong time; the log goes on from the
/// correction's bound with the next round.
pub async fn is_corrected(client: &Client) -> Result<bool, ClientError> {
    corrects(client, client.checkpoint().await?.0.checkpoint.size).await
}

/// The time that the newest seal states, milliseconds since 1970.
pub async fn newest_ms(client: &Client) -> Result<u64, ClientError> {
    client.sealed_at(client.checkpoint().await?.0.checkpoint.size).await
}

/// The keys of those who may approve a correction: approvers of the operator, in force in the minute of its bound.
pub async fn approvers(client: &Client, bound_minute: u64) -> Result<Vec<KeyId>, ClientError> {
    let mut found = Vec::new();
    for item in client.registry_list(Kind::Key, Some(UnitId::OPERATOR.institution)).await? {
        let key: pb::Key = item.decode()?;
        let approves = key.purpose == i32::from(Purpose::Approver) && key.unit == UnitId::OPERATOR.number;
        if let RegistryKey::Key(id) = item.key
            && approves
            && key.revoked.is_none()
            && within_dates(&key, bound_minute)
        {
            found.push(id);
        }
    }
    Ok(found)
}

/// Whether the last round of a log of this size is that of a correction: whether the entry before its seal publishes
/// one. The registry has a correction only from the round behind it on.
async fn corrects(client: &Client, size: u64) -> Result<bool, ClientError> {
    let Some(index) = size.checked_sub(2).map(LogIndex) else { return Ok(false) };
    let entry = Entry::parse(&client.entry(index).await?.0).map_err(ClientError::lie)?;
    let kind = i32::from(Kind::TimeCorrection);
    Ok(matches!(entry, Entry::Public(public) if public.part().records.iter().any(|record| record.kind == kind)))
}

async fn seal_at(client: &Client, index: LogIndex) -> Result<Seal, ClientError> {
    match Entry::parse(&client.entry(index).await?.0).map_err(ClientError::lie)? {
        Entry::Seal(signed) => Ok(signed.seal().clone()),
        Entry::Head(_) | Entry::Public(_) => Err(ClientError::lie("a round that does not end with a seal")),
    }
}
