//! The tree of a part, and what is proved into it: seals and blocks.

use super::log_keys::LogKeys;
use super::part::ProvedGroup;
use super::{BTreeMap, BTreeSet, Digest, Fault, Link, LogIndex, ProvedBlock, TranscriptError, Which, broken, differs};
use super::{Place, digests, pb};
use crate::UnitId;
use crate::block::{Piece, SignedHead, Slice, check_effects, check_places};
use crate::correction::{Correction, may_go_back};
use crate::dates::{Day, day_of_ms};
use crate::entry::Entry;
use crate::merkle::{self, verify_inclusion};
use crate::note::Checkpoint;
use crate::seal::Seal;

/// A tree and the seals that are in it, each with its identity.
pub(super) struct Tree {
    part: Which,
    pub(super) head: Checkpoint,
    seals: BTreeMap<LogIndex, (Seal, Digest)>,
}

impl Tree {
    /// Checks every seal against tree and log keys.
    pub(super) fn open(
        part: Which,
        head: Checkpoint,
        seals: &[pb::ProvedEntry],
        log_keys: &LogKeys,
    ) -> Result<Self, TranscriptError> {
        let mut tree = Self { part, head, seals: BTreeMap::new() };
        for proved in seals {
            let index = LogIndex(proved.index);
            let wrong = broken(Link::Seal, tree.at(index));
            if tree.seals.keys().next_back().is_some_and(|last| index <= *last) {
                return Err(wrong(Fault::Surplus("seals are not in order")));
            }
            let seal = tree.seal_of(proved, log_keys).map_err(wrong)?;
            tree.seals.insert(index, seal);
        }
        Ok(tree)
    }

    /// What an error calls something in this tree.
    pub(super) fn at(&self, what: impl ToString) -> String {
        format!("{} in the {}", what.to_string(), self.part)
    }

    fn seal_of(&self, proved: &pb::ProvedEntry, log_keys: &LogKeys) -> Result<(Seal, Digest), Fault> {
        self.include(proved)?;
        let Entry::Seal(signed) = Entry::parse(&proved.entry)? else {
            return Err(Fault::EntryType("seal"));
        };
        signed.verify(&log_keys.at(LogIndex(proved.index)))?;
        let seal = signed.seal();
        if seal.index.0 != proved.index {
            return Err(differs("the seal's index", proved.index, seal.index));
        }
        log_keys.is_origin(seal.index, &seal.origin)?;
        Ok((seal.clone(), signed.id()))
    }

    /// Checks an entry's inclusion and returns its leaf hash.
    fn include(&self, proved: &pb::ProvedEntry) -> Result<Digest, Fault> {
        let leaf = merkle::leaf_hash(&proved.entry);
        let Checkpoint { size, root, .. } = &self.head;
        verify_inclusion(&leaf, proved.index, *size, &digests(&proved.inclusion)?, root)?;
        Ok(leaf)
    }

    /// The heads of the blocks by log index, each with the groups of effects that are given. Of those with records or
    /// effects the seal of the round must be given: it says which registry was in force.
    pub(super) fn blocks(
        &self,
        proofs: &pb::TreeProofs,
        log_keys: &LogKeys,
        with_records: impl Iterator<Item = LogIndex>,
    ) -> Result<BTreeMap<LogIndex, ProvedBlock>, TranscriptError> {
        let mut out: BTreeMap<LogIndex, ProvedBlock> = BTreeMap::new();
        for proved in &proofs.blocks {
            let index = LogIndex(proved.index);
            let wrong = broken(Link::Block, self.at(index));
            if out.keys().next_back().is_some_and(|last| index <= *last) {
                return Err(wrong(Fault::Surplus("blocks are not in order")));
            }
            let block = self.block_of(proved, log_keys).map_err(wrong)?;
            out.insert(index, block);
        }
        self.groups(&proofs.groups, &mut out)?;
        let with_effects = proofs.groups.iter().map(|group| LogIndex(group.block));
        for index in with_records.chain(with_effects) {
            if let Some(block) = out.get(&index) {
                self.seal_of_round(block).map_err(broken(Link::Block, self.at(index)))?;
            }
        }
        Ok(out)
    }

    fn block_of(&self, proved: &pb::ProvedEntry, log_keys: &LogKeys) -> Result<ProvedBlock, Fault> {
        let leaf = self.include(proved)?;
        let Entry::Head(head) = Entry::parse(&proved.entry)? else {
            return Err(Fault::EntryType("block"));
        };
        log_keys.is_origin(LogIndex(proved.index), &head.header().origin)?;
        let from = LogIndex(proved.index);
        let covering = self.seals.range(from..).next().filter(|(_, (seal, _))| seal.first_index <= from);
        Ok(ProvedBlock::new(head, leaf, from, covering.map(|(index, _)| *index)))
    }

    /// Proves each group of effects into its block. A status id stands in a block once at most.
    fn groups(
        &self,
        groups: &[pb::ProvedGroup],
        blocks: &mut BTreeMap<LogIndex, ProvedBlock>,
    ) -> Result<(), TranscriptError> {
        let mut last = None;
        for proved in groups {
            let at = (LogIndex(proved.block), proved.piece);
            let wrong = |fault| broken(Link::Block, self.at(at.0))(fault);
            if last.is_some_and(|last| at <= last) {
                return Err(wrong(Fault::Surplus("groups of effects are not in order")));
            }
            last = Some(at);
            let block = blocks.get_mut(&at.0);
            let block = block.ok_or_else(|| wrong(Fault::Missing("the block of a group of effects".to_owned())))?;
            let group = proved.group.clone().unwrap_or_default();
            let slice = Slice::shown(&group).ok_or_else(|| wrong(Fault::Surplus("more effects than a piece has")))?;
            piece(&block.head, proved.piece, &Piece::Slice(slice), &proved.path).map_err(wrong)?;
            block.groups.push(ProvedGroup::new(group, at.1));
        }
        for (index, block) in blocks {
            let groups = || block.groups.iter().map(|proved| &proved.group);
            let checked = check_effects(groups()).and_then(|()| check_places(groups()));
            checked.map_err(broken(Link::Block, self.at(index)))?;
        }
        Ok(())
    }

    /// The seal that closes a block's round.
    pub(super) fn seal_of_round(&self, block: &ProvedBlock) -> Result<&Seal, Fault> {
        let seal = block.seal_index.and_then(|index| self.seal(index));
        seal.ok_or_else(|| Fault::Missing("the seal of the block's round".to_owned()))
    }

    pub(super) fn seal(&self, index: LogIndex) -> Option<&Seal> {
        self.seals.get(&index).map(|(seal, _)| seal)
    }

    /// The seal with which the part ends: the last leaf of its tree.
    pub(super) fn last_seal(&self) -> &Seal {
        &self.seals.values().next_back().expect("check_order has found the last seal").0
    }

    /// The day of the last seal, of which the report speaks.
    pub(super) fn day(&self) -> Day {
        day_of_ms(self.last_seal().time_ms)
    }

    /// The seals under which nothing was looked up, but for those that each part has for itself: both end with the last
    /// leaf of their tree, and the base begins with the log's first seal.
    pub(super) fn unneeded(&self, needed: &BTreeSet<LogIndex>) -> BTreeSet<LogIndex> {
        let own = |index: LogIndex, seal: &Seal| {
            index.next().0 == self.head.size || self.part == Which::Base && seal.first_index == LogIndex(0)
        };
        let seals = self.seals.iter().filter(|(index, (seal, _))| !own(**index, seal) && !needed.contains(index));
        seals.map(|(index, _)| *index).collect()
    }
}

/// The seals of both parts are of one log: rounds do not overlap, neighbours are chained. The first seal of the log
/// binds it to its keys. The last ones of both parts hold the roots that belong to their trees: of the checkpoint, and
/// of the statement, whose time they say. Where times go back.
pub(super) fn check_order(base: &Tree, status: &Tree, genesis: &Digest) -> Result<Vec<StepBack>, TranscriptError> {
    let missing = |what: &str| Fault::Missing(what.to_owned());
    let mut seals: BTreeMap<LogIndex, &(Seal, Digest)> = BTreeMap::new();
    seals.extend(base.seals.iter().chain(&status.seals).map(|(index, seal)| (*index, seal)));
    let mut before: Option<&(Seal, Digest)> = None;
    let mut back = Vec::new();
    for (index, seal) in seals {
        before.map_or(Ok(()), |before| follows(before, &seal.0)).map_err(broken(Link::Seal, index))?;
        let earlier = before.filter(|(before, _)| seal.0.time_ms < before.time_ms);
        back.extend(earlier.map(|(before, _)| StepBack {
            before: (before.index, before.time_ms),
            seal: (seal.0.index, seal.0.time_ms),
        }));
        before = Some(seal);
    }
    let wrong = broken(Link::Seal, "ends");
    let first = base.seals.values().next().map(|(seal, _)| seal);
    let Some(first) = first.filter(|seal| seal.first_index == LogIndex(0)) else {
        return Err(wrong(missing("the first seal of the log")));
    };
    if first.previous != *genesis {
        let what = "the genesis value (origin, log key, registry key and the next one)";
        return Err(wrong(differs(what, genesis, first.previous)));
    }
    let ends = |tree: &Tree| tree.seals.keys().next_back().map(|last| last.0) == tree.head.size.checked_sub(1);
    if !ends(base) {
        return Err(wrong(missing("the seal that is the last leaf of the statement's tree")));
    }
    if !ends(status) {
        return Err(wrong(missing("the seal that is the checkpoint's last leaf")));
    }
    Ok(back)
}

/// A seal with an earlier time than the one before it, each with log index and time. Whether it may be, a correction
/// says.
pub(super) struct StepBack {
    before: (LogIndex, u64),
    seal: (LogIndex, u64),
}

/// Refuses a correction that contradicts what is shown: its place, the seals before and in its interval, and the other
/// corrections. So a time does not go back behind that of a seal that nothing corrects.
pub(super) fn check_corrections(trees: [&Tree; 2], corrections: &[(Place, Correction)]) -> Result<(), TranscriptError> {
    let seals: Vec<&Seal> = trees.into_iter().flat_map(|tree| tree.seals.values().map(|(seal, _)| seal)).collect();
    for (place, one) in corrections {
        check_correction((*place, one), corrections, &seals)
            .map_err(broken(Link::Seal, format!("correction at {place}")))?;
    }
    Ok(())
}

fn check_correction(
    (place, one): (Place, &Correction),
    all: &[(Place, Correction)],
    seals: &[&Seal],
) -> Result<(), Fault> {
    if one.first > one.last {
        return Err(differs("the first wrong seal, at most", one.last, one.first));
    }
    let behind = Place::new(one.last.0.saturating_add(1), 0);
    if place != behind {
        return Err(differs("the place of the correction, directly behind the last wrong seal", behind, place));
    }
    for (_, other) in all.iter().filter(|(_, other)| other != one) {
        if other.first <= one.end() && one.first <= other.end() {
            return Err(differs("the first wrong seal, outside the interval that begins at", other.first, one.first));
        }
        if other.end() < one.first && other.bound_ms > one.bound_ms {
            return Err(differs("the bound, at least an earlier one's", other.bound_ms, one.bound_ms));
        }
    }
    for seal in seals {
        let is_corrected = || all.iter().any(|(_, other)| other.holds(seal.index));
        if seal.index < one.first && seal.time_ms > one.bound_ms && !is_corrected() {
            return Err(differs("the bound, at least the time of a seal before", seal.time_ms, one.bound_ms));
        }
        if seal.index == one.last && seal.time_ms <= one.bound_ms {
            return Err(differs("the bound, before the time of the last wrong seal", seal.time_ms, one.bound_ms));
        }
    }
    Ok(())
}

/// Refuses a time that goes back without a correction.
pub(super) fn check_times(back: &[StepBack], corrections: &[Correction]) -> Result<(), TranscriptError> {
    match back.iter().find(|one| !may_go_back(corrections, one.before.0, one.seal)) {
        Some(StepBack { before, seal }) => {
            let fault = differs("the seal's time, at least, but for a correction", before.1, seal.1);
            Err(broken(Link::Seal, seal.0)(fault))
        }
        None => Ok(()),
    }
}

fn follows((last, last_id): &(Seal, Digest), seal: &Seal) -> Result<(), Fault> {
    if seal.first_index <= last.index {
        return Err(differs("the first index of the round, at least", last.index.next(), seal.first_index));
    }
    if seal.records_total < last.records_total {
        return Err(differs("the number of records, at least", last.records_total, seal.records_total));
    }
    if seal.first_index == last.index.next() && seal.previous != *last_id {
        return Err(differs("the previous seal", last_id, seal.previous));
    }
    Ok(())
}

/// The heights of a unit's blocks ascend through both parts: no block stands in the log twice.
pub(super) fn check_heights(
    base: &BTreeMap<LogIndex, ProvedBlock>,
    status: &BTreeMap<LogIndex, ProvedBlock>,
) -> Result<(), TranscriptError> {
    let both: BTreeMap<LogIndex, &ProvedBlock> = base.iter().chain(status).map(|(index, one)| (*index, one)).collect();
    let mut heights: BTreeMap<UnitId, u64> = BTreeMap::new();
    for (index, block) in both {
        let header = block.head.header();
        let last = heights.insert(header.unit, header.height);
        if last.is_some_and(|last| header.height <= last) {
            let fault = Fault::Surplus("the heights of a unit's blocks do not ascend");
            return Err(broken(Link::Block, index)(fault));
        }
    }
    Ok(())
}

/// Whether a piece is in the public part that a head names.
pub(super) fn piece(head: &SignedHead, number: u32, piece: &Piece<'_>, path: &[Vec<u8>]) -> Result<(), Fault> {
    let pieces = head.header().pieces;
    let count = u64::from(pieces.count);
    Ok(verify_inclusion(&piece.leaf(), u64::from(number), count, &digests(path)?, &pieces.root)?)
}
