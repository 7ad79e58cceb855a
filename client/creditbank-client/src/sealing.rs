//! Records and effects of any kind as one block of a unit: whole or not at all, and never twice.
//!
//! As in [`crate::issue`], the block is on the disk before it is sent, and the same bytes are sent again after an
//! interruption. Seeds are derived from what a record says, so the same command again makes the same record, of which the
//! notes know that it is sealed, and which without notes the ledger refuses as a duplicate.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use creditbank_protocol::canonical::{Canonical, CanonicalError, encode};
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{self, Action, Authority, Basis, Effect, EffectGroup, Kind, Place};
use creditbank_protocol::record::{PUBLIC_SEED, Record, info_of};
use creditbank_rpc::v1::{CheckedRecord, RecordBody, Refusal};

use crate::approval::{Content, Desk};
use crate::correct::{Answer, finish, seal, seal_approved};
use crate::issue::IssuingUnit;
use crate::issue::work::{Mark, Work};
use crate::secret::{derive, random};
use crate::{Client, ClientError};

/// What goes into one block.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    records: Vec<Record>,
    effects: Vec<(Authority, Effect)>,
    /// What was wished, where what it comes to depends on the day.
    wish: Option<Vec<u8>>,
}

/// What became of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealed {
    /// It is in the log, at this index.
    Done(u64),
    /// An earlier run has sealed it.
    Already,
    /// It waits for the approval of a second person, who is sent this request.
    Waiting(PathBuf),
}

/// Where the notes are, and whether a second person is asked.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// A directory for the notes; made when it is not there.
    pub work: &'a Path,
    /// Stop before the block is signed, and ask a second person.
    pub require_approval: bool,
}

fn spelled(error: CanonicalError) -> ClientError {
    ClientError::Local(error.to_string())
}

/// A record of a unit. Of a kind that is hidden, its seed is derived from the unit's secret, a reference and what it says: the
/// same again is the same record, and another reference makes it another one.
pub fn record<M: Canonical>(
    unit: &IssuingUnit,
    kind: Kind,
    message: &M,
    reference: &str,
) -> Result<Record, ClientError> {
    let body = encode(message).map_err(spelled)?;
    let public = info_of(kind).is_some_and(|info| info.public);
    let len = (reference.len() as u64).to_be_bytes();
    let parts = [b"creditbank record", &i32::from(kind).to_be_bytes()[..], &len, reference.as_bytes(), &body];
    let seed = if public { PUBLIC_SEED } else { derive(&unit.secret, &parts) };
    Record::of(kind, &seed, body).map_err(|error| ClientError::Local(error.to_string()))
}

/// An authority of a basis that needs nothing else.
pub fn authority(basis: Basis) -> Authority {
    Authority { basis: basis.into(), ..Default::default() }
}

/// An effect on a record.
pub fn effect(record: &pb::RecordReference, action: Action) -> Effect {
    let place = record.place.filter(|place| *place != Place::default());
    Effect { status_id: record.status_id.clone(), place, action: action.into(), ..Default::default() }
}

impl Contents {
    /// A block of these records.
    pub fn of(records: impl IntoIterator<Item = Record>) -> Self {
        Self { records: records.into_iter().collect(), ..Self::default() }
    }

    /// The same, made for a wish: what [`resume`] knows it by.
    #[must_use]
    pub fn wished(self, wish: &[u8]) -> Self {
        Self { wish: Some(wish.to_vec()), ..self }
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
    fn mark(&self, unit: &IssuingUnit) -> Result<Mark, ClientError> {
        let mut said: Vec<u8> = self.records.iter().flat_map(|record| record.hash().0).collect();
        for group in groups(self.effects.iter().cloned())? {
            said.extend(encode(&group).map_err(spelled)?);
        }
        Ok(Mark::new(unit, &said, &said))
    }
}

/// The effects of one authority, by their bytes.
type EffectsByBytes = (Authority, BTreeMap<Vec<u8>, Effect>);

/// Effects as a block groups them. Groups and effects are sets: ascending by their bytes.
pub(crate) fn groups(effects: impl IntoIterator<Item = (Authority, Effect)>) -> Result<Vec<EffectGroup>, ClientError> {
    let mut groups: BTreeMap<Vec<u8>, EffectsByBytes> = BTreeMap::new();
    for (authority, effect) in effects {
        let group = groups.entry(encode(&authority).map_err(spelled)?);
        let (_, effects) = group.or_insert_with(|| (authority, BTreeMap::new()));
        effects.insert(encode(&effect).map_err(spelled)?, effect);
    }
    let mut sorted = BTreeMap::new();
    for (authority, effects) in groups.into_values() {
        let group = EffectGroup { authority: Some(authority), effects: effects.into_values().collect() };
        sorted.insert(encode(&group).map_err(spelled)?, group);
    }
    Ok(sorted.into_values().collect())
}

/// Which of the hidden records the node would refuse now. Writes nothing. Public ones and effects are judged when they are
/// sealed.
pub async fn check(client: &Client, unit: &IssuingUnit, contents: &Contents) -> Result<Vec<Refusal>, ClientError> {
    let hidden = |record: &&Record| info_of(record.kind()).is_some_and(|info| !info.public);
    let records: Vec<CheckedRecord> = contents
        .records
        .iter()
        .filter(hidden)
        .map(|record| CheckedRecord { record: Some(RecordBody::from(record)), identities: Vec::new() })
        .collect();
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let key_id = KeyId::of(&unit.key.public_key()).0;
    client.check_records(unit.institution, unit.unit, key_id, records).await
}

/// What earlier runs have left: a block of which it is not known whether it was sealed, and approvals that have come. Says what
/// became of the block that has this mark, if an earlier run has made it.
async fn go_on(
    client: &Client,
    unit: &IssuingUnit,
    work: &mut Work,
    (options, mark): (Options<'_>, Mark),
    told: &mut dyn FnMut(&Refusal),
) -> Result<Option<Sealed>, ClientError> {
    if let Some(pending) = work.pending()? {
        match finish(client, unit, work, &pending).await? {
            Answer::Sealed(entry) if pending.marks.contains(&mark) => return Ok(Some(Sealed::Done(entry))),
            Answer::Sealed(_) => {}
            Answer::Refused(refusal) => told(&refusal),
        }
    }
    let desk = Desk::open(options.work);
    let waiting = seal_approved(client, unit, work, &desk, |_| ()).await?;
    if work.is_noted(&mark) {
        return Ok(Some(Sealed::Already));
    }
    if !waiting.contains(&mark) {
        return Ok(None);
    }
    let asked = desk.waiting()?.into_iter().find(|one| one.marks.contains(&mark));
    Ok(asked.map(|one| Sealed::Waiting(one.path)))
}

/// Goes on with what an earlier run has begun for a wish, before the node is asked what it would come to now: it may have
/// come true. `None` where no run has. `told` is given what the node refuses of it by now.
pub async fn resume(
    client: &Client,
    unit: &IssuingUnit,
    wish: &[u8],
    options: Options<'_>,
    mut told: impl FnMut(&Refusal),
) -> Result<Option<Sealed>, ClientError> {
    let mut work = Work::open(options.work, client.origin(), unit)?;
    go_on(client, unit, &mut work, (options, wish_mark(unit, wish)), &mut told).await
}

fn wish_mark(unit: &IssuingUnit, wish: &[u8]) -> Mark {
    let about = [b"creditbank wish", wish].concat();
    Mark::new(unit, &about, &about)
}

/// Seals a block. What an earlier run has left under way or waiting is finished first; where the node refuses that by now,
/// `told` is given the refusal. A refusal of this block is the error.
pub async fn seal_block(
    client: &Client,
    unit: &IssuingUnit,
    contents: &Contents,
    options: Options<'_>,
    mut told: impl FnMut(&Refusal),
) -> Result<Sealed, ClientError> {
    let mut work = Work::open(options.work, client.origin(), unit)?;
    let mark = contents.mark(unit)?;
    if let Some(known) = go_on(client, unit, &mut work, (options, mark), &mut told).await? {
        return Ok(known);
    }
    let content = Content {
        operation_id: random()?,
        records: contents.records.clone(),
        groups: groups(contents.effects.iter().cloned())?,
    };
    let mut marks = vec![mark];
    marks.extend(contents.wish.iter().map(|wish| wish_mark(unit, wish)));
    if options.require_approval {
        let desk = Desk::open(options.work);
        let whose = (unit.institution, unit.unit);
        return Ok(Sealed::Waiting(desk.put(client.origin(), whose, &content, &marks)?));
    }
    match seal(client, unit, &mut work, &content, &marks, None).await? {
        Answer::Sealed(entry) => Ok(Sealed::Done(entry)),
        Answer::Refused(refusal) => Err(ClientError::Refused(refusal)),
    }
}
