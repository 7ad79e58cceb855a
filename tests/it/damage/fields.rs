//! Where the fields of each format lie, as its documentation says.

use std::ops::Range;

/// A field of a file: its name and its bytes.
pub(super) type Field = (String, Range<usize>);

/// The fields of a file of a node's directory, by its path; none of a format that is not the node's own.
pub(super) fn of(path: &str, bytes: &[u8]) -> Vec<Field> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    match name {
        _ if extension == Some("seg") => segment(bytes),
        "guard" => slots(bytes),
        "entries" => rows(
            bytes,
            32,
            &[("segment", 8), ("offset", 8), ("entry length", 4), ("bodies", 4), ("zero", 4), ("crc", 4)],
        ),
        name if name.starts_with("level-") => rows(bytes, 32, &[("hash", 32)]),
        "position" => whole(&[("sequence", 8), ("size", 8), ("crc", 4)]),
        "learners.keys" => key_store(bytes),
        "scrub" => whole(&[
            ("magic", 8),
            ("begun", 8),
            ("finished", 8),
            ("done", 8),
            ("mark", 1),
            ("segment", 8),
            ("offset", 8),
            ("sequence", 8),
            ("chain", 4),
            ("unread", 8),
            ("findings", 8),
            ("crc", 4),
        ]),
        "secrets" | "node.toml" | "clean" => lines(bytes),
        _ if extension == Some("key") => lines(bytes),
        _ => Vec::new(),
    }
}

fn whole(fields: &[(&str, usize)]) -> Vec<Field> {
    let mut at = 0;
    let field = |(name, len): &(&str, usize)| {
        at += len;
        ((*name).to_owned(), at - len..at)
    };
    fields.iter().map(field).collect()
}

/// Rows of one size.
fn rows(bytes: &[u8], len: usize, fields: &[(&str, usize)]) -> Vec<Field> {
    let of_row = |row: usize| whole(fields).into_iter().map(move |(name, at)| shifted(name, at, row * len));
    (0..bytes.len() / len).flat_map(of_row).collect()
}

fn shifted(name: String, at: Range<usize>, by: usize) -> Field {
    (name, at.start + by..at.end + by)
}

fn slots(bytes: &[u8]) -> Vec<Field> {
    let slot = [("sequence", 8), ("epoch", 8), ("size", 8), ("root", 32), ("place", 292), ("crc", 4)];
    rows(bytes, 512, &slot)
}

fn key_store(bytes: &[u8]) -> Vec<Field> {
    let mut fields = whole(&[("magic", 8), ("nonce", 24), ("epoch key", 48), ("head crc", 4)]);
    let record = [("mark", 1), ("account", 16), ("record nonce", 24), ("key", 48), ("record crc", 4)];
    fields.extend(rows(&bytes[84..], 93, &record).into_iter().map(|(name, at)| shifted(name, at, 84)));
    fields
}

/// The words of a text.
fn lines(bytes: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut start = 0;
    for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let split = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        fields.push((format!("name {number}"), start..start + split));
        fields.push((format!("value {number}"), start + split..start + line.len()));
        start += line.len();
    }
    fields
}

/// Reads a segment as its documentation describes it.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    fields: Vec<Field>,
}

impl Walk<'_> {
    fn field(&mut self, name: &str, len: usize) -> u64 {
        let range = self.at..self.at + len;
        self.at += len;
        let value = self.bytes[range.clone()].iter().take(8).fold(0, |word, byte| word << 8 | u64::from(*byte));
        if len > 0 {
            self.fields.push((name.to_owned(), range));
        }
        value
    }

    fn len(&mut self, name: &str) -> usize {
        usize::try_from(self.field(name, 4)).expect("small")
    }

    fn head(&mut self, name: &str) {
        self.field(&format!("{name} epoch"), 8);
        self.field(&format!("{name} size"), 8);
        self.field(&format!("{name} root"), 32);
    }

    fn payload(&mut self) {
        self.field("round version", 1);
        self.head("base");
        self.head("next");
        for _ in 0..self.len("entries") {
            let entry_len = self.len("entry length");
            let bodies = self.len("bodies");
            let mut lengths = Vec::new();
            for _ in 0..bodies {
                lengths.push(self.len("body length"));
                self.field("body crc", 4);
            }
            self.field("table crc", 4);
            self.field("entry", entry_len);
            for (position, len) in lengths.into_iter().enumerate() {
                match (position, len) {
                    (0, _) => drop(self.field("record hashes", len)),
                    (_, 56..) => {
                        self.field("body nonce", 24);
                        self.field("body account", 16);
                        self.field("body ciphertext", len - 24 - 16 - 16);
                        self.field("body tag", 16);
                    }
                    _ => drop(self.field("body", len)),
                }
            }
        }
        for _ in 0..self.len("nodes") {
            self.field("node level", 1);
            self.field("node index", 8);
            self.field("node hash", 32);
        }
        for _ in 0..self.len("rows") {
            self.field("row table", 1);
            let key = usize::try_from(self.field("key length", 2)).expect("small");
            self.field("row key", key);
            self.field("row present", 1);
            let value = self.len("value length");
            self.field("row value", value);
        }
    }
}

fn segment(bytes: &[u8]) -> Vec<Field> {
    let fields =
        whole(&[("segment magic", 8), ("log", 32), ("first sequence", 8), ("segment chain", 4), ("segment crc", 4)]);
    let mut walk = Walk { bytes, at: 56, fields };
    while walk.at + 24 <= bytes.len() && bytes[walk.at..walk.at + 4] == *b"CBFR" {
        walk.field("frame magic", 4);
        walk.field("frame sequence", 8);
        let len = walk.len("frame length");
        walk.field("frame chain", 4);
        walk.field("frame crc", 4);
        let end = walk.at + len;
        walk.payload();
        assert_eq!(walk.at, end, "a payload is what its fields come to");
    }
    walk.fields
}
