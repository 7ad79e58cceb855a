//! After a theft of the log key, or if a restored log lacks what others have seen, the log continues under another
//! origin and another log key, in a new directory. The old directory is not changed.
//!
//! The new log begins with the old entries up to the last checkpoint that counts. What the old log has beyond it is
//! lost: its issuers submit it again.

mod block;
mod copy;
mod cut;
mod error;

use std::path::{Path, PathBuf};

use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::Purpose;
use creditbank_protocol::trust::text_of;
use creditbank_store::Round;
use creditbank_store::inspect::{JournalReader, guard};

use crate::append::SubmitError;
use crate::append::seal_time::{check_ahead, check_behind};
use crate::directory::{
    Config, HELD_FILE, KeyRing, at, held_by, is_origin, open_succeeding, read_key_at, store_options,
};
use crate::environment::Environment;
use crate::ledger::{Limits, Said};
use crate::operate::backup::files;
use block::block;
use cut::read_cut;

pub use cut::LostBlocks;
pub use error::SucceedError;

/// What the operator says about a succession.
#[derive(Debug, Clone)]
pub struct SuccessionOptions {
    /// The size of the last checkpoint that counts; everything beyond it is lost.
    pub size: u64,
    /// The new name.
    pub origin: String,
    /// The file of the registry key in force.
    pub registry_key: PathBuf,
    /// The files of as many approvers' keys as the registry's policy requires.
    pub approver_keys: Vec<PathBuf>,
    /// The reason: the number of a case or of minutes.
    pub case_reference: String,
    /// The operator has confirmed the wall clock: the log may continue long after the last seal before the cut.
    pub confirmed_time: bool,
}

/// A log that continues.
#[derive(Debug, Clone)]
pub struct Succeeded {
    /// Its former name.
    pub former: String,
    /// The size up to which it holds.
    pub size: u64,
    /// Entries of the new log.
    pub new_size: u64,
    /// The new log key.
    pub log_key: [u8; 32],
    /// What is lost, by unit, as far as the old directory has it.
    pub lost: Vec<LostBlocks>,
    /// Entries of the old directory.
    pub old_size: u64,
    /// The size of the old log that others have seen, or that its guard states, if it is larger than the old directory
    /// has: nobody can say what was in between.
    pub seen: Option<u64>,
    /// The text of the new trust file.
    pub trust: String,
}

/// Continues the log of `dir` in `to`, which must be new or empty. Nobody may serve `dir` in the meantime.
pub fn succeed(
    environment: &Environment,
    dir: &Path,
    config: &Config,
    to: &Path,
    options: &SuccessionOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Succeeded, SucceedError> {
    if !is_origin(&options.origin) {
        return Err(SucceedError::Origin(options.origin.clone()));
    }
    let disk = &*environment.disk;
    let log_dir = dir.join(config.store.path().ok_or(SucceedError::Memory)?);
    let key = |path: &Path, purpose, option, expected| {
        let read = read_key_at(environment, path, purpose);
        read.map_err(|error| SucceedError::Key { option, expected, error: Box::new(error) })
    };
    let expected = "the file of the registry key in force: `creditbank-node init` made it as registry.key";
    let registry_key = key(&options.registry_key, Purpose::Registry, "--registry-key", expected)?;
    let expected = "the file of an approver's key (creditbank keygen --purpose approver)";
    let approvers = options.approver_keys.iter();
    let approvers = approvers.map(|path| key(path, Purpose::Approver, "--approver-key", expected));
    let approvers = approvers.collect::<Result<Vec<_>, _>>()?;
    let journal = JournalReader::new(&environment.disk, &log_dir, config.beginning().genesis().0);
    let total: u64 = journal.segments()?.iter().map(|(_, _, len)| len).sum();
    files::outside(disk, to, &[dir, &log_dir])?;
    let _lock = disk.lock(&log_dir)?;
    let mut done = 0;
    let seen = held_by(disk, &log_dir)?;
    let guarded = guard(disk, &log_dir)?;
    let acknowledged = guarded.map(|(sequence, _)| sequence);
    let cut = read_cut(&journal, options.size, acknowledged, seen.as_ref().map(|seen| seen.size), |bytes| {
        done += bytes;
        progress(done, total * 2);
    })?;
    // Before anything is written, because the new log would not open, or its first seal would be refused.
    let now_ms = environment.clock.now_ms();
    if let Some(sealed_ms) = cut.seal.as_ref().map(|seal| seal.seal().time_ms) {
        check_behind(sealed_ms, now_ms).map_err(SubmitError::from)?;
        if !options.confirmed_time {
            check_ahead(sealed_ms, now_ms).map_err(SubmitError::from)?;
        }
    }
    if cut.names.contains(&options.origin) || options.origin == config.origin {
        return Err(SucceedError::SameOrigin(options.origin.clone()));
    }
    if let Some(newest) =
        cut.names.last().filter(|newest| cut.seal.as_ref().is_some_and(|seal| seal.seal().origin != **newest))
    {
        return Err(SucceedError::Gone { size: options.size, newest: newest.clone() });
    }
    if let (Some(seen), Some(found)) = (&seen, cut.root_seen)
        && seen.root != found
        && seen.size <= options.size
    {
        let (path, published, found) = (log_dir.join(HELD_FILE), seen.root.to_string(), found.to_string());
        return Err(SucceedError::Fork { path: path.display().to_string(), size: seen.size, published, found });
    }
    let ring = KeyRing::open(environment, dir)?;
    // Its owner signs the succession with it, which a thief of the registry key alone cannot do.
    let former_key = cut.seal.as_ref().and_then(|seal| ring.log_key_where(|key| seal.verify(key).is_ok()));
    let former_key = former_key.ok_or_else(|| SucceedError::NoLogKey {
        size: options.size,
        signers: cut.signers.iter().map(|key| KeyId::of(key).to_string()).collect(),
    })?;
    let note = cut.note(&ring)?;

    let (former, new_size, log_key, trust) = files::fill_new_dir(disk, to, || {
        let log_key = copy::keys(environment, dir, to)?;
        let new = Config { store: config.store.moved_to("log"), ..config.clone() };
        let store_options = store_options(environment, config.beginning().genesis());
        let store = new.store.open_store(to, &store_options, &mut |_| {})?;
        copy::rounds(&journal, &*store, cut.sequence, |bytes| {
            done += bytes;
            progress(done, total * 2);
        })?;
        // Nobody has the key any more that could sign it again.
        store.append(&Round {
            base: cut.head,
            next: cut.head,
            entries: Vec::new(),
            nodes: Vec::new(),
            rows: vec![note],
        })?;
        store.close()?;
        drop(store);

        let said = Said { confirmed_time: options.confirmed_time, ..Said::default() };
        let limits = Limits { said, ..Limits::default() };
        let (ledger, mut steps) = open_succeeding(environment, to, &new, limits)?;
        let former = ledger.origin();
        let block = block(environment, &ledger, options, (&registry_key, &approvers), (&former_key, &log_key))?;
        steps.seal(&block, ())?;
        let new_size = ledger.size();
        let trust = text_of(&config.beginning(), &ledger.log_keys())?;
        steps.close()?;
        drop((steps, ledger));
        files::put(disk, &to.join("trust.toml"), trust.as_bytes())?;
        files::sync_dirs(disk, to)?;
        // Last, after everything else is durable: a directory with a configuration counts as a complete node.
        let path = to.join("node.toml");
        disk.replace(&path, new.to_text().as_bytes()).map_err(at(&path))?;
        files::sync_dirs(disk, to)?;
        Ok::<_, SucceedError>((former, new_size, log_key, trust))
    })?;
    progress(total * 2, total * 2);
    let log_key = log_key.verifying_key().to_bytes();
    let seen = seen.map(|seen| seen.size).max(guarded.map(|(_, head)| head.size)).filter(|size| *size > cut.old_size);
    let (size, old_size, lost) = (options.size, cut.old_size, cut.lost.into_values().collect());
    Ok(Succeeded { former, size, new_size, log_key, lost, old_size, seen, trust })
}
