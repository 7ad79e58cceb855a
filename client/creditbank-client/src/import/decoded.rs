//! A reader of UTF-8 over one of another encoding. What cannot be decoded is an error, never a replacement character.

use std::io::Read;

use encoding_rs::{Decoder, DecoderResult, UTF_8, UTF_16BE, UTF_16LE};

/// Read from the file at once.
const BUFFER_LEN: usize = 64 << 10;

pub(super) struct Decoded<R> {
    input: R,
    name: &'static str,
    /// A control code above ASCII is a byte without a character here: only Unicode spells them on purpose.
    refuses_controls: bool,
    decoder: Decoder,
    raw: Vec<u8>,
    out: Vec<u8>,
    /// Bytes of `out` that were given away.
    given: usize,
    ended: bool,
    place: Place,
    /// Whether everything until here was ASCII.
    pub(super) is_ascii: bool,
}

/// Where in the text.
struct Place {
    line: u64,
    column: u64,
    after_cr: bool,
}

impl Place {
    /// Goes on over these bytes of UTF-8.
    fn advance(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' if self.after_cr => {}
                b'\n' | b'\r' => (self.line, self.column) = (self.line + 1, 1),
                // Not the first byte of a character.
                0x80..=0xbf => {}
                _ => self.column += 1,
            }
            self.after_cr = *byte == b'\r';
        }
    }
}

impl<R: Read> Decoded<R> {
    pub(super) fn new(name: &'static str, coding: &'static encoding_rs::Encoding, input: R) -> Self {
        Self {
            input,
            name,
            refuses_controls: ![UTF_8, UTF_16LE, UTF_16BE].contains(&coding),
            decoder: coding.new_decoder_without_bom_handling(),
            raw: vec![0; BUFFER_LEN],
            out: Vec::new(),
            given: 0,
            ended: false,
            place: Place { line: 1, column: 1, after_cr: false },
            is_ascii: true,
        }
    }

    fn refuse(&self, what: &str) -> std::io::Error {
        let Place { line, column, .. } = self.place;
        std::io::Error::other(format!("line {line}, character {column}: {what}"))
    }

    /// Reads and decodes the next piece.
    fn advance(&mut self) -> std::io::Result<()> {
        let len = self.input.read(&mut self.raw)?;
        self.ended = len == 0;
        let room = self.decoder.max_utf8_buffer_length_without_replacement(len);
        self.out.resize(room.ok_or_else(|| std::io::Error::other("the text is too long"))?, 0);
        let raw = &self.raw[..len];
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(raw, &mut self.out, self.ended);
        self.out.truncate(written);
        self.given = 0;
        self.is_ascii &= self.out.is_ascii();
        if self.refuses_controls && !self.is_ascii {
            let is_control = |pair: &[u8]| pair[0] == 0xc2 && pair[1] < 0xa0;
            if let Some(at) = self.out.windows(2).position(is_control) {
                let (code, name) = (self.out[at + 1], self.name);
                self.place.advance(&self.out[..at]);
                return Err(self.refuse(&format!("{name} has no character for this byte (U+00{code:02X})")));
            }
        }
        self.place.advance(&self.out);
        match result {
            DecoderResult::Malformed(bad, after) => {
                let end = read.saturating_sub(usize::from(after));
                let shown = hex::encode(&raw[end.saturating_sub(usize::from(bad))..end]);
                Err(self.refuse(&format!("the bytes {shown} are no {}", self.name)))
            }
            DecoderResult::InputEmpty => Ok(()),
            DecoderResult::OutputFull => Err(std::io::Error::other("the text is too long")),
        }
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.given == self.out.len() && !self.ended {
            self.advance()?;
        }
        let len = buffer.len().min(self.out.len() - self.given);
        buffer[..len].copy_from_slice(&self.out[self.given..self.given + len]);
        self.given += len;
        Ok(len)
    }
}
