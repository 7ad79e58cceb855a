//! Where a log is stored: `memory:`, or an engine and a path.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use creditbank_store::{
    Disk, EmbeddedStore, Engine, Index, IndexError, KeyStore, KeyStoreError, MemoryStore, Options, Store, StoreError,
};

use super::ConfigError;
use crate::clock::Entropy;
use crate::environment::ENGINES;

/// Where a log is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// In memory: gone with the process.
    Memory,
    /// In a directory.
    Files {
        /// The engine of the index.
        engine: Engine,
        /// The directory, relative to the node's.
        path: PathBuf,
    },
}

impl StoreUrl {
    /// A log in the directory `log` of a node, under the default engine.
    pub fn standard() -> Self {
        Self::Files { engine: ENGINES[0], path: "log".into() }
    }

    /// Reads `memory:`, or the name of one of `engines`, a colon and a path.
    pub fn parse(text: &str, engines: &[Engine]) -> Result<Self, ConfigError> {
        let named = text.split_once(':').and_then(|(scheme, path)| {
            let engine = engines.iter().find(|engine| engine.scheme == scheme && !path.is_empty());
            match engine {
                Some(engine) => Some(Self::Files { engine: *engine, path: path.into() }),
                None => (text == "memory:").then_some(Self::Memory),
            }
        });
        named.ok_or_else(|| {
            let names: Vec<String> = engines.iter().map(|engine| format!("{}:PATH", engine.scheme)).collect();
            ConfigError::Value {
                key: "store",
                expected: format!("{} or memory:", names.join(", ")),
                found: text.to_owned(),
            }
        })
    }

    /// The meaning of the names, for the help of a command.
    pub fn help(engines: &[Engine]) -> String {
        let each = |engine: &Engine| format!("{}:PATH ({}), ", engine.scheme, engine.about);
        let engines: String = engines.iter().map(each).collect();
        format!(
            "Where the log is kept, PATH relative to DIR: {engines}or memory: (a new log under the same keys with every start; \
             for trials only)"
        )
    }

    /// The directory of the log, if it has one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Memory => None,
            Self::Files { path, .. } => Some(path),
        }
    }

    /// The same engine in another directory.
    #[must_use]
    pub fn moved_to(&self, path: impl Into<PathBuf>) -> Self {
        match self {
            Self::Memory => Self::Memory,
            Self::Files { engine, .. } => Self::Files { engine: *engine, path: path.into() },
        }
    }

    /// Opens the index in its directory; `None` for a log in memory.
    pub(crate) fn open_index(&self, disk: &Arc<dyn Disk>, path: &Path) -> Result<Option<Box<dyn Index>>, IndexError> {
        match self {
            Self::Memory => Ok(None),
            Self::Files { engine, .. } => (engine.open)(disk, path).map(Some),
        }
    }

    /// Opens the durable state of a log in the node's directory `dir`. `replayed` is told how far a replay of the
    /// journal is.
    pub(crate) fn open_store(
        &self,
        dir: &Path,
        options: &Options,
        replayed: &mut dyn FnMut(u64),
    ) -> Result<Box<dyn Store>, StoreError> {
        let Self::Files { engine, path } = self else {
            return Ok(Box::new(MemoryStore::default()));
        };
        let open = |path: &Path| (engine.open)(&options.disk, path);
        // An absolute path replaces the directory.
        Ok(Box::new(EmbeddedStore::open_telling(&dir.join(path), options, open, replayed)?))
    }

    /// Opens the learners' keys at `path`, of which the log needs the first `needed`; in memory if the log is.
    pub(crate) fn open_keys(
        &self,
        path: &Path,
        options: &Options,
        master: &[u8; 32],
        needed: u64,
        entropy: &dyn Entropy,
    ) -> Result<KeyStore, KeyStoreError> {
        match self {
            Self::Memory => Ok(KeyStore::memory()),
            Self::Files { .. } => {
                let fill = &mut |bytes: &mut [u8]| entropy.fill(bytes);
                KeyStore::open(&options.disk, options.reserve_bytes, path, master, needed, fill)
            }
        }
    }
}

/// With the engines that the node is built with.
impl FromStr for StoreUrl {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        Self::parse(text, ENGINES)
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Files { engine, path } => write!(f, "{}:{}", engine.scheme, path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: each engine is read by its name and shown in the same form; other names are refused with a list of the
    /// engines.
    #[test]
    fn engines_are_named() {
        for text in ["memory:", "sled:log", "fjall:/var/log", "sled:a:b"] {
            assert_eq!(text.parse::<StoreUrl>().expect("a store").to_string(), text);
        }
        for text in ["sled", "sled:", "memory:log", "mysql:log", ":log", ""] {
            let error = text.parse::<StoreUrl>().expect_err(text).to_string();
            assert_eq!(error, format!("store: expected sled:PATH, fjall:PATH or memory:, found {text:?}"));
        }
        assert_eq!(StoreUrl::standard().to_string(), "sled:log");
        assert!(ENGINES.iter().all(|engine| StoreUrl::help(ENGINES).contains(engine.about)));
    }
}
