//! Signatures that strict verification takes and refuses: made from scalars and torsion points, as no signer would.

use creditbank_protocol::hash::{Preimage, tag};
use creditbank_protocol::key::{sign, verify};
use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as BASE, EIGHT_TORSION};
use curve25519_dalek::{EdwardsPoint, Scalar};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};

use super::{agree, hex, key};

/// The order of the base point, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn bytes(point: EdwardsPoint) -> [u8; 32] {
    point.compress().to_bytes()
}

/// The challenge of a signature.
fn challenge(r: &[u8; 32], a: &[u8; 32], message: &[u8]) -> Scalar {
    let hash: [u8; 64] = Sha512::new().chain_update(r).chain_update(a).chain_update(message).finalize().into();
    Scalar::from_bytes_mod_order_wide(&hash)
}

/// A signature whose R and A are the points plus torsion; the scalars are those of the points without it.
fn twisted(message: &[u8], r_torsion: usize, a_torsion: usize) -> ([u8; 32], [u8; 64], Scalar) {
    let (a, r) = (Scalar::from(0x5eed_0000_0001_u64), Scalar::from(0x5eed_0000_0002_u64));
    let public = bytes(BASE * a + EIGHT_TORSION[a_torsion]);
    let first = bytes(BASE * r + EIGHT_TORSION[r_torsion]);
    let k = challenge(&first, &public, message);
    (public, joined(first, (r + k * a).to_bytes()), k)
}

fn joined(first: [u8; 32], second: [u8; 32]) -> [u8; 64] {
    std::array::from_fn(|at| if at < 32 { first[at] } else { second[at - 32] })
}

/// S and S + L are the same scalar.
fn plus_order(signature: &[u8; 64]) -> [u8; 64] {
    let mut out = *signature;
    let mut carry = 0u16;
    for (at, order) in ORDER.iter().enumerate() {
        let sum = u16::from(out[32 + at]) + u16::from(*order) + carry;
        out[32 + at] = u8::try_from(sum & 0xff).expect("a byte");
        carry = sum >> 8;
    }
    assert_eq!(carry, 0, "S + L fits 256 bits");
    out
}

struct Case {
    about: &'static str,
    key: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

fn case(about: &'static str, key: impl AsRef<[u8]>, message: impl AsRef<[u8]>, signature: impl AsRef<[u8]>) -> Case {
    Case {
        about,
        key: key.as_ref().to_vec(),
        message: message.as_ref().to_vec(),
        signature: signature.as_ref().to_vec(),
    }
}

/// A message whose challenge is, or is not, a multiple of eight.
fn message_with(multiple: bool) -> Vec<u8> {
    let fits = |number: &u8| {
        let (_, _, k) = twisted(&[*number], 0, 1);
        k.to_bytes()[0].is_multiple_of(8) == multiple
    };
    vec![(0..=255u8).find(fits).expect("one in eight")]
}

fn held() -> Vec<Case> {
    let honest = sign(&key(3), b"message");
    let (plain_key, plain, _) = twisted(b"message", 0, 0);
    let even = message_with(true);
    let (mixed_key, mixed, _) = twisted(&even, 0, 1);
    vec![
        case("an ordinary one", key(3).verifying_key().to_bytes(), b"message", honest),
        case("of the empty message", key(3).verifying_key().to_bytes(), b"", sign(&key(3), b"")),
        case("the construction of those below, without torsion", plain_key, b"message", plain),
        case("a key of mixed order, whose torsion the challenge cancels", mixed_key, even, mixed),
    ]
}

fn refused() -> Vec<Case> {
    let public = key(3).verifying_key().to_bytes();
    let honest = sign(&key(3), b"message");
    let mut cases = vec![
        case("another message", public, b"massage", honest),
        case("another key", key(4).verifying_key().to_bytes(), b"message", honest),
        case("S + L", public, b"message", plus_order(&honest)),
        case("63 bytes", public, b"message", &honest[..63]),
        case("65 bytes", public, b"message", [&honest[..], &[0]].concat()),
        case("a key of 31 bytes", &public[..31], b"message", honest),
        case("no signature", public, b"message", []),
    ];
    let (odd_key, odd, _) = twisted(b"message", 1, 0);
    cases.push(case("R of mixed order: it holds with the cofactor alone", odd_key, b"message", odd));
    let odd = message_with(false);
    let (mixed_key, mixed, _) = twisted(&odd, 0, 1);
    cases.push(case("a key of mixed order: it holds with the cofactor alone", mixed_key, odd, mixed));
    let (a, s) = (Scalar::from(0x5eed_0000_0001_u64), Scalar::from(0x5eed_0000_0003_u64));
    let own = bytes(BASE * a);
    for point in EIGHT_TORSION {
        // [S]B = R + [k]A holds with the cofactor, and for the identity without it as well.
        let small = bytes(point);
        let k = challenge(&small, &own, b"message");
        cases.push(case("R of small order", own, b"message", joined(small, (k * a).to_bytes())));
        cases.push(case("a key of small order", small, b"message", joined(bytes(BASE * s), s.to_bytes())));
    }
    let identity = |first: u8, last: u8| -> [u8; 32] {
        std::array::from_fn(|at| match at {
            0 => first,
            31 => last,
            _ if last == 0x7f || last == 0xff => 0xff,
            _ => 0,
        })
    };
    // The identity as y = 1 + p, and as x = 0 with the sign of a negative x.
    for odd in [identity(0xee, 0x7f), identity(0x01, 0x80), identity(0xee, 0xff)] {
        let k = challenge(&odd, &own, b"message");
        cases.push(case("R spelled otherwise", own, b"message", joined(odd, (k * a).to_bytes())));
        cases.push(case("a key spelled otherwise", odd, b"message", joined(bytes(BASE * s), s.to_bytes())));
    }
    let tagged = |tag| Preimage::new(tag).variable(b"the same bytes");
    let (block, seal) = (tagged(tag::BLOCK_SIGNATURE), tagged(tag::SEAL_SIGNATURE));
    cases.push(case("under another tag", public, seal.as_bytes(), sign(&key(3), block.as_bytes())));
    cases.push(case("without the tag", public, block.as_bytes(), sign(&key(3), b"the same bytes")));
    cases
}

#[test]
fn signatures() {
    let shown = |cases: Vec<Case>, holds: bool| -> Vec<Value> {
        let show = |case: Case| {
            assert_eq!(verify(&case.key, &case.message, &case.signature).is_ok(), holds, "{}", case.about);
            json!({
                "about": case.about, "public_key": hex(case.key), "message": hex(case.message),
                "signature": hex(case.signature),
            })
        };
        cases.into_iter().map(show).collect()
    };
    agree(
        "signatures.json",
        &json!({
            "about": "PROTOCOL.md, Conventions: strict verification under suite 1.",
            "held": shown(held(), true), "refused": shown(refused(), false),
        }),
    );
}
