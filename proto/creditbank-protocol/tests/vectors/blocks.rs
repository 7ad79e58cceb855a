//! Blocks, approvals, entries, seals.

use creditbank_protocol::Digest;
use creditbank_protocol::block::{BlockDraft, SignedBlock, approval_message};
use creditbank_protocol::canonical::encode;
use creditbank_protocol::entry::{Entry, block_entry};
use creditbank_protocol::key::{KeyId, genesis, sign};
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::seal::{Seal, SignedSeal};
use creditbank_protocol::status::status_id;
use serde_json::json;

use super::records::{credit, record};
use super::{agree, hex, key};

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
    };
    let authority = pb::Authority { basis: pb::Basis::Issuer.into(), ..Default::default() };
    let group = pb::EffectGroup { authority: Some(authority), effects: vec![effect] };
    let draft = BlockDraft {
        origin: "test.example/log".to_owned(),
        institution: 7,
        unit: 2,
        height: 0,
        previous: Digest([4; 32]),
        operation_id: [8; 16],
        created_at_minute: 29_924_154,
        key_id: KeyId::of(&unit.verifying_key().to_bytes()),
    };
    let bytes = draft.sign(&records, vec![group], None, |message| sign(&unit, message)).expect("a block");
    let block = SignedBlock::parse(&bytes).expect("a block");
    block.verify(&unit.verifying_key().to_bytes()).expect("the signature holds");
    let header = block.header();
    let entry = block_entry(&bytes);
    let approver = key(4);
    let approval = approval_message(header);
    agree(
        "blocks.json",
        &json!({
            "about": "PROTOCOL.md, Blocks. Three credits and one revocation.",
            "record_hashes": records.iter().map(|record| record.hash().to_string()).collect::<Vec<_>>(),
            "records_root": header.records_root.to_string(),
            "public_digest": header.public_digest.to_string(),
            "block": hex(&bytes),
            "header_id": header.id().to_string(),
            "public_key": hex(unit.verifying_key().to_bytes()),
            "signed_message": hex(header.message().as_bytes()),
            "entry": hex(&entry),
            "leaf_hash": leaf_hash(&entry).to_string(),
            "status_id": {
                "entry_leaf": Digest([5; 32]).to_string(), "index": 1, "record_hash": Digest([6; 32]).to_string(),
                "value": target.to_string(),
            },
            "approval": {
                "message": hex(approval.as_bytes()), "public_key": hex(approver.verifying_key().to_bytes()),
                "signature": hex(sign(&approver, approval.as_bytes())),
            },
        }),
    );
}

#[test]
fn seals() {
    let (log, registry) = (key(1), key(2));
    let public = |key: &ed25519_dalek::SigningKey| key.verifying_key().to_bytes();
    let mut previous = genesis("test.example/log", &public(&log), &public(&registry));
    let mut vectors = Vec::new();
    for (first_index, index) in [(0, 3), (4, 9)] {
        let seal = Seal {
            origin: "test.example/log".to_owned(),
            first_index,
            index,
            status_root: Digest::ZERO,
            registry_root: Digest([9; 32]),
            rules_version: 1,
            time_ms: 1_795_449_277_505,
            records_total: index * 10,
            previous,
        };
        let entry = seal.sign(|message| sign(&log, message)).expect("a seal");
        let signed = SignedSeal::parse(&entry[1..]).expect("a seal");
        signed.verify(&public(&log)).expect("the signature holds");
        assert!(matches!(Entry::parse(&entry), Ok(Entry::Seal(_))));
        previous = signed.id();
        vectors.push(json!({
            "entry": hex(&entry), "leaf_hash": leaf_hash(&entry).to_string(), "seal_id": previous.to_string(),
        }));
    }
    agree(
        "seals.json",
        &json!({
            "about": "PROTOCOL.md, Seals. The first builds on the genesis value, the second on the first.",
            "log_key": hex(public(&log)), "registry_key": hex(public(&registry)), "seals": vectors,
        }),
    );
}
