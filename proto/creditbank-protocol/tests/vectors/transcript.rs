//! A transcript of a real node. It cannot be made anew byte for byte (keys and seeds are random), so this one is read only.

use creditbank_protocol::Trust;
use creditbank_protocol::note::Policy;
use creditbank_protocol::transcript::verify;
use serde_json::Value;

const FILE: &[u8] = include_bytes!("../../../vectors/transcript.cbt");
const VECTOR: &str = include_str!("../../../vectors/transcript.json");

fn bytes(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(digit).collect()
}

#[test]
fn transcript() {
    let vector: Value = serde_json::from_str(VECTOR).expect("JSON");
    let text = |key: &str| vector[key].as_str().expect("a text").to_owned();
    let registry_key = bytes(&text("registry_key")).try_into().expect("32 bytes");
    let trust = Trust { policy: Policy::parse(&text("policy")).expect("a policy"), registry_key, institutions: None };
    let report = verify(FILE, &trust).expect("it is authentic");
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
    assert!(verify(FILE, &wrong).is_err(), "another registry key");
}
