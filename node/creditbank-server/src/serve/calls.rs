//! What stands between a connection and the services: the rooms that a call is held to, its deadline, its measures.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;

use hyper::body::Incoming;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tonic::service::Routes;
use tonic::{Code, Status};
use tower::ServiceExt as _;

use super::answer::{Answer, Held, Outcome};
use super::connection::{Connection, STREAM_WINDOW};
use super::deadline;
use super::method::{Class, Method};
use super::room::{Charge, Full, Part};
use super::stream::Stream;
use crate::grpc::bound::{Bounded, Received};
use crate::grpc::busy;

/// What a call takes up beside its bytes: its task, the buffers of its decoder and encoder, its place in the transport.
const CALL: usize = 16 << 10;
/// Room that a call with a large answer, or with many, must find before it works.
const LARGE_ANSWER: usize = 256 << 10;
const SMALL_ANSWER: usize = 4 << 10;
/// Receipts of a stream of blocks that wait for their turn.
const RECEIPTS: usize = 64 << 10;

/// The services, as one connection calls them.
#[derive(Clone)]
pub(super) struct Calls {
    pub(super) routes: Routes,
    pub(super) connection: Arc<Connection>,
}

/// Bytes of the headers of a call.
fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

impl Calls {
    /// What a call must find room for before anything of it is read.
    fn room_for(&self, method: Method, headers: &HeaderMap) -> Result<(Charge, Held), (Full, &'static str)> {
        let Self { connection, .. } = self;
        let call = CALL + header_bytes(headers);
        let no_room = |reason| move |full| (full, reason);
        if method.class == Class::Inquiry {
            let request = connection.inquiries.take(call, Part::Whole).map_err(no_room("inquiries"))?;
            // Its answers are small, and a connection has a bound on its calls.
            return Ok((request, Held { answer: connection.answers.charge(), _stream: None }));
        }
        let stream = matches!(method.class, Class::Blocks | Class::Entries);
        let stream = stream.then(|| connection.streams.take(1, Part::Whole)).transpose().map_err(no_room("streams"))?;
        // What a client may send on it unread is charged at once.
        let unread = if method.class == Class::Blocks { usize::try_from(STREAM_WINDOW).unwrap_or(0) } else { 0 };
        let request = connection.requests.take(call + unread, Part::Whole).map_err(no_room("requests"))?;
        let (answer, part) = match method.class {
            Class::Large | Class::Entries => (LARGE_ANSWER, Part::BeforeReserve),
            Class::Blocks => (RECEIPTS, Part::Whole),
            Class::Small | Class::Inquiry => (SMALL_ANSWER, Part::Whole),
        };
        let answer = connection.answers.take(answer, part).map_err(no_room("answers"))?;
        Ok((request, Held { answer, _stream: stream }))
    }

    async fn answer(self, mut request: Request<Incoming>) -> Response<Answer> {
        let (begun, method) = (Instant::now(), Method::of(request.uri().path()));
        let under_way = self.connection.call();
        let outcome = Outcome::new(Arc::clone(&self.connection), under_way, method, begun);
        let stream = Stream::current();
        let (charge, held) = match self.room_for(method, request.headers()) {
            Ok(held) => held,
            Err((Full, reason)) => {
                self.connection.measures().refused_call(reason);
                return refused(&busy(), outcome);
            }
        };
        let deadline = begun + deadline::of(request.headers());
        request.extensions_mut().insert(self.connection.peer());
        let wait = self.connection.patience().message;
        let received = Received::new(charge);
        let streams = matches!(method.class, Class::Blocks | Class::Inquiry);
        let bounded = |incoming| Bounded::new(Body::new(incoming), received.clone(), streams, wait);
        let request = request.map(|incoming| Body::new(bounded(incoming)));
        match tokio::time::timeout_at(deadline, self.routes.oneshot(request)).await {
            Ok(Ok(response)) => {
                with_code(response.map(|body| Answer::new(body, method.streams(), held, received, stream, outcome)))
            }
            Ok(Err(never)) => match never {},
            Err(_) => refused(&Status::deadline_exceeded("the call has taken too long"), outcome),
        }
    }
}

/// An answer that is a status alone.
fn refused(status: &Status, mut outcome: Outcome) -> Response<Answer> {
    outcome.code(status.code());
    status.clone().into_http().map(|body: Body| Answer::status(body, outcome))
}

/// Notes the code of an answer that has no body.
fn with_code(mut response: Response<Answer>) -> Response<Answer> {
    let code = response.headers().get("grpc-status").map(|code| Code::from_bytes(code.as_bytes()));
    if let Some(code) = code {
        response.body_mut().code(code);
    }
    response
}

impl hyper::service::Service<Request<Incoming>> for Calls {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Answer>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let calls = self.clone();
        Box::pin(async move { Ok(calls.answer(request).await) })
    }
}
