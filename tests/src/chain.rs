//! A unit's chain from the issuer's side: blocks that build on its head.

use std::time::{SystemTime, UNIX_EPOCH};

use creditbank_client::{ChainHead, Client};
use creditbank_protocol::UnitId;
use creditbank_protocol::block::{BlockDraft, SignedBlock};
use creditbank_protocol::key::{KeyId, sign};
use creditbank_protocol::pb::{self, EffectGroup, Kind, Receipt};
use creditbank_protocol::record::{Record, info_of};
use creditbank_rpc::block_request;
use creditbank_rpc::v1::{RecordBody, SubmitBlockRequest};

use crate::University;
use crate::node::ORIGIN;

/// What the next block of a unit builds on.
#[derive(Debug, Clone, Copy)]
pub struct Chain {
    /// The head.
    pub head: ChainHead,
}

/// Seconds since 1970.
#[allow(clippy::disallowed_methods)] // The issuer's own clock.
pub fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    now_s() * 1_000
}

/// Records as they travel beside a block, which shows the public ones itself.
pub fn bodies(records: &[Record]) -> Vec<RecordBody> {
    let hidden = |record: &&Record| info_of(record.kind()).is_some_and(|info| !info.public);
    records.iter().filter(hidden).map(RecordBody::from).collect()
}

impl Chain {
    /// Asks the node for the head.
    pub async fn of(client: &Client, university: &University) -> Self {
        Self { head: client.chain_head(UnitId::new(university.institution, university.unit)).await.expect("a head") }
    }

    /// The draft of the next block.
    pub fn draft(&self, university: &University) -> BlockDraft {
        BlockDraft {
            origin: ORIGIN.to_owned(),
            unit: UnitId::new(university.institution, university.unit),
            height: self.head.next_height,
            previous: self.head.previous,
            operation_id: [7; 16],
            created_at_minute: now_s() / 60,
            key_id: KeyId::of(&university.key.public_key()),
        }
    }

    /// The next block, ready to be sent.
    pub fn block(&self, university: &University, records: &[Record], groups: Vec<EffectGroup>) -> SubmitBlockRequest {
        signed(&self.draft(university), university, records, groups)
    }

    /// Moves on to behind a block.
    pub fn advance(&mut self, request: &SubmitBlockRequest) {
        let block = SignedBlock::parse(&request.block).expect("a block");
        self.head.next_height += 1;
        self.head.previous = block.header().id();
    }

    /// Seals records as the next block.
    pub async fn issue(&mut self, client: &Client, university: &University, records: &[Record]) -> Receipt {
        let request = self.block(university, records, Vec::new());
        let receipt = client.submit(request.clone()).await.expect("the block is sealed");
        self.advance(&request);
        receipt
    }
}

/// A draft signed by a university's key; what is late also by its approver's.
pub fn signed(
    draft: &BlockDraft,
    university: &University,
    records: &[Record],
    groups: Vec<EffectGroup>,
) -> SubmitBlockRequest {
    let signed = |approval| {
        draft.sign(records, groups.clone(), approval, |message| sign(&university.key.key, message)).expect("a block")
    };
    let block = signed(None);
    let header = SignedBlock::parse(&block).expect("a block");
    let approval = records.iter().any(is_late).then(|| university.approval(header.header()));
    block_request(approval.map_or(block, |approval| signed(Some(approval))), records, &groups)
}

/// Whether a record says that it is late, so that another person has to approve it.
fn is_late(record: &Record) -> bool {
    match record.kind() {
        Kind::Conversion => record.read::<pb::Conversion>().is_ok_and(|read| read.late.is_some()),
        Kind::Decision => record.read::<pb::Decision>().is_ok_and(|read| read.late.is_some()),
        Kind::Award => record.read::<pb::Award>().is_ok_and(|read| read.late.is_some()),
        Kind::QualificationRecognition => {
            record.read::<pb::QualificationRecognition>().is_ok_and(|read| read.late.is_some())
        }
        _ => false,
    }
}
