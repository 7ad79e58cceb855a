//! Verifying everything that a node has on its disk, from the first byte, offline. Changes and repairs nothing.
//!
//! One pass over the journal, on all cores: a thread reads frames and checks checksums and links; workers decode
//! rounds, read entries, open bodies and hash what is in them; this thread takes the rounds in order through the same
//! replay as an auditor's ([`creditbank_ledger::replay`]); workers again verify the signatures that it names. Then the
//! index against what the journal's rows come to.

mod bodies;
mod finding;
mod index;
mod notes;
mod public;
mod rows;

use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc::sync_channel;

use creditbank_ledger::replay::{Contradiction, Counts, Prepared, Replay, ReplayedRound, SignatureCheck};
use creditbank_protocol::LogIndex;
use creditbank_protocol::merkle::{StoredNode, empty_root};
use creditbank_store::inspect::{DecodedRound, Inspection, JournalReader, JournalRound, Surveyed};
use creditbank_store::{Head, KeyStore, Node, ReadKeys, Round, StoreError};

pub use finding::{FINDINGS_MAX, Finding, Findings};

use crate::clock::random;
use crate::directory::key_files::{self, Against};
use crate::directory::{Config, DirectoryError, Secrets, held_by};
use crate::environment::Environment;
use crate::operate::backup::{BackupError, open_source, verify};
use crate::tables;
use bodies::{Bodies, LearnerRows};
use rows::{Print, RowSet};

/// Rounds that wait between the reading thread and the workers.
const ROUNDS_AHEAD: usize = 4;

/// What a check has seen, and what is wrong.
#[derive(Debug, Default)]
pub struct Report {
    /// What is wrong; nothing in a good directory.
    pub findings: Findings,
    /// What is worth saying and no damage.
    pub notes: Vec<String>,
    /// Bytes of frames in the journal.
    pub journal_bytes: u64,
    /// Rounds, sealed and private.
    pub rounds: u64,
    /// What the replay of the log has seen.
    pub log: Counts,
    /// Number of log entries and their root in hexadecimal.
    pub size: u64,
    /// See `size`.
    pub root: String,
    /// Records that opened under their learner's key and have the hash that was signed.
    pub bodies: u64,
    /// Records whose learner's key was destroyed.
    pub erased: u64,
    /// Rows of the index that were compared with the journal.
    pub index_rows: u64,
    /// Learners' keys.
    pub learner_keys: u64,
    /// The size that others have seen and the log lacks: it is not served until it has it.
    pub held_below: Option<u64>,
    /// Whether it was a backup that was checked, and not a node.
    pub is_backup: bool,
}

/// What every worker needs.
struct Context {
    bodies: Bodies,
}

/// A round with everything that needs no order.
struct PreparedRound {
    raw: JournalRound,
    decoded: Result<DecodedRound, String>,
    entries: Vec<Prepared>,
    findings: Vec<Finding>,
    prints: Vec<Print>,
    bodies: u64,
    erased: u64,
}

/// Checks the node of a directory. `progress` is told bytes of the journal that are done, and all of them.
pub fn check(
    environment: &Environment,
    dir: &Path,
    config: &Config,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, DirectoryError> {
    check_part(environment, dir, config, None, progress)
}

/// Checks a backup as it lies there: all that its manifest says, and then its log as that of a node. `keys`: where the node's
/// keys are, when they are not in it.
pub fn check_backup(
    environment: &Environment,
    from: &Path,
    keys: Option<&Path>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, BackupError> {
    let source = open_source(environment, from, keys)?;
    // What follows a node holds this lock. A copy that is read-only has none, and nobody who writes.
    let _lock = match source.manifest.followed.then(|| environment.disk.lock(from)).transpose() {
        Err(StoreError::File { error, .. })
            if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) =>
        {
            None
        }
        lock => lock?,
    };
    let found = match verify(environment, from, keys, progress) {
        Ok(_) => None,
        Err(BackupError::Damaged { path, what }) => Some(Finding::of(&path, what)),
        Err(BackupError::Store(StoreError::Damaged { path, offset, what })) => {
            Some(Finding { offset: Some(offset), ..Finding::of(&path, what) })
        }
        Err(error) => return Err(error),
    };
    if let Some(found) = found {
        let notes = vec!["nothing else of the backup was checked".to_owned()];
        let mut report = Report { notes, is_backup: true, ..Report::default() };
        report.findings.add(found);
        return Ok(report);
    }
    let keys = keys.map_or_else(|| from.join("keys"), Path::to_owned);
    let backup = BackupPart { keys: &keys, last: source.manifest.sequence };
    Ok(check_part(environment, from, &source.config, Some(&backup), progress)?)
}

/// What is checked of a backup, beside its manifest.
struct BackupPart<'a> {
    /// Where the node's keys are.
    keys: &'a Path,
    /// The last round that its manifest lists: what follows may not be whole.
    last: u64,
}

fn check_part(
    environment: &Environment,
    dir: &Path,
    config: &Config,
    backup: Option<&BackupPart<'_>>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, DirectoryError> {
    let path = if backup.is_some() { Some(Path::new("log")) } else { config.store.path() };
    let Some(log_dir) = path.map(|path| dir.join(path)) else {
        return Ok(Report {
            notes: vec!["the log is in memory: nothing is on the disk".to_owned()],
            ..Report::default()
        });
    };
    let disk = &environment.disk;
    let keys = config.beginning();
    let keys_dir = backup.map_or_else(|| dir.join("keys"), |backup| backup.keys.to_owned());
    let secrets = Secrets::read(&**disk, &keys_dir.join("secrets"))?;
    // Opened first: whoever has no such directory made a mistake, and nothing is made for them.
    let journal = JournalReader::new(disk, &log_dir, keys.genesis().0);
    let total: u64 = journal.segments()?.iter().map(|(_, _, len)| len).sum();
    let (lock, is_read_only) = match backup.is_none().then(|| disk.lock(&log_dir)).transpose() {
        Ok(lock) => (lock, false),
        // A copy that is read-only: nobody writes there, and nothing can be written here either.
        Err(StoreError::File { error, .. })
            if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) =>
        {
            (None, true)
        }
        Err(error) => return Err(error.into()),
    };
    let inspection = Inspection::open(disk, &log_dir)?;
    let learners = dir.join("learners.keys");
    let ReadKeys { keys: learner_keys, records, faults } = KeyStore::read(&**disk, &learners, &secrets.master)?;
    let is_backup = backup.is_some();
    let report = Report { learner_keys: learner_keys.len() as u64, is_backup, ..Report::default() };
    let erased = learner_keys.erased();
    let context =
        Context { bodies: Bodies { origin: keys.origin.clone(), private: secrets.private(), keys: learner_keys } };
    let mut run = Run {
        journal: &journal,
        strict_until: if inspection.clean { u64::MAX } else { inspection.position.map_or(0, |(sequence, _)| sequence) },
        inspection: &inspection,
        report,
        replay: Some(Replay::new(keys)),
        head: Head { epoch: 1, size: 0, root: empty_root() },
        last: 0,
        end: Some(0),
        rows: RowSet::new(total),
        marked: public::Marked::default(),
        key_count: 0,
        erased_count: 0,
        is_damaged: false,
        is_read_only,
        until: backup.map_or(u64::MAX, |backup| backup.last),
    };
    if is_read_only {
        let note = "the directory is read-only: no lock was taken. If a node serves it elsewhere, findings may be of what it \
                    was writing";
        run.report.notes.push(note.to_owned());
    }
    run.journal(&context, random(&*environment.entropy), &mut |done| progress(done, total))?;
    if !is_backup {
        run.guard(&log_dir);
    }
    run.key_store(&learners, records, &faults);
    run.erased(&learners, erased);
    // A backup's key files are hashed in its manifest, and may lie elsewhere.
    if !is_backup {
        run.key_files(environment, dir);
    }
    if run.is_damaged {
        let what = "the journal is damaged, which reindex cannot mend: restore a backup (creditbank-node restore). The \
                    index was not compared with it";
        run.report.notes.push(what.to_owned());
    } else if is_backup {
        let what = "a backup: it has neither index nor flat files, which a restore makes from the journal";
        run.report.notes.push(what.to_owned());
    } else {
        index::compare(&mut run, environment, config, &log_dir)?;
    }
    progress(total, total);
    let mut report = run.report;
    report.held_below = held_by(&**disk, &log_dir).map(|seen| seen.size).filter(|size| *size > report.size);
    drop(lock);
    Ok(report)
}

/// A check under way.
struct Run<'a> {
    journal: &'a JournalReader,
    inspection: &'a Inspection,
    /// Index and flat files are certain up to this round.
    strict_until: u64,
    report: Report,
    /// `None` after the first contradiction: what comes later cannot be judged.
    replay: Option<Replay>,
    head: Head,
    last: u64,
    /// The last round that is there, whole or not; `None` where damage hides it.
    end: Option<u64>,
    rows: RowSet,
    marked: public::Marked,
    /// The newest number of keys that the log needs.
    key_count: u64,
    /// The newest number of erased learners that the log knows of.
    erased_count: u64,
    /// Whether the journal does not read to its end: then nothing can be compared with it.
    is_damaged: bool,
    /// The directory cannot be written: the index is compared in a copy of it.
    is_read_only: bool,
    /// The last round that is read.
    until: u64,
}

impl Run<'_> {
    fn journal(
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

    /// The journal does not read any further: after the last acknowledged round that is the trace of a crash, which the
    /// next start cuts. Before, it is damage, and each round behind it is looked at for itself.
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

    /// Takes a round behind damage: only what it says by itself is checked.
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

    /// The flat files against a round.
    fn flat(&mut self, decoded: &DecodedRound, sequence: u64) {
        if sequence <= self.strict_until {
            for fault in self.inspection.flat_faults(decoded) {
                self.report.findings.add(Finding::of("flat", format!("{fault}; reindex rebuilds it")));
            }
        }
    }

    /// What a round says of the key store.
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

    /// The log entries of a round, through the replay.
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

    fn guard(&mut self, log_dir: &Path) {
        let path = log_dir.join("guard").display().to_string();
        match self.inspection.guard {
            // Of a journal whose end is damaged that is said already.
            Some((sequence, _)) if self.end.is_some_and(|end| sequence > end) => {
                let end = self.end.unwrap_or_default();
                let what = format!("round {sequence} was acknowledged, the journal ends with round {end}");
                self.report.findings.add(Finding::of(&path, what));
            }
            None if self.last > 1 => {
                let what = format!("it is missing or empty, but the journal has {} rounds", self.last);
                self.report.findings.add(Finding::of(&path, what));
            }
            _ => {}
        }
        if !self.inspection.has_flat_files() && self.last > 0 {
            let what = "not there; reindex rebuilds it".to_owned();
            self.report.findings.add(Finding::of(&log_dir.join("flat").display().to_string(), what));
        }
    }

    fn key_store(&mut self, path: &Path, records: u64, faults: &[(u64, u64)]) {
        let needed = self.key_count;
        let path = path.display().to_string();
        for (number, offset) in faults.iter().rev() {
            if *number < needed {
                let what = format!("record {number} does not read, and the log needs the first {needed}");
                self.report.findings.add_first(Finding { offset: Some(*offset), ..Finding::of(&path, what) });
            } else {
                self.report.notes.push(format!("{path} at {offset}: a torn key that was never used"));
            }
        }
        if records < needed {
            let what = format!("{records} keys, the log needs {needed}");
            self.report.findings.add_first(Finding::of(&path, what));
        }
    }

    fn erased(&mut self, path: &Path, found: u64) {
        let needed = self.erased_count;
        if found < needed {
            let what = format!("{found} erased learners, the log was written with {needed}: it is an older file");
            self.report.findings.add(Finding::of(&path.display().to_string(), what));
        }
    }

    /// The secrets and the key files that a start needs.
    fn key_files(&mut self, environment: &Environment, dir: &Path) {
        let minute = environment.clock.now_ms() / 60_000;
        let against =
            self.replay.as_ref().map(Replay::state).filter(|state| state.last_seal().is_some()).map(|state| {
                let registry = &state.in_force().registry;
                let first = &state.keys().log_key;
                let signs = registry.log_keys().map_or(*first, |keys| keys.at(LogIndex(self.head.size)));
                Against { registry, first, signs, minute }
            });
        let is_whole = against.is_some();
        for fault in key_files::faults(environment, dir, against.as_ref()) {
            self.report.findings.add(Finding::about(fault));
        }
        if !is_whole && self.last > 0 {
            self.report
                .notes
                .push("the key files were not compared with the registry, which could not be read".to_owned());
        }
    }
}

/// Everything of a round that needs no order.
fn prepare(context: &Context, raw: JournalRound) -> PreparedRound {
    let decoded = raw.decode().map_err(|error| error.to_string());
    let mut prepared = PreparedRound {
        raw,
        decoded,
        entries: Vec::new(),
        findings: Vec::new(),
        prints: Vec::new(),
        bodies: 0,
        erased: 0,
    };
    let Ok(decoded) = &mut prepared.decoded else { return prepared };
    let round = &mut decoded.round;
    let rows = LearnerRows::of(&round.rows);
    prepared.entries = round.entries.iter().map(|write| Prepared::new(&write.entry)).collect();
    let mut following = prepared.entries.iter().peekable();
    for (index, write) in (round.base.size..).map(LogIndex).zip(&round.entries) {
        let Some(entry) = following.next() else { break };
        let found = context.bodies.check(index, (entry, following.peek().copied()), &write.bodies, &rows);
        prepared.findings.extend(found.findings);
        prepared.bodies += found.opened;
        prepared.erased += found.erased;
    }
    prepared.prints = round.rows.iter().map(Print::of).collect();
    // What is not needed any more makes room for the rounds that wait.
    round.entries.iter_mut().for_each(|write| write.bodies = Vec::new());
    prepared
}
