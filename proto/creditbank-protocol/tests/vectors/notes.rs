//! Verifier keys, checkpoints, cosignatures, proofs as text, policies.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use creditbank_protocol::Digest;
use creditbank_protocol::note::{
    Checkpoint, KeyType, Policy, TlogProof, VerifierKey, cosign, parse_proof, sign_checkpoint, write_proof,
};
use serde_json::{Value, json};

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
    let alone = format!("log {log_key}\nquorum none\n");
    let notes = refused_notes(&alone, &checkpoint, &note, &line.to_line());
    let proofs = refused_proofs(&String::from_utf8(text.clone()).expect("text"));
    let quorums = quorums(&log_key, &checkpoint, &note);
    agree(
        "notes.json",
        &json!({
            "about": "C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof, tlog-policy. `notes` are judged under \
                      `policy_alone`; `quorums` say which policies accept which witnesses.",
            "policy_alone": alone,
            "notes": notes,
            "policies_refused": refused_policies(&log_key, &witness_key),
            "proofs_refused": proofs,
            "keys_refused": refused_keys(&log_key.to_string()),
            "quorums": quorums,
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

const DASH: &str = "\u{2014}";

/// A checkpoint's text signed by the log, whatever it says.
fn signed(text: &str) -> String {
    let log = key(1);
    let name = VerifierKey::new("test.example/log", KeyType::Log, log.verifying_key().to_bytes()).expect("a key");
    let blob = [&name.id()[..], &creditbank_protocol::key::sign(&log, text.as_bytes())].concat();
    format!("{text}\n{DASH} test.example/log {}\n", STANDARD.encode(blob))
}

/// Notes that one log's policy accepts, and notes that it refuses.
fn refused_notes(policy: &str, checkpoint: &Checkpoint, note: &str, witness_line: &str) -> Vec<Value> {
    let policy = Policy::parse(policy).expect("a policy");
    let text = checkpoint.text();
    let line = note.strip_prefix(&format!("{text}\n")).expect("text, blank line, line").to_owned();
    let (head, data) = line.trim_end().rsplit_once(' ').expect("name and signature");
    let blob = STANDARD.decode(data).expect("base64");
    let with = |lines: &str| format!("{text}\n{lines}");
    let encoded = |blob: &[u8]| format!("{head} {}\n", STANDARD.encode(blob));
    let mut flipped = blob.clone();
    flipped[40] ^= 1;
    // 69 bytes have no padding; 68 bytes have, and spare bits with it.
    let padded = STANDARD.encode(&blob[..67]);
    let spare = format!("{}B==", &padded[..padded.len() - 3]);
    let stranger = format!("{DASH} stranger.example AAAAAAE=\n");
    let extended = format!("{text}extension\n");
    let root = STANDARD.encode(checkpoint.root.as_bytes());
    let cases: Vec<(&str, String, bool)> = vec![
        ("the log's signature alone", note.to_owned(), true),
        ("and the line of an unknown key", with(&format!("{stranger}{line}")), true),
        (
            "and an unknown key's line under the log's name",
            with(&format!("{line}{DASH} test.example/log AAAAAAE=\n")),
            true,
        ),
        ("and a witness that the policy does not name", with(&format!("{line}{witness_line}")), true),
        ("the same line twice", with(&line.repeat(2)), true),
        (
            "a name with a control character beyond ASCII, of an unknown key",
            with(&format!("{line}{DASH} a\u{81}b AAAAAAE=\n")),
            true,
        ),
        ("100 signatures", with(&format!("{line}{}", stranger.repeat(99))), true),
        ("101 signatures", with(&format!("{line}{}", stranger.repeat(100))), false),
        ("unknown keys only", with(&stranger), false),
        ("the log's line with a wrong signature", with(&encoded(&flipped)), false),
        ("a right and a wrong line of the log", with(&format!("{line}{}", encoded(&flipped))), false),
        ("a signature cut short", with(&encoded(&blob[..67])), false),
        ("no signature after the id", with(&encoded(&blob[..4])), false),
        ("three bytes", with(&encoded(&blob[..3])), false),
        ("spare bits that are not zero", with(&format!("{line}{DASH} stranger.example {spare}\n")), false),
        ("padding left out", with(&format!("{line}{DASH} stranger.example AAAAAAE\n")), false),
        ("base64url", with(&format!("{line}{DASH} stranger.example AAAAA_8=\n")), false),
        ("a line break in base64", with(&format!("{line}{DASH} stranger.example AAAA\nAAE=\n")), false),
        ("no text of a signature", with(&format!("{DASH} test.example/log\n")), false),
        ("a name with a plus sign", with(&format!("{line}{DASH} a+b AAAAAAE=\n")), false),
        ("no name", with(&format!("{line}{DASH}  AAAAAAE=\n")), false),
        ("a name with a no-break space", with(&format!("{line}{DASH} a\u{a0}b AAAAAAE=\n")), false),
        ("a hyphen for the dash", with(&line.replace(DASH, "-")), false),
        ("CR LF", note.replace('\n', "\r\n"), false),
        ("a tab", with(&format!("{line}{DASH} stranger.example\tAAAAAAE=\n")), false),
        ("no line feed at the end", note.trim_end().to_owned(), false),
        ("no blank line", note.replace("\n\n", "\n"), false),
        ("a blank line at the end", format!("{note}\n"), false),
        ("no signatures", format!("{text}\n"), false),
        ("another text", note.replace("\n84\n", "\n85\n"), false),
        ("an extension line", signed(&extended), false),
        ("a size with a leading zero", signed(&text.replace("\n84\n", "\n084\n")), false),
        ("a size with a sign", signed(&text.replace("\n84\n", "\n+84\n")), false),
        ("a size above 2^64 - 1", signed(&text.replace("\n84\n", "\n18446744073709551616\n")), false),
        ("no size", signed(&text.replace("\n84\n", "\n\n")), false),
        ("a root of 31 bytes", signed(&text.replace(&root, &STANDARD.encode([9; 31]))), false),
        ("a root without padding", signed(&text.replace(&root, root.trim_end_matches('='))), false),
        ("a root with spare bits", signed(&text.replace("CQk=", "CQl=")), false),
        ("two lines of text", signed("test.example/log\n84\n"), false),
        ("another origin", signed(&text.replace("test.example/log", "test.example/lag")), false),
    ];
    let judged = cases.into_iter().map(|(about, note, accepted)| {
        assert_eq!(policy.verify(note.as_bytes()).is_ok(), accepted, "{about}");
        json!({ "about": about, "note": note, "accepted": accepted })
    });
    judged.collect()
}

fn refused_policies(log: &VerifierKey, witness: &VerifierKey) -> Vec<Value> {
    let own = format!("log {log}\n");
    let w = format!("witness w {witness}\n");
    let as_witness = VerifierKey::new("other.example", KeyType::Cosigner, *log.public_key()).expect("a key");
    let cases = [
        ("nothing", String::new()),
        ("no quorum", own.clone()),
        ("two quorums", format!("{own}quorum none\nquorum none\n")),
        ("an unknown quorum", format!("{own}quorum w\n")),
        ("a quorum before its witness", format!("{own}quorum w\n{w}")),
        ("a log's key as a witness", format!("{own}witness w {log}\nquorum w\n")),
        ("a witness's key as a log", format!("log {witness}\nquorum none\n")),
        ("a log twice", format!("{own}{own}quorum none\n")),
        ("a witness twice", format!("{own}{w}witness v {witness}\nquorum w\n")),
        ("one public key as log and witness", format!("{own}witness w {as_witness}\nquorum w\n")),
        ("a witness called none", format!("{own}witness none {witness}\nquorum none\n")),
        ("a name twice", format!("{own}{w}group w any w\nquorum w\n")),
        ("a group of nobody", format!("{own}group g any\nquorum g\n")),
        ("a group of a later witness", format!("{own}group g any w\n{w}quorum g\n")),
        ("a member twice", format!("{own}{w}group g any w w\nquorum g\n")),
        ("a member in two groups", format!("{own}{w}group g any w\ngroup h any w\nquorum g\n")),
        ("none of the group", format!("{own}{w}group g 0 w\nquorum g\n")),
        ("more than the group", format!("{own}{w}group g 2 w\nquorum g\n")),
        ("a threshold with a leading zero", format!("{own}{w}group g 01 w\nquorum g\n")),
        ("a threshold with a sign", format!("{own}{w}group g +1 w\nquorum g\n")),
        ("an unknown word", format!("{own}quorum none\nlogs\n")),
        ("a log line of four words", format!("log {log} a b\nquorum none\n")),
        ("CR LF", format!("log {log}\r\nquorum none\r\n")),
        ("a control character in a comment", format!("{own}# \u{1}\nquorum none\n")),
        ("1,001 lines", format!("{own}quorum none\n{}", "\n".repeat(999))),
    ];
    let refuse = |(about, policy): (&str, String)| {
        assert!(Policy::parse(&policy).is_err(), "{about}");
        json!({ "about": about, "policy": policy })
    };
    assert!(Policy::parse(&format!("{own}quorum none\n{}", "\n".repeat(998))).is_ok(), "1,000 lines");
    cases.into_iter().map(refuse).collect()
}

fn refused_proofs(proof: &str) -> Vec<Value> {
    let hash = format!("{}\n", STANDARD.encode([1; 32]));
    let cases = [
        ("another head", proof.replace("@v1", "@v2")),
        ("an index with a leading zero", proof.replace("index 3", "index 03")),
        ("no index", proof.replace("index 3\n", "")),
        ("an extra line", proof.replace("index 3", "extra AA==\nindex 3")),
        ("a hash of 31 bytes", proof.replace(&hash, &format!("{}\n", STANDARD.encode([1; 31])))),
        ("a hash without padding", proof.replace(&hash, &hash.replace('=', ""))),
        ("65 hashes", proof.replace(&hash, &hash.repeat(64))),
        ("CR LF", proof.replace('\n', "\r\n")),
        ("no blank line", proof.replacen("\n\n", "\n", 2)),
    ];
    let refuse = |(about, proof): (&str, String)| {
        assert!(parse_proof(proof.as_bytes()).is_err(), "{about}");
        json!({ "about": about, "proof": proof })
    };
    cases.into_iter().map(refuse).collect()
}

fn refused_keys(vkey: &str) -> Vec<Value> {
    let (name, rest) = vkey.split_once('+').expect("a name");
    let (id, data) = rest.split_once('+').expect("an id");
    let typed = |kind: u8, key: &[u8]| STANDARD.encode([&[kind][..], key].concat());
    let bytes = STANDARD.decode(data).expect("base64");
    let cases = [
        ("no id", format!("{name}+{data}")),
        ("another id", format!("{name}+00000000+{data}")),
        ("an id in capitals", format!("{name}+{}+{data}", id.to_uppercase())),
        ("another name", format!("x{vkey}")),
        ("no name", format!("+{id}+{data}")),
        ("a name with a space", format!("a b+{id}+{data}")),
        ("type 254", format!("{name}+{id}+{}", typed(254, &bytes[1..]))),
        ("31 bytes", format!("{name}+{id}+{}", typed(1, &bytes[1..32]))),
        ("33 bytes", format!("{name}+{id}+{}", typed(1, &[&bytes[1..], &[0]].concat()))),
        ("a key of small order", {
            let zero = [&b"a\n\x01"[..], &[0; 32]].concat();
            format!("a+{}+{}", &creditbank_protocol::hash::sha256(&zero).to_string()[..8], typed(1, &[0; 32]))
        }),
        ("nothing after the id", format!("{name}+{id}+")),
    ];
    let refuse = |(about, key): (&str, String)| {
        assert!(VerifierKey::parse(&key).is_err(), "{about}");
        json!({ "about": about, "vkey": key })
    };
    cases.into_iter().map(refuse).collect()
}

/// Three witnesses, groups of them, and who has cosigned.
fn quorums(log: &VerifierKey, checkpoint: &Checkpoint, note: &str) -> Value {
    let name = |number: u8| format!("witness.example/{number}");
    let witness = |number: u8| {
        let public = key(40 + number).verifying_key().to_bytes();
        VerifierKey::new(&name(number), KeyType::Cosigner, public).expect("a key")
    };
    let base = format!("log {log}\nwitness a {}\nwitness b {}\nwitness c {}\n", witness(1), witness(2), witness(3));
    let cosigned = |numbers: &[u8]| {
        let line = |number: &u8| cosign(&name(*number), &checkpoint.text(), 1_795_449_300, &key(40 + number));
        numbers.iter().fold(note.to_owned(), |note, number| note + &line(number).expect("a line").to_line())
    };
    let late = {
        let blob = [&u64::MAX.to_be_bytes()[..], &[0; 64]].concat();
        let line = format!("{DASH} {} {}\n", name(1), STANDARD.encode([&witness(1).id()[..], &blob].concat()));
        format!("{note}{line}")
    };
    let cases: Vec<(&str, &str, String, bool)> = vec![
        ("none is asked", "quorum none\n", cosigned(&[]), true),
        ("the one that is asked", "quorum b\n", cosigned(&[2]), true),
        ("another one", "quorum b\n", cosigned(&[1, 3]), false),
        ("two of three", "group g 2 a b c\nquorum g\n", cosigned(&[1, 3]), true),
        ("one of two", "group g 2 a b c\nquorum g\n", cosigned(&[1]), false),
        ("one twice is one", "group g 2 a b c\nquorum g\n", cosigned(&[1, 1]), false),
        ("all", "group g all a b c\nquorum g\n", cosigned(&[1, 2, 3]), true),
        ("not all", "group g all a b c\nquorum g\n", cosigned(&[1, 2]), false),
        ("a group in a group", "group g any a b\ngroup h all g c\nquorum h\n", cosigned(&[2, 3]), true),
        (
            "a group in a group, without the other",
            "group g any a b\ngroup h all g c\nquorum h\n",
            cosigned(&[1, 2]),
            false,
        ),
        ("a cosignature with a time above 2^63 - 1", "quorum none\n", late, false),
    ];
    let judged: Vec<Value> = cases
        .into_iter()
        .map(|(about, quorum, note, accepted)| {
            let policy = Policy::parse(&format!("{base}{quorum}")).expect("a policy");
            assert_eq!(policy.verify(note.as_bytes()).is_ok(), accepted, "{about}");
            json!({ "about": about, "quorum": quorum, "note": note, "accepted": accepted })
        })
        .collect();
    json!({ "policy": base, "cases": judged })
}
