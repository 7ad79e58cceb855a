//! Blocks that are refused before the rules: form, hashes, signature, place in the chain. Which name the node gives
//! each, its own test says (`creditbank-server`, `grpc/status.rs`); here is checked that the place in the chain is as
//! wrong as said.

use creditbank_protocol::block::{Public, SignedBlock};
use creditbank_protocol::hash::{Preimage, tag};
use creditbank_protocol::key::sign;
use creditbank_protocol::pb::{self, Action, Basis, Kind};
use creditbank_protocol::record::Record;
use prost::Message as _;
use serde_json::{Value, json};

use super::case::{Case, PLACE, REGISTRY_KEY, approval, beside, effect, id_of, shown_places, signing};
use crate::fixtures::{credit, institution, record, result};
use crate::world::NOW_MS;

const NOW_MINUTE: u64 = NOW_MS / 60_000;
const DAY: u64 = 1_440;

/// A block in parts, and the records beside it.
struct Parts {
    header: pb::BlockHeader,
    public: Vec<u8>,
    block: pb::Block,
    signer: u8,
    /// Bends the header's bytes before they are signed.
    respell: fn(Vec<u8>) -> Vec<u8>,
    records: Vec<Value>,
}

impl Parts {
    fn new() -> Self {
        Self::of(&Case::new(None, ""))
    }

    fn of(case: &Case) -> Self {
        let block = pb::Block::decode(&case.block()[..]).expect("a block");
        let header = pb::BlockHeader::decode(&block.header[..]).expect("a header");
        let public = block.public_part.clone();
        Self { header, public, block, signer: case.signer, respell: |bytes| bytes, records: case.hidden() }
    }

    /// Another public part, which the header names.
    fn publish(&mut self, public: &pb::PublicPart) {
        self.public = public.encode_to_vec();
        // What is not canonical has no pieces, and is refused before they are looked at.
        if let Ok(public) = Public::parse(&self.public) {
            let pieces = public.pieces();
            (self.header.public_root, self.header.public_count) = (pieces.root.0.to_vec(), pieces.count);
        }
    }

    /// The block, signed once more.
    fn sign(mut self) -> (pb::Block, Vec<Value>) {
        self.block.header = (self.respell)(self.header.encode_to_vec());
        self.block.public_part = self.public;
        let message = Preimage::new(tag::BLOCK_SIGNATURE).variable(&self.block.header);
        self.block.signature = sign(&signing(self.signer), message.as_bytes()).to_vec();
        (self.block, self.records)
    }
}

fn shown(name: &str, about: &str, block: &[u8], records: &[Value]) -> Value {
    json!({ "name": name, "about": about, "block": hex::encode(block), "records": records })
}

/// A block whose parts are bent before it is signed.
fn bent(name: &str, about: &str, change: impl FnOnce(&mut Parts)) -> Value {
    let mut parts = Parts::new();
    change(&mut parts);
    let (block, records) = parts.sign();
    shown(name, about, &block.encode_to_vec(), &records)
}

/// A block that is bent after it was signed.
fn broken(name: &str, about: &str, change: impl FnOnce(&mut pb::Block)) -> Value {
    let (mut block, records) = Parts::new().sign();
    change(&mut block);
    shown(name, about, &block.encode_to_vec(), &records)
}

fn bytes() -> Vec<Value> {
    let (honest, records) = Parts::new().sign();
    let two = |second: pb::EffectGroup| {
        let groups = vec![effect(Action::Revoke, Basis::Issuer), second];
        move |parts: &mut Parts| parts.publish(&pb::PublicPart { records: Vec::new(), groups })
    };
    let public = |index, kind: Kind| pb::PublicRecord { index, kind: kind.into(), version: 1, body: Vec::new() };
    let showing = |records: Vec<pb::PublicRecord>| {
        move |parts: &mut Parts| parts.publish(&pb::PublicPart { records, groups: Vec::new() })
    };
    let acting = |group: pb::EffectGroup| {
        move |parts: &mut Parts| parts.publish(&pb::PublicPart { records: Vec::new(), groups: vec![group] })
    };
    let silent = |action| {
        let mut group = effect(action, Basis::Issuer);
        group.effects[0].place = None;
        group
    };
    let mut held_again = effect(Action::Reinstate, Basis::Issuer);
    (held_again.effects[0].redemption_plus_1, held_again.effects[0].contested_plus_1) = (7, 9);
    let mut twice = effect(Action::Revoke, Basis::Issuer);
    let mut other = twice.effects[0].clone();
    other.reason = pb::EffectReason::Rule.into();
    twice.effects.push(other);
    vec![
        json!({ "name": "BLOCK_TOO_LONG", "about": "67,587 bytes of zero", "block": "", "zeros": 67_587, "records": [] }),
        shown(
            "NOT_CANONICAL",
            "a field that is not in the schema",
            &[honest.encode_to_vec(), vec![0xfa, 0x7f, 1, 1]].concat(),
            &records,
        ),
        shown("NOT_CANONICAL", "no bytes of the last field", &honest.encode_to_vec()[..60], &records),
        bent("NOT_CANONICAL", "a header whose fields are out of order", |parts| {
            parts.respell = |bytes| [&bytes[2..4], &bytes[..2], &bytes[4..]].concat();
        }),
        bent("NOT_CANONICAL", "a header with a default written", |parts| {
            parts.respell = |bytes| [&bytes[..4], &[0x1a, 0x00], &bytes[4..]].concat();
        }),
        bent(
            "NOT_CANONICAL",
            "a public part with groups out of order",
            two(effect(Action::Redeem, Basis::Issuer)).pipe_reversed(),
        ),
        bent("UNKNOWN_VERSION", "another suite", |parts| parts.header.suite = 65_535),
        bent("UNKNOWN_VERSION", "no suite", |parts| parts.header.suite = 0),
        bent("UNKNOWN_VERSION", "another version", |parts| parts.header.version = 65_535),
        bent("UNKNOWN_VERSION", "no header", |parts| parts.respell = |_| Vec::new()),
        broken("UNKNOWN_VERSION", "a second signature", |block| block.second_signature = vec![1; 64]),
        bent("MISSING_FIELD", "no origin", |parts| parts.header.origin.clear()),
        bent("MISSING_FIELD", "no previous", |parts| parts.header.previous.clear()),
        bent("MISSING_FIELD", "no records root", |parts| parts.header.records_root.clear()),
        bent("MISSING_FIELD", "no public root", |parts| parts.header.public_root.clear()),
        bent("MISSING_FIELD", "no operation id", |parts| parts.header.operation_id.clear()),
        bent("MISSING_FIELD", "no key id", |parts| parts.header.key_id.clear()),
        broken("MISSING_FIELD", "no signature", |block| block.signature.clear()),
        bent("WRONG_PUBLIC_ROOT", "another root", |parts| parts.header.public_root[0] ^= 1),
        bent("WRONG_PUBLIC_ROOT", "another number of pieces", |parts| parts.header.public_count += 1),
        broken("WRONG_PUBLIC_ROOT", "a public part that was not signed", |block| {
            block.public_part =
                pb::PublicPart { records: Vec::new(), groups: vec![effect(Action::Revoke, Basis::Issuer)] }
                    .encode_to_vec();
        }),
        bent("WRONG_PUBLIC_INDEX", "a position that the block does not have", showing(vec![public(1, Kind::Unit)])),
        bent("WRONG_PUBLIC_INDEX", "positions not ascending", |parts| {
            parts.header.count = 3;
            parts.publish(&pb::PublicPart {
                records: vec![public(1, Kind::Unit), public(0, Kind::Unit)],
                groups: Vec::new(),
            });
        }),
        bent("WRONG_PUBLIC_INDEX", "a position twice", |parts| {
            parts.header.count = 3;
            parts.publish(&pb::PublicPart {
                records: vec![public(1, Kind::Unit), public(1, Kind::Unit)],
                groups: Vec::new(),
            });
        }),
        bent("REPEATED_EFFECT", "a status id twice in a group", |parts| {
            parts.publish(&pb::PublicPart { records: Vec::new(), groups: vec![twice] });
        }),
        bent("REPEATED_EFFECT", "a status id in two groups", two(effect(Action::Revoke, Basis::Custodian))),
        bent(
            "WRONG_PLACE",
            "a redemption that shows the record's place",
            acting(effect(Action::Redeem, Basis::Mandate)),
        ),
        bent("WRONG_PLACE", "a release that shows the record's place", acting(effect(Action::Release, Basis::Issuer))),
        bent(
            "WRONG_PLACE",
            "a review that shows the record's place",
            acting(effect(Action::Review, Basis::Dependency)),
        ),
        bent(
            "WRONG_PLACE",
            "the end of a review by dependency that shows the record's place",
            acting(effect(Action::CloseReview, Basis::Dependency)),
        ),
        bent("WRONG_PLACE", "a release undone that shows the record's place", acting(held_again)),
        bent("WRONG_PLACE", "a revocation without a place", acting(silent(Action::Revoke))),
        bent("WRONG_PLACE", "a supersession without a place", acting(silent(Action::Supersede))),
        bent("WRONG_PLACE", "a confirmation without a place", acting(silent(Action::Confirm))),
        bent("WRONG_PLACE", "the issuer's end of a review without a place", acting(silent(Action::CloseReview))),
        bent("WRONG_PLACE", "a reinstatement without a place", acting(silent(Action::Reinstate))),
    ]
}

/// Exchanges the order of what a change publishes: the second group first.
trait Reversed {
    fn pipe_reversed(self) -> impl FnOnce(&mut Parts);
}

impl<F: FnOnce(&mut Parts)> Reversed for F {
    fn pipe_reversed(self) -> impl FnOnce(&mut Parts) {
        move |parts: &mut Parts| {
            self(parts);
            let mut public = pb::PublicPart::decode(&parts.public[..]).expect("a public part");
            let ordered = |groups: &[pb::EffectGroup]| groups[0].encode_to_vec() < groups[1].encode_to_vec();
            if ordered(&public.groups) {
                public.groups.reverse();
            }
            parts.publish(&public);
        }
    }
}

fn signatures() -> Vec<Value> {
    let approved = |name: &str, about: &str, approver: u8, flip: bool| {
        let mut case = Case::new(None, "");
        case.approver = Some(approver);
        let mut block = pb::Block::decode(&case.block()[..]).expect("a block");
        block.approvals[0].signature[0] ^= u8::from(flip);
        shown(name, about, &block.encode_to_vec(), &case.hidden())
    };
    let bent_approval = |about: &str, bend: fn(&mut pb::Approval)| {
        let mut case = Case::new(None, "");
        case.approver = Some(5);
        let mut block = pb::Block::decode(&case.block()[..]).expect("a block");
        bend(&mut block.approvals[0]);
        shown("WRONG_SIGNATURE", about, &block.encode_to_vec(), &case.hidden())
    };
    let for_another_count = {
        let mut parts = Parts::new();
        let signed = SignedBlock::parse(&parts.block.encode_to_vec()).expect("a block");
        let approval = approval(signed.header(), 5, Case::new(None, "").approved_until);
        // An approval of the same records under another operation.
        parts.header.operation_id = vec![9; 16];
        let (mut block, records) = parts.sign();
        block.approvals = vec![approval];
        shown("WRONG_SIGNATURE", "an approval of another operation", &block.encode_to_vec(), &records)
    };
    // One redemption, and so many places beside it.
    let redeeming = |about: &str, places: &[pb::Place]| {
        let group = pb::EffectGroup {
            effects: vec![pb::Effect { place: None, ..effect(Action::Redeem, Basis::Mandate).effects[0].clone() }],
            ..effect(Action::Redeem, Basis::Mandate)
        };
        let publish = |parts: &mut Parts| parts.publish(&pb::PublicPart { records: Vec::new(), groups: vec![group] });
        let mut case = bent("WRONG_PLACE_COUNT", about, publish);
        case["places"] = json!(shown_places(places));
        case
    };
    let mut none_needed = bent("WRONG_PLACE_COUNT", "a place beside a block that needs none", |_| ());
    none_needed["places"] = json!(shown_places(&[PLACE]));
    vec![
        bent("WRONG_ORIGIN", "another log", |parts| parts.header.origin = "test.example/other".to_owned()),
        bent("WRONG_COUNT", "more records beside the block than it has", |parts| {
            parts.records.push(parts.records[0].clone())
        }),
        redeeming("a redemption without the place of its record", &[]),
        redeeming("one place too many beside the block", &[PLACE, PLACE]),
        none_needed,
        bent("UNKNOWN_KEY", "a key that the registry does not have", |parts| parts.header.key_id = vec![1; 16]),
        bent("KEY_OF_ANOTHER", "a unit's key for the operator", |parts| {
            (parts.header.institution, parts.header.unit) = (0, 0)
        }),
        bent("KEY_OF_ANOTHER", "the operator's key for a unit", |parts| {
            (parts.header.key_id, parts.signer) = (id_of(REGISTRY_KEY).0.to_vec(), REGISTRY_KEY);
        }),
        bent("WRONG_SIGNATURE", "by another key than the header names", |parts| parts.signer = REGISTRY_KEY),
        broken("MISSING_FIELD", "an approval without a salt", |block| {
            block.approvals = vec![pb::Approval { key_id: vec![1; 16], signature: vec![1; 64], ..Default::default() }];
        }),
        broken("WRONG_SIGNATURE", "a changed signature", |block| block.signature[0] ^= 1),
        broken("WRONG_SIGNATURE", "S + L", |block| {
            let order = [
                0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
                0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10u8,
            ];
            let mut carry = 0u16;
            for (byte, add) in block.signature[32..].iter_mut().zip(order) {
                let sum = u16::from(*byte) + u16::from(add) + carry;
                (*byte, carry) = (u8::try_from(sum & 0xff).expect("a byte"), sum >> 8);
            }
        }),
        broken("REPEATED_APPROVAL", "two approvals by one key", |block| {
            let one = pb::Approval { key_id: vec![1; 16], salt: vec![1; 16], ..Default::default() };
            block.approvals = vec![one.clone(), pb::Approval { salt: vec![2; 16], ..one }];
        }),
        approved("NOT_AN_APPROVER", "an approval by a key that the registry does not have", 99, false),
        approved("WRONG_SIGNATURE", "an approval whose signature does not hold", 5, true),
        bent_approval("an approval with another last minute than the one that was signed", |one| one.until_minute += 1),
        bent_approval("an approval with another salt than the one that was signed", |one| one.salt[0] ^= 1),
        for_another_count,
    ]
}

fn records() -> Vec<Value> {
    let with = |about, change: fn(&mut serde_json::Map<String, Value>)| {
        bent("RECORD_MALFORMED", about, |parts| change(parts.records[0].as_object_mut().expect("an object")))
    };
    let two = || {
        let mut case = Case::new(None, "");
        case.records.push(record(Kind::Credit, &credit(), 2));
        case
    };
    let same_seed = {
        let mut case = Case::new(None, "");
        case.records.push(record(Kind::Result, &result(), 1));
        let (block, records) = Parts::of(&case).sign();
        shown("RECORD_MALFORMED", "two records with one seed", &block.encode_to_vec(), &records)
    };
    let swapped = {
        let (block, mut records) = Parts::of(&two()).sign();
        records.reverse();
        shown("WRONG_RECORDS_ROOT", "the records in another order", &block.encode_to_vec(), &records)
    };
    let fewer = {
        let (block, mut records) = Parts::of(&two()).sign();
        records.pop();
        shown("WRONG_COUNT", "fewer records beside the block than it has", &block.encode_to_vec(), &records)
    };
    let hidden = {
        // The root is right: the same record, shown to nobody.
        let case = Case::operator(None, "", Kind::Institution, &institution(3));
        let mut parts = Parts::of(&case);
        parts.publish(&pb::PublicPart::default());
        parts.records = vec![beside(&case.records[0])];
        let (block, records) = parts.sign();
        shown("WRONG_PART", "a registry record beside the block", &block.encode_to_vec(), &records)
    };
    let public = {
        let own = Case::new(None, "").records.remove(0);
        let shown_record = Record::of(Kind::Credit, &[1; 32], own.body().to_vec()).expect("a record");
        let mut parts = Parts::new();
        parts.header.records_root = creditbank_protocol::merkle::records_root(&[shown_record.hash()]).0.to_vec();
        let record = pb::PublicRecord { index: 0, kind: 3, version: 1, body: own.body().to_vec() };
        parts.publish(&pb::PublicPart { records: vec![record], groups: Vec::new() });
        parts.records.clear();
        let (block, records) = parts.sign();
        shown("WRONG_PART", "a learner's record in the public part", &block.encode_to_vec(), &records)
    };
    let odd_version = {
        let case = Case::operator(None, "", Kind::Institution, &institution(3));
        let mut parts = Parts::of(&case);
        let mut part = pb::PublicPart::decode(&parts.public[..]).expect("a public part");
        part.records[0].version = 65_535;
        parts.publish(&part);
        let (block, records) = parts.sign();
        shown("RECORD_MALFORMED", "a public record of another version", &block.encode_to_vec(), &records)
    };
    vec![
        with("an unknown kind", |record| drop(record.insert("kind".to_owned(), json!(63)))),
        with("another version", |record| drop(record.insert("version".to_owned(), json!(65_535)))),
        with("a seed of zeros", |record| drop(record.insert("seed".to_owned(), json!(hex::encode([0; 32]))))),
        with("a seed of 31 bytes", |record| drop(record.insert("seed".to_owned(), json!(hex::encode([1; 31]))))),
        with("a body that is not canonical", |record| drop(record.insert("body".to_owned(), json!("0800")))),
        odd_version,
        fewer,
        hidden,
        public,
        same_seed,
        swapped,
        bent("WRONG_RECORDS_ROOT", "another record", |parts| {
            parts.records = vec![beside(&record(Kind::Credit, &credit(), 9))]
        }),
        bent("WRONG_RECORDS_ROOT", "another root", |parts| parts.header.records_root[0] ^= 1),
    ]
}

/// What the ledger knows of the unit's chain: nothing, or the next height, the head's header id and its time.
fn placed(name: &str, about: &str, head: Option<(u64, [u8; 32], u64)>, change: fn(&mut pb::BlockHeader)) -> Value {
    let mut case = bent(name, about, |parts| change(&mut parts.header));
    let chain = head.map(|(next_height, previous, created_at_minute)| {
        json!({ "next_height": next_height, "previous": hex::encode(previous), "created_at_minute": created_at_minute })
    });
    case.as_object_mut().expect("an object").insert("chain".to_owned(), json!(chain));
    let header = pb::Block::decode(&super::scene::bytes(&case["block"])[..]).expect("a block").header;
    let header = pb::BlockHeader::decode(&header[..]).expect("a header");
    assert_eq!(place(head, &header), name, "{about}");
    case
}

/// Section 5: the place in the chain, in the order of checking.
fn place(head: Option<(u64, [u8; 32], u64)>, header: &pb::BlockHeader) -> &'static str {
    let Some((next, previous, created)) = head else {
        return if header.institution > 2 { "UNKNOWN_INSTITUTION" } else { "UNKNOWN_UNIT" };
    };
    if header.height < next {
        "STALE_HEAD"
    } else if header.height > next {
        "WRONG_HEIGHT"
    } else if header.previous != previous {
        "WRONG_PREVIOUS"
    } else if header.created_at_minute < created || header.created_at_minute.abs_diff(NOW_MINUTE) > DAY {
        "WRONG_TIME"
    } else {
        "nothing"
    }
}

fn places() -> Vec<Value> {
    let head = Some((0, [4; 32], 0));
    vec![
        placed("UNKNOWN_INSTITUTION", "a chain of an unknown institution", None, |header| header.institution = 77),
        placed("UNKNOWN_UNIT", "a chain of an unknown unit", None, |header| header.unit = 9),
        placed("STALE_HEAD", "a height at which another block stands", Some((1, [9; 32], NOW_MINUTE)), |_| ()),
        placed("WRONG_HEIGHT", "a height that leaves one out", head, |header| header.height = 1),
        placed("WRONG_PREVIOUS", "not on the head", head, |header| header.previous = vec![5; 32]),
        placed("WRONG_TIME", "before the head", Some((0, [4; 32], NOW_MINUTE + 1)), |_| ()),
        placed("WRONG_TIME", "a day and a minute before the seal", head, |header| {
            header.created_at_minute = NOW_MINUTE - DAY - 1
        }),
        placed("WRONG_TIME", "a day and a minute after the seal", head, |header| {
            header.created_at_minute = NOW_MINUTE + DAY + 1
        }),
    ]
}

pub(crate) fn cases() -> Vec<Value> {
    [bytes(), signatures(), records(), places()].concat()
}
