//! Goal: a batch of signatures holds exactly where each of them holds strictly: the vectors decide.

use creditbank_protocol::key::{BatchItem, BatchKey, verify_batch};
use serde_json::Value;

const SIGNATURES: &str = include_str!("../../vectors/signatures.json");

struct Signature {
    about: String,
    key: Vec<u8>,
    message: Vec<u8>,
    bytes: Vec<u8>,
}

fn read(cases: &Value) -> Vec<Signature> {
    let bytes = |case: &Value, name: &str| hex::decode(case[name].as_str().expect("a text")).expect("hexadecimal");
    let read = |case: &Value| Signature {
        about: case["about"].to_string(),
        key: bytes(case, "public_key"),
        message: bytes(case, "message"),
        bytes: bytes(case, "signature"),
    };
    cases.as_array().expect("cases").iter().map(read).collect()
}

#[test]
fn batches_agree_with_strict_verification() {
    let file: Value = serde_json::from_str(SIGNATURES).expect("JSON");
    let (held, refused) = (read(&file["held"]), read(&file["refused"]));
    // Keys of mixed order are never batched; of the others any number of good ones hold together.
    let good: Vec<_> = held.iter().filter_map(|one| Some((one, BatchKey::new(&one.key)?))).collect();
    assert!(good.len() >= 3, "{} keys", good.len());
    let items: Vec<_> = good
        .iter()
        .cycle()
        .take(32)
        .map(|(one, key)| BatchItem { key, message: &one.message, signature: &one.bytes })
        .collect();
    for seed in 0..32 {
        assert!(verify_batch(&items, &[seed; 32]));
        for one in &refused {
            let Some(key) = BatchKey::new(&one.key) else { continue };
            let mut with = items.clone();
            with[7] = BatchItem { key: &key, message: &one.message, signature: &one.bytes };
            assert!(!verify_batch(&with, &[seed; 32]), "{} with seed {seed}", one.about);
        }
    }
}
