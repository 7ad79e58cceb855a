//! Verifies everything that a node has on its disk, from the first byte, offline. Changes and repairs nothing.
//!
//! It makes one pass over the journal, on all cores. A thread reads frames and checks checksums and links. Workers
//! decode rounds, read entries, open bodies and hash their contents. This thread takes the rounds in order through the
//! same replay as an auditor ([`creditbank_ledger::replay`]). Workers then verify the signatures that the replay names.
//! At the end the index is compared with the rows of the journal.

mod beside;
mod bodies;
mod finding;
mod index;
mod notes;
mod prepare;
mod public;
mod rows;
mod run;

use std::io::ErrorKind;
use std::path::Path;

use creditbank_ledger::replay::{Counts, Replay};
use creditbank_protocol::merkle::empty_root;
use creditbank_store::inspect::{Inspection, JournalReader};
use creditbank_store::{DirectoryLock, Disk, Head, KeyStore, ReadKeys, StoreError};

pub use finding::{FINDINGS_MAX, Finding, Findings};

use crate::clock::random;
use crate::directory::{Config, DirectoryError, Secrets, held_by};
use crate::environment::Environment;
use crate::operate::backup::{BackupError, open_source};
use bodies::Bodies;
use prepare::Context;
use rows::RowSet;
use run::Run;

/// What a check has read, and what is wrong.
#[derive(Debug, Default)]
pub struct Report {
    /// What is wrong; empty for a good directory.
    pub findings: Findings,
    /// Remarks that are not damage.
    pub notes: Vec<String>,
    /// Bytes of frames in the journal.
    pub journal_bytes: u64,
    /// Rounds, sealed and private.
    pub rounds: u64,
    /// What the replay of the log has counted.
    pub log: Counts,
    /// Number of log entries.
    pub size: u64,
    /// Their root, in hexadecimal.
    pub root: String,
    /// Records that opened under their learner's key and have the hash that was signed.
    pub bodies: u64,
    /// Records whose learner's key was destroyed.
    pub erased: u64,
    /// Rows of the index that were compared with the journal.
    pub index_rows: u64,
    /// Learners' keys.
    pub learner_keys: u64,
    /// The size that others have seen and the log lacks: the log is not served until it has it.
    pub held_below: Option<u64>,
    /// Whether a backup was checked, and not a node.
    pub is_backup: bool,
}

/// Checks the node of a directory. `progress` gets the bytes of the journal that are done, and the total.
pub fn check(
    environment: &Environment,
    dir: &Path,
    config: &Config,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, DirectoryError> {
    check_part(environment, dir, config, None, progress)
}

/// Checks a backup in place: everything that its manifest says, and then its log, as for a node. `keys`: where the
/// node's keys are, if they are not in the backup.
pub fn check_backup(
    environment: &Environment,
    from: &Path,
    keys: Option<&Path>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, BackupError> {
    let is_followed = open_source(environment, from, keys)?.manifest.followed;
    // `backup --follow` holds this lock.
    let _lock = if is_followed { lock(&*environment.disk, from)? } else { None };
    // The copy may have advanced before the lock was taken.
    let source = open_source(environment, from, keys)?;
    let found = match source.verify(environment, progress) {
        Ok(()) => None,
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
    let backup = BackupPart { keys: &source.keys_dir, last: source.manifest.sequence };
    Ok(check_part(environment, from, &source.config, Some(&backup), progress)?)
}

/// Locks a directory; `None` if it is read-only, because then nobody can write there.
fn lock(disk: &dyn Disk, dir: &Path) -> Result<Option<DirectoryLock>, StoreError> {
    match disk.lock(dir) {
        Err(StoreError::File { error, .. })
            if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) =>
        {
            Ok(None)
        }
        lock => lock.map(Some),
    }
}

/// What is checked of a backup, in addition to its manifest.
struct BackupPart<'a> {
    /// Where the node's keys are.
    keys: &'a Path,
    /// The last round that its manifest lists. Later rounds may be incomplete.
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
    // Opened first: if there is no such directory, the caller made a mistake, and nothing is created.
    let journal = JournalReader::new(disk, &log_dir, keys.genesis().0);
    let total: u64 = journal.segments()?.iter().map(|(_, _, len)| len).sum();
    let own_lock = if backup.is_none() { lock(&**disk, &log_dir)? } else { None };
    let is_read_only = backup.is_none() && own_lock.is_none();
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
    // A backup's key files are hashed in its manifest, and may be elsewhere.
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
    match held_by(&**disk, &log_dir) {
        Ok(seen) => report.held_below = seen.map(|seen| seen.size).filter(|size| *size > report.size),
        Err(error) => report.findings.add(Finding::about(error.to_string())),
    }
    drop(own_lock);
    Ok(report)
}
