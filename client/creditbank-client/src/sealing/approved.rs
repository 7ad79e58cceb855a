//! One operation after the other through the outbox: what earlier runs left, what was approved since, and a new one.

use std::collections::BTreeSet;

use creditbank_protocol::pb::Receipt;
use creditbank_rpc::v1::Refusal;

use super::approval::ApprovalQueue;
use crate::ClientError;
use crate::outbox::{Mark, Operation, Outbox, Outcome};

/// What the node says to an operation.
pub(crate) enum Answer {
    /// It is sealed.
    Sealed(Box<Receipt>),
    /// It was refused, and cannot be sealed as it is.
    Refused(Box<Refusal>),
}

/// What became of the blocks that an earlier run left under way.
#[derive(Default)]
pub(crate) struct Earlier {
    pub(crate) sealed: Vec<(Vec<Mark>, Box<Receipt>)>,
    pub(crate) refused: Vec<Refusal>,
}

/// Settles what an earlier run left under way.
pub(crate) async fn settle_earlier(outbox: &mut Outbox<'_>) -> Result<Earlier, ClientError> {
    let mut earlier = Earlier::default();
    while let Some(outcome) = outbox.next().await? {
        match outcome {
            Outcome::Sealed { marks, receipt, .. } => earlier.sealed.push((marks, receipt)),
            Outcome::Dropped { refusal } => earlier.refused.extend(refusal.map(|refusal| *refusal)),
            Outcome::Refused { ticket, refusal } => {
                outbox.withdraw(ticket);
                earlier.refused.push(*refusal);
            }
        }
    }
    Ok(earlier)
}

/// Seals an operation as the next block of the unit's chain, behind which nothing else is queued.
pub(crate) async fn seal(
    outbox: &mut Outbox<'_>,
    operation: Operation,
    marks: Vec<Mark>,
) -> Result<Answer, ClientError> {
    outbox.push(operation, marks);
    let mut last = settle_earlier(outbox).await?;
    let sealed = last.sealed.pop().map(|(_, receipt)| Answer::Sealed(receipt));
    let answer = sealed.or_else(|| last.refused.pop().map(|refusal| Answer::Refused(Box::new(refusal))));
    answer.ok_or_else(|| ClientError::Local("an operation without an outcome".to_owned()))
}

/// What became of the blocks that wait for approvals, but for those that were sealed.
#[derive(Default)]
pub(crate) struct Asked {
    /// The marks of what still waits.
    pub(crate) waiting: BTreeSet<Mark>,
    /// What was approved and then refused: it can never be sealed as it was approved.
    pub(crate) refused: Vec<(Vec<Mark>, Box<Refusal>)>,
}

/// Seals what as many persons as are required have approved since the last run, and tells `sealed` the marks of each
/// block and its receipt. With `only`, of the blocks that have one of these marks: others are other commands' to seal.
pub(crate) async fn seal_approved(
    outbox: &mut Outbox<'_>,
    queue: &ApprovalQueue,
    only: Option<&[Mark]>,
    mut sealed: impl FnMut(&[Mark], Box<Receipt>),
) -> Result<Asked, ClientError> {
    let mut asked = Asked::default();
    let waiting = match only {
        Some(only) => queue.waiting_of(only)?,
        None => queue.waiting()?,
    };
    let required = if waiting.is_empty() { 0 } else { outbox.approvals_required().await? };
    for waiting in waiting {
        if waiting.marks.iter().all(|mark| outbox.is_noted(mark)) {
            waiting.done()?;
            continue;
        }
        if waiting.operation.approvals.len() < required.max(1) {
            asked.waiting.extend(waiting.marks);
            continue;
        }
        waiting.check_in_time()?;
        outbox.check_approvers(&waiting).await?;
        match seal(outbox, waiting.operation.clone(), waiting.marks.clone()).await? {
            Answer::Sealed(receipt) => {
                sealed(&waiting.marks, receipt);
                waiting.done()?;
            }
            Answer::Refused(refusal) if refusal.why().keeps_request() => return Err(ClientError::Refused(refusal)),
            // Its lines are looked at again.
            Answer::Refused(refusal) => {
                asked.refused.push((waiting.marks.clone(), refusal));
                waiting.done()?;
            }
        }
    }
    Ok(asked)
}
