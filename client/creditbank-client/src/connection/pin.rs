//! What this side has seen of a log, kept between commands: the signed note of the largest checkpoint. A node that goes
//! back behind it, or shows another history, is refused, and the notes are kept as evidence.
//!
//! ```text
//! STATE/ORIGIN-GENESIS.seen          "creditbank seen v1 SHA-256", a line feed, the note
//! STATE/ORIGIN-GENESIS.evidence-N    two notes that contradict each other: N is the size, then `seen` or `shown`
//! ```

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use creditbank_protocol::counted;
use creditbank_protocol::note::{Checkpoint, Note, VerifierKey};
use creditbank_protocol::{Digest, Trust};
use creditbank_rpc::Reason;
use sha2::{Digest as _, Sha256};

use super::Client;
use crate::ClientError;
use crate::files::{PRIVATE, at, make_dir, replace, write_new};

const MAGIC: &str = "creditbank seen v1 ";
/// A long command writes what it has seen this often.
const INTERVAL: Duration = Duration::from_secs(2);
/// How often a command tries again if other commands write too.
const TRIES_MAX: usize = 20;
/// How long another command may hold the lock. It needs it for one small file only.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// A checkpoint with its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    checkpoint: Checkpoint,
    note: Vec<u8>,
}

impl Seen {
    fn parse(note: &[u8]) -> Option<Self> {
        let checkpoint = Checkpoint::parse(Note::parse(note).ok()?.text()).ok()?;
        Some(Self { checkpoint, note: note.to_vec() })
    }
}

/// The file of a log, and its contents.
pub(super) struct Pin {
    path: PathBuf,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The contents of the file when it was last read or written. It is of one history with `newest`.
    kept: Option<Seen>,
    /// The largest checkpoint that the node has shown.
    newest: Option<Seen>,
    /// Whether `kept` is from a part of the log that was given up. Then the newest replaces it, whatever its size.
    is_given_up: bool,
    written: Option<Instant>,
}

impl Pin {
    /// For a log, by its genesis value: two logs of one name have two files.
    pub(super) fn new(dir: &Path, origin: &str, genesis: &Digest) -> Self {
        let plain: String = origin.chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '-' }).collect();
        let id: String = genesis.to_string().chars().take(16).collect();
        Self { path: dir.join(format!("{plain}-{id}.seen")), known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node has shown this checkpoint, and its signature is good.
    pub(super) fn shown(&self, checkpoint: &Checkpoint, note: &[u8]) {
        let mut known = self.known();
        if known.newest.as_ref().is_none_or(|newest| newest.checkpoint.size < checkpoint.size) {
            known.newest = Some(Seen { checkpoint: checkpoint.clone(), note: note.to_vec() });
        }
    }

    fn read(&self) -> Result<Option<Seen>, ClientError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(&self.path)(error)),
        };
        let damaged = |what: &str| {
            ClientError::Local(format!(
                "{}: this file stores what was seen of the log, and it is damaged: {what}. Ask the operator or \
                 another reader for the size of the log (`creditbank log checkpoint`) and compare it with a receipt \
                 or transcript of yours; then remove the file, and the next command makes a new one",
                self.path.display()
            ))
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| damaged("expected text"))?;
        let (first, note) = text.split_once('\n').ok_or_else(|| damaged("expected two parts, found one line"))?;
        let hash = first.strip_prefix(MAGIC).ok_or_else(|| damaged("its first line is not that of such a file"))?;
        if hash != hex::encode(Sha256::digest(note)) {
            return Err(damaged("its hash differs from its first line"));
        }
        Seen::parse(note.as_bytes()).map(Some).ok_or_else(|| damaged("it holds no signed checkpoint"))
    }

    /// Writes the newest checkpoint if the file still has what this command knows. Otherwise it returns what the file
    /// has now.
    fn write(&self) -> Result<Option<Seen>, ClientError> {
        let mut known = self.known();
        let Some(newest) = known.newest.clone() else { return Ok(None) };
        let _lock = self.lock()?;
        let found = self.read()?;
        if found != known.kept {
            return Ok(found);
        }
        let is_larger = known.kept.as_ref().is_none_or(|kept| kept.checkpoint.size < newest.checkpoint.size);
        if is_larger || known.is_given_up {
            let note = String::from_utf8_lossy(&newest.note);
            let text = format!("{MAGIC}{}\n{note}", hex::encode(Sha256::digest(note.as_bytes())));
            replace(&self.path, text.as_bytes())?;
            (known.kept, known.is_given_up) = (Some(newest), false);
        }
        known.written = Some(Instant::now());
        Ok(None)
    }

    /// Keeps other commands from writing. The lock is released when it is dropped, or when the command ends.
    fn lock(&self) -> Result<File, ClientError> {
        if let Some(dir) = self.path.parent() {
            make_dir(dir)?;
        }
        let path = self.path.with_extension("lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(PRIVATE).open(&path);
        let file = file.map_err(at(&path))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(at(&path)(error)),
                Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    return Err(ClientError::Local(format!(
                        "{}: another command has held this lock for {} s. Find out which one hangs, or pass \
                         --log-state with another directory",
                        path.display(),
                        PATIENCE.as_secs()
                    )));
                }
            }
        }
    }

    /// Whether a long command should write now. The first time is at the connection.
    fn is_due(&self) -> bool {
        let known = self.known();
        let is_new = known.newest.as_ref().map(|newest| newest.checkpoint.size)
            > known.kept.as_ref().map(|kept| kept.checkpoint.size);
        is_new && known.written.is_some_and(|written| written.elapsed() >= INTERVAL)
    }

    /// Stores two notes that contradict each other, and says where.
    fn evidence(&self, seen: &Seen, shown: &Seen) -> String {
        let mut names = Vec::new();
        for (what, one) in [("seen", seen), ("shown", shown)] {
            let root: String = one.checkpoint.root.to_string().chars().take(8).collect();
            let path = self.path.with_extension(format!("evidence-{}-{root}-{what}", one.checkpoint.size));
            match write_new(&path, &one.note, PRIVATE) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    names.push(format!("{} (not written: {error})", path.display()));
                }
                _ => names.push(path.display().to_string()),
            }
        }
        names.join(" and ")
    }
}

impl Drop for Pin {
    /// What a command has seen since it last wrote. If another command has written in the meantime, that stays.
    fn drop(&mut self) {
        // Never before the first check.
        if self.known().written.is_some() {
            let _ = self.write();
        }
    }
}

/// The checkpoints that earlier connections have stored in `state`, for the logs that a trust file names. Asks no node.
pub fn seen(state: &Path, trust: &Trust) -> Result<Vec<Checkpoint>, ClientError> {
    let names: BTreeSet<&str> = trust.policy.logs().iter().map(VerifierKey::name).collect();
    let kept = names.into_iter().map(|name| {
        let beginning = trust.beginning(name);
        Ok(Pin::new(state, &beginning.origin, &beginning.genesis()).read()?.map(|seen| seen.checkpoint))
    });
    kept.filter_map(Result::transpose).collect()
}

/// Whether what was seen is from a part of the log that was given up after a theft: then the log continues without it.
fn is_given_up(client: &Client, trust: &Trust, seen: &Checkpoint) -> bool {
    let followed = client.known_history().is_some_and(|known| {
        known.origins().former().iter().any(|former| former.origin == seen.origin && seen.size > former.size.0)
    });
    followed || trust.check_former(seen).is_err()
}

/// Names the options that help if a file cannot be written.
fn not_kept(error: ClientError) -> ClientError {
    match error {
        ClientError::File { path, error } => ClientError::Local(format!(
            "{path}: what was seen of the log cannot be stored: {error}. Pass --log-state DIR (or CREDITBANK_STATE) \
             with a writable directory, or --no-log-state to store and compare nothing"
        )),
        other => other,
    }
}

impl Client {
    /// Checks that the node shows the log that earlier commands have seen, and keeps the larger checkpoint.
    pub(super) async fn check_pin(&self) -> Result<(), ClientError> {
        let Some(pin) = &self.pin else { return Ok(()) };
        let mut found = pin.read().map_err(not_kept)?;
        for _ in 0..TRIES_MAX {
            let is_given_up = found.as_ref().is_some_and(|seen| is_given_up(self, &self.trust, &seen.checkpoint));
            if let Some(seen) = found.as_ref().filter(|_| !is_given_up) {
                self.check_seen(pin, seen).await?;
            }
            {
                let mut known = pin.known();
                known.kept.clone_from(&found);
                known.is_given_up = is_given_up;
            }
            match pin.write().map_err(not_kept)? {
                None => return Ok(()),
                // Another command was faster.
                other => found = other,
            }
        }
        // What the file has now was not compared with what the node has shown.
        Err(ClientError::Local(format!(
            "{}: other commands have written this file {TRIES_MAX} times while this one read it: run this one again",
            pin.path.display()
        )))
    }

    /// The node has shown a checkpoint, which was checked. It is stored from time to time, once the pin itself was
    /// checked.
    pub(super) async fn show_pin(&self, checkpoint: &Checkpoint, note: &[u8]) -> Result<(), ClientError> {
        let Some(pin) = &self.pin else { return Ok(()) };
        pin.shown(checkpoint, note);
        if !pin.is_due() {
            return Ok(());
        }
        match Box::pin(self.check_pin()).await {
            // A block may have been sealed. That is worth more than the stored checkpoint, which the next command
            // writes, or it says at once why it cannot.
            Err(ClientError::File { .. } | ClientError::Local(_)) => Ok(()),
            checked => checked,
        }
    }

    async fn check_seen(&self, pin: &Pin, seen: &Seen) -> Result<(), ClientError> {
        let Some(shown) = pin.known().newest.clone() else { return Ok(()) };
        let (old, new) = if seen.checkpoint.size <= shown.checkpoint.size { (seen, &shown) } else { (&shown, seen) };
        let why = match self.is_one_history(&old.checkpoint, &new.checkpoint).await {
            Ok(()) => return Ok(()),
            Err(ClientError::Lie(why)) => why,
            Err(ClientError::Refused(refusal)) if refusal.why() == Reason::OutOfRange => "it has gone back".to_owned(),
            Err(other) => return Err(other),
        };
        let (was, is) = (&seen.checkpoint, &shown.checkpoint);
        Err(ClientError::Lie(format!(
            "this is not the log that was seen before. Seen: {} of {} with root {}. Shown: {} of {} \
             with root {}. {why}. Do not trust this node. Both signed checkpoints are kept as evidence: {}. Ask the \
             operator, and another reader or a witness, which of them they have. A node that was restored from a \
             backup may lack what was seen: it must not continue until it has that again, or it must continue under \
             another name with a new trust file (creditbank-node succeed). Remove {} only if you know that what was \
             seen is lost, and accept that",
            counted(was.size, "entry", "entries"),
            was.origin,
            was.root,
            counted(is.size, "entry", "entries"),
            is.origin,
            is.root,
            pin.evidence(seen, &shown),
            pin.path.display()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(size: u64) -> Seen {
        let root = Digest([7; 32]);
        let checkpoint = Checkpoint { origin: "a.example/log".to_owned(), size, root };
        let key = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
        let note = creditbank_protocol::note::sign_checkpoint_by(&checkpoint, &[&key]).expect("a note");
        Seen { checkpoint, note }
    }

    fn pin(dir: &Path) -> Pin {
        Pin::new(dir, "a.example/log", &Digest([1; 32]))
    }

    fn keep(pin: &Pin, size: u64) -> Option<Seen> {
        let Seen { checkpoint, note } = seen(size);
        pin.shown(&checkpoint, &note);
        pin.write().expect("it is written")
    }

    /// Goal: the largest checkpoint is stored, in a file that only its owner can access; of two commands at once the
    /// later one learns what the other has written, and never overwrites it unseen.
    #[test]
    fn the_largest_is_kept() {
        let dir = tempfile::tempdir().expect("a directory");
        let (one, other) = (pin(dir.path()), pin(dir.path()));
        assert_eq!(keep(&one, 5), None);
        assert_eq!(keep(&one, 4), None);
        assert_eq!(one.read().expect("it reads"), Some(seen(5)));
        assert_eq!(keep(&other, 3), Some(seen(5)), "not written over");
        assert_eq!(keep(&other, 9), Some(seen(5)), "not before the two are proved to be of one history");
        other.known().kept = Some(seen(5));
        assert_eq!(other.write().expect("it is written"), None);
        drop((one, other));
        assert_eq!(pin(dir.path()).read().expect("it reads"), Some(seen(9)));
    }

    /// Goal: the newest checkpoint replaces one of a part that was given up, though it is smaller; an error about a
    /// state that cannot be written names the options that help.
    #[test]
    fn what_was_given_up_is_replaced() {
        let dir = tempfile::tempdir().expect("a directory");
        keep(&pin(dir.path()), 9);
        let one = pin(dir.path());
        assert_eq!(keep(&one, 4), Some(seen(9)));
        one.known().kept = Some(seen(9));
        one.known().is_given_up = true;
        assert_eq!(one.write().expect("it is written"), None);
        assert_eq!(one.read().expect("it reads"), Some(seen(4)));
        assert!(!one.known().is_given_up);

        fs::write(dir.path().join("file"), "no directory").expect("written");
        let nowhere = pin(&dir.path().join("file"));
        let Seen { checkpoint, note } = seen(3);
        nowhere.shown(&checkpoint, &note);
        let why = not_kept(nowhere.write().expect_err("no directory")).to_string();
        assert!(why.contains("--log-state DIR") && why.contains("--no-log-state"), "{why}");
    }

    /// Goal: no damaged file counts as missing: every cut, and a flip of any bit.
    #[test]
    fn a_damaged_file_says_so() {
        let dir = tempfile::tempdir().expect("a directory");
        let pin = pin(dir.path());
        keep(&pin, 5);
        let whole = fs::read(&pin.path).expect("it is there");
        let refused = |bytes: &[u8]| {
            fs::write(&pin.path, bytes).expect("written");
            let error = pin.read().expect_err("it is damaged").to_string();
            assert!(error.contains("damaged") && error.contains("remove the file"), "{error}");
        };
        (0..whole.len()).for_each(|len| refused(&whole[..len]));
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            refused(&flipped);
        }
    }
}
