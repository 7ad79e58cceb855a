//! Whom a verifier trusts, and the file that says so: TOML with a C2SP policy and the protocol's own keys beside it.
//!
//! ```toml
//! registry_key = "0707..."     # the log was begun with it
//! institutions = [1, 7]        # whom you trust; left out: all that the registry has admitted
//! policy = """
//! log credits.example/log+1a2b3c4d+AQ...
//! quorum none
//! """
//! ```

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::InstitutionId;
use crate::note::{KeyType, NoteError, Policy, PolicyError, VerifierKey};

/// Whom a verifier trusts: their own trust file, not what a transcript says.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Logs, witnesses and quorum (C2SP tlog-policy).
    pub policy: Policy,
    /// The registry key that the log was begun with.
    pub registry_key: [u8; 32],
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
    #[error("registry_key: expected 32 bytes in hexadecimal")]
    RegistryKey,
    /// Not a policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    registry_key: String,
    institutions: Option<Vec<u64>>,
    policy: String,
}

impl Trust {
    /// Reads the text of a trust file.
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        let Text { registry_key, institutions, policy } =
            toml::from_str(text).map_err(|error| TrustError::Text(error.to_string()))?;
        let key = hex::decode(registry_key).ok().and_then(|key| key.try_into().ok());
        let institutions = institutions.map(|numbers| numbers.into_iter().map(InstitutionId).collect());
        let policy = Policy::parse(&policy)?;
        Ok(Self { policy, registry_key: key.ok_or(TrustError::RegistryKey)?, institutions })
    }

    /// Whether an institution is one of those that are trusted.
    pub fn includes(&self, institution: InstitutionId) -> bool {
        self.institutions.as_ref().is_none_or(|listed| listed.contains(&institution))
    }
}

/// The text of a trust file for one log without witnesses.
pub fn text_for(origin: &str, log_key: [u8; 32], registry_key: &[u8; 32]) -> Result<String, NoteError> {
    let key = VerifierKey::new(origin, KeyType::Log, log_key)?;
    Ok(format!(
        "# Whom you trust. Get it from the operator by a way that you trust, not from whoever shows a transcript.\n\
         registry_key = \"{}\"\n\
         # institutions = [1]   # only these; left out: all that the registry has admitted\n\
         policy = \"\"\"\nlog {key}\nquorum none\n\"\"\"\n",
        hex::encode(registry_key)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> String {
        let key = ed25519_dalek::SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes();
        text_for("test.example/log", key, &[7; 32]).expect("a text")
    }

    /// Goal: the text that an operator gives away is read as what it says.
    #[test]
    fn a_trust_file_is_read_as_it_is_written() {
        let trust = Trust::parse(&text()).expect("a trust file");
        assert_eq!((trust.registry_key, trust.policy.logs().len()), ([7; 32], 1));
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
        assert_eq!(wrong(&text().replace("\"0707", "\"07")), TrustError::RegistryKey);
        assert!(matches!(wrong(&text().replace("quorum", "quorums")), TrustError::Policy(_)));
    }
}
