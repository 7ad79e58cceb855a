//! Writes the file of a key store that is in use: adds records at its end, or rewrites it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use creditbank_protocol::AccountId;
use zeroize::Zeroizing;

use super::record::{self, Content};
use super::{Fill, KeyStoreError, LearnerKey};
use crate::{Disk, DiskFile, StoreError, file};

/// The file of a key store that is in use.
pub(super) struct KeyFile {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) path: PathBuf,
    pub(super) file: Box<dyn DiskFile>,
    pub(super) reserve_bytes: u64,
    pub(super) end: u64,
    /// The accounts of its records, in their order.
    pub(super) accounts: Vec<AccountId>,
    pub(super) master: Zeroizing<[u8; 32]>,
    pub(super) epoch: Zeroizing<[u8; 32]>,
    /// Whether the file was rewritten before it is trusted. If the disk had no room at the start, it is rewritten
    /// before the first change.
    pub(super) is_renewed: bool,
    pub(super) poisoned: Option<String>,
}

impl KeyFile {
    pub(super) fn append(&mut self, new: &[(AccountId, LearnerKey)], fill: Fill<'_>) -> Result<(), KeyStoreError> {
        self.check_healthy()?;
        if new.is_empty() {
            return Ok(());
        }
        self.check_room()?;
        let records: Vec<(AccountId, Content)> =
            new.iter().map(|(account, key)| (*account, Some(key.clone()))).collect();
        let bytes = record::records(&self.epoch, &records, fill);
        if let Err(error) = self.file.write_at(&bytes, self.end) {
            // Nothing was synced and nobody knows these keys: the written part is cut, or overwritten.
            if file::is_full(&error) && self.file.set_length(self.end).is_ok() {
                return Err(self.full(bytes.len()).into());
            }
            return Err(self.poison(error));
        }
        self.file.sync().map_err(|error| self.poison(error))?;
        self.end += bytes.len() as u64;
        self.accounts.extend(new.iter().map(|(account, _)| *account));
        Ok(())
    }

    /// Refuses if the file was removed, cut or replaced.
    pub(super) fn check_in_place(&self) -> Result<(), StoreError> {
        file::check_in_place(&*self.file, &self.path, self.end)
    }

    pub(super) fn check_room(&self) -> Result<(), StoreError> {
        file::check_room(&*self.disk, parent(&self.path), self.reserve_bytes)
    }

    pub(super) fn rewrite(&mut self, kept: &[(AccountId, Content)], fill: Fill<'_>) -> Result<(), KeyStoreError> {
        self.check_healthy()?;
        let mut epoch = Zeroizing::new([0; 32]);
        fill(&mut *epoch);
        let mut bytes = record::head(&self.master, &epoch, fill);
        bytes.extend(record::records(&epoch, kept, fill));
        let file = match file::stage(&*self.disk, &self.path, 0, &bytes) {
            Ok(file) => file,
            Err(error) if file::is_full(&error) => return Err(self.full(bytes.len()).into()),
            Err(error) => return Err(self.poison(error)),
        };
        // From here on nobody knows to which of the two files the name leads.
        file::commit(&*self.disk, &self.path, &*file).map_err(|error| self.poison(error))?;
        (self.file, self.end, self.epoch, self.is_renewed) = (file, bytes.len() as u64, epoch, true);
        self.accounts = kept.iter().map(|(account, _)| *account).collect();
        Ok(())
    }

    pub(super) fn check_healthy(&self) -> Result<(), KeyStoreError> {
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

pub(super) fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}
