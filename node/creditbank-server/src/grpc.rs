//! The services over a ledger: decode, call, encode. `status` maps errors to gRPC codes, `access` decides who may read.

pub(crate) mod access;
mod answers;
pub(crate) mod bound;
mod fields;
mod learner;
mod ledger;
mod log;
mod recognition;
mod registry;
mod status;

use std::sync::Arc;

use creditbank_rpc::v1::learner_service_server::LearnerServiceServer;
use creditbank_rpc::v1::ledger_service_server::LedgerServiceServer;
use creditbank_rpc::v1::log_service_server::LogServiceServer;
use creditbank_rpc::v1::recognition_service_server::RecognitionServiceServer;
use creditbank_rpc::v1::registry_service_server::RegistryServiceServer;
use tonic::Status;
use tonic::service::{Routes, RoutesBuilder};

use crate::ledger::Ledger;
use crate::work::{Asked, Pool, Refused, Who};
pub(crate) use status::busy;
pub use status::of_submit as refusal_of;

/// Most bytes of a request: a block and 1,024 records.
pub(crate) const REQUEST_LEN_MAX: usize = 32 << 20;
/// Most records that a call may show.
const SHOWN_MAX: usize = 1_024;
/// Most bytes of an answer: a transcript.
const RESPONSE_LEN_MAX: usize = 80 << 20;

/// All services of a node, with health and reflection.
pub async fn routes(ledger: Arc<Ledger>) -> Result<Routes, tonic_reflection::server::Error> {
    let ledger_service = LedgerServiceServer::new(ledger::Service(Arc::clone(&ledger)))
        .max_decoding_message_size(REQUEST_LEN_MAX)
        .max_encoding_message_size(RESPONSE_LEN_MAX);
    let registry_service = RegistryServiceServer::new(registry::Service(Arc::clone(&ledger)))
        .max_decoding_message_size(REQUEST_LEN_MAX)
        .max_encoding_message_size(RESPONSE_LEN_MAX);
    let learner_service =
        LearnerServiceServer::new(learner::Service(Arc::clone(&ledger))).max_encoding_message_size(RESPONSE_LEN_MAX);
    let recognition_service = RecognitionServiceServer::new(recognition::Service(Arc::clone(&ledger)));
    let log_service = LogServiceServer::new(log::Service(ledger)).max_encoding_message_size(RESPONSE_LEN_MAX);
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<LedgerServiceServer<ledger::Service>>().await;
    reporter.set_serving::<LogServiceServer<log::Service>>().await;
    reporter.set_serving::<RegistryServiceServer<registry::Service>>().await;
    reporter.set_serving::<LearnerServiceServer<learner::Service>>().await;
    reporter.set_serving::<RecognitionServiceServer<recognition::Service>>().await;
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(creditbank_rpc::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let mut routes = RoutesBuilder::default();
    routes
        .add_service(ledger_service)
        .add_service(log_service)
        .add_service(registry_service)
        .add_service(learner_service)
        .add_service(recognition_service)
        .add_service(health)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);
    Ok(routes.routes())
}

/// Reads a few rows, when it is the caller's turn.
async fn cheap<T: Send + 'static, E: Into<Status>>(
    ledger: &Arc<Ledger>,
    who: impl Into<Who>,
    read: impl FnOnce(&Ledger) -> Result<T, E> + Send + 'static,
) -> Result<T, Status> {
    in_pool(ledger, &ledger.work().cheap, who.into(), read).await
}

/// Goes through many records, or searches, when it is the caller's turn. It counts against the institution's quota.
async fn expensive<T: Send + 'static, E: Into<Status>>(
    ledger: &Arc<Ledger>,
    who: impl Into<Who>,
    read: impl FnOnce(&Ledger) -> Result<T, E> + Send + 'static,
) -> Result<T, Status> {
    let who = who.into();
    if let Who::Institution(institution) = who {
        ledger.take_quota(institution, Asked::Calls, 1)?;
    }
    in_pool(ledger, &ledger.work().expensive, who, read).await
}

/// Dropping the future tells the call to stop: its caller has gone or its deadline has passed.
async fn in_pool<T: Send + 'static, E: Into<Status>>(
    ledger: &Arc<Ledger>,
    pool: &Pool,
    who: Who,
    read: impl FnOnce(&Ledger) -> Result<T, E> + Send + 'static,
) -> Result<T, Status> {
    let token = ledger.work().token();
    let own = ledger.read_by(token.clone());
    let read = move || match read(&own) {
        // The work found that it must stop. Either nobody hears of it, or the node stops. This is not a failure.
        Err(_) if own.is_stopped() => Err(Refused::Stopping.into()),
        found => found.inspect_err(|_| own.check_health()).map_err(Into::into),
    };
    pool.run(who, token, read).await?
}
