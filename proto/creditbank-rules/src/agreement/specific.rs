//! Which agreement wins: institution before group before country.

use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb::{AgreementTerms, Tier};

use super::in_force;
use super::parties::{receives, sends, speaks_for};
use super::scope::{Facts, outside};
use crate::dates::Day;
use crate::{Agreement, Registry};

/// The agreement under which credit of `sender` becomes credit of `receiver` on a day: of those in force that speak for both
/// and cover it, one of the most specific tier; of several groups or authorities, the first by code.
pub fn most_specific<'a>(
    registry: &'a Registry,
    sender: InstitutionId,
    receiver: InstitutionId,
    facts: &Facts<'_>,
    day: Day,
) -> Option<&'a Agreement> {
    let tiers = [Tier::Institution, Tier::Group, Tier::Country];
    tiers.into_iter().find_map(|tier| of_tier(registry, tier, (sender, receiver), facts, day))
}

/// The agreements of a more specific tier than one, into the same receiver, from which one may win over it.
pub(crate) struct Rivals<'a> {
    registry: &'a Registry,
    day: Day,
    agreements: Vec<&'a Agreement>,
}

impl<'a> Rivals<'a> {
    pub(crate) fn of(registry: &'a Registry, terms: &AgreementTerms, receiver: InstitutionId, day: Day) -> Self {
        let rival = |agreement: &&Agreement| {
            let other = agreement.terms();
            agreement.acceptance.is_some()
                && other.tier < terms.tier
                && other.source_unit == terms.source_unit
                && receives(registry, other, receiver, day)
        };
        // Nothing is more specific than an agreement of the two institutions.
        let any = terms.tier != i32::from(Tier::Institution);
        let agreements = if any { registry.agreements().filter(rival).collect() } else { Vec::new() };
        Self { registry, day, agreements }
    }

    /// One that is in force and covers the credit of a sender too.
    pub(crate) fn covering(&self, sender: InstitutionId, facts: &Facts<'_>) -> Option<&'a Agreement> {
        let wins = |agreement: &&&Agreement| {
            let terms = agreement.terms();
            outside(terms, facts).is_none()
                && sends(self.registry, terms, sender, self.day)
                && in_force(self.registry, &terms.code, terms.version, self.day)
        };
        self.agreements.iter().find(wins).copied()
    }
}

fn of_tier<'a>(
    registry: &'a Registry,
    tier: Tier,
    (sender, receiver): (InstitutionId, InstitutionId),
    facts: &Facts<'_>,
    day: Day,
) -> Option<&'a Agreement> {
    registry.agreements().find(|agreement| {
        let terms = agreement.terms();
        agreement.acceptance.is_some()
            && terms.tier == i32::from(tier)
            && outside(terms, facts).is_none()
            && speaks_for(registry, terms, sender, receiver, day)
            && in_force(registry, &terms.code, terms.version, day)
    })
}
