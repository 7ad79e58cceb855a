//! What a request may take up before anything of it is decoded.
//!
//! The transport's limits are bytes of one message. Those of all requests together come out of one room; a message of many
//! tiny parts, of which each costs many times its bytes once decoded, is refused; and who begins a message and does not
//! finish it loses the call.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::{Body as _, Frame};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{Bytes, http};

use super::{REQUEST_LEN_MAX, status};

/// KiB of messages that are being received, of all calls together.
const ROOM_KIB: usize = 128 << 10;
/// Room is taken in steps of so many bytes, as they arrive: to announce a message takes up nothing.
const STEP: usize = 64 << 10;
/// A message that has begun must be there after so long.
const MESSAGE_WAIT: Duration = Duration::from_secs(30);
/// Compression flag and length in front of each message.
const PREFIX_LEN: usize = 5;
/// Shorter messages are harmless, whatever they consist of.
const COUNTED_LEN: usize = 256 << 10;
/// Fields of a message and of the messages in it. The largest list of one call has 10,000 elements.
const FIELDS_MAX: usize = 200_000;

/// The room of a node.
#[derive(Clone)]
pub(crate) struct Room(Arc<Semaphore>);

impl Room {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(ROOM_KIB)))
    }

    /// Bounds the body of a request.
    pub(crate) fn bound(&self, request: http::Request<Body>) -> http::Request<Body> {
        request.map(|inner| {
            let sleep = Box::pin(tokio::time::sleep(MESSAGE_WAIT));
            Body::new(Bounded { inner, room: self.clone(), taken: None, message: Vec::new(), sleep, ended: false })
        })
    }
}

/// A body that passes on whole messages only.
struct Bounded {
    inner: Body,
    room: Room,
    taken: Option<OwnedSemaphorePermit>,
    message: Vec<u8>,
    sleep: Pin<Box<Sleep>>,
    ended: bool,
}

impl Bounded {
    /// Takes in bytes of the message, and the room for them.
    fn take_in(&mut self, bytes: &[u8]) -> Result<(), Status> {
        if self.message.is_empty() {
            self.sleep.as_mut().reset(Instant::now() + MESSAGE_WAIT);
        }
        let needed = (self.message.len() + bytes.len()).div_ceil(STEP) * (STEP >> 10);
        let held = self.taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if let Ok(more) = u32::try_from(needed.saturating_sub(held))
            && more > 0
        {
            let permit = Arc::clone(&self.room.0).try_acquire_many_owned(more).map_err(|_| status::busy())?;
            match &mut self.taken {
                Some(taken) => taken.merge(permit),
                None => self.taken = Some(permit),
            }
        }
        self.message.extend_from_slice(bytes);
        Ok(())
    }

    /// The first message, if it is there as a whole.
    fn whole(&mut self) -> Result<Option<Bytes>, Status> {
        let Some(prefix) = self.message.first_chunk::<PREFIX_LEN>() else { return Ok(None) };
        let len = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]);
        let len = usize::try_from(len).unwrap_or(usize::MAX);
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

    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        loop {
            if let Some(message) = self.whole()? {
                self.sleep.as_mut().reset(Instant::now() + MESSAGE_WAIT);
                return Poll::Ready(Some(Ok(Frame::data(message))));
            }
            if self.message.is_empty() {
                // What was passed on is decoded by now.
                self.taken = None;
            }
            match Pin::new(&mut self.inner).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(bytes) => self.take_in(&bytes)?,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                // Half a message: the decoder says so.
                Poll::Ready(None) if !self.message.is_empty() => {
                    return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.message).into()))));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {
                    if !self.message.is_empty() && self.sleep.as_mut().poll(context).is_ready() {
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
            // Nothing more is read of it, and nothing is held.
            self.ended = true;
            (self.message, self.taken) = (Vec::new(), None);
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
