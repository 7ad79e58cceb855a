//! A running check: the rounds of the journal in order, and what damage hides of them.

use std::ops::ControlFlow;
use std::sync::mpsc::sync_channel;

use creditbank_ledger::replay::{Contradiction, Prepared, Replay, ReplayedRound, SignatureCheck};
use creditbank_protocol::merkle::StoredNode;
use creditbank_store::inspect::{DecodedRound, Inspection, JournalReader, JournalRound, Surveyed};
use creditbank_store::{Head, Node, Round, StoreError};

use super::prepare::{Context, PreparedRound, prepare};
use super::rows::RowSet;
use super::{FINDINGS_MAX, Finding, Report, notes, public};
use crate::directory::DirectoryError;
use crate::tables;

/// Most rounds that wait between the reading thread and the workers.
const ROUNDS_AHEAD: usize = 4;

/// A running check.
pub(super) struct Run<'a> {
    pub(super) journal: &'a JournalReader,
    pub(super) inspection: &'a Inspection,
    /// Index and flat files are certain up to this round.
    pub(super) strict_until: u64,
    pub(super) report: Report,
    /// `None` after the first contradiction: what comes later cannot be judged.
    pub(super) replay: Option<Replay>,
    pub(super) head: Head,
    pub(super) last: u64,
    /// The last round that exists, whole or not; `None` if damage hides it.
    pub(super) end: Option<u64>,
    pub(super) rows: RowSet,
    pub(super) marked: public::Marked,
    /// The newest number of keys that the log needs.
    pub(super) key_count: u64,
    /// The newest number of erased learners that the log expects.
    pub(super) erased_count: u64,
    /// Whether the journal cannot be read to its end: then nothing can be compared with it.
    pub(super) is_damaged: bool,
    /// The directory cannot be written to: the index is compared in a copy.
    pub(super) is_read_only: bool,
    /// The last round to read.
    pub(super) until: u64,
}

impl Run<'_> {
    pub(super) fn journal(
        &mut self,
        context: &Context,
        seed: [u8; 32],
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), DirectoryError> {
        let (reader, until) = (self.journal.clone(), self.until);
        let (rounds, source) = sync_channel::<Result<JournalRound, StoreError>>(ROUNDS_AHEAD);
        let outcome = std::thread::scope(|scope| {
            scope.spawn(move || {
                let send = |round| rounds.send(round);
                let read = reader.rounds(1, |round| {
                    let is_last = round.sequence >= until;
                    if send(Ok(round)).is_ok() && !is_last { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                });
                if let Err(error) = read {
                    let _ = rounds.send(Err(error));
                }
            });
            let prepare = |raw| prepare(context, raw);
            creditbank_replay::run(seed, FINDINGS_MAX, source, prepare, |round: PreparedRound, checks| {
                self.round(round, checks);
                progress(self.report.journal_bytes);
                Ok(())
            })
        });
        if let Some((first, path, _)) = self.journal.segments()?.first()
            && *first != 1
        {
            let what = format!("the oldest segment begins with round {first}, expected 1");
            self.report.findings.add(Finding::of(&path.display().to_string(), what));
        }
        for failure in outcome.signatures {
            self.contradicted(&failure);
        }
        self.end = Some(self.last);
        match outcome.stopped {
            Ok(()) => Ok(()),
            Err(StoreError::Damaged { path, offset, what }) => self.damaged(context, path, offset, what),
            Err(error) => Err(error.into()),
        }
    }

    /// The journal cannot be read any further. After the last acknowledged round that is the trace of a crash, which
    /// the next start cuts off. Before it, it is damage, and each later round is checked by itself.
    fn damaged(&mut self, context: &Context, path: String, offset: u64, what: String) -> Result<(), DirectoryError> {
        let guarded = self.inspection.guard.map_or(0, |(sequence, _)| sequence);
        if self.last >= guarded && self.last > 0 {
            let note = format!("{path} at {offset}: {what}; it was never acknowledged, and the next start cuts it");
            self.report.notes.push(note);
            return Ok(());
        }
        let read = self.last;
        self.report.notes.push(format!("nothing after round {read} was checked in order"));
        self.replay = None;
        self.is_damaged = true;
        let segments = self.journal.segments()?;
        let segment =
            segments.iter().find(|(_, of, _)| of.display().to_string() == path).map_or(0, |(first, ..)| *first);
        let journal = self.journal.clone();
        let mut is_listed = false;
        let end = journal.survey(segment, |met| match met {
            Surveyed::Round(raw) if raw.sequence > read => self.round_alone(context, raw),
            Surveyed::Round(_) => {}
            Surveyed::Fault { path: of, offset: at, what } => {
                let is_first = (&of, at) == (&path, offset);
                is_listed |= is_first;
                let what = if is_first { format!("{what}; it was acknowledged") } else { what };
                self.report.findings.add(Finding { offset: Some(at), ..Finding::of(&of, what) });
            }
        })?;
        if !is_listed {
            self.report.findings.add(Finding { offset: Some(offset), ..Finding::of(&path, what) });
        }
        self.end = end;
        Ok(())
    }

    /// Takes a round after damage: only what it says by itself is checked.
    fn round_alone(&mut self, context: &Context, raw: JournalRound) {
        let PreparedRound { raw, decoded, findings, bodies, erased, .. } = prepare(context, raw);
        self.report.journal_bytes += raw.frame_len();
        self.report.rounds += 1;
        self.last = raw.sequence;
        let path = self.journal.path(raw.position).display().to_string();
        self.report.bodies += bodies;
        self.report.erased += erased;
        for found in findings {
            self.report.findings.add(Finding { offset: Some(raw.position.offset), path: Some(path.clone()), ..found });
        }
        match decoded {
            Ok(decoded) => {
                self.flat(&decoded, raw.sequence);
                self.counts(&decoded.round);
            }
            Err(error) => {
                let what = format!("round {}: {error}", raw.sequence);
                self.report.findings.add(Finding { offset: Some(raw.position.offset), ..Finding::of(&path, what) });
            }
        }
    }

    /// Compares the flat files with a round.
    fn flat(&mut self, decoded: &DecodedRound, sequence: u64) {
        if sequence <= self.strict_until {
            for fault in self.inspection.flat_faults(decoded) {
                self.report.findings.add(Finding::of("flat", format!("{fault}; reindex rebuilds it")));
            }
        }
    }

    /// Takes in what a round says about the key store.
    fn counts(&mut self, round: &Round) {
        for row in round.rows.iter().filter(|row| row.table == tables::COUNTS) {
            if let Some(counts) = row.value.as_deref().and_then(tables::Counts::from_bytes) {
                (self.key_count, self.erased_count) = (counts.keys, counts.erased);
            }
        }
    }

    fn contradicted(&mut self, found: &Contradiction) {
        self.report.findings.add(Finding { entry: Some(found.index), ..Finding::about(found.to_string()) });
    }

    /// Takes the next round of the journal.
    fn round(&mut self, prepared: PreparedRound, checks: &mut Vec<SignatureCheck>) {
        let PreparedRound { raw, decoded, entries, findings, prints, bodies, erased } = prepared;
        self.report.journal_bytes += raw.frame_len();
        self.report.rounds += 1;
        self.last = raw.sequence;
        let path = self.journal.path(raw.position).display().to_string();
        let at = |what: String| Finding { offset: Some(raw.position.offset), ..Finding::of(&path, what) };
        let decoded = match decoded {
            Ok(decoded) => decoded,
            Err(error) => {
                self.report.findings.add(at(format!("round {}: {error}", raw.sequence)));
                self.replay = None;
                return;
            }
        };
        self.report.bodies += bodies;
        self.report.erased += erased;
        for found in findings {
            self.report.findings.add(Finding { offset: Some(raw.position.offset), path: Some(path.clone()), ..found });
        }
        let round = &decoded.round;
        if round.base != self.head {
            let (expected, found) = (self.head.size, round.base.size);
            self.report
                .findings
                .add(at(format!("round {}: builds on size {found}, expected {expected}", raw.sequence)));
        }
        self.head = round.next;
        self.log(round, entries, checks, &at);
        for fault in self.replay.as_ref().map_or_else(Vec::new, |replay| notes::faults(replay.state(), round)) {
            self.report.findings.add(at(fault));
        }
        if let Some((sequence, guarded)) = self.inspection.guard
            && sequence == raw.sequence
            && guarded != round.next
        {
            let (size, root) = (guarded.size, guarded.root);
            let what =
                format!("size {size} and root {root}, the journal has {} and {}", round.next.size, round.next.root);
            self.report.findings.add(Finding::of("guard", what));
        }
        self.flat(&decoded, raw.sequence);
        self.rows.extend(prints, raw.sequence <= self.strict_until);
        self.counts(&decoded.round);
    }

    /// Takes the log entries of a round through the replay.
    fn log(
        &mut self,
        round: &Round,
        entries: Vec<Prepared>,
        checks: &mut Vec<SignatureCheck>,
        at: &dyn Fn(String) -> Finding,
    ) {
        let Some(mut replay) = self.replay.take() else { return };
        let sealed = entries.is_empty() || entries.last().is_some_and(Prepared::is_seal);
        let mut replayed = Vec::new();
        for entry in entries {
            match replay.apply(entry, checks) {
                Ok(round) => replayed.extend(round),
                Err(found) => {
                    self.contradicted(&found);
                    self.report.notes.push(format!("nothing after log entry {} was checked in order", found.index));
                    (self.report.log, self.report.size) = (replay.counts(), replay.size());
                    return;
                }
            }
        }
        let same = |node: &Node, stored: &StoredNode| {
            (node.level, node.index, node.hash) == (stored.level, stored.index, stored.hash)
        };
        let completed = |round: &ReplayedRound| {
            let blocks = round.blocks.iter().flat_map(|applied| &applied.nodes);
            blocks.chain(&round.closed.nodes).copied().collect::<Vec<_>>()
        };
        let (nodes, expected) = (&round.nodes, replayed.iter().flat_map(completed).collect::<Vec<_>>());
        if nodes.len() != expected.len() || !nodes.iter().zip(&expected).all(|(node, stored)| same(node, stored)) {
            self.report.findings.add(at("the tree nodes of the round are not those of its entries".to_owned()));
        }
        let marked = self.marked.faults(&replayed, &round.rows);
        for found in public::faults(&replayed, &round.rows).into_iter().chain(marked) {
            let Finding { path, offset, .. } = at(String::new());
            self.report.findings.add(Finding { path, offset, ..found });
        }
        if !sealed {
            self.report.findings.add(at("the round does not end with a seal".to_owned()));
        }
        let (size, root) = (replay.size(), replay.root());
        if (size, root) != (self.head.size, self.head.root) {
            let what = format!("the round says size {} and root {}", self.head.size, self.head.root);
            self.report.findings.add(at(format!("{what}, its entries make {size} and {root}")));
        }
        (self.report.log, self.report.size, self.report.root) = (replay.counts(), size, root.to_string());
        self.replay = Some(replay);
    }
}
