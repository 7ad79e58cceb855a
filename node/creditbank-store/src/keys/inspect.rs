//! Reads the key store without touching its file.

use std::path::Path;

use zeroize::Zeroizing;

use super::{Accounts, HEAD_LEN, KeyStore, KeyStoreError, RECORD_LEN, damaged, record};
use crate::{Disk, StoreError, file};

/// The keys that could be read, and where the file is damaged, if it is.
pub struct ReadKeys {
    /// The keys. Nothing can be added to them.
    pub keys: KeyStore,
    /// How many records the file has, read or not.
    pub records: u64,
    /// Number and offset of each record that cannot be read.
    pub faults: Vec<(u64, u64)>,
}

/// Up to where a file of keys is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvedKeys {
    /// Bytes of the head and of the records that open.
    pub len: u64,
    /// How many records these are.
    pub records: u64,
    /// How many of these are tombstones.
    pub erased: u64,
    /// Whether a record that opens follows one that does not. This is damage, and not a record that is being written.
    pub is_damaged: bool,
}

impl KeyStore {
    /// Verifies the keys of a file's bytes under the master key, up to the first record that does not open. Those
    /// before `from` count as verified.
    pub fn prove(bytes: &[u8], from: u64, path: &Path, master: &[u8; 32]) -> Result<ProvedKeys, KeyStoreError> {
        let epoch = record::open_head(&Zeroizing::new(*master), bytes, path)?;
        let records = bytes[HEAD_LEN..].chunks(RECORD_LEN);
        let proved = usize::try_from(from).unwrap_or(usize::MAX).saturating_sub(HEAD_LEN) / RECORD_LEN;
        let opens = |record: &&[u8]| record::open(&epoch, record).is_some();
        let good = proved.min(records.len()) + records.clone().skip(proved).take_while(opens).count();
        // The mark is enough: it is covered by the checksum and the seal, which were opened.
        let erased = records.clone().take(good).filter(|record| record::is_tombstone(record)).count() as u64;
        let len = (HEAD_LEN + good * RECORD_LEN).min(bytes.len());
        let is_damaged = records.skip(good + 1).any(|record| opens(&record));
        Ok(ProvedKeys { len: len as u64, records: good as u64, erased, is_damaged })
    }

    /// Reads the keys of a file as it is; a record that cannot be read is left out.
    pub fn read(disk: &dyn Disk, path: &Path, master: &[u8; 32]) -> Result<ReadKeys, KeyStoreError> {
        let master = Zeroizing::new(*master);
        let bytes = disk.read(path).map_err(file::at(path))?;
        let epoch = record::open_head(&master, &bytes, path)?;
        let mut keys = Accounts::new();
        let (mut faults, mut records) = (Vec::new(), 0);
        for bytes in bytes[HEAD_LEN..].chunks(RECORD_LEN) {
            match record::open(&epoch, bytes) {
                Some((account, content)) => drop(keys.insert(account, content)),
                None => faults.push((records, offset_of(records))),
            }
            records += 1;
        }
        Ok(ReadKeys { keys: Self::of(keys, None), records, faults })
    }

    /// Reads the file of a store that is in use, and returns its damage. Keys in memory are still served, but lost with
    /// the process. `None` if the file is whole, or if there is no file.
    pub fn fault(&self) -> Result<Option<StoreError>, StoreError> {
        let (mut first, mut epoch_before) = (0, None::<Zeroizing<[u8; 32]>>);
        loop {
            // Read under the lock, but opened without it: a change waits only for a read.
            let (bytes, epoch, path, is_last) = {
                let Some(file) = self.file() else { return Ok(None) };
                let begin = offset_of(first);
                let len = PART_LEN.min(file.end.saturating_sub(begin));
                let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
                let mut head = vec![0; HEAD_LEN];
                let read = file.file.read_at(&mut head, 0).and_then(|()| file.file.read_at(&mut bytes, begin));
                match read {
                    Ok(()) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                        let what = format!("the file ends before its {} bytes do", file.end);
                        return Ok(Some(damaged(&file.path, 0, what)));
                    }
                    Err(error) => return Err(file::at(&file.path)(error)),
                }
                let opened = record::open_head(&file.master, &head, &file.path);
                if !opened.is_ok_and(|epoch| *epoch == *file.epoch) {
                    let what = "the header is not the one that the keys in use were read or written with";
                    return Ok(Some(damaged(&file.path, 0, what)));
                }
                (bytes, file.epoch.clone(), file.path.clone(), begin + len >= file.end)
            };
            if epoch_before.as_ref().is_some_and(|before| **before != *epoch) {
                // Rewritten in the meantime, as after an erasure.
                (first, epoch_before) = (0, None);
                continue;
            }
            for bytes in bytes.chunks(RECORD_LEN) {
                if record::open(&epoch, bytes).is_none() {
                    let what = format!(
                        "record {first} cannot be read. The keys are still in the memory of this process and served: do \
                         not stop it before you have a backup with a complete learners.keys"
                    );
                    return Ok(Some(damaged(&path, usize::try_from(offset_of(first)).unwrap_or(0), what)));
                }
                first += 1;
            }
            if is_last {
                return Ok(None);
            }
            epoch_before = Some(epoch);
        }
    }
}

/// Records that are read at once: about half a megabyte.
const PART_LEN: u64 = 4_096 * RECORD_LEN as u64;

fn offset_of(record: u64) -> u64 {
    HEAD_LEN as u64 + record * RECORD_LEN as u64
}
