//! Blocks, approvals, entries, seals.

use creditbank_protocol::approval::{approval_digest, approval_message};
use creditbank_protocol::block::{BlockDraft, Public, SignedBlock, Slice, in_order, slices};
use creditbank_protocol::canonical::encode;
use creditbank_protocol::entry::{BlockEntries, Entry};
use creditbank_protocol::hash::{Preimage, tag};
use creditbank_protocol::key::{KeyId, sign};
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::seal::{Seal, SignedSeal};
use creditbank_protocol::status::status_id;
use creditbank_protocol::{Digest, UnitId};
use prost::Message as _;
use serde_json::json;

use super::records::{credit, record};
use super::{agree, hex, key};

pub(super) const ORIGIN: &str = "test.example/log";

/// The first block of a unit.
pub(super) fn draft() -> BlockDraft {
    BlockDraft {
        origin: ORIGIN.to_owned(),
        unit: UnitId::new(7, 2),
        height: 0,
        previous: Digest([4; 32]),
        operation_id: [8; 16],
        created_at_minute: 29_924_154,
        key_id: KeyId::of(&key(3).verifying_key().to_bytes()),
    }
}

fn first_seal(first_index: u64, index: u64) -> Seal {
    Seal {
        origin: ORIGIN.to_owned(),
        first_index: first_index.into(),
        index: index.into(),
        status_root: Digest::ZERO,
        registry_root: Digest([9; 32]),
        rules_version: 1,
        time_ms: 1_795_449_277_505,
        records_total: index * 10,
        previous: super::log_keys(ORIGIN, &key(1), &key(2)).genesis(),
    }
}

/// The entry of the log's first seal.
pub(super) fn seal(first_index: u64, index: u64) -> Vec<u8> {
    first_seal(first_index, index).sign(|message| sign(&key(1), message)).expect("a seal")
}

/// A seal whose content is bent and signed all the same.
fn bent(change: impl FnOnce(&mut pb::Seal)) -> Vec<u8> {
    let mut signed = pb::SignedSeal::decode(&seal(0, 3)[1..]).expect("a seal");
    let mut content = pb::Seal::decode(&signed.seal[..]).expect("a seal");
    change(&mut content);
    signed.seal = content.encode_to_vec();
    let message = Preimage::new(tag::SEAL_SIGNATURE).variable(&signed.seal);
    signed.signature = sign(&key(1), message.as_bytes()).to_vec();
    [&[0x02][..], &signed.encode_to_vec()].concat()
}

/// Entries that are no seal of the log.
fn refused_seals() -> Vec<serde_json::Value> {
    let outer = |change: fn(&mut pb::SignedSeal)| {
        let mut signed = pb::SignedSeal::decode(&seal(0, 3)[1..]).expect("a seal");
        change(&mut signed);
        [&[0x02][..], &signed.encode_to_vec()].concat()
    };
    let cases = [
        ("no bytes", Vec::new()),
        ("another type byte", [&[0x03][..], &seal(0, 3)[1..]].concat()),
        ("a block's type byte", [&[0x01][..], &seal(0, 3)[1..]].concat()),
        ("nothing after the type byte", vec![0x02]),
        ("another suite", bent(|seal| seal.suite = 65_535)),
        ("no suite", bent(|seal| seal.suite = 0)),
        ("another version", bent(|seal| seal.version = 65_535)),
        ("no origin", bent(|seal| seal.origin.clear())),
        ("a round that ends before it begins", bent(|seal| seal.first_index = 4)),
        ("no status root", bent(|seal| seal.status_root.clear())),
        ("a status root of 31 bytes", bent(|seal| seal.status_root.truncate(31))),
        ("no registry root", bent(|seal| seal.registry_root.clear())),
        ("no rules version", bent(|seal| seal.rules_version = 0)),
        ("no previous", bent(|seal| seal.previous.clear())),
        ("a byte after the seal", [seal(0, 3), vec![0]].concat()),
        ("no signature", outer(|signed| signed.signature.clear())),
        ("a second signature", outer(|signed| signed.second_signature = vec![1; 64])),
        ("a signature that does not hold", outer(|signed| signed.signature[0] ^= 1)),
        ("another key's signature", { first_seal(0, 3).sign(|message| sign(&key(2), message)).expect("a seal") }),
        (
            "a signature under a block's tag",
            outer(|signed| {
                let message = Preimage::new(tag::BLOCK_SIGNATURE).variable(&signed.seal);
                signed.signature = sign(&key(1), message.as_bytes()).to_vec();
            }),
        ),
    ];
    let refuse = |(about, entry): (&str, Vec<u8>)| {
        let holds = match Entry::parse(&entry) {
            Ok(Entry::Seal(seal)) => seal.verify(&key(1).verifying_key().to_bytes()).is_ok(),
            _ => false,
        };
        assert!(!holds, "{about}");
        json!({ "about": about, "entry": hex(entry) })
    };
    cases.into_iter().map(refuse).collect()
}

/// A block may carry effects alone: it has no records, and its header no count.
#[test]
fn a_block_of_effects() {
    let (place, action) = (Some(pb::Place { entry: 1, index: 0 }), pb::Action::Revoke.into());
    let effect = pb::Effect { status_id: vec![1; 32], place, action, ..Default::default() };
    let groups = vec![pb::EffectGroup { authority: None, effects: vec![effect] }];
    let bytes = draft().sign(&[], groups, None, |message| sign(&key(3), message)).expect("a block");
    let block = SignedBlock::parse(&bytes).expect("a block");
    assert_eq!(block.header().count, 0);
}

/// A public part without records, and its pieces.
fn pieces() -> serde_json::Value {
    let group = |basis: pb::Basis, count: u8| pb::EffectGroup {
        authority: Some(pb::Authority {
            basis: basis.into(),
            mandate_digest: if basis == pb::Basis::Mandate { vec![9; 32] } else { Vec::new() },
            ..Default::default()
        }),
        effects: (1..=count)
            .map(|number| pb::Effect {
                status_id: vec![number; 32],
                action: pb::Action::Review.into(),
                ..Default::default()
            })
            .collect(),
    };
    let part = pb::PublicPart {
        records: Vec::new(),
        groups: in_order(vec![group(pb::Basis::Dependency, 9), group(pb::Basis::Mandate, 0)]),
    };
    let bytes = encode(&part).expect("canonical");
    let public = Public::parse(&bytes).expect("canonical");
    let piece = |slice: Slice<'_>| hex([&[2][..], &slice.to_group().encode_to_vec()].concat());
    json!({
        "about": "Nine effects of one authority are three pieces, and a group without effects is one.",
        "public_part": hex(&bytes), "pieces": slices(&part).map(piece).collect::<Vec<_>>(),
        "public_root": public.pieces().root.to_string(), "public_count": public.pieces().count,
    })
}

#[test]
fn blocks() {
    let unit = key(3);
    let records = [1u8, 2, 3].map(|seed| {
        let learner = vec![seed; 16];
        record(Kind::Credit, encode(&pb::Credit { learner, ..credit() }).expect("canonical"), &[seed; 32])
    });
    let target = status_id(&Digest([5; 32]), 1, &Digest([6; 32]));
    let effect = pb::Effect {
        status_id: target.0.to_vec(),
        place: Some(pb::Place { entry: 9, index: 1 }),
        action: pb::Action::Revoke.into(),
        reason: pb::EffectReason::Error.into(),
        redemption_plus_1: 0,
        contested_plus_1: 0,
    };
    let authority = pb::Authority { basis: pb::Basis::Issuer.into(), ..Default::default() };
    let group = pb::EffectGroup { authority: Some(authority), effects: vec![effect] };
    let draft = draft();
    let alone = draft.sign(&[], vec![group.clone()], None, |message| sign(&unit, message)).expect("a block");
    let bytes = draft.sign(&records, vec![group], None, |message| sign(&unit, message)).expect("a block");
    let block = SignedBlock::parse(&bytes).expect("a block");
    block.verify(&unit.verifying_key().to_bytes()).expect("the signature holds");
    let header = block.header();
    let BlockEntries { head: entry, public } = BlockEntries::of(&block);
    let alone = BlockEntries::parse(&alone).expect("a block").into_vec();
    let approver = key(4);
    let bare =
        pb::Approval { until_minute: header.created_at_minute + 10_080, salt: vec![7; 16], ..Default::default() };
    let approval = approval_message(header, &bare);
    agree(
        "blocks.json",
        &json!({
            "about": "PROTOCOL.md, Blocks. Three credits and one revocation.",
            "record_hashes": records.iter().map(|record| record.hash().to_string()).collect::<Vec<_>>(),
            "records_root": header.records_root.to_string(),
            "public_root": header.pieces.root.to_string(),
            "public_count": header.pieces.count,
            "block": hex(&bytes),
            "header_id": header.id().to_string(),
            "public_key": hex(unit.verifying_key().to_bytes()),
            "signed_message": hex(header.message().as_bytes()),
            "entry": hex(&entry),
            "public_entry": hex(public.expect("a public part")),
            "leaf_hash": leaf_hash(&entry).to_string(),
            "pieces": pieces(),
            "effects_alone": { "about": "The same effect without records: the count is 0 and not written.", "entries": alone.into_iter().map(hex).collect::<Vec<_>>() },
            "status_id": {
                "entry_leaf": Digest([5; 32]).to_string(), "index": 1, "record_hash": Digest([6; 32]).to_string(),
                "value": target.to_string(),
            },
            "approval": {
                "until_minute": bare.until_minute, "salt": hex(&bare.salt),
                "message": hex(approval.as_bytes()), "digest": approval_digest(header, &bare).to_string(),
                "public_key": hex(approver.verifying_key().to_bytes()),
                "signature": hex(sign(&approver, approval.as_bytes())),
            },
        }),
    );
}

#[test]
fn seals() {
    let (log, registry) = (key(1), key(2));
    let public = |key: &ed25519_dalek::SigningKey| key.verifying_key().to_bytes();
    let mut previous = first_seal(0, 3).previous;
    let mut vectors = Vec::new();
    for (first_index, index) in [(0, 3), (4, 9)] {
        let seal = Seal { previous, ..first_seal(first_index, index) };
        let entry = seal.sign(|message| sign(&log, message)).expect("a seal");
        let signed = SignedSeal::parse(&entry[1..]).expect("a seal");
        signed.verify(&public(&log)).expect("the signature holds");
        assert!(matches!(Entry::parse(&entry), Ok(Entry::Seal(_))));
        previous = signed.id();
        vectors.push(json!({
            "entry": hex(&entry),
             "leaf_hash": leaf_hash(&entry).to_string(), "seal_id": previous.to_string(),
        }));
    }
    agree(
        "seals.json",
        &json!({
            "about": "PROTOCOL.md, Seals. The first builds on the genesis value, the second on the first.",
            "log_key": hex(public(&log)), "registry_key": hex(public(&registry)),
            "next_registry_key": super::log_keys(ORIGIN, &log, &registry).next_registry_key.to_string(), "seals": vectors,
            "refused": refused_seals(),
        }),
    );
}
