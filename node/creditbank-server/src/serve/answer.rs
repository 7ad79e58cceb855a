//! The body of an answer. It is charged until all of it has been sent, and is handed to the transport in parts.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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

/// Bytes that the transport gets at once. A reader who takes fewer within the node's patience has stalled.
const PART: usize = 16 << 10;
/// Most bytes of one answer that the transport holds.
const IN_TRANSPORT: usize = 64 << 10;
/// Answers up to this size may use the reserve of the room.
const SMALL: usize = 16 << 10;

/// What an answer holds of the rooms.
pub(super) struct Held {
    /// In the room for answers: what the call had to reserve before it worked.
    pub(super) answer: Charge,
    /// Among the calls that stream.
    pub(super) _place: Option<Charge>,
}

/// The call to which an answer belongs.
pub(super) struct Call {
    /// Whether the answer consists of several messages.
    pub(super) many: bool,
    pub(super) deadline: Option<Instant>,
    pub(super) held: Held,
    /// The charge of the request. A call with one answer keeps it until the answer is ready.
    pub(super) received: Received,
    pub(super) stream: Arc<Stream>,
    pub(super) outcome: Outcome,
}

/// The outcome of a call. The metrics count it when it is dropped.
pub(super) struct Outcome {
    connection: Arc<Connection>,
    under_way: UnderWay,
    method: Method,
    begun: Instant,
    code: Code,
    /// The messages that a call with many has asked, and how many answers the transport has taken.
    asked: Arc<AtomicUsize>,
    answered: usize,
}

impl Outcome {
    pub(super) fn new(connection: Arc<Connection>, under_way: UnderWay, method: Method, begun: Instant) -> Self {
        let (code, asked, answered) = (Code::Cancelled, Arc::default(), 0);
        Self { connection, under_way, method, begun, code, asked, answered }
    }

    pub(super) fn code(&mut self, code: Code) {
        self.code = code;
        self.under_way.answered();
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        // A client that has all its answers may end a stream without waiting for the node's end of it.
        let has_all = self.answered > 0 && self.asked.load(Ordering::Relaxed) == self.answered;
        let code = if self.code == Code::Cancelled && has_all { Code::Ok } else { self.code };
        self.connection.measures().call(self.method.name, code, self.begun.elapsed());
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
    /// For an answer of several messages. An answer of one message may take as long as its reader keeps reading.
    deadline: Option<Pin<Box<Sleep>>>,
    held: Option<Held>,
    received: Option<Received>,
    stream: Arc<Stream>,
    outcome: Outcome,
    /// The rest of the messages that are being sent.
    message: Option<(Bytes, Arc<Charge>)>,
    /// How many messages these are.
    messages: usize,
    trailers: Option<HeaderMap>,
    /// The call has to end, and its status is set.
    ends: bool,
}

impl Answer {
    pub(super) fn new(inner: Body, call: Call) -> Self {
        let Call { many, deadline, held, received, stream, mut outcome } = call;
        outcome.asked = received.asked();
        let deadline = deadline.filter(|_| many).map(|deadline| Box::pin(tokio::time::sleep_until(deadline)));
        let (held, received) = (Some(held), Some(received));
        Self { many, deadline, held, received, ..Self::of(inner, stream, outcome) }
    }

    /// An answer that is only a status.
    pub(super) fn status(inner: Body, outcome: Outcome) -> Self {
        Self { ends: true, ..Self::of(inner, Stream::current(), outcome) }
    }

    fn of(inner: Body, stream: Arc<Stream>, outcome: Outcome) -> Self {
        let (many, ends, deadline, held, received, message, trailers) = (false, false, None, None, None, None, None);
        Self { inner, many, deadline, held, received, stream, outcome, message, messages: 0, trailers, ends }
    }

    /// Notes the code of the call.
    pub(super) fn code(&mut self, code: Code) {
        // A cancelled call stays CANCELLED, whatever the services answered.
        if !self.received.as_ref().is_some_and(Received::is_given_up) {
            self.outcome.code(code);
        }
    }

    /// Charges bytes that were encoded. A call with one answer loses the answer if there is no room. A call that
    /// streams is charged in any case, because it holds few bytes at once.
    fn charge(&mut self, bytes: usize) -> Result<Charge, Status> {
        let Some(held) = &mut self.held else { return Err(Status::internal("an answer without a charge")) };
        let none = self.outcome.connection.answers.charge(&self.stream);
        if self.many {
            let mut charge = none;
            charge.force(bytes);
            return Ok(charge);
        }
        // The request is done.
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
        if rest.is_empty() {
            self.outcome.answered += std::mem::take(&mut self.messages);
        } else {
            self.message = Some((rest, Arc::clone(&charge)));
        }
        self.stream.took(bytes.len());
        Poll::Ready(Some(Bytes::from_owner(InTransport { bytes, stream: Arc::clone(&self.stream), _message: charge })))
    }

    /// Checks whether the call has to end. If so, the rest of its message is dropped.
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

/// How many messages the encoder has put into one frame of data: each is whole, behind a flag and its length.
fn messages_in(mut frame: &[u8]) -> usize {
    let mut count = 0;
    while let Some(([_, len @ ..], rest)) = frame.split_first_chunk::<5>() {
        let len = usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX);
        (frame, count) = (rest.get(len..).unwrap_or_default(), count + 1);
    }
    count
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
                // Once the transport has the trailers it has the whole answer, and nobody can cancel it any more. So
                // they wait until the transport holds little.
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
                        Ok(charge) => {
                            answer.messages = messages_in(&bytes);
                            answer.message = Some((bytes, Arc::new(charge)));
                        }
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
