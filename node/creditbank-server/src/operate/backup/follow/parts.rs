//! Copies the growing files: the journal and the learners' keys.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use creditbank_protocol::counted;
use creditbank_store::{Head, KeyStore};
use zeroize::Zeroizing;

use super::super::tree::Point;
use super::super::{BackedUpFile, BackupError, at};
use super::growing::Growing;
use super::{Follower, KEYS, file_name, small};

/// Length of the random beginning of the learners' keys. It changes each time that the file is rewritten.
const HEAD_LEN: usize = 64;

impl Follower {
    /// Checks that the copy is a part of what the node has.
    pub(super) fn check_past(&mut self, log_dir: &Path, sequence: u64, head: Head) -> Result<(), BackupError> {
        let copied = self.tree.sequence;
        let other = |found: String| BackupError::NotItsPast { copied, found };
        if sequence < copied {
            return Err(other(format!("ends with round {sequence}")));
        }
        // The head is compared each time, even at the same round: another node may have taken the place of this one.
        if copied == 0 || (self.is_its_past && sequence > copied) {
            return Ok(());
        }
        let mut found = (sequence == copied).then_some(head);
        if found.is_none() {
            let read = self.journal(log_dir).rounds(copied, |round| {
                found = round.decode().ok().map(|decoded| decoded.round.next);
                ControlFlow::Break(())
            });
            read.map_err(BackupError::of_node)?;
        }
        match found {
            Some(found) if found == self.tree.head => self.is_its_past = true,
            Some(found) => return Err(other(format!("has another root at size {}", found.size))),
            None => return Err(other("has none of that number".to_owned())),
        }
        Ok(())
    }

    /// Checks that the copied part of the node's learners' keys is still the same. Damage there changes neither the
    /// length nor the head of the file.
    pub(super) fn prove_keys(&self) -> Result<(), BackupError> {
        let from = self.dir.join(KEYS);
        let bytes = Zeroizing::new(self.disk().read(&from).map_err(at(&from))?);
        let before = usize::try_from(self.keys.len()).ok().and_then(|copied| bytes.get(..copied));
        let is_same_file = self.keys.len() > 0 && head_of(&bytes) == self.keys_head;
        if is_same_file && before.is_none_or(|before| Growing::of(before).listed(KEYS) != self.keys.listed(KEYS)) {
            let what = "the part that was copied has changed: the file is damaged. The copy keeps its own keys: run \
                        check on the node, and restore what is missing there";
            return Err(BackupError::Damaged { path: from.display().to_string(), what: what.to_owned() });
        }
        Ok(())
    }

    /// What the node's file of learners' keys has and the copy lacks; `None` if that is nothing. It opens under the
    /// master key, and has all keys that the copied rounds need. Nothing in the copy is touched before this is
    /// verified.
    pub(super) fn changed_keys(&self, master: &[u8; 32]) -> Result<Option<ChangedKeys>, BackupError> {
        let from = self.dir.join(KEYS);
        let damaged = |what: String| BackupError::Damaged {
            path: from.display().to_string(),
            what: format!(
                "{what}. The copy keeps its own keys: run check on the node, and restore what is missing there"
            ),
        };
        let disk = self.disk();
        let file = disk.open_existing(&from).map_err(at(&from))?;
        let len = file.length().map_err(at(&from))?;
        let copied = self.keys.len();
        let mut head = vec![0; HEAD_LEN];
        if len == copied && len >= HEAD_LEN as u64 {
            file.read_at(&mut head, 0).map_err(at(&from))?;
            if head == self.keys_head {
                return Ok(None);
            }
        }
        let mut bytes = Zeroizing::new(disk.read(&from).map_err(at(&from))?);
        let is_same_file = copied > 0 && head_of(&bytes) == self.keys_head;
        let known = if is_same_file { copied } else { 0 };
        if is_same_file {
            let before = usize::try_from(copied).ok().and_then(|copied| bytes.get(..copied));
            if before.is_none_or(|before| Growing::of(before).listed(KEYS) != self.keys.listed(KEYS)) {
                return Err(damaged(format!("its first {copied} bytes, which were copied, have changed")));
            }
        }
        let proved = KeyStore::prove(&bytes, known, &from, master).map_err(|error| damaged(error.to_string()))?;
        if proved.is_damaged {
            return Err(damaged(format!("the record at {} does not open, later ones do", proved.len)));
        }
        if proved.records < self.tree.keys {
            return Err(damaged(format!(
                "it has {}, the log needs {}",
                counted(proved.records, "key", "keys"),
                self.tree.keys
            )));
        }
        if proved.erased < self.tree.erased {
            let (found, expected) = (proved.erased, self.tree.erased);
            return Err(damaged(format!("it has {found} erased learners, the log was written with {expected}")));
        }
        // A record that is being written is copied with the next step.
        bytes.truncate(usize::try_from(proved.len).unwrap_or(usize::MAX));
        if !is_same_file {
            return Ok(Some(ChangedKeys::Anew(bytes)));
        }
        let more = usize::try_from(copied).map_or(&[][..], |copied| &bytes[copied..]);
        Ok((!more.is_empty()).then(|| ChangedKeys::More(Zeroizing::new(more.to_vec()))))
    }

    /// Copies the learners' keys if their file was rewritten, as after an erasure.
    pub(super) fn replace_keys(&mut self, bytes: &[u8], master: &[u8; 32]) -> Result<(), BackupError> {
        let grown = Growing::of(bytes);
        self.replace_listed(&grown.listed(KEYS), bytes, master)?;
        (self.keys, self.keys_head) = (grown, head_of(bytes));
        Ok(())
    }

    /// Replaces a file of the copy. Until that is done the manifest lists both versions.
    pub(super) fn replace_listed(
        &mut self,
        coming: &BackedUpFile,
        bytes: &[u8],
        master: &[u8; 32],
    ) -> Result<(), BackupError> {
        let disk = Arc::clone(&self.environment.disk);
        self.check_there()?;
        if let Some(mut both) = self.published.clone() {
            both.files.push(coming.clone());
            both.write(&*disk, &self.out, master)?;
        }
        small::replace(&*disk, &self.out.join(&coming.path), bytes)?;
        if let Some(published) = &mut self.published {
            published.files.retain(|file| file.path != coming.path);
            published.files.push(coming.clone());
            published.write(&*disk, &self.out, master)?;
        }
        Ok(())
    }

    /// Copies the segments up to the end of a round, and reads the copy back.
    pub(super) fn copy_journal(&mut self, log_dir: &Path, sequence: u64, head: Head) -> Result<(), BackupError> {
        let source = self.journal(log_dir);
        let mut end = None;
        let read = source.rounds(sequence, |round| {
            end = Some((round.position.segment, round.position.offset + round.frame_len()));
            ControlFlow::Break(())
        });
        read.map_err(BackupError::of_node)?;
        let (last, end) = end.ok_or(BackupError::Nothing)?;
        let out = self.out.join("log");
        let disk = Arc::clone(&self.environment.disk);
        self.check_there()?;
        disk.make_dir(&out.join("journal")).map_err(at(&out))?;
        let mut segments = self.segments.clone();
        let before = segments.last().map_or(0, |(first, _)| *first);
        let all = source.segments().map_err(BackupError::of_node)?;
        for (first, path, len) in all.into_iter().filter(|(first, ..)| (before..=last).contains(first)) {
            let to = out.join("journal").join(file_name(&path));
            if segments.last().is_none_or(|(known, _)| *known < first) {
                segments.push((first, Growing::default()));
            }
            if let Some((_, segment)) = segments.last_mut() {
                segment.grow(&*disk, &path, &to, if first == last { end } else { len })?;
            }
        }
        disk.sync_dir(&out.join("journal")).map_err(at(&out))?;
        // Verifies each written frame: its checksum, its link to the one before, the root of its entries.
        let mut tree = self.tree.clone();
        if let Err(error) = tree.read(&self.journal(&out), Some(Point::Sequence(sequence)), |_| {}) {
            // If the node's file cannot be read either, the node is damaged; otherwise the copy is.
            let same = self.tree.clone().read(&source, Some(Point::Sequence(sequence)), |_| {});
            same.map_err(BackupError::of_node)?;
            return Err(self.of_copy(error));
        }
        if (tree.sequence, tree.head) != (sequence, head) {
            let what = format!("the copy ends with round {}, the guard says {sequence}", tree.sequence);
            return Err(BackupError::Damaged { path: out.display().to_string(), what });
        }
        (self.tree, self.segments) = (tree, segments);
        Ok(())
    }
}

/// How the learners' keys have changed.
pub(super) enum ChangedKeys {
    /// The file was rewritten: all of it.
    Anew(Zeroizing<Vec<u8>>),
    /// The file has grown: the part after the copied one.
    More(Zeroizing<Vec<u8>>),
}

/// The beginning of a file of learners' keys. It is random each time that the file is rewritten.
pub(super) fn head_of(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().take(HEAD_LEN).collect()
}
