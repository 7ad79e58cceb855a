//! No root pays twice: what an award has to redeem for the records that it counts, and what is spent already.
//!
//! A record that nothing has redeemed is redeemed by the award. One that an exclusive conversion has redeemed is held by that
//! conversion: the award redeems the conversion instead, provided that it counts one of its results. One that an absorbed award
//! has redeemed stays as it is: the award redeems the absorbed one. One that both definitions let overlap counts again. What a
//! record was redeemed for, its amendments were redeemed for.

mod drawn;
mod links;

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::dates::Day;
use creditbank_protocol::names;
use creditbank_protocol::pb::{self, Kind, QualificationName, RetakePolicy};
use creditbank_protocol::{AccountId, InstitutionId, LogIndex, Part, Place, Portion};

use super::AdmissionError;
use super::effects::{Redemption, amended, entries, redeemed_by, redemption};
use super::fields::require;
use super::surplus::Surplus;
use super::used::{Used, at, named, standing};
use crate::qualification::{names, overlap_of};
use crate::{CourseKey, RecordFacts, Rejection, Rule, View, ViewError};
use drawn::Drawn;
use links::{End, Links};

/// Most awards that one award takes over, directly or not.
const ABSORBED_MAX: usize = 1_000;

/// The roots of each result of a conversion or a recognition, or of a record itself: what was earned. A record that stands on no
/// other is its own root.
fn results(used: &Used) -> Result<Vec<Vec<Place>>, Rejection> {
    let own = || vec![used.place];
    let roots = |results: Vec<pb::ConvertedCredit>| -> Vec<Vec<Place>> {
        let of = |result: pb::ConvertedCredit| -> Vec<Place> {
            result.roots.iter().filter_map(|root| root.place).map(Place::from).collect()
        };
        let each = results.into_iter().map(of);
        each.map(|roots| if roots.is_empty() { own() } else { roots }).collect()
    };
    let malformed = super::kinds::malformed;
    match used.record.kind() {
        Kind::Conversion => Ok(roots(used.record.read::<pb::Conversion>().map_err(malformed)?.results)),
        Kind::QualificationRecognition => {
            Ok(roots(used.record.read::<pb::QualificationRecognition>().map_err(malformed)?.exemptions))
        }
        Kind::Credit | Kind::Outcome => Ok(vec![own()]),
        other => {
            let expected = "a credit, an outcome, a conversion or a recognition";
            Err(Rejection::new(Rule::SourceNotUsable, expected, names::of(other)).field("record"))
        }
    }
}

/// The roots of a record, or of one result of it, among all of its [`results`].
fn roots_of<'a>(used: &Used, part: Part, results: &'a [Vec<Place>]) -> Result<&'a [Place], Rejection> {
    let whole = matches!(used.record.kind(), Kind::Credit | Kind::Outcome);
    let at = match part {
        Part::Whole if whole => Some(0),
        Part::Result(position) if !whole => usize::try_from(position).ok(),
        _ => None,
    };
    let count = if whole { 0 } else { results.len() };
    let missing = || {
        let expected = format!("one of the {count} results of {}", used.place);
        Rejection::new(Rule::SourceNotUsable, expected, part.written().to_string()).field("result_plus_1")
    };
    at.and_then(|at| results.get(at)).map(Vec::as_slice).ok_or_else(missing)
}

/// Whether something has redeemed a record, or one that it amends.
pub fn is_redeemed(view: &impl View, used: &Used) -> Result<bool, ViewError> {
    Ok(redemption(view, used.place, &used.facts, &used.record)?.is_some())
}

/// Whether the roots of results of a learner's records are spent. Reads each record once.
pub struct SpentRoots<'a, V> {
    view: &'a V,
    account: AccountId,
    links: Links<'a, V>,
    /// Roots of the results of the record that was asked for last.
    last: Option<(Place, Vec<Vec<Place>>)>,
    surplus: Surplus,
    /// Which roots are surplus, as far as they were asked for.
    roots: BTreeMap<Place, bool>,
}

impl<'a, V: View> SpentRoots<'a, V> {
    /// Of the records of an account, as of a day.
    pub fn new(view: &'a V, account: &AccountId, day: Day) -> Self {
        let (links, surplus) = (Links::through_awards(view, account), Surplus::new(account, day));
        Self { view, account: *account, links, last: None, surplus, roots: BTreeMap::new() }
    }

    /// Whether a record, or a root of a result of it, is a Credit whose course counts already by others.
    pub fn are_surplus(&mut self, used: &Used, part: Part) -> Result<bool, ViewError> {
        if used.record.kind() == Kind::Credit {
            return self.surplus.has(self.view, used);
        }
        let results = match self.last.take() {
            Some((place, results)) if place == used.place => results,
            _ => results(used).unwrap_or_default(),
        };
        let mut surplus = false;
        for root in roots_of(used, part, &results).unwrap_or_default() {
            if !self.roots.contains_key(root) {
                let found = match at(self.view, *root, &self.account, "sources") {
                    Ok(credit) => self.surplus.has(self.view, &credit)?,
                    Err(AdmissionError::Rejected(_)) => false,
                    Err(AdmissionError::View(error)) => return Err(error),
                };
                self.roots.insert(*root, found);
            }
            surplus |= self.roots.get(root) == Some(&true);
        }
        self.last = Some((used.place, results));
        Ok(surplus)
    }

    /// Whether something that a result of a record was not converted from has redeemed one of its roots. Whether the record
    /// itself is redeemed is not asked.
    pub fn are_spent(&mut self, used: &Used, part: Part) -> Result<bool, ViewError> {
        if !matches!(used.record.kind(), Kind::Conversion | Kind::QualificationRecognition) {
            return Ok(false);
        }
        let results = match self.last.take() {
            Some((place, results)) if place == used.place => results,
            _ => results(used).unwrap_or_default(),
        };
        let absorbed = BTreeSet::new();
        let mut spent = false;
        for root in roots_of(used, part, &results).unwrap_or_default() {
            spent |= match self.links.end(*root, used.place, &absorbed) {
                Ok(Some(End::Held(found))) => found.marked != used.place,
                Ok(_) => false,
                // What stands on something that is not there can pay for nothing.
                Err(AdmissionError::Rejected(_)) => true,
                Err(AdmissionError::View(error)) => return Err(error),
            };
        }
        self.last = Some((used.place, results));
        Ok(spent)
    }
}

/// What an award counts, and what it has to redeem for it.
pub struct Spending<'a, V> {
    view: &'a V,
    account: AccountId,
    /// As of the day of the block.
    surplus: Surplus,
    /// Definition of the award.
    definition: &'a pb::QualificationDefinition,
    links: Links<'a, V>,
    /// Redemptions that absorbed awards hold.
    absorbed: BTreeSet<LogIndex>,
    /// Those awards themselves.
    absorbed_awards: BTreeSet<Place>,
    redeems: BTreeMap<Place, Vec<u8>>,
    depends_on: BTreeSet<Place>,
    /// Amounts that count in another award too, by that award's definition, and the least that may of those versions.
    overlapping: BTreeMap<(InstitutionId, String), (u64, u64)>,
    /// Awards that stand and have redeemed something at a log index, with what: a block has one of a learner at most.
    holders: BTreeMap<LogIndex, Option<Holder>>,
    /// What it draws on diplomas of elsewhere.
    drawn: Drawn,
    /// Roots of the results of the record that was counted last.
    last: Option<(Place, Vec<Vec<Place>>)>,
}

/// Credit that counts in awards of another definition too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlapping {
    /// The other definition, in whatever version.
    pub other: (InstitutionId, String),
    /// How much, once for each award.
    pub amount_e4: u64,
    /// How much may, with all that counts in both.
    pub most_e4: u64,
}

/// An award that has redeemed records.
struct Holder {
    place: Place,
    definition: Option<QualificationName>,
    redeems: BTreeSet<Place>,
}

impl<'a, V: View> Spending<'a, V> {
    /// Nothing counted yet.
    pub fn new(view: &'a V, account: &AccountId, definition: &'a pb::QualificationDefinition, day: Day) -> Self {
        Self {
            view,
            account: *account,
            surplus: Surplus::new(account, day),
            definition,
            links: Links::new(view, account),
            absorbed: BTreeSet::new(),
            absorbed_awards: BTreeSet::new(),
            redeems: BTreeMap::new(),
            depends_on: BTreeSet::new(),
            overlapping: BTreeMap::new(),
            holders: BTreeMap::new(),
            drawn: Drawn::default(),
            last: None,
        }
    }

    /// Takes over what an earlier award holds.
    pub fn absorb(&mut self, reference: &pb::RecordReference) -> Result<(), AdmissionError> {
        let award = named(self.view, Some(reference), &self.account, "absorbs")?;
        standing(self.view, &award, "absorbs")?;
        let read: pb::Award = award.record.read().map_err(super::kinds::malformed)?;
        let expected = "an award under a definition that this one absorbs";
        let is_award = award.record.kind() == Kind::Award;
        let absorbs = is_award && read.definition.as_ref().is_some_and(|name| has(&self.definition.absorbs, name));
        require(absorbs, Rule::SourceNotUsable, "absorbs", expected, award.place)?;
        let taken = redemption(self.view, award.place, &award.facts, &award.record)?;
        let found = taken.map_or(String::new(), |found| format!("{}, {found}", award.place));
        require(taken.is_none(), Rule::AlreadySpent, "absorbs", "an award that no other has absorbed", found)?;
        self.redeems.insert(award.place, award.facts.status_id.0.to_vec());
        self.depends_on.insert(award.place);
        let mut next = vec![award];
        while let Some(award) = next.pop() {
            self.absorbed_awards.insert(award.place);
            self.absorbed.extend(entries(self.view, award.place, &award.record)?);
            let read: pb::Award = award.record.read().map_err(super::kinds::malformed)?;
            for earlier in &read.absorbs {
                next.push(named(self.view, Some(earlier), &self.account, "absorbs")?);
            }
            let few = self.absorbed_awards.len() + next.len() < ABSORBED_MAX;
            require(few, Rule::DefinitionTooLarge, "absorbs", "fewer awards", ABSORBED_MAX)?;
        }
        Ok(())
    }

    /// Counts a record, or one result of it, with its amount in the definition's unit. Of an Outcome nothing is redeemed.
    pub fn count(&mut self, used: &Used, part: Part, amount_e4: u64) -> Result<(), AdmissionError> {
        standing(self.view, used, "allocations")?;
        let chain = self.links.chain(used.place)?.clone();
        for place in &chain {
            self.links.standing(*place)?;
        }
        self.depends_on.extend(chain);
        let results = match self.last.take() {
            Some((place, results)) if place == used.place => results,
            _ => results(used)?,
        };
        let roots = roots_of(used, part, &results)?;
        let mut charged = BTreeSet::new();
        for root in roots {
            self.links.standing(*root)?;
            self.counts(*root)?;
            self.depends_on.insert(*root);
            if used.record.kind() != Kind::Outcome {
                self.redeem(*root, used.place, amount_e4, &mut charged)?;
            }
            if self.links.is_drawn(*root)? {
                let portion = Portion { place: used.place, part };
                self.drawn.draw(self.view, (&self.account, &self.absorbed), *root, (portion, &used.record))?;
            }
        }
        self.last = Some((used.place, results));
        Ok(())
    }

    /// Without a policy for retakes that chooses among all passes, a course counts as often as its Credits say.
    fn counts(&mut self, root: Place) -> Result<(), AdmissionError> {
        if self.definition.retakes != i32::from(RetakePolicy::Unspecified) {
            return Ok(());
        }
        let surplus = self.surplus.has(self.view, &at(self.view, root, &self.account, "allocations")?)?;
        let expected = "a credit whose course does not count already by others";
        Ok(require(!surplus, Rule::TooManyRepeats, "allocations", expected, root)?)
    }

    /// What a record, or one result of it, counts in awards of other definitions too, if it could be counted by itself;
    /// else `None`. What was asked so far is no part of the answer; for an award everything is counted anew.
    pub fn could_count(
        &mut self,
        used: &Used,
        part: Part,
        amount_e4: u64,
    ) -> Result<Option<Vec<Overlapping>>, ViewError> {
        self.overlapping.clear();
        self.drawn.clear();
        match self.count(used, part, amount_e4) {
            Ok(()) => {
                let each = self.overlapping.iter();
                let each = each.map(|(other, (amount_e4, most_e4))| Overlapping {
                    other: other.clone(),
                    amount_e4: *amount_e4,
                    most_e4: *most_e4,
                });
                Ok(Some(each.collect()))
            }
            Err(AdmissionError::Rejected(_)) => Ok(None),
            Err(AdmissionError::View(error)) => Err(error),
        }
    }

    fn redeem(
        &mut self,
        root: Place,
        of: Place,
        amount_e4: u64,
        charged: &mut BTreeSet<Place>,
    ) -> Result<(), AdmissionError> {
        // What an absorbed award hands over is what it counted; it is not earned a second time by itself.
        let twice = self.absorbed_awards.contains(&root);
        let expected = "a root that is no award which this one absorbs";
        require(!twice, Rule::AlreadySpent, "allocations", expected, root)?;
        match self.links.end(root, of, &self.absorbed)? {
            None => {}
            Some(End::Free(place)) => {
                let id = self.links.at(place)?.facts.status_id.0.to_vec();
                self.redeems.insert(place, id);
            }
            Some(End::Held(found)) => {
                let holder = self.award_at(found)?.ok_or_else(|| spent(found))?;
                if !self.overlaps(&holder, amount_e4, charged) {
                    return Err(spent(found));
                }
            }
        }
        let begin = self.links.begin(root, of)?;
        self.others(begin, amount_e4, charged)
    }

    /// Credit that other awards count without holding it, by an overlap, counts only where it may overlap with each of them.
    fn others(&mut self, root: Place, amount_e4: u64, charged: &mut BTreeSet<Place>) -> Result<(), AdmissionError> {
        if !self.view.registry().has_overlaps() {
            return Ok(());
        }
        let mut next = Some(root);
        for _ in 0..ABSORBED_MAX {
            let Some(place) = next else { break };
            for dependant in self.view.dependants(place)? {
                let of_award = |facts: &RecordFacts| facts.kind == Kind::Award && !facts.marks.have_ended();
                if charged.contains(&dependant)
                    || !self.view.record_at(dependant)?.is_some_and(|facts| of_award(&facts))
                {
                    continue;
                }
                let Some((_, record)) = self.view.content_at(dependant)? else { continue };
                // Absorbed ones may have been amended since.
                let absorbed = !self.absorbed.is_disjoint(&entries(self.view, dependant, &record)?);
                let Ok(read) = record.read::<pb::Award>() else { continue };
                if absorbed {
                    continue;
                }
                // An Outcome that is counted as such is not spent.
                let as_such =
                    |one: &pb::Allocation| one.record.as_ref().and_then(|record| record.place) == Some(place.into());
                let outcome = self.links.at(root)?.facts.kind == Kind::Outcome;
                if outcome && read.allocations.iter().any(as_such) {
                    continue;
                }
                let Some(name) = read.definition else { continue };
                if !self.overlaps(&(dependant, name), amount_e4, charged) {
                    let expected = "a root that counts in no other award";
                    let found = format!("{root}, which counts in {dependant}");
                    return Err(Rejection::new(Rule::AlreadySpent, expected, found).field("allocations").into());
                }
            }
            next = self.view.content_at(place)?.and_then(|(_, record)| amended(&record));
        }
        Ok(())
    }

    /// Whether both definitions let the awards overlap, and by as much.
    fn overlaps(
        &mut self,
        (holder, other): &(Place, QualificationName),
        amount_e4: u64,
        charged: &mut BTreeSet<Place>,
    ) -> bool {
        if charged.contains(holder) {
            return true;
        }
        let Some(theirs) = self.view.registry().definition(other.institution.into(), &other.code, other.version) else {
            return false;
        };
        let Some(most) = overlap_of(self.definition, theirs) else {
            return false;
        };
        let of = self.overlapping.entry((other.institution.into(), other.code.clone())).or_insert((0, most));
        *of = (of.0.saturating_add(amount_e4), of.1.min(most));
        charged.insert(*holder);
        of.0 <= of.1
    }

    /// The award that has redeemed a record, and its definition.
    fn award_at(&mut self, redemption: Redemption) -> Result<Option<(Place, QualificationName)>, AdmissionError> {
        let Some(entry) = redemption.by else { return Ok(None) };
        if !self.holders.contains_key(&entry) {
            let holder = self.holder(entry)?;
            self.holders.insert(entry, holder);
        }
        let holder = self.holders.get(&entry).and_then(Option::as_ref);
        let holder = holder.filter(|holder| holder.redeems.contains(&redemption.marked));
        Ok(holder.and_then(|holder| Some((holder.place, holder.definition.clone()?))))
    }

    fn holder(&self, redemption: LogIndex) -> Result<Option<Holder>, AdmissionError> {
        let sealing = self.view.sealing(redemption)?;
        let institution = sealing.and_then(|by| self.view.registry().key(&by.key_id)).map(|key| key.institution.into());
        let Some(institution) = institution else { return Ok(None) };
        for held in self.view.held(&self.account, institution, &CourseKey::Award)? {
            if held.marks.have_ended() {
                continue;
            }
            let Some((_, record)) = self.view.content_at(held.place)? else { continue };
            if entries(self.view, held.place, &record)?.contains(&redemption) {
                let definition = record.read::<pb::Award>().ok().and_then(|award| award.definition);
                let redeems = redeemed_by(&record).into_iter().collect();
                return Ok(Some(Holder { place: held.place, definition, redeems }));
            }
        }
        Ok(None)
    }

    /// What the award has to redeem, by place, and what it stands on.
    pub fn finish(self) -> (Vec<pb::RecordReference>, Vec<Place>) {
        let redeems = self.redeems.into_iter();
        let redeems = redeems.map(|(at, status_id)| pb::RecordReference {
            place: Some(at.into()),
            status_id,
            ..Default::default()
        });
        (redeems.collect(), self.depends_on.into_iter().collect())
    }
}

/// What an award stands on, by what it says: all that it counts, what that was converted from, the roots, and what it redeems.
pub(super) fn stands_on(
    view: &impl View,
    award: &pb::Award,
    account: &AccountId,
) -> Result<Vec<Place>, AdmissionError> {
    let mut links = Links::new(view, account);
    let mut found: BTreeSet<Place> = award.redeems.iter().filter_map(|one| one.place).map(Place::from).collect();
    for allocation in &award.allocations {
        let place = Place::of_reference(allocation.record.as_ref());
        found.extend(links.chain(place)?.iter().copied());
        found.extend(links.roots(place)?.iter().copied());
    }
    Ok(found.into_iter().collect())
}

fn spent(redemption: Redemption) -> AdmissionError {
    let expected = "a root that pays for no other award or exclusive conversion";
    let found = format!("{}, {redemption}", redemption.marked);
    Rejection::new(Rule::AlreadySpent, expected, found).field("allocations").into()
}

/// Whether a list of definitions has one; a version of 0 in the list means any.
pub(crate) fn has(list: &[QualificationName], name: &QualificationName) -> bool {
    list.iter().any(|one| names(one, name))
}
