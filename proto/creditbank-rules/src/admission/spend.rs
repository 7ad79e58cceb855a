//! No root pays twice: what an award has to redeem for the records that it counts, and what is spent already.
//!
//! A record that nothing has redeemed is redeemed by the award. One that an exclusive conversion has redeemed is held by that
//! conversion: the award redeems the conversion instead, provided that it counts one of its results. One that an absorbed award
//! has redeemed stays as it is: the award redeems the absorbed one. One that both definitions let overlap counts again.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::pb::{self, Kind, Place, QualificationName};
use creditbank_protocol::status::Mark;

use super::effects::{entries, redeemed_by};
use super::fields::require;
use super::used::{Used, at, named, show, standing};
use super::{AWARDS, AdmissionError};
use crate::{Rejection, Rule, View, ViewError};

/// Most records on which one counted record stands.
const CHAIN_MAX: usize = 1_000;

type Key = (u64, u32);

fn key(place: Place) -> Key {
    (place.entry, place.index)
}

/// The roots of a record, or of one result of a conversion or a recognition: what was earned. A record that stands on no other
/// is its own root.
pub(crate) fn roots_of(used: &Used, result_plus_1: u32) -> Result<Vec<pb::Root>, Rejection> {
    let own = || {
        let (place, status_id) = (Some(used.place), used.facts.status_id.0.to_vec());
        let fraction = Some(pb::Ratio { numerator: 1, denominator: 1 });
        vec![pb::Root { place, status_id, fraction, had: Vec::new(), part_e4: 0 }]
    };
    let missing = |found: usize| {
        let expected = format!("one of the {found} results of {}", show(used.place));
        Rejection::new(Rule::SourceNotUsable, expected, result_plus_1.to_string()).field("result_plus_1")
    };
    let result = |results: Vec<pb::ConvertedCredit>| {
        let at = usize::try_from(result_plus_1).ok().and_then(|number| number.checked_sub(1));
        let found = at.and_then(|at| results.get(at).cloned());
        found.map(|found| found.roots).ok_or_else(|| missing(results.len()))
    };
    let malformed = super::kinds::malformed;
    match used.record.kind() {
        Kind::Conversion => result(used.record.read::<pb::Conversion>().map_err(malformed)?.results),
        Kind::QualificationRecognition => {
            let read = used.record.read::<pb::QualificationRecognition>().map_err(malformed)?;
            let roots = result(read.exemptions)?;
            Ok(if roots.is_empty() { own() } else { roots })
        }
        Kind::Credit | Kind::Outcome if result_plus_1 == 0 => Ok(own()),
        Kind::Credit | Kind::Outcome => Err(missing(0)),
        other => {
            let expected = "a credit, an outcome, a conversion or a recognition";
            Err(Rejection::new(Rule::SourceNotUsable, expected, other.as_str_name()).field("record"))
        }
    }
}

/// Whether something else than the record itself has redeemed one of the roots of a result of it.
pub fn roots_are_spent(view: &impl View, used: &Used, result_plus_1: u32) -> Result<bool, ViewError> {
    if !matches!(used.record.kind(), Kind::Conversion | Kind::QualificationRecognition) {
        return Ok(false);
    }
    // What this record and those that it was converted from have redeemed is held by them.
    let mut own = BTreeSet::new();
    let mut next = vec![(used.place, used.record.clone())];
    while let Some((place, record)) = next.pop() {
        own.extend(entries(view, place, &record)?);
        for place in redeemed_by(&record) {
            if own.len() < CHAIN_MAX
                && let Some((_, record)) = view.content_at(place)?
            {
                next.push((place, record));
            }
        }
    }
    for root in roots_of(used, result_plus_1).unwrap_or_default() {
        let facts = view.record_at(root.place.unwrap_or_default())?;
        if facts.and_then(|facts| facts.marks.get(Mark::Redeemed)).is_some_and(|entry| !own.contains(&entry)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What an award counts, and what it has to redeem for it.
pub struct Spending<'a, V> {
    view: &'a V,
    account: [u8; 16],
    /// Definition of the award.
    definition: &'a pb::QualificationDefinition,
    /// Redemptions that absorbed awards hold.
    absorbed: BTreeSet<u64>,
    redeems: BTreeMap<Key, Vec<u8>>,
    depends_on: BTreeSet<Key>,
    /// Amounts that count in another award too, by that award's definition.
    overlapping: BTreeMap<(u64, String), u64>,
}

impl<'a, V: View> Spending<'a, V> {
    /// Nothing counted yet.
    pub fn new(view: &'a V, account: &[u8; 16], definition: &'a pb::QualificationDefinition) -> Self {
        Self {
            view,
            account: *account,
            definition,
            absorbed: BTreeSet::new(),
            redeems: BTreeMap::new(),
            depends_on: BTreeSet::new(),
            overlapping: BTreeMap::new(),
        }
    }

    /// Takes over what an earlier award holds.
    pub fn absorb(&mut self, reference: &pb::RecordReference) -> Result<(), AdmissionError> {
        let award = named(self.view, Some(reference), &self.account, "absorbs")?;
        standing(self.view, &award, "absorbs")?;
        let read: pb::Award = award.record.read().map_err(super::kinds::malformed)?;
        let expected = "an award under a definition that this one absorbs";
        let is_award = award.record.kind() == Kind::Award;
        let absorbs = is_award && read.definition.as_ref().is_some_and(|name| names(&self.definition.absorbs, name));
        require(absorbs, Rule::SourceNotUsable, "absorbs", expected, show(award.place))?;
        let free = award.facts.marks.get(Mark::Redeemed);
        let found = free.map_or(String::new(), |entry| format!("{}, redeemed at {entry}", show(award.place)));
        require(free.is_none(), Rule::AlreadySpent, "absorbs", "an award that no other has absorbed", found)?;
        self.redeems.insert(key(award.place), award.facts.status_id.0.to_vec());
        self.depends_on.insert(key(award.place));
        let mut next = vec![award];
        while let Some(award) = next.pop() {
            self.absorbed.extend(entries(self.view, award.place, &award.record)?);
            let read: pb::Award = award.record.read().map_err(super::kinds::malformed)?;
            for earlier in &read.absorbs {
                next.push(named(self.view, Some(earlier), &self.account, "absorbs")?);
            }
            require(self.absorbed.len() < CHAIN_MAX, Rule::DefinitionTooLarge, "absorbs", "fewer awards", CHAIN_MAX)?;
        }
        Ok(())
    }

    /// Counts a record, or one result of it, with its amount in the definition's unit. Of an Outcome nothing is redeemed.
    pub fn count(&mut self, used: &Used, result_plus_1: u32, amount_e4: u64) -> Result<(), AdmissionError> {
        standing(self.view, used, "allocations")?;
        let chain = self.chain(used)?;
        for root in roots_of(used, result_plus_1)? {
            let place = root.place.unwrap_or_default();
            let root = at(self.view, place, &self.account, "allocations")?;
            standing(self.view, &root, "allocations")?;
            self.depends_on.insert(key(place));
            if used.record.kind() != Kind::Outcome {
                self.redeem(root, &chain, amount_e4)?;
            }
        }
        Ok(())
    }

    /// The record and everything that it was converted from, each of which must stand.
    fn chain(&mut self, used: &Used) -> Result<BTreeMap<Key, Used>, AdmissionError> {
        let mut chain = BTreeMap::new();
        let mut next = vec![at(self.view, used.place, &self.account, "allocations")?];
        while let Some(one) = next.pop() {
            self.depends_on.insert(key(one.place));
            if one.record.kind() == Kind::Conversion {
                let read: pb::Conversion = one.record.read().map_err(super::kinds::malformed)?;
                for source in read.sources.iter().filter_map(|source| source.record.as_ref()) {
                    let place = source.place.unwrap_or_default();
                    if !chain.contains_key(&key(place)) {
                        let source = at(self.view, place, &self.account, "allocations")?;
                        standing(self.view, &source, "allocations")?;
                        next.push(source);
                    }
                }
            }
            chain.insert(key(one.place), one);
            require(chain.len() < CHAIN_MAX, Rule::DefinitionTooLarge, "allocations", "fewer records", CHAIN_MAX)?;
        }
        Ok(chain)
    }

    fn redeem(&mut self, root: Used, chain: &BTreeMap<Key, Used>, amount_e4: u64) -> Result<(), AdmissionError> {
        let (mut place, mut facts) = (root.place, root.facts);
        loop {
            let Some(redemption) = facts.marks.get(Mark::Redeemed) else {
                self.redeems.insert(key(place), facts.status_id.0.to_vec());
                return Ok(());
            };
            if self.absorbed.contains(&redemption) {
                return Ok(());
            }
            let mut holder = None;
            for one in chain.values() {
                let holds = redeemed_by(&one.record).contains(&place);
                if holds && entries(self.view, one.place, &one.record)?.contains(&redemption) {
                    holder = Some((one.place, one.facts.clone()));
                }
            }
            match holder {
                Some(held) => (place, facts) = held,
                None => return self.overlap(place, redemption, amount_e4),
            }
        }
    }

    /// Credit that another award has redeemed counts only where both definitions allow it.
    fn overlap(&mut self, place: Place, redemption: u64, amount_e4: u64) -> Result<(), AdmissionError> {
        let spent = || {
            let expected = "a root that pays for no other award or exclusive conversion";
            let found = format!("{}, redeemed at {redemption}", show(place));
            AdmissionError::from(Rejection::new(Rule::AlreadySpent, expected, found).field("allocations"))
        };
        let Some(other) = self.award_at(redemption, place)? else { return Err(spent()) };
        let registry = self.view.registry();
        let theirs = registry.definition(other.institution, &other.code, other.version).ok_or_else(spent)?;
        let allows = |of: &pb::QualificationDefinition, name: &QualificationName| {
            let fits = |one: &&pb::Overlap| one.other.as_ref().is_some_and(|other| same(other, name));
            of.overlaps.iter().find(fits).map(|one| one.max_e4)
        };
        let own = QualificationName {
            institution: self.definition.institution,
            code: self.definition.code.clone(),
            version: self.definition.version,
        };
        let most = allows(self.definition, &other).zip(allows(theirs, &own)).map(|(ours, theirs)| ours.min(theirs));
        let most = most.ok_or_else(spent)?;
        let sum = self.overlapping.entry((other.institution, other.code.clone())).or_default();
        *sum = sum.saturating_add(amount_e4);
        if *sum > most { Err(spent()) } else { Ok(()) }
    }

    /// The definition of the award that has redeemed a record.
    fn award_at(&self, redemption: u64, place: Place) -> Result<Option<QualificationName>, AdmissionError> {
        let sealing = self.view.sealing(redemption)?;
        let institution = sealing.and_then(|by| self.view.registry().key(&by.key_id)).map(|key| key.institution);
        let Some(institution) = institution else { return Ok(None) };
        for held in self.view.held(&self.account, institution, AWARDS)? {
            let gone = held.marks.get(Mark::Revoked).or(held.marks.get(Mark::Superseded)).is_some();
            let Some((_, record)) = self.view.content_at(held.place)?.filter(|_| !gone) else { continue };
            let holds = redeemed_by(&record).contains(&place);
            if holds && entries(self.view, held.place, &record)?.contains(&redemption) {
                return Ok(record.read::<pb::Award>().ok().and_then(|award| award.definition));
            }
        }
        Ok(None)
    }

    /// What the award has to redeem, by place, and what it stands on.
    pub fn finish(self) -> (Vec<pb::RecordReference>, Vec<Place>) {
        let place = |(entry, index): Key| Place { entry, index };
        let redeems = self.redeems.into_iter();
        let redeems = redeems.map(|(at, status_id)| pb::RecordReference { place: Some(place(at)), status_id });
        (redeems.collect(), self.depends_on.into_iter().map(place).collect())
    }
}

/// Whether a list of definitions has one; a version of 0 in the list means any.
pub(crate) fn names(list: &[QualificationName], name: &QualificationName) -> bool {
    list.iter().any(|one| same(one, name))
}

fn same(listed: &QualificationName, name: &QualificationName) -> bool {
    (listed.institution, &listed.code) == (name.institution, &name.code)
        && (listed.version == 0 || listed.version == name.version)
}
