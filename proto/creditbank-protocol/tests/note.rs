//! Notes against the worked examples of the C2SP formats.
#![allow(missing_docs, clippy::unwrap_used)]

use creditbank_protocol::merkle::{leaf_hash, root};
use creditbank_protocol::note::{
    Checkpoint, KeyType, Note, NoteError, Policy, VerifierKey, cosign, parse_proof, sign_checkpoint, write_proof,
};
use ed25519_dalek::SigningKey;
use proptest::prelude::*;

const LOG_VKEY: &str = "ledger.example/log1+7d41893d+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
const WITNESS_VKEY: &str = "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X";
const CHECKPOINT: &str = "ledger.example/log1\n3\n1BhuPAWmIM5hOX6Di/vXbm8n5tfaoTxZ64Ko4JRgjhw=\n\n\u{2014} ledger.example/log1 fUGJPc9MCgItR3d+SM+Lh7YuMojsxhAjAjfSfigyTVPHaNbJ9MUU+OhXLXM93XsL42+C8TlvpC6qcx/HcVrCcsYTPQY=\n";
const COSIGNATURE: &str = "\u{2014} witness.example/w1 IDJKvgAAAABlU/EAy5lNyKa7kQ6MdWMfuCM3yC09s55VkpyzHdAhtsYn0aS0YgXOY9isGy71ggB9FcpNYp2FXtXfi7W18JLoMVrNBA==\n";

fn seed(first: u8) -> SigningKey {
    SigningKey::from_bytes(&std::array::from_fn(|i| first + u8::try_from(i).unwrap()))
}

fn example() -> Checkpoint {
    let leaves = ["alpha", "bravo", "charlie"].map(|entry| leaf_hash(entry.as_bytes()));
    Checkpoint { origin: "ledger.example/log1".to_owned(), size: 3, root: root(&leaves) }
}

fn policy(quorum: &str) -> Policy {
    Policy::parse(&format!("log {LOG_VKEY}\nwitness w1 {WITNESS_VKEY}\ngroup g any w1\nquorum {quorum}\n")).unwrap()
}

/// Goal: keys, checkpoint and cosignature are byte for byte the published ones.
#[test]
fn worked_examples() {
    let log = VerifierKey::new("ledger.example/log1", KeyType::Log, seed(0).verifying_key().to_bytes()).unwrap();
    assert_eq!(log.to_string(), LOG_VKEY);
    assert_eq!(VerifierKey::parse(LOG_VKEY).unwrap(), log);
    assert_eq!(sign_checkpoint(&example(), &seed(0)).unwrap(), CHECKPOINT.as_bytes());
    let witness = VerifierKey::parse(WITNESS_VKEY).unwrap();
    assert_eq!(*witness.public_key(), seed(0x20).verifying_key().to_bytes());
    let line = cosign("witness.example/w1", &example().text(), 1_700_000_000, &seed(0x20)).unwrap();
    assert_eq!(line.to_line(), COSIGNATURE);
    let note = Note::parse(format!("{CHECKPOINT}{COSIGNATURE}").as_bytes()).unwrap();
    assert_eq!(note.signed_by(&witness), Ok(Some(1_700_000_000)));
}

/// Goal: the official sample of signed-note verifies.
#[test]
fn official_sample() {
    let key = VerifierKey::parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k").unwrap();
    let note = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    assert_eq!(Note::parse(note.as_bytes()).unwrap().signed_by(&key), Ok(Some(0)));
}

/// Goal: a policy accepts what its quorum has cosigned, and nothing else.
#[test]
fn policy_wants_its_quorum() {
    let cosigned = format!("{CHECKPOINT}{COSIGNATURE}");
    let accepted = policy("g").verify(cosigned.as_bytes()).unwrap();
    assert_eq!((accepted.checkpoint, accepted.witnesses), (example(), vec!["w1".to_owned()]));
    assert_eq!(policy("w1").verify(CHECKPOINT.as_bytes()), Err(NoteError::Quorum { found: vec![] }));
    assert!(policy("none").verify(CHECKPOINT.as_bytes()).is_ok());
    let forged = CHECKPOINT.replace("\n3\n", "\n4\n");
    assert!(matches!(policy("none").verify(forged.as_bytes()), Err(NoteError::Signature { .. })));
    for bad in ["", "quorum x", "log x\nquorum none", "quorum none\nquorum none", "group g 2 w1\nquorum g", "bogus"] {
        assert!(Policy::parse(bad).is_err(), "{bad:?}");
    }
    assert!(Policy::parse(&format!("log {LOG_VKEY}\nlog {LOG_VKEY}\nquorum none")).is_err(), "a key stands twice");
}

/// Goal: a tlog-proof reads back, and only its one spelling does.
#[test]
fn tlog_proof_round_trip() {
    let text = format!(
        "c2sp.org/tlog-proof@v1\nindex 1\nKhWNiv1I4/iMtBld/bKp5IF9lfpX/TREDZP5quXE+Cs=\n+TGWLwkXw0bURyk8B7aHrhYJ9wA/ikSganXEFFseGSk=\n\n{CHECKPOINT}{COSIGNATURE}"
    );
    let proof = parse_proof(text.as_bytes()).unwrap();
    let leaf = leaf_hash(b"bravo");
    let path = &proof.hashes;
    creditbank_protocol::merkle::verify_inclusion(&leaf, proof.index, 3, path, &example().root).unwrap();
    assert_eq!(write_proof(&proof), text.as_bytes());
    assert!(parse_proof(text.replace("index 1", "index 01").as_bytes()).is_err());
    assert!(parse_proof(text.replace("index 1\n", "extra AA==\nindex 1\n").as_bytes()).is_err());
}

/// Goal: checkpoints with extension lines, odd decimals or short roots are refused.
#[test]
fn strict_checkpoints() {
    let text = example().text();
    assert_eq!(Checkpoint::parse(&text), Ok(example()));
    let bad = [text.replace("\n3\n", "\n03\n"), format!("{text}extension\n"), text.replace("1Bhu", ""), String::new()];
    for bad in bad {
        assert!(Checkpoint::parse(&bad).is_err(), "{bad:?}");
    }
}

proptest! {
    /// Goal: arbitrary bytes are refused, not a panic; and a flipped byte of a note never verifies.
    #[test]
    fn foreign_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        prop_assert!(Note::parse(&bytes).is_err());
        let _ = parse_proof(&bytes);
        let mut note = CHECKPOINT.as_bytes().to_vec();
        let at = at.index(note.len());
        note[at] ^= 1 << bit;
        prop_assert!(policy("none").verify(&note).is_err());
    }
}
