//! Reading the key store without touching its file.

use std::path::Path;
use std::sync::{Mutex, RwLock};

use zeroize::Zeroizing;

use super::{Accounts, HEAD_LEN, KeyStore, KeyStoreError, RECORD_LEN, record};
use crate::{Disk, file};

/// Keys that could be read, and where the file is damaged, if it is.
pub struct ReadKeys {
    /// The keys; nothing can be added to them.
    pub keys: KeyStore,
    /// Offset of the first record that does not read, and how many records stand before it.
    pub fault: Option<(u64, u64)>,
}

/// How far a file of keys is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvedKeys {
    /// Bytes of the head and of the records that open.
    pub len: u64,
    /// How many records these are.
    pub records: u64,
    /// Whether a record that opens stands behind one that does not: this is damage, and not a record that is being written.
    pub is_damaged: bool,
}

impl KeyStore {
    /// Proves the keys of a file's bytes under the master key, up to the first record that does not open. Those before `from`
    /// are taken as proved.
    pub fn prove(bytes: &[u8], from: u64, path: &Path, master: &[u8; 32]) -> Result<ProvedKeys, KeyStoreError> {
        let epoch = record::open_head(&Zeroizing::new(*master), bytes, path)?;
        let records = bytes[HEAD_LEN..].chunks(RECORD_LEN);
        let proved = usize::try_from(from).unwrap_or(usize::MAX).saturating_sub(HEAD_LEN) / RECORD_LEN;
        let opens = |record: &&[u8]| record::open(&epoch, record).is_some();
        let good = proved.min(records.len()) + records.clone().skip(proved).take_while(opens).count();
        let len = (HEAD_LEN + good * RECORD_LEN).min(bytes.len());
        let is_damaged = records.skip(good + 1).any(|record| opens(&record));
        Ok(ProvedKeys { len: len as u64, records: good as u64, is_damaged })
    }

    /// Reads the keys of a file as it is, up to the first record that does not read.
    pub fn read(disk: &dyn Disk, path: &Path, master: &[u8; 32]) -> Result<ReadKeys, KeyStoreError> {
        let master = Zeroizing::new(*master);
        let bytes = disk.read(path).map_err(file::at(path))?;
        let epoch = record::open_head(&master, &bytes, path)?;
        let mut keys = Accounts::new();
        let mut fault = None;
        for (number, bytes) in (0u64..).zip(bytes[HEAD_LEN..].chunks(RECORD_LEN)) {
            let Some((account, content)) = record::open(&epoch, bytes) else {
                fault = Some((HEAD_LEN as u64 + number * RECORD_LEN as u64, number));
                break;
            };
            keys.insert(account, content);
        }
        Ok(ReadKeys { keys: Self { keys: RwLock::new(keys), staged: Mutex::default(), disk: None }, fault })
    }
}
