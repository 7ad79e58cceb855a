//! The canonical subset: one value, one spelling.
#![allow(missing_docs, clippy::unwrap_used)]

use creditbank_protocol::canonical::{Fault, Field, Many, Message, Shape, check, decode, encode, tables};
use creditbank_protocol::pb;
use creditbank_protocol::record::{Record, RecordError, kind_info};
use proptest::prelude::*;

fn text(language: &str, value: &str) -> pb::Text {
    pb::Text { language: language.to_owned(), value: value.to_owned() }
}

fn credit() -> pb::Credit {
    pb::Credit {
        learner: vec![7; 16],
        course: Some(pb::Course {
            code: "AAA".to_owned(),
            titles: vec![text("en", "Algebra"), text("fr", "Alg\u{e8}bre")],
        }),
        amount: Some(pb::Amount { e4: 600_000, unit: "CATS".to_owned() }),
        attempt: 1,
        earlier: vec![pb::Place { entry: 4, index: 0 }, pb::Place { entry: 4, index: 2 }],
        ..Default::default()
    }
}

/// Goal: each rule of the subset has bytes that break it alone, and the error names the rule and the field.
#[test]
fn every_rule_refuses() {
    let cases: &[(&[u8], Fault)] = &[
        (&[0x08], Fault::Truncated),
        (&[0x12, 0x05, b'a'], Fault::Truncated),
        (&[0x08, 0x81, 0x00], Fault::Varint),
        (&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], Fault::Varint),
        (&[0x18, 0x01], Fault::UnknownField(3)),
        (&[0x0d, 0, 0, 0, 1], Fault::WireType { expected: 0, found: 5 }),
        (&[0x12, 0x01, b'a', 0x08, 0x01], Fault::Order),
        (&[0x08, 0x01, 0x08, 0x01], Fault::Repeated),
        (&[0x08, 0x00], Fault::Default),
        (&[0x12, 0x00], Fault::Default),
        (&[0x12, 0x01, 0xff], Fault::Utf8),
        (&[0x12, 0x01, b' '], Fault::Code),
        (&[0x12, 0x02, 0xc3, 0xa9], Fault::Code),
        (&[0x08, 0x81, 0xc8, 0xaf, 0xa0, 0x25], Fault::TooLarge { max: 10_000_000_000, found: 10_000_000_001 }),
    ];
    assert_eq!(check(&tables::AMOUNT, &[0x08, 0x01, 0x12, 0x01, b'a']), Ok(()));
    for (bytes, fault) in cases {
        assert_eq!(check(&tables::AMOUNT, bytes).unwrap_err().fault, *fault, "{bytes:02x?}");
    }
    let long = [&[0x12, 33][..], &[b'a'; 33]].concat();
    assert_eq!(check(&tables::AMOUNT, &long).unwrap_err().fault, Fault::Length { min: 1, max: 32, found: 33 });
    let short_alias = check(&tables::CREDIT, &[0x0a, 1, 7]).unwrap_err();
    assert_eq!(short_alias.to_string(), "Credit.learner: 1 bytes, expected 16 to 16");
    assert_eq!(check(&tables::CREDIT, &[0x1a, 0]).unwrap_err().fault, Fault::Default, "an empty message");
    assert_eq!(check(&tables::CREDIT, &[0x58, 9]).unwrap_err().fault, Fault::UnknownEnum(9));
    // Packed lists: Key.kinds.
    assert_eq!(check(&tables::KEY, &[0x32, 2, 3, 4]), Ok(()));
    assert_eq!(check(&tables::KEY, &[0x30, 3]).unwrap_err().fault, Fault::NotPacked);
    assert_eq!(check(&tables::KEY, &[0x32, 1, 3, 0x32, 1, 4]).unwrap_err().fault, Fault::NotPacked);
    assert_eq!(check(&tables::KEY, &[0x32, 0]).unwrap_err().fault, Fault::Default);
    assert_eq!(check(&tables::KEY, &[0x32, 2, 4, 3]).unwrap_err().fault, Fault::SetOrder);
    assert_eq!(check(&tables::KEY, &[0x32, 2, 3, 3]).unwrap_err().fault, Fault::SetOrder);
}

/// Goal: a set that is out of order or repeats itself is refused, also on the way out.
#[test]
fn sets_are_ascending() {
    let mut unsorted = credit();
    unsorted.course.as_mut().unwrap().titles.reverse();
    assert_eq!(encode(&unsorted).unwrap_err().fault, Fault::SetOrder);
    let mut twice = credit();
    twice.earlier.push(pb::Place { entry: 4, index: 2 });
    assert_eq!(encode(&twice).unwrap_err().fault, Fault::SetOrder);
    let mut many = credit();
    many.earlier = (1..=17).map(|entry| pb::Place { entry, index: 0 }).collect();
    assert_eq!(encode(&many).unwrap_err().fault, Fault::TooMany { max: 16 });
}

/// Goal: names that are not in Unicode's normal form C are kept byte for byte.
#[test]
fn names_are_never_normalised() {
    let decomposed = "Zoe\u{308} Nguye\u{302}\u{303}n";
    let name = pb::PersonName { language: "vi".to_owned(), full: decomposed.to_owned(), ..Default::default() };
    let identity = pb::Identity { learner: vec![1; 16], names: vec![name], ..Default::default() };
    let bytes = encode(&identity).unwrap();
    assert_eq!(decode::<pb::Identity>(&bytes).unwrap().names[0].full.as_bytes(), decomposed.as_bytes());
}

/// Goal: the fields of every kind are numbered from 1 without gaps, as its claims are.
#[test]
fn claims_are_dense() {
    for info in (0..128).filter_map(kind_info) {
        for (number, field) in (1..).zip(info.schema.fields) {
            assert_eq!(field.number, number, "{}.{}", info.name(), field.name);
        }
        assert!(info.required.iter().all(|number| info.schema.field(u64::from(*number)).is_some()));
    }
}

/// Goal: a record's hash covers every byte of it: body, seed, kind and version.
#[test]
fn record_hash_covers_everything() {
    let body = encode(&credit()).unwrap();
    let record = Record::new(3, 1, &[9; 32], body.clone()).unwrap();
    let mut other = credit();
    other.attempt = 2;
    assert_ne!(record.hash(), Record::new(3, 1, &[9; 32], encode(&other).unwrap()).unwrap().hash());
    assert_ne!(record.hash(), Record::new(3, 1, &[8; 32], body.clone()).unwrap().hash());
    assert_eq!(
        Record::new(3, 2, &[9; 32], body.clone()).unwrap_err(),
        RecordError::UnknownVersion { kind: "Credit", expected: 1, found: 2 }
    );
    assert_eq!(Record::new(63, 1, &[9; 32], body.clone()).unwrap_err(), RecordError::UnknownKind(63));
    assert_eq!(Record::new(3, 1, &[9; 31], body).unwrap_err(), RecordError::Seed { found: 31 });
}

proptest! {
    /// Goal: arbitrary bytes never panic, and whatever decodes re-encodes to the same bytes.
    #[test]
    fn one_spelling(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        if let Ok(credit) = decode::<pb::Credit>(&bytes) {
            prop_assert_eq!(encode(&credit).unwrap(), bytes.clone());
        }
        if let Ok(part) = decode::<pb::PublicPart>(&bytes) {
            prop_assert_eq!(encode(&part).unwrap(), bytes);
        }
    }

    /// Goal: the same, from canonical bytes with one byte changed, which come closer to the edge.
    #[test]
    fn one_spelling_near_canonical(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encode(&credit()).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(credit) = decode::<pb::Credit>(&bytes) {
            prop_assert_eq!(encode(&credit).unwrap(), bytes);
        }
    }
}

/// A message of itself, as the schema of this version has none.
static NESTED: Message = Message {
    name: "Nested",
    fields: &[
        Field { number: 1, name: "inner", many: Many::One, shape: Shape::Message(&NESTED), prose: false },
        Field { number: 2, name: "value", many: Many::One, shape: Shape::Integer { max: 1 }, prose: false },
    ],
};

/// Goal: rule 11. Sixteen messages in each other are read, seventeen are not.
#[test]
fn nesting_has_a_bound() {
    let nested = |depth: usize| {
        (1..depth).fold(vec![0x10, 1], |inner, _| {
            let length = u8::try_from(inner.len()).unwrap();
            [&[0x0a, length][..], &inner].concat()
        })
    };
    assert_eq!(check(&NESTED, &nested(16)), Ok(()));
    assert_eq!(check(&NESTED, &nested(17)).unwrap_err().fault, Fault::Depth);
}

/// Goal: what the vectors say of rule 11 is so: no message of the schema can nest deeper than 16.
#[test]
fn the_schema_is_shallow() {
    fn depth(message: &'static Message) -> usize {
        let inner = |field: &Field| match field.shape {
            Shape::Message(inner) => depth(inner),
            _ => 0,
        };
        1 + message.fields.iter().map(inner).max().unwrap_or(0)
    }
    assert!(depth(&tables::TRANSCRIPT) <= 16);
    assert!((0..128).filter_map(kind_info).all(|info| depth(info.schema) <= 16));
}
