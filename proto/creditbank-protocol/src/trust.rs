//! Whom a verifier trusts, and the file that says so: TOML with a C2SP policy and the protocol's own keys beside it.
//!
//! ```toml
//! # What the log was begun with: its log key, its registry key, and the digest of the registry key that may follow.
//! log_key = "0101..."
//! registry_key = "0707..."
//! next_registry_key = "1a2b..."
//! institutions = [1, 7]        # whom you trust; left out: all that the registry has admitted
//! policy = """
//! log credits.example/log+1a2b3c4d+AQ...
//! quorum none
//! """
//! ```

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::key::LogKeys;
use crate::note::{KeyType, NoteError, Policy, PolicyError, VerifierKey};
use crate::{Digest, InstitutionId};

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
    /// The institutions; `None`: all that the registry has admitted.
    pub institutions: Option<BTreeSet<InstitutionId>>,
}

/// Why a text is not a trust file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// Not TOML, or other names than those above.
    #[error("{0}")]
    Text(String),
    /// Not a key.
    #[error("{0}: expected 32 bytes in hexadecimal")]
    Key(&'static str),
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
    institutions: Option<Vec<u64>>,
    policy: String,
}

impl Trust {
    /// Reads the text of a trust file.
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        let Text { log_key, registry_key, next_registry_key, institutions, policy } =
            toml::from_str(text).map_err(|error| TrustError::Text(error.to_string()))?;
        let key = |name, text: String| {
            let key = hex::decode(text).ok().and_then(|key| <[u8; 32]>::try_from(key).ok());
            key.ok_or(TrustError::Key(name))
        };
        let (log_key, registry_key) = (key("log_key", log_key)?, key("registry_key", registry_key)?);
        let next_registry_key = Digest(key("next_registry_key", next_registry_key)?);
        let institutions = institutions.map(|numbers| numbers.into_iter().map(InstitutionId).collect());
        let policy = Policy::parse(&policy)?;
        Ok(Self { policy, log_key, registry_key, next_registry_key, institutions })
    }

    /// What the log was begun with.
    pub fn beginning(&self, origin: &str) -> LogKeys {
        let Self { log_key, registry_key, next_registry_key, .. } = *self;
        LogKeys { origin: origin.to_owned(), log_key, registry_key, next_registry_key }
    }

    /// Whether an institution is one of those that are trusted.
    pub fn includes(&self, institution: InstitutionId) -> bool {
        self.institutions.as_ref().is_none_or(|listed| listed.contains(&institution))
    }
}

/// The text of a trust file for one log without witnesses, which is signed by the log key of its beginning.
pub fn text_for(beginning: &LogKeys) -> Result<String, NoteError> {
    let key = VerifierKey::new(&beginning.origin, KeyType::Log, beginning.log_key)?;
    Ok(format!(
        "# Whom you trust. Get it from the operator by a way that you trust, not from whoever shows a transcript.\n\
         # What the log was begun with. It never changes.\n\
         log_key = \"{}\"\n\
         registry_key = \"{}\"\n\
         next_registry_key = \"{}\"\n\
         # institutions = [1]   # only these; left out: all that the registry has admitted\n\
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
        let narrow = Trust::parse(&format!("institutions = [1]\n{}", text())).expect("a trust file");
        assert_eq!([1, 2].map(|number| narrow.includes(InstitutionId(number))), [true, false]);
    }

    /// Goal: whatever is wrong is named.
    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |text: &str| Trust::parse(text).expect_err("it is wrong");
        assert!(matches!(wrong("registry_key = 7"), TrustError::Text(_)));
        assert!(wrong(&format!("institution = [1]\n{}", text())).to_string().contains("institution"));
        assert_eq!(wrong(&text().replace("\"0707", "\"07")), TrustError::Key("registry_key"));
        assert!(matches!(wrong(&text().replace("quorum", "quorums")), TrustError::Policy(_)));
    }
}
