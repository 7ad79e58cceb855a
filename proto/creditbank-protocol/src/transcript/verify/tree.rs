//! The checkpoint and what is proved into its tree: seals and blocks.

use super::{
    BTreeMap, BTreeSet, Digest, Entry, Fault, Link, LogIndex, Place, ProvedBlock, Seal, SignedHead, TranscriptError,
    Trust, UnitId, broken, day_of_ms, differs, digests, merkle, pb, verify_inclusion,
};
use crate::block::{Piece, check_effects};
use crate::dates::Day;

/// A verified checkpoint and the seals that are in its tree.
pub(super) struct Tree {
    pub(super) origin: String,
    pub(super) size: u64,
    pub(super) root: Digest,
    pub(super) witnesses: Vec<String>,
    seals: BTreeMap<LogIndex, Seal>,
    /// Identity of the last seal that was read.
    last_id: Digest,
}

impl Tree {
    /// Checks the note against the trust file, then every seal against tree, log key and genesis value.
    pub(super) fn open(transcript: &pb::Transcript, trust: &Trust) -> Result<Self, TranscriptError> {
        let accepted = trust.policy.verify(&transcript.checkpoint).map_err(broken(Link::Checkpoint, "note"))?;
        let checkpoint = accepted.checkpoint;
        if checkpoint.origin != transcript.origin {
            let fault = Fault::Origin { expected: transcript.origin.clone(), found: checkpoint.origin };
            return Err(broken(Link::Checkpoint, "note")(fault));
        }
        let mut tree = Self {
            origin: checkpoint.origin,
            size: checkpoint.size,
            root: checkpoint.root,
            witnesses: accepted.witnesses,
            seals: BTreeMap::new(),
            last_id: Digest::ZERO,
        };
        let log_key = accepted.log_key;
        let mut last = None;
        for proved in &transcript.seals {
            let index = LogIndex(proved.index);
            if last.is_some_and(|last| index <= last) {
                return Err(broken(Link::Seal, index)(Fault::Surplus("seals are not in order")));
            }
            last = Some(index);
            let (seal, id) = tree.seal_of(proved, &log_key).map_err(broken(Link::Seal, proved.index))?;
            tree.follows(&seal).map_err(broken(Link::Seal, proved.index))?;
            tree.seals.insert(index, seal);
            tree.last_id = id;
        }
        let ends = tree.check_ends(&trust.beginning(&tree.origin).genesis());
        ends.map_err(broken(Link::Seal, "ends"))?;
        Ok(tree)
    }

    fn seal_of(&self, proved: &pb::ProvedEntry, log_key: &[u8; 32]) -> Result<(Seal, Digest), Fault> {
        self.include(proved)?;
        let Entry::Seal(signed) = Entry::parse(&proved.entry)? else {
            return Err(Fault::EntryType("seal"));
        };
        signed.verify(log_key)?;
        let seal = signed.seal();
        if seal.index.0 != proved.index {
            return Err(differs("the seal's index", proved.index, seal.index));
        }
        if seal.origin != self.origin {
            return Err(Fault::Origin { expected: self.origin.clone(), found: seal.origin.clone() });
        }
        Ok((seal.clone(), signed.id()))
    }

    /// Rounds do not overlap, times do not go back, and neighbours are chained.
    fn follows(&self, seal: &Seal) -> Result<(), Fault> {
        let Some((index, last)) = self.seals.last_key_value() else {
            return Ok(());
        };
        if seal.first_index <= *index {
            return Err(differs("the first index of the round, at least", index.next(), seal.first_index));
        }
        if seal.time_ms < last.time_ms {
            return Err(differs("the seal's time, at least", last.time_ms, seal.time_ms));
        }
        if seal.records_total < last.records_total {
            return Err(differs("the number of records, at least", last.records_total, seal.records_total));
        }
        if seal.first_index == index.next() && seal.previous != self.last_id {
            return Err(differs("the previous seal", self.last_id, seal.previous));
        }
        Ok(())
    }

    /// The first seal of the log binds it to its keys, the last one holds the roots that belong to the checkpoint.
    fn check_ends(&self, genesis: &Digest) -> Result<(), Fault> {
        let missing = |what: &str| Fault::Missing(what.to_owned());
        let first = self.seals.values().next().ok_or_else(|| missing("the first seal of the log"))?;
        if first.first_index != LogIndex(0) {
            return Err(missing("the first seal of the log"));
        }
        if first.previous != *genesis {
            return Err(differs(
                "the genesis value (origin, log key, registry key and the next one)",
                genesis,
                first.previous,
            ));
        }
        if self.seals.keys().next_back().map(|last| last.0) == self.size.checked_sub(1) {
            Ok(())
        } else {
            Err(missing("the seal that is the checkpoint's last leaf"))
        }
    }

    /// Checks an entry's inclusion and returns its leaf hash.
    fn include(&self, proved: &pb::ProvedEntry) -> Result<Digest, Fault> {
        let leaf = merkle::leaf_hash(&proved.entry);
        verify_inclusion(&leaf, proved.index, self.size, &digests(&proved.inclusion)?, &self.root)?;
        Ok(leaf)
    }

    /// The heads of the blocks by log index, each with the groups of effects that are given. Of those with records or
    /// effects
    /// the seal of the round must be given: it says which registry was in force.
    pub(super) fn blocks(
        &self,
        transcript: &pb::Transcript,
    ) -> Result<BTreeMap<LogIndex, ProvedBlock>, TranscriptError> {
        let mut out: BTreeMap<LogIndex, ProvedBlock> = BTreeMap::new();
        let mut heights: BTreeMap<UnitId, u64> = BTreeMap::new();
        for proved in &transcript.blocks {
            let index = LogIndex(proved.index);
            if out.keys().next_back().is_some_and(|last| index <= *last) {
                return Err(broken(Link::Block, index)(Fault::Surplus("blocks are not in order")));
            }
            let block = self.block_of(proved).map_err(broken(Link::Block, index))?;
            let header = block.head.header();
            let last = heights.insert(header.unit, header.height);
            if last.is_some_and(|last| header.height <= last) {
                let fault = Fault::Surplus("the heights of a unit's blocks do not ascend");
                return Err(broken(Link::Block, index)(fault));
            }
            out.insert(index, block);
        }
        groups(&transcript.groups, &mut out)?;
        let with_records = transcript.records.iter().map(|record| Place::read(record.place).entry);
        let with_effects = transcript.groups.iter().map(|group| LogIndex(group.block));
        for index in with_records.chain(with_effects) {
            if let Some(block) = out.get(&index) {
                self.seal_of_round(block).map_err(broken(Link::Block, index))?;
            }
        }
        Ok(out)
    }

    fn block_of(&self, proved: &pb::ProvedEntry) -> Result<ProvedBlock, Fault> {
        let leaf = self.include(proved)?;
        let Entry::Head(head) = Entry::parse(&proved.entry)? else {
            return Err(Fault::EntryType("block"));
        };
        if head.header().origin != self.origin {
            return Err(Fault::Origin { expected: self.origin.clone(), found: head.header().origin.clone() });
        }
        let from = LogIndex(proved.index);
        let covering = self.seals.range(from..).next().filter(|(_, seal)| seal.first_index <= from);
        Ok(ProvedBlock { head, leaf, seal_index: covering.map(|(index, _)| *index), groups: Vec::new() })
    }

    /// The seal that closes a block's round.
    pub(super) fn seal_of_round(&self, block: &ProvedBlock) -> Result<&Seal, Fault> {
        let seal = block.seal_index.and_then(|index| self.seal(index));
        seal.ok_or_else(|| Fault::Missing("the seal of the block's round".to_owned()))
    }

    /// Log index of the checkpoint's own seal.
    pub(super) fn last(&self) -> LogIndex {
        self.last_seal().index
    }

    /// The day of the checkpoint's own seal, of which the report speaks.
    pub(super) fn day(&self) -> Day {
        day_of_ms(self.last_seal().time_ms)
    }

    pub(super) fn seal(&self, index: LogIndex) -> Option<&Seal> {
        self.seals.get(&index)
    }

    /// The checkpoint's own seal.
    pub(super) fn last_seal(&self) -> &Seal {
        self.seals.values().next_back().expect("check_ends has found the first and the last seal")
    }

    /// Refuses seals under which nothing was looked up, but for the first and the last.
    pub(super) fn all_used(&self, needed: &BTreeSet<LogIndex>) -> Result<(), Fault> {
        let needed = |index: &LogIndex, seal: &Seal| {
            seal.first_index == LogIndex(0) || *index == self.last() || needed.contains(index)
        };
        if self.seals.iter().all(|(index, seal)| needed(index, seal)) {
            Ok(())
        } else {
            Err(Fault::Surplus("a seal closes no round of a given block"))
        }
    }
}

/// Proves each group of effects into its block. A status id stands in a block once at most.
fn groups(groups: &[pb::ProvedGroup], blocks: &mut BTreeMap<LogIndex, ProvedBlock>) -> Result<(), TranscriptError> {
    let mut last = None;
    for proved in groups {
        let at = (LogIndex(proved.block), proved.piece);
        let wrong = |fault| broken(Link::Block, at.0)(fault);
        if last.is_some_and(|last| at <= last) {
            return Err(wrong(Fault::Surplus("groups of effects are not in order")));
        }
        last = Some(at);
        let block = blocks.get_mut(&at.0);
        let block = block.ok_or_else(|| wrong(Fault::Missing("the block of a group of effects".to_owned())))?;
        let group = proved.group.clone().unwrap_or_default();
        piece(&block.head, proved.piece, &Piece::Group(&group), &proved.path).map_err(wrong)?;
        block.groups.push(group);
    }
    blocks.iter().try_for_each(|(index, block)| check_effects(&block.groups).map_err(broken(Link::Block, index)))
}

/// Whether a piece is in the public part that a head names.
pub(super) fn piece(head: &SignedHead, number: u32, piece: &Piece<'_>, path: &[Vec<u8>]) -> Result<(), Fault> {
    let pieces = head.header().pieces;
    let count = u64::from(pieces.count);
    Ok(verify_inclusion(&piece.leaf(), u64::from(number), count, &digests(path)?, &pieces.root)?)
}
