//! What a replay keeps of each entry: whose it is, which keys signed and approved it when, and how many records it has,
//! so that places and confirmations can be checked.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::authority::amended_institutions;
use creditbank_protocol::correction::Correction;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::Action;
use creditbank_protocol::status::Mark;
use creditbank_protocol::{Digest, InstitutionId, LogIndex, Place};
use creditbank_rules::{Registry, Rejection};

use crate::state::{Applied, ReadBlock, check_bound, no_seal};

/// 16 bytes for each entry, and what is rare beside.
#[derive(Debug, Default)]
pub(super) struct Entries {
    kept: Vec<Kept>,
    /// Public records of institutions, which nobody changes.
    published: BTreeSet<Place>,
    /// Blocks with a custodian's amendments, and the closed institutions whose records these may be.
    kept_for: BTreeMap<LogIndex, BTreeSet<InstitutionId>>,
    /// Releases, each with the redemption that it has undone, and closed reviews, by the log index of their block.
    cleared: BTreeMap<(LogIndex, Digest), Option<LogIndex>>,
    /// The records that effects have named with both: a place has one status id, and a status id one place.
    named: BTreeMap<Place, Digest>,
    places: BTreeMap<Digest, Place>,
    /// Log index and time of each seal: a correction of the time is not before the seal before its first.
    seals: Vec<(LogIndex, u64)>,
    institutions: Numbered<InstitutionId>,
    /// Of each block the key that signed it, and those that approved it.
    signers: Numbered<Vec<KeyId>>,
}

/// An entry. Numbers instead of what they stand for, as there are many entries and few of these.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// `NO_NUMBER` where the entry is not the head of a block.
    institution: u32,
    signers: u32,
    /// Minute of the seal of its round.
    sealed_at_minute: u32,
    records: u16,
}

const NO_NUMBER: u32 = u32::MAX;

/// Values with a number for each, in the order in which they came.
#[derive(Debug)]
struct Numbered<T> {
    values: Vec<T>,
    numbers: BTreeMap<T, u32>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { values: Vec::new(), numbers: BTreeMap::new() }
    }
}

impl<T: Clone + Ord> Numbered<T> {
    fn number(&mut self, value: T) -> u32 {
        if let Some(number) = self.numbers.get(&value) {
            return *number;
        }
        let next = u32::try_from(self.values.len()).unwrap_or(NO_NUMBER);
        self.values.push(value.clone());
        self.numbers.insert(value, next);
        next
    }

    fn value(&self, number: u32) -> Option<&T> {
        usize::try_from(number).ok().and_then(|number| self.values.get(number))
    }
}

impl Entries {
    /// Keeps the next entry, or the next two, which are a block.
    pub(super) fn keep(&mut self, entry: LogIndex, read: &ReadBlock, sealed_at_ms: u64) {
        let (block, header) = (read.block(), read.block().header());
        let institution = header.unit.institution;
        self.kept.push(Kept {
            institution: self.institutions.number(institution),
            signers: self.signers.number(block.head().key_ids().collect()),
            sealed_at_minute: u32::try_from(sealed_at_ms / 60_000).unwrap_or(u32::MAX),
            // At most 1,024, which the block's shape says.
            records: u16::try_from(header.count).unwrap_or(u16::MAX),
        });
        if !institution.is_operator() {
            self.published.extend(block.public().records.iter().map(|shown| Place::new(entry, shown.index)));
        }
        if block.head().has_public() {
            self.keep_other();
        }
        let kept_for = amended_institutions(&block.public().groups);
        if !kept_for.is_empty() {
            self.kept_for.insert(entry, kept_for);
        }
    }

    /// Keeps what the effects of a block have released, and which reviews they have closed.
    pub(super) fn keep_cleared(&mut self, applied: &Applied) {
        for change in &applied.marks {
            let redemption = match change.action {
                Action::Release => change.before.get(Mark::Redeemed),
                Action::CloseReview => None,
                _ => continue,
            };
            self.cleared.insert((applied.entry, change.status_id), redemption);
        }
    }

    /// Takes note that a place has a status id; the place and the status id that an earlier effect has named instead.
    pub(super) fn name(&mut self, place: Place, id: Digest) -> Option<(Place, Digest)> {
        let (at, of) = (*self.places.entry(id).or_insert(place), *self.named.entry(place).or_insert(id));
        ((at, of) != (place, id)).then_some((at, of))
    }

    /// Whether the block at a log index has released a record, redeemed at another one, or, without one, has closed its
    /// review.
    pub(super) fn has_cleared(&self, entry: LogIndex, id: Digest, redemption: Option<LogIndex>) -> bool {
        self.cleared.get(&(entry, id)) == Some(&redemption)
    }

    /// Keeps the next entry, which is a seal.
    pub(super) fn keep_seal(&mut self, index: LogIndex, time_ms: u64) {
        self.seals.push((index, time_ms));
        self.keep_other();
    }

    /// Checks the bound of a correction of the time against the seal before the first wrong one.
    pub(super) fn check_correction(&self, registry: &Registry, said: &Correction) -> Result<(), Rejection> {
        let at = self.seals.binary_search_by_key(&said.first, |(index, _)| *index).map_err(|_| no_seal(said))?;
        let before = at.checked_sub(1).and_then(|before| self.seals.get(before)).copied();
        check_bound(registry, said, before)
    }

    /// Keeps the next entry, which is a seal or a public part.
    pub(super) fn keep_other(&mut self) {
        self.kept.push(Kept { institution: NO_NUMBER, signers: NO_NUMBER, sealed_at_minute: 0, records: 0 });
    }

    /// Whether a key that is known to be compromised signed or approved the block at a log index.
    pub(super) fn is_suspect(&self, entry: LogIndex, registry: &Registry) -> bool {
        self.kept(entry).is_some_and(|kept| {
            let signers = self.signers.value(kept.signers);
            signers.is_some_and(|ids| registry.is_suspect(ids, u64::from(kept.sealed_at_minute) * 60_000))
        })
    }

    /// The institution of the record at a place, if the log has a hidden one there.
    pub(super) fn issuer_at(&self, place: Place) -> Option<InstitutionId> {
        let kept = self.kept(place.entry)?;
        let institution = self.institutions.value(kept.institution).copied().filter(|number| !number.is_operator())?;
        let is_hidden = place.index < u32::from(kept.records) && !self.published.contains(&place);
        is_hidden.then_some(institution)
    }

    /// Whose block stands at a log index.
    pub(super) fn institution_at(&self, entry: LogIndex) -> Option<InstitutionId> {
        self.institutions.value(self.kept(entry)?.institution).copied()
    }

    /// The closed institutions whose records some of a block's records may be.
    pub(super) fn kept_for(&self, entry: LogIndex) -> impl Iterator<Item = InstitutionId> + '_ {
        self.kept_for.get(&entry).into_iter().flatten().copied()
    }

    fn kept(&self, entry: LogIndex) -> Option<Kept> {
        usize::try_from(entry.0).ok().and_then(|entry| self.kept.get(entry)).copied()
    }
}
