//! For which institutions an agreement speaks.

use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb::{AgreementTerms, RelationType, Tier};

use crate::Registry;
use crate::dates::{Day, within};

/// Whether, on a day, `sender` is on the sending side of the agreement and `receiver` on the receiving one: as the party itself;
/// with a group's tier, also as its member; with a country's, as any institution of the party's country.
pub fn speaks_for(
    registry: &Registry,
    terms: &AgreementTerms,
    sender: InstitutionId,
    receiver: InstitutionId,
    day: Day,
) -> bool {
    sends(registry, terms, sender, day) && receives(registry, terms, receiver, day)
}

pub(super) fn sends(registry: &Registry, terms: &AgreementTerms, institution: InstitutionId, day: Day) -> bool {
    on_side(registry, terms, terms.sender.into(), institution, day)
}

pub(super) fn receives(registry: &Registry, terms: &AgreementTerms, institution: InstitutionId, day: Day) -> bool {
    on_side(registry, terms, terms.receiver.into(), institution, day)
}

fn on_side(
    registry: &Registry,
    terms: &AgreementTerms,
    party: InstitutionId,
    institution: InstitutionId,
    day: Day,
) -> bool {
    match Tier::try_from(terms.tier).unwrap_or_default() {
        Tier::Institution => institution == party,
        Tier::Group => institution == party || is_member(registry, institution, party, day),
        Tier::Country => {
            let country = |number| registry.institution(number).map_or("", |found| found.country.as_str());
            !country(party).is_empty() && country(party) == country(institution)
        }
        Tier::Unspecified => false,
    }
}

fn is_member(registry: &Registry, institution: InstitutionId, group: InstitutionId, day: Day) -> bool {
    let member = i32::from(RelationType::MemberOf);
    registry.institution(institution).is_some_and(|found| {
        found.relations.iter().any(|relation| {
            relation.r#type == member
                && InstitutionId(relation.institution) == group
                && within(day, relation.from.as_ref(), relation.until.as_ref())
        })
    })
}
