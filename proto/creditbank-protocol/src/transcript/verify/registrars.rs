//! Which registry key signed the operator's blocks: the one of the log's beginning, and those that have followed it.
//! Each one opens the commitment of the one before, so neither the log key nor a thief of the registry key can name
//! one.

use super::log_keys::LogKeys;
use super::tree::piece;
use super::{BTreeMap, Fault, Link, LogIndex, ProvedBlock, TranscriptError, Tree, Trust, broken, pb};
use crate::UnitId;
use crate::block::Piece;
use crate::canonical::encode;
use crate::key::{KeyId, RegistryAuthority};
use crate::pb::Kind;

/// The registry keys, each with the log index of the block with which it has taken over.
pub(super) struct Registrars {
    begun: RegistryAuthority,
    followed: Vec<(LogIndex, RegistryAuthority)>,
}

impl Registrars {
    /// Follows the successions that are given, from the log's beginning on.
    pub(super) fn follow(
        tree: &Tree,
        log_keys: &LogKeys,
        blocks: &BTreeMap<LogIndex, ProvedBlock>,
        successions: &[pb::ProvedSuccession],
        trust: &Trust,
    ) -> Result<Self, TranscriptError> {
        let begun = trust.beginning(log_keys.first_origin()).registry();
        let mut this = Self { begun, followed: Vec::new() };
        for proved in successions {
            let index = LogIndex(proved.block);
            let next = this.next(log_keys.origin(index), blocks, proved);
            this.followed.push((index, next.map_err(broken(Link::Publication, tree.at(index)))?));
        }
        Ok(this)
    }

    fn next(
        &self,
        origin: &str,
        blocks: &BTreeMap<LogIndex, ProvedBlock>,
        proved: &pb::ProvedSuccession,
    ) -> Result<RegistryAuthority, Fault> {
        let missing = |what: &str| Fault::Missing(what.to_owned());
        let index = LogIndex(proved.block);
        if self.followed.last().is_some_and(|(last, _)| index <= *last) {
            return Err(Fault::Surplus("successions of the registry key are not in order"));
        }
        let block = blocks.get(&index).ok_or_else(|| missing("the block of a succession"))?;
        let said = proved.succession.clone().ok_or_else(|| missing("the succession"))?;
        let record =
            pb::PublicRecord { index: 0, kind: Kind::RegistrySuccession.into(), version: 1, body: encode(&said)? };
        piece(&block.head, 0, &Piece::Record(&record), &proved.path)?;
        let before = self.at(index);
        let after = before.succeed(origin, &said).map_err(|error| Fault::Missing(format!("a successor: {error}")))?;
        let header = block.head.header();
        let signer = [before.key, after.key].into_iter().find(|key| KeyId::of(key) == header.key_id);
        match signer.filter(|_| header.unit == UnitId::OPERATOR) {
            Some(key) => block.head.verify(&key)?,
            None => return Err(Fault::KeyScope("the succession is by neither of the two registry keys")),
        }
        Ok(after)
    }

    /// Who signs at a log index.
    fn at(&self, index: LogIndex) -> RegistryAuthority {
        let followed = self.followed.iter().rev().find(|(from, _)| *from < index);
        followed.map_or(self.begun, |(_, authority)| *authority)
    }

    /// Checks that a block of the operator is signed by the registry key in force, or, where another one takes over
    /// with it, by that one.
    pub(super) fn check(&self, block: &ProvedBlock) -> Result<(), Fault> {
        let header = block.head.header();
        let own = self.followed.iter().find(|(from, _)| *from == block.index).map(|(_, authority)| authority.key);
        let keys = [Some(self.at(block.index).key), own];
        let key = keys.into_iter().flatten().find(|key| KeyId::of(key) == header.key_id);
        match key.filter(|_| header.unit == UnitId::OPERATOR) {
            Some(key) => Ok(block.head.verify(&key)?),
            None => Err(Fault::KeyScope("it is not the registry key in force, as far as the successions are given")),
        }
    }

    /// The blocks with successions.
    pub(super) fn blocks(&self) -> impl Iterator<Item = LogIndex> + '_ {
        self.followed.iter().map(|(index, _)| *index)
    }
}
