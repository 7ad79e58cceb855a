//! Blocks: what to build on, and sealing.

use creditbank_protocol::block::{BlockDraft, CREATED_WITHIN_MINUTES, SignedBlock};
use creditbank_protocol::canonical::decode;
use creditbank_protocol::entry::{BlockEntries, Entry, EntryError, join};
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{self, Kind, Receipt};
use creditbank_protocol::receipt::VerifiedReceipt;
use creditbank_protocol::record::Record;
use creditbank_protocol::{Digest, UnitId};
use creditbank_rpc::v1::{
    CheckRecordsRequest, CheckRecordsResponse, CheckedRecord, GetBlockRequest, GetChainHeadRequest, Refusal,
    SubmitBlockRequest, SubmitBlocksResponse,
};

use tokio_stream::Stream;
use tonic::Streaming;

use super::{Client, now_s};
use crate::ClientError;
use crate::signer::{Signer, sign_draft};

/// What the next block of a unit must build on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHead {
    /// Height of the next block.
    pub next_height: u64,
    /// What it must name as its previous.
    pub previous: Digest,
    /// It is created no earlier.
    pub created_at_minute: u64,
}

impl ChainHead {
    /// What a node says of the end of a unit's chain: the height of the next block, and the receipt of the last one. At
    /// height 0 that is the entry that admitted the unit; of the operator's chain nothing admits it.
    pub fn read(unit: UnitId, next_height: u64, verified: &VerifiedReceipt) -> Result<Self, ClientError> {
        let Entry::Head(head) = &verified.entry else {
            return Err(ClientError::lie("the head is no block"));
        };
        let header = head.header();
        let Some(height) = next_height.checked_sub(1) else {
            if !header.unit.institution.is_operator() {
                return Err(ClientError::lie("the entry does not admit the unit"));
            }
            return Ok(Self { next_height, previous: verified.leaf, created_at_minute: 0 });
        };
        if (header.unit, header.height) != (unit, height) {
            return Err(ClientError::lie("the head is a block of another place"));
        }
        Ok(Self { next_height, previous: header.id(), created_at_minute: header.created_at_minute })
    }
}

impl Client {
    /// The head of a unit's chain. At height 0 it is the entry that admitted the unit.
    pub async fn chain_head(&self, unit: UnitId) -> Result<ChainHead, ClientError> {
        let request = GetChainHeadRequest { institution: unit.institution.0, unit: unit.number };
        let answer = self.ledger.clone().get_chain_head(request).await?.into_inner();
        let receipt = answer.head.ok_or_else(|| ClientError::lie("the head is missing"))?;
        let verified = self.check_receipt(&receipt).await?;
        let head = ChainHead::read(unit, answer.next_height, &verified)?;
        if answer.next_height == 0 {
            let admits = |shown: &pb::PublicRecord| {
                shown.kind == i32::from(Kind::Unit)
                    && decode::<pb::Unit>(&shown.body).is_ok_and(|one| UnitId::new(one.institution, one.unit) == unit)
            };
            if !self.with_public(&verified).await?.public().records.iter().any(admits) {
                return Err(ClientError::lie("the entry does not admit the unit"));
            }
        }
        Ok(head)
    }

    /// The block of a receipt, with its public part where it has one.
    pub(crate) async fn with_public(&self, verified: &VerifiedReceipt) -> Result<SignedBlock, ClientError> {
        let Entry::Head(head) = &verified.entry else {
            return Err(ClientError::lie("the entry is no block"));
        };
        let part = if head.has_public() { self.entry(verified.index.next()).await?.0 } else { Vec::new() };
        join(head.clone(), || Ok::<_, EntryError>(part)).map_err(ClientError::lie)
    }

    /// Makes and signs the next block of a unit's chain over records and their effects, under an operation id and,
    /// where others have approved it, with their approvals.
    pub(crate) fn sign_content(
        &self,
        unit: UnitId,
        head: &ChainHead,
        key: &dyn Signer,
        (records, groups): (&[Record], Vec<pb::EffectGroup>),
        (operation_id, approvals): ([u8; 16], Vec<pb::Approval>),
    ) -> Result<Vec<u8>, ClientError> {
        // A head that is more than a day ahead was made under a wrong clock: nothing could be sealed behind it, unless
        // the time was corrected.
        let now = now_s() / 60;
        let earliest = Some(head.created_at_minute).filter(|head| *head <= now + CREATED_WITHIN_MINUTES);
        let draft = BlockDraft {
            origin: self.origin().to_owned(),
            unit,
            height: head.next_height,
            previous: head.previous,
            operation_id,
            created_at_minute: earliest.unwrap_or(0).max(now),
            key_id: KeyId::of(&key.public_key()),
        };
        sign_draft(&draft, key, records, groups, approvals)
    }

    /// Seals a block. An error that is no refusal leaves it open whether it was sealed: send the same bytes again.
    pub async fn submit(&self, request: SubmitBlockRequest) -> Result<Receipt, ClientError> {
        // What is no block the node refuses; it cannot have a receipt.
        let head = BlockEntries::parse(&request.block).map(|entries| entries.head);
        let receipt = self.ledger.clone().submit_block(request).await?.into_inner().receipt;
        let receipt = receipt.ok_or_else(|| ClientError::lie("the receipt is missing"))?;
        if head.as_ref() != Ok(&receipt.entry) {
            return Err(ClientError::lie("the receipt is for another block"));
        }
        self.check_receipt(&receipt).await?;
        Ok(receipt)
    }

    /// Seals blocks as they come, in their order; the answers come in the same order, and are not checked.
    pub(crate) async fn submissions(
        &self,
        blocks: impl Stream<Item = SubmitBlockRequest> + Send + 'static,
    ) -> Result<Streaming<SubmitBlocksResponse>, ClientError> {
        Ok(self.ledger.clone().submit_blocks(blocks).await?.into_inner())
    }

    /// The receipt of a unit's block.
    pub async fn block(&self, unit: UnitId, height: u64) -> Result<Receipt, ClientError> {
        let request = GetBlockRequest { institution: unit.institution.0, unit: unit.number, height };
        let receipt = self.ledger.clone().get_block(request).await?.into_inner().receipt;
        let receipt = receipt.ok_or_else(|| ClientError::lie("the receipt is missing"))?;
        let verified = self.check_receipt(&receipt).await?;
        match &verified.entry {
            Entry::Head(head) => {
                let header = head.header();
                if (header.unit, header.height) == (unit, height) {
                    return Ok(receipt);
                }
                Err(ClientError::lie("the block is one of another place"))
            }
            Entry::Public(_) | Entry::Seal(_) => Err(ClientError::lie("the entry is no block")),
        }
    }

    /// Which of the records would be refused. Writes nothing.
    pub async fn check_records(
        &self,
        unit: UnitId,
        key_id: KeyId,
        records: Vec<CheckedRecord>,
    ) -> Result<Vec<Refusal>, ClientError> {
        Ok(self.check_lines(unit, key_id, records).await?.refusals)
    }

    /// The same, with the positions of the learners whom the institution has not named before.
    pub(crate) async fn check_lines(
        &self,
        unit: UnitId,
        key_id: KeyId,
        records: Vec<CheckedRecord>,
    ) -> Result<CheckRecordsResponse, ClientError> {
        let request = CheckRecordsRequest {
            institution: unit.institution.0,
            unit: unit.number,
            key_id: key_id.0.to_vec(),
            records,
        };
        let request = self.with_access(request)?;
        Ok(self.ledger.clone().check_records(request).await?.into_inner())
    }
}
