//! `node.toml`: read once, unknown keys refused.

mod settings;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use creditbank_protocol::Digest;
use creditbank_protocol::key::LogKeys;
use creditbank_store::Engine;
use serde::{Deserialize, Serialize};

use super::StoreUrl;
pub use settings::{Connections, Operations, Quotas, Scrub};

/// A node's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The name of the log: a host and a path, no scheme, no spaces. Never changes.
    pub origin: String,
    /// The public log key that the log was begun with. Never changes.
    pub log_key: [u8; 32],
    /// The public registry key that the log was begun with. Never changes.
    pub registry_key: [u8; 32],
    /// Commitment to the registry key that may follow that one. Never changes.
    pub next_registry_key: Digest,
    /// Where the log is kept.
    pub store: StoreUrl,
    /// Where gRPC is served. `[::]` serves IPv4 too.
    pub listen: SocketAddr,
    /// Certificates; without them everything travels in clear.
    pub tls: Option<Tls>,
    /// What watches the node.
    pub operations: Operations,
    /// What callers may hold.
    pub connections: Connections,
    /// What one institution may ask for.
    pub quotas: Quotas,
    /// How the log is read through.
    pub scrub: Scrub,
}

/// PEM files for TLS; paths count from the node's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificate chain, the server's first.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
    /// Certificates of the authorities that clients must be signed by; absent: clients need none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
}

impl Tls {
    /// The same files, where a path that is not absolute counts from the node's directory.
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
    /// A value of the wrong form.
    #[error("{key}: expected {expected}, found {found:?}")]
    Value {
        /// Which key.
        key: &'static str,
        /// What it takes.
        expected: String,
        /// What stands there.
        found: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    origin: String,
    log_key: String,
    registry_key: String,
    next_registry_key: String,
    store: String,
    listen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<Tls>,
    #[serde(default, skip_serializing_if = "is_default")]
    operations: Operations,
    #[serde(default, skip_serializing_if = "is_default")]
    connections: Connections,
    #[serde(default, skip_serializing_if = "is_default")]
    quotas: Quotas,
    #[serde(default, skip_serializing_if = "is_default")]
    scrub: Scrub,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What the name of a log must be.
pub(crate) const NAME_RULE: &str = "a host and path without scheme (letters, digits and .-_/:), as credits.example/log";

/// Whether a name can be the origin of a log: it stands in checkpoints and in their key names.
pub(crate) fn is_origin(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/:".contains(&byte);
    (1..=128).contains(&name.len()) && name.bytes().all(allowed) && !name.contains("://")
}

impl Config {
    /// Reads a configuration, whose store may be kept by one of `engines`.
    pub fn parse(text: &str, engines: &[Engine]) -> Result<Self, ConfigError> {
        let text: Text = toml::from_str(text).map_err(|error| ConfigError::Toml(error.to_string()))?;
        let Text { origin, log_key, registry_key, next_registry_key, store, listen, tls, .. } = text;
        let Text { operations, connections, quotas, scrub, .. } = text;
        let wrong = |key: &'static str, expected: &str, found: String| ConfigError::Value {
            key,
            expected: expected.to_owned(),
            found,
        };
        if !is_origin(&origin) {
            return Err(wrong("origin", "a host and path without scheme: letters, digits and .-_/:", origin));
        }
        let key = |name: &'static str, text: String| {
            let key = hex::decode(&text).ok().and_then(|key| <[u8; 32]>::try_from(key).ok());
            key.ok_or_else(|| wrong(name, "32 bytes in hexadecimal", text))
        };
        let (log_key, registry_key) = (key("log_key", log_key)?, key("registry_key", registry_key)?);
        let next_registry_key = Digest(key("next_registry_key", next_registry_key)?);
        let address = listen.parse();
        let listen = address.map_err(|_| wrong("listen", "an address and a port, as [::]:7600", listen))?;
        let store = StoreUrl::parse(&store, engines)?;
        for (key, number) in
            [("[connections] max", connections.max), ("[connections] per_address", connections.per_address)]
        {
            if number == 0 {
                return Err(wrong(key, "at least 1: with 0 nobody is served", "0".to_owned()));
            }
        }
        let Scrub { from_hour, until_hour, .. } = scrub;
        if from_hour > 23 {
            return Err(wrong("[scrub] from_hour", "an hour from 0 to 23", from_hour.to_string()));
        }
        if until_hour > 24 {
            return Err(wrong("[scrub] until_hour", "an hour from 0 to 24", until_hour.to_string()));
        }
        if from_hour == until_hour {
            let expected =
                "another hour than from_hour: between the two it works. All hours are 0 and 24, no pass is days = 0";
            return Err(wrong("[scrub] until_hour", expected, until_hour.to_string()));
        }
        if operations.listen.is_some_and(|watched| watched == listen && listen.port() != 0) {
            return Err(wrong("[operations] listen", "another address or port than `listen`", listen.to_string()));
        }
        Ok(Self {
            origin,
            log_key,
            registry_key,
            next_registry_key,
            store,
            listen,
            tls,
            operations,
            connections,
            quotas,
            scrub,
        })
    }

    /// What the log was begun with.
    pub fn beginning(&self) -> LogKeys {
        let Self { log_key, registry_key, next_registry_key, .. } = *self;
        LogKeys { origin: self.origin.clone(), log_key, registry_key, next_registry_key }
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let text = Text {
            origin: self.origin.clone(),
            log_key: hex::encode(self.log_key),
            registry_key: hex::encode(self.registry_key),
            next_registry_key: self.next_registry_key.to_string(),
            store: self.store.to_string(),
            listen: self.listen.to_string(),
            tls: self.tls.clone(),
            operations: self.operations.clone(),
            connections: self.connections.clone(),
            quotas: self.quotas,
            scrub: self.scrub.clone(),
        };
        let body = toml::to_string(&text).expect("strings and paths are TOML");
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
        assert_eq!(Config::parse(&config.to_text(), ENGINES).expect("what was written"), config);
        let text = config.to_text();
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

    /// Goal: what would serve nobody, or never do what it says, is refused with what was expected and found.
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
