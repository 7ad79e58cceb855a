//! One accepted spelling, and for every rule of the subset one that is refused.

use creditbank_protocol::canonical::{CanonicalError, decode, encode};
use creditbank_protocol::pb;
use prost::Message as _;
use serde_json::{Value, json};

use super::{agree, hex};

fn course() -> pb::Course {
    let text = |language: &str, value: &str| pb::Text { language: language.to_owned(), value: value.to_owned() };
    pb::Course { code: "ALG-1".to_owned(), titles: vec![text("en", "Algebra"), text("fr", "Alg\u{e8}bre")] }
}

fn fault<M: creditbank_protocol::canonical::Canonical>(bytes: &[u8]) -> String {
    let found: Result<M, CanonicalError> = decode(bytes);
    found.err().expect("it is refused").to_string()
}

fn refused<M: creditbank_protocol::canonical::Canonical>(message: &str, why: &str, bytes: &[u8]) -> Value {
    json!({ "message": message, "rule": why, "bytes": hex(bytes), "error": fault::<M>(bytes) })
}

#[test]
fn canonical() {
    let good = encode(&course()).expect("canonical");
    let key = pb::Key { kinds: vec![3, 4], suite: 1, ..Default::default() };
    let packed = encode(&key).expect("canonical");
    let accepted = json!([
        { "message": "Course", "bytes": hex(&good) },
        { "message": "Key", "bytes": hex(&packed), "about": "kinds 3 and 4 in one packed run" },
        { "message": "Course", "bytes": "", "about": "all defaults: no bytes" },
        { "message": "Marker", "bytes": "" },
    ]);
    let mut reversed = course();
    reversed.titles.reverse();
    let mut twice = course();
    twice.titles[1] = twice.titles[0].clone();
    let long_code = pb::Course { code: "x".repeat(65), ..Default::default() };
    let spaced = pb::Course { code: "two words".to_owned(), ..Default::default() };
    let many = pb::Course {
        code: String::new(),
        titles: (0..17).map(|n| pb::Text { language: "en".to_owned(), value: format!("{n:02}") }).collect(),
    };
    let refused = [
        refused::<pb::Course>("Course", "truncated", &good[..good.len() - 1]),
        refused::<pb::Course>("Course", "varint not in its shortest form", &[0x0a, 0x81, 0x00, b'x']),
        refused::<pb::Date>(
            "Date",
            "varint of more than 64 bits",
            &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
        ),
        refused::<pb::Course>("Course", "unknown field", &[&good[..], &[0xa2, 0x06, 0x01, b'x']].concat()),
        refused::<pb::Course>("Course", "field number 0", &[0x02, 0x00]),
        refused::<pb::Course>("Course", "wire type", &[0x08, 0x01]),
        refused::<pb::Course>("Course", "group wire type", &[0x0b]),
        refused::<pb::Date>("Date", "fields not ascending", &[0x10, 0x06, 0x08, 0xde, 0x0f]),
        refused::<pb::Date>("Date", "a field twice", &[0x08, 0xde, 0x0f, 0x08, 0xde, 0x0f]),
        refused::<pb::Date>("Date", "a default written: zero", &[0x08, 0x00]),
        refused::<pb::Course>("Course", "a default written: empty string", &[0x0a, 0x00]),
        refused::<pb::Credit>("Credit", "a default written: empty message", &[0x12, 0x00]),
        refused::<pb::Accreditation>("Accreditation", "an empty string as an element", &[0x3a, 0x00]),
        refused::<pb::Credit>("Credit", "an empty message as an element", &[0x9a, 0x01, 0x00]),
        refused::<pb::Key>("Key", "a default written: empty packed run", &[0x32, 0x00]),
        refused::<pb::Key>("Key", "integers not packed", &[0x30, 0x03]),
        refused::<pb::Key>("Key", "packed in two runs", &[0x32, 0x01, 0x03, 0x32, 0x01, 0x04]),
        refused::<pb::Key>("Key", "a set of integers not ascending", &[0x32, 0x02, 0x04, 0x03]),
        refused::<pb::Key>("Key", "unknown enum value", &[0x32, 0x01, 0x3f]),
        refused::<pb::Date>("Date", "integer too large", &[0x10, 0x0d]),
        refused::<pb::Course>("Course", "string too long", &long_code.encode_to_vec()),
        refused::<pb::Credit>("Credit", "bytes of another length", &[0x0a, 0x01, 0x01]),
        refused::<pb::Course>("Course", "too many elements", &many.encode_to_vec()),
        refused::<pb::Course>("Course", "a set not ascending", &reversed.encode_to_vec()),
        refused::<pb::Course>("Course", "a set with an element twice", &twice.encode_to_vec()),
        refused::<pb::Text>("Text", "not UTF-8", &[0x12, 0x02, 0xc3, 0x28]),
        refused::<pb::Text>("Text", "UTF-8 of a surrogate", &[0x12, 0x03, 0xed, 0xa0, 0x80]),
        refused::<pb::Course>("Course", "a code with a space", &spaced.encode_to_vec()),
    ];
    agree(
        "canonical.json",
        &json!({
            "about": "PROTOCOL.md, Canonical messages. The texts of errors are this implementation's own; the refusal is the rule.",
            "accepted": accepted,
            "refused": refused,
        }),
    );
}
