//! What a compromised key has signed or approved: which records of a unit are contested, and which of them are
//! confirmed; and what it has done to records, and what of that still holds.

use std::collections::BTreeMap;

use creditbank_protocol::block::SignedBlock;
use creditbank_protocol::contested::{compromised_since, is_contested_by, is_suspect};
use creditbank_protocol::entry::{Entry, EntryError, join};
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{self, Action, Kind};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::status::Marks;
use creditbank_protocol::{LogIndex, Place, UnitId};

use super::published::has_ended;
use crate::connection::marks_of;
use crate::{Client, ClientError};

/// A record that a compromised key has sealed or approved.
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
    /// Whether it was superseded or revoked, or another entry of the registry has taken its place or ends it: then
    /// nothing is left to do.
    pub ended: bool,
    /// Whether it is an entry of the registry, as a course alias. Such an entry is neither confirmed nor revoked: see
    /// [`way_out`](super::way_out).
    pub published: bool,
}

/// The registry entries of keys, for those that were asked about.
#[derive(Default)]
pub(super) struct Suspects {
    keys: BTreeMap<KeyId, pb::Key>,
}

impl Suspects {
    /// Whether what the key signed or approved is suspect, which was sealed at a time.
    async fn is_suspect(&mut self, client: &Client, key: KeyId, sealed_at_ms: u64) -> Result<bool, ClientError> {
        if let std::collections::btree_map::Entry::Vacant(vacant) = self.keys.entry(key) {
            let entry = client.registry_entry(&RegistryKey::Key(key)).await?;
            let entry = entry.ok_or_else(|| ClientError::lie("a block's key is not in the registry"))?;
            vacant.insert(entry.decode()?);
        }
        Ok(is_suspect(&self.keys[&key], sealed_at_ms))
    }

    /// Whether the block at a log index was signed or approved by a key that was compromised by then.
    pub(super) async fn is_suspect_at(&mut self, client: &Client, entry: LogIndex) -> Result<bool, ClientError> {
        let (bytes, _) = client.entry(entry).await?;
        let Entry::Head(head) = Entry::parse(&bytes).map_err(ClientError::lie)? else {
            return Err(ClientError::lie("a mark names no block"));
        };
        let header = head.header();
        let (_, keys, sealed_at_ms) = client.sealing(header.unit, header.height).await?;
        for key in keys {
            if self.is_suspect(client, key, sealed_at_ms).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Suspects {
    /// Whether the record of the block at a log index is contested, as far as its marks say.
    pub(super) async fn is_contested(
        &mut self,
        client: &Client,
        entry: LogIndex,
        marks: &Marks,
    ) -> Result<bool, ClientError> {
        // At most four blocks count: those of the record, of what has ended it or reinstated it, and of its
        // confirmation.
        let mut known = BTreeMap::new();
        for index in marks.iter().map(|(_, index)| index).chain([entry]) {
            known.insert(index, self.is_suspect_at(client, index).await?);
        }
        is_contested_by(marks, entry, |index| Ok(known.get(&index).copied().unwrap_or_default()))
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

    /// Where the block of a unit stands, the keys that signed and approved it, and when it was sealed.
    async fn sealing(&self, unit: UnitId, height: u64) -> Result<(LogIndex, Vec<KeyId>, u64), ClientError> {
        let receipt = self.block(unit, height).await?;
        let verified = self.check_receipt(&receipt).await?;
        let Entry::Head(head) = &verified.entry else {
            return Err(ClientError::lie("the entry is no block"));
        };
        Ok((verified.index, head.key_ids().collect(), self.sealed_at(verified.checkpoint.size).await?))
    }
}

/// What a compromised key has done to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContestedEffect {
    /// The record.
    pub place: Place,
    /// Superseded, revoked, or closed its review.
    pub action: Action,
    /// Log index of the effect.
    pub entry: LogIndex,
    /// The compromised key.
    pub key_id: KeyId,
    /// Time of its seal, milliseconds since 1970.
    pub sealed_at_ms: u64,
    /// Whether it still holds; nothing where the caller may not read the record.
    pub holds: Option<bool>,
}

/// What compromised keys of a unit have signed or approved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Records, by place; confirmed and ended ones too.
    pub records: Vec<Contested>,
    /// What it has done to records, in the order of the log.
    pub effects: Vec<ContestedEffect>,
}

/// Records of a unit that a compromised key has sealed or approved, by place; confirmed and ended ones too.
pub async fn contested(client: &Client, unit: UnitId) -> Result<Vec<Contested>, ClientError> {
    Ok(findings(client, unit).await?.records)
}

/// What compromised keys of a unit have signed or approved. Looks at blocks from the newest back to the first
/// compromise.
pub async fn findings(client: &Client, unit: UnitId) -> Result<Findings, ClientError> {
    let mut stolen: BTreeMap<KeyId, pb::Key> = BTreeMap::new();
    for item in client.registry_list(Kind::Key, Some(unit.institution)).await? {
        let key: pb::Key = item.decode()?;
        if let (RegistryKey::Key(id), Some(_), true) = (&item.key, compromised_since(&key), key.unit == unit.number) {
            stolen.insert(*id, key);
        }
    }
    let Some(first) = stolen.values().filter_map(compromised_since).min() else {
        return Ok(Findings::default());
    };
    let mut suspects = Suspects::default();
    let mut found = Findings::default();
    let mut height = client.chain_head(unit).await?.next_height;
    while let Some(below) = height.checked_sub(1) {
        height = below;
        let (entry, keys, sealed_at_ms) = client.sealing(unit, height).await?;
        if sealed_at_ms / 60_000 < first {
            break;
        }
        let is_stolen = |id: &KeyId| stolen.get(id).is_some_and(|key| is_suspect(key, sealed_at_ms));
        let Some(key_id) = keys.into_iter().find(is_stolen) else {
            continue;
        };
        let block = block_at(client, entry).await?.ok_or_else(|| ClientError::lie("the entry is no block"))?;
        for record in client.issued(unit, height, 1).await?.0 {
            let place = Place::read(record.place);
            let shown = block.public().records.iter().find(|shown| shown.index == place.index);
            let marks = marks_of(&record.marks, record.mark_entries.iter().copied().map(LogIndex))?;
            let ended = match shown {
                Some(shown) => has_ended(client, &mut suspects, place, shown).await?,
                None => marks.have_ended(),
            };
            let published = shown.is_some();
            let confirmed = !published && !ended && !suspects.is_contested(client, entry, &marks).await?;
            let kind = Kind::try_from(record.kind).unwrap_or_default();
            found.records.push(Contested { place, kind, key_id, sealed_at_ms, confirmed, ended, published });
        }
        for (place, action) in effects_of(&block) {
            let holds = holds(client, place, action, entry).await?;
            found.effects.push(ContestedEffect { place, action, entry, key_id, sealed_at_ms, holds });
        }
    }
    found.records.sort_by_key(|one| one.place);
    found.effects.sort_by_key(|one| (one.entry, one.place));
    Ok(found)
}

/// The block at a log index, with its public part; `None` where another entry stands there.
pub(super) async fn block_at(client: &Client, entry: LogIndex) -> Result<Option<SignedBlock>, ClientError> {
    let parse = |bytes: Vec<u8>| Entry::parse(&bytes).map_err(ClientError::lie);
    let Entry::Head(head) = parse(client.entry(entry).await?.0)? else { return Ok(None) };
    let part = if head.has_public() { client.entry(entry.next()).await?.0 } else { Vec::new() };
    join(head, || Ok::<_, EntryError>(part)).map(Some).map_err(ClientError::lie)
}

/// What a block has done to records that could be undone.
fn effects_of(block: &SignedBlock) -> Vec<(Place, Action)> {
    let effects = block.public().groups.iter().flat_map(|group| &group.effects);
    // What shows no place followed from something else, and is undone with that.
    let done = effects.filter_map(|effect| Some((Place::from(effect.place?), effect.action())));
    let undoable = |action: Action| matches!(action, Action::Supersede | Action::Revoke | Action::CloseReview);
    done.filter(|(_, action)| undoable(*action)).collect()
}

/// Whether an effect on a record still holds.
async fn holds(client: &Client, place: Place, action: Action, entry: LogIndex) -> Result<Option<bool>, ClientError> {
    let read = match client.record(place).await {
        Ok(read) => read,
        Err(ClientError::Refused(_) | ClientError::Missing(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let marks = read.marks()?;
    Ok(Some(match action {
        Action::CloseReview => marks.get(creditbank_protocol::status::Mark::UnderReview).is_none(),
        _ => marks.ended().is_some_and(|(_, by)| by == entry),
    }))
}
