//! Whom a verifier trusts, and the file that says so: TOML with a C2SP policy and the protocol's own keys beside it.
//!
//! ```toml
//! # What the log was begun with: its log key, its registry key, and the digest of the registry key that may follow.
//! log_key = "0101..."
//! registry_key = "0707..."
//! next_registry_key = "1a2b..."
//! # After a theft of the log key, or a loss: each former origin of the log, and the size up to which it holds.
//! former = [{ origin = "old.example/log", size = 1234 }]
//! institutions = [1, 7]        # whom you trust; left out: all that the registry has admitted
//! current_within = "24h"       # a status that is older is shown as not current
//! stale_after = "30d"          # a status that is older is not relied on
//! policy = """
//! log credits.example/log+1a2b3c4d+AQ...
//! quorum none
//! """
//! ```

mod origins;

use std::collections::BTreeSet;

use serde::Deserialize;

pub use origins::FormerError;

use crate::key::{FormerOrigin, LogKeyHistory, LogKeys, verifying_key};
use crate::note::{KeyType, NoteError, Policy, PolicyError, VerifierKey};
use crate::{Digest, InstitutionId, LogIndex};

/// Whom a verifier trusts: their own trust file, not what a transcript says.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Logs, witnesses and quorum (C2SP tlog-policy).
    pub policy: Policy,
    /// The log key that the log was begun with. The policy says which one is trusted now.
    pub log_key: [u8; 32],
    /// The registry key that the log was begun with.
    pub registry_key: [u8; 32],
    /// Commitment to the registry key that may follow.
    pub next_registry_key: Digest,
    /// The origins that the log had before, in their order, each with the size up to which it holds. The policy names
    /// the newest.
    pub former: Vec<FormerOrigin>,
    /// The institutions; `None`: all that the registry has admitted.
    pub institutions: Option<BTreeSet<InstitutionId>>,
    /// How old a status may be.
    pub freshness: Freshness,
}

/// How old a status may be for a verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// Up to this age it is current, milliseconds.
    pub current_within_ms: u64,
    /// From a greater age than this on it is stale, milliseconds.
    pub stale_after_ms: u64,
}

impl Default for Freshness {
    /// 24 hours and 30 days.
    fn default() -> Self {
        Self { current_within_ms: 24 * HOUR_MS, stale_after_ms: 30 * 24 * HOUR_MS }
    }
}

const HOUR_MS: u64 = 3_600_000;

/// Why a text is not a trust file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// Not TOML, or other names than those above.
    #[error("{0}")]
    Text(String),
    /// Not a key.
    #[error("{0}: expected 32 bytes in hexadecimal (64 digits)")]
    Key(&'static str),
    /// 32 bytes that are not a key.
    #[error("{0}: expected an Ed25519 public key, found 32 bytes that are none: compare it with the published one")]
    Point(&'static str),
    /// Not a duration.
    #[error("{0}: expected a number of minutes, hours or days, as \"90m\", \"24h\" or \"30d\"")]
    Duration(&'static str),
    /// A status would be stale before it ceases to be current.
    #[error("stale_after: expected at least current_within")]
    Stale,
    /// Former origins out of order, or one of them twice.
    #[error("former: expected the origins in their order, each once and with a larger size")]
    Former,
    /// Not a policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    log_key: String,
    registry_key: String,
    next_registry_key: String,
    #[serde(default)]
    former: Vec<Former>,
    institutions: Option<Vec<u64>>,
    current_within: Option<String>,
    stale_after: Option<String>,
    policy: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Former {
    origin: String,
    size: u64,
}

impl Trust {
    /// Reads the text of a trust file. Lines may end in CR LF: editors write them, also within the policy.
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        let text: Text =
            toml::from_str(&text.replace("\r\n", "\n")).map_err(|error| TrustError::Text(error.to_string()))?;
        let Text { log_key, registry_key, next_registry_key, former, institutions, .. } = text;
        let (current_within, stale_after, policy) = (text.current_within, text.stale_after, text.policy);
        let former = former.into_iter().map(|one| FormerOrigin { origin: one.origin, size: LogIndex(one.size) });
        let former: Vec<FormerOrigin> = former.collect();
        let names: BTreeSet<&str> = former.iter().map(|one| one.origin.as_str()).collect();
        if names.len() < former.len() || former.windows(2).any(|two| two[0].size >= two[1].size) {
            return Err(TrustError::Former);
        }
        let key = |name, text: String| {
            let key = hex::decode(text).ok().and_then(|key| <[u8; 32]>::try_from(key).ok());
            key.ok_or(TrustError::Key(name))
        };
        let (log_key, registry_key) = (key("log_key", log_key)?, key("registry_key", registry_key)?);
        verifying_key(&log_key).map_err(|_| TrustError::Point("log_key"))?;
        let next_registry_key = Digest(key("next_registry_key", next_registry_key)?);
        let institutions = institutions.map(|numbers| numbers.into_iter().map(InstitutionId).collect());
        let freshness = freshness(current_within.as_deref(), stale_after.as_deref())?;
        let policy = Policy::parse(&policy)?;
        Ok(Self { policy, log_key, registry_key, next_registry_key, former, institutions, freshness })
    }

    /// Trust in all institutions that the registry of a log has admitted, with the usual bounds of age. The log was
    /// begun with these keys.
    pub fn new(policy: Policy, log_key: [u8; 32], registry_key: [u8; 32], next_registry_key: Digest) -> Self {
        let freshness = Freshness::default();
        Self { policy, log_key, registry_key, next_registry_key, former: Vec::new(), institutions: None, freshness }
    }

    /// What a log was begun with, of which the newest origin that is known is this one.
    pub fn beginning(&self, origin: &str) -> LogKeys {
        let origin = self.first_origin(origin);
        let Self { log_key, registry_key, next_registry_key, .. } = *self;
        LogKeys { origin: origin.to_owned(), log_key, registry_key, next_registry_key }
    }

    /// Whether an institution is one of those that are trusted.
    pub fn includes(&self, institution: InstitutionId) -> bool {
        self.institutions.as_ref().is_none_or(|listed| listed.contains(&institution))
    }
}

/// Reads the bounds of age; those that are left out are the usual ones.
fn freshness(current_within: Option<&str>, stale_after: Option<&str>) -> Result<Freshness, TrustError> {
    let read = |name, text: Option<&str>, usual: u64| {
        text.map_or(Ok(usual), |text| duration_ms(text).ok_or(TrustError::Duration(name)))
    };
    let usual = Freshness::default();
    let found = Freshness {
        current_within_ms: read("current_within", current_within, usual.current_within_ms)?,
        stale_after_ms: read("stale_after", stale_after, usual.stale_after_ms)?,
    };
    if found.stale_after_ms < found.current_within_ms { Err(TrustError::Stale) } else { Ok(found) }
}

/// Milliseconds of a text as `90m`, `24h` or `30d`: digits without a leading zero, at most 9, and a unit.
pub fn duration_ms(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit_ms = match unit {
        "m" => 60_000,
        "h" => HOUR_MS,
        "d" => 24 * HOUR_MS,
        _ => return None,
    };
    let plain = digits.len() <= 9 && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse::<u64>().ok().filter(|_| plain)?.checked_mul(unit_ms)
}

/// The text of a trust file for one log without witnesses, which is signed by the log key of its beginning.
pub fn text_for(beginning: &LogKeys) -> Result<String, NoteError> {
    text_of(beginning, &LogKeyHistory::new(&beginning.origin, beginning.log_key))
}

/// As [`text_for`], of a log that has gone on under other origins: the policy names the newest with its first key, and
/// where the former ones end is pinned.
pub fn text_of(beginning: &LogKeys, history: &LogKeyHistory) -> Result<String, NoteError> {
    let origins = history.origins();
    let first_key = history.signers_of(origins.newest()).next().map_or(beginning.log_key, |(_, key)| key);
    let key = VerifierKey::new(origins.newest(), KeyType::Log, first_key)?;
    let one = |former: &FormerOrigin| format!("{{ origin = \"{}\", size = {} }}", former.origin, former.size.0);
    let former: Vec<String> = origins.former().iter().map(one).collect();
    let about = "# The log goes on under another name: what a former name says beyond its size is not the log's.";
    let former = if former.is_empty() { String::new() } else { format!("{about}\nformer = [{}]\n", former.join(", ")) };
    Ok(format!(
        "# Whom you trust. Get it from the operator by a way that you trust, not from whoever shows a transcript.\n\
         # What the log was begun with. It never changes.\n\
         log_key = \"{}\"\n\
         registry_key = \"{}\"\n\
         next_registry_key = \"{}\"\n\
         {former}\
         # institutions = [1]   # only these; left out: all that the registry has admitted\n\
         # current_within = \"24h\"   # a status that is older is shown as not current\n\
         # stale_after = \"30d\"      # a status that is older is not relied on\n\
         policy = \"\"\"\nlog {key}\nquorum none\n\"\"\"\n",
        hex::encode(beginning.log_key),
        hex::encode(beginning.registry_key),
        beginning.next_registry_key,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beginning(log_key: [u8; 32]) -> LogKeys {
        let (origin, next_registry_key) = ("test.example/log".to_owned(), Digest([8; 32]));
        LogKeys { origin, log_key, registry_key: [7; 32], next_registry_key }
    }

    fn text() -> String {
        let key = ed25519_dalek::SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes();
        text_for(&beginning(key)).expect("a text")
    }

    /// Goal: the text that an operator gives away is read as what it says.
    #[test]
    fn a_trust_file_is_read_as_it_is_written() {
        let trust = Trust::parse(&text()).expect("a trust file");
        assert_eq!(trust.beginning("test.example/log"), beginning(trust.log_key));
        assert_eq!(trust.policy.logs().len(), 1);
        assert!(trust.includes(InstitutionId(9)), "nobody is left out");
        let saved_elsewhere = Trust::parse(&text().replace('\n', "\r\n")).expect("lines that end in CR LF");
        assert_eq!(saved_elsewhere.policy.logs().len(), 1);
        let narrow = Trust::parse(&format!("institutions = [1]\n{}", text())).expect("a trust file");
        assert_eq!([1, 2].map(|number| narrow.includes(InstitutionId(number))), [true, false]);
    }

    /// Goal: bounds of age are read with their units, and one that makes no sense is refused by name.
    #[test]
    fn bounds_of_age_are_read() {
        let read = |line: &str| Trust::parse(&format!("{line}\n{}", text())).map(|trust| trust.freshness);
        let usual = Freshness::default();
        assert_eq!(read(""), Ok(usual));
        assert_eq!(read("current_within = \"90m\""), Ok(Freshness { current_within_ms: 5_400_000, ..usual }));
        assert_eq!(read("stale_after = \"7d\""), Ok(Freshness { stale_after_ms: 604_800_000, ..usual }));
        for wrong in ["", "h", "0h", "01h", "24", "24 h", "1w", "-1h", "1000000000m", "1\u{e9}"] {
            let found = read(&format!("current_within = \"{wrong}\""));
            assert_eq!(found, Err(TrustError::Duration("current_within")), "{wrong}");
        }
        assert_eq!(read("stale_after = \"23h\""), Err(TrustError::Stale));
    }

    /// Goal: whatever is wrong is named.
    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |text: &str| Trust::parse(text).expect_err("it is wrong");
        assert!(matches!(wrong("registry_key = 7"), TrustError::Text(_)));
        assert!(wrong(&format!("institution = [1]\n{}", text())).to_string().contains("institution"));
        assert_eq!(wrong(&text().replace("\"0707", "\"07")), TrustError::Key("registry_key"));
        let log_key = format!("log_key = \"{}", hex::encode(Trust::parse(&text()).expect("a trust file").log_key));
        let none = text().replace(&log_key, &format!("log_key = \"02{}", "00".repeat(31)));
        assert_eq!(wrong(&none), TrustError::Point("log_key"));
        let policy = wrong(&text().replace("quorum none\n", "")).to_string();
        assert!(policy.starts_with("policy: a quorum line is missing"), "{policy}");
        assert!(matches!(wrong(&text().replace("quorum", "quorums")), TrustError::Policy(_)));
    }
}
