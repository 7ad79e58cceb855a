//! `node.toml`: read once, unknown keys refused.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A node's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The name of the log: a host and a path, no scheme, no spaces. Never changes.
    pub origin: String,
    /// The public registry key that the log was begun with. Never changes.
    pub registry_key: [u8; 32],
    /// Where the log is kept.
    pub store: StoreUrl,
    /// Where gRPC is served. `[::]` serves IPv4 too.
    pub listen: SocketAddr,
    /// Certificates; without them everything travels in clear.
    pub tls: Option<Tls>,
}

/// Where a log is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// In memory: gone with the process.
    Memory,
    /// In a directory, with sled as the index. Relative to the node's directory.
    Sled(PathBuf),
    /// In a directory, with fjall as the index: for a big node. Relative to the node's directory.
    Fjall(PathBuf),
}

/// PEM files for TLS.
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

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, or not these keys.
    #[error("{0}")]
    Toml(String),
    /// A value that is none.
    #[error("{key}: expected {expected}, found {found:?}")]
    Value {
        /// Which key.
        key: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    origin: String,
    registry_key: String,
    store: String,
    listen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<Tls>,
}

/// Whether a name can be the origin of a log: it stands in checkpoints and in their key names.
pub(super) fn is_origin(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/:".contains(&byte);
    (1..=128).contains(&name.len()) && name.bytes().all(allowed) && !name.contains("://")
}

impl StoreUrl {
    /// The directory of the log, where there is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Memory => None,
            Self::Sled(path) | Self::Fjall(path) => Some(path),
        }
    }

    /// Reads `memory:`, `sled:PATH` or `fjall:PATH`.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        match text.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("sled", path)) if !path.is_empty() => Ok(Self::Sled(path.into())),
            Some(("fjall", path)) if !path.is_empty() => Ok(Self::Fjall(path.into())),
            _ => Err(ConfigError::Value {
                key: "store",
                expected: "sled:PATH, fjall:PATH or memory:",
                found: text.to_owned(),
            }),
        }
    }
}

impl std::fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Sled(path) => write!(f, "sled:{}", path.display()),
            Self::Fjall(path) => write!(f, "fjall:{}", path.display()),
        }
    }
}

impl Config {
    /// Reads a configuration.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let text: Text = toml::from_str(text).map_err(|error| ConfigError::Toml(error.to_string()))?;
        let Text { origin, registry_key, store, listen, tls } = text;
        if !is_origin(&origin) {
            let expected = "a host and path without scheme: letters, digits and .-_/:";
            return Err(ConfigError::Value { key: "origin", expected, found: origin });
        }
        let key = hex::decode(&registry_key).ok().and_then(|key| key.try_into().ok());
        let expected = "32 bytes in hexadecimal";
        let key = key.ok_or(ConfigError::Value { key: "registry_key", expected, found: registry_key })?;
        let address = listen.parse();
        let expected = "an address and a port, as [::]:7600";
        let listen = address.map_err(|_| ConfigError::Value { key: "listen", expected, found: listen })?;
        Ok(Self { origin, registry_key: key, store: StoreUrl::parse(&store)?, listen, tls })
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let text = Text {
            origin: self.origin.clone(),
            registry_key: hex::encode(self.registry_key),
            store: self.store.to_string(),
            listen: self.listen.to_string(),
            tls: self.tls.clone(),
        };
        let body = toml::to_string(&text).expect("strings and paths are TOML");
        format!(
            "# A Credit Bank node. origin and registry_key never change: the log is bound to them.\n\
             # For TLS add:\n# [tls]\n# certificate = \"/path/chain.pem\"\n# key = \"/path/key.pem\"\n\
             # client_ca = \"/path/ca.pem\"   # clients must have certificates of this authority\n\n{body}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_round_trip() {
        let tls = Tls { certificate: "c".into(), key: "k".into(), client_ca: None };
        let config = Config {
            origin: "credits.example/log".to_owned(),
            registry_key: [7; 32],
            store: StoreUrl::Sled("log".into()),
            listen: "[::]:7600".parse().expect("an address"),
            tls: Some(tls),
        };
        assert_eq!(Config::parse(&config.to_text()).expect("what was written"), config);
        let text = config.to_text();
        for (from, to) in [
            ("[::]", "nowhere"),
            ("sled:", "mysql:"),
            ("credits.example", "https://x"),
            ("0707", "07"),
            ("listen", "lisen"),
        ] {
            assert!(Config::parse(&text.replacen(from, to, 1)).is_err(), "{from} as {to}");
        }
    }
}
