//! Roots: what was earned, how much of it something stands for, and that it never becomes more.
//!
//! A root carries its *fraction* (how much of it the credit at hand stands for), its *part* (how much of the credit at hand is
//! its own) and what it *had*: for each unit that it has been in, the amount of the root as a whole, from the first time on.
//! When it comes into a unit again, its part is at most `floor(fraction x had)`. So over all branches whose fractions make up at
//! most the whole root, its parts in a unit are never more than it had there: no loop pays, also not several at once.

use creditbank_protocol::Place;
use creditbank_protocol::pb::{self, Amount, RecordReference, Root};
use num_rational::Ratio;

use super::exact::{Exact, of_parts, parts, too_large};
use super::share::apportion;
use crate::Rejection;
use crate::decimal::MAX_E4;

/// Most units that a root can have been in.
const HAD_MAX: usize = 16;

/// A record as its own root. Where it has several results, each has an equal share of it.
pub fn itself(record: &RecordReference, amount: Option<&Amount>, results: usize) -> Root {
    let results = u64::try_from(results).unwrap_or(u64::MAX).max(1);
    let whole =
        |amount: &Amount| Amount { e4: amount.e4.saturating_mul(results).min(MAX_E4), unit: amount.unit.clone() };
    Root {
        place: record.place,
        status_id: record.status_id.clone(),
        fraction: Some(pb::Ratio { numerator: 1, denominator: results }),
        had: amount.map(whole).into_iter().collect(),
        part_e4: amount.map_or(0, |amount| amount.e4),
        origin: record.origin.clone(),
    }
}

/// The place of a root.
pub fn key(root: &Root) -> Place {
    Place::read(root.place)
}

/// The most that the part of a root can be in a unit; `None` where it has not been.
pub fn most(root: &Root, unit: &str) -> Option<u64> {
    let had = root.had.iter().find(|amount| amount.unit == unit)?;
    let fraction = fraction(root);
    let most = u128::from(had.e4) * fraction.numer() / fraction.denom();
    Some(u64::try_from(most).unwrap_or(MAX_E4))
}

pub(super) fn fraction(root: &Root) -> Exact {
    root.fraction.as_ref().and_then(of_parts).unwrap_or_default()
}

/// The roots of `amount` of `unit`, shared out over them by weight, none above its bound. `left` is the share
/// that a cap of the learner has left: each fraction shrinks with it, but stays at least the share of what the root had in this unit that its part
/// is. A fraction that the schema cannot hold is rounded up to a multiple of 1/10^10.
pub(super) fn settle(roots: &[Root], weights: &[u128], amount: &Amount, left: Exact) -> Result<Vec<Root>, Rejection> {
    let bounds: Vec<Option<u64>> = roots.iter().map(|root| most(root, &amount.unit)).collect();
    let shares = apportion(amount.e4, weights, &bounds);
    let settled = roots.iter().zip(shares).map(|(root, part)| settled(root, part, &amount.unit, left));
    settled.map(|root| root.ok_or_else(|| too_large("results"))).collect()
}

fn settled(root: &Root, part: u64, unit: &str, left: Exact) -> Option<Root> {
    let before = fraction(root);
    let mut root = Root { part_e4: part, ..root.clone() };
    let had = root.had.iter().find(|amount| amount.unit == unit).map(|amount| amount.e4);
    let share = had.filter(|had| *had > 0).map_or(Ratio::new(0, 1), |had| Ratio::new(part.into(), had.into()));
    let fraction = fitting((before * left).max(share)).min(before);
    if had.is_none() {
        let had = (u128::from(part) * fraction.denom()).div_ceil(*fraction.numer());
        let e4 = u64::try_from(had).ok().filter(|e4| *e4 <= MAX_E4)?;
        root.had.push(Amount { e4, unit: unit.to_owned() });
    }
    root.fraction = Some(parts(&fraction)?);
    (root.had.len() <= HAD_MAX).then_some(root)
}

/// A fraction of at most 1 that the schema can hold: itself, or the next larger multiple of 1/10^10. To stand for a little more
/// than the exact fraction never lets a root count twice.
pub(super) fn fitting(fraction: Exact) -> Exact {
    if parts(&fraction).is_some() {
        return fraction;
    }
    let unit = u128::from(MAX_E4);
    Ratio::new((fraction.numer() * unit).div_ceil(*fraction.denom()), unit)
}
