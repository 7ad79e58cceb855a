//! `RecognitionService`.

use std::sync::Arc;

use creditbank_protocol::{Alias, pb};
use creditbank_rpc::v1 as api;
use creditbank_rpc::v1::recognition_service_server::RecognitionService;
use tonic::{Request, Response, Status};

use super::access::Caller;
use super::{blocking, status};
use crate::ledger::Ledger;
use crate::read::{ConversionRequest, Preview, SHOWN_MAX};

/// Most sources of a conversion.
const SOURCES_MAX: usize = 256;

/// Refuses a list that is too long.
pub(super) fn bounded(field: &'static str, found: usize, most: usize) -> Result<(), Status> {
    if found <= most { Ok(()) } else { Err(status::invalid(field, &format!("at most {most}"), found)) }
}

pub(super) struct Service(pub(super) Arc<Ledger>);

#[tonic::async_trait]
impl RecognitionService for Service {
    async fn preview_conversion(
        &self,
        request: Request<api::PreviewConversionRequest>,
    ) -> Result<Response<api::PreviewConversionResponse>, Status> {
        let caller = Caller::of(&self.0, &request)?;
        let api::PreviewConversionRequest {
            institution,
            alias,
            agreement,
            equivalence,
            assessment,
            sources,
            shown,
            stated,
            decided,
        } = request.into_inner();
        caller.may_read(&self.0, institution)?;
        let bytes = alias.len();
        let alias = Alias::from_slice(&alias).ok_or_else(|| status::invalid("alias", "16 bytes", bytes))?;
        bounded("sources", sources.len(), SOURCES_MAX)?;
        bounded("stated", stated.len(), SOURCES_MAX)?;
        bounded("shown", shown.len(), SHOWN_MAX)?;
        let sources = sources.iter().map(|one| (one.place.unwrap_or_default(), one.result_plus_1)).collect();
        let conversion = pb::Conversion { agreement, equivalence, assessment, decided, ..Default::default() };
        let scope = caller.scope(shown);
        let read = move |ledger: &Ledger| {
            let account = ledger.account(institution, &alias)?;
            let request = ConversionRequest { conversion, sources, stated };
            ledger.preview(institution, &account, &alias, request, &scope)
        };
        let Preview { conversion, explanation, exclusive } = blocking(&self.0, read).await?;
        tracing::info!(?caller, "conversion preview");
        Ok(Response::new(api::PreviewConversionResponse { conversion, explanation, exclusive }))
    }

    async fn list_applications(
        &self,
        request: Request<api::ListApplicationsRequest>,
    ) -> Result<Response<api::ListApplicationsResponse>, Status> {
        let caller = Caller::of(&self.0, &request)?;
        let api::ListApplicationsRequest { institution, overdue } = request.into_inner();
        caller.may_read(&self.0, institution)?;
        let read = move |ledger: &Ledger| ledger.applications(institution, overdue);
        let applications = blocking(&self.0, read).await?;
        tracing::info!(?caller, applications = applications.len(), "read");
        Ok(Response::new(api::ListApplicationsResponse { applications }))
    }

    async fn list_reviews(
        &self,
        request: Request<api::ListReviewsRequest>,
    ) -> Result<Response<api::ListReviewsResponse>, Status> {
        let caller = Caller::of(&self.0, &request)?;
        let api::ListReviewsRequest { institution } = request.into_inner();
        caller.may_read(&self.0, institution)?;
        let read = move |ledger: &Ledger| ledger.reviews(institution);
        Ok(Response::new(api::ListReviewsResponse { reviews: blocking(&self.0, read).await? }))
    }
}
