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

impl KeyStore {
    /// How many of a file's bytes are head and whole records: what follows is being written, or torn.
    pub fn whole_len(bytes: &[u8]) -> usize {
        if bytes.get(..HEAD_LEN).and_then(record::checked).is_none() {
            return 0;
        }
        let whole = bytes[HEAD_LEN..]
            .chunks(RECORD_LEN)
            .take_while(|bytes| bytes.len() == RECORD_LEN && record::checked(bytes).is_some());
        HEAD_LEN + whole.count() * RECORD_LEN
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
