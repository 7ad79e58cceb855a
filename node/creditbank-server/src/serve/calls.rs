//! The layer between a connection and the services: it charges a call to the rooms, sets its deadline and counts it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tonic::service::Routes;
use tonic::{Code, Status};
use tower::ServiceExt as _;

use super::answer::{Answer, Call, Held, Outcome};
use super::connection::{Connection, STREAM_WINDOW};
use super::deadline;
use super::method::{Class, Method};
use super::room::{Charge, Full, Part};
use super::settings::Patience;
use super::stream::{End, Stream};
use crate::grpc::access::Caller;
use crate::grpc::bound::{Bounded, Bounds, Received};
use crate::grpc::busy;
use crate::ledger::Ledger;

/// Bytes charged for each call in addition to its data: its task, the buffers of its decoder and encoder, its place in
/// the transport.
const CALL: usize = 16 << 10;
/// Bytes charged for each header in addition to its text.
const HEADER: usize = 160;
/// What a call with a large answer, or with several, must reserve before it works.
const LARGE_ANSWER: usize = 256 << 10;
const SMALL_ANSWER: usize = 4 << 10;
/// The same, for the receipts of a stream of blocks that wait to be sent.
const RECEIPTS: usize = 64 << 10;

/// How often a call retries while others are about to free room.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// The services of a ledger.
#[derive(Clone)]
pub(super) struct Services {
    pub(super) ledger: Arc<Ledger>,
    pub(super) routes: Routes,
}

/// The services, as one connection calls them.
#[derive(Clone)]
pub(super) struct Calls {
    pub(super) services: Services,
    pub(super) connection: Arc<Connection>,
}

/// Bytes of the headers of a call.
fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + HEADER).sum()
}

/// The room that a call has found.
struct Found {
    /// For the call itself.
    call: Charge,
    /// For what comes of its request.
    request: Charge,
    held: Held,
}

impl Calls {
    /// Reserves what the call needs before anything of it is read.
    fn room_for(
        &self,
        stream: &Arc<Stream>,
        method: Method,
        headers: &HeaderMap,
    ) -> Result<Found, (Full, &'static str)> {
        let Self { connection, .. } = self;
        let call = CALL + header_bytes(headers);
        let no_room = |reason| move |full| (full, reason);
        let (room, reason, part) = match method.class {
            Class::Health => (&connection.inquiries, "inquiries", Part::Whole),
            Class::Watch | Class::Reflection => (&connection.inquiries, "inquiries", Part::BeforeReserve),
            _ => (&connection.requests, "requests", Part::Whole),
        };
        let call = room.take(stream, call, part).map_err(no_room(reason))?;
        let mut request = room.charge(stream);
        let unread = matches!(method.class, Class::Blocks | Class::Reflection);
        if unread {
            // The client may send this much before the node has read it.
            let window = usize::try_from(STREAM_WINDOW).unwrap_or(usize::MAX);
            request.grow(window, Part::BeforeReserve).map_err(no_room(reason))?;
        }
        let streams = matches!(method.class, Class::Blocks | Class::Entries);
        let place = streams.then(|| connection.streams.take(stream, 1, Part::Whole));
        let place = place.transpose().map_err(no_room("streams"))?;
        let (answer, part) = match method.class {
            Class::Large | Class::Entries => (LARGE_ANSWER, Part::BeforeReserve),
            Class::Blocks => (RECEIPTS, Part::Whole),
            Class::Small => (SMALL_ANSWER, Part::Whole),
            // These answers are small, and the number of calls of a connection is limited.
            Class::Health | Class::Watch | Class::Reflection => (0, Part::Whole),
        };
        let answer = connection.answers.take(stream, answer, part).map_err(no_room("answers"))?;
        Ok(Found { call, request, held: Held { answer, _place: place } })
    }

    async fn answer(self, mut request: Request<Incoming>) -> Response<Answer> {
        let (begun, method) = (Instant::now(), Method::of(request.uri().path()));
        let under_way = self.connection.call();
        let outcome = Outcome::new(Arc::clone(&self.connection), under_way, method, begun);
        let stream = Stream::current();
        let mut looked = 0;
        if !self.connection.may_call() {
            self.connection.measures().refused_call("pace");
            return refused(&busy(), outcome);
        }
        let Found { call, request: charge, held } = loop {
            match self.room_for(&stream, method, request.headers()) {
                Ok(found) => break found,
                Err((Full::Soon, _)) if looked < LOOKS => tokio::time::sleep(BETWEEN_LOOKS).await,
                Err((_, reason)) => {
                    self.connection.measures().refused_call(reason);
                    return refused(&busy(), outcome);
                }
            }
            looked += 1;
        };
        stream.keep(call);
        if method.needs_token {
            // Without a token nobody can make the node read and decode a large request.
            match Caller::before(&self.services.ledger, request.headers(), self.connection.peer()) {
                Ok(caller) => request.extensions_mut().insert(caller),
                Err(status) => return refused(&status, outcome),
            };
        }
        let deadline = deadline::of(request.headers(), method.gives_many()).map(|time| begun + time);
        request.extensions_mut().insert(self.connection.peer());
        let received = Received::new(charge);
        let Patience { message, idle, .. } = self.connection.patience();
        let Method { request_max: len_max, fields_max, .. } = method;
        let bounds = Bounds { len_max, fields_max, many: method.takes_many(), message, idle };
        let request = request.map(|incoming| Body::new(Bounded::new(Body::new(incoming), received.clone(), bounds)));
        let why = tokio::select! {
            biased;
            answered = self.services.routes.oneshot(request) => {
                let Ok(response) = answered;
                let call = Call { many: method.gives_many(), deadline, held, received, stream, outcome };
                return with_code(response.map(|body| Answer::new(body, call)));
            }
            why = stream.ended() => why,
            () = until(deadline) => End::Deadline,
        };
        refused(&why.status(), outcome)
    }
}

/// Waits for a deadline, or for ever if there is none.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// An answer that is only a status.
fn refused(status: &Status, mut outcome: Outcome) -> Response<Answer> {
    outcome.code(status.code());
    status.clone().into_http().map(|body: Body| Answer::status(body, outcome))
}

/// Records the code of an answer that has no body.
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
