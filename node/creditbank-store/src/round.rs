//! Rounds: what one commit changes, as absolute values, and their bytes in the journal.
//!
//! ```text
//! round   = u8 version, head base, head next, u32 n, n x section, u32 n, n x node, u32 n, n x row
//! head    = u64 epoch, u64 size, root[32]
//! section = table, u32 crc, entry, bodies
//! table   = u32 entry length, u32 bodies, bodies x (u32 length, u32 crc of the body)
//! node    = u8 level, u64 index, hash[32]
//! row     = u8 table, u16 key length, key, u8 present, u32 value length, value
//! ```
//! Integers are big-endian. A section can be read alone, and of it one body, without reading the rest: `crc`, a
//! CRC-32C, is over the log index of the entry and the table, so that a table is known to be whole and to be this
//! entry's.

mod decode;
mod section;

use creditbank_protocol::Digest;

pub(crate) use section::{SectionTable, table_len};

const VERSION: u8 = 2;

/// Where the log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Raised when a new writer takes over. A writer of an older epoch cannot append.
    pub epoch: u64,
    /// Number of log entries.
    pub size: u64,
    /// RFC 6962 root at that size.
    pub root: Digest,
}

/// A table of the index. The server names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Table(pub u8);

/// A row set to a value, or removed if there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which table.
    pub table: Table,
    /// Key in the table, at most 65,535 bytes.
    pub key: Vec<u8>,
    /// The value.
    pub value: Option<Vec<u8>>,
}

/// A log entry and the encrypted bodies that belong to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntryWrite {
    /// The entry's bytes.
    pub entry: Vec<u8>,
    /// The bodies by position of their records; empty for a public record.
    pub bodies: Vec<Vec<u8>>,
}

/// A node of the log's tree that will never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// 0 for leaf hashes.
    pub level: u8,
    /// Position in the level.
    pub index: u64,
    /// The hash.
    pub hash: Digest,
}

/// One commit. With entries it is a sealed round; without, a private round that only changes rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// The head on which it builds.
    pub base: Head,
    /// The head afterwards.
    pub next: Head,
    /// New log entries, in order.
    pub entries: Vec<EntryWrite>,
    /// Tree nodes that they complete, by level in order of their index.
    pub nodes: Vec<Node>,
    /// Rows.
    pub rows: Vec<Row>,
}

/// The bytes are not a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RoundError {
    /// They end too early.
    #[error("the round ends early")]
    Truncated,
    /// They continue after the end.
    #[error("the round continues after its end")]
    Surplus,
    /// Another version, or an unknown mark.
    #[error("the round holds an unknown version or mark {0}")]
    Unknown(u8),
    /// The checksum of lengths or of a body does not match.
    #[error("the checksum of an entry's table or of a body does not hold")]
    Checksum,
}

/// Where an entry's section is, relative to the start of the round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) offset: u64,
    pub(crate) entry_len: u32,
    pub(crate) bodies: u32,
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("rounds are bounded far below 4 GiB")
}

fn count<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).expect("rounds are bounded far below 4 G items")
}

impl Round {
    /// Replaces `out` with the bytes of the round and returns where each entry's section is. A round may have 16 MiB,
    /// so its writer keeps the memory for the next one.
    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) -> Vec<Section> {
        out.clear();
        out.push(VERSION);
        for head in [&self.base, &self.next] {
            out.extend_from_slice(&head.epoch.to_be_bytes());
            out.extend_from_slice(&head.size.to_be_bytes());
            out.extend_from_slice(head.root.as_bytes());
        }
        let mut sections = Vec::with_capacity(self.entries.len());
        out.extend_from_slice(&count(&self.entries).to_be_bytes());
        for (index, EntryWrite { entry, bodies }) in (self.base.size..).zip(&self.entries) {
            let offset = out.len();
            sections.push(Section { offset: offset as u64, entry_len: length(entry), bodies: count(bodies) });
            out.extend_from_slice(&length(entry).to_be_bytes());
            out.extend_from_slice(&count(bodies).to_be_bytes());
            for body in bodies {
                out.extend_from_slice(&length(body).to_be_bytes());
                out.extend_from_slice(&crc32c::crc32c(body).to_be_bytes());
            }
            let crc = section::checksum(index, &out[offset..]);
            out.extend_from_slice(&crc.to_be_bytes());
            out.extend_from_slice(entry);
            bodies.iter().for_each(|body| out.extend_from_slice(body));
        }
        out.extend_from_slice(&count(&self.nodes).to_be_bytes());
        for Node { level, index, hash } in &self.nodes {
            out.push(*level);
            out.extend_from_slice(&index.to_be_bytes());
            out.extend_from_slice(hash.as_bytes());
        }
        out.extend_from_slice(&count(&self.rows).to_be_bytes());
        for Row { table, key, value } in &self.rows {
            out.push(table.0);
            out.extend_from_slice(&u16::try_from(key.len()).expect("keys are short").to_be_bytes());
            out.extend_from_slice(key);
            let bytes = value.as_deref().unwrap_or_default();
            out.push(u8::from(value.is_some()));
            out.extend_from_slice(&length(bytes).to_be_bytes());
            out.extend_from_slice(bytes);
        }
        sections
    }

    /// Checks that the parts of the round fit together.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.next.size != self.base.size + self.entries.len() as u64 {
            return Err("the next size is not the base size and the entries");
        }
        if self.entries.is_empty() && (self.next != self.base || !self.nodes.is_empty()) {
            return Err("a round without entries changes the log");
        }
        if self.next.epoch != self.base.epoch {
            return Err("a round does not change the epoch");
        }
        if self.rows.iter().any(|row| row.key.len() > usize::from(u16::MAX)) {
            return Err("a key is too long");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round() -> impl Strategy<Value = Round> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..40);
        let entry =
            (bytes(), prop::collection::vec(bytes(), 0..4)).prop_map(|(entry, bodies)| EntryWrite { entry, bodies });
        let row = (any::<u8>(), bytes(), prop::option::of(bytes())).prop_map(|(table, key, value)| Row {
            table: Table(table),
            key,
            value,
        });
        let head = (any::<u64>(), any::<u64>(), any::<[u8; 32]>()).prop_map(|(epoch, size, root)| Head {
            epoch,
            size,
            root: Digest(root),
        });
        let node = (0u8..64, any::<u64>(), any::<[u8; 32]>()).prop_map(|(level, index, hash)| Node {
            level,
            index,
            hash: Digest(hash),
        });
        let list = |n| 0..n;
        (
            head.clone(),
            head,
            prop::collection::vec(entry, list(4)),
            prop::collection::vec(node, list(4)),
            prop::collection::vec(row, list(4)),
        )
            .prop_map(|(base, next, entries, nodes, rows)| Round { base, next, entries, nodes, rows })
    }

    proptest! {
        /// Goal: a round reads back as it was written, and each section is where it is said to be.
        #[test]
        fn round_trip(round in round()) {
            let mut bytes = Vec::new();
            let sections = round.encode_into(&mut bytes);
            prop_assert_eq!(Round::decode(&bytes), Ok((round.clone(), sections.clone())));
            prop_assert!(Round::decode(&bytes[..bytes.len() - 1]).is_err());
        }

        /// Goal: no bytes make the reader panic.
        #[test]
        fn foreign_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Round::decode(&bytes);
        }
    }
}
