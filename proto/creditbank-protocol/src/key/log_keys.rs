//! Which log key signs which seals: the first one, and those that have followed it.
//!
//! The registry key names each log key and the first log index whose seal it signs, and the log key in force hands over
//! to it. So neither of the two can name a log key without the other.

use super::log_succession::{LogSuccessionError, OriginHistory};
use super::{SignatureError, verify, verifying_key};
use crate::LogIndex;
use crate::hash::{Preimage, tag};
use crate::pb::{self, Purpose};
use crate::record::SUITE;

/// The log keys, each from the first log index whose seal it signs, and the log's names. Cloning costs some bytes a
/// key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKeyHistory {
    origins: OriginHistory,
    begun: [u8; 32],
    followed: Vec<(LogIndex, [u8; 32])>,
}

/// Why a log key does not follow the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogKeyError {
    /// It is no log key of suite 1 of the operator.
    #[error("the record is not a log key of suite 1")]
    NoLogKey,
    /// It would sign seals that are in the log already, or the one of its own block.
    #[error("the log key begins at {from}, expected an index behind its block at {block}")]
    Begun {
        /// The block that admits it.
        block: LogIndex,
        /// Where it begins.
        from: LogIndex,
    },
    /// It was a log key before.
    #[error("the key was a log key before")]
    Known,
    /// Nothing could be signed by it.
    #[error("the log key: {0}")]
    NoPoint(SignatureError),
    /// The log key in force has not signed it.
    #[error("the handover by the log key in force: {0}")]
    Handover(SignatureError),
}

/// What the log key in force signs when another one is to follow it: the one that follows, and from which log index on.
/// The origin is the one in force.
pub fn log_handover_message(origin: &str, public_key: &[u8; 32], from_index: u64) -> Preimage {
    Preimage::new(tag::LOG_HANDOVER).variable(origin.as_bytes()).u16(SUITE).fixed(public_key).u64(from_index)
}

impl LogKeyHistory {
    /// The history of a log that was begun with a name and a key.
    pub fn new(origin: &str, begun: [u8; 32]) -> Self {
        Self { origins: OriginHistory::new(origin), begun, followed: Vec::new() }
    }

    /// The log's names.
    pub fn origins(&self) -> &OriginHistory {
        &self.origins
    }

    /// The key that signs the seal at a log index.
    pub fn at(&self, index: LogIndex) -> [u8; 32] {
        self.followed.iter().rev().find(|(from, _)| *from <= index).map_or(self.begun, |(_, key)| *key)
    }

    /// Takes in a log key that the block at a log index admits. The log key in force there has signed that it follows:
    /// whoever has stolen the registry key alone names none. Keys that were admitted before and do not sign yet at
    /// that block never will: so a key that was lost before its time is replaced by another one.
    pub fn follow(&mut self, block: LogIndex, entry: &pb::Key) -> Result<(), LogKeyError> {
        let of_operator = entry.purpose == i32::from(Purpose::Log) && (entry.institution, entry.unit) == (0, 0);
        let key = entry.public_key.as_slice().try_into().map_err(|_| LogKeyError::NoLogKey)?;
        if !of_operator || entry.suite != u32::from(SUITE) {
            return Err(LogKeyError::NoLogKey);
        }
        let from = LogIndex(entry.from_index);
        if from <= block {
            return Err(LogKeyError::Begun { block, from });
        }
        if self.contains(&key) {
            return Err(LogKeyError::Known);
        }
        verifying_key(&key).map_err(LogKeyError::NoPoint)?;
        let message = log_handover_message(self.origins.newest(), &key, entry.from_index);
        verify(&self.at(block), message.as_bytes(), &entry.handover).map_err(LogKeyError::Handover)?;
        self.followed.retain(|(from, _)| *from <= block);
        self.followed.push((from, key));
        Ok(())
    }

    /// Takes in that the log goes on under another origin with the block at a log index. Keys that sign no seal before
    /// it never will. Whether the tree had the root that is named, and who has signed the block, is not asked here.
    pub fn succeed(&mut self, block: LogIndex, said: &pb::LogSuccession) -> Result<(), LogSuccessionError> {
        if <[u8; 32]>::try_from(said.log_key.as_slice()).is_ok_and(|key| self.contains(&key)) {
            return Err(LogSuccessionError::KnownKey);
        }
        let before = self.at(LogIndex(block.0.saturating_sub(1)));
        let key = self.origins.follow(block, said, &before)?;
        self.followed.retain(|(from, _)| *from < block);
        self.followed.push((block, key));
        Ok(())
    }

    /// The keys that sign checkpoints of an origin of the log: a key of one origin signs none of another, as it may be
    /// the stolen one.
    pub fn signers_of<'a>(&'a self, origin: &str) -> impl Iterator<Item = (LogIndex, [u8; 32])> + use<'a> {
        let begins = self.origins.all().find(|(_, name)| *name == origin).map(|(begins, _)| begins);
        let former = self.origins.former().iter().find(|former| former.origin == origin);
        let ends = former.map_or(LogIndex(u64::MAX), |former| former.size);
        self.all().filter(move |(from, _)| begins.is_some_and(|begins| begins <= *from) && *from < ends)
    }

    /// Whether a key is or was a log key, or will be.
    pub fn contains(&self, key: &[u8; 32]) -> bool {
        self.all().any(|(_, known)| known == *key)
    }

    /// The keys, each with the first log index whose seal it signs.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = (LogIndex, [u8; 32])> + '_ {
        std::iter::once((LogIndex(0), self.begun)).chain(self.followed.iter().copied())
    }

    /// The keys that have followed the first one.
    pub fn followers(&self) -> impl Iterator<Item = [u8; 32]> + '_ {
        self.followed.iter().map(|(_, key)| *key)
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::*;
    use crate::key::sign;

    const ORIGIN: &str = "test.example/log";

    fn signing(key: u8) -> SigningKey {
        SigningKey::from_bytes(&[key; 32])
    }

    fn public(key: u8) -> [u8; 32] {
        signing(key).verifying_key().to_bytes()
    }

    fn entry(key: u8, from_index: u64, by: u8) -> pb::Key {
        let handover = sign(&signing(by), log_handover_message(ORIGIN, &public(key), from_index).as_bytes());
        let (purpose, handover) = (Purpose::Log.into(), handover.to_vec());
        pb::Key { public_key: public(key).to_vec(), suite: 1, purpose, from_index, handover, ..Default::default() }
    }

    /// Goal: each seal has one key, which begins behind the block that admits it; one that never began is replaced.
    #[test]
    fn each_index_has_one_log_key() {
        let mut history = LogKeyHistory::new(ORIGIN, public(1));
        let at = |history: &LogKeyHistory, index| (1..5).find(|key| history.at(LogIndex(index)) == public(*key));
        history.follow(LogIndex(10), &entry(2, 20, 1)).expect("it follows");
        assert_eq!([0, 19, 20, 99].map(|index| at(&history, index)), [1, 1, 2, 2].map(Some));
        let begun = LogKeyError::Begun { block: LogIndex(30), from: LogIndex(30) };
        assert_eq!(history.follow(LogIndex(30), &entry(3, 30, 2)), Err(begun), "it would seal its own block's index");
        assert_eq!(history.follow(LogIndex(30), &entry(1, 40, 2)), Err(LogKeyError::Known), "back to the first");
        let other = pb::Key { purpose: Purpose::Statement.into(), ..entry(3, 40, 2) };
        assert_eq!(history.follow(LogIndex(30), &other), Err(LogKeyError::NoLogKey));
        history.follow(LogIndex(30), &entry(3, 40, 2)).expect("it follows");
        history.follow(LogIndex(35), &entry(4, 37, 2)).expect("in the place of one that has not begun");
        assert_eq!([36, 37, 40, 99].map(|index| at(&history, index)), [2, 4, 4, 4].map(Some));
        assert!(!history.contains(&public(3)), "it never begins");
    }

    /// Goal: a log key follows only where the one in force has signed it, with its beginning and for this log.
    #[test]
    fn the_log_key_in_force_hands_over() {
        let mut history = LogKeyHistory::new(ORIGIN, public(1));
        let mut refused = |entry: &pb::Key| {
            let error = history.follow(LogIndex(10), entry).expect_err("nobody has handed over");
            assert!(matches!(error, LogKeyError::Handover(_)), "{error}");
        };
        refused(&pb::Key { handover: Vec::new(), ..entry(2, 20, 1) });
        refused(&entry(2, 20, 2));
        refused(&pb::Key { from_index: 15, ..entry(2, 20, 1) });
        let elsewhere = sign(&signing(1), log_handover_message("test.example/other", &public(2), 20).as_bytes());
        refused(&pb::Key { handover: elsewhere.to_vec(), ..entry(2, 20, 1) });
        history.follow(LogIndex(10), &entry(2, 20, 1)).expect("it follows");
        let retired = history.follow(LogIndex(20), &entry(3, 30, 1));
        assert!(matches!(retired, Err(LogKeyError::Handover(_))), "by a retired key");
        let pending = history.follow(LogIndex(12), &entry(3, 30, 2));
        assert!(matches!(pending, Err(LogKeyError::Handover(_))), "by one that has not begun");
        let no_point = pb::Key { public_key: vec![0; 32], ..entry(3, 30, 2) };
        assert!(matches!(history.follow(LogIndex(20), &no_point), Err(LogKeyError::NoPoint(_))));
    }
}
