//! Which log key signed which seal: the one of the log's beginning, and those that have followed it.
//!
//! A part says which keys have followed, and the steps in between take it at its word. In the end each of them must be
//! a record of a block that the registry key in force has signed: the log key cannot name another one.

use super::registrars::Registrars;
use super::tree::piece;
use super::{BTreeMap, Fault, Link, LogIndex, ProvedBlock, TranscriptError, Tree, Trust, Which, broken, pb};
use crate::block::Piece;
use crate::canonical::decode;
use crate::key::LogKeyHistory;
use crate::note::Accepted;

/// The log keys of a part, as it says.
pub(super) struct LogKeys {
    history: LogKeyHistory,
    proved: Vec<pb::ProvedLogKey>,
}

impl LogKeys {
    /// What a part says of log keys, from the log's beginning on.
    pub(super) fn said(part: Which, proofs: &pb::TreeProofs, trust: &Trust) -> Result<Self, TranscriptError> {
        let mut history = LogKeyHistory::new(trust.log_key);
        let mut last = None;
        for proved in &proofs.log_keys {
            let block = LogIndex(proved.block);
            let wrong = |fault| broken(Link::Publication, format!("{block} in the {part}"))(fault);
            if last.is_some_and(|last| block <= last) {
                return Err(wrong(Fault::Surplus("log keys are not in order")));
            }
            last = Some(block);
            let entry = record_of(proved).map_err(wrong)?;
            history.follow(block, &entry).map_err(|error| wrong(error.into()))?;
        }
        Ok(Self { history, proved: proofs.log_keys.clone() })
    }

    /// Checks a note, which a log key may have signed that follows one of the policy.
    pub(super) fn accept(&self, note: &[u8], trust: &Trust) -> Result<Accepted, TranscriptError> {
        let followers: Vec<[u8; 32]> = self.history.followers().collect();
        trust.policy.verify_by(note, &followers).map_err(broken(Link::Checkpoint, "note"))
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
                let record = proved.record.as_ref().ok_or_else(missing)?;
                piece(&block.head, record.index, &Piece::Record(record), &proved.path)
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

fn record_of(proved: &pb::ProvedLogKey) -> Result<pb::Key, Fault> {
    let record = proved.record.as_ref().filter(|record| record.kind == i32::from(pb::Kind::Key) && record.version == 1);
    Ok(decode(&record.ok_or_else(|| Fault::Missing("the record of a log key".to_owned()))?.body)?)
}

/// Follows the log keys that a node's status part proves, as far as they sign its seals: the checkpoint, and who signs
/// which seal. Nothing else of the part is looked at.
pub fn follow_log_keys(status: &pb::StatusPart, trust: &Trust) -> Result<(Accepted, LogKeyHistory), TranscriptError> {
    let none = pb::TreeProofs::default();
    let proofs = status.proofs.as_ref().unwrap_or(&none);
    let log_keys = LogKeys::said(Which::Status, proofs, trust)?;
    let accepted = log_keys.accept(&status.checkpoint, trust)?;
    let tree = Tree::open(Which::Status, accepted.checkpoint.clone(), &proofs.seals, &log_keys)?;
    let last = accepted.checkpoint.size.checked_sub(1).and_then(|last| tree.seal(LogIndex(last)));
    last.ok_or_else(|| broken(Link::Seal, "ends")(Fault::Missing("the last seal".to_owned())))?;
    let blocks = tree.blocks(proofs, std::iter::empty())?;
    let registrars = Registrars::follow(&tree, &blocks, &proofs.successions, trust)?;
    log_keys.check(&tree, &blocks, &registrars)?;
    Ok((accepted, log_keys.history))
}
