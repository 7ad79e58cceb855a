//! The body of an answer: charged for as long as anything of it has not left, and handed to the transport in parts.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http_body::Frame;
use tokio::time::{Instant, Sleep};
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::codegen::http::HeaderMap;
use tonic::{Code, Status};

use super::connection::{Connection, UnderWay};
use super::method::Method;
use super::room::{Charge, Part};
use super::stream::{End, Stream};
use crate::grpc::bound::Received;
use crate::grpc::busy;

/// Bytes that the transport gets at once. Whoever takes fewer within the patience of the node has stalled.
const PART: usize = 16 << 10;
/// Bytes of one answer that the transport holds at most.
const IN_TRANSPORT: usize = 64 << 10;
/// Answers of at most so many bytes may take the reserve of the room.
const SMALL: usize = 16 << 10;

/// What an answer holds of the rooms.
pub(super) struct Held {
    /// Of the room of answers: as much as the call had to find before it worked.
    pub(super) answer: Charge,
    /// Of the calls that stream.
    pub(super) _place: Option<Charge>,
}

/// The call that an answer is of.
pub(super) struct Call {
    /// Whether the answer has several messages.
    pub(super) many: bool,
    pub(super) deadline: Option<Instant>,
    pub(super) held: Held,
    /// The charge of the request, which a call of one message needs until it has its answer.
    pub(super) received: Received,
    pub(super) stream: Arc<Stream>,
    pub(super) outcome: Outcome,
}

/// What became of a call, as the measures count it when it is dropped.
pub(super) struct Outcome {
    connection: Arc<Connection>,
    under_way: UnderWay,
    method: Method,
    begun: Instant,
    code: Code,
}

impl Outcome {
    pub(super) fn new(connection: Arc<Connection>, under_way: UnderWay, method: Method, begun: Instant) -> Self {
        Self { connection, under_way, method, begun, code: Code::Cancelled }
    }

    pub(super) fn code(&mut self, code: Code) {
        self.code = code;
        self.under_way.answered();
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        self.connection.measures().call(self.method.name, self.code, self.begun.elapsed());
    }
}

/// A part of a message, until the transport drops it.
struct InTransport {
    bytes: Bytes,
    stream: Arc<Stream>,
    _message: Arc<Charge>,
}

impl AsRef<[u8]> for InTransport {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for InTransport {
    fn drop(&mut self) {
        self.stream.left(self.bytes.len());
    }
}

/// The body of an answer.
pub(super) struct Answer {
    inner: Body,
    many: bool,
    /// Of an answer of several messages. One alone may take as long as its reader takes something.
    deadline: Option<Pin<Box<Sleep>>>,
    held: Option<Held>,
    received: Option<Received>,
    stream: Arc<Stream>,
    outcome: Outcome,
    /// What is left of a message.
    message: Option<(Bytes, Arc<Charge>)>,
    trailers: Option<HeaderMap>,
    /// It was told why it ends.
    ends: bool,
}

impl Answer {
    pub(super) fn new(inner: Body, call: Call) -> Self {
        let Call { many, deadline, held, received, stream, outcome } = call;
        let deadline = deadline.filter(|_| many).map(|deadline| Box::pin(tokio::time::sleep_until(deadline)));
        let (held, received) = (Some(held), Some(received));
        Self { many, deadline, held, received, ..Self::of(inner, stream, outcome) }
    }

    /// A status alone.
    pub(super) fn status(inner: Body, outcome: Outcome) -> Self {
        Self { ends: true, ..Self::of(inner, Stream::current(), outcome) }
    }

    fn of(inner: Body, stream: Arc<Stream>, outcome: Outcome) -> Self {
        let (many, ends, deadline, held, received, message, trailers) = (false, false, None, None, None, None, None);
        Self { inner, many, deadline, held, received, stream, outcome, message, trailers, ends }
    }

    /// Notes the code of the call.
    pub(super) fn code(&mut self, code: Code) {
        // A call that was taken back stays CANCELLED, whatever the services have made of it.
        if !self.received.as_ref().is_some_and(Received::is_given_up) {
            self.outcome.code(code);
        }
    }

    /// Charges bytes that were encoded. Of a call with one answer they are dropped where there is no room; a call that
    /// streams has few of them at once.
    fn charge(&mut self, bytes: usize) -> Result<Charge, Status> {
        let Some(held) = &mut self.held else { return Err(Status::internal("an answer without a charge")) };
        let none = self.outcome.connection.answers.charge(&self.stream);
        if self.many {
            let mut charge = none;
            charge.force(bytes);
            return Ok(charge);
        }
        // The request has been worked on.
        self.received = None;
        let mut charge = std::mem::replace(&mut held.answer, none);
        charge.shrink_to(bytes);
        let part = if bytes <= SMALL { Part::Whole } else { Part::BeforeReserve };
        let more = bytes - charge.amount();
        charge.grow(more, part).map_err(|_| {
            self.outcome.connection.measures().refused_call("answers");
            busy()
        })?;
        Ok(charge)
    }

    /// The next part of the message that is being sent.
    fn part(&mut self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        if self.message.is_none() {
            return Poll::Ready(None);
        }
        ready!(self.stream.poll_at_most(IN_TRANSPORT - PART, context));
        let Some((mut rest, charge)) = self.message.take() else { return Poll::Ready(None) };
        let bytes = rest.split_to(rest.len().min(PART));
        if !rest.is_empty() {
            self.message = Some((rest, Arc::clone(&charge)));
        }
        self.stream.took(bytes.len());
        Poll::Ready(Some(Bytes::from_owner(InTransport { bytes, stream: Arc::clone(&self.stream), _message: charge })))
    }

    /// Whether the call has to end before it is answered: what is left of it is given up.
    fn look_for_end(&mut self, context: &mut Context<'_>) {
        if self.ends {
            return;
        }
        if self.deadline.as_mut().is_some_and(|deadline| deadline.as_mut().poll(context).is_ready()) {
            self.stream.end(End::Deadline);
        }
        if let Poll::Ready(why) = self.stream.poll_ended(context) {
            self.message = None;
            self.end(why.status());
        }
    }

    /// Ends with a status.
    fn end(&mut self, status: Status) {
        self.ends = true;
        (self.held, self.received) = (None, None);
        self.inner = Body::empty();
        let head: tonic::codegen::http::Response<Body> = status.into_http();
        let mut trailers = head.into_parts().0.headers;
        trailers.remove("content-type");
        self.trailers = Some(trailers);
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let answer = &mut *self;
        answer.look_for_end(context);
        loop {
            if let Some(part) = ready!(answer.part(context)) {
                return Poll::Ready(Some(Ok(Frame::data(part))));
            }
            if answer.trailers.is_some() {
                // With the trailers the transport has all, and nobody can take it back any more: they wait until it
                // holds little.
                ready!(answer.stream.poll_at_most(PART, context));
                let Some(trailers) = answer.trailers.take() else { continue };
                if let Some(code) = trailers.get("grpc-status") {
                    answer.code(Code::from_bytes(code.as_bytes()));
                }
                return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
            }
            match ready!(Pin::new(&mut answer.inner).poll_frame(context)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) if bytes.is_empty() => {}
                    Ok(bytes) => match answer.charge(bytes.len()) {
                        Ok(charge) => answer.message = Some((bytes, Arc::new(charge))),
                        Err(status) => answer.end(status),
                    },
                    Err(frame) => match frame.into_trailers() {
                        Ok(trailers) => answer.trailers = Some(trailers),
                        Err(_) => return Poll::Ready(None),
                    },
                },
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.message.is_none() && self.trailers.is_none() && self.inner.is_end_stream()
    }
}
