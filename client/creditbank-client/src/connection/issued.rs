//! What a unit has issued, proved complete: the record hashes of every block of its chain.

use std::collections::BTreeMap;

use creditbank_protocol::entry::Entry;
use creditbank_protocol::merkle::records_root;
use creditbank_protocol::pb::Kind;
use creditbank_protocol::record::Record;
use creditbank_protocol::{Digest, LogIndex, Place, UnitId};
use creditbank_rpc::Reason;
use creditbank_rpc::v1::{GetRecordRequest, IssuedRecord, ListIssuedRequest};
use tokio::task::JoinSet;

use super::Client;
use crate::ClientError;

/// Blocks that are asked for at once.
const PAGE: u32 = 100;
/// Records that are asked for at once.
const IN_FLIGHT: usize = 32;

/// A block of a unit with all its records.
#[derive(Debug, Clone)]
pub struct IssuedBlock {
    /// Position in the chain.
    pub height: u64,
    /// Index in the log.
    pub entry: LogIndex,
    /// Leaf hash of the entry.
    pub leaf: Digest,
    /// The records in order.
    pub records: Vec<IssuedItem>,
}

/// A record of a block.
#[derive(Debug, Clone)]
pub struct IssuedItem {
    /// Where it stands.
    pub place: Place,
    /// Its hash, proved by the block's signed root.
    pub hash: Digest,
    /// What it is, as the node says; nothing where the learner's key was destroyed.
    pub kind: Option<Kind>,
    /// The marks against it: the node's word.
    pub marks: Vec<String>,
}

impl Client {
    /// Walks a unit's chain from its first block to its head. The list is complete: every header is signed by the unit,
    /// names the one before it, and its root is the root of exactly the hashes that `each` is given.
    pub async fn walk_issued(
        &self,
        unit: UnitId,
        mut each: impl FnMut(IssuedBlock) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        let head = self.chain_head(unit).await?;
        let mut previous: Option<Digest> = None;
        let mut page: BTreeMap<LogIndex, Vec<IssuedRecord>> = BTreeMap::new();
        let mut listed = 0;
        for height in 0..head.next_height {
            if height == listed {
                page = self.page(unit, height).await?;
                listed = height + u64::from(PAGE);
            }
            let receipt = self.block(unit, height).await?;
            let verified = self.check_receipt(&receipt).await?;
            let Entry::Head(block) = &verified.entry else {
                return Err(ClientError::lie("the entry is no block"));
            };
            let header = block.header();
            block.verify(&self.public_key(header.key_id).await?).map_err(ClientError::lie)?;
            if previous.is_some_and(|previous| previous != header.previous) {
                return Err(ClientError::lie(format!("block {height} does not build on the one before it")));
            }
            previous = Some(header.id());
            let found = page.remove(&verified.index).unwrap_or_default();
            let records = items(verified.index, found)?;
            let hashes: Vec<Digest> = records.iter().map(|record| record.hash).collect();
            if records.len() as u64 != u64::from(header.count) || records_root(&hashes) != header.records_root {
                return Err(ClientError::lie(format!("the records listed for block {height} are not its records")));
            }
            each(IssuedBlock { height, entry: verified.index, leaf: verified.leaf, records })?;
        }
        match previous {
            Some(last) if last != head.previous => Err(ClientError::lie("the chain does not end at its head")),
            _ => Ok(()),
        }
    }

    /// The records of the blocks from a height on, by their entry.
    async fn page(&self, unit: UnitId, from_height: u64) -> Result<BTreeMap<LogIndex, Vec<IssuedRecord>>, ClientError> {
        let request = self.with_access(ListIssuedRequest {
            institution: unit.institution.0,
            unit: unit.number,
            from_height,
            blocks_max: PAGE,
        })?;
        let answer = self.ledger.clone().list_issued(request).await?.into_inner();
        let mut blocks: BTreeMap<LogIndex, Vec<IssuedRecord>> = BTreeMap::new();
        for record in answer.records {
            blocks.entry(Place::read(record.place).entry).or_default().push(record);
        }
        Ok(blocks)
    }

    /// Reads the records of these places and hashes, in any order; those of learners whose key was destroyed are left out.
    pub(crate) async fn read_bodies(&self, wanted: &[(Place, Digest)]) -> Result<Vec<(Place, Record)>, ClientError> {
        let mut reads = JoinSet::new();
        let mut read = Vec::with_capacity(wanted.len());
        let mut wanted = wanted.iter();
        loop {
            while reads.len() < IN_FLIGHT {
                let Some((place, hash)) = wanted.next().copied() else { break };
                let request = self.with_access(GetRecordRequest { place: Some(place.into()) })?;
                let mut ledger = self.ledger.clone();
                reads.spawn(async move { (place, hash, ledger.get_record(request).await) });
            }
            let Some(done) = reads.join_next().await else {
                return Ok(read);
            };
            let (place, hash, answer) = done.map_err(|error| ClientError::Local(error.to_string()))?;
            let answer = match answer.map_err(ClientError::from) {
                Err(ClientError::Refused(refusal)) if refusal.why() == Reason::NotFound => continue,
                answer => answer?.into_inner(),
            };
            let record = answer.record.ok_or_else(|| ClientError::lie("the record is missing"))?;
            let kind = u32::try_from(record.kind).unwrap_or(0);
            let record = Record::new(kind, record.version, &record.seed, record.body).map_err(ClientError::lie)?;
            // The hash is proved to stand at the place, so nothing else can be there.
            if record.hash() != hash {
                return Err(ClientError::lie("the record is another one"));
            }
            read.push((place, record));
        }
    }
}

/// The records of one block, at positions from 0 on without a gap.
fn items(entry: LogIndex, records: Vec<IssuedRecord>) -> Result<Vec<IssuedItem>, ClientError> {
    let item = |(index, record): (u32, IssuedRecord)| {
        let kind = Some(record.kind()).filter(|kind| *kind != Kind::Unspecified);
        let IssuedRecord { place, kind: _, record_hash, marks, mark_entries: _ } = record;
        let place = Place::read(place);
        let hash = Digest::from_slice(&record_hash).filter(|_| place == Place::new(entry, index));
        let hash = hash.ok_or_else(|| ClientError::lie("a listed record is not at its place"))?;
        Ok(IssuedItem { place, hash, kind, marks })
    };
    (0u32..).zip(records).map(item).collect()
}
