//! What a request may take up before anything of it is decoded, and until it is answered.
//!
//! The transport's limits are bytes of one message. Those of all requests together come out of one room, byte by byte as
//! they arrive; a message of many tiny parts, of which each costs many times its bytes once decoded, is refused; and who
//! begins a message and does not finish it loses the call.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::{Body as _, Frame};
use tokio::time::{Instant, Sleep};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Bytes;

use super::{REQUEST_LEN_MAX, status};
use crate::serve::room::{Charge, Part};

/// Messages of at most so many bytes may take the reserve of the room.
const SMALL: usize = 16 << 10;
/// Compression flag and length in front of each message.
const PREFIX_LEN: usize = 5;
/// Shorter messages are harmless, whatever they consist of.
const COUNTED_LEN: usize = 256 << 10;
/// Fields of a message and of the messages in it. The largest list of one call has 10,000 elements.
const FIELDS_MAX: usize = 200_000;

/// The charge of a request. The body takes more as bytes arrive; who answers keeps it until then.
#[derive(Clone)]
pub(crate) struct Received {
    charge: Arc<Mutex<Charge>>,
    given_up: Arc<AtomicBool>,
}

impl Received {
    /// Beginning with what the call itself takes up.
    pub(crate) fn new(call: Charge) -> Self {
        Self { charge: Arc::new(Mutex::new(call)), given_up: Arc::default() }
    }

    fn charge(&self) -> MutexGuard<'_, Charge> {
        self.charge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the client took the call back before all of the request was there.
    pub(crate) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }
}

/// A body that passes on whole messages only.
pub(crate) struct Bounded {
    inner: Body,
    received: Received,
    /// What the call itself takes up.
    call: usize,
    /// Whether several messages may come.
    streams: bool,
    message: Vec<u8>,
    /// Whether a message was passed on.
    passed_on: bool,
    wait: Duration,
    sleep: Pin<Box<Sleep>>,
    ended: bool,
}

impl Bounded {
    /// Bounds the body of a request. A message that has begun must be there after `wait`, and the only message of a call
    /// too.
    pub(crate) fn new(inner: Body, received: Received, streams: bool, wait: Duration) -> Self {
        let call = received.charge().amount();
        let sleep = Box::pin(tokio::time::sleep(wait));
        let (message, passed_on, ended) = (Vec::new(), false, false);
        Self { inner, received, call, streams, message, passed_on, wait, sleep, ended }
    }

    /// The length that the message's prefix states.
    fn stated(&self) -> Option<usize> {
        let [_, len @ ..] = self.message.first_chunk::<PREFIX_LEN>()?;
        Some(usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX))
    }

    /// Takes in bytes of the message, and the room for them.
    fn take_in(&mut self, bytes: &[u8]) -> Result<(), Status> {
        if self.message.is_empty() {
            self.sleep.as_mut().reset(Instant::now() + self.wait);
        }
        let is_small = self.message.len() + bytes.len() <= SMALL && self.stated().is_none_or(|len| len <= SMALL);
        let part = if is_small { Part::Whole } else { Part::BeforeReserve };
        self.received.charge().grow(bytes.len(), part).map_err(|_| status::busy())?;
        self.message.extend_from_slice(bytes);
        Ok(())
    }

    /// The first message, if it is there as a whole.
    fn whole(&mut self) -> Result<Option<Bytes>, Status> {
        let Some(len) = self.stated() else { return Ok(None) };
        match self.message.first() {
            Some(0) | None => {}
            Some(1) => {
                return Err(Status::unimplemented("the node takes no compressed messages: send them as they are"));
            }
            Some(flag) => return Err(status::invalid("compression flag", "0", flag)),
        }
        if len > REQUEST_LEN_MAX {
            return Err(Status::out_of_range(format!(
                "the message has {len} bytes, at most {REQUEST_LEN_MAX} are taken"
            )));
        }
        let end = PREFIX_LEN + len;
        if self.message.len() < end {
            return Ok(None);
        }
        if len > COUNTED_LEN && count(&self.message[PREFIX_LEN..end]) > FIELDS_MAX {
            return Err(status::invalid("message", &format!("at most {FIELDS_MAX} fields"), "more"));
        }
        let rest = self.message.split_off(end);
        Ok(Some(std::mem::replace(&mut self.message, rest).into()))
    }

    /// Whether the client owes bytes: the rest of a message, or the only one.
    fn waits_for_bytes(&self) -> bool {
        !self.message.is_empty() || !(self.streams || self.passed_on)
    }

    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.streams && self.passed_on {
            // Whoever asks for the next message has charged the one before elsewhere, or dropped it.
            self.received.charge().shrink_to(self.call + self.message.len());
        }
        loop {
            if let Some(message) = self.whole()? {
                self.passed_on = true;
                self.sleep.as_mut().reset(Instant::now() + self.wait);
                return Poll::Ready(Some(Ok(Frame::data(message))));
            }
            match Pin::new(&mut self.inner).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(bytes) => self.take_in(&bytes)?,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
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
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {
                    if self.waits_for_bytes() && self.sleep.as_mut().poll(context).is_ready() {
                        return Poll::Ready(Some(Err(Status::deadline_exceeded("the message was not finished"))));
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
            self.message = Vec::new();
        }
        polled
    }
}

/// Fields of a message and of what may be messages in it. Stops above the limit.
fn count(message: &[u8]) -> usize {
    let mut fields = 0;
    let mut rest = message;
    while let Some(part) = field(&mut rest) {
        fields += 1;
        let mut inner = part;
        while !inner.is_empty() && fields <= FIELDS_MAX && field(&mut inner).is_some() {
            fields += 1;
        }
        if fields > FIELDS_MAX {
            break;
        }
    }
    fields
}

/// Takes the next field and returns what it holds; `None` where no field follows.
fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let key = varint(rest)?;
    let len = match key & 7 {
        0 => {
            varint(rest)?;
            return Some(&[]);
        }
        1 => 8,
        2 => usize::try_from(varint(rest)?).ok()?,
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

    /// Goal: tiny messages are counted where they cost, in the message and in those within it; bytes are not taken for them.
    #[test]
    fn tiny_parts_are_counted() {
        assert_eq!(count(&[0x12, 0x00].repeat(100)), 100, "empty records");
        let many = [0x12, 0x00].repeat(60);
        let nested = [&[0x22, 120][..], &many].concat();
        assert_eq!(count(&nested), 61, "empty identities in a record");
        let body = [0x0a, 4, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(count(&body), 1, "bytes that are no message");
        assert!(count(&[0x12, 0x00].repeat(1 << 20)) > FIELDS_MAX);
        assert_eq!(count(&[0x12]), 0);
    }
}
