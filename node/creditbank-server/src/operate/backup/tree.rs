//! The log's tree from a journal, without its flat files: every checksum, link and leaf on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use creditbank_protocol::Digest;
use creditbank_protocol::entry::Entry;
use creditbank_protocol::merkle::{Frontier, empty_root, leaf_hash};
use creditbank_store::Head;
use creditbank_store::inspect::JournalReader;

use super::BackupError;
use crate::tables;

/// What a journal comes to.
pub(super) struct Tree {
    /// Of the last round.
    pub(super) sequence: u64,
    pub(super) head: Head,
    /// The roots at the sizes that were asked for, as far as the log has them.
    pub(super) roots: BTreeMap<u64, Digest>,
    /// The origin of the last seal; `None` of a log without entries.
    pub(super) origin: Option<String>,
    /// The log keys that sign the last checkpoint, in the order of their lines.
    pub(super) signers: Vec<[u8; 32]>,
    /// All log keys that have ever signed a checkpoint.
    pub(super) log_keys: BTreeSet<[u8; 32]>,
}

/// Reads a journal to its end, hashes every entry, and notes the roots at `sizes`.
pub(super) fn read(journal: &JournalReader, sizes: &[u64], mut progress: impl FnMut(u64)) -> Result<Tree, BackupError> {
    let mut head = Head { epoch: 1, size: 0, root: empty_root() };
    let mut frontier = Frontier::default();
    let mut tree = Tree {
        sequence: 0,
        head,
        roots: BTreeMap::new(),
        origin: None,
        signers: Vec::new(),
        log_keys: BTreeSet::new(),
    };
    let mut wrong = None;
    let mut done = 0;
    if sizes.contains(&0) {
        tree.roots.insert(0, frontier.root());
    }
    journal.rounds(1, |raw| {
        let refuse = |what: String| {
            let path = journal.path(raw.position).display().to_string();
            Some(BackupError::Damaged {
                path,
                what: format!("round {} at {}: {what}", raw.sequence, raw.position.offset),
            })
        };
        let round = match raw.decode() {
            Ok(decoded) => decoded.round,
            Err(error) => {
                wrong = refuse(error.to_string());
                return ControlFlow::Break(());
            }
        };
        if round.base != head {
            wrong = refuse(format!("it builds on size {}, the round before ends at {}", round.base.size, head.size));
            return ControlFlow::Break(());
        }
        for write in &round.entries {
            frontier.push(leaf_hash(&write.entry));
            if sizes.contains(&frontier.size()) {
                tree.roots.insert(frontier.size(), frontier.root());
            }
        }
        if let Some(Ok(Entry::Seal(seal))) = round.entries.last().map(|write| Entry::parse(&write.entry)) {
            tree.origin = Some(seal.seal().origin.clone());
        }
        for row in round.rows.iter().filter(|row| row.table == tables::NOTE) {
            let Some(note) = row.value.as_deref().and_then(tables::read_note) else { continue };
            tree.log_keys.extend(&note.signers);
            if row.key == round.next.size.to_be_bytes() {
                tree.signers = note.signers;
            }
        }
        head = round.next;
        if (frontier.size(), frontier.root()) != (head.size, head.root) {
            wrong = refuse(format!("it says root {}, its entries make {}", head.root, frontier.root()));
            return ControlFlow::Break(());
        }
        tree.sequence = raw.sequence;
        done += raw.frame_len();
        progress(done);
        ControlFlow::Continue(())
    })?;
    tree.head = head;
    wrong.map_or(Ok(tree), Err)
}
