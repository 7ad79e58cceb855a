//! Limits what a request may take up before it is decoded, and until it is answered.
//!
//! The transport limits the bytes of one message. The bytes of all requests together come out of one room, as they
//! arrive. A message of many tiny parts is refused, because each part costs many times its bytes once decoded. A client
//! that begins a request and does not finish it loses the call.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::{Body as _, Frame};
use tokio::time::{Instant, Sleep};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Bytes;

use super::status;
use crate::serve::room::{Charge, Part};

/// Messages up to this size may use the reserve of the room.
const SMALL: usize = 16 << 10;
/// Compression flag and length in front of each message.
const PREFIX_LEN: usize = 5;
/// Bytes charged for each decoded field in addition to its own: a message with some fields, most of them empty.
const DECODED_FIELD: usize = 128;
/// The same for a field of a nested message, which is mostly a number or a few bytes, or is not decoded at all.
const DECODED_INNER: usize = 32;
/// A slow message that has grown by this many bytes has made progress.
const PROGRESS: usize = 16 << 10;

/// The charge of a request. The body charges more as bytes arrive; the answering side keeps it until the answer.
#[derive(Clone)]
pub(crate) struct Received {
    charge: Arc<Mutex<Charge>>,
    given_up: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Received {
    /// Begins with the charge of the call itself.
    pub(crate) fn new(call: Charge) -> Self {
        Self { charge: Arc::new(Mutex::new(call)), given_up: Arc::default(), asked: Arc::default() }
    }

    fn charge(&self) -> MutexGuard<'_, Charge> {
        self.charge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn grow(&self, more: usize, part: Part) -> Result<(), Status> {
        let mut charge = self.charge();
        charge.grow(more, part).map_err(|_| {
            charge.refused();
            status::busy()
        })
    }

    /// Whether the client cancelled the call before all of the request was there.
    pub(crate) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }

    /// The messages of a call with many that have come so far, including one that has only begun. Each asks for an
    /// answer.
    pub(crate) fn asked(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.asked)
    }
}

/// The limits for the messages of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Most bytes of a message.
    pub(crate) len_max: usize,
    /// Most fields of a message, including those of nested messages.
    pub(crate) fields_max: usize,
    /// Whether several messages may come.
    pub(crate) many: bool,
    /// Time for more of a message that has begun, and for the only message of a call.
    pub(crate) message: Duration,
    /// Time for the next of several messages.
    pub(crate) idle: Duration,
}

/// A body that passes on only complete messages. If a call has only one message, it is passed on once the request has
/// ended.
pub(crate) struct Bounded {
    inner: Body,
    received: Received,
    bounds: Bounds,
    /// The charge of the call itself.
    call: usize,
    message: Vec<u8>,
    /// Bytes of the message when its deadline was last set.
    progress: usize,
    /// The only message of the call, until the request ends.
    only: Option<Bytes>,
    passed_on: bool,
    sleep: Pin<Box<Sleep>>,
    ended: bool,
}

impl Bounded {
    /// Bounds the body of a request.
    pub(crate) fn new(inner: Body, received: Received, bounds: Bounds) -> Self {
        let call = received.charge().amount();
        let wait = if bounds.many { bounds.idle } else { bounds.message };
        let sleep = Box::pin(tokio::time::sleep(wait));
        let (message, progress, only, passed_on, ended) = (Vec::new(), 0, None, false, false);
        Self { inner, received, bounds, call, message, progress, only, passed_on, sleep, ended }
    }

    /// Something has arrived: wait anew.
    fn wait(&mut self, time: Duration) {
        self.received.charge().came();
        self.sleep.as_mut().reset(Instant::now() + time);
        self.progress = self.message.len();
    }

    /// Counts a message that begins.
    fn begins(&self, does: bool) {
        if self.bounds.many && does {
            self.received.asked.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The length that the message's prefix states.
    fn stated(&self) -> Option<usize> {
        let [_, len @ ..] = self.message.first_chunk::<PREFIX_LEN>()?;
        Some(usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX))
    }

    /// Accepts bytes of the message, and charges for them.
    fn take_in(&mut self, bytes: &[u8]) -> Result<(), Status> {
        if self.only.is_some() && !bytes.is_empty() {
            return Err(status::invalid("request", "one message", "more bytes after it"));
        }
        let needed = self.message.len() + bytes.len();
        let stated = self.stated().map_or(0, |len| len.saturating_add(PREFIX_LEN));
        if needed > self.message.capacity() {
            // Twice as much each time, but never more than the message needs.
            let capacity = needed.max(self.message.capacity().saturating_mul(2).min(stated));
            let part = if needed.max(stated) <= SMALL { Part::Whole } else { Part::BeforeReserve };
            self.received.grow(capacity - self.message.capacity(), part)?;
            self.message.reserve_exact(capacity - self.message.len());
        }
        let begins = self.message.is_empty();
        self.begins(begins && !bytes.is_empty());
        self.message.extend_from_slice(bytes);
        if begins || self.message.len() - self.progress >= PROGRESS {
            self.wait(self.bounds.message);
        }
        Ok(())
    }

    /// The first message, if it is complete. It is charged for what it takes up once decoded.
    fn whole(&mut self) -> Result<Option<Bytes>, Status> {
        let Some(len) = self.stated() else { return Ok(None) };
        match self.message.first() {
            Some(0) | None => {}
            Some(1) => {
                return Err(Status::unimplemented("the node accepts no compressed messages: send them uncompressed"));
            }
            Some(flag) => return Err(status::invalid("compression flag", "0", flag)),
        }
        let len_max = self.bounds.len_max;
        if len > len_max {
            return Err(Status::out_of_range(format!("the message has {len} bytes, at most {len_max} are allowed")));
        }
        let end = PREFIX_LEN + len;
        if self.message.len() < end {
            return Ok(None);
        }
        let fields_max = self.bounds.fields_max;
        let Parts { fields, inner } = count(&self.message[PREFIX_LEN..end], fields_max);
        if fields > fields_max {
            return Err(status::invalid("message", &format!("at most {fields_max} fields"), "more"));
        }
        // The decoder has a copy of the bytes, too.
        let more = end + fields * DECODED_FIELD + inner * DECODED_INNER;
        let part = if more <= 2 * SMALL { Part::Whole } else { Part::BeforeReserve };
        self.received.grow(more, part)?;
        let rest = self.message.split_off(end);
        Ok(Some(std::mem::replace(&mut self.message, rest).into()))
    }

    /// What the client owes: more of a message, the end of the request, or another message. `None` if the whole request
    /// is there.
    fn waits_for(&self) -> Option<&'static str> {
        match (self.bounds.many, self.message.is_empty()) {
            (true, true) => Some("no message came"),
            (false, _) if self.passed_on => None,
            _ => Some("the message was not finished"),
        }
    }

    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.bounds.many && self.passed_on {
            // The caller that asks for the next message has charged the one before elsewhere, or dropped it.
            self.received.charge().shrink_to(self.call + self.message.capacity());
        }
        loop {
            if let Some(message) = self.whole()? {
                if self.bounds.many {
                    self.passed_on = true;
                    self.begins(!self.message.is_empty());
                    self.wait(if self.message.is_empty() { self.bounds.idle } else { self.bounds.message });
                    return Poll::Ready(Some(Ok(Frame::data(message))));
                }
                if !self.message.is_empty() || self.only.is_some() {
                    return Poll::Ready(Some(Err(status::invalid("request", "one message", "more bytes after it"))));
                }
                self.only = Some(message);
            }
            match Pin::new(&mut self.inner).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(bytes) => self.take_in(&bytes)?,
                    Err(trailers) if self.bounds.many => return Poll::Ready(Some(Ok(trailers))),
                    Err(_) => {}
                },
                Poll::Ready(Some(Err(error))) => {
                    // The services may see an end of the request where there was none, and answer; nobody hears it.
                    self.received.given_up.store(true, Ordering::Relaxed);
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(None) if !self.message.is_empty() => {
                    let (expected, found) =
                        (self.stated().map_or(PREFIX_LEN, |len| len + PREFIX_LEN), self.message.len());
                    return Poll::Ready(Some(Err(status::invalid(
                        "message",
                        &format!("{expected} bytes with its prefix"),
                        format!("{found} bytes and the end of the request"),
                    ))));
                }
                Poll::Ready(None) => {
                    (self.passed_on, self.ended) = (true, true);
                    return Poll::Ready(self.only.take().map(|message| Ok(Frame::data(message))));
                }
                Poll::Pending => {
                    if let Some(missing) = self.waits_for()
                        && self.sleep.as_mut().poll(context).is_ready()
                    {
                        return Poll::Ready(Some(Err(Status::deadline_exceeded(missing))));
                    }
                    return Poll::Pending;
                }
            }
        }
    }
}

impl http_body::Body for Bounded {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let polled = self.next(context);
        if let Poll::Ready(Some(Err(_)) | None) = polled {
            // Nothing more is read of it.
            self.ended = true;
            (self.message, self.only) = (Vec::new(), None);
        }
        polled
    }
}

/// The parts of a message.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parts {
    /// Its fields, and the fields of what may be nested messages.
    fields: usize,
    /// Fields of what may be messages nested in those.
    inner: usize,
}

/// Counts the parts of a message: at least as many as the decoder makes of it. It stops where the decoder refuses the
/// rest, and above the limit.
fn count(message: &[u8], fields_max: usize) -> Parts {
    let mut parts = Parts::default();
    let mut rest = message;
    while let Some(mut outer) = field(&mut rest) {
        parts.fields += 1;
        while let Some(mut within) = field(&mut outer) {
            parts.fields += 1;
            if parts.fields > fields_max {
                return parts;
            }
            while field(&mut within).is_some() {
                parts.inner += 1;
            }
        }
        if parts.fields > fields_max {
            return parts;
        }
    }
    parts
}

/// Takes the next field and returns its contents; `None` if there is no further field.
fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let key = varint(rest)?;
    let len = match key & 7 {
        0 => {
            varint(rest)?;
            return Some(&[]);
        }
        1 => 8,
        2 => usize::try_from(varint(rest)?).ok()?,
        // The schema has no groups. The decoder skips them, and continues after them.
        3 | 4 => return Some(&[]),
        5 => 4,
        _ => return None,
    };
    let (part, after) = rest.split_at_checked(len)?;
    *rest = after;
    Some(if key & 7 == 2 { part } else { &[] })
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: tiny messages are counted where they cost, in the message and in nested ones; bytes do not count as
    /// messages.
    #[test]
    fn tiny_parts_are_counted() {
        let fields = |message: &[u8]| count(message, 1_000).fields;
        assert_eq!(fields(&[0x12, 0x00].repeat(100)), 100, "empty records");
        let many = [0x12, 0x00].repeat(60);
        let nested = [&[0x22, 120][..], &many].concat();
        assert_eq!(fields(&nested), 61, "empty identities in a record");
        let deep = [&[0x12, 122][..], &nested].concat();
        assert_eq!(count(&deep, 1_000), Parts { fields: 2, inner: 60 }, "claims of a record that is shown");
        let body = [0x0a, 4, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(fields(&body), 1, "bytes that are no message");
        assert_eq!(fields(&[0x12, 0x00].repeat(1 << 20)), 1_001, "it stops");
        // A group of an unknown field, at the beginning, or nested.
        let group = [0xa3, 0x06, 0xa4, 0x06];
        assert_eq!(fields(&[&group[..], &many].concat()), 62);
        assert_eq!(fields(&[&[0x22, 124][..], &group, &many].concat()), 63);
        assert_eq!(fields(&[0x12]), 0);
    }
}
