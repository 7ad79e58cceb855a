//! What the operator does: registry records, in blocks of the operator's own chain.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use creditbank_protocol::UnitId;
use creditbank_protocol::block::split_public;
use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::counted;
use creditbank_protocol::key::{KeyId, log_handover_message, possession_message, verify};
use creditbank_protocol::key_file::{purpose_name, purpose_of};
use creditbank_protocol::pb::{self, Kind, Purpose, Receipt};
use creditbank_protocol::record::{PUBLIC_SEED, Record, SUITE};
use creditbank_protocol::registry::RegistryKey;
use creditbank_rpc::v1::Refusal;
use serde::{Deserialize, Serialize};

use crate::outbox::{Mark, Operation, Outbox, Pending};
use crate::sealing::approval::ApprovalQueue;
use crate::sealing::approved::{Answer, seal, seal_approved, settle_earlier};
use crate::secret::random;
use crate::{Client, ClientError, IssuingUnit, Signer};

/// A request that a key be admitted, with the proof that whoever asks holds it. Travels as JSON; holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRequest {
    /// The log.
    pub origin: String,
    /// Whose key.
    pub institution: u64,
    /// Of which unit; 0 where the purpose needs none.
    pub unit: u32,
    /// For what, as `unit` or `institution-access`.
    pub purpose: String,
    /// 32 bytes in hexadecimal.
    pub public_key: String,
    /// 64 bytes in hexadecimal.
    pub possession: String,
    /// Of a log key: how the log key in force hands over to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handover: Option<Handover>,
}

/// That the log key in force hands over to another one. Whoever has the registry key alone cannot name a log key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handover {
    /// The first log index whose seal the other one signs.
    pub from_index: u64,
    /// 64 bytes in hexadecimal, by the log key in force.
    pub signature: String,
}

impl KeyRequest {
    /// The request for a key that this side holds, of a unit; of unit 0 where the purpose needs none.
    pub fn new(origin: &str, unit: UnitId, key: &dyn Signer) -> Result<Self, ClientError> {
        let public_key = key.public_key();
        let message = possession_message(origin, unit, key.purpose(), &public_key);
        Ok(Self {
            origin: origin.to_owned(),
            institution: unit.institution.0,
            unit: unit.number,
            purpose: purpose_name(key.purpose()),
            public_key: hex::encode(public_key),
            possession: hex::encode(key.sign(message.as_bytes())?),
            handover: None,
        })
    }

    /// The request for a log key, to which the one in force hands over the seals from a log index on.
    pub fn handed_over(self, in_force: &dyn Signer, from_index: u64) -> Result<Self, ClientError> {
        if in_force.purpose() != Purpose::Log || purpose_of(&self.purpose) != Some(Purpose::Log) {
            return Err(ClientError::Local("a log key hands over to a log key, and no other to another".to_owned()));
        }
        let message = log_handover_message(&self.origin, &self.key()?, from_index);
        let signature = hex::encode(in_force.sign(message.as_bytes())?);
        Ok(Self { handover: Some(Handover { from_index, signature }), ..self })
    }

    fn key(&self) -> Result<[u8; 32], ClientError> {
        let key = hex::decode(&self.public_key).map_err(|_| wrong("public_key is not hexadecimal"))?;
        key.try_into().map_err(|_| wrong("public_key is not 32 bytes"))
    }

    /// The registry record: which kinds the key may sign (of a unit's key), from when until when in minutes since 1970.
    pub fn record(&self, kinds: &[Kind], from_minute: u64, until_minute: u64) -> Result<pb::Key, ClientError> {
        let purpose = purpose_of(&self.purpose).ok_or_else(|| wrong("unknown purpose"))?;
        let possession = hex::decode(&self.possession).map_err(|_| wrong("possession is not hexadecimal"))?;
        let public_key = self.key()?;
        let message = possession_message(&self.origin, UnitId::new(self.institution, self.unit), purpose, &public_key);
        verify(&public_key, message.as_bytes(), &possession).map_err(|error| {
            let (institution, unit) = (self.institution, self.unit);
            wrong(&format!(
                "expected the key's own signature for institution {institution}, unit {unit} as {}: {error}. The request \
                 was changed; whoever has the key makes a new one (creditbank key request)",
                self.purpose
            ))
        })?;
        let handover = self.handover.as_ref().map_or("", |handover| &handover.signature);
        let handover = hex::decode(handover).map_err(|_| wrong("handover is not hexadecimal"))?;
        let mut kinds: Vec<i32> = kinds.iter().map(|kind| i32::from(*kind)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        Ok(pb::Key {
            public_key: public_key.to_vec(),
            suite: u32::from(SUITE),
            purpose: purpose.into(),
            institution: self.institution,
            unit: self.unit,
            kinds: if purpose == Purpose::Unit { kinds } else { Vec::new() },
            from_minute,
            until_minute,
            revoked: None,
            possession,
            from_index: self.handover.as_ref().map_or(0, |handover| handover.from_index),
            handover,
        })
    }
}

fn wrong(what: &str) -> ClientError {
    ClientError::Local(format!("key request: {what}"))
}

/// A registry record of a kind.
pub fn registry_record<M: Canonical>(kind: Kind, message: &M) -> Result<Record, ClientError> {
    let body = encode(message).map_err(|error| ClientError::Local(error.to_string()))?;
    Record::of(kind, &PUBLIC_SEED, body).map_err(|error| ClientError::Local(error.to_string()))
}

/// What became of a block that an earlier command has left under way.
#[derive(Debug, Clone)]
pub enum Earlier {
    /// It is sealed now.
    Sealed(Box<Receipt>),
    /// It was refused, and is gone: the command must be run again.
    Refused(Box<Refusal>),
}

/// Registry records of all commands that the log may soon have: those that wait for approvals in a directory of
/// requests, and those in blocks of which it is not known whether they are sealed.
pub fn waiting_records(work: &Path) -> Result<Vec<Record>, ClientError> {
    let operations = ApprovalQueue::open(work).operations()?;
    let mut records: Vec<Record> = operations.into_iter().flat_map(|one| one.records).collect();
    if Pending::is_there(work) {
        for block in Pending::open(work)?.blocks() {
            records.extend(block.public_records().map_err(|error| ClientError::Local(error.to_string()))?);
        }
    }
    Ok(records)
}

/// What became of registry records.
#[derive(Debug, Clone)]
pub enum Published {
    /// They are in the log; the receipt is that of the last block.
    Sealed(Box<Receipt>),
    /// An earlier run has sealed all of them.
    Already,
    /// A request was written: a block needs the approvals of so many persons.
    Asked(PathBuf, usize),
    /// An earlier run has written this request, and it still lacks some of so many approvals.
    Waiting(PathBuf, usize),
}

/// Publishes registry records in the operator's chain, in as many blocks as they need; the receipt is that of the last.
/// They act from the next round. What stood in the blocks before a refused one stays published.
///
/// `work` is a directory for the blocks that are under way, so that after an interruption the same bytes go again.
/// Without one they are held in memory: an interruption then leaves it open whether they were published.
pub async fn publish(
    client: &Client,
    key: Arc<dyn Signer>,
    records: &[Record],
    work: Option<&Path>,
) -> Result<Receipt, ClientError> {
    match publish_or_ask(client, key, records, work, |_| ()).await? {
        Published::Sealed(receipt) => Ok(*receipt),
        Published::Already => Err(ClientError::Local("these registry records were published before".to_owned())),
        Published::Asked(path, required) | Published::Waiting(path, required) => Err(ClientError::Local(format!(
            "the registry's policy asks for {}: have {} approved (creditbank approve), then run this \
             again",
            counted(required, "approval", "approvals"),
            path.display()
        ))),
    }
}

/// As [`publish`]; where the registry's policy asks for approvals, a request for each block in its turn is written into
/// `work`, and a later call with the same records goes on once enough persons have approved it. `told` hears what
/// became of blocks of other calls that were under way.
pub async fn publish_or_ask(
    client: &Client,
    key: Arc<dyn Signer>,
    records: &[Record],
    work: Option<&Path>,
    mut told: impl FnMut(Earlier),
) -> Result<Published, ClientError> {
    let unit = registry_unit(key)?;
    let mut outbox = outbox_of(client, &unit, work)?;
    // A correction of the time needs one, whatever the policy.
    let corrects = records.iter().any(|record| record.kind() == Kind::TimeCorrection);
    let required = client.approvals_required(UnitId::OPERATOR).await?.max(usize::from(corrects));
    let queue = work.map(ApprovalQueue::open);
    let blocks: Vec<(Mark, &[Record])> =
        split_public(records).into_iter().map(|records| (mark(&unit, records), records)).collect();
    let own: Vec<Mark> = blocks.iter().map(|(mark, _)| *mark).collect();
    // What an earlier run of the same command has left under way is not published twice.
    let mut earlier = Vec::new();
    let settled = settle_earlier(&mut outbox).await?;
    for (marks, receipt) in settled.sealed {
        if marks.iter().any(|mark| own.contains(mark)) {
            earlier.push((marks, receipt));
        } else {
            told(Earlier::Sealed(receipt));
        }
    }
    settled.refused.into_iter().for_each(|refusal| told(Earlier::Refused(Box::new(refusal))));
    let mut waiting = BTreeSet::new();
    if let Some(queue) = &queue {
        let sealed = |marks: &[Mark], receipt| earlier.push((marks.to_vec(), receipt));
        let asked = seal_approved(&mut outbox, queue, Some(&own), sealed).await?;
        // What two persons wanted and the node refuses must be said, and not asked for again without a word.
        if let Some((_, refusal)) = asked.refused.into_iter().next() {
            return Err(ClientError::Refused(refusal));
        }
        waiting = asked.waiting;
    }
    let mut last = None;
    for (mark, records) in blocks {
        if let Some(at) = earlier.iter().position(|(marks, _)| *marks == [mark]) {
            last = Some(Published::Sealed(earlier.remove(at).1));
            continue;
        }
        let (records, groups) = (records.to_vec(), Vec::new());
        let operation = Operation { operation_id: random()?, records, groups, approvals: Vec::new() };
        if required > 0 {
            let queue = queue.as_ref().ok_or_else(|| {
                let needed = counted(required, "approval is", "approvals are");
                let what = format!("{needed} needed: expected a directory for requests");
                ClientError::Local(what)
            })?;
            if waiting.contains(&mark) {
                let asked = queue.waiting_of(&[mark])?.into_iter().next();
                if let Some(asked) = asked {
                    return Ok(Published::Waiting(asked.path, required));
                }
            }
            if last.is_none() && outbox.is_noted(&mark) {
                last = Some(Published::Already);
                continue;
            }
            check_signer(client, &unit).await?;
            return Ok(Published::Asked(queue.put(client.origin(), &unit, &operation, &[mark])?, required));
        }
        match seal(&mut outbox, operation, vec![mark]).await? {
            Answer::Sealed(receipt) => last = Some(Published::Sealed(receipt)),
            Answer::Refused(refusal) => return Err(ClientError::Refused(refusal)),
        }
    }
    last.ok_or_else(|| ClientError::Local("expected at least one registry record".to_owned()))
}

/// Refuses a key that does not sign for the operator, before anybody is asked to approve what it would sign.
async fn check_signer(client: &Client, unit: &IssuingUnit) -> Result<(), ClientError> {
    let id = KeyId::of(&unit.key.public_key());
    let wrong = |what: &str| Err(ClientError::Local(format!("key {id} {what}")));
    match client.registry_entry(&RegistryKey::Key(id)).await? {
        None => wrong(
            "is not the registry key of this log: expected the one in force. The next registry key takes over by \
             creditbank registry succeed",
        ),
        Some(item) if item.decode::<pb::Key>()?.revoked.is_some() => {
            wrong("is not the registry key any more: another one has followed it; pass that one")
        }
        Some(item) if item.decode::<pb::Key>()?.purpose != i32::from(Purpose::Registry) => {
            wrong("is not a registry key: pass the one in force")
        }
        Some(_) => Ok(()),
    }
}

/// Publishes registry records of a succession, which nobody approves, in one block.
pub(crate) async fn publish_as(
    client: &Client,
    key: Arc<dyn Signer>,
    records: &[Record],
    work: Option<&Path>,
) -> Result<Receipt, ClientError> {
    let unit = registry_unit(key)?;
    let mut outbox = outbox_of(client, &unit, work)?;
    settle_earlier(&mut outbox).await?;
    let operation =
        Operation { operation_id: random()?, records: records.to_vec(), groups: Vec::new(), approvals: Vec::new() };
    match seal(&mut outbox, operation, vec![mark(&unit, records)]).await? {
        Answer::Sealed(receipt) => Ok(*receipt),
        Answer::Refused(refusal) => Err(ClientError::Refused(refusal)),
    }
}

fn registry_unit(key: Arc<dyn Signer>) -> Result<IssuingUnit, ClientError> {
    if key.purpose() != Purpose::Registry {
        return Err(ClientError::Local("registry records need the operator's registry key".to_owned()));
    }
    IssuingUnit::operator(key)
}

fn outbox_of<'a>(client: &'a Client, unit: &'a IssuingUnit, work: Option<&Path>) -> Result<Outbox<'a>, ClientError> {
    match work {
        Some(work) => Outbox::open(client, unit, work),
        None => Outbox::in_memory(client, unit),
    }
}

fn mark(unit: &IssuingUnit, records: &[Record]) -> Mark {
    let said: Vec<u8> = records.iter().flat_map(|record| record.hash().0).collect();
    Mark::new(unit, &said, &said)
}
