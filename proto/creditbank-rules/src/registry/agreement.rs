//! Agreements: proposal, acceptance, ending.
//!
//! A version may be proposed anew, by either party, until it is accepted; from then on its text is permanent. Whoever accepts
//! signs the digest of the text, so that nobody accepts what was changed in between.

mod grades;
mod terms;

use creditbank_protocol::InstitutionId;
use creditbank_protocol::mandate::terms_digest;
use creditbank_protocol::pb;

use super::admit::{dates, present, require};
use super::{Registry, RegistryRecord};
use crate::agreement::{days_in_force, intersect, show};
use crate::dates::{Day, date_of, day_of_ms, first_day, last_day};
use crate::{Rejection, Rule};

/// One version of an agreement.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// What one party proposed.
    pub proposal: pb::AgreementProposal,
    /// That the other accepted it.
    pub acceptance: Option<pb::AgreementAcceptance>,
    /// The notice of its ending.
    pub ending: Option<pb::AgreementEnding>,
}

impl Agreement {
    /// The text.
    pub fn terms(&self) -> &pb::AgreementTerms {
        self.proposal.terms.as_ref().expect("admission has seen that there are terms")
    }

    /// Whether an institution is one of the two that sign.
    pub fn has_party(&self, institution: InstitutionId) -> bool {
        [self.terms().sender, self.terms().receiver].contains(&institution.0)
    }
}

pub(super) fn proposal(
    registry: &Registry,
    record: RegistryRecord<'_>,
    proposal: &pb::AgreementProposal,
) -> Result<(), Rejection> {
    let missing = || Rejection::new(Rule::MissingField, "the text of the agreement", "nothing").field("terms");
    let text = proposal.terms.as_ref().ok_or_else(missing)?;
    signed_by(record, proposal.institution.into())?;
    let party = [text.sender, text.receiver].contains(&proposal.institution);
    let expected = "the institution that sends or the one that receives";
    require(party, Rule::NotThePublisher, "institution", expected, proposal.institution)?;
    if let Some(before) = registry.agreement(&text.code, text.version) {
        let shown = show(&text.code, text.version);
        let open = before.acceptance.is_none();
        require(open, Rule::Permanent, "terms", "a version that was not accepted yet", shown)?;
        same_parties(before, text, "a code that other institutions have not proposed")?;
    }
    terms::check(registry, text)
}

pub(super) fn acceptance(
    registry: &Registry,
    record: RegistryRecord<'_>,
    acceptance: pb::AgreementAcceptance,
) -> Result<Agreement, Rejection> {
    let found = named(registry, acceptance.agreement.as_ref(), "an agreement that was proposed")?;
    let terms = found.terms();
    signed_by(record, acceptance.institution.into())?;
    let other = found.has_party(acceptance.institution.into()) && acceptance.institution != found.proposal.institution;
    let expected = "the party that has not proposed it";
    require(other, Rule::NotThePublisher, "institution", expected, acceptance.institution)?;
    let open = found.acceptance.is_none();
    require(open, Rule::Permanent, "agreement", "an agreement that was not accepted yet", show_terms(terms))?;
    let digest = terms_digest(terms).map_err(|error| Rejection::new(Rule::InvalidCode, "terms", error.to_string()))?;
    let same = digest.0.as_slice() == acceptance.terms_digest.as_slice();
    let expected = format!("{digest} (what was proposed last)");
    let unlike = "the digest of another text";
    require(same, Rule::Contradiction, "terms_digest", &expected, unlike)?;
    // What it names may have changed since the proposal.
    terms::check(registry, terms)?;
    no_overlap(registry, terms)?;
    Ok(Agreement { acceptance: Some(acceptance), ..found })
}

pub(super) fn ending(
    registry: &Registry,
    record: RegistryRecord<'_>,
    ending: pb::AgreementEnding,
) -> Result<Agreement, Rejection> {
    let found = named(registry, ending.agreement.as_ref(), "an agreement that was accepted")?;
    signed_by(record, ending.institution.into())?;
    let party = found.has_party(ending.institution.into());
    require(party, Rule::NotThePublisher, "institution", "a party of the agreement", ending.institution)?;
    let terms = found.terms();
    let accepted = found.acceptance.is_some();
    require(accepted, Rule::NotInForce, "agreement", "an agreement that was accepted", show_terms(terms))?;
    let open = found.ending.is_none();
    require(
        open,
        Rule::Permanent,
        "agreement",
        "an agreement whose ending was not given notice of",
        show_terms(terms),
    )?;
    present(ending.ends.is_some(), "ends", "the last day of conversions under it")?;
    dates(None, ending.ends.as_ref(), "ends")?;
    let earliest = day_of_ms(record.sealed_at_ms).saturating_add(Day::from(terms.notice_days));
    let in_time = ending.ends.as_ref().is_some_and(|ends| last_day(ends) >= earliest);
    let expected =
        format!("{} or later ({} days of notice)", crate::dates::show(&date_of(earliest)), terms.notice_days);
    let shown = ending.ends.as_ref().map_or(String::new(), crate::dates::show);
    require(in_time, Rule::InvalidDate, "ends", &expected, shown)?;
    Ok(Agreement { ending: Some(ending), ..found })
}

fn show_terms(terms: &pb::AgreementTerms) -> String {
    show(&terms.code, terms.version)
}

/// What an institution signs it signs in its own name.
fn signed_by(record: RegistryRecord<'_>, institution: InstitutionId) -> Result<(), Rejection> {
    let own = record.institution == institution;
    require(own, Rule::NotThePublisher, "institution", "the institution that signs the block", institution)
}

fn named(registry: &Registry, name: Option<&pb::AgreementName>, expected: &str) -> Result<Agreement, Rejection> {
    let name = name.cloned().unwrap_or_default();
    let found = registry.agreement(&name.code, name.version).cloned();
    let shown = show(&name.code, name.version);
    found.ok_or_else(|| Rejection::new(Rule::UnknownReference, expected, shown).field("agreement"))
}

/// Codes belong to the two institutions that first used them, in this direction.
fn same_parties(before: &Agreement, terms: &pb::AgreementTerms, expected: &str) -> Result<(), Rejection> {
    let of = |terms: &pb::AgreementTerms| (terms.sender, terms.receiver);
    let same = of(before.terms()) == of(terms);
    require(same, Rule::NotThePublisher, "terms", expected, show_terms(before.terms()))
}

/// Two accepted agreements of one tier between the same parties never speak of the same credit on the same day.
fn no_overlap(registry: &Registry, terms: &pb::AgreementTerms) -> Result<(), Rejection> {
    let from = terms.from.as_ref().map_or(Day::MIN, first_day);
    let until = terms.until.as_ref().map_or(Day::MAX, last_day);
    let overlaps = |other: &&Agreement| {
        let theirs = other.terms();
        let named = |name: &pb::AgreementName| name.code == theirs.code && name.version == theirs.version;
        let alike = theirs.code != terms.code
            && (theirs.tier, theirs.sender, theirs.receiver) == (terms.tier, terms.sender, terms.receiver)
            && !terms.replaces.iter().any(named)
            && intersect(theirs, terms);
        alike && days_in_force(registry, other).is_some_and(|(begins, ends)| begins <= until && from <= ends)
    };
    let other = registry.agreements().find(overlaps).map(|other| show_terms(other.terms()));
    let expected = "no other agreement of this tier about the same credit at the same time, or one that it replaces";
    require(other.is_none(), Rule::AgreementsOverlap, "agreement", expected, other.unwrap_or_default())
}
