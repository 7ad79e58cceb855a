//! What a learner has been given under the versions of one agreement: the account that makes splitting worthless.

use std::collections::BTreeSet;

use creditbank_protocol::Portion;
use creditbank_protocol::pb::{AmountSteps, Conversion};
use num_rational::Ratio;
use num_traits::CheckedAdd;

use super::Source;
use super::exact::{Exact, too_large};
use crate::{Rejection, Rule};

/// The conversions of one learner by one receiver under one code, added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Exact results, in ten-thousandths.
    pub(super) exact: Exact,
    /// What was given of them, caps aside.
    pub(super) given_e4: u64,
    /// What was granted, after caps.
    pub(super) granted_e4: u64,
    used: BTreeSet<Portion>,
}

impl Default for Account {
    fn default() -> Self {
        Self { exact: Ratio::new(0, 1), given_e4: 0, granted_e4: 0, used: BTreeSet::new() }
    }
}

impl Account {
    /// The account after the conversions that stand, in any order: those of the learner by this receiver under all versions of
    /// the code of the agreement (or of the equivalence; or by assessment), without the one that is being amended. Another
    /// receiver keeps its own account: two may recognise the same credit, and no award counts it twice.
    pub fn of<'a>(earlier: impl IntoIterator<Item = &'a Conversion>) -> Result<Self, Rejection> {
        let mut account = Self::default();
        for conversion in earlier {
            for source in &conversion.sources {
                account.used.insert(Portion::of_reference(source.record.as_ref(), source.result_plus_1));
            }
            if let Some(steps) = &conversion.amount_steps {
                account.add(steps)?;
            }
        }
        Ok(account)
    }

    fn add(&mut self, steps: &AmountSteps) -> Result<(), Rejection> {
        let large = || too_large("amount_steps");
        let exact = read(&steps.exact_numerator, &steps.exact_denominator).ok_or_else(|| {
            let expected = "the digits of an exact fraction";
            Rejection::new(Rule::Contradiction, expected, "others").field("amount_steps")
        })?;
        self.exact = self.exact.checked_add(&exact).ok_or_else(large)?;
        let given = [steps.granted_e4, steps.over_learner_cap_e4, steps.over_root_cap_e4];
        let given = given.into_iter().try_fold(self.given_e4, u64::checked_add);
        self.given_e4 = given.ok_or_else(large)?;
        self.granted_e4 = self.granted_e4.checked_add(steps.granted_e4).ok_or_else(large)?;
        Ok(())
    }

    /// Whether a source has been converted before.
    pub(super) fn has(&self, source: &Source) -> bool {
        self.used.contains(&source.portion())
    }
}

fn read(numerator: &str, denominator: &str) -> Option<Exact> {
    let denominator = denominator.parse().ok().filter(|denominator| *denominator > 0)?;
    Some(Ratio::new(numerator.parse().ok()?, denominator))
}
