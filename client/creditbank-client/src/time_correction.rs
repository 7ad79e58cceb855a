//! Correcting the time of a log that was sealed under a clock that was ahead (PROTOCOL.md, section 10).

use creditbank_protocol::LogIndex;
use creditbank_protocol::correction::Correction;
use creditbank_protocol::entry::Entry;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::seal::Seal;

use crate::{Client, ClientError};

/// The correction of the newest seals, as far as they say a later time than a bound; nothing where the newest one does
/// not. The bound is in milliseconds since 1970: by then all of them were sealed.
pub async fn correction(client: &Client, bound_ms: u64) -> Result<Option<pb::TimeCorrection>, ClientError> {
    let mut corrected = None;
    for item in client.registry_list(Kind::TimeCorrection, None).await? {
        corrected = corrected.max(Some(Correction::from(item.decode::<pb::TimeCorrection>()?).end()));
    }
    let size = client.checkpoint().await?.0.checkpoint.size;
    let last = size.checked_sub(1).map(LogIndex);
    // The registry has a correction from the round behind it on; until then the round itself tells.
    if let Some(published) = size.checked_sub(2).map(LogIndex)
        && is_correction(client, published).await?
    {
        corrected = last;
    }
    let (mut first, mut next) = (None, last);
    while let Some(index) = next.filter(|index| Some(*index) > corrected) {
        let seal = seal_at(client, index).await?;
        if seal.time_ms <= bound_ms {
            break;
        }
        first = Some(index);
        next = seal.first_index.0.checked_sub(1).map(LogIndex);
    }
    let found = first.zip(last);
    Ok(found.map(|(first, last)| pb::TimeCorrection { first: first.0, last: last.0, bound_ms }))
}

/// Whether an entry publishes a correction: whether the round in which it stands is that of one.
async fn is_correction(client: &Client, index: LogIndex) -> Result<bool, ClientError> {
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
