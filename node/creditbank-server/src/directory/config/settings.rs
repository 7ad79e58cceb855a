//! What an operator may set: how much the node accepts, and how it is monitored. Each setting has a default that suits
//! most nodes.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// `[operations]`: what watches the node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Operations {
    /// Where `/metrics`, `/healthz` and `/readyz` are served over HTTP, in clear text, to anybody who can reach it;
    /// absent: not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
}

impl Operations {
    /// Refuses the address at which gRPC is served.
    pub(super) fn check(&self, served: SocketAddr) -> Result<(), ConfigError> {
        if self.listen.is_some_and(|watched| watched == served && served.port() != 0) {
            let expected = "another address or port than `listen`";
            return Err(ConfigError::value("[operations] listen", expected, served.to_string()));
        }
        Ok(())
    }
}

/// `[connections]`: what callers may hold, whoever they are. An address is a whole IPv4 address, or the first 64 bits
/// of one of IPv6.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Connections {
    /// Most open connections, of all addresses.
    pub max: usize,
    /// Most open connections of one address.
    pub per_address: usize,
}

impl Default for Connections {
    fn default() -> Self {
        Self { max: 8_192, per_address: 1_024 }
    }
}

impl Connections {
    /// Refuses settings that would serve nobody.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (key, number) in [("[connections] max", self.max), ("[connections] per_address", self.per_address)] {
            if number == 0 {
                return Err(ConfigError::value(key, "at least 1: with 0 nobody is served", "0"));
            }
        }
        Ok(())
    }
}

/// `[quotas]`: what one institution may ask for in a minute; 0: as much as it likes. What is not used of a minute is
/// there for the next one, up to a minute's share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quotas {
    /// Accounts that it may open or look up.
    pub accounts_per_minute: u32,
    /// Blocks of its units that it may send. A block with a bad signature does not count.
    pub blocks_per_minute: u32,
    /// Expensive calls: evaluations, previews, transcripts, dry runs and the like.
    pub expensive_calls_per_minute: u32,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { accounts_per_minute: 600_000, blocks_per_minute: 600_000, expensive_calls_per_minute: 60_000 }
    }
}

/// `[scrub]`: the whole log is read and checked in the background.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scrub {
    /// Days that one pass takes; 0: never.
    pub days: u16,
    /// Hours of the day (UTC) in which it works, from the first to before the second; 0 and 24 for all.
    pub from_hour: u8,
    /// See `from_hour`.
    pub until_hour: u8,
}

impl Default for Scrub {
    fn default() -> Self {
        Self { days: 7, from_hour: 0, until_hour: 24 }
    }
}

impl Scrub {
    /// Refuses impossible hours, and hours between which nothing would be done.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let Self { from_hour, until_hour, .. } = *self;
        if from_hour > 23 {
            return Err(ConfigError::value("[scrub] from_hour", "an hour from 0 to 23", from_hour.to_string()));
        }
        let wrong = |expected: &str| Err(ConfigError::value("[scrub] until_hour", expected, until_hour.to_string()));
        if until_hour > 24 {
            return wrong("an hour from 0 to 24");
        }
        if from_hour == until_hour {
            return wrong(
                "another hour than from_hour: scrubbing works between the two. 0 and 24 are all hours, days = 0 turns \
                 it off",
            );
        }
        Ok(())
    }
}
