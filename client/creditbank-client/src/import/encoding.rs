//! What the bytes of a text file mean. A byte order mark says it; else the mapping or the command; else it is UTF-8. Nothing
//! is guessed: text in one encoding often is text in another too, with other names in it.

use std::io::{Read, SeekFrom};

use encoding_rs::{Decoder, DecoderResult, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use super::rows::ImportError;
use super::table::Source;

/// Read from the file at once.
const BUFFER_LEN: usize = 64 << 10;

/// How a file is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// By the byte order mark, else UTF-8. A file that is not is refused whole.
    #[default]
    Auto,
    /// UTF-8. A line that is not is refused alone.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, the less significant byte first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, the more significant byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// GB 18030, and so GBK and GB 2312.
    Gb18030,
}

impl Encoding {
    /// By its name, as `gb18030`.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "utf-8" => Some(Self::Utf8),
            "utf-16le" => Some(Self::Utf16Le),
            "utf-16be" => Some(Self::Utf16Be),
            "gb18030" => Some(Self::Gb18030),
            _ => None,
        }
    }

    fn coding(self) -> &'static encoding_rs::Encoding {
        match self {
            Self::Auto | Self::Utf8 => UTF_8,
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::Gb18030 => GB18030,
        }
    }
}

/// What a byte order mark says.
fn by_mark(start: &[u8]) -> Option<Encoding> {
    let marks: [(&[u8], Encoding); 4] = [
        (b"\xef\xbb\xbf", Encoding::Utf8),
        (b"\xff\xfe", Encoding::Utf16Le),
        (b"\xfe\xff", Encoding::Utf16Be),
        (b"\x84\x31\x95\x33", Encoding::Gb18030),
    ];
    marks.iter().find(|(mark, _)| start.starts_with(mark)).map(|(_, encoding)| *encoding)
}

/// The file as UTF-8. All of it is decoded once before anything is read, so that a file which is not what it should be is
/// refused before its first line is issued; only where UTF-8 is asked for by name lines are refused one by one.
pub(super) fn open_text<R: Source>(asked: Encoding, start: &[u8], mut input: R) -> Result<Box<dyn Read>, ImportError> {
    let encoding = by_mark(start).unwrap_or(asked);
    if encoding == Encoding::Utf8 && asked == Encoding::Utf8 {
        return Ok(Box::new(input));
    }
    let unread = |error: std::io::Error| ImportError::Encoding(error.to_string());
    std::io::copy(&mut Decoded::new(encoding, &mut input), &mut std::io::sink()).map_err(|error| {
        let hint = match asked {
            Encoding::Auto if start.contains(&0) => "; it looks like UTF-16: pass --encoding utf-16le or utf-16be",
            Encoding::Auto if by_mark(start).is_none() => {
                "; save the file as UTF-8, or say what it is, as with --encoding gb18030"
            }
            _ => "",
        };
        ImportError::Encoding(format!("{error}{hint}"))
    })?;
    input.seek(SeekFrom::Start(0)).map_err(unread)?;
    match encoding {
        Encoding::Auto | Encoding::Utf8 => Ok(Box::new(input)),
        _ => Ok(Box::new(Decoded::new(encoding, input))),
    }
}

/// A reader of UTF-8 over one of another encoding. What cannot be decoded is an error, never a replacement character.
struct Decoded<R> {
    input: R,
    name: &'static str,
    decoder: Decoder,
    raw: Vec<u8>,
    out: Vec<u8>,
    /// Bytes of `out` that were given away.
    given: usize,
    ended: bool,
    line: u64,
    column: u64,
}

impl<R: Read> Decoded<R> {
    fn new(encoding: Encoding, input: R) -> Self {
        let coding = encoding.coding();
        Self {
            input,
            name: coding.name(),
            decoder: coding.new_decoder_without_bom_handling(),
            raw: vec![0; BUFFER_LEN],
            out: Vec::new(),
            given: 0,
            ended: false,
            line: 1,
            column: 1,
        }
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
        for byte in &self.out {
            match byte {
                b'\n' => (self.line, self.column) = (self.line + 1, 1),
                // Not the first byte of a character.
                0x80..=0xbf => {}
                _ => self.column += 1,
            }
        }
        match result {
            DecoderResult::Malformed(bad, after) => {
                let end = read.saturating_sub(usize::from(after));
                let shown = hex::encode(&raw[end.saturating_sub(usize::from(bad))..end]);
                let (line, column, name) = (self.line, self.column, self.name);
                Err(std::io::Error::other(format!("line {line}, character {column}: the bytes {shown} are no {name}")))
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

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn read(asked: Encoding, bytes: &[u8]) -> Result<String, String> {
        let input = Cursor::new(bytes.to_vec());
        let mut text = String::new();
        let mut opened = open_text(asked, bytes, input).map_err(|error| error.to_string())?;
        opened.read_to_string(&mut text).map_err(|error| error.to_string())?;
        Ok(text.trim_start_matches('\u{feff}').to_owned())
    }

    /// Goal: a byte order mark says what a file is, whatever the command says.
    #[test]
    fn marks_win() {
        let text = "\u{feff}\u{5f20}\u{4e09},7\n";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let gb = [&b"\x84\x31\x95\x33"[..], &GB18030.encode("\u{5f20}\u{4e09},7\n").0].concat();
        for bytes in [&le, &be, &gb, &text.as_bytes().to_vec()] {
            for asked in [Encoding::Auto, Encoding::Utf8, Encoding::Gb18030] {
                assert_eq!(read(asked, bytes).as_deref(), Ok("\u{5f20}\u{4e09},7\n"), "{asked:?}");
            }
        }
    }

    /// Goal: without a mark nothing is guessed, and what cannot be decoded is refused with its place.
    #[test]
    fn nothing_is_guessed_or_replaced() {
        let gb = GB18030.encode("id,name\n7,\u{5f20}\u{4e09}\n").0.into_owned();
        let refused = read(Encoding::Auto, &gb).expect_err("not UTF-8");
        assert!(refused.contains("line 2, character 3") && refused.contains("--encoding gb18030"), "{refused}");
        assert_eq!(read(Encoding::Gb18030, &gb).as_deref(), Ok("id,name\n7,\u{5f20}\u{4e09}\n"));
        for (asked, bytes, place) in [
            (Encoding::Gb18030, &b"a\nb\xff"[..], "line 2, character 2"),
            (Encoding::Gb18030, b"a\x81", "line 1, character 2"),
            (Encoding::Utf16Le, b"a\0\0\xd8b\0", "line 1, character 2"),
            (Encoding::Utf16Be, b"\0a\0", "line 1, character 2"),
            (Encoding::Auto, b"caf\xe9", "line 1, character 4"),
        ] {
            let refused = read(asked, bytes).expect_err("undecodable");
            assert!(refused.contains(place), "{asked:?}: {refused}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Goal: text comes back as it was, over the edges of the pieces that are read.
        #[test]
        fn round_trip(text in "[a-z\u{e9}\u{5f20}\u{20000}\n]{0,200}", times in 1usize..400) {
            let text = text.repeat(times);
            let gb = GB18030.encode(&text).0;
            prop_assert_eq!(read(Encoding::Gb18030, &gb), Ok(text.clone()));
            let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            prop_assert_eq!(read(Encoding::Utf16Le, &le), Ok(text));
        }
    }
}
