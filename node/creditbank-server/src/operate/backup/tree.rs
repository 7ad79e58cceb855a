//! Computes the log's tree from a journal, without its flat files, and checks every checksum, link and leaf.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use creditbank_protocol::block::public_record;
use creditbank_protocol::canonical::decode;
use creditbank_protocol::entry::{Entry, block_at};
use creditbank_protocol::merkle::{Frontier, empty_root, leaf_hash};
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::{Digest, LogIndex};
use creditbank_store::inspect::{JournalReader, JournalRound};
use creditbank_store::{Head, Position, Round, StoreError};

use super::BackupError;
use crate::stored_block::StoredBlockError;
use crate::tables;

/// How far a journal is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// To the last round with which the log has at most this many entries.
    Size(u64),
    /// To the last round before the first seal that is later than this, in milliseconds since 1970.
    TimeMs(u64),
    /// To the round with this number.
    Sequence(u64),
}

/// What was computed from a journal.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    /// The number of the last round.
    pub(super) sequence: u64,
    pub(super) head: Head,
    /// The segment of the last round, and where its frame ends.
    pub(super) end: Option<(u64, u64)>,
    /// The roots at the requested sizes, as far as the log has them.
    pub(super) roots: BTreeMap<u64, Digest>,
    /// The origin of the last seal; `None` for a log without entries.
    pub(super) origin: Option<String>,
    /// Its time, milliseconds since 1970.
    pub(super) sealed_ms: Option<u64>,
    /// The log keys that sign the last checkpoint, in the order of their lines.
    pub(super) signers: Vec<[u8; 32]>,
    /// All log keys that have ever signed a checkpoint.
    pub(super) log_keys: BTreeSet<[u8; 32]>,
    /// How many records the key store needs for it.
    pub(super) keys: u64,
    /// How many erased learners the key store must have.
    pub(super) erased: u64,
    /// All keys that the registry has ever had, with their purposes.
    pub(super) registered: BTreeSet<(i32, [u8; 32])>,
    frontier: Frontier,
    /// The requested sizes.
    sizes: Vec<u64>,
}

impl Tree {
    /// For a log without rounds.
    pub(super) fn new(sizes: &[u64]) -> Self {
        let head = Head { epoch: 1, size: 0, root: empty_root() };
        let frontier = Frontier::default();
        let roots = sizes.iter().filter(|size| **size == 0).map(|_| (0, frontier.root())).collect();
        Self {
            sequence: 0,
            head,
            end: None,
            roots,
            origin: None,
            sealed_ms: None,
            signers: Vec::new(),
            log_keys: BTreeSet::new(),
            keys: 0,
            erased: 0,
            registered: BTreeSet::new(),
            frontier,
            sizes: sizes.to_vec(),
        }
    }

    /// Continues after the last round, to the end of a journal or to a point, and hashes every entry.
    pub(super) fn read(
        &mut self,
        journal: &JournalReader,
        to: Option<Point>,
        progress: impl FnMut(u64),
    ) -> Result<(), BackupError> {
        let last = if let Some(Point::Sequence(sequence)) = to { sequence } else { u64::MAX };
        self.read_within(journal, to, last, progress)
    }

    /// As [`Self::read`], but not beyond the round `last`: later rounds may be incomplete.
    pub(super) fn read_within(
        &mut self,
        journal: &JournalReader,
        to: Option<Point>,
        last: u64,
        mut progress: impl FnMut(u64),
    ) -> Result<(), BackupError> {
        let mut wrong = None;
        let mut done = 0;
        journal.rounds(self.sequence + 1, |raw| match self.add(&raw, to) {
            Ok(true) => {
                done += raw.frame_len();
                progress(done);
                if raw.sequence >= last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
            Ok(false) => ControlFlow::Break(()),
            Err(what) => {
                let Position { offset, .. } = raw.position;
                let path = journal.path(raw.position).display().to_string();
                wrong =
                    Some(BackupError::Damaged { path, what: format!("round {} at {offset}: {what}", raw.sequence) });
                ControlFlow::Break(())
            }
        })?;
        wrong.map_or(Ok(()), Err)
    }

    /// Adds a round; returns `false` for a round beyond the point.
    fn add(&mut self, raw: &JournalRound, to: Option<Point>) -> Result<bool, String> {
        let round = raw.decode().map_err(|error| error.to_string())?.round;
        let sealed = match round.entries.last().map(|write| Entry::parse(&write.entry)) {
            Some(Ok(Entry::Seal(seal))) => Some(seal.seal().clone()),
            _ => None,
        };
        let is_beyond = match to {
            None => false,
            Some(Point::Sequence(sequence)) => raw.sequence > sequence,
            Some(Point::Size(size)) => round.next.size > size,
            Some(Point::TimeMs(time_ms)) => sealed.as_ref().is_some_and(|seal| seal.time_ms > time_ms),
        };
        if is_beyond {
            return Ok(false);
        }
        if round.base != self.head {
            return Err(format!("it builds on size {}, the round before ends at {}", round.base.size, self.head.size));
        }
        for write in &round.entries {
            self.frontier.push(leaf_hash(&write.entry));
            if self.sizes.contains(&self.frontier.size()) {
                self.roots.insert(self.frontier.size(), self.frontier.root());
            }
        }
        if let Some(seal) = sealed {
            (self.origin, self.sealed_ms) = (Some(seal.origin), Some(seal.time_ms));
        }
        for row in round.rows.iter().filter(|row| row.table == tables::NOTE) {
            let Some(note) = row.value.as_deref().and_then(tables::read_note) else { continue };
            self.log_keys.extend(&note.signers);
            if row.key == round.next.size.to_be_bytes() {
                self.signers = note.signers;
            }
        }
        for row in round.rows.iter().filter(|row| row.table == tables::COUNTS) {
            if let Some(counts) = row.value.as_deref().and_then(tables::Counts::from_bytes) {
                (self.keys, self.erased) = (counts.keys, counts.erased);
            }
        }
        self.registered.extend(registered(&round));
        self.head = round.next;
        if (self.frontier.size(), self.frontier.root()) != (self.head.size, self.head.root) {
            return Err(format!("it says root {}, its entries make {}", self.head.root, self.frontier.root()));
        }
        self.sequence = raw.sequence;
        self.end = Some((raw.position.segment, raw.position.offset + raw.frame_len()));
        Ok(true)
    }
}

/// The keys that the blocks of a round put into the registry.
fn registered(round: &Round) -> Vec<(i32, [u8; 32])> {
    let rows = round.rows.iter().filter(|row| row.table == tables::REGISTRY);
    let blocks: BTreeSet<LogIndex> = rows.filter_map(|row| Some(tables::place_of(&row.key)?.entry)).collect();
    let read = |index: LogIndex| {
        let at = index.0.checked_sub(round.base.size).and_then(|at| usize::try_from(at).ok());
        let write =
            at.and_then(|at| round.entries.get(at)).ok_or(StoreError::Missing { what: "entry", index: index.0 });
        write.map(|write| write.entry.clone()).map_err(StoredBlockError::from)
    };
    let mut found = Vec::new();
    for block in blocks.into_iter().filter_map(|index| block_at(index, read).ok()) {
        let shown = block.public().records.iter().filter_map(|shown| public_record(shown).ok());
        let keys = shown.filter(|record| record.kind() == Kind::Key);
        let keys = keys.filter_map(|record| decode::<pb::Key>(record.body()).ok());
        found.extend(keys.filter_map(|key| Some((key.purpose, key.public_key.try_into().ok()?))));
    }
    found
}
