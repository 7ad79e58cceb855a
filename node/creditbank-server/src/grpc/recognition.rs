//! `RecognitionService`.

use std::sync::Arc;

use creditbank_rpc::v1 as api;
use creditbank_rpc::v1::recognition_service_server::RecognitionService;
use tonic::{Request, Response, Status};

use super::access::Caller;
use super::{blocking, status};
use crate::ledger::Ledger;

pub(super) struct Service(pub(super) Arc<Ledger>);

#[tonic::async_trait]
impl RecognitionService for Service {
    async fn preview_conversion(
        &self,
        request: Request<api::PreviewConversionRequest>,
    ) -> Result<Response<api::PreviewConversionResponse>, Status> {
        let _ = request;
        Err(Status::unimplemented("soon"))
    }

    async fn list_applications(
        &self,
        request: Request<api::ListApplicationsRequest>,
    ) -> Result<Response<api::ListApplicationsResponse>, Status> {
        let caller = Caller::of(&self.0, &request)?;
        let api::ListApplicationsRequest { institution, overdue } = request.into_inner();
        caller.may_read(&self.0, institution)?;
        let read =
            move |ledger: &Ledger| ledger.applications(institution, overdue).map_err(|error| status::of_read(&error));
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
        let read = move |ledger: &Ledger| ledger.reviews(institution).map_err(|error| status::of_read(&error));
        Ok(Response::new(api::ListReviewsResponse { reviews: blocking(&self.0, read).await? }))
    }
}
