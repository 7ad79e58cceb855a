//! Notes, checkpoints, proofs, keys and policies: what parses is written back the same, and nothing unsigned is
//! accepted.
#![no_main]

use std::sync::OnceLock;

use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::note::{Checkpoint, Note, Policy, VerifierKey, parse_proof, write_proof};
use creditbank_protocol::transcript::open_file;
use libfuzzer_sys::fuzz_target;

/// The policy of the transcript of a real node, whose key is gone, and the one text that its log has signed for it.
fn vector() -> &'static (Policy, String) {
    static VECTOR: OnceLock<(Policy, String)> = OnceLock::new();
    VECTOR.get_or_init(|| {
        let vector: serde_json::Value =
            serde_json::from_str(include_str!("../../../proto/vectors/transcript.json")).expect("JSON");
        let policy = Policy::parse(vector["policy"].as_str().expect("a policy")).expect("a policy");
        let transcript = open_file(include_bytes!("../../../proto/vectors/transcript.cbt")).expect("a transcript");
        let checkpoint = policy.verify(&transcript.status.expect("a status part").checkpoint).expect("the vector's note").checkpoint;
        (policy, checkpoint.text())
    })
}

fuzz_target!(|data: &[u8]| {
    let (policy, signed) = vector();
    if let Ok(note) = Note::parse(data) {
        let lines: String = note.signatures().iter().map(|line| line.to_line()).collect();
        assert_eq!(format!("{}\n{lines}", note.text()).as_bytes(), data);
    }
    if let Ok(accepted) = policy.verify(data) {
        assert_eq!(&accepted.checkpoint.text(), signed);
    }
    if let Ok(proof) = parse_proof(data) {
        assert_eq!(write_proof(&proof), data);
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        assert_eq!(checkpoint.text(), text);
    }
    if let Ok(key) = VerifierKey::parse(text) {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(key) = KeyFile::parse(text) {
        assert_eq!(KeyFile::parse(&key.to_text()).map(|key| key.public_key()), Ok(key.public_key()));
    }
    if let Ok(policy) = Policy::parse(text) {
        assert!(policy.logs().len() <= 1_000);
        let _ = policy.verify(data);
    }
});
