//! The protocol's vectors: `proto/vectors/*.json` are what this code says, byte for byte.
//!
//! `CREDITBANK_WRITE_VECTORS=1 cargo test -p creditbank-protocol --test vectors` writes them anew.

#![expect(clippy::disallowed_methods, reason = "the vectors are files")]

#[path = "vectors/blocks.rs"]
mod blocks;
#[path = "vectors/canonical.rs"]
mod canonical;
#[path = "vectors/course_codes.rs"]
mod course_codes;
#[path = "vectors/cut.rs"]
mod cut;
#[path = "vectors/effects.rs"]
mod effects;
#[path = "vectors/freshness.rs"]
mod freshness;
#[path = "vectors/keys.rs"]
mod keys;
#[path = "vectors/log.rs"]
mod log;
#[path = "vectors/notes.rs"]
mod notes;
#[path = "vectors/receipts.rs"]
mod receipts;
#[path = "vectors/recognition.rs"]
mod recognition;
#[path = "vectors/records.rs"]
mod records;
#[path = "vectors/refused_transcripts.rs"]
mod refused_transcripts;
#[path = "vectors/signatures.rs"]
mod signatures;
#[path = "vectors/successions.rs"]
mod successions;
#[path = "vectors/transcript.rs"]
mod transcript;
#[path = "vectors/transcripts.rs"]
mod transcripts;
#[path = "vectors/trees.rs"]
mod trees;

use std::fs;
use std::path::Path;

use creditbank_protocol::key::{LogKeys, commitment};
use ed25519_dalek::SigningKey;
use serde_json::Value;

/// Compares a file with what the code says.
fn agree(name: &str, said: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors").join(name);
    let text = serde_json::to_string_pretty(said).expect("JSON") + "\n";
    if std::env::var_os("CREDITBANK_WRITE_VECTORS").is_some() {
        fs::write(&path, &text).expect("the vectors can be written");
    }
    let written = fs::read_to_string(&path).expect("the vectors are there");
    let written: Value = serde_json::from_str(&written).expect("the vectors are JSON");
    for (key, value) in said.as_object().expect("an object") {
        assert!(written.get(key) == Some(value), "{name}: {key} is not what the code says");
    }
    assert!(written == *said, "{name} holds more than the code says");
}

/// A log that is begun with these keys, and with a commitment to the key from seed 31.
fn log_keys(origin: &str, log: &SigningKey, registry: &SigningKey) -> LogKeys {
    let public = |key: &SigningKey| key.verifying_key().to_bytes();
    let next_registry_key = commitment(&public(&key(31)));
    LogKeys { origin: origin.to_owned(), log_key: public(log), registry_key: public(registry), next_registry_key }
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(bytes)
}

/// The key with a seed of one repeated byte.
fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}
