//! Which log key signed which seal, under which origin: the ones of the log's beginning, and those that have followed.
//!
//! A part says which keys have followed, and that the log key in force has handed over to each. The steps in between
//! take it at its word. In the end each of them must be a record of a block that the registry key in force has signed:
//! neither of the two can name another one alone.

use super::registrars::Registrars;
use super::tree::piece;
use super::{BTreeMap, Fault, Link, LogIndex, ProvedBlock, TranscriptError, Tree, Trust, Which, broken, digests, pb};
use crate::block::Piece;
use crate::canonical::decode;
use crate::key::{FormerOrigin, LogKeyHistory, succession_root};
use crate::merkle::verify_consistency;
use crate::note::{Accepted, Checkpoint, Note};
use crate::pb::Kind;

/// The log keys of a part, as it says.
pub(super) struct LogKeys {
    history: LogKeyHistory,
    proved: Vec<pb::ProvedLogKey>,
}

impl LogKeys {
    /// What a part says of log keys and origins, from the log's beginning on, with this origin.
    pub(super) fn said(
        part: Which,
        proofs: &pb::TreeProofs,
        trust: &Trust,
        begun: &str,
    ) -> Result<Self, TranscriptError> {
        let mut history = LogKeyHistory::new(begun, trust.log_key);
        let mut last = None;
        for proved in &proofs.log_keys {
            let block = LogIndex(proved.block);
            let wrong = |fault| broken(Link::Publication, format!("{block} in the {part}"))(fault);
            if last.is_some_and(|last| block <= last) {
                return Err(wrong(Fault::Surplus("log keys are not in order")));
            }
            last = Some(block);
            match Follower::of(proved).map_err(wrong)? {
                Follower::LogKey(entry) => history.follow(block, &entry).map_err(|error| wrong(error.into()))?,
                Follower::Origin(said) => history.succeed(block, &said).map_err(|error| wrong(error.into()))?,
            }
        }
        Ok(Self { history, proved: proofs.log_keys.clone() })
    }

    /// Checks a note, which a log key may have signed that follows one of the policy, also under another origin. It
    /// bears the origin that the log had at its size.
    pub(super) fn accept(&self, note: &[u8], trust: &Trust) -> Result<Accepted, TranscriptError> {
        let accepted = || {
            let accepted = trust.policy.verify_by(note, &trust.followers(&self.history)?)?;
            trust.check_former(&accepted.checkpoint)?;
            trust.check_origins(&self.history)?;
            self.has_origin(&accepted.checkpoint)?;
            Ok::<_, Fault>(accepted)
        };
        accepted().map_err(broken(Link::Checkpoint, "note"))
    }

    /// Refuses a checkpoint that does not bear the origin that the log had at its size.
    pub(super) fn has_origin(&self, checkpoint: &Checkpoint) -> Result<(), Fault> {
        is_origin(self.history.origins().of_size(checkpoint.size), &checkpoint.origin)
    }

    /// Refuses an entry that does not bear the origin in force at its log index.
    pub(super) fn is_origin(&self, index: LogIndex, found: &str) -> Result<(), Fault> {
        is_origin(self.origin(index), found)
    }

    /// The origin in force at a log index.
    pub(super) fn origin(&self, index: LogIndex) -> &str {
        self.history.origins().at(index)
    }

    /// The names that the log had before.
    pub(super) fn former_origins(&self) -> &[FormerOrigin] {
        self.history.origins().former()
    }

    /// The origin that the log was begun with.
    pub(super) fn first_origin(&self) -> &str {
        self.history.origins().first()
    }

    /// The key that signs the seal at a log index.
    pub(super) fn at(&self, index: LogIndex) -> [u8; 32] {
        self.history.at(index)
    }

    /// Checks that the registry key in force has named each log key.
    pub(super) fn check(
        &self,
        tree: &Tree,
        blocks: &BTreeMap<LogIndex, ProvedBlock>,
        registrars: &Registrars,
    ) -> Result<(), TranscriptError> {
        for proved in &self.proved {
            let index = LogIndex(proved.block);
            let held = || {
                let missing = || Fault::Missing("the block of a log key".to_owned());
                let block = blocks.get(&index).ok_or_else(missing)?;
                registrars.check(block)?;
                if registrars.blocks().any(|succession| succession == index) {
                    return Err(Fault::KeyScope("its block names the next registry key, and no log key"));
                }
                let record = proved.record.as_ref().ok_or_else(missing)?;
                piece(&block.head, record.index, &Piece::Record(record), &proved.path)?;
                Follower::of(proved)?.check_tree(&tree.head, record.index, &proved.consistency)
            };
            held().map_err(broken(Link::Publication, tree.at(index)))?;
        }
        Ok(())
    }

    /// The blocks that have named log keys.
    pub(super) fn blocks(&self) -> impl Iterator<Item = LogIndex> + '_ {
        self.proved.iter().map(|proved| LogIndex(proved.block))
    }
}

/// What a record of a part says of log keys.
enum Follower {
    /// Another log key.
    LogKey(pb::Key),
    /// Another origin, with a log key of its own.
    Origin(pb::LogSuccession),
}

impl Follower {
    fn of(proved: &pb::ProvedLogKey) -> Result<Self, Fault> {
        let missing = || Fault::Missing("the record of a log key".to_owned());
        let record = proved.record.as_ref().filter(|record| record.version == 1).ok_or_else(missing)?;
        match Kind::try_from(record.kind) {
            Ok(Kind::Key) => Ok(Self::LogKey(decode(&record.body)?)),
            Ok(Kind::LogSuccession) => Ok(Self::Origin(decode(&record.body)?)),
            _ => Err(missing()),
        }
    }

    /// A succession is the first record of its block, and the tree begins with the one that it names.
    fn check_tree(&self, head: &Checkpoint, record: u32, consistency: &[Vec<u8>]) -> Result<(), Fault> {
        match self {
            Self::LogKey(_) if consistency.is_empty() => Ok(()),
            Self::LogKey(_) => Err(Fault::Surplus("a log key of the same origin has a consistency path")),
            Self::Origin(_) if record != 0 => Err(Fault::Surplus("a succession is not the first record of its block")),
            Self::Origin(said) => {
                let root =
                    succession_root(said).ok_or_else(|| Fault::Missing("the root of a succession".to_owned()))?;
                Ok(verify_consistency(said.size, &root, head.size, &head.root, &digests(consistency)?)?)
            }
        }
    }
}

fn is_origin(expected: &str, found: &str) -> Result<(), Fault> {
    if found == expected {
        Ok(())
    } else {
        Err(Fault::Origin { expected: expected.to_owned(), found: found.to_owned() })
    }
}

/// The origin that a log was begun with: that of the trust file, or that before the first succession, or the only one.
/// The genesis value says whether that is so.
pub(super) fn first_origin(status: &pb::TreeProofs, trust: &Trust, only: &str) -> String {
    let said = status.log_keys.iter().find_map(|proved| match Follower::of(proved) {
        Ok(Follower::Origin(said)) => Some(said.origin),
        _ => None,
    });
    trust.first_origin(&said.unwrap_or_else(|| only.to_owned())).to_owned()
}

/// Follows the log keys that a node's status part proves, as far as they sign its seals: the checkpoint, and who signs
/// which seal. Nothing else of the part is looked at.
pub fn follow_log_keys(status: &pb::StatusPart, trust: &Trust) -> Result<(Accepted, LogKeyHistory), TranscriptError> {
    let none = pb::TreeProofs::default();
    let proofs = status.proofs.as_ref().unwrap_or(&none);
    let only = Note::parse(&status.checkpoint).and_then(|note| Checkpoint::parse(note.text()));
    let only = only.map_err(broken(Link::Checkpoint, "note"))?.origin;
    let log_keys = LogKeys::said(Which::Status, proofs, trust, &first_origin(proofs, trust, &only))?;
    let accepted = log_keys.accept(&status.checkpoint, trust)?;
    let tree = Tree::open(Which::Status, accepted.checkpoint.clone(), &proofs.seals, &log_keys)?;
    let last = accepted.checkpoint.size.checked_sub(1).and_then(|last| tree.seal(LogIndex(last)));
    last.ok_or_else(|| broken(Link::Seal, "ends")(Fault::Missing("the last seal".to_owned())))?;
    let blocks = tree.blocks(proofs, &log_keys, std::iter::empty())?;
    let registrars = Registrars::follow(&tree, &log_keys, &blocks, &proofs.successions, trust)?;
    log_keys.check(&tree, &blocks, &registrars)?;
    Ok((accepted, log_keys.history))
}
