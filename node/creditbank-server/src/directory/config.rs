//! `node.toml`: read once, unknown keys refused.

mod settings;

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use creditbank_protocol::Digest;
use creditbank_protocol::key::LogKeys;
use creditbank_store::Engine;
use serde::{Deserialize, Serialize, Serializer};

use super::StoreUrl;
pub use settings::{Connections, Operations, Quotas, Scrub};

/// A node's configuration. It is written in this form, and read by way of `Text`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Config {
    /// The name of the log: a host and a path, no scheme, no spaces. Never changes.
    pub origin: String,
    /// The public log key with which the log began. Never changes.
    #[serde(serialize_with = "in_hexadecimal")]
    pub log_key: [u8; 32],
    /// The public registry key with which the log began. Never changes.
    #[serde(serialize_with = "in_hexadecimal")]
    pub registry_key: [u8; 32],
    /// Commitment to the registry key that may follow it. Never changes.
    #[serde(serialize_with = "as_shown")]
    pub next_registry_key: Digest,
    /// Where the log is stored.
    #[serde(serialize_with = "as_shown")]
    pub store: StoreUrl,
    /// Where gRPC is served. `[::]` serves IPv4 too.
    pub listen: SocketAddr,
    /// Certificates; without them everything is sent in clear text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// How the node is monitored.
    #[serde(skip_serializing_if = "is_default")]
    pub operations: Operations,
    /// Limits of connections.
    #[serde(skip_serializing_if = "is_default")]
    pub connections: Connections,
    /// Quotas of one institution.
    #[serde(skip_serializing_if = "is_default")]
    pub quotas: Quotas,
    /// How the log is scrubbed.
    #[serde(skip_serializing_if = "is_default")]
    pub scrub: Scrub,
}

/// PEM files for TLS. Paths are relative to the node's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificate chain, the server's first.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
    /// Certificates of the authorities that must have signed the clients' certificates; absent: clients need none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
}

impl Tls {
    /// The same files, with relative paths below the node's directory.
    #[must_use]
    pub fn within(&self, dir: &Path) -> Self {
        Self {
            certificate: dir.join(&self.certificate),
            key: dir.join(&self.key),
            client_ca: self.client_ca.as_ref().map(|path| dir.join(path)),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, or not these keys.
    #[error("{0}")]
    Toml(String),
    /// A value has the wrong form.
    #[error("{key}: expected {expected}, found {found:?}")]
    Value {
        /// Which key.
        key: &'static str,
        /// What it takes.
        expected: String,
        /// What was found.
        found: String,
    },
}

/// The contents of the file, with unchecked values, so that an error about a value can name its key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    origin: String,
    log_key: String,
    registry_key: String,
    next_registry_key: String,
    store: String,
    listen: String,
    tls: Option<Tls>,
    #[serde(default)]
    operations: Operations,
    #[serde(default)]
    connections: Connections,
    #[serde(default)]
    quotas: Quotas,
    #[serde(default)]
    scrub: Scrub,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn in_hexadecimal<S: Serializer>(key: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(key))
}

fn as_shown<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

impl ConfigError {
    fn value(key: &'static str, expected: &str, found: impl Into<String>) -> Self {
        Self::Value { key, expected: expected.to_owned(), found: found.into() }
    }
}

/// The rule for the name of a log.
pub(crate) const NAME_RULE: &str = "a host and path without scheme (letters, digits and .-_/:), as credits.example/log";

/// Whether a name can be the origin of a log: it is used in checkpoints and in their key names.
pub(crate) fn is_origin(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/:".contains(&byte);
    (1..=128).contains(&name.len()) && name.bytes().all(allowed) && !name.contains("://")
}

impl Config {
    /// Reads a configuration, whose store may use one of `engines`.
    pub fn parse(text: &str, engines: &[Engine]) -> Result<Self, ConfigError> {
        let text: Text = toml::from_str(text).map_err(|error| ConfigError::Toml(error.to_string()))?;
        if !is_origin(&text.origin) {
            let expected = "a host and path without scheme: letters, digits and .-_/:";
            return Err(ConfigError::value("origin", expected, text.origin));
        }
        let key = |name: &'static str, text: String| {
            let key = hex::decode(&text).ok().and_then(|key| <[u8; 32]>::try_from(key).ok());
            key.ok_or_else(|| ConfigError::value(name, "32 bytes in hexadecimal", text))
        };
        let address = |text: String| {
            let address = text.parse::<SocketAddr>();
            address.map_err(|_| ConfigError::value("listen", "an address and a port, as [::]:7600", text))
        };
        // The first error is reported first.
        let config = Self {
            origin: text.origin,
            log_key: key("log_key", text.log_key)?,
            registry_key: key("registry_key", text.registry_key)?,
            next_registry_key: Digest(key("next_registry_key", text.next_registry_key)?),
            listen: address(text.listen)?,
            store: StoreUrl::parse(&text.store, engines)?,
            tls: text.tls,
            operations: text.operations,
            connections: text.connections,
            quotas: text.quotas,
            scrub: text.scrub,
        };
        config.connections.check()?;
        config.scrub.check()?;
        config.operations.check(config.listen)?;
        Ok(config)
    }

    /// How the log was begun.
    pub fn beginning(&self) -> LogKeys {
        let Self { log_key, registry_key, next_registry_key, .. } = *self;
        LogKeys { origin: self.origin.clone(), log_key, registry_key, next_registry_key }
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let body = toml::to_string(self).expect("strings and paths are TOML");
        format!(
            "# A Credit Bank node. origin and the three keys never change: the log was begun with them, also where others\n\
             # have followed since.\n\
             # For TLS add (paths count from this directory):\n# [tls]\n# certificate = \"/path/chain.pem\"\n# key = \"/path/key.pem\"\n\
             # client_ca = \"/path/ca.pem\"   # clients must have certificates of this authority\n\n{body}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::ENGINES;

    #[test]
    fn configuration_round_trip() {
        let tls = Tls { certificate: "c".into(), key: "k".into(), client_ca: None };
        let config = Config {
            origin: "credits.example/log".to_owned(),
            log_key: [6; 32],
            registry_key: [7; 32],
            next_registry_key: Digest([8; 32]),
            store: StoreUrl::standard(),
            listen: "[::]:7600".parse().expect("an address"),
            tls: Some(tls),
            operations: Operations { listen: Some("127.0.0.1:7601".parse().expect("an address")) },
            connections: Connections { per_address: 7, ..Connections::default() },
            quotas: Quotas::default(),
            scrub: Scrub { days: 0, ..Scrub::default() },
        };
        let text = config.to_text();
        assert_eq!(Config::parse(&text, ENGINES).expect("what was written"), config);
        let written = format!(
            "origin = \"credits.example/log\"\nlog_key = \"{}\"\nregistry_key = \"{}\"\nnext_registry_key = \"{}\"\n\
             store = \"sled:log\"\nlisten = \"[::]:7600\"\n\n[tls]\ncertificate = \"c\"\nkey = \"k\"\n\n\
             [operations]\nlisten = \"127.0.0.1:7601\"\n\n[connections]\nmax = 8192\nper_address = 7\n\n\
             [scrub]\ndays = 0\nfrom_hour = 0\nuntil_hour = 24\n",
            "06".repeat(32),
            "07".repeat(32),
            "08".repeat(32)
        );
        assert_eq!(text.split_once("\n\n").expect("comments come first").1, written);
        for (from, to) in [
            ("[::]", "nowhere"),
            ("sled:", "mysql:"),
            ("credits.example", "https://x"),
            ("0707", "07"),
            ("listen", "lisen"),
        ] {
            assert!(Config::parse(&text.replacen(from, to, 1), ENGINES).is_err(), "{from} as {to}");
        }
    }

    /// Goal: a setting that would serve nobody, or that has no effect, is refused with what was expected and found.
    #[test]
    fn settings_that_do_nothing_are_refused() {
        let key = "07".repeat(32);
        let head = format!(
            "origin = \"x.example\"\nlog_key = \"{key}\"\nregistry_key = \"{key}\"\nnext_registry_key = \"{key}\"\n\
             store = \"sled:log\"\nlisten = \"127.0.0.1:7600\"\n"
        );
        let parse = |rest: &str| Config::parse(&format!("{head}{rest}"), ENGINES).map_err(|error| error.to_string());
        for (rest, said) in [
            ("[connections]\nmax = 0", "[connections] max: expected at least 1"),
            ("[connections]\nper_address = 0", "[connections] per_address: expected at least 1"),
            ("[scrub]\nfrom_hour = 25", "[scrub] from_hour: expected an hour from 0 to 23, found \"25\""),
            ("[scrub]\nfrom_hour = 24", "[scrub] from_hour: expected an hour from 0 to 23"),
            ("[scrub]\nuntil_hour = 25", "[scrub] until_hour: expected an hour from 0 to 24, found \"25\""),
            ("[scrub]\nfrom_hour = 3\nuntil_hour = 3", "[scrub] until_hour: expected another hour"),
            ("[operations]\nlisten = \"127.0.0.1:7600\"", "[operations] listen: expected another address"),
            ("[quotas]\nblocks_per_minute = -1", "blocks_per_minute"),
            ("[connections]\nmost = 1", "most"),
        ] {
            let error = parse(rest).expect_err(rest);
            assert!(error.contains(said), "{rest}: {error}");
        }
        for rest in ["", "[scrub]\nfrom_hour = 22\nuntil_hour = 3", "[connections]\nmax = 1\nper_address = 1"] {
            parse(rest).expect(rest);
        }
    }
}
