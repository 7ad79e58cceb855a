//! Exemptions: what is given for an award of this ledger has its roots, and their bounds; what is given for a diploma of
//! elsewhere is a share of it.

use std::collections::BTreeMap;

use creditbank_protocol::pb::{Amount, Award, AwardBasis, RecordReference, Root};
use creditbank_protocol::{Part, Place};
use num_rational::Ratio;

use super::Source;
use super::equivalent::fixed;
use super::exact::{Exact, parts, too_large};
use super::roots::{fitting, fraction, key};
use crate::decimal::{MAX_E4, show_e4};
use crate::qualification::Fraction;
use crate::registry::admit::require;
use crate::{Rejection, Rule};

/// Most roots of one result.
const ROOTS_MAX: usize = 256;

/// What an award counts, by place and result: what an audited one allocates, or a declared one consumes.
pub fn counted_by(award: &Award) -> Vec<(RecordReference, Part)> {
    let mut counted: Vec<(RecordReference, Part)> = match award.basis() {
        AwardBasis::Audited => {
            let named =
                |one: &creditbank_protocol::pb::Allocation| Some((one.record.clone()?, Part::read(one.result_plus_1)));
            award.allocations.iter().filter_map(named).collect()
        }
        AwardBasis::Declared => award.redeems.iter().map(|one| (one.clone(), Part::Whole)).collect(),
        AwardBasis::Honorary | AwardBasis::Unspecified => Vec::new(),
    };
    counted.sort_by_key(|(record, part)| (Place::of_reference(Some(record)), part.written()));
    counted
}

/// The roots of an award that counts these sources, in the order of [`counted_by`]. An Outcome that counts as such gives no
/// credit, and is a root only where nothing else counts.
pub fn award_roots(counted: &[Source]) -> Result<Vec<Root>, Rejection> {
    let credit: Vec<&Source> = counted.iter().filter(|source| source.amount.is_some()).collect();
    let counted = if credit.is_empty() { counted.iter().collect() } else { credit };
    let units = || counted.iter().filter_map(|source| source.amount.as_ref()).map(|amount| &amount.unit);
    let one_unit = units().zip(units().skip(1)).all(|(one, other)| one == other);
    let mut roots: BTreeMap<Place, (Root, Option<Fraction>)> = BTreeMap::new();
    for root in counted.iter().flat_map(|source| &source.roots) {
        let share = share(root);
        // Parts of several units say nothing of each other.
        let part_e4 = if one_unit { root.part_e4 } else { 0 };
        match roots.get_mut(&key(root)) {
            None => {
                roots.insert(key(root), (Root { part_e4, ..root.clone() }, share));
            }
            Some((known, sum)) => {
                *sum = sum.zip(share).and_then(|(sum, share)| sum.checked_add(share));
                known.part_e4 = known.part_e4.saturating_add(part_e4).min(MAX_E4);
                least(&mut known.had, &root.had);
            }
        }
    }
    let expected = "an award that counts credit of this ledger";
    require(!roots.is_empty(), Rule::SourceNotUsable, "qualification", expected, "one that counts none")?;
    let (few, found) = (roots.len() <= ROOTS_MAX, roots.len());
    let expected = format_args!("an award of at most {ROOTS_MAX} roots");
    require(few, Rule::SourceNotUsable, "qualification", expected, format_args!("one of {found}"))?;
    let whole = || Ratio::new(1, 1);
    let each = roots.into_values().map(|(root, sum)| {
        let sum = sum.map_or_else(whole, |sum| Ratio::new(sum.numerator(), sum.denominator())).min(whole());
        Some(Root { fraction: Some(parts(&fitting(sum))?), ..root })
    });
    each.collect::<Option<Vec<Root>>>().ok_or_else(|| too_large("qualification"))
}

fn share(root: &Root) -> Option<Fraction> {
    let fraction = fraction(root);
    Fraction::new(*fraction.numer(), *fraction.denom())
}

/// Of two ways of one root that had the same unit the smaller amount bounds both.
fn least(known: &mut Vec<Amount>, other: &[Amount]) {
    for amount in other {
        match known.iter_mut().find(|one| one.unit == amount.unit) {
            Some(one) => one.e4 = one.e4.min(amount.e4),
            None => known.push(amount.clone()),
        }
    }
}

/// The roots of one of `count` exemptions for an award with these roots. Each exemption stands for an equal share of each of
/// them, and its amount is at most what they had in its unit.
pub fn exempted(roots: &[Root], amount: &Amount, count: usize) -> Result<Vec<Root>, Rejection> {
    let count = u128::try_from(count).unwrap_or(u128::MAX).max(1);
    let share = |root: &Root| -> Option<Root> {
        let share: Exact = fraction(root) * Ratio::new(1, count);
        Some(Root { fraction: Some(parts(&fitting(share))?), ..root.clone() })
    };
    let shared: Option<Vec<Root>> = roots.iter().map(share).collect();
    let (most, roots) = fixed(&shared.ok_or_else(|| too_large("exemptions"))?, amount)?;
    let expected = format_args!("at most {} {}: no more than the award's credit had", show_e4(most.e4), most.unit);
    require(most.e4 == amount.e4, Rule::ConversionDiffers, "exemptions", expected, show_e4(amount.e4))?;
    Ok(roots)
}

/// The root of an exemption for what counts no credit of this ledger: a diploma of elsewhere, or an award that consumes none. Of
/// a whole of some `size` it stands for the share that its amount is.
pub fn drawn(on: &RecordReference, size: &Amount, amount: &Amount) -> Result<Root, Rejection> {
    let fits = size.unit == amount.unit && amount.e4 <= size.e4 && size.e4 > 0;
    let expected = format_args!("at most {} {}, the size of the whole", show_e4(size.e4), size.unit);
    let found = format_args!("{} {}", show_e4(amount.e4), amount.unit);
    require(fits, Rule::ConversionDiffers, "exemptions", expected, found)?;
    let fraction = parts(&Ratio::new(amount.e4.into(), size.e4.into())).ok_or_else(|| too_large("exemptions"))?;
    Ok(Root {
        place: on.place,
        status_id: on.status_id.clone(),
        fraction: Some(fraction),
        part_e4: amount.e4,
        had: vec![size.clone()],
        origin: on.origin.clone(),
    })
}
