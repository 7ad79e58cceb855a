//! What awards draw on a diploma of elsewhere: recognitions of it are as many as people like, and what all standing awards count
//! by them is at most the diploma once.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::{AccountId, LogIndex, Part, Place, Portion};

use crate::admission::AdmissionError;
use crate::admission::effects::entries;
use crate::admission::fields::require;
use crate::admission::foreign::records_of;
use crate::conversion::roots;
use crate::decimal::show_e4;
use crate::qualification::Fraction;
use crate::{Rule, View, ViewError};

/// How much of a diploma one result stands for.
struct Draw {
    fraction: Option<Fraction>,
    part: pb::Amount,
    /// The size of the whole, in each unit in which it was stated or has been since.
    sizes: Vec<pb::Amount>,
}

/// What is counted of one diploma, by all awards and by the one at hand.
struct Diploma {
    records: BTreeSet<Place>,
    /// By result: what two awards count by an overlap is drawn once.
    drawn: BTreeMap<Portion, Draw>,
}

/// The diplomas on which the award at hand draws.
#[derive(Default)]
pub(super) struct Drawn(Vec<Diploma>);

impl Drawn {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Draws on the diploma at `root` by one result of `record`, beside what all other awards draw on it but those that are
    /// absorbed with the redemptions of `absorbed`.
    pub(super) fn draw(
        &mut self,
        view: &impl View,
        (account, absorbed): (&AccountId, &BTreeSet<LogIndex>),
        root: Place,
        (portion, record): (Portion, &Record),
    ) -> Result<(), AdmissionError> {
        let known = self.0.iter().position(|one| one.records.contains(&root));
        let position = known.unwrap_or(self.0.len());
        if known.is_none() {
            self.0.push(Diploma::of_others(view, account, root, absorbed)?);
        }
        let Some(diploma) = self.0.get_mut(position) else { return Ok(()) };
        diploma.add(portion, record);
        Ok(diploma.holds(root)?)
    }
}

impl Diploma {
    /// What other standing awards draw.
    fn of_others(
        view: &impl View,
        account: &AccountId,
        root: Place,
        absorbed: &BTreeSet<LogIndex>,
    ) -> Result<Self, AdmissionError> {
        let mut found = Self { records: records_of(view, root, account)?, drawn: BTreeMap::new() };
        let mut awards = BTreeSet::new();
        for record in &found.records {
            awards.extend(view.dependants(*record)?);
        }
        for place in awards {
            let stands = view.record_at(place)?;
            if !stands.is_some_and(|facts| facts.kind == Kind::Award && !facts.marks.have_ended()) {
                continue;
            }
            let Some((_, record)) = view.content_at(place)? else { continue };
            let Ok(award) = record.read::<pb::Award>() else { continue };
            if absorbed.is_disjoint(&entries(view, place, &record)?) {
                found.add_all(view, &award)?;
            }
        }
        Ok(found)
    }

    fn add_all(&mut self, view: &impl View, award: &pb::Award) -> Result<(), ViewError> {
        let portion = |one: &pb::Allocation| Portion::of_reference(one.record.as_ref(), one.result_plus_1);
        let mut portions: Vec<Portion> = award.allocations.iter().map(portion).collect();
        portions.sort_unstable();
        for of_record in portions.chunk_by(|one, other| one.place == other.place) {
            let Some((_, record)) = view.content_at(of_record[0].place)? else { continue };
            of_record.iter().for_each(|portion| self.add(*portion, &record));
        }
        Ok(())
    }

    /// Adds what one result draws, if it does.
    fn add(&mut self, portion: Portion, record: &Record) {
        let results = match record.kind() {
            Kind::Conversion => record.read::<pb::Conversion>().map(|read| read.results),
            Kind::QualificationRecognition => record.read::<pb::QualificationRecognition>().map(|read| read.exemptions),
            _ => return,
        };
        let Part::Result(at) = portion.part else { return };
        let result = results.ok().and_then(|results| results.into_iter().nth(usize::try_from(at).ok()?));
        let Some(result) = result else { return };
        let unit = result.amount.unwrap_or_default().unit;
        for root in result.roots.iter().filter(|root| self.records.contains(&roots::key(root))) {
            let fraction = root.fraction.unwrap_or(pb::Ratio { numerator: 1, denominator: 1 });
            let draw = Draw {
                fraction: Fraction::new(fraction.numerator.into(), fraction.denominator.into()),
                part: pb::Amount { e4: root.part_e4, unit: unit.clone() },
                sizes: root.had.clone(),
            };
            self.drawn.insert(portion, draw);
        }
    }

    /// The fractions are at most the whole, and in each unit the parts at most the least size of it.
    fn holds(&self, root: Place) -> Result<(), crate::Rejection> {
        let sum = self.drawn.values().try_fold(Fraction::ZERO, |sum, one| sum.checked_add(one.fraction?));
        let within = sum.is_some_and(|sum| sum.cmp_whole(1).is_le());
        let expected = format_args!("at most the whole of {root} over all awards");
        let found = sum.map_or("more".to_owned(), |sum| format!("{}/{} of it", sum.numerator(), sum.denominator()));
        require(within, Rule::AlreadySpent, "allocations", expected, found)?;
        let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
        for size in self.drawn.values().flat_map(|one| &one.sizes) {
            let least = sizes.entry(&size.unit).or_insert(size.e4);
            *least = size.e4.min(*least);
        }
        for (unit, most) in sizes {
            let parts = self.drawn.values().filter(|one| one.part.unit == unit).map(|one| one.part.e4);
            let sum = parts.fold(0, u64::saturating_add);
            let expected = format_args!("at most {} {unit} of {root} over all awards", show_e4(most));
            require(sum <= most, Rule::AlreadySpent, "allocations", expected, show_e4(sum))?;
        }
        Ok(())
    }
}
