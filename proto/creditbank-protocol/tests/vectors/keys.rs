//! Key ids, possession, genesis, tags.

use creditbank_protocol::canonical::encode;
use creditbank_protocol::hash::{Preimage, tag};
use creditbank_protocol::key::{
    KeyId, LogKeyHistory, commitment, log_handover_message, log_succession_message, possession_message, sign,
    succession_message, verify, verifying_key,
};
use creditbank_protocol::pb::{self, Purpose};
use creditbank_protocol::{LogIndex, UnitId};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use super::{agree, hex, key, log_keys};

/// What a log key signs that another one is to follow.
fn handover(log: &SigningKey, new_log: &SigningKey) -> Value {
    let [before, public_key] = [log, new_log].map(|key| key.verifying_key().to_bytes());
    let message = log_handover_message("test.example/log", &public_key, 1_234);
    let signature = sign(log, message.as_bytes());
    let follows = pb::Key {
        public_key: public_key.to_vec(),
        suite: 1,
        purpose: Purpose::Log.into(),
        from_index: 1_234,
        handover: signature.to_vec(),
        ..Default::default()
    };
    let mut history = LogKeyHistory::new("test.example/log", before);
    history.follow(LogIndex(1_000), &follows).expect("it follows");
    json!({
        "seed": hex(log.to_bytes()), "origin": "test.example/log", "log_key": hex(public_key), "from_index": 1_234,
        "message": hex(message.as_bytes()), "signature": hex(signature),
    })
}

#[test]
fn keys() {
    let (log, registry, unit) = (key(1), key(2), key(3));
    let public = |key: &ed25519_dalek::SigningKey| key.verifying_key().to_bytes();
    let ids: Vec<_> = [&log, &registry, &unit]
        .iter()
        .map(|key| {
            let message = Preimage::new(tag::KEY_ID).u16(1).fixed(&public(key));
            json!({
                "seed": hex(key.to_bytes()), "public_key": hex(public(key)), "preimage": hex(message.as_bytes()),
                "key_id": KeyId::of(&public(key)).to_string(),
            })
        })
        .collect();
    let possession = possession_message("test.example/log", UnitId::new(7, 2), Purpose::Unit, &public(&unit));
    let signature = sign(&unit, possession.as_bytes());
    verify(&public(&unit), possession.as_bytes(), &signature).expect("it verifies");
    let begun = log_keys("test.example/log", &log, &registry);
    let next = key(31);
    let bare = pb::RegistrySuccession {
        public_key: public(&next).to_vec(),
        next_registry_key: commitment(&public(&key(32))).0.to_vec(),
        case_reference: "2026/1".to_owned(),
        ..Default::default()
    };
    let succession_preimage = succession_message("test.example/log", &public(&registry), &bare);
    let succession_signature = sign(&next, succession_preimage.as_bytes());
    let said = pb::RegistrySuccession { signature: succession_signature.to_vec(), ..bare.clone() };
    let after = begun.registry().succeed("test.example/log", &said).expect("it follows");
    assert_eq!(after.key, public(&next));
    let new_log = key(33);
    let bare_log = pb::LogSuccession {
        origin: "test.example/log".to_owned(),
        size: 1_234,
        root: vec![9; 32],
        new_origin: "test.example/second".to_owned(),
        log_key: public(&new_log).to_vec(),
        case_reference: "2026/2".to_owned(),
        ..Default::default()
    };
    let log_preimage = log_succession_message(&bare_log);
    let log_signature = sign(&new_log, log_preimage.as_bytes());
    let former_signature = sign(&log, log_preimage.as_bytes());
    let said_log = pb::LogSuccession {
        signature: log_signature.to_vec(),
        former_signature: former_signature.to_vec(),
        ..bare_log.clone()
    };
    let mut history = LogKeyHistory::new("test.example/log", public(&log));
    history.succeed(LogIndex(1_234), &said_log).expect("it follows");
    assert_eq!([1_233, 1_234].map(|index| history.at(LogIndex(index))), [public(&log), public(&new_log)]);
    let small_order = [0u8; 32];
    // Points of full order whose y is written as y + p: the library reads them, the protocol does not.
    let spelled_twice = |low: u8| <[u8; 32]>::try_from([&[low][..], &[0xff; 30], &[0x7f]].concat()).expect("32 bytes");
    let unreduced: Vec<[u8; 32]> = (0xed..=0xff).map(spelled_twice).collect();
    assert!(unreduced.iter().all(|bytes| verifying_key(bytes).is_err()));
    let unreduced = unreduced
        .into_iter()
        .find(|bytes| ed25519_dalek::VerifyingKey::from_bytes(bytes).is_ok_and(|key| !key.is_weak()));
    let unreduced = unreduced.expect("there are such points");
    assert!(verify(&small_order, b"", &[0; 64]).is_err());
    agree(
        "keys.json",
        &json!({
            "about": "PROTOCOL.md, Keys: key ids, proof of possession, genesis value. Hexadecimal.",
            "keys": ids,
            "possession": {
                "origin": "test.example/log", "institution": 7, "unit": 2, "purpose": 5, "suite": 1,
                "seed": hex(unit.to_bytes()), "message": hex(possession.as_bytes()), "signature": hex(signature),
            },
            "genesis": {
                "origin": "test.example/log", "log_key": hex(public(&log)), "registry_key": hex(public(&registry)),
                "next_registry_key": begun.next_registry_key.to_string(),
                "preimage": hex(begun.genesis_preimage().as_bytes()), "value": begun.genesis().to_string(),
            },
            "succession": {
                "seed": hex(next.to_bytes()), "before": hex(public(&registry)), "public_key": hex(public(&next)),
                "commitment": begun.next_registry_key.to_string(), "next_registry_key": hex(&bare.next_registry_key),
                "case_reference": bare.case_reference, "message": hex(succession_preimage.as_bytes()),
                "signature": hex(succession_signature), "body": hex(encode(&said).expect("canonical")),
            },
            "log_succession": {
                "seed": hex(new_log.to_bytes()), "origin": bare_log.origin, "size": bare_log.size,
                "root": hex(&bare_log.root), "new_origin": bare_log.new_origin, "log_key": hex(&bare_log.log_key),
                "case_reference": bare_log.case_reference, "message": hex(log_preimage.as_bytes()),
                "signature": hex(log_signature), "former_seed": hex(log.to_bytes()),
                "former_signature": hex(former_signature), "body": hex(encode(&said_log).expect("canonical")),
            },
            "log_handover": handover(&log, &new_log),
            "refused_public_keys": [hex(small_order), hex([&[1u8][..], &[0; 31]].concat()), hex(unreduced)],
        }),
    );
}
