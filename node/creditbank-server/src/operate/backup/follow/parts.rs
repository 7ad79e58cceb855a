//! Copying what grows: the journal and the learners' keys.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use creditbank_store::{Head, KeyStore};
use zeroize::Zeroizing;

use super::super::tree::Point;
use super::super::{BackupError, at};
use super::growing::Growing;
use super::{Follower, KEYS, file_name};

/// Bytes at the beginning of the learners' keys that are random with each time that the file is written anew.
const HEAD_LEN: usize = 64;

impl Follower {
    /// The copy is a part of what the node has.
    pub(super) fn check_past(&mut self, log_dir: &Path, sequence: u64, head: Head) -> Result<(), BackupError> {
        let copied = self.tree.sequence;
        let other = |found: String| BackupError::NotItsPast { copied, found };
        if sequence < copied {
            return Err(other(format!("ends with round {sequence}")));
        }
        if copied == 0 || self.is_its_past {
            return Ok(());
        }
        let mut found = (sequence == copied).then_some(head);
        if found.is_none() {
            self.journal(log_dir).rounds(copied, |round| {
                found = round.decode().ok().map(|decoded| decoded.round.next);
                ControlFlow::Break(())
            })?;
        }
        match found {
            Some(found) if found == self.tree.head => self.is_its_past = true,
            Some(found) => return Err(other(format!("has another root at size {}", found.size))),
            None => return Err(other("has none of that number".to_owned())),
        }
        Ok(())
    }

    /// Copies the learners' keys on. Where their file was written anew, as after an erasure, its bytes are returned, to be
    /// put in place.
    pub(super) fn copy_keys(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, BackupError> {
        let from = self.dir.join(KEYS);
        let disk = Arc::clone(&self.environment.disk);
        let file = disk.open_existing(&from).map_err(at(&from))?;
        let len = file.length().map_err(at(&from))?;
        let mut head = vec![0; HEAD_LEN];
        if len == self.keys.len() && len >= HEAD_LEN as u64 {
            file.read_at(&mut head, 0).map_err(at(&from))?;
            if head == self.keys_head {
                return Ok(None);
            }
        }
        let mut bytes = Zeroizing::new(disk.read(&from).map_err(at(&from))?);
        // A record that is being written is copied with the next step.
        let whole = KeyStore::whole_len(&bytes);
        bytes.truncate(whole);
        let (copied, is_same_file) = (self.keys.len(), head_of(&bytes) == self.keys_head);
        if !is_same_file || (whole as u64) < copied {
            return Ok(Some(bytes));
        }
        let mut keys = self.keys.clone();
        keys.grow(&*disk, &from, &self.out.join(KEYS), whole as u64)?;
        self.keys = keys;
        Ok(None)
    }

    /// Copies the segments up to the end of a round, and reads the copy back.
    pub(super) fn copy_journal(&mut self, log_dir: &Path, sequence: u64, head: Head) -> Result<(), BackupError> {
        let source = self.journal(log_dir);
        let mut end = None;
        source.rounds(sequence, |round| {
            end = Some((round.position.segment, round.position.offset + round.frame_len()));
            ControlFlow::Break(())
        })?;
        let (last, end) = end.ok_or(BackupError::Nothing)?;
        let out = self.out.join("log");
        let disk = Arc::clone(&self.environment.disk);
        disk.make_dir(&out.join("journal")).map_err(at(&out))?;
        let mut segments = self.segments.clone();
        let before = segments.last().map_or(0, |(first, _)| *first);
        for (first, path, len) in source.segments()?.into_iter().filter(|(first, ..)| (before..=last).contains(first)) {
            let to = out.join("journal").join(file_name(&path));
            if segments.last().is_none_or(|(known, _)| *known < first) {
                segments.push((first, Growing::default()));
            }
            if let Some((_, segment)) = segments.last_mut() {
                segment.grow(&*disk, &path, &to, if first == last { end } else { len })?;
            }
        }
        disk.sync_dir(&out.join("journal")).map_err(at(&out))?;
        // Each frame that was written: its checksum, its link to the one before, its entries' root.
        let mut tree = self.tree.clone();
        tree.read(&self.journal(&out), Some(Point::Sequence(sequence)), |_| {})?;
        if (tree.sequence, tree.head) != (sequence, head) {
            let what = format!("the copy ends with round {}, the guard says {sequence}", tree.sequence);
            return Err(BackupError::Damaged { path: out.display().to_string(), what });
        }
        (self.tree, self.segments) = (tree, segments);
        Ok(())
    }
}

/// What a file of learners' keys begins with: random with each time that it is written anew.
pub(super) fn head_of(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().take(HEAD_LEN).collect()
}
