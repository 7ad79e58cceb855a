//! After a theft of the log key, or where a restored log lacks what others have seen: the log goes on under another origin
//! and another log key, in a new directory. The old directory stays as it is.
//!
//! The new log begins with the old entries up to the last checkpoint that counts. What the old log has beyond it is
//! lost: whoever has issued it submits it again.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use creditbank_protocol::approval::approval_message;
use creditbank_protocol::block::{BlockDraft, DraftError, SignedBlock};
use creditbank_protocol::canonical::{CanonicalError, encode};
use creditbank_protocol::entry::Entry;
use creditbank_protocol::key::{KeyId, log_succession_message, sign};
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::merkle::{Frontier, empty_root, leaf_hash};
use creditbank_protocol::note::{Checkpoint, NoteError};
use creditbank_protocol::pb::{self, Kind, Purpose};
use creditbank_protocol::record::{PUBLIC_SEED, Record, RecordError};
use creditbank_protocol::seal::SignedSeal;
use creditbank_protocol::trust::text_of;
use creditbank_protocol::{Digest, LogIndex, UnitId};
use creditbank_store::inspect::{JournalReader, guard};
use creditbank_store::{Disk, Head, Round, Row, Store, StoreError};
use ed25519_dalek::SigningKey;

use crate::append::SubmitError;
use crate::append::seal_time::check_ahead;
use crate::clock::random;
use crate::directory::{
    Config, DirectoryError, HELD_FILE, KeyRing, NAME_RULE, Secrets, at, held_by, is_origin, key_path, open_succeeding,
    read_key_at, store_options, write_secret,
};
use crate::environment::Environment;
use crate::ledger::{Ledger, Limits, Said, sign_by};
use crate::operate::backup::{BackupError, files};
use crate::tables;

/// What the operator says about a succession.
#[derive(Debug, Clone)]
pub struct SuccessionOptions {
    /// The size of the last checkpoint that counts: everything beyond it is lost.
    pub size: u64,
    /// The name from now on.
    pub origin: String,
    /// The file of the registry key in force.
    pub registry_key: PathBuf,
    /// The files of as many approvers' keys as the registry's policy asks for.
    pub approver_keys: Vec<PathBuf>,
    /// Why: a number of a case or of minutes.
    pub case_reference: String,
    /// The operator has confirmed the wall clock: the log may go on long after the last seal before the cut.
    pub confirmed_time: bool,
}

/// A unit's blocks beyond the cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LostBlocks {
    /// Whose.
    pub unit: UnitId,
    /// Where they were.
    pub entries: Vec<LogIndex>,
    /// Their records, hidden and public.
    pub records: u64,
    /// Of these, those that they published: entries of the registry, or what the institution publishes.
    pub published: u64,
    /// What they did to records: revocations, amendments, confirmations and what follows from them.
    pub effects: u64,
    /// The height of the first one: the unit goes on from there.
    pub from_height: u64,
}

/// A log that goes on.
#[derive(Debug, Clone)]
pub struct Succeeded {
    /// Its former name.
    pub former: String,
    /// Up to where it holds.
    pub size: u64,
    /// Entries of the new log.
    pub new_size: u64,
    /// The new log key.
    pub log_key: [u8; 32],
    /// What is lost, by unit, as far as the old directory has it.
    pub lost: Vec<LostBlocks>,
    /// Entries of the old directory.
    pub old_size: u64,
    /// The size that others have seen of the old log, where that is more than the old directory has: nobody can say what stood
    /// between.
    pub seen: Option<u64>,
    /// The text of the new trust file.
    pub trust: String,
}

/// Why a log does not go on.
#[derive(Debug, thiserror::Error)]
pub enum SucceedError {
    /// No round ends there.
    #[error("size {size} is not directly behind a seal: the nearest sizes are {before} and {after}")]
    NoSeal {
        /// What was asked for.
        size: u64,
        /// The last seal before it.
        before: u64,
        /// The first seal behind it.
        after: u64,
    },
    /// The log does not have it.
    #[error("the log has {found} entries: there is no size {size}")]
    Beyond {
        /// What was asked for.
        size: u64,
        /// What is there.
        found: u64,
    },
    /// A name that cannot be.
    #[error("origin {0:?}: expected {NAME_RULE}")]
    Origin(String),
    /// A name that the log has or had.
    #[error("{0} is the name of the old log or was one of its names: witnesses refuse it for ever, so choose another")]
    SameOrigin(String),
    /// The log has gone on under another name already.
    #[error(
        "the log goes on as {newest} since an earlier succession, which lies beyond size {size}: expected a size behind \
         that one. A second end of the same name contradicts every trust file that pins the first"
    )]
    Gone {
        /// What was asked for.
        size: u64,
        /// Its name now.
        newest: String,
    },
    /// There is no journal.
    #[error("the log is in memory: there is nothing to go on from")]
    Memory,
    /// What others have seen of the log says otherwise.
    #[error(
        "{path}: others have seen root {published} at size {size}, the journal has {found}: this is not the log that they know. \
         Restore another copy"
    )]
    Fork {
        /// The file with the checkpoint.
        path: String,
        /// Its size.
        size: u64,
        /// Its root.
        published: String,
        /// The journal's at that size.
        found: String,
    },
    /// The old log key is not there.
    #[error(
        "no file keys/log*.key holds the log key that has signed the seal before size {size}: {}. Whoever has stolen the \
         registry key alone could not go on either; put a copy of this key there, and try again",
        .signers.join(" or ")
    )]
    NoLogKey {
        /// Where the old origin ends.
        size: u64,
        /// The keys that have signed the checkpoint there; one of them is the one that is looked for.
        signers: Vec<String>,
    },
    /// A round that cannot be read.
    #[error("round {sequence} of the journal: {what}; run creditbank-node check")]
    Damaged {
        /// Which round.
        sequence: u64,
        /// What is wrong.
        what: String,
    },
    /// The registry asks for approvals.
    #[error(
        "the registry's policy asks for {expected} approvals of each block of the operator, {found} keys were given"
    )]
    Approvals {
        /// By the policy.
        expected: usize,
        /// Given.
        found: usize,
    },
    /// Files, keys, store.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// Copying.
    #[error(transparent)]
    Copy(#[from] BackupError),
    /// The journal.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The record.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The block.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// The block.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The name.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// What the old journal comes to.
struct Cut {
    head: Head,
    /// The last round that goes on.
    sequence: u64,
    /// Entries of the whole journal.
    old_size: u64,
    /// The root at the size that was asked for beside the cut.
    root_seen: Option<Digest>,
    /// Signatures of the checkpoint at the cut.
    note: Option<Row>,
    /// Who has signed that checkpoint.
    signers: Vec<[u8; 32]>,
    /// The seal that the tree ends with at the cut.
    seal: Option<SignedSeal>,
    lost: BTreeMap<UnitId, LostBlocks>,
    /// Whose the last block beyond the cut is.
    newest_lost: Option<UnitId>,
    names: Vec<String>,
}

/// Lets the log of `dir` go on in `to`, which must be new or empty. Nobody may serve `dir` meanwhile.
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
    let registry_key = read_key_at(environment, &options.registry_key, Purpose::Registry)?;
    let approvers = options.approver_keys.iter().map(|path| read_key_at(environment, path, Purpose::Approver));
    let approvers = approvers.collect::<Result<Vec<_>, _>>()?;
    let journal = JournalReader::new(&environment.disk, &log_dir, config.beginning().genesis().0);
    let total: u64 = journal.segments()?.iter().map(|(_, _, len)| len).sum();
    files::outside(disk, to, &[dir, &log_dir])?;
    let _lock = disk.lock(&log_dir)?;
    let mut done = 0;
    let seen = held_by(disk, &log_dir);
    let acknowledged = guard(disk, &log_dir)?.map(|(sequence, _)| sequence);
    let cut = read_cut(&journal, options.size, acknowledged, seen.as_ref().map(|seen| seen.size), |bytes| {
        done += bytes;
        progress(done, total * 2);
    })?;
    // Before anything is written: the first seal of the new log would be refused.
    let now_ms = environment.clock.now_ms();
    if let Some(sealed_ms) = cut.seal.as_ref().map(|seal| seal.seal().time_ms).filter(|_| !options.confirmed_time) {
        check_ahead(sealed_ms, now_ms).map_err(SubmitError::from)?;
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
    // Its owner signs with it that the log goes on, which whoever has stolen the registry key alone cannot.
    let former_key = cut.seal.as_ref().and_then(|seal| ring.log_key_where(|key| seal.verify(key).is_ok()));
    let former_key = former_key.ok_or_else(|| SucceedError::NoLogKey {
        size: options.size,
        signers: cut.signers.iter().map(|key| KeyId::of(key).to_string()).collect(),
    })?;
    let note = cut.note(&ring)?;

    files::new_dir(disk, to)?;
    let log_key = copy_keys(environment, dir, to)?;
    let new = Config { store: config.store.moved_to("log"), ..config.clone() };
    let store_options = store_options(environment, config.beginning().genesis());
    let store = new.store.open_store(to, &store_options, &mut |_| {})?;
    copy_rounds(&journal, &*store, cut.sequence, |bytes| {
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
    // Last, and after everything else is durable: a directory with a configuration is a whole node.
    files::put(disk, &to.join("node.toml"), new.to_text().as_bytes())?;
    files::sync_dirs(disk, to)?;
    progress(total * 2, total * 2);
    let log_key = log_key.verifying_key().to_bytes();
    let seen = seen.map(|seen| seen.size).filter(|size| *size > cut.old_size);
    let (size, old_size, lost) = (options.size, cut.old_size, cut.lost.into_values().collect());
    Ok(Succeeded { former, size, new_size, log_key, lost, old_size, seen, trust })
}

impl Cut {
    /// The signatures of the checkpoint at the cut. The journal has them behind the next round, or behind a clean stop: a copy
    /// of a node that has died, and a log that was restored to a point, lack them. Then they are made once more, which
    /// discloses nothing: the node could sign that checkpoint from the moment at which the round was durable, the bytes are the
    /// same each time (Ed25519), and the succession itself, which the old log key signs, names this size and this root.
    fn note(&self, ring: &KeyRing) -> Result<Row, SucceedError> {
        if let Some(note) = &self.note {
            return Ok(note.clone());
        }
        let damaged = |what: &str| SucceedError::Damaged { sequence: self.sequence, what: what.to_owned() };
        let seal = self.seal.as_ref().ok_or_else(|| damaged("no seal stands at the end of it"))?;
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

/// Reads the old journal to its end: what stands at the cut, and what is lost beyond it. What does not read behind the last
/// round that was acknowledged is the trace of a crash. The root at the size `seen` is noted.
fn read_cut(
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
        // It is to be signed: so it is what the entries make.
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

/// Keeps the names of the log, and which blocks are lost.
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
            // It stands directly behind the head of its block.
            if let Some(lost) = cut.newest_lost.and_then(|unit| cut.lost.get_mut(&unit)) {
                let part = public.part();
                lost.published += part.records.len() as u64;
                lost.effects += part.groups.iter().map(|group| group.effects.len() as u64).sum::<u64>();
            }
        }
        _ => {}
    }
}

/// Appends the rounds of a journal up to the one with the number `last`.
fn copy_rounds(
    journal: &JournalReader,
    store: &dyn Store,
    last: u64,
    mut read: impl FnMut(u64),
) -> Result<(), SucceedError> {
    let mut failed = None;
    journal.rounds(1, |raw| {
        read(raw.frame_len());
        match raw.decode() {
            Ok(decoded) => failed = store.append(&decoded.round).err().map(SucceedError::from),
            Err(error) => {
                failed = Some(SucceedError::Damaged { sequence: raw.sequence, what: error.to_string() });
            }
        }
        if failed.is_some() || raw.sequence >= last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    failed.map_or(Ok(()), Err)
}

/// Copies the node's keys but the log keys, which may be stolen, and makes another log key.
fn copy_keys(environment: &Environment, dir: &Path, to: &Path) -> Result<SigningKey, SucceedError> {
    let disk: &dyn Disk = &*environment.disk;
    // Read first: without it nothing that was copied could be opened.
    Secrets::read(disk, &dir.join("keys").join("secrets"))?;
    for name in files::list(disk, &dir.join("keys"))? {
        let is_log_key = name == "log.key" || name.starts_with("log-");
        if !is_log_key {
            let name = format!("keys/{name}");
            files::copy(disk, &dir.join(&name), &to.join(&name), &name, u64::MAX)?;
        }
    }
    let name = "learners.keys";
    files::copy(disk, &dir.join(name), &to.join(name), name, u64::MAX)?;
    let key = KeyFile { purpose: Purpose::Log, key: SigningKey::from_bytes(&random(&*environment.entropy)) };
    write_secret(disk, &key_path(to, Purpose::Log), &key.to_text())?;
    disk.sync_dir(&to.join("keys")).map_err(at(to))?;
    Ok(key.key)
}

/// The block with which the log goes on.
fn block(
    environment: &Environment,
    ledger: &Ledger,
    options: &SuccessionOptions,
    (registry_key, approvers): (&KeyFile, &[KeyFile]),
    (former_key, log_key): (&SigningKey, &SigningKey),
) -> Result<Vec<u8>, SucceedError> {
    let (head, chain, approvals) = ledger.operators_chain();
    if approvals != approvers.len() {
        return Err(SucceedError::Approvals { expected: approvals, found: approvers.len() });
    }
    let bare = pb::LogSuccession {
        origin: ledger.origin(),
        size: head.size,
        root: head.root.0.to_vec(),
        new_origin: options.origin.clone(),
        log_key: log_key.verifying_key().to_bytes().to_vec(),
        case_reference: options.case_reference.clone(),
        ..Default::default()
    };
    let message = log_succession_message(&bare);
    let [signature, former_signature] = [log_key, former_key].map(|key| sign(key, message.as_bytes()).to_vec());
    let body = encode(&pb::LogSuccession { signature, former_signature, ..bare })?;
    let record = Record::of(Kind::LogSuccession, &PUBLIC_SEED, body)?;
    let minute = (ledger.now_ms() / 60_000).max(chain.created_at_minute);
    let draft = BlockDraft {
        origin: options.origin.clone(),
        unit: UnitId::OPERATOR,
        height: chain.next_height,
        previous: chain.previous,
        operation_id: random(&*environment.entropy),
        created_at_minute: minute,
        key_id: KeyId::of(&registry_key.public_key()),
    };
    let records = [record];
    let signed = |approvals: Vec<pb::Approval>| {
        draft.sign(&records, Vec::new(), approvals, |message| sign(&registry_key.key, message))
    };
    let unapproved = signed(Vec::new())?;
    let parsed = SignedBlock::parse(&unapproved).expect("the block was just made");
    let approval = |key: &KeyFile| {
        let bare = pb::Approval {
            key_id: KeyId::of(&key.public_key()).0.to_vec(),
            salt: random::<16>(&*environment.entropy).to_vec(),
            until_minute: minute + 60,
            ..Default::default()
        };
        let message = approval_message(parsed.header(), &bare);
        pb::Approval { signature: sign(&key.key, message.as_bytes()).to_vec(), ..bare }
    };
    Ok(signed(approvers.iter().map(approval).collect())?)
}
