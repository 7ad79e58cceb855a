//! Verifier keys, checkpoints, cosignatures, proofs as text, policies.

use creditbank_protocol::Digest;
use creditbank_protocol::note::{
    Checkpoint, KeyType, Policy, TlogProof, VerifierKey, cosign, parse_proof, sign_checkpoint, write_proof,
};
use serde_json::json;

use super::{agree, hex, key};

#[test]
fn notes() {
    let (log, witness) = (key(1), key(5));
    let public = |key: &ed25519_dalek::SigningKey| key.verifying_key().to_bytes();
    let log_key = VerifierKey::new("test.example/log", KeyType::Log, public(&log)).expect("a key");
    let witness_key = VerifierKey::new("witness.example/w1", KeyType::Cosigner, public(&witness)).expect("a key");
    let checkpoint = Checkpoint { origin: "test.example/log".to_owned(), size: 84, root: Digest([9; 32]) };
    let note = String::from_utf8(sign_checkpoint(&checkpoint, &log).expect("a note")).expect("text");
    let line = cosign("witness.example/w1", &checkpoint.text(), 1_795_449_300, &witness).expect("a cosignature");
    let cosigned = format!("{note}{}", line.to_line());
    let policy = format!("log {log_key}\nwitness w1 {witness_key}\nquorum w1\n");
    let accepted = Policy::parse(&policy).expect("a policy").verify(cosigned.as_bytes()).expect("it is cosigned");
    assert_eq!(accepted.witnesses, ["w1"]);
    assert!(Policy::parse(&policy).expect("a policy").verify(note.as_bytes()).is_err(), "the witness is missing");
    let proof =
        TlogProof { index: 3, hashes: vec![Digest([1; 32]), Digest([2; 32])], checkpoint: note.clone().into_bytes() };
    let text = write_proof(&proof);
    assert_eq!(parse_proof(&text).as_ref(), Ok(&proof));
    agree(
        "notes.json",
        &json!({
            "about": "C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof, tlog-policy.",
            "log": { "seed": hex(log.to_bytes()), "vkey": log_key.to_string() },
            "witness": { "seed": hex(witness.to_bytes()), "vkey": witness_key.to_string(), "time": 1_795_449_300u64 },
            "checkpoint": { "size": 84, "root": Digest([9; 32]).to_string(), "text": checkpoint.text() },
            "signed": note,
            "cosigned": cosigned,
            "policy": policy,
            "proof": String::from_utf8(text).expect("text"),
        }),
    );
}
