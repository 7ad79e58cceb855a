//! One record in the place of another, as commands make it that seal a block of their own.

use creditbank_protocol::pb::{Action, Basis, RecordReference};

use super::consequences::consequences;
use super::{Contents, authority, effect};
use crate::{Client, ClientError, IssuingUnit};

/// Adds to a block with an amendment that it supersedes the record `former` of the unit's institution, and what follows
/// from that.
pub async fn supersede(
    client: &Client,
    unit: &IssuingUnit,
    contents: &mut Contents,
    former: &RecordReference,
) -> Result<(), ClientError> {
    let (by, supersede) = (authority(Basis::Issuer), effect(former, Action::Supersede));
    let follows = consequences(client, unit, std::iter::once((&by, &supersede))).await?;
    contents.add(by, supersede);
    for (by, effect) in follows.effects {
        contents.add(by, effect);
    }
    Ok(())
}
