//! `proto/vectors/tokens.json`: access tokens that are taken and refused.
//!
//! `CREDITBANK_WRITE_VECTORS=1 cargo test -p creditbank-rpc --test tokens` writes it anew.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use creditbank_protocol::key::{KeyId, sign};
use creditbank_rpc::token::{check, key_id, make};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

const ORIGIN: &str = "test.example/log";
const NOW: u64 = 1_795_449_277;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// A token of any two texts, signed.
fn token(head: &str, claims: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(sign(&key(1), signed.as_bytes())))
}

fn kid(seed: u8) -> String {
    KeyId::of(&key(seed).verifying_key().to_bytes()).to_string()
}

fn head() -> String {
    format!(r#"{{"alg":"EdDSA","kid":"{}","typ":"JWT"}}"#, kid(1))
}

fn claims(iat: u64, exp: u64) -> String {
    format!(r#"{{"aud":"{ORIGIN}","exp":{exp},"iat":{iat},"jti":"01"}}"#)
}

fn times() -> Vec<(&'static str, String, bool)> {
    let at = |iat: u64, exp: u64| token(&head(), &claims(iat, exp));
    vec![
        ("as it is made", make(ORIGIN, &key(1), NOW, [7; 16]), true),
        ("five minutes from now", at(NOW, NOW + 300), true),
        ("it ends in a second", at(NOW - 299, NOW + 1), true),
        ("a clock that is a minute ahead", at(NOW + 60, NOW + 300), true),
        ("it ends now", at(NOW - 100, NOW), false),
        ("a clock that is more than a minute ahead", at(NOW + 61, NOW + 300), false),
        ("it lives longer than five minutes", at(NOW - 1, NOW + 300), false),
        ("it ends more than five minutes from now", at(NOW + 1, NOW + 301), false),
        ("it ends before it begins", at(NOW + 20, NOW + 10), false),
        ("it ends when it begins", at(NOW + 20, NOW + 20), false),
    ]
}

fn forms() -> Vec<(&'static str, String, bool)> {
    let good = claims(NOW, NOW + 240);
    let of = |head: &str| token(head, &good);
    let saying = |claims: &str| token(&head(), claims);
    let honest = of(&head());
    let (signed, signature) = honest.rsplit_once('.').expect("three parts");
    let raw = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let mut flipped = raw.clone();
    flipped[3] ^= 1;
    let spare = format!("{}{}", &signature[..signature.len() - 1], next(signature));
    let text = head();
    vec![
        (
            "names in another order, and white space",
            token(&format!(r#"{{ "typ": "JWT", "kid": "{}", "alg": "EdDSA" }}"#, kid(1)), &good),
            true,
        ),
        ("an empty jti", saying(&good.replace("\"01\"", "\"\"")), true),
        ("alg none", of(&text.replace("EdDSA", "none")), false),
        ("alg HS256", of(&text.replace("EdDSA", "HS256")), false),
        ("alg in small letters", of(&text.replace("EdDSA", "eddsa")), false),
        ("no alg", of(&text.replace(r#""alg":"EdDSA","#, "")), false),
        ("no typ", of(&text.replace(r#","typ":"JWT""#, "")), false),
        ("another typ", of(&text.replace("JWT", "JOSE")), false),
        ("crit", of(&text.replace('}', r#","crit":["exp"]}"#)), false),
        ("a header that stands twice", of(&text.replace('}', r#","alg":"EdDSA"}"#)), false),
        ("no kid", of(r#"{"alg":"EdDSA","typ":"JWT"}"#), false),
        ("another key's kid", of(&text.replace(&kid(1), &kid(2))), false),
        ("a kid in capitals", of(&text.replace(&kid(1), &kid(1).to_uppercase())), false),
        ("a kid cut short", of(&text.replace(&kid(1), &kid(1)[..30])), false),
        ("another log", saying(&good.replace(ORIGIN, "test.example/other")), false),
        ("several logs", saying(&good.replace(&format!("\"{ORIGIN}\""), &format!("[\"{ORIGIN}\"]"))), false),
        ("no aud", saying(&good.replace(&format!(r#""aud":"{ORIGIN}","#), "")), false),
        ("no jti", saying(&good.replace(r#","jti":"01""#, "")), false),
        ("a jti that is no text", saying(&good.replace("\"01\"", "1")), false),
        ("a claim more", saying(&good.replace('}', r#","sub":"x"}"#)), false),
        ("a claim that stands twice", saying(&good.replace('}', r#","jti":"02"}"#)), false),
        ("a time with a point", saying(&good.replace(&NOW.to_string(), &format!("{NOW}.0"))), false),
        ("a time as text", saying(&good.replace(&NOW.to_string(), &format!("\"{NOW}\""))), false),
        ("a time before 1970", saying(&good.replace(&NOW.to_string(), "-1")), false),
        ("claims that are no JSON", saying("{"), false),
        ("claims in a list", saying("[]"), false),
        ("more after the claims", saying(&format!("{good}{{}}")), false),
        ("padding", format!("{signed}.{}", URL_SAFE.encode(&raw)), false),
        ("spare bits", format!("{signed}.{spare}"), false),
        ("a changed signature", format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&flipped)), false),
        ("a signature cut short", format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&raw[..63])), false),
        ("no signature", format!("{signed}."), false),
        ("two parts", signed.to_owned(), false),
        ("four parts", format!("{honest}.AA"), false),
        ("nothing", String::new(), false),
        ("longer than 2,048 bytes", saying(&good.replace("\"01\"", &format!("\"{}\"", "x".repeat(1_600)))), false),
    ]
}

/// The letter of base64url after the last one of a text, which differs in a bit that carries nothing.
fn next(text: &str) -> char {
    char::from(text.bytes().last().expect("not empty") + 1)
}

#[test]
fn tokens() {
    let public = key(1).verifying_key().to_bytes();
    let judged = |(about, token, accepted): (&str, String, bool)| {
        let names_key = key_id(&token).is_ok_and(|id| id.to_string() == kid(1));
        assert_eq!(names_key && check(&token, ORIGIN, &public, NOW).is_ok(), accepted, "{about}");
        json!({ "about": about, "now_s": NOW, "token": token, "accepted": accepted })
    };
    let cases: Vec<Value> = times().into_iter().chain(forms()).map(judged).collect();
    let file = json!({
        "about": "PROTOCOL.md, Services and access tokens: by the key of the seed, for the log of the origin, at the time.",
        "origin": ORIGIN, "seed": hex::encode([1; 32]), "cases": cases,
    });
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/tokens.json");
    if std::env::var_os("CREDITBANK_WRITE_VECTORS").is_some() {
        fs::write(&path, serde_json::to_string_pretty(&file).expect("JSON") + "\n")
            .expect("the vectors can be written");
    }
    let written = fs::read_to_string(&path).expect("the vectors are there");
    let written: Value = serde_json::from_str(&written).expect("the vectors are JSON");
    assert!(written == file, "tokens.json is not what the code says");
}
