//! Counts the HTTP/2 frames that a client sends, because some make the node work without calling anything.
//!
//! Frames that call nothing (SETTINGS, PING, PRIORITY, empty DATA, unknown types) cost the node time, and headers that
//! do not end cost it memory. Both come before there is a call that could be charged. Numbers and names are those of
//! RFC 9113, section 6.

use std::time::Duration;

use tokio::time::Instant;

/// Length of the preface, which comes before the first frame.
const PREFACE: usize = 24;
/// Length of a frame's head: length, type, flags, stream.
const HEAD: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// A DATA frame with fewer bytes counts as one of many tiny parts, unless it ends its stream.
const TINY: usize = 32;
/// Most bytes of one block of headers, as they are sent. The transport limits the decoded headers too.
const HEADERS_MAX: usize = 32 << 10;
/// Frames that call nothing: this many at once, and this many more in a second.
const IDLE_FRAMES_MAX: u64 = 1_000;
const IDLE_FRAMES_PER_SECOND: u64 = 50;
/// Each call earns some of these frames, and so do the bytes of an answer: a reader returns the window for them, on the
/// stream and on the connection, when and as often as it likes. Earned frames stay available until they are used.
const EARNED_PER_CALL: u64 = 4;
const ANSWERED_BYTES_PER_FRAME: u64 = 512;

/// Why the node stops reading a client's frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misuse {
    /// Too many frames call nothing.
    Idle,
    /// A block of headers is too long.
    Headers,
}

/// What is known of the frames so far.
#[derive(Debug)]
pub(super) struct Frames {
    preface_left: usize,
    head: [u8; HEAD],
    head_len: usize,
    /// Bytes of the frame's payload that have not arrived.
    payload_left: usize,
    /// A block of headers that has not ended: when it began, and its bytes so far.
    headers: Option<(Instant, usize)>,
    /// Frames that call nothing, beyond the earned ones.
    idle: u64,
    earned: u64,
    since: Instant,
    answered: u64,
}

impl Frames {
    pub(super) fn new() -> Self {
        let since = Instant::now();
        let head = [0; HEAD];
        Self {
            preface_left: PREFACE,
            head,
            head_len: 0,
            payload_left: 0,
            headers: None,
            idle: 0,
            earned: 0,
            since,
            answered: 0,
        }
    }

    /// Counts bytes that have arrived.
    pub(super) fn came(&mut self, mut bytes: &[u8]) -> Result<(), Misuse> {
        while !bytes.is_empty() {
            for left in [&mut self.preface_left, &mut self.payload_left] {
                let part = bytes.len().min(*left);
                *left -= part;
                bytes = &bytes[part..];
            }
            let part = bytes.len().min(HEAD - self.head_len);
            self.head[self.head_len..self.head_len + part].copy_from_slice(&bytes[..part]);
            self.head_len += part;
            bytes = &bytes[part..];
            if self.head_len == HEAD {
                self.head_len = 0;
                self.frame()?;
            }
        }
        Ok(())
    }

    /// Counts bytes that were sent.
    pub(super) fn left(&mut self, bytes: usize) {
        self.answered += bytes as u64;
        self.earned += self.answered / ANSWERED_BYTES_PER_FRAME;
        self.answered %= ANSWERED_BYTES_PER_FRAME;
    }

    /// How long the present block of headers has been arriving.
    pub(super) fn headers_for(&self) -> Option<Duration> {
        self.headers.map(|(since, _)| since.elapsed())
    }

    /// The head of a frame is complete.
    fn frame(&mut self) -> Result<(), Misuse> {
        let [a, b, c, kind, flags, ..] = self.head;
        let len = usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(usize::MAX);
        self.payload_left = len;
        match kind {
            DATA if len >= TINY || flags & END_STREAM != 0 => {
                // Some clients send the prefix of a message in a frame of its own.
                self.earned += 1;
                Ok(())
            }
            HEADERS => {
                self.earned += EARNED_PER_CALL;
                self.headers(len, flags)
            }
            CONTINUATION => self.headers(len, flags),
            _ => self.idle(),
        }
    }

    fn headers(&mut self, len: usize, flags: u8) -> Result<(), Misuse> {
        let (since, before) = self.headers.unwrap_or_else(|| (Instant::now(), 0));
        // This also limits frames without bytes.
        let bytes = before + len + HEAD;
        if bytes > HEADERS_MAX {
            return Err(Misuse::Headers);
        }
        self.headers = (flags & END_HEADERS == 0).then_some((since, bytes));
        Ok(())
    }

    fn idle(&mut self) -> Result<(), Misuse> {
        if self.earned > 0 {
            self.earned -= 1;
            return Ok(());
        }
        self.idle += 1;
        if self.idle <= IDLE_FRAMES_MAX {
            return Ok(());
        }
        let seconds = self.since.elapsed().as_secs();
        self.idle = self.idle.saturating_sub(seconds.saturating_mul(IDLE_FRAMES_PER_SECOND));
        self.since += Duration::from_secs(seconds);
        if self.idle > IDLE_FRAMES_MAX { Err(Misuse::Idle) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: u8 = 4;
    const PING: u8 = 6;

    fn frame(kind: u8, flags: u8, len: usize) -> Vec<u8> {
        let len_bytes = u32::try_from(len).expect("small").to_be_bytes();
        [&len_bytes[1..], &[kind, flags, 0, 0, 0, 1], &vec![0xff; len]].concat()
    }

    fn begun() -> Frames {
        let mut frames = Frames::new();
        frames.came(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").expect("the preface");
        frames.came(&frame(SETTINGS, 0, 18)).expect("the first frame");
        frames
    }

    /// Goal: frames are recognised wherever the bytes are cut.
    #[test]
    fn frames_are_read_byte_by_byte() {
        let mut frames = begun();
        let bytes = [frame(HEADERS, 0, 100), frame(CONTINUATION, 0, 7), frame(CONTINUATION, END_HEADERS, 3)].concat();
        for (at, byte) in bytes.iter().enumerate() {
            frames.came(&[*byte]).expect("harmless");
            let (begun, ended) = (HEAD, 100 + 7 + 3 * HEAD);
            assert_eq!(frames.headers_for().is_some(), (begun..ended).contains(&(at + 1)), "after {at} bytes");
        }
        assert_eq!(frames.payload_left, 0);
    }

    /// Goal: a client that sends frames that call nothing is disconnected; one that calls, or reads a large answer, may
    /// send such frames with it.
    #[test]
    fn floods_end() {
        let flood = |mut frames: Frames, frame: &[u8]| (1..9_999).find(|_| frames.came(frame).is_err()).unwrap_or(0);
        for (kind, len) in [(PING, 8), (SETTINGS, 0), (DATA, 0), (DATA, 1), (0x55, 3)] {
            assert_eq!(flood(begun(), &frame(kind, 0, len)), IDLE_FRAMES_MAX, "type {kind}");
        }
        let mut frames = begun();
        for _ in 0..10_000 {
            frames.came(&frame(HEADERS, END_HEADERS, 50)).expect("a call");
            frames.came(&frame(PING, 0, 8).repeat(4)).expect("what comes with it");
            frames.came(&frame(DATA, 0, 10_000)).expect("its message");
            frames.came(&frame(DATA, END_STREAM, 0)).expect("its end");
        }
        // An answer of 8 MB that is read later, in parts of 4 KiB; and messages whose prefix comes alone.
        frames.left(8 << 20);
        frames.came(&frame(8, 0, 4).repeat(2 * (8 << 20) / (4 << 10))).expect("the windows of what was read");
        for _ in 0..10_000 {
            frames.came(&[frame(DATA, 0, 5), frame(DATA, 0, 300)].concat()).expect("a message");
        }
        frames.earned = 0;
        for _ in 0..100 {
            frames.since -= Duration::from_secs(1);
            frames.came(&frame(PING, 0, 8).repeat(50)).expect("in time they are forgotten");
        }
    }

    /// Goal: headers are limited, however they are cut.
    #[test]
    fn headers_have_a_bound() {
        let mut frames = begun();
        frames.came(&frame(HEADERS, 0, 16_000)).expect("within the bound");
        assert_eq!(frames.came(&frame(CONTINUATION, 0, 16_800)), Err(Misuse::Headers));
        let mut frames = begun();
        let empty = frame(CONTINUATION, 0, 0);
        assert!((0..5_000).any(|_| frames.came(&empty).is_err()), "empty ones, too");
    }
}
