//! Goal: nothing that comes from outside makes a panic, whatever its bytes, and what is accepted writes back the same.

use creditbank_protocol::Digest;
use creditbank_protocol::Trust;
use creditbank_protocol::block::SignedBlock;
use creditbank_protocol::canonical::{Canonical, decode, encode};
use creditbank_protocol::entry::Entry;
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::note::{Checkpoint, Note, Policy, VerifierKey, parse_proof};
use creditbank_protocol::pb;
use creditbank_protocol::receipt::verify_receipt;
use creditbank_protocol::record::{Disclosed, Record};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::seal::SignedSeal;
use creditbank_protocol::status::Marks;
use creditbank_protocol::transcript::{open_file, verify};
use proptest::prelude::*;
use serde_json::Value;

const TRANSCRIPT: &[u8] = include_bytes!("../../vectors/transcript.cbt");

fn trust() -> Trust {
    let vector: Value = serde_json::from_str(include_str!("../../vectors/transcript.json")).expect("JSON");
    let policy = Policy::parse(vector["policy"].as_str().expect("a policy")).expect("a policy");
    let key = |name: &str| {
        let key = hex::decode(vector[name].as_str().expect("a key")).expect("hexadecimal");
        <[u8; 32]>::try_from(key).expect("32 bytes")
    };
    let next_registry_key = Digest(key("next_registry_key"));
    let (log_key, registry_key) = (key("log_key"), key("registry_key"));
    Trust::new(policy, log_key, registry_key, next_registry_key)
}

/// One spelling: what decodes encodes to the same bytes.
fn one_spelling<M: Canonical>(bytes: &[u8]) {
    if let Ok(message) = decode::<M>(bytes) {
        assert_eq!(encode(&message).as_deref(), Ok(bytes));
    }
}

/// Every reader of the crate.
fn read_everything(bytes: &[u8]) {
    one_spelling::<pb::Credit>(bytes);
    one_spelling::<pb::Identity>(bytes);
    one_spelling::<pb::Outcome>(bytes);
    one_spelling::<pb::Result>(bytes);
    one_spelling::<pb::Institution>(bytes);
    one_spelling::<pb::Key>(bytes);
    one_spelling::<pb::Accreditation>(bytes);
    one_spelling::<pb::GradeScale>(bytes);
    one_spelling::<pb::BlockHeader>(bytes);
    one_spelling::<pb::Block>(bytes);
    one_spelling::<pb::PublicPart>(bytes);
    one_spelling::<pb::SubjectStatement>(bytes);
    let _ = Entry::parse(bytes);
    let _ = SignedBlock::parse(bytes);
    let _ = SignedSeal::parse(bytes);
    let _ = Marks::from_bytes(bytes);
    let _ = Note::parse(bytes);
    let _ = parse_proof(bytes);
    let _ = open_file(bytes);
    for kind in 0..80 {
        let _ = Record::new(kind, 1, &[1; 32], bytes.to_vec());
        if let Ok(kind) = pb::Kind::try_from(i32::try_from(kind).expect("small")) {
            let _ = RegistryKey::of(kind, bytes);
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Checkpoint::parse(text);
        let _ = VerifierKey::parse(text);
        let _ = Policy::parse(text);
        let _ = KeyFile::parse(text);
    }
    if let Ok(receipt) = <pb::Receipt as prost::Message>::decode(bytes) {
        let _ = verify_receipt(&receipt, &trust().policy);
    }
    if let Ok(disclosed) = <pb::DisclosedRecord as prost::Message>::decode(bytes) {
        let _ = Disclosed::new(&disclosed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read_everything(&bytes);
    }

    #[test]
    fn arbitrary_text(text in "[a-z+/=\u{2014} \\n0-9]{0,200}") {
        read_everything(text.as_bytes());
    }

    /// Bytes that are nearly right reach deeper.
    #[test]
    fn damaged_parts(at in 0..TRANSCRIPT.len() - 36, len in 0..600usize, changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)) {
        let transcript = open_file(TRANSCRIPT).expect("a transcript");
        let (base, status) = (transcript.base.unwrap_or_default(), transcript.status.unwrap_or_default());
        let parts = base.blocks.iter().chain(&base.seals).map(|proved| proved.entry.clone());
        let parts = parts.chain([transcript.statement.clone(), status.checkpoint, TRANSCRIPT[4..].to_vec()]);
        for mut part in parts.chain([TRANSCRIPT[at..(at + len).min(TRANSCRIPT.len())].to_vec()]) {
            for (index, byte) in &changes {
                if !part.is_empty() {
                    let index = index.index(part.len());
                    part[index] = *byte;
                }
            }
            read_everything(&part);
            read_everything(part.get(1..).unwrap_or_default());
        }
    }

    /// A transcript whose structure was changed is refused or says the same, and never panics.
    #[test]
    fn damaged_transcripts(index in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut content = TRANSCRIPT[4..TRANSCRIPT.len() - 32].to_vec();
        let at = index.index(content.len());
        let before = std::mem::replace(&mut content[at], byte);
        if let Ok(transcript) = <pb::Transcript as prost::Message>::decode(&content[..])
            && let Ok(file) = creditbank_protocol::transcript::write_file(&transcript)
        {
            prop_assert!(verify(&file, &trust(), 0).is_err() || byte == before);
        }
    }
}
