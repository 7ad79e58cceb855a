//! The key store: one random key per learner, apart from journal and index, so that destroying it erases the learner's data.
//!
//! ```text
//! file   = "CBKEYS01", nonce[24], epoch key sealed under the master key[48], u32 crc, records
//! record = account[16], nonce[24], learner's key sealed under the epoch key with the account as associated data[48], u32 crc
//! ```
//! An erasure writes all other keys to a new file under a fresh epoch key; the old epoch key is gone with the old file, so
//! that stale pages and old copies of the file are useless once the master key is changed too.

mod inspect;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use creditbank_protocol::AccountId;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

pub use inspect::ReadKeys;

use crate::{Disk, DiskFile, StoreError, file};

const MAGIC: [u8; 8] = *b"CBKEYS01";
const NONCE_LEN: usize = 24;
const SEALED_LEN: usize = 48;
const HEAD_LEN: usize = 8 + NONCE_LEN + SEALED_LEN + 4;
const RECORD_LEN: usize = 16 + NONCE_LEN + SEALED_LEN + 4;

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
    /// The master key is another one than the file was made with.
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

/// Learners' keys by account. All are held in memory. Whoever uses a key that is staged makes it durable before what
/// is sealed
/// under it.
pub struct KeyStore {
    keys: RwLock<HashMap<AccountId, LearnerKey>>,
    /// Accounts whose keys are not on the disk yet.
    staged: Mutex<BTreeSet<AccountId>>,
    /// Held for the whole of a change, so that changes are on the disk in the order in which they are seen.
    disk: Option<Mutex<KeyFile>>,
}

struct KeyFile {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Box<dyn DiskFile>,
    reserve_bytes: u64,
    end: u64,
    master: Zeroizing<[u8; 32]>,
    epoch: Zeroizing<[u8; 32]>,
    poisoned: Option<String>,
}

fn seal(key: &[u8; 32], secret: &[u8; 32], aad: &[u8], fill: Fill<'_>) -> Vec<u8> {
    let mut nonce = [0; NONCE_LEN];
    fill(&mut nonce);
    seal_with(key, secret, aad, nonce)
}

fn seal_with(key: &[u8; 32], secret: &[u8; 32], aad: &[u8], nonce: [u8; NONCE_LEN]) -> Vec<u8> {
    let payload = Payload { msg: secret, aad };
    let sealed = XChaCha20Poly1305::new(key.into()).encrypt(&XNonce::from(nonce), payload);
    [&nonce[..], &sealed.expect("32 bytes are within the cipher's limit")].concat()
}

fn open(key: &[u8; 32], sealed: &[u8], aad: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let payload = Payload { msg: ciphertext, aad };
    let mut plain = XChaCha20Poly1305::new(key.into()).decrypt(&XNonce::from(*nonce), payload).ok()?;
    let secret = plain.as_slice().try_into().ok().map(Zeroizing::new);
    plain.zeroize();
    secret
}

fn with_crc(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_be_bytes());
    bytes
}

/// The content in front of a checksum that holds.
fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (content, crc) = bytes.split_last_chunk::<4>()?;
    (crc32c::crc32c(content).to_be_bytes() == *crc).then_some(content)
}

impl KeyStore {
    /// Keys that are gone with the process.
    pub fn memory() -> Self {
        Self { keys: RwLock::default(), staged: Mutex::default(), disk: None }
    }

    /// Opens or makes the file at `path`. The first `needed` keys are in use: damage there is refused and nothing is cut. What is
    /// torn behind them was never used, and is cut. New keys are refused when the disk has less than `reserve_bytes` left.
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
            let mut epoch = Zeroizing::new([0; 32]);
            fill(&mut *epoch);
            disk.replace(path, &head(&master, &epoch, fill)).map_err(file::at(path))?;
        }
        let bytes = disk.read(path).map_err(file::at(path))?;
        let damaged = |offset: usize, what: &str| StoreError::Damaged {
            path: path.display().to_string(),
            offset: offset as u64,
            what: what.to_owned(),
        };
        let content = bytes.get(..HEAD_LEN).and_then(checked).filter(|content| content.starts_with(&MAGIC));
        let content = content.ok_or_else(|| damaged(0, "the header is not that of a key store"))?;
        let epoch = open(&master, &content[MAGIC.len()..], &MAGIC)
            .ok_or_else(|| KeyStoreError::MasterKey(path.display().to_string()))?;
        let mut keys = HashMap::new();
        let mut end = HEAD_LEN;
        for record in bytes[HEAD_LEN..].chunks(RECORD_LEN) {
            let unused = keys.len() as u64 >= needed;
            let Some(content) = checked(record).filter(|content| content.len() == RECORD_LEN - 4) else {
                if unused {
                    break;
                }
                return Err(damaged(end, "the record's checksum does not hold").into());
            };
            let (account, sealed) = content.split_first_chunk::<16>().ok_or_else(|| damaged(end, "a short record"))?;
            let key = open(&epoch, sealed, account).ok_or_else(|| damaged(end, "the key does not open"))?;
            keys.insert(AccountId(*account), LearnerKey(*key));
            end += RECORD_LEN;
        }
        // Written anew before it is trusted: after a failed fdatasync of an earlier process the last keys may stand in
        // memory only, and rounds would be sealed under keys that the next power cut takes away.
        let file = file::stage(&**disk, path, 0, &bytes[..end]).map_err(file::at(path))?;
        file::commit(&**disk, path, &*file).map_err(file::at(path))?;
        let (disk, path) = (Arc::clone(disk), path.to_owned());
        let file = KeyFile { disk, path, file, reserve_bytes, end: end as u64, master, epoch, poisoned: None };
        Ok(Self { keys: RwLock::new(keys), staged: Mutex::default(), disk: Some(Mutex::new(file)) })
    }

    /// The file, for as long as a change takes.
    fn file(&self) -> Option<MutexGuard<'_, KeyFile>> {
        self.disk.as_ref().map(|disk| disk.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the account exists.
    pub fn len(&self) -> usize {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is a key.
    pub fn contains(&self, account: &AccountId) -> bool {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).contains_key(account)
    }

    /// The learner's key; `None` when the account does not exist or was erased.
    pub fn get(&self, account: &AccountId) -> Option<LearnerKey> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).get(account).cloned()
    }

    /// Makes a random key for each account that has none; durable when this returns. After an error none of these
    /// keys exists.
    pub fn insert(&self, accounts: &[AccountId], fill: Fill<'_>) -> Result<(), KeyStoreError> {
        self.stage(accounts, fill);
        let synced = self.sync(accounts, fill);
        if synced.is_err() {
            self.discard(Some(accounts));
        }
        synced
    }

    /// Makes a random key for each account that has none. They can be used, but are gone with the process until they
    /// are
    /// [synced](Self::sync).
    pub fn stage(&self, accounts: &[AccountId], fill: Fill<'_>) {
        let mut staged = self.staged.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let new: BTreeSet<&AccountId> = accounts.iter().filter(|account| !keys.contains_key(account)).collect();
        // One call for all: the system's generator costs more than the encryption of a key.
        let mut random = Zeroizing::new(vec![0; new.len() * 32]);
        fill(&mut random);
        for (account, key) in new.into_iter().zip(random.as_chunks().0) {
            keys.insert(*account, LearnerKey(*key));
            staged.insert(*account);
        }
    }

    /// Makes the keys of accounts durable, those that are not yet.
    pub fn sync(&self, accounts: &[AccountId], fill: Fill<'_>) -> Result<(), KeyStoreError> {
        let mut file = self.file();
        let staged = self.staged.lock().unwrap_or_else(PoisonError::into_inner);
        let new: BTreeSet<AccountId> = accounts.iter().filter(|account| staged.contains(*account)).copied().collect();
        drop(staged);
        if let Some(file) = &mut file {
            let keys: Vec<(AccountId, LearnerKey)> =
                new.iter().filter_map(|account| Some((*account, self.get(account)?))).collect();
            file.append(&keys, fill)?;
        }
        self.staged.lock().unwrap_or_else(PoisonError::into_inner).retain(|account| !new.contains(account));
        Ok(())
    }

    /// Forgets keys that were staged and are not synced: those of these accounts, or all.
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

    /// Destroys a learner's key. What it sealed can never be opened again. The log must say first that it needs one key less:
    /// see `needed` of [`Self::open`].
    pub fn erase(&self, account: &AccountId, fill: Fill<'_>) -> Result<(), KeyStoreError> {
        let mut file = self.file();
        if let Some(file) = &mut file {
            let staged = self.staged.lock().unwrap_or_else(PoisonError::into_inner);
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            file.rewrite(keys.iter().filter(|(other, _)| *other != account && !staged.contains(other)), fill)?;
        }
        self.keys.write().unwrap_or_else(PoisonError::into_inner).remove(account);
        Ok(())
    }
}

fn head(master: &[u8; 32], epoch: &[u8; 32], fill: Fill<'_>) -> Vec<u8> {
    with_crc([&MAGIC[..], &seal(master, epoch, &MAGIC, fill)].concat())
}

/// The records of keys, one after the other.
fn records<'a>(
    epoch: &[u8; 32],
    keys: impl ExactSizeIterator<Item = (&'a AccountId, &'a LearnerKey)>,
    fill: Fill<'_>,
) -> Vec<u8> {
    let mut nonces = vec![0; keys.len() * NONCE_LEN];
    fill(&mut nonces);
    let record = |((account, key), nonce): ((&AccountId, &LearnerKey), &[u8; NONCE_LEN])| {
        with_crc([account.as_bytes(), &seal_with(epoch, &key.0, account.as_bytes(), *nonce)[..]].concat())
    };
    keys.zip(nonces.as_chunks().0).flat_map(record).collect()
}

impl KeyFile {
    fn append(&mut self, new: &[(AccountId, LearnerKey)], fill: Fill<'_>) -> Result<(), KeyStoreError> {
        self.check_healthy()?;
        if new.is_empty() {
            return Ok(());
        }
        file::check_room(&*self.disk, self.path.parent().unwrap_or(&self.path), self.reserve_bytes)?;
        let bytes = records(&self.epoch, new.iter().map(|(account, key)| (account, key)), fill);
        if let Err(error) = self.file.write_at(&bytes, self.end) {
            // Nothing was synced and nobody knows of these keys: what was written of them is cut, or written over.
            if file::is_full(&error) && self.file.set_length(self.end).is_ok() {
                return Err(self.full(bytes.len()).into());
            }
            return Err(self.poison(error));
        }
        self.file.sync().map_err(|error| self.poison(error))?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    fn rewrite<'a>(
        &mut self,
        kept: impl Iterator<Item = (&'a AccountId, &'a LearnerKey)>,
        fill: Fill<'_>,
    ) -> Result<(), KeyStoreError> {
        self.check_healthy()?;
        let mut epoch = Zeroizing::new([0; 32]);
        fill(&mut *epoch);
        let mut bytes = head(&self.master, &epoch, fill);
        let kept: Vec<_> = kept.collect();
        bytes.extend(records(&epoch, kept.into_iter(), fill));
        let file = match file::stage(&*self.disk, &self.path, 0, &bytes) {
            Ok(file) => file,
            Err(error) if file::is_full(&error) => return Err(self.full(bytes.len()).into()),
            Err(error) => return Err(self.poison(error)),
        };
        // From here on nobody knows which of the two files the name leads to.
        file::commit(&*self.disk, &self.path, &*file).map_err(|error| self.poison(error))?;
        (self.file, self.end, self.epoch) = (file, bytes.len() as u64, epoch);
        Ok(())
    }

    fn check_healthy(&self) -> Result<(), KeyStoreError> {
        self.poisoned.as_ref().map_or(Ok(()), |why| Err(KeyStoreError::Poisoned(why.clone())))
    }

    fn full(&self, needed: usize) -> StoreError {
        StoreError::Full { path: self.path.display().to_string(), needed: needed as u64 }
    }

    fn poison(&mut self, error: std::io::Error) -> KeyStoreError {
        self.poisoned = Some(error.to_string());
        file::at(&self.path)(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RealDisk;

    fn counter() -> impl FnMut(&mut [u8]) {
        let mut next = 0u8;
        move |bytes: &mut [u8]| {
            next = next.wrapping_add(1);
            bytes.fill(next);
        }
    }

    /// Goal: keys survive a restart; erased ones do not; another master key opens nothing.
    #[test]
    fn keys_survive_and_erased_keys_do_not() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("keys");
        let mut fill = counter();
        let keys = KeyStore::open(&RealDisk::shared(), 0, &path, &[1; 32], 0, &mut fill).expect("a new store");
        keys.insert(&[AccountId([1; 16]), AccountId([2; 16]), AccountId([1; 16])], &mut fill).expect("inserted");
        let first = keys.get(&AccountId([1; 16])).expect("known");
        keys.insert(&[AccountId([1; 16])], &mut fill).expect("nothing new");
        drop(keys);
        let keys = KeyStore::open(&RealDisk::shared(), 0, &path, &[1; 32], 0, &mut fill).expect("reopened");
        assert!(keys.get(&AccountId([1; 16])) == Some(first));
        keys.erase(&AccountId([1; 16]), &mut fill).expect("erased");
        drop(keys);
        let keys = KeyStore::open(&RealDisk::shared(), 0, &path, &[1; 32], 0, &mut fill).expect("reopened");
        assert!(!keys.contains(&AccountId([1; 16])) && keys.contains(&AccountId([2; 16])));
        assert!(matches!(
            KeyStore::open(&RealDisk::shared(), 0, &path, &[2; 32], 0, &mut fill),
            Err(KeyStoreError::MasterKey(_))
        ));
    }

    /// Goal: keys that are made while others are erased, or twice at once, are on the disk as they were given out.
    #[test]
    fn changes_at_once_are_all_on_the_disk() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("keys");
        let keys = KeyStore::open(&RealDisk::shared(), 0, &path, &[1; 32], 0, &mut counter()).expect("a new store");
        let account = |number: u8| AccountId([number; 16]);
        std::thread::scope(|scope| {
            for start in [7u8, 99] {
                let keys = &keys;
                scope.spawn(move || {
                    let mut fill = counter();
                    fill(&mut [0; 1][..]);
                    let mut mixed = |bytes: &mut [u8]| {
                        fill(bytes);
                        bytes.iter_mut().for_each(|byte| *byte ^= start);
                    };
                    for number in 0..100 {
                        keys.insert(&[account(number)], &mut mixed).expect("inserted");
                    }
                });
            }
            scope.spawn(|| (200..210).for_each(|number| keys.erase(&account(number), &mut counter()).expect("erased")));
        });
        let again = KeyStore::open(&RealDisk::shared(), 0, &path, &[1; 32], 100, &mut counter()).expect("reopened");
        for number in 0..100 {
            assert!(keys.get(&account(number)) == again.get(&account(number)), "account {number}");
        }
    }

    /// Goal: a torn record that nobody used is cut; damage where keys are in use is refused with its place.
    #[test]
    fn torn_records_are_cut_and_damage_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("keys");
        let mut fill = counter();
        let keys = KeyStore::open(&RealDisk::shared(), 0, &path, &[1; 32], 0, &mut fill).expect("a new store");
        keys.insert(&[AccountId([1; 16]), AccountId([2; 16])], &mut fill).expect("inserted");
        drop(keys);
        let whole = std::fs::read(&path).expect("the file");
        std::fs::write(&path, &whole[..whole.len() - 3]).expect("torn");
        let refused = KeyStore::open(&RealDisk::shared(), 0, &path, &[1; 32], 2, &mut fill)
            .err()
            .expect("two keys are in use")
            .to_string();
        assert!(refused.contains("damaged"), "{refused}");
        let keys = KeyStore::open(&RealDisk::shared(), 0, &path, &[1; 32], 1, &mut fill)
            .expect("one is in use: the torn record is cut");
        assert!(keys.contains(&AccountId([1; 16])) && !keys.contains(&AccountId([2; 16])));
        drop(keys);
        let mut damaged = whole;
        damaged[HEAD_LEN + 20] ^= 1;
        std::fs::write(&path, &damaged).expect("damaged");
        let refused =
            KeyStore::open(&RealDisk::shared(), 0, &path, &[1; 32], 2, &mut fill).err().expect("refused").to_string();
        assert!(refused.contains(&format!("damaged at {HEAD_LEN}")), "{refused}");
        assert_eq!(std::fs::read(&path).expect("the file"), damaged, "nothing is cut");
    }
}
