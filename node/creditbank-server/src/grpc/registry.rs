//! `RegistryService`.

use std::sync::Arc;

use creditbank_protocol::Digest;
use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb::Kind;
use creditbank_rpc::v1 as api;
use creditbank_rpc::v1::registry_service_server::RegistryService;
use tonic::{Request, Response, Status};

use super::access::anybody;
use super::fields::{id, limited};
use super::ledger::submit_one;
use super::{cheap, status};
use crate::ledger::Ledger;
use crate::read::{ProvedHead, ProvedRegistryEntry};

const LIST_MAX: usize = 200;

pub(super) struct Service(pub(super) Arc<Ledger>);

fn listed(proved: ProvedRegistryEntry) -> api::ListedEntry {
    let ProvedRegistryEntry { entry, proof } = proved;
    api::ListedEntry { entry, proof: Some(proof) }
}

fn head(proved: ProvedHead) -> api::RegistryProofHead {
    let ProvedHead { seal, checkpoint } = proved;
    api::RegistryProofHead { seal: Some(seal), checkpoint }
}

#[tonic::async_trait]
impl RegistryService for Service {
    async fn publish(
        &self,
        request: Request<api::SubmitBlockRequest>,
    ) -> Result<Response<api::SubmitBlockResponse>, Status> {
        submit_one(&self.0, request).await
    }

    async fn get_registry_entry(
        &self,
        request: Request<api::GetRegistryEntryRequest>,
    ) -> Result<Response<api::GetRegistryEntryResponse>, Status> {
        let who = anybody(&request);
        let api::GetRegistryEntryRequest { registry_key } = request.into_inner();
        let key = id("registry_key", "32 bytes", &registry_key, Digest::from_slice)?;
        let read = move |ledger: &Ledger| ledger.registry_entry(&key);
        let (entry, proved) = cheap(&self.0, who, read).await?;
        Ok(Response::new(api::GetRegistryEntryResponse { listed: Some(listed(entry)), head: Some(head(proved)) }))
    }

    async fn list_registry(
        &self,
        request: Request<api::ListRegistryRequest>,
    ) -> Result<Response<api::ListRegistryResponse>, Status> {
        let who = anybody(&request);
        let api::ListRegistryRequest { kind, institution_plus_1, offset, limit } = request.into_inner();
        let kind = Kind::try_from(kind).map_err(|_| status::invalid("kind", "a registry kind", kind))?;
        let institution = institution_plus_1.checked_sub(1).map(InstitutionId);
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let limit = limited(usize::try_from(limit).unwrap_or(LIST_MAX), LIST_MAX);
        let read = move |ledger: &Ledger| ledger.registry_list(kind, institution, offset, limit);
        let (entries, proved, total) = cheap(&self.0, who, read).await?;
        Ok(Response::new(api::ListRegistryResponse {
            entries: entries.into_iter().map(listed).collect(),
            head: Some(head(proved)),
            total: total as u64,
        }))
    }
}
