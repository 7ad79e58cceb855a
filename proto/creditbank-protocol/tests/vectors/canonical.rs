//! For every rule of the subset, and every clause of it, bytes that break it alone; and what lies just on the right
//! side.

use creditbank_protocol::canonical::{Fault, Message, check, encode, tables};
use creditbank_protocol::pb;
use prost::Message as _;
use serde_json::{Value, json};

use super::{agree, hex};

/// The rule of section 2 that a fault breaks.
fn rule_of(fault: Fault) -> u32 {
    match fault {
        Fault::Truncated => 1,
        Fault::Varint => 2,
        Fault::UnknownField(_) | Fault::WireType { .. } => 3,
        Fault::Order | Fault::Repeated => 4,
        Fault::Default => 5,
        Fault::NotPacked => 6,
        Fault::UnknownEnum(_) => 7,
        Fault::TooLarge { .. } | Fault::Length { .. } => 8,
        Fault::TooMany { .. } | Fault::SetOrder => 9,
        Fault::Utf8 | Fault::Code => 10,
        Fault::NoSuchDate => 11,
        Fault::Depth => 12,
    }
}

fn refused(rule: u32, about: &str, message: &'static Message, bytes: impl AsRef<[u8]>) -> Value {
    let bytes = bytes.as_ref();
    let error = check(message, bytes).expect_err(about);
    assert_eq!(rule_of(error.fault), rule, "{about}: {error}");
    json!({ "message": message.name, "rule": rule, "about": about, "bytes": hex(bytes) })
}

fn accepted(about: &str, message: &'static Message, bytes: impl AsRef<[u8]>) -> Value {
    let bytes = bytes.as_ref();
    check(message, bytes).expect(about);
    json!({ "message": message.name, "about": about, "bytes": hex(bytes) })
}

fn text(language: &str, value: &str) -> pb::Text {
    pb::Text { language: language.to_owned(), value: value.to_owned() }
}

/// `parts` one after the other.
fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// A length-delimited field with a number below 16 and less than 128 bytes.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    join(&[&[number << 3 | 2, u8::try_from(value.len()).expect("short")], value])
}

const MAX_U64: [u8; 10] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
const ABOVE_U64: [u8; 10] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];

fn forms() -> Vec<Value> {
    let (course, date, key, place) = (&tables::COURSE, &tables::DATE, &tables::KEY, &tables::PLACE);
    vec![
        refused(1, "in a tag", date, [0x88]),
        refused(1, "no value after a tag", date, [0x08]),
        refused(1, "in a varint", date, [0x08, 0xde]),
        refused(1, "in a length", course, [0x0a, 0x80]),
        refused(1, "in bytes", course, [0x0a, 0x05, b'a']),
        refused(1, "a length of 2^64 - 1", course, join(&[&[0x0a], &MAX_U64, b"a"])),
        refused(1, "in a nested message", &tables::CREDIT, [0x12, 0x02, 0x0a, 0x05]),
        refused(1, "in a packed run", key, [0x32, 0x01, 0x83]),
        refused(2, "a tag longer than need be", date, [0x88, 0x00, 0x01]),
        refused(2, "a length longer than need be", course, [0x0a, 0x81, 0x00, b'x']),
        refused(2, "a value longer than need be", date, [0x08, 0xde, 0x8f, 0x00]),
        refused(2, "zero in two bytes", date, [0x08, 0x80, 0x00]),
        refused(2, "a packed value longer than need be", key, [0x32, 0x02, 0x83, 0x00]),
        refused(2, "a value above 2^64 - 1", place, join(&[&[0x08], &ABOVE_U64])),
        refused(2, "a value of eleven bytes", place, join(&[&[0x08], &[0xff; 10], &[0x01]])),
        refused(2, "a tag above 2^64 - 1", date, join(&[&ABOVE_U64, &[0x01]])),
        refused(2, "a length above 2^64 - 1", course, join(&[&[0x0a], &ABOVE_U64, b"a"])),
        refused(3, "a number that is not in the schema", course, [0xfa, 0x7f, 0x01, b'x']),
        refused(3, "number 0", course, [0x02, 0x01, b'x']),
        refused(3, "number 2^61 - 1", course, join(&[&[0xfa], &MAX_U64[1..], &[0x01, b'x']])),
        refused(
            3,
            "a number above 2^32 that ends as a known one",
            course,
            [0x8a, 0x80, 0x80, 0x80, 0x80, 0x01, 0x01, b'x'],
        ),
        refused(3, "a field of a message without fields", &tables::SUBJECT_STATEMENT, [0x52, 0x02, 0x08, 0x01]),
        refused(3, "a varint for a string", course, [0x08, 0x01]),
        refused(3, "a varint for a message", &tables::CREDIT, [0x10, 0x01]),
        refused(3, "a length for an integer", date, [0x0a, 0x01, 0x01]),
        refused(3, "fixed64", date, [0x09, 1, 0, 0, 0, 0, 0, 0, 0]),
        refused(3, "fixed32", date, [0x0d, 1, 0, 0, 0]),
        refused(3, "a group", &tables::CREDIT, [0x13, 0x0a, 0x01, b'x', 0x14]),
        refused(3, "the end of a group", course, [0x0c]),
        refused(3, "wire type 6", course, [0x0e]),
        refused(3, "wire type 7", course, [0x0f]),
        refused(3, "fixed64 for a list of integers", key, [0x31, 3, 0, 0, 0, 0, 0, 0, 0]),
        refused(4, "a lower number after a higher", date, [0x10, 0x06, 0x08, 0xde, 0x0f]),
        refused(4, "an integer twice", date, [0x08, 0xde, 0x0f, 0x08, 0xde, 0x0f]),
        refused(4, "a string twice", course, [0x0a, 0x01, b'a', 0x0a, 0x01, b'b']),
        refused(
            4,
            "a message in two parts",
            &tables::CREDIT,
            join(&[&field(2, &field(1, b"a")), &field(2, &field(2, &field(1, b"en")))]),
        ),
        refused(
            4,
            "a list with another field in between",
            &tables::RECEIPT,
            join(&[&field(3, &[1; 32]), &field(4, b"x"), &field(3, &[2; 32])]),
        ),
        refused(4, "in a nested message", &tables::CREDIT, field(14, &field(1, &[0x10, 0x06, 0x08, 0x01]))),
    ]
}

fn values() -> Vec<Value> {
    let (course, date, key, credit) = (&tables::COURSE, &tables::DATE, &tables::KEY, &tables::CREDIT);
    let fields = &tables::ACCREDITATION;
    vec![
        refused(5, "integer 0", date, [0x08, 0x00]),
        refused(5, "enum 0", credit, [0x58, 0x00]),
        refused(5, "bool 0", &tables::LISTED_GRADE, [0x10, 0x00]),
        refused(5, "an empty string", course, [0x0a, 0x00]),
        refused(5, "empty bytes", credit, [0x0a, 0x00]),
        refused(5, "an empty message", credit, [0x12, 0x00]),
        refused(5, "an empty string as an element", fields, [0x3a, 0x00]),
        refused(5, "empty bytes as an element", &tables::RECEIPT, [0x1a, 0x00]),
        refused(5, "an empty message as an element", credit, [0x9a, 0x01, 0x00]),
        refused(5, "an empty packed run", key, [0x32, 0x00]),
        refused(6, "an element by itself", key, [0x30, 0x03]),
        refused(6, "elements one by one", key, [0x30, 0x03, 0x30, 0x04]),
        refused(6, "two runs", key, [0x32, 0x01, 0x03, 0x32, 0x01, 0x04]),
        refused(7, "a value that is not named", credit, [0x58, 0x7f]),
        refused(7, "a number that is reserved", key, [0x32, 0x01, 0x3f]),
        refused(7, "0 in a packed run", key, [0x32, 0x01, 0x00]),
        refused(7, "2^32 + 3", credit, [0x58, 0x83, 0x80, 0x80, 0x80, 0x10]),
        refused(8, "an integer above its max", date, [0x10, 0x0d]),
        refused(8, "an amount above its max", &tables::AMOUNT, [0x08, 0x81, 0xc8, 0xaf, 0xa0, 0x25]),
        refused(8, "2^32 where the type is uint32", &tables::BLOCK_HEADER, [0x28, 0x80, 0x80, 0x80, 0x80, 0x10]),
        refused(8, "bool 2", &tables::LISTED_GRADE, [0x10, 0x02]),
        refused(8, "a string longer than max_len", &tables::GRADE_SCALE, field(1, &[b'x'; 65])),
        refused(8, "a course code longer than max_len", course, join(&[&[0x0a, 0x81, 0x02], &[b'x'; 257]])),
        refused(
            8,
            "a string of more bytes, though not more characters, than max_len",
            &tables::GRADE,
            field(2, "\u{e9}".repeat(33).as_bytes()),
        ),
        refused(8, "an element longer than max_len", fields, field(5, b"06131")),
        refused(8, "bytes longer than max_len", &tables::BLOCK, join(&[&[0x0a, 0x81, 0x08], &[1; 1_025]])),
        refused(8, "bytes shorter than len", credit, field(1, &[1; 15])),
        refused(8, "bytes longer than len", credit, field(1, &[1; 17])),
        refused(8, "an element of bytes shorter than len", &tables::RECEIPT, field(3, &[1; 31])),
        refused(9, "too many messages", course, titles(17)),
        refused(9, "too many strings", &tables::CREDIT_UNIT, countries(65)),
        refused(9, "too many integers, which are out of order as well", key, join(&[&[0x32, 65], &[3; 65]]).as_slice()),
        refused(9, "too many elements of a list", &tables::DISCLOSED_RECORD, field(7, &[1; 32]).repeat(11)),
        refused(
            9,
            "a set of messages not ascending",
            course,
            join(&[&field(2, &field(1, b"fr")), &field(2, &field(1, b"en"))]),
        ),
        refused(9, "a set of messages with one twice", course, field(2, &field(1, b"en")).repeat(2)),
        refused(9, "a set of strings not ascending", fields, join(&[&field(5, b"07"), &field(5, b"06")])),
        refused(9, "a set of strings with one twice", fields, field(5, b"06").repeat(2)),
        refused(
            9,
            "a set of strings with a prefix after what it begins",
            fields,
            join(&[&field(5, b"061"), &field(5, b"06")]),
        ),
        refused(9, "a set of integers not ascending", key, [0x32, 0x02, 0x04, 0x03]),
        refused(9, "a set of integers with one twice", key, [0x32, 0x02, 0x03, 0x03]),
        refused(10, "not UTF-8: a wrong continuation", &tables::TEXT, field(2, &[0xc3, 0x28])),
        refused(10, "not UTF-8: cut off", &tables::TEXT, field(2, &[0xe2, 0x82])),
        refused(10, "not UTF-8: a surrogate", &tables::TEXT, field(2, &[0xed, 0xa0, 0x80])),
        refused(10, "not UTF-8: overlong", &tables::TEXT, field(2, &[0xc0, 0x80])),
        refused(10, "not UTF-8: above U+10FFFF", &tables::TEXT, field(2, &[0xf4, 0x90, 0x80, 0x80])),
        refused(10, "a code with a space", &tables::GRADE_SCALE, field(1, b"a b")),
        refused(10, "a code with a control character", &tables::GRADE_SCALE, field(1, b"a\n")),
        refused(10, "a code with 0x7f", &tables::GRADE_SCALE, field(1, &[0x7f])),
        refused(10, "a code beyond ASCII", &tables::GRADE_SCALE, field(1, "\u{e9}".as_bytes())),
        refused(10, "a code as an element with a space", fields, field(5, b"0 6")),
        refused(11, "a date without a year", date, [0x10, 0x02]),
        refused(11, "a date without a month", date, [0x08, 0xea, 0x0f, 0x18, 0x01]),
        refused(11, "the 29th of February of 2026", date, [0x08, 0xea, 0x0f, 0x10, 0x02, 0x18, 0x1d]),
        refused(11, "the 29th of February of 1900", date, [0x08, 0xec, 0x0e, 0x10, 0x02, 0x18, 0x1d]),
        refused(11, "the 31st of April", date, [0x08, 0xea, 0x0f, 0x10, 0x04, 0x18, 0x1f]),
        refused(11, "in a nested message", credit, field(14, &field(1, &[0x08, 0xea, 0x0f]))),
    ]
}

fn titles(count: usize) -> Vec<u8> {
    let titles = (0..count).map(|number| text("en", &format!("{number:02}"))).collect();
    pb::Course { code: String::new(), titles }.encode_to_vec()
}

fn countries(count: u8) -> Vec<u8> {
    let countries = (0..count).map(|n| format!("{}{}", char::from(b'A' + n / 26), char::from(b'A' + n % 26))).collect();
    pb::CreditUnit { countries, ..Default::default() }.encode_to_vec()
}

fn right() -> Vec<Value> {
    let (course, date, key, fields) = (&tables::COURSE, &tables::DATE, &tables::KEY, &tables::ACCREDITATION);
    let both = pb::Course { code: "ALG-1".to_owned(), titles: vec![text("en", "Algebra"), text("fr", "Alg\u{e8}bre")] };
    let both = encode(&both).expect("canonical");
    vec![
        accepted("two titles, the shorter encoding not first", course, both),
        accepted("all defaults: no bytes", course, []),
        accepted("no fields, no bytes", &tables::MARKER, []),
        accepted("a marker is written empty", &tables::SUBJECT_STATEMENT, [0x52, 0x00]),
        accepted("bool 1", &tables::LISTED_GRADE, [0x10, 0x01]),
        accepted("2^64 - 1 where there is no max", &tables::PLACE, join(&[&[0x08], &MAX_U64])),
        accepted("2^32 - 1 where the type is uint32", &tables::BLOCK_HEADER, [0x28, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        accepted("the largest amount", &tables::AMOUNT, [0x08, 0x80, 0xc8, 0xaf, 0xa0, 0x25]),
        accepted("the last date", date, [0x08, 0x8f, 0x4e, 0x10, 0x0c, 0x18, 0x1f]),
        accepted("one value in a packed run", key, [0x32, 0x01, 0x46]),
        accepted("two kinds in one packed run", key, [0x32, 0x02, 0x03, 0x04]),
        accepted("a code of max_len", &tables::GRADE_SCALE, field(1, &[b'x'; 64])),
        accepted("a code of 0x21 and 0x7e", &tables::GRADE_SCALE, field(1, b"!~")),
        accepted("a course code of max_len", course, join(&[&[0x0a, 0x80, 0x02], &[b'x'; 256]])),
        accepted("a course code is no code", course, field(1, "\u{e9} \u{0}".as_bytes())),
        accepted("bytes of len", &tables::CREDIT, field(1, &[0; 16])),
        accepted("bytes of max_len", &tables::BLOCK, join(&[&[0x0a, 0x80, 0x08], &[0; 1_024]])),
        accepted("max_items messages", course, titles(16)),
        accepted("max_items strings", &tables::CREDIT_UNIT, countries(64)),
        accepted("a prefix before what it begins", fields, join(&[&field(5, b"06"), &field(5, b"061")])),
        accepted(
            "elements compare by their bytes, not by their lengths",
            fields,
            join(&[&field(5, b"0613"), &field(5, b"07")]),
        ),
        accepted(
            "a list keeps its order and may repeat",
            &tables::RECEIPT,
            join(&[&field(3, &[2; 32]), &field(3, &[1; 32]), &field(3, &[1; 32])]),
        ),
        accepted(
            "text that is not normalised, with U+0000 and U+10FFFF",
            &tables::TEXT,
            field(2, "e\u{301}\u{0}\u{10ffff}".as_bytes()),
        ),
        accepted("a place of entry 0", &tables::PLACE, [0x10, 0x01]),
    ]
}

#[test]
fn canonical() {
    let refused: Vec<Value> = forms().into_iter().chain(values()).collect();
    for rule in 1..=10 {
        assert!(refused.iter().any(|case| case["rule"] == rule), "rule {rule}");
    }
    agree(
        "canonical.json",
        &json!({
            "about": "PROTOCOL.md, Canonical messages. `rule` is the number in section 2. No message type of this version can nest \
                      deeper than 16, so rule 12 has no bytes; 0 in a packed run of integers neither, as there is none.",
            "accepted": right(),
            "refused": refused,
        }),
    );
}
