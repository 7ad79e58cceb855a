//! A block whole or not at all, and never twice: sent, asked about, or gone on with.

use std::path::{Path, PathBuf};

use creditbank_protocol::LogIndex;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::Receipt;
use creditbank_protocol::record::{Record, info_of};
use creditbank_rpc::v1::{CheckedRecord, RecordBody, Refusal};

use super::approval::ApprovalQueue;
use super::approved::{Answer, seal, seal_approved, settle_earlier};
use super::contents::{Contents, groups};
use crate::outbox::{Mark, Operation, Outbox};
use crate::secret::random;
use crate::{Client, ClientError, IssuingUnit};

/// What became of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealed {
    /// It is in the log, at this index.
    Done(LogIndex),
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

/// Which of the hidden records the node would refuse now. Writes nothing. Public ones and effects are judged when they
/// are sealed.
pub async fn check(client: &Client, unit: &IssuingUnit, contents: &Contents) -> Result<Vec<Refusal>, ClientError> {
    let hidden = |record: &&Record| info_of(record.kind()).is_some_and(|info| !info.public);
    let records: Vec<CheckedRecord> = contents
        .records()
        .iter()
        .filter(hidden)
        .map(|record| CheckedRecord { record: Some(RecordBody::from(record)), identities: Vec::new() })
        .collect();
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let key_id = KeyId::of(&unit.key.public_key());
    client.check_records(unit.id, key_id, records).await
}

/// What earlier runs have left: blocks of which it is not known whether they were sealed, and approvals that have come.
/// Says what became of the block that has this mark, if an earlier run has made it.
async fn go_on(
    outbox: &mut Outbox<'_>,
    (options, mark): (Options<'_>, Mark),
    told: &mut dyn FnMut(&Refusal),
) -> Result<Option<Sealed>, ClientError> {
    let earlier = settle_earlier(outbox).await?;
    earlier.refused.iter().for_each(&mut *told);
    if let Some((_, receipt)) = earlier.sealed.iter().find(|(marks, _)| marks.contains(&mark)) {
        return Ok(Some(Sealed::Done(LogIndex(receipt.index))));
    }
    let queue = ApprovalQueue::open(options.work);
    let mut approved = None;
    let sealed = |marks: &[Mark], receipt: Box<Receipt>| {
        if marks.contains(&mark) {
            approved = Some(Sealed::Done(LogIndex(receipt.index)));
        }
    };
    let asked = seal_approved(outbox, &queue, None, sealed).await?;
    if approved.is_some() {
        return Ok(approved);
    }
    asked.refused.iter().filter(|(marks, _)| marks.contains(&mark)).for_each(|(_, refusal)| told(refusal));
    if outbox.is_noted(&mark) {
        return Ok(Some(Sealed::Already));
    }
    if !asked.waiting.contains(&mark) {
        return Ok(None);
    }
    let asked = queue.waiting()?.into_iter().find(|one| one.marks.contains(&mark));
    Ok(asked.map(|one| Sealed::Waiting(one.path)))
}

/// Goes on with what an earlier run has begun for a request, before the node is asked what it would come to now: it may
/// have come true. `None` where no run has. `told` is given what the node refuses of it by now.
pub async fn resume(
    client: &Client,
    unit: &IssuingUnit,
    request: &[u8],
    options: Options<'_>,
    mut told: impl FnMut(&Refusal),
) -> Result<Option<Sealed>, ClientError> {
    let mut outbox = Outbox::open(client, unit, options.work)?;
    go_on(&mut outbox, (options, request_mark(unit, request)), &mut told).await
}

fn request_mark(unit: &IssuingUnit, request: &[u8]) -> Mark {
    let about = [b"creditbank request", request].concat();
    Mark::new(unit, &about, &about)
}

/// Seals a block. What an earlier run has left under way or waiting is finished first; where the node refuses that by
/// now, `told` is given the refusal. A refusal of this block is the error.
pub async fn seal_block(
    client: &Client,
    unit: &IssuingUnit,
    contents: &Contents,
    options: Options<'_>,
    mut told: impl FnMut(&Refusal),
) -> Result<Sealed, ClientError> {
    let mut outbox = Outbox::open(client, unit, options.work)?;
    let mark = contents.mark(unit)?;
    if let Some(known) = go_on(&mut outbox, (options, mark), &mut told).await? {
        return Ok(known);
    }
    let operation = Operation {
        operation_id: random()?,
        records: contents.records().to_vec(),
        groups: groups(contents.effects().iter().cloned())?,
        approvals: Vec::new(),
    };
    let mut marks = vec![mark];
    marks.extend(contents.request.iter().map(|request| request_mark(unit, request)));
    if options.require_approval {
        let queue = ApprovalQueue::open(options.work);
        return Ok(Sealed::Waiting(queue.put(client.origin(), unit, &operation, &marks)?));
    }
    match seal(&mut outbox, operation, marks).await? {
        Answer::Sealed(receipt) => Ok(Sealed::Done(LogIndex(receipt.index))),
        Answer::Refused(refusal) => Err(ClientError::Refused(refusal)),
    }
}
