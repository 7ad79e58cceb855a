//! The key store: one random key per learner, apart from journal and index, so that destroying it erases the learner's
//! data.
//!
//! ```text
//! file   = "CBKEYS02", nonce[24], epoch key sealed under the master key[48], u32 crc, records
//! record = u8 mark, account[16], nonce[24], sealed[48], u32 crc
//! ```
//! `mark` is 1 for a key and 2 for a tombstone. `sealed` is the learner's key, or 32 zeros, under the epoch key, with
//! mark and account as associated data.
//!
//! An erasure writes all other keys to a new file under a fresh epoch key; the old epoch key is gone with the old file,
//! so that stale pages and old copies of the file are useless once the master key is changed too. Of the erased account
//! a tombstone stays: an account that has neither key nor tombstone, and that something stored names, is damage, never
//! "erased". So the number of records in the file never goes down.

mod inspect;
mod key_file;
mod record;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use creditbank_protocol::AccountId;
use creditbank_protocol::counted;
use zeroize::{ZeroizeOnDrop, Zeroizing};

pub use inspect::{ProvedKeys, ReadKeys};
use key_file::{KeyFile, parent};
use record::{HEAD_LEN, RECORD_LEN};

use crate::{Disk, StoreError, file};

/// A learner's key, wiped when it is dropped.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub struct LearnerKey([u8; 32]);

impl LearnerKey {
    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Why the key store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// The file was made with another master key.
    #[error("{0} does not open under this master key")]
    MasterKey(String),
    /// A file could not be read or written, or is damaged.
    #[error(transparent)]
    File(#[from] StoreError),
    /// A write has failed before.
    #[error("the key store could not be written and accepts nothing more: {0}")]
    Poisoned(String),
}

type Fill<'a> = &'a mut dyn FnMut(&mut [u8]);

/// What the key store knows about an account.
pub enum Known {
    /// Its key.
    Key(LearnerKey),
    /// It was erased: what was sealed under its key cannot be read any more.
    Erased,
    /// Neither a key nor a tombstone. If stored data names the account, then either the key store or that data is
    /// damaged.
    Unknown,
}

/// Accounts with their keys; `None` for an erased one.
type Accounts = HashMap<AccountId, Option<LearnerKey>>;

/// Learners' keys by account. All are held in memory. A caller who uses a staged key makes it durable before anything
/// that is sealed under it.
pub struct KeyStore {
    keys: RwLock<Accounts>,
    /// How many of them are erased.
    erased: AtomicU64,
    /// Accounts whose keys are not on the disk yet.
    staged: Mutex<BTreeSet<AccountId>>,
    /// Held for the whole of a change, so that changes reach the disk in the order in which they are seen.
    disk: Option<Mutex<KeyFile>>,
}

impl KeyStore {
    /// Keys that disappear with the process.
    pub fn memory() -> Self {
        Self::of(Accounts::new(), None)
    }

    fn of(keys: Accounts, file: Option<KeyFile>) -> Self {
        let erased = keys.values().filter(|key| key.is_none()).count();
        Self {
            keys: RwLock::new(keys),
            erased: AtomicU64::new(erased as u64),
            staged: Mutex::default(),
            disk: file.map(Mutex::new),
        }
    }

    /// Opens or makes the file at `path`. The first `needed` records are in use: damage there is refused and nothing is
    /// cut. A torn record after them was never used, and is cut. New keys are refused when the disk has less than
    /// `reserve_bytes` left. If it has less at the start, the file is not changed until the first change.
    pub fn open(
        disk: &Arc<dyn Disk>,
        reserve_bytes: u64,
        path: &Path,
        master: &[u8; 32],
        needed: u64,
        fill: Fill<'_>,
    ) -> Result<Self, KeyStoreError> {
        let master = Zeroizing::new(*master);
        if !disk.exists(path).map_err(file::at(path))? {
            if needed > 0 {
                let what =
                    format!("it is missing, and the log needs its first {}", counted(needed, "record", "records"));
                return Err(damaged(path, 0, what).into());
            }
            let mut epoch = Zeroizing::new([0; 32]);
            fill(&mut *epoch);
            disk.replace(path, &record::head(&master, &epoch, fill)).map_err(file::at(path))?;
        }
        let bytes = disk.read(path).map_err(file::at(path))?;
        let epoch = record::open_head(&master, &bytes, path)?;
        let mut keys = Accounts::new();
        let (mut end, mut accounts) = (HEAD_LEN, Vec::new());
        for (number, bytes) in (0u64..).zip(bytes[HEAD_LEN..].chunks(RECORD_LEN)) {
            let Some((account, content)) = record::open(&epoch, bytes) else {
                if number >= needed {
                    break;
                }
                let what = format!("record {number} cannot be read, and the log needs the first {needed}");
                return Err(damaged(path, end, what).into());
            };
            // An account has one record; a second one would be the newer.
            if keys.insert(account, content).is_none() {
                accounts.push(account);
            }
            end += RECORD_LEN;
        }
        // Rewritten before it is trusted: after a failed fdatasync of an earlier process the last keys may be in memory
        // only, and rounds would be sealed under keys that the next power cut destroys.
        let renewed = if file::has_room(&**disk, parent(path), reserve_bytes)? {
            match file::stage(&**disk, path, 0, &bytes[..end]) {
                Ok(file) => Some(file),
                // The file is larger than the reserve, or somebody else has taken the room.
                Err(error) if file::is_full(&error) => None,
                Err(error) => return Err(file::at(path)(error).into()),
            }
        } else {
            None
        };
        let is_renewed = renewed.is_some();
        let file = match renewed {
            Some(file) => {
                file::commit(&**disk, path, &*file).map_err(file::at(path))?;
                file
            }
            None => disk.open(path).map_err(file::at(path))?,
        };
        let (disk, path) = (Arc::clone(disk), path.to_owned());
        let end = end as u64;
        let file =
            KeyFile { disk, path, file, reserve_bytes, end, accounts, master, epoch, is_renewed, poisoned: None };
        Ok(Self::of(keys, Some(file)))
    }

    /// Checks that the file is in its place: otherwise new data would be lost.
    pub fn look(&self) -> Result<(), StoreError> {
        self.file().map_or(Ok(()), |file| file.check_in_place())
    }

    /// The file, for as long as a change takes.
    fn file(&self) -> Option<MutexGuard<'_, KeyFile>> {
        self.disk.as_ref().map(|disk| disk.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The number of accounts that have a key or a tombstone: as many records as the file has, including the staged
    /// ones.
    pub fn len(&self) -> usize {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The number of accounts that have a tombstone: never fewer than before, unless an older file was put in place.
    pub fn erased(&self) -> u64 {
        self.erased.load(Ordering::Relaxed)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is a key.
    pub fn contains(&self, account: &AccountId) -> bool {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).get(account).is_some_and(Option::is_some)
    }

    /// The learner's key, or that the account was erased, or that nothing is known about it.
    pub fn known(&self, account: &AccountId) -> Known {
        match self.keys.read().unwrap_or_else(PoisonError::into_inner).get(account) {
            Some(Some(key)) => Known::Key(key.clone()),
            Some(None) => Known::Erased,
            None => Known::Unknown,
        }
    }

    /// The learner's key; `None` if there is none, for whatever reason. Use it to seal, not to read: [`Self::known`]
    /// tells an erased account from damage.
    pub fn get(&self, account: &AccountId) -> Option<LearnerKey> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).get(account).cloned().flatten()
    }

    /// Makes a random key for each account that has none; durable when this returns. After an error none of these keys
    /// exists.
    pub fn insert(&self, accounts: &[AccountId], fill: Fill<'_>) -> Result<(), KeyStoreError> {
        self.stage(accounts, fill);
        let synced = self.sync(accounts, fill);
        if synced.is_err() {
            self.discard(Some(accounts));
        }
        synced
    }

    /// Makes a random key for each account that has neither key nor tombstone. The keys can be used, but disappear with
    /// the process until they are [synced](Self::sync).
    pub fn stage(&self, accounts: &[AccountId], fill: Fill<'_>) {
        let mut staged = self.staged.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let new: BTreeSet<&AccountId> = accounts.iter().filter(|account| !keys.contains_key(account)).collect();
        // One call for all of them: the system's generator costs more than the encryption of a key.
        let mut random = Zeroizing::new(vec![0; new.len() * 32]);
        fill(&mut random);
        for (account, key) in new.into_iter().zip(random.as_chunks().0) {
            keys.insert(*account, Some(LearnerKey(*key)));
            staged.insert(*account);
        }
    }

    /// Makes the keys of accounts durable, as far as they are not yet.
    pub fn sync(&self, accounts: &[AccountId], fill: Fill<'_>) -> Result<(), KeyStoreError> {
        let mut file = self.file();
        file.as_ref().map_or(Ok(()), |file| file.check_in_place())?;
        let staged = self.staged.lock().unwrap_or_else(PoisonError::into_inner);
        let new: BTreeSet<AccountId> = accounts.iter().filter(|account| staged.contains(*account)).copied().collect();
        drop(staged);
        if let Some(file) = &mut file
            && !new.is_empty()
        {
            if !file.is_renewed {
                file.check_room()?;
                self.rewrite(file, None, fill)?;
            }
            let keys: Vec<(AccountId, LearnerKey)> =
                new.iter().filter_map(|account| Some((*account, self.get(account)?))).collect();
            file.append(&keys, fill)?;
        }
        self.staged.lock().unwrap_or_else(PoisonError::into_inner).retain(|account| !new.contains(account));
        Ok(())
    }

    /// Forgets keys that were staged but not synced: those of these accounts, or all.
    pub fn discard(&self, accounts: Option<&[AccountId]>) {
        let mut staged = self.staged.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        staged.retain(|account| {
            let keep = accounts.is_some_and(|accounts| !accounts.contains(account));
            if !keep {
                keys.remove(account);
            }
            keep
        });
    }

    /// Destroys a learner's key and leaves a tombstone. What the key sealed can never be opened again. Does nothing for
    /// an unknown account.
    pub fn erase(&self, account: &AccountId, fill: Fill<'_>) -> Result<(), KeyStoreError> {
        let mut file = self.file();
        file.as_ref().map_or(Ok(()), |file| file.check_healthy())?;
        // Replacing another file than the one that was read could bring back older keys.
        file.as_ref().map_or(Ok(()), |file| file.check_in_place())?;
        if matches!(self.known(account), Known::Unknown) {
            return Ok(());
        }
        if let Some(file) = &mut file {
            self.rewrite(file, Some(account), fill)?;
        }
        self.staged.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
        let before = self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(*account, None);
        if !matches!(before, Some(None)) {
            self.erased.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Rewrites the file with everything that is not staged, and with one account as erased. The order of the records
    /// stays: the log needs the first ones.
    fn rewrite(&self, file: &mut KeyFile, erased: Option<&AccountId>, fill: Fill<'_>) -> Result<(), KeyStoreError> {
        let staged = self.staged.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let mut accounts = file.accounts.clone();
        // One that is staged is not in the file yet.
        accounts.extend(erased.filter(|account| staged.contains(*account)));
        let content = |account: AccountId| {
            let key = keys.get(&account)?.clone().filter(|_| erased != Some(&account));
            Some((account, key))
        };
        file.rewrite(&accounts.into_iter().filter_map(content).collect::<Vec<_>>(), fill)
    }
}

fn damaged(path: &Path, offset: usize, what: impl Into<String>) -> StoreError {
    StoreError::Damaged { path: path.display().to_string(), offset: offset as u64, what: what.into() }
}

#[cfg(test)]
mod tests;
