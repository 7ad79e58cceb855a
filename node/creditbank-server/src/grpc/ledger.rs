//! `LedgerService`.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;

use creditbank_protocol::block::RECORDS_MAX;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::record::Record;
use creditbank_protocol::{Digest, Place, UnitId};
use creditbank_rpc::refusal::to_status;
use creditbank_rpc::v1 as api;
use creditbank_rpc::v1::ledger_service_server::LedgerService;
use creditbank_rpc::v1::submit_blocks_response::Outcome;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

use super::access::{Caller, anybody};
use super::fields::{bounded, id, limited};
use super::{answers, cheap, expensive, status};
use crate::append::Submission;
use crate::ledger::Ledger;
use crate::read::Issued;
use crate::serve::Peer;

/// Most blocks of one stream that are under way at once.
const STREAM_IN_FLIGHT: usize = 64;
/// Most blocks on one page of issued records.
const ISSUED_BLOCKS_MAX: u32 = 100;
const RECONCILE_HASHES_MAX: usize = 10_000;
const RECONCILE_HEIGHTS_MAX: u64 = 1_000;

pub(super) struct Service(pub(super) Arc<Ledger>);

type Answers = Pin<Box<dyn Stream<Item = Result<api::SubmitBlocksResponse, Status>> + Send>>;

async fn submit(ledger: &Ledger, request: api::SubmitBlockRequest, peer: Peer) -> Outcome {
    match ledger.submit(request, peer).await {
        Ok(receipt) => Outcome::Receipt(receipt),
        Err(error) => Outcome::Refusal(status::of_submit(&error)),
    }
}

/// For `SubmitBlock` and Publish: a refusal is the call's status.
pub(super) async fn submit_one(
    ledger: &Ledger,
    request: Request<api::SubmitBlockRequest>,
) -> Result<Response<api::SubmitBlockResponse>, Status> {
    let peer = Peer::in_extensions(request.extensions());
    match submit(ledger, request.into_inner(), peer).await {
        Outcome::Receipt(receipt) => Ok(Response::new(api::SubmitBlockResponse { receipt: Some(receipt) })),
        Outcome::Refusal(refusal) => Err(to_status(&refusal)),
    }
}

fn issued(record: &Issued) -> api::IssuedRecord {
    api::IssuedRecord {
        place: Some(record.place.into()),
        kind: record.kind.into(),
        record_hash: record.hash.0.to_vec(),
        marks: record.mark_names(),
        mark_entries: record.mark_entries(),
    }
}

#[tonic::async_trait]
impl LedgerService for Service {
    async fn submit_block(
        &self,
        request: Request<api::SubmitBlockRequest>,
    ) -> Result<Response<api::SubmitBlockResponse>, Status> {
        submit_one(&self.0, request).await
    }

    type SubmitBlocksStream = Answers;

    async fn submit_blocks(
        &self,
        request: Request<Streaming<api::SubmitBlockRequest>>,
    ) -> Result<Response<Self::SubmitBlocksStream>, Status> {
        let peer = Peer::in_extensions(request.extensions());
        let mut blocks = request.into_inner();
        let (out, answers) = mpsc::channel::<Result<Submission, Status>>(STREAM_IN_FLIGHT);
        let ledger = Arc::clone(&self.0);
        // Reading stops while this many blocks are under way. HTTP/2's flow control slows the client down.
        tokio::spawn(async move {
            loop {
                // First reserve the place of its answer, so that a block that was read is charged to the queue at once.
                // The transport ends the stream of a client that takes no answer.
                let Ok(slot) = out.reserve().await else { return };
                let next = tokio::select! {
                    biased;
                    // Nobody waits for it any more.
                    () = out.closed() => return,
                    next = blocks.next() => next,
                };
                let block = match next {
                    Some(Ok(block)) => block,
                    // The stream ends here and says why. Blocks that were begun are still sealed and answered.
                    Some(Err(status)) => return slot.send(Err(status)),
                    None => return,
                };
                // The sequencer gets them in the order of the stream.
                slot.send(Ok(ledger.begin(block, peer).await));
            }
        });
        let answers = ReceiverStream::new(answers).then(|begun| async move {
            let outcome = match begun?.finish().await {
                Ok(receipt) => Outcome::Receipt(receipt),
                Err(error) => Outcome::Refusal(status::of_submit(&error)),
            };
            Ok(api::SubmitBlocksResponse { outcome: Some(outcome) })
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_chain_head(
        &self,
        request: Request<api::GetChainHeadRequest>,
    ) -> Result<Response<api::GetChainHeadResponse>, Status> {
        let who = anybody(&request);
        let api::GetChainHeadRequest { institution, unit } = request.into_inner();
        let read = move |ledger: &Ledger| ledger.chain_head(UnitId::new(institution, unit));
        let (next_height, head) = cheap(&self.0, who, read).await?;
        Ok(Response::new(api::GetChainHeadResponse { next_height, head: Some(head) }))
    }

    async fn get_block(
        &self,
        request: Request<api::GetBlockRequest>,
    ) -> Result<Response<api::GetBlockResponse>, Status> {
        let who = anybody(&request);
        let api::GetBlockRequest { institution, unit, height } = request.into_inner();
        let read = move |ledger: &Ledger| ledger.block(UnitId::new(institution, unit), height);
        Ok(Response::new(api::GetBlockResponse { receipt: Some(cheap(&self.0, who, read).await?) }))
    }

    async fn get_record(
        &self,
        request: Request<api::GetRecordRequest>,
    ) -> Result<Response<api::GetRecordResponse>, Status> {
        let caller = Caller::of(&self.0, &request)?;
        let place = Place::read(request.into_inner().place);
        let read = move |ledger: &Ledger| {
            // Check the right before the record: a caller who may not read it must not learn whether it can still be
            // read.
            let issuer = ledger.issuer(place)?;
            caller.may_read(ledger, issuer)?;
            Ok::<_, Status>((issuer, ledger.record(place)?))
        };
        let (issuer, record) = cheap(&self.0, caller, read).await?;
        caller.log("GetRecord", Some(issuer), Some(1));
        let (marks, mark_entries) = (record.mark_names(), record.mark_entries());
        let (disclosed, receipt) = (Some(record.disclosed), Some(record.receipt));
        Ok(Response::new(api::GetRecordResponse { record: disclosed, receipt, marks, mark_entries }))
    }

    async fn list_issued(
        &self,
        request: Request<api::ListIssuedRequest>,
    ) -> Result<Response<api::ListIssuedResponse>, Status> {
        let caller = Caller::of(&self.0, &request)?;
        let api::ListIssuedRequest { institution, unit, from_height, blocks_max } = request.into_inner();
        caller.may_read(&self.0, institution.into())?;
        let blocks_max = limited(blocks_max, ISSUED_BLOCKS_MAX);
        let read = move |ledger: &Ledger| ledger.issued(UnitId::new(institution, unit), from_height, blocks_max);
        let (records, next_height) = expensive(&self.0, caller, read).await?;
        caller.log("ListIssued", Some(institution.into()), Some(records.len()));
        let records = records.iter().map(issued).collect();
        Ok(Response::new(api::ListIssuedResponse { records, next_height }))
    }

    async fn check_records(
        &self,
        request: Request<api::CheckRecordsRequest>,
    ) -> Result<Response<api::CheckRecordsResponse>, Status> {
        let caller = Caller::of(&self.0, &request)?;
        let api::CheckRecordsRequest { institution, unit, key_id, records } = request.into_inner();
        caller.may_read(&self.0, institution.into())?;
        let key_id = id("key_id", "16 bytes", &key_id, KeyId::from_slice)?;
        bounded("records", records.len(), RECORDS_MAX)?;
        let count = records.len();
        let read = move |ledger: &Ledger| check(ledger, UnitId::new(institution, unit), key_id, records);
        let checked = expensive(&self.0, caller, read).await?;
        caller.log("CheckRecords", Some(institution.into()), Some(count));
        Ok(Response::new(checked))
    }

    async fn reconcile(
        &self,
        request: Request<api::ReconcileRequest>,
    ) -> Result<Response<api::ReconcileResponse>, Status> {
        let caller = Caller::of(&self.0, &request)?;
        let api::ReconcileRequest { institution, unit, from_height, until_height, record_hashes } =
            request.into_inner();
        caller.may_read(&self.0, institution.into())?;
        bounded("record_hashes", record_hashes.len(), RECONCILE_HASHES_MAX)?;
        let heights = until_height.saturating_sub(from_height);
        if heights == 0 || heights > RECONCILE_HEIGHTS_MAX {
            return Err(status::invalid("until_height", "1 to 1000 heights after from_height", heights));
        }
        let blocks = u32::try_from(heights).unwrap_or(u32::MAX);
        let read = move |ledger: &Ledger| ledger.issued(UnitId::new(institution, unit), from_height, blocks);
        let (records, _) = expensive(&self.0, caller, read).await?;
        caller.log("Reconcile", Some(institution.into()), Some(records.len()));
        let mut asked: BTreeSet<Digest> = record_hashes.iter().filter_map(|hash| Digest::from_slice(hash)).collect();
        let (held, unlisted): (Vec<_>, Vec<_>) = records.iter().partition(|record| asked.remove(&record.hash));
        Ok(Response::new(api::ReconcileResponse {
            held: held.into_iter().map(issued).collect(),
            missing: asked.into_iter().map(|hash| hash.0.to_vec()).collect(),
            unlisted: unlisted.into_iter().map(issued).collect(),
        }))
    }

    async fn list_consequences(
        &self,
        request: Request<api::ListConsequencesRequest>,
    ) -> Result<Response<api::ListConsequencesResponse>, Status> {
        let caller = Caller::of(&self.0, &request)?;
        let api::ListConsequencesRequest { places, revoke, reinstate } = request.into_inner();
        bounded("places", places.len(), RECORDS_MAX)?;
        let count = places.len();
        let read = move |ledger: &Ledger| {
            let places: Vec<Place> = places.into_iter().map(Place::from).collect();
            for place in &places {
                caller.may_read(ledger, ledger.issuer(*place)?)?;
            }
            let found = if reinstate { ledger.reinstating(&places) } else { ledger.consequences(&places, revoke) };
            Ok::<_, Status>(found?)
        };
        let found = expensive(&self.0, caller, read).await?;
        caller.log("ListConsequences", None, Some(count));
        Ok(Response::new(answers::consequences(found)))
    }
}

/// Which records would be refused, and which of their learners the institution has not named before. A record whose
/// learner is named by identities gets the alias to which they would lead.
fn check(
    ledger: &Ledger,
    unit: UnitId,
    key_id: KeyId,
    records: Vec<api::CheckedRecord>,
) -> Result<api::CheckRecordsResponse, Status> {
    let mut refusals = Vec::new();
    let mut new_learners = Vec::new();
    let mut checked = Vec::new();
    let mut positions = Vec::new();
    let mut newcomers = BTreeSet::new();
    for (position, api::CheckedRecord { record, identities }) in (0u32..).zip(records) {
        let api::RecordBody { kind, version, body, seed } = record.unwrap_or_default();
        let mut body: Vec<u8> = body.into();
        if !identities.is_empty() {
            let learner = ledger.asked_about(unit.institution, refusals.len() + checked.len(), identities)?;
            // The learner is field 1 of every kind, so its bytes come first.
            body = [&[0x0a, 16][..], learner.alias.as_bytes(), &body].concat();
            newcomers.insert(learner.account);
            if learner.is_new {
                new_learners.push(position);
            }
        }
        match Record::new(kind, version, &seed, body) {
            Ok(record) => {
                checked.push(record);
                positions.push(position);
            }
            Err(error) => {
                refusals.push(status::of_submit(&crate::append::SubmitError::Record { record: position, error }));
            }
        }
    }
    let rejections = ledger.check(unit, key_id, &checked, newcomers)?;
    for mut rejection in rejections {
        let index = rejection.record.and_then(|at| usize::try_from(at).ok());
        rejection.record = index.and_then(|at| positions.get(at)).copied();
        refusals.push(status::of_rule(&rejection));
    }
    Ok(api::CheckRecordsResponse { refusals, new_learners })
}
