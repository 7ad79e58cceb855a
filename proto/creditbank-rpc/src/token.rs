//! Access tokens: short-lived JWTs (RFC 7519, `EdDSA` of RFC 8037) by a registered access key (PROTOCOL.md, "Access tokens").
//!
//! A token is the smallest subset that serves: one algorithm, strict Ed25519, at most five minutes. General JWT libraries
//! bring RSA and the NIST curves with them; one will come with the national identity providers that need it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use creditbank_protocol::dates::show_minute;
use creditbank_protocol::key::{KeyId, SignatureError, sign, verify};
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

/// Longest life of a token, in seconds.
pub const LIFE_MAX_S: u64 = 300;
/// A token may come from a clock that is so far ahead.
const AHEAD_MAX_S: u64 = 60;
const TOKEN_LEN_MAX: usize = 2_048;

/// Exactly these: whoever does not know `crit` must refuse it (RFC 7515).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    alg: String,
    kid: String,
    typ: String,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The log's origin: a token for one node serves no other.
    pub aud: String,
    /// Seconds since 1970: the end of its life.
    pub exp: u64,
    /// Seconds since 1970: when it was made.
    pub iat: u64,
    /// Names the token.
    pub jti: String,
}

/// Why a token gives no access.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not three parts of base64url JSON, or another algorithm.
    #[error("the access token is not a JWT signed with EdDSA")]
    Form,
    /// Of another log.
    #[error("the access token is for {found}, this is {expected}")]
    Audience {
        /// This log.
        expected: String,
        /// The token's.
        found: String,
    },
    /// Over, too long, or not yet.
    #[error("the access token's times are wrong: it lives at most {LIFE_MAX_S} s and must include now, {} by the node's clock: compare the clocks", show_minute(now_s / 60))]
    Time {
        /// Now, by the node's clock.
        now_s: u64,
    },
    /// The signature does not hold.
    #[error("the access token's signature does not hold: {0}")]
    Signature(#[from] SignatureError),
}

/// A token for `origin`, made at `now_s` and living for five minutes less the allowance for clocks. `jti` names it.
pub fn make(origin: &str, key: &SigningKey, now_s: u64, jti: [u8; 16]) -> String {
    let kid = KeyId::of(&key.verifying_key().to_bytes()).to_string();
    let head = Head { alg: "EdDSA".to_owned(), kid, typ: "JWT".to_owned() };
    let claims =
        Claims { aud: origin.to_owned(), exp: now_s + LIFE_MAX_S - AHEAD_MAX_S, iat: now_s, jti: hex::encode(jti) };
    let part = |json: serde_json::Result<Vec<u8>>| URL_SAFE_NO_PAD.encode(json.expect("strings and numbers are JSON"));
    let signed = format!("{}.{}", part(serde_json::to_vec(&head)), part(serde_json::to_vec(&claims)));
    let signature = sign(key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The key that a token names, before anything of it is believed.
pub fn key_id(token: &str) -> Result<KeyId, TokenError> {
    let (head, _, _, _) = split(token)?;
    let id = hex::decode(&head.kid).ok().and_then(|id| KeyId::from_slice(&id));
    // One spelling: lower case.
    id.filter(|id| id.to_string() == head.kid).ok_or(TokenError::Form)
}

/// Checks a token under the public key that [`key_id`] led to.
pub fn check(token: &str, origin: &str, public_key: &[u8], now_s: u64) -> Result<Claims, TokenError> {
    let (_, claims, signed, signature) = split(token)?;
    verify(public_key, signed.as_bytes(), &signature)?;
    if claims.aud != origin {
        return Err(TokenError::Audience { expected: origin.to_owned(), found: claims.aud });
    }
    let lives = claims.iat < claims.exp && claims.exp - claims.iat <= LIFE_MAX_S;
    // Counted from now as well: a token made in the future would live longer.
    let now = claims.iat <= now_s + AHEAD_MAX_S && now_s < claims.exp && claims.exp <= now_s + LIFE_MAX_S;
    if lives && now { Ok(claims) } else { Err(TokenError::Time { now_s }) }
}

fn split(token: &str) -> Result<(Head, Claims, &str, Vec<u8>), TokenError> {
    if token.len() > TOKEN_LEN_MAX {
        return Err(TokenError::Form);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Form)?;
    let (head, claims) = signed.split_once('.').ok_or(TokenError::Form)?;
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Form);
    let head: Head = serde_json::from_slice(&bytes(head)?).map_err(|_| TokenError::Form)?;
    let claims: Claims = serde_json::from_slice(&bytes(claims)?).map_err(|_| TokenError::Form)?;
    if head.alg != "EdDSA" || head.typ != "JWT" {
        return Err(TokenError::Form);
    }
    Ok((head, claims, signed, bytes(signature)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a token serves its log for its time under its key, and nothing else.
    #[test]
    fn tokens_are_bound_to_log_time_and_key() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let public = key.verifying_key().to_bytes();
        let token = make("log", &key, 1_000, [7; 16]);
        assert_eq!(key_id(&token), Ok(KeyId::of(&public)));
        assert!(check(&token, "log", &public, 1_000).is_ok());
        assert!(check(&token, "log", &public, 1_239).is_ok());
        assert_eq!(check(&token, "log", &public, 1_240), Err(TokenError::Time { now_s: 1_240 }));
        assert_eq!(check(&token, "log", &public, 900), Err(TokenError::Time { now_s: 900 }));
        assert!(matches!(check(&token, "other", &public, 1_000), Err(TokenError::Audience { .. })));
        let other = SigningKey::from_bytes(&[2; 32]).verifying_key().to_bytes();
        assert!(matches!(check(&token, "log", &other, 1_000), Err(TokenError::Signature(_))));
        for bad in ["", "a.b", "a.b.c", &token[1..], &token.replace('.', "..")] {
            assert!(check(bad, "log", &public, 1_000).is_err(), "{bad:?}");
        }
    }
}
