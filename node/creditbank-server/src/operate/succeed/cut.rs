//! Where the old log ends: the state at the last checkpoint that counts, and what is lost beyond it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use creditbank_protocol::entry::Entry;
use creditbank_protocol::merkle::{Frontier, empty_root, leaf_hash};
use creditbank_protocol::note::Checkpoint;
use creditbank_protocol::seal::SignedSeal;
use creditbank_protocol::{Digest, LogIndex, UnitId};
use creditbank_store::inspect::JournalReader;
use creditbank_store::{Head, Row, StoreError};

use super::SucceedError;
use crate::directory::{DirectoryError, KeyRing};
use crate::ledger::sign_by;
use crate::tables;

/// A unit's blocks beyond the cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LostBlocks {
    /// The unit.
    pub unit: UnitId,
    /// Where they were.
    pub entries: Vec<LogIndex>,
    /// Their records, hidden and public.
    pub records: u64,
    /// Of these, the records that they published: entries of the registry, or what the institution publishes.
    pub published: u64,
    /// Their effects on records: revocations, amendments, confirmations and their consequences.
    pub effects: u64,
    /// The height of the first one: the unit continues from there.
    pub from_height: u64,
}

/// What was found in the old journal.
pub(super) struct Cut {
    pub(super) head: Head,
    /// The last round that is kept.
    pub(super) sequence: u64,
    /// Entries of the whole journal.
    pub(super) old_size: u64,
    /// The root at the other requested size.
    pub(super) root_seen: Option<Digest>,
    /// Signatures of the checkpoint at the cut.
    pub(super) note: Option<Row>,
    /// Who has signed that checkpoint.
    pub(super) signers: Vec<[u8; 32]>,
    /// The seal with which the tree ends at the cut.
    pub(super) seal: Option<SignedSeal>,
    pub(super) lost: BTreeMap<UnitId, LostBlocks>,
    /// The unit of the last block beyond the cut.
    pub(super) newest_lost: Option<UnitId>,
    pub(super) names: Vec<String>,
}

impl Cut {
    /// The signatures of the checkpoint at the cut. The journal has them behind the next round, or behind a clean stop.
    /// A copy of a node that has died, and a log that was restored to a point, lack them. Then they are made once more,
    /// which reveals nothing: the node could sign that checkpoint as soon as the round was durable, the bytes are the
    /// same each time (Ed25519), and the succession itself, which the old log key signs, names this size and this root.
    pub(super) fn note(&self, ring: &KeyRing) -> Result<Row, SucceedError> {
        if let Some(note) = &self.note {
            return Ok(note.clone());
        }
        let damaged = |what: &str| SucceedError::Damaged { sequence: self.sequence, what: what.to_owned() };
        let seal = self.seal.as_ref().ok_or_else(|| damaged("there is no seal at its end"))?;
        if self.signers.is_empty() {
            return Err(damaged("it does not say who signs its checkpoint"));
        }
        let Head { size, root, .. } = self.head;
        let checkpoint = Checkpoint { origin: seal.seal().origin.clone(), size, root };
        let signed = sign_by(ring, &checkpoint, &self.signers).map_err(DirectoryError::from)?;
        let lines = std::str::from_utf8(&signed).ok().and_then(|text| text.split_once("\n\n"));
        let (_, lines) = lines.ok_or_else(|| damaged("its checkpoint cannot be signed"))?;
        Ok(tables::note(size, &tables::Note { signers: self.signers.clone(), lines: lines.to_owned() }))
    }
}

/// Reads the old journal to its end: the state at the cut, and what is lost beyond it. Unreadable data after the last
/// acknowledged round is the trace of a crash. The root at the size `seen` is recorded.
pub(super) fn read_cut(
    journal: &JournalReader,
    size: u64,
    acknowledged: Option<u64>,
    seen: Option<u64>,
    mut read: impl FnMut(u64),
) -> Result<Cut, SucceedError> {
    let (mut head, mut newest, mut after) = (None, 0, None);
    let mut cut = Cut {
        head: Head { epoch: 1, size: 0, root: empty_root() },
        sequence: 0,
        old_size: 0,
        root_seen: None,
        note: None,
        signers: Vec::new(),
        seal: None,
        lost: BTreeMap::new(),
        newest_lost: None,
        names: Vec::new(),
    };
    let (mut before, mut last, mut frontier) = (0, 0, Frontier::default());
    let mut damaged = None;
    let whole = journal.rounds(1, |raw| {
        read(raw.frame_len());
        last = raw.sequence;
        let round = match raw.decode() {
            Ok(decoded) => decoded.round,
            Err(error) => {
                damaged = Some(SucceedError::Damaged { sequence: raw.sequence, what: error.to_string() });
                return ControlFlow::Break(());
            }
        };
        newest = round.next.size;
        for write in &round.entries {
            frontier.push(leaf_hash(&write.entry));
            if Some(frontier.size()) == seen {
                cut.root_seen = Some(frontier.root());
            }
        }
        // It will be signed, so it must be what the entries make.
        if (frontier.size(), frontier.root()) != (round.next.size, round.next.root) {
            let what = format!("it says root {}, its entries make {}", round.next.root, frontier.root());
            damaged = Some(SucceedError::Damaged { sequence: raw.sequence, what });
            return ControlFlow::Break(());
        }
        if round.next.size <= size {
            before = round.next.size;
            cut.sequence = raw.sequence;
        } else {
            after.get_or_insert(round.next.size);
        }
        if round.next.size == size {
            head.get_or_insert(round.next);
        }
        for row in round.rows.into_iter().filter(|row| row.table == tables::NOTE && row.key == size.to_be_bytes()) {
            if let Some(note) = row.value.as_deref().and_then(tables::read_note) {
                cut.note = (!note.lines.is_empty()).then_some(row).or(cut.note.take());
                cut.signers = note.signers;
            }
        }
        for (index, write) in (round.base.size..).zip(&round.entries) {
            note_entry(&mut cut, size, LogIndex(index), Entry::parse(&write.entry).ok());
        }
        ControlFlow::Continue(())
    });
    match whole {
        Err(StoreError::Damaged { .. })
            if last > 0 && acknowledged.is_some_and(|acknowledged| last >= acknowledged) => {}
        whole => whole?,
    }
    if let Some(error) = damaged {
        return Err(error);
    }
    cut.old_size = newest;
    match head {
        Some(head) if size > 0 => Ok(Cut { head, ..cut }),
        _ if size > newest => Err(SucceedError::Beyond { size, found: newest }),
        _ => Err(SucceedError::NoSeal { size, before, after: after.unwrap_or(newest) }),
    }
}

/// Records the names of the log, and which blocks are lost.
fn note_entry(cut: &mut Cut, size: u64, index: LogIndex, entry: Option<Entry>) {
    match entry {
        Some(Entry::Seal(seal)) => {
            if cut.names.last() != Some(&seal.seal().origin) {
                cut.names.push(seal.seal().origin.clone());
            }
            if index.next().0 == size {
                cut.seal = Some(seal);
            }
        }
        Some(Entry::Head(head)) if index.0 >= size => {
            let header = head.header();
            let first = || LostBlocks { unit: header.unit, from_height: header.height, ..LostBlocks::default() };
            let lost = cut.lost.entry(header.unit).or_insert_with(first);
            lost.entries.push(index);
            lost.records += u64::from(header.count);
            cut.newest_lost = Some(header.unit);
        }
        Some(Entry::Public(public)) => {
            // It is directly behind the head of its block.
            if let Some(lost) = cut.newest_lost.and_then(|unit| cut.lost.get_mut(&unit)) {
                let part = public.part();
                lost.published += part.records.len() as u64;
                lost.effects += part.groups.iter().map(|group| group.effects.len() as u64).sum::<u64>();
            }
        }
        _ => {}
    }
}
