//! Transcripts: nothing but the vector itself is verified under the vector's trust, whatever is done to its structure.
#![no_main]

use std::sync::OnceLock;

use creditbank_protocol::Digest;
use creditbank_protocol::note::Policy;
use creditbank_protocol::pb;
use creditbank_protocol::Trust;
use creditbank_protocol::transcript::{open_file, verify, write_file};
use libfuzzer_sys::fuzz_target;
use prost::Message as _;

const FILE: &[u8] = include_bytes!("../../../proto/vectors/transcript.cbt");

fn trust() -> &'static Trust {
    static TRUST: OnceLock<Trust> = OnceLock::new();
    TRUST.get_or_init(|| {
        let vector: serde_json::Value =
            serde_json::from_str(include_str!("../../../proto/vectors/transcript.json")).expect("JSON");
        let policy = Policy::parse(vector["policy"].as_str().expect("a policy")).expect("a policy");
        let key = |name: &str| {
            let key = hex::decode(vector[name].as_str().expect("a key")).expect("hexadecimal");
            <[u8; 32]>::try_from(key).expect("32 bytes")
        };
        let next_registry_key = Digest(key("next_registry_key"));
        let (log_key, registry_key) = (key("log_key"), key("registry_key"));
        Trust::new(policy, log_key, registry_key, next_registry_key)
    })
}

/// What is verified says what the vector says: its records are those of the vector, opened as far or less.
fn judge(file: &[u8]) {
    let Ok(report) = verify(file, trust(), 0) else { return };
    let honest = verify(FILE, trust(), 0).expect("the vector");
    assert_eq!((report.size, report.root), (honest.size, honest.root));
    for record in &report.records {
        let same = honest.records.iter().find(|other| other.status_id == record.status_id).expect("a known record");
        assert_eq!((record.disclosed.hash, record.unit, record.contested), (same.disclosed.hash, same.unit, same.contested));
        assert!(record.missing_claim.is_some() || record.disclosed.body.len() <= same.disclosed.body.len());
    }
    assert!(!report.statement.is_whole || report.records.len() == honest.records.len());
}

fuzz_target!(|data: &[u8]| {
    // As a file; then with its checksum mended; then as changes of the vector: position, byte, until the data ends.
    if let Ok(transcript) = open_file(data) {
        assert_eq!(write_file(&transcript).as_deref(), Ok(data));
    }
    judge(data);
    if let Ok(transcript) = pb::Transcript::decode(data)
        && let Ok(file) = write_file(&transcript)
    {
        assert_eq!(open_file(&file).as_ref(), Ok(&transcript));
        judge(&file);
    }
    let mut content = FILE[4..FILE.len() - 32].to_vec();
    for [high, low, byte] in data.as_chunks::<3>().0.iter().take(8) {
        let at = usize::from(u16::from_be_bytes([*high, *low])) % content.len();
        content[at] = *byte;
    }
    if let Ok(transcript) = pb::Transcript::decode(&content[..])
        && let Ok(file) = write_file(&transcript)
    {
        judge(&file);
    }
});
