//! `RecognitionService`.

use std::sync::Arc;

use creditbank_ledger::read::ConversionRequest;
use creditbank_protocol::{Alias, InstitutionId, Part, Place, Portion, pb};
use creditbank_rpc::v1 as api;
use creditbank_rpc::v1::recognition_service_server::RecognitionService;
use creditbank_rules::conversion::Stated;
use tonic::{Request, Response, Status};

use super::access::Caller;
use super::fields::{bounded, id};
use super::{SHOWN_MAX, answers, expensive};
use crate::ledger::Ledger;

/// Most sources of a conversion.
const SOURCES_MAX: usize = 256;

/// What a receiver states of one result.
fn stated_result(one: api::StatedResult) -> Stated {
    let (mode, basis) = (one.mode(), one.basis());
    let api::StatedResult { source, level, grade, override_reason, course, amount, field, period, .. } = one;
    Stated { source, level, grade, override_reason, course, amount, field, mode, period, basis }
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
            declared,
            decision,
        } = request.into_inner();
        let institution = InstitutionId(institution);
        caller.may_read(&self.0, institution)?;
        let alias = id("alias", "16 bytes", &alias, Alias::from_slice)?;
        bounded("sources", sources.len(), SOURCES_MAX)?;
        bounded("stated", stated.len(), SOURCES_MAX)?;
        bounded("shown", shown.len(), SHOWN_MAX)?;
        let portion =
            |one: &api::PreviewSource| Portion { place: Place::read(one.place), part: Part::read(one.result_plus_1) };
        let sources = sources.iter().map(portion).collect();
        let stated = stated.into_iter().map(stated_result).collect();
        let conversion =
            pb::Conversion { agreement, equivalence, assessment, decided, declared, decision, ..Default::default() };
        let scope = caller.scope(shown);
        let read = move |ledger: &Ledger| {
            let account = ledger.account(institution, &alias)?;
            let request = ConversionRequest { conversion, sources, stated };
            ledger.preview(institution, (&account, &alias), request, &scope).and_then(answers::preview)
        };
        let answer = expensive(&self.0, caller, read).await?;
        caller.log("PreviewConversion", Some(institution), None);
        Ok(Response::new(answer))
    }

    async fn list_applications(
        &self,
        request: Request<api::ListApplicationsRequest>,
    ) -> Result<Response<api::ListApplicationsResponse>, Status> {
        let caller = Caller::of(&self.0, &request)?;
        let api::ListApplicationsRequest { institution, overdue } = request.into_inner();
        let institution = InstitutionId(institution);
        caller.may_read(&self.0, institution)?;
        let read = move |ledger: &Ledger| ledger.applications(institution, overdue);
        let applications = expensive(&self.0, caller, read).await?;
        caller.log("ListApplications", Some(institution), Some(applications.len()));
        let applications = applications.into_iter().map(answers::application).collect();
        Ok(Response::new(api::ListApplicationsResponse { applications }))
    }

    async fn list_reviews(
        &self,
        request: Request<api::ListReviewsRequest>,
    ) -> Result<Response<api::ListReviewsResponse>, Status> {
        let caller = Caller::of(&self.0, &request)?;
        let api::ListReviewsRequest { institution } = request.into_inner();
        let institution = InstitutionId(institution);
        caller.may_read(&self.0, institution)?;
        let read = move |ledger: &Ledger| ledger.reviews(institution);
        let reviews = expensive(&self.0, caller, read).await?;
        caller.log("ListReviews", Some(institution), Some(reviews.len()));
        let reviews = reviews.into_iter().map(answers::review).collect();
        Ok(Response::new(api::ListReviewsResponse { reviews }))
    }
}
