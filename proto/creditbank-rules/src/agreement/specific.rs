//! Which agreement wins: institution before group before country.

use creditbank_protocol::pb::{AgreementTerms, Tier};

use super::{Facts, covers, in_force, speaks_for};
use crate::dates::Day;
use crate::{Agreement, Registry};

/// The agreement under which credit of `sender` becomes credit of `receiver` on a day: of those in force that speak for both
/// and cover it, one of the most specific tier; of several groups or authorities, the first by code.
pub fn most_specific<'a>(
    registry: &'a Registry,
    sender: u64,
    receiver: u64,
    facts: &Facts<'_>,
    day: Day,
) -> Option<&'a Agreement> {
    let tiers = [Tier::Institution, Tier::Group, Tier::Country];
    tiers.into_iter().find_map(|tier| of_tier(registry, tier, (sender, receiver), facts, day))
}

/// An agreement of a more specific tier than `terms` that covers the credit too, if there is one.
pub fn more_specific<'a>(
    registry: &'a Registry,
    terms: &AgreementTerms,
    sender: u64,
    receiver: u64,
    facts: &Facts<'_>,
    day: Day,
) -> Option<&'a Agreement> {
    let tiers: &[Tier] = match Tier::try_from(terms.tier).unwrap_or_default() {
        Tier::Country => &[Tier::Institution, Tier::Group],
        Tier::Group => &[Tier::Institution],
        Tier::Institution | Tier::Unspecified => &[],
    };
    tiers.iter().find_map(|tier| of_tier(registry, *tier, (sender, receiver), facts, day))
}

fn of_tier<'a>(
    registry: &'a Registry,
    tier: Tier,
    (sender, receiver): (u64, u64),
    facts: &Facts<'_>,
    day: Day,
) -> Option<&'a Agreement> {
    registry.agreements().find(|agreement| {
        let terms = agreement.terms();
        agreement.acceptance.is_some()
            && terms.tier == i32::from(tier)
            && terms.source_unit == facts.unit
            && speaks_for(registry, terms, sender, receiver, day)
            && covers(terms, facts).is_ok()
            && in_force(registry, &terms.code, terms.version, day)
    })
}
