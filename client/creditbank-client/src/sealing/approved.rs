//! An operation into the unit's chain: on the disk before it is sent, the same bytes until the answer is known.

use std::collections::BTreeSet;

use creditbank_protocol::entry::block_entry;
use creditbank_protocol::pb;
use creditbank_protocol::record::info_of;
use creditbank_rpc::Reason;
use creditbank_rpc::v1::{RecordBody, Refusal};

use super::Operation;
use super::approval::ApprovalQueue;
use crate::outbox::patience::{patiently, send};
use crate::outbox::work::{Mark, Pending, Work};
use crate::{Client, ClientError, IssuingUnit};

/// How often a block is built anew because the unit's chain has moved.
const TRIES_MAX: u32 = 6;

/// What the node says to a operation.
pub(crate) enum Answer {
    /// It is sealed at this log index.
    Sealed(u64),
    /// It was refused, and cannot be sealed as it is.
    Refused(Box<Refusal>),
}

/// Seals an operation as the next block of the unit's chain.
pub(crate) async fn seal(
    client: &Client,
    unit: &IssuingUnit,
    work: &mut Work,
    operation: &Operation,
    marks: &[Mark],
    approval: Option<&pb::Approval>,
) -> Result<Answer, ClientError> {
    for _ in 0..TRIES_MAX {
        let head = patiently(|| client.chain_head(unit.institution, unit.unit)).await?;
        let block = client.sign_content(
            unit.institution,
            unit.unit,
            &head,
            &*unit.key,
            (&operation.records, operation.groups.clone()),
            (operation.operation_id, approval.cloned()),
        )?;
        // The records that everybody may read stand in the block itself.
        let hidden = operation.records.iter().filter(|one| info_of(one.kind()).is_some_and(|info| !info.public));
        let records = hidden.map(RecordBody::from).collect();
        let pending = Pending { height: head.next_height, block, records, marks: marks.to_vec() };
        work.prepare(&pending)?;
        match finish(client, unit, work, &pending).await? {
            Answer::Refused(refusal) if refusal.why().chain_moved() => {}
            answer => return Ok(answer),
        }
    }
    Err(ClientError::Local(format!("the unit's chain moved {TRIES_MAX} times in a row: run the command again")))
}

/// Seals what was approved since the last run and tells `sealed` how many marks each block has; the marks of what still waits.
pub(crate) async fn seal_approved(
    client: &Client,
    unit: &IssuingUnit,
    work: &mut Work,
    queue: &ApprovalQueue,
    mut sealed: impl FnMut(u64),
) -> Result<BTreeSet<Mark>, ClientError> {
    let mut marks = BTreeSet::new();
    for waiting in queue.waiting()? {
        if waiting.marks.iter().all(|mark| work.is_noted(mark)) {
            waiting.done()?;
            continue;
        }
        let Some(approval) = &waiting.approval else {
            marks.extend(waiting.marks);
            continue;
        };
        match seal(client, unit, work, &waiting.operation, &waiting.marks, Some(approval)).await? {
            Answer::Sealed(_) => {
                sealed(waiting.marks.len() as u64);
                waiting.done()?;
            }
            Answer::Refused(refusal) if ends_the_run(&refusal) => return Err(ClientError::Refused(refusal)),
            // It can never be sealed as it was approved: its lines are looked at again.
            Answer::Refused(_) => waiting.done()?,
        }
    }
    Ok(marks)
}

/// Whether a refusal is about who signs, or comes of the node's state: nothing of the run can go through.
pub(crate) fn ends_the_run(refusal: &Refusal) -> bool {
    refusal.why().about_signer() || refusal.leaves_outcome_open()
}

/// Sends a block that is on the disk, until it is known what became of it.
pub(crate) async fn finish(
    client: &Client,
    unit: &IssuingUnit,
    work: &mut Work,
    pending: &Pending,
) -> Result<Answer, ClientError> {
    match send(client, pending).await {
        Ok(receipt) => {
            work.sealed(pending, &receipt)?;
            Ok(Answer::Sealed(receipt.index))
        }
        Err(ClientError::Refused(refusal)) => {
            if refusal.why() == Reason::StaleHead {
                // Nothing else is signed for this height before the log itself shows what stands there.
                let accepted = patiently(|| client.block(unit.institution, unit.unit, pending.height)).await?;
                if accepted.entry == block_entry(&pending.block) {
                    work.sealed(pending, &accepted)?;
                    return Ok(Answer::Sealed(accepted.index));
                }
            }
            work.forget()?;
            Ok(Answer::Refused(refusal))
        }
        Err(error) => Err(error),
    }
}
