//! A transcript of a real node. It cannot be made anew byte for byte, as keys and seeds are random. To replace it,
//! keep a quickstart
//! (`creditbank-node quickstart --keep DIR`) and name its directory: `CREDITBANK_QUICKSTART=DIR cargo test --test
//! vectors transcript`.

use creditbank_protocol::note::Policy;
use creditbank_protocol::transcript::verify;
use creditbank_protocol::{Digest, Trust};
use serde_json::{Value, json};

const FILE: &[u8] = include_bytes!("../../../vectors/transcript.cbt");
const VECTOR: &str = include_str!("../../../vectors/transcript.json");

fn bytes(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(digit).collect()
}

/// Takes over the transcript of a kept quickstart.
fn take_over(dir: &std::path::Path) {
    let file = std::fs::read(dir.join("transcript.cbt")).expect("a transcript");
    let trust = Trust::parse(&std::fs::read_to_string(dir.join("trust.toml")).expect("a trust file")).expect("trust");
    let report = verify(&file, &trust, 0).expect("it is authentic");
    let policy = std::fs::read_to_string(dir.join("trust.toml")).expect("a trust file");
    let policy = policy.split("\"\"\"").nth(1).expect("a policy").trim_start().to_owned();
    let records = report.records.iter().map(|record| {
        json!({
            "entry": record.place.entry.0, "index": record.place.index,
            "record_hash": record.disclosed.hash.to_string(), "status_id": record.status_id.to_string(),
        })
    });
    let about: Value = serde_json::from_str(VECTOR).expect("JSON");
    let vector = json!({
        "about": about["about"], "policy": policy,
        "log_key": Digest(trust.log_key).to_string(), "registry_key": Digest(trust.registry_key).to_string(),
        "next_registry_key": trust.next_registry_key.to_string(),
        "size": report.size, "root": report.root.to_string(), "records": records.collect::<Vec<_>>(),
    });
    let vectors = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    std::fs::write(vectors.join("transcript.cbt"), &file).expect("written");
    let text = serde_json::to_string_pretty(&vector).expect("JSON");
    std::fs::write(vectors.join("transcript.json"), text + "\n").expect("written");
}

#[test]
fn transcript() {
    if let Some(dir) = std::env::var_os("CREDITBANK_QUICKSTART") {
        return take_over(dir.as_ref());
    }
    let vector: Value = serde_json::from_str(VECTOR).expect("JSON");
    let text = |key: &str| vector[key].as_str().expect("a text").to_owned();
    let key = |name| <[u8; 32]>::try_from(bytes(&text(name))).expect("32 bytes");
    let policy = Policy::parse(&text("policy")).expect("a policy");
    let next_registry_key = Digest(key("next_registry_key"));
    let trust = Trust::new(policy, key("log_key"), key("registry_key"), next_registry_key);
    let report = verify(FILE, &trust, 0).expect("it is authentic");
    assert_eq!(report.size, vector["size"].as_u64().expect("a size"));
    assert_eq!(report.root.to_string(), text("root"));
    let records = vector["records"].as_array().expect("records");
    assert_eq!(report.records.len(), records.len());
    for (found, said) in report.records.iter().zip(records) {
        assert_eq!(
            (Some(found.place.entry.0), Some(u64::from(found.place.index))),
            (said["entry"].as_u64(), said["index"].as_u64())
        );
        assert_eq!(Some(found.disclosed.hash.to_string().as_str()), said["record_hash"].as_str());
        assert_eq!(Some(found.status_id.to_string().as_str()), said["status_id"].as_str());
    }
    let wrong = Trust { registry_key: [1; 32], ..trust };
    assert!(verify(FILE, &wrong, 0).is_err(), "another registry key");
}
