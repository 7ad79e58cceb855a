//! What a compromised key has sealed: which records of a unit are contested, and which of them are confirmed.

use std::collections::BTreeMap;

use creditbank_protocol::contested::{compromised_since, is_contested, is_suspect};
use creditbank_protocol::entry::Entry;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::status::Mark;
use creditbank_protocol::{LogIndex, Place, UnitId};

use crate::{Client, ClientError};

/// A record that a compromised key has sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contested {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub kind: Kind,
    /// The compromised key.
    pub key_id: KeyId,
    /// Time of its seal, milliseconds since 1970.
    pub sealed_at_ms: u64,
    /// Whether a key above suspicion has confirmed it.
    pub confirmed: bool,
    /// Whether it was superseded or revoked: then nothing is left to do.
    pub ended: bool,
}

/// The registry entries of keys, for those that were asked about.
#[derive(Default)]
pub(super) struct Suspects {
    keys: BTreeMap<KeyId, pb::Key>,
}

impl Suspects {
    /// Whether what the key sealed at a time is suspect.
    pub(super) async fn is_suspect(
        &mut self,
        client: &Client,
        key: KeyId,
        sealed_at_ms: u64,
    ) -> Result<bool, ClientError> {
        if let std::collections::btree_map::Entry::Vacant(vacant) = self.keys.entry(key) {
            let entry = client.registry_entry(&RegistryKey::Key(key)).await?;
            let entry = entry.ok_or_else(|| ClientError::lie("a block's key is not in the registry"))?;
            vacant.insert(entry.decode()?);
        }
        Ok(is_suspect(&self.keys[&key], sealed_at_ms))
    }

    /// Whether the block at a log index was signed by a key that was compromised by then.
    pub(super) async fn is_suspect_at(&mut self, client: &Client, entry: LogIndex) -> Result<bool, ClientError> {
        let (bytes, _) = client.entry(entry).await?;
        let Entry::Head(head) = Entry::parse(&bytes).map_err(ClientError::lie)? else {
            return Err(ClientError::lie("a mark names no block"));
        };
        let header = head.header();
        let (_, key_id, sealed_at_ms) = client.sealing(header.unit, header.height).await?;
        self.is_suspect(client, key_id, sealed_at_ms).await
    }
}

impl Client {
    /// Time of the seal that is the last entry before `round_end`, milliseconds since 1970.
    pub async fn sealed_at(&self, round_end: u64) -> Result<u64, ClientError> {
        let last = round_end.checked_sub(1).ok_or_else(|| ClientError::lie("a round without a seal"))?;
        match Entry::parse(&self.entry(last).await?.0).map_err(ClientError::lie)? {
            Entry::Seal(seal) => Ok(seal.seal().time_ms),
            Entry::Head(_) | Entry::Public(_) => Err(ClientError::lie("the round does not end with a seal")),
        }
    }

    /// Who signed the block at a log index, and when it was sealed.
    async fn sealing(&self, unit: UnitId, height: u64) -> Result<(LogIndex, KeyId, u64), ClientError> {
        let receipt = self.block(unit, height).await?;
        let verified = self.check_receipt(&receipt).await?;
        let Entry::Head(head) = &verified.entry else {
            return Err(ClientError::lie("the entry is no block"));
        };
        Ok((verified.index, head.header().key_id, self.sealed_at(verified.checkpoint.size).await?))
    }
}

/// Records of a unit that a compromised key has sealed, by place; confirmed and ended ones too. Looks at blocks from the
/// newest back to the first compromise.
pub async fn contested(client: &Client, unit: UnitId) -> Result<Vec<Contested>, ClientError> {
    let mut stolen: BTreeMap<KeyId, pb::Key> = BTreeMap::new();
    for item in client.registry_list(Kind::Key, Some(unit.institution)).await? {
        let key: pb::Key = item.decode()?;
        if let (RegistryKey::Key(id), Some(_), true) = (&item.key, compromised_since(&key), key.unit == unit.number) {
            stolen.insert(*id, key);
        }
    }
    let Some(first) = stolen.values().filter_map(compromised_since).min() else {
        return Ok(Vec::new());
    };
    let mut suspects = Suspects::default();
    let mut found = Vec::new();
    let mut height = client.chain_head(unit).await?.next_height;
    while let Some(below) = height.checked_sub(1) {
        height = below;
        let (_, key_id, sealed_at_ms) = client.sealing(unit, height).await?;
        if sealed_at_ms / 60_000 < first {
            break;
        }
        if !stolen.get(&key_id).is_some_and(|key| is_suspect(key, sealed_at_ms)) {
            continue;
        }
        for record in client.issued(unit, height, 1).await?.0 {
            let marks: BTreeMap<&str, u64> =
                record.marks.iter().map(String::as_str).zip(record.mark_entries.iter().copied()).collect();
            let confirmation = match marks.get(Mark::Confirmed.name()) {
                Some(entry) => Some(suspects.is_suspect_at(client, LogIndex(*entry)).await?),
                None => None,
            };
            let confirmed = !is_contested(true, confirmation);
            let ended = [Mark::Superseded, Mark::Revoked].iter().any(|mark| marks.contains_key(mark.name()));
            let kind = Kind::try_from(record.kind).unwrap_or_default();
            found.push(Contested { place: Place::read(record.place), kind, key_id, sealed_at_ms, confirmed, ended });
        }
    }
    found.sort_by_key(|one| one.place);
    Ok(found)
}
