//! What the bytes of a text file mean. A byte order mark says it; else the mapping or the command; else it is UTF-8. Nothing
//! is guessed: text in one encoding often is text in another too, with other names in it.

use std::io::{Read, SeekFrom};

use encoding_rs::{GB18030, UTF_8, UTF_16BE, UTF_16LE};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::charset::{self, Charset};
use super::decoded::Decoded;
use super::rows::ImportError;
use super::table::Source;

/// How a file is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// By the byte order mark, else UTF-8. A file that is not is refused whole.
    #[default]
    Auto,
    /// UTF-8. A line that is not is refused alone.
    Utf8,
    /// UTF-16, the less significant byte first.
    Utf16Le,
    /// UTF-16, the more significant byte first.
    Utf16Be,
    /// One of the others.
    Other(&'static Charset),
}

impl Encoding {
    /// By its name, as `gb18030` or `latin-1`.
    pub fn by_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "auto" => Some(Self::Auto),
            "utf-8" | "utf8" => Some(Self::Utf8),
            "utf-16le" | "utf16le" => Some(Self::Utf16Le),
            "utf-16be" | "utf16be" => Some(Self::Utf16Be),
            other => charset::by_name(other).map(Self::Other),
        }
    }

    /// The names that it has, by language.
    pub fn names() -> String {
        charset::by_language()
    }

    /// Its name in mappings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto | Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Other(charset) => charset.name,
        }
    }

    fn coding(self) -> &'static encoding_rs::Encoding {
        match self {
            Self::Auto | Self::Utf8 => UTF_8,
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::Other(charset) => charset.coding,
        }
    }
}

impl<'de> Deserialize<'de> for Encoding {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let name = String::deserialize(input)?;
        let unknown = || D::Error::custom(format!("encoding: {name:?} is not known. Known are {}", Self::names()));
        Self::by_name(&name).ok_or_else(unknown)
    }
}

/// Text of a file, and what is known of its encoding.
pub(super) struct Text {
    /// UTF-8, without a byte order mark.
    pub(super) input: Box<dyn Read>,
    pub(super) encoding: &'static str,
    /// The bytes have characters beyond ASCII, and are valid UTF-8 although another encoding was asked for.
    pub(super) is_also_utf8: bool,
}

/// What a byte order mark says, and its length.
fn by_mark(start: &[u8]) -> Option<(Encoding, u64)> {
    let is_gb = start.starts_with(b"\x84\x31\x95\x33");
    match start {
        [0xef, 0xbb, 0xbf, ..] => Some((Encoding::Utf8, 3)),
        [0xff, 0xfe, ..] => Some((Encoding::Utf16Le, 2)),
        [0xfe, 0xff, ..] => Some((Encoding::Utf16Be, 2)),
        _ if is_gb => charset::by_name(GB18030.name()).map(|charset| (Encoding::Other(charset), 4)),
        _ => None,
    }
}

/// The file as UTF-8. All of it is decoded once before anything is read, so that a file which is not what it should be is
/// refused before its first line is issued; only where UTF-8 is asked for by name lines are refused one by one.
pub(super) fn open_text<R: Source>(asked: Encoding, start: &[u8], mut input: R) -> Result<Text, ImportError> {
    let unread = |error: std::io::Error| ImportError::Encoding(error.to_string());
    if start.starts_with(b"\xff\xfe\0\0") || start.starts_with(b"\0\0\xfe\xff") {
        return Err(ImportError::Encoding("the file is UTF-32: save it as UTF-8".to_owned()));
    }
    let mark = by_mark(start);
    let (encoding, mark_len) = mark.unwrap_or((asked, 0));
    input.seek(SeekFrom::Start(mark_len)).map_err(unread)?;
    let mut is_also_utf8 = false;
    if encoding != Encoding::Utf8 || asked != Encoding::Utf8 {
        let whole = read_whole(encoding, &mut input);
        whole.map_err(|error| ImportError::Encoding(format!("{error}{}", hint(asked, start, mark.is_some()))))?;
        if matches!(encoding, Encoding::Other(_)) && mark.is_none() {
            input.seek(SeekFrom::Start(0)).map_err(unread)?;
            is_also_utf8 = read_whole(Encoding::Utf8, &mut input).is_ok_and(|is_ascii| !is_ascii);
        }
        input.seek(SeekFrom::Start(mark_len)).map_err(unread)?;
    }
    let name = encoding.name();
    let input: Box<dyn Read> = match encoding {
        Encoding::Auto | Encoding::Utf8 => Box::new(input),
        _ => Box::new(Decoded::new(name, encoding.coding(), input)),
    };
    Ok(Text { input, encoding: name, is_also_utf8 })
}

/// Decodes the rest into nothing; whether all of it is ASCII.
fn read_whole(encoding: Encoding, input: &mut impl Read) -> std::io::Result<bool> {
    let mut decoded = Decoded::new(encoding.name(), encoding.coding(), input);
    std::io::copy(&mut decoded, &mut std::io::sink())?;
    Ok(decoded.is_ascii)
}

/// What to do about bytes that are no text. It recommends no encoding that they merely fit.
fn hint(asked: Encoding, start: &[u8], has_mark: bool) -> String {
    match asked {
        Encoding::Auto | Encoding::Utf8 if start.contains(&0) => {
            ". It looks like UTF-16: pass --encoding utf-16le or utf-16be".to_owned()
        }
        Encoding::Auto if !has_mark => format!(
            ". Save the file as UTF-8, or say what it is in, with --encoding NAME or [file] encoding. By language: {}. A \
             wrong one may read the bytes too and give other names: look at the sample words before you go on",
            charset::by_language()
        ),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn named(name: &str) -> Encoding {
        Encoding::by_name(name).expect("a known name")
    }

    fn read(asked: Encoding, bytes: &[u8]) -> Result<String, String> {
        let mut text = String::new();
        let opened = open_text(asked, bytes, Cursor::new(bytes.to_vec())).map_err(|error| error.to_string())?;
        let mut input = opened.input;
        input.read_to_string(&mut text).map_err(|error| error.to_string())?;
        Ok(text)
    }

    /// Goal: a byte order mark says what a file is, whatever the command says, and is no part of the text.
    #[test]
    fn marks_win() {
        let (text, marked) = ("\u{5f20}\u{4e09},7\n", "\u{feff}\u{5f20}\u{4e09},7\n");
        let le: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = marked.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let gb = [&b"\x84\x31\x95\x33"[..], &GB18030.encode(text).0].concat();
        for bytes in [&le, &be, &gb, &marked.as_bytes().to_vec()] {
            for asked in [Encoding::Auto, Encoding::Utf8, named("gb18030"), named("windows-1252")] {
                assert_eq!(read(asked, bytes).as_deref(), Ok(text), "{asked:?}");
            }
        }
        let utf32 = b"\xff\xfe\0\0s\0\0\0";
        assert!(read(Encoding::Auto, utf32).expect_err("UTF-32").contains("UTF-32"));
    }

    /// Goal: without a mark nothing is guessed, and what cannot be decoded is refused with its place; no encoding is recommended.
    #[test]
    fn nothing_is_guessed_or_replaced() {
        let gb = GB18030.encode("id,name\n7,\u{5f20}\u{4e09}\n").0.into_owned();
        let refused = read(Encoding::Auto, &gb).expect_err("not UTF-8");
        assert!(refused.contains("line 2, character 3") && refused.contains("Thai: windows-874"), "{refused}");
        assert_eq!(read(named("gb18030"), &gb).as_deref(), Ok("id,name\n7,\u{5f20}\u{4e09}\n"));
        for (asked, bytes, place) in [
            ("gb18030", &b"a\nb\xff"[..], "line 2, character 2"),
            ("gb18030", b"a\rb\xff", "line 2, character 2"),
            ("gb18030", b"a\r\nb\xff", "line 2, character 2"),
            ("gb18030", b"a\x81", "line 1, character 2"),
            ("utf-16le", b"a\0\0\xd8b\0", "line 1, character 2"),
            ("utf-16be", b"\0a\0", "line 1, character 2"),
            ("auto", b"caf\xe9", "line 1, character 4"),
            ("windows-1253", b"ab\xd2", "line 1, character 3"),
        ] {
            let refused = read(named(asked), bytes).expect_err("undecodable");
            assert!(refused.contains(place), "{asked:?}: {refused}");
        }
    }

    /// Goal: a byte to which an encoding assigns nothing but a control code is refused, in every encoding that has such bytes.
    #[test]
    fn bytes_without_a_character_are_refused() {
        for (name, bytes) in [
            ("windows-1252", &b"id\nGr\x81\xdfe"[..]),
            ("windows-1252", b"id\nGr\x9d"),
            ("iso-8859-15", b"id\nGr\x80"),
            ("iso-8859-5", b"id\nGr\x95"),
            ("windows-1255", b"id\nGr\x8a"),
            ("windows-874", b"id\nGr\x81"),
            ("shift_jis", b"id\nGr\x80"),
        ] {
            let refused = read(named(name), bytes).expect_err(name);
            assert!(refused.contains("line 2, character 3") && refused.contains(name), "{name}: {refused}");
        }
    }

    /// Goal: the words of the world's registrars come out as they were written.
    #[test]
    fn words() {
        for (name, bytes, word) in [
            ("latin-1", &b"G\xe9om\xe9trie"[..], "G\u{e9}om\u{e9}trie"),
            ("windows-1252", b"\x80 \x93 \xdf", "\u{20ac} \u{201c} \u{df}"),
            ("iso-8859-15", b"\xa4 \xbd", "\u{20ac} \u{153}"),
            ("windows-1250", b"\x8aumava", "\u{160}umava"),
            ("iso-8859-2", b"\xa9umava", "\u{160}umava"),
            ("windows-1251", b"\xcc\xc0\xd2", "\u{41c}\u{410}\u{422}"),
            ("koi8-r", b"\xed\xe1\xf4", "\u{41c}\u{410}\u{422}"),
            ("koi8-u", b"\xa7", "\u{457}"),
            ("windows-1253", b"\xd0\xcb\xc7", "\u{3a0}\u{39b}\u{397}"),
            ("windows-1254", b"\xdd\xfe", "\u{130}\u{15f}"),
            ("windows-1255", b"\xf9\xec", "\u{5e9}\u{5dc}"),
            ("windows-1256", b"\xe3\xcd", "\u{645}\u{62d}"),
            ("windows-1257", b"\xd0\xe2", "\u{160}\u{101}"),
            ("windows-1258", b"\xf0\xfe", "\u{111}\u{20ab}"),
            ("windows-874", b"\xa1\xd2", "\u{e01}\u{e32}"),
            ("shift_jis", b"\x90\xfc\x8c`\x91\xe3\x90\x94", "\u{7dda}\u{5f62}\u{4ee3}\u{6570}"),
            ("euc-kr", b"\xbc\xb1\xc7\xfc", "\u{c120}\u{d615}"),
            ("big5", b"\xb7L\xbfn\xa4\xc0", "\u{5fae}\u{7a4d}\u{5206}"),
            ("gbk", b"\xce\xa2\xbb\xfd\xb7\xd6", "\u{5fae}\u{79ef}\u{5206}"),
        ] {
            assert_eq!(read(named(name), bytes).as_deref(), Ok(word), "{name}");
        }
    }

    /// Goal: GB 18030 is that of 2022: what stood in the private use area until 2005 has its own characters.
    #[test]
    fn gb_18030_of_2022() {
        for (bytes, character) in [
            (&b"\xa6\xd9"[..], '\u{fe10}'),
            (b"\xa6\xdb", '\u{fe11}'),
            (b"\xa6\xdd", '\u{fe14}'),
            (b"\xa6\xf3", '\u{fe19}'),
            (b"\xfe\x59", '\u{9fb4}'),
            (b"\xfe\x61", '\u{9fb5}'),
            (b"\xfe\x66", '\u{9fb6}'),
            (b"\xfe\x67", '\u{9fb7}'),
            (b"\xfe\x6d", '\u{9fb8}'),
            (b"\xfe\x7e", '\u{9fb9}'),
            (b"\xfe\x90", '\u{9fba}'),
            (b"\xfe\xa0", '\u{9fbb}'),
            (b"\xa8\xbc", '\u{1e3f}'),
        ] {
            assert_eq!(read(named("gb18030"), bytes), Ok(character.to_string()), "{bytes:x?}");
        }
    }

    /// Goal: UTF-8 that is read as something else is noticed; ASCII is not.
    #[test]
    fn valid_utf_8_is_noticed() {
        let noticed = |name: &str, bytes: &[u8]| {
            open_text(named(name), bytes, Cursor::new(bytes.to_vec())).expect("text").is_also_utf8
        };
        assert!(noticed("windows-1252", "G\u{e9}om\u{e9}trie".as_bytes()));
        assert!(!noticed("windows-1252", b"Geometrie") && !noticed("windows-1252", b"G\xe9om\xe9trie"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Goal: text comes back as it was, over the edges of the pieces that are read.
        #[test]
        fn round_trip(text in "[a-z\u{e9}\u{5f20}\u{20000}\n]{0,200}", times in 1usize..400) {
            let text = text.repeat(times);
            let gb = GB18030.encode(&text).0;
            prop_assert_eq!(read(named("gb18030"), &gb), Ok(text.clone()));
            let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            prop_assert_eq!(read(Encoding::Utf16Le, &le), Ok(text));
        }
    }
}
