//! A content into the unit's chain: on the disk before it is sent, the same bytes until the answer is known.

use creditbank_protocol::entry::block_entry;
use creditbank_protocol::pb;
use creditbank_rpc::v1::{RecordBody, Refusal};

use crate::approval::Content;
use crate::issue::IssuingUnit;
use crate::issue::batch::{patiently, send};
use crate::issue::work::{Mark, Pending, Work};
use crate::{Client, ClientError};

/// How often a block is built anew because the unit's chain has moved.
const TRIES_MAX: u32 = 6;

/// What the node says to a content.
pub(crate) enum Answer {
    /// It is sealed at this log index.
    Sealed(u64),
    /// It was refused, and cannot be sealed as it is.
    Refused(Box<Refusal>),
}

/// Refusals that say nothing of the content: the chain has moved.
const MOVED: [&str; 4] = ["STALE_HEAD", "WRONG_HEIGHT", "WRONG_PREVIOUS", "WRONG_TIME"];

/// Seals a content as the next block of the unit's chain.
pub(crate) async fn seal(
    client: &Client,
    unit: &IssuingUnit,
    work: &mut Work,
    content: &Content,
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
            (&content.records, content.groups.clone()),
            (content.operation_id, approval.cloned()),
        )?;
        let records = content.records.iter().map(RecordBody::from).collect();
        let pending = Pending { height: head.next_height, block, records, marks: marks.to_vec() };
        work.prepare(&pending)?;
        match finish(client, unit, work, &pending).await? {
            Answer::Refused(refusal) if MOVED.contains(&refusal.reason.as_str()) => {}
            answer => return Ok(answer),
        }
    }
    Err(ClientError::Local(format!("the unit's chain moved {TRIES_MAX} times in a row: run the command again")))
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
            if refusal.reason == "STALE_HEAD" {
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
