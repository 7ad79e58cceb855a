//! Amounts under an agreement, in this order: the exact result of each root, at most what it had in the target unit; all of them
//! added to what earlier conversions gave; rounded once; less what was given before; at most the learner's cap; shared out in
//! steps by largest remainder, no module above what its roots had.

use creditbank_protocol::pb::{AgreementTerms, Amount, AmountSteps, Root};
use num_rational::Ratio;
use num_traits::CheckedAdd;

use super::Account;
use super::exact::{Exact, round, too_large};
use super::roots::most;
use super::share::apportion;
use crate::decimal::{MAX_E4, show_e4};
use crate::registry::admit::require;
use crate::{Rejection, Rule};

/// What becomes one result: a module, or all of them as a lump.
pub(super) struct Group<'a> {
    roots: Vec<&'a Root>,
    /// Exact result of each root, times the ratio's denominator, in ten-thousandths.
    pub(super) weights: Vec<u128>,
    /// The most that it can become, where each root that counts has a bound.
    bound: Option<u64>,
}

impl<'a> Group<'a> {
    /// Roots with their parts in the source unit.
    pub(super) fn of(roots: Vec<&'a Root>, terms: &AgreementTerms) -> Self {
        let ratio = terms.ratio.unwrap_or_default();
        let (by, over) = (u128::from(ratio.numerator), u128::from(ratio.denominator));
        let bounds: Vec<Option<u64>> = roots.iter().map(|root| most(root, &terms.target_unit)).collect();
        let weight = |(root, bound): (&&Root, &Option<u64>)| {
            let exact = u128::from(root.part_e4) * by;
            bound.map_or(exact, |bound| exact.min(u128::from(bound) * over))
        };
        let weights: Vec<u128> = roots.iter().zip(&bounds).map(weight).collect();
        let counted = bounds.iter().zip(&weights).filter(|(_, weight)| **weight > 0);
        let bound = counted.map(|(bound, _)| *bound).try_fold(0u64, |sum, bound| sum.checked_add(bound?));
        Self { roots, weights, bound }
    }

    fn weight(&self) -> u128 {
        self.weights.iter().sum()
    }

    /// Its roots.
    pub(super) fn roots(&self) -> Vec<Root> {
        self.roots.iter().map(|root| (*root).clone()).collect()
    }
}

/// What a conversion grants.
pub(super) struct Granted {
    pub(super) steps: AmountSteps,
    /// Of each group.
    pub(super) shares: Vec<u64>,
    /// The share of it that the learner's cap has left.
    pub(super) left: Exact,
}

/// Grants what the groups give beyond what the account was given before.
pub(super) fn grant(terms: &AgreementTerms, groups: &[Group<'_>], account: &Account) -> Result<Granted, Rejection> {
    let large = || too_large("amount_steps");
    let parts = groups.iter().flat_map(|group| &group.roots).map(|root| root.part_e4);
    let sum = parts.into_iter().try_fold(0u64, u64::checked_add).filter(|sum| *sum <= MAX_E4).ok_or_else(large)?;
    let ratio = terms.ratio.unwrap_or_default();
    let here: Exact = match ratio.denominator {
        0 => return Err(large()),
        over => Ratio::new(groups.iter().map(Group::weight).sum(), over.into()),
    };
    let total = account.exact.checked_add(&here).ok_or_else(large)?;
    let step = terms.step_e4;
    let rounded = round(&total, step, terms.rounding()).ok_or_else(large)?;
    let steps_of = |e4: u64| e4 - e4 % step;
    let fresh = if *here.numer() == 0 { 0 } else { steps_of(rounded.saturating_sub(account.given_e4)) };
    let kept = fresh.min(room(terms, account, steps_of));
    let expected = format!("at most {} {} of one learner", show_e4(terms.learner_max_e4), terms.target_unit);
    let left = fresh == 0 || kept > 0;
    require(left, Rule::OutsideScope, "amount_steps", &expected, "all of it granted before")?;
    let weights: Vec<u128> = groups.iter().map(Group::weight).collect();
    let bounds: Vec<Option<u64>> = groups.iter().map(|group| group.bound.map(|bound| bound / step)).collect();
    let shares: Vec<u64> = apportion(kept / step, &weights, &bounds).into_iter().map(|steps| steps * step).collect();
    let granted: u64 = shares.iter().sum();
    let steps = AmountSteps {
        sum: Some(Amount { e4: sum, unit: terms.source_unit.clone() }),
        ratio: Some(ratio),
        exact_numerator: here.numer().to_string(),
        exact_denominator: here.denom().to_string(),
        before_numerator: account.exact.numer().to_string(),
        before_denominator: account.exact.denom().to_string(),
        rounded_e4: rounded,
        given_before_e4: account.given_e4,
        granted_e4: granted,
        over_learner_cap_e4: fresh - kept,
        over_root_cap_e4: kept - granted,
    };
    let left = if fresh == 0 { Exact::from_integer(1) } else { Ratio::new(kept.into(), fresh.into()) };
    Ok(Granted { steps, shares, left })
}

/// What the learner's cap has left, in whole steps.
fn room(terms: &AgreementTerms, account: &Account, steps_of: impl Fn(u64) -> u64) -> u64 {
    match terms.learner_max_e4 {
        0 => u64::MAX,
        most => steps_of(most.saturating_sub(account.granted_e4)),
    }
}
