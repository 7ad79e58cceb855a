//! Reading the key store without touching its file.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, RwLock};

use creditbank_protocol::AccountId;
use zeroize::Zeroizing;

use super::{HEAD_LEN, KeyStore, KeyStoreError, LearnerKey, MAGIC, RECORD_LEN, checked, open};
use crate::{Disk, StoreError, file};

/// Keys that could be read, and where the file is damaged, if it is.
pub struct ReadKeys {
    /// The keys; nothing can be added to them.
    pub keys: KeyStore,
    /// Offset of the first record that does not read, and how many keys stand before it.
    pub fault: Option<(u64, u64)>,
}

impl KeyStore {
    /// How many of a file's bytes are head and whole records: what follows is being written, or torn.
    pub fn whole_len(bytes: &[u8]) -> usize {
        if bytes.get(..HEAD_LEN).and_then(checked).is_none() {
            return 0;
        }
        let whole = bytes[HEAD_LEN..]
            .chunks(RECORD_LEN)
            .take_while(|record| record.len() == RECORD_LEN && checked(record).is_some());
        HEAD_LEN + whole.count() * RECORD_LEN
    }

    /// Reads the keys of a file as it is, up to the first record that does not read.
    pub fn read(disk: &dyn Disk, path: &Path, master: &[u8; 32]) -> Result<ReadKeys, KeyStoreError> {
        let master = Zeroizing::new(*master);
        let bytes = disk.read(path).map_err(file::at(path))?;
        let content = bytes.get(..HEAD_LEN).and_then(checked).filter(|content| content.starts_with(&MAGIC));
        let content = content.ok_or_else(|| StoreError::Damaged {
            path: path.display().to_string(),
            offset: 0,
            what: "the header is not that of a key store".to_owned(),
        })?;
        let epoch = open(&master, &content[MAGIC.len()..], &MAGIC)
            .ok_or_else(|| KeyStoreError::MasterKey(path.display().to_string()))?;
        let mut keys = HashMap::new();
        let mut fault = None;
        for (number, record) in (0u64..).zip(bytes[HEAD_LEN..].chunks(RECORD_LEN)) {
            let content = checked(record).filter(|content| content.len() == RECORD_LEN - 4);
            let read = content.and_then(|content| content.split_first_chunk::<16>()).and_then(|(account, sealed)| {
                let key = open(&epoch, sealed, account)?;
                Some((AccountId(*account), LearnerKey(*key)))
            });
            let Some((account, key)) = read else {
                fault = Some((HEAD_LEN as u64 + number * RECORD_LEN as u64, number));
                break;
            };
            keys.insert(account, key);
        }
        Ok(ReadKeys { keys: Self { keys: RwLock::new(keys), staged: Mutex::default(), disk: None }, fault })
    }
}
