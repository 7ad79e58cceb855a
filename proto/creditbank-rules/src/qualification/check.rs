//! Whether an allocation makes the award. This is what the ledger recomputes.

use std::collections::BTreeMap;

use creditbank_protocol::pb::{Allocation, Attestation, QualificationDefinition, Ratio};
use creditbank_protocol::{InstitutionId, Portion};

use super::Candidate;
use super::enrolment::HeldEnrolment;
use super::explain::{expects, finds};
use super::matching::matches;
use super::measure::{Case, Finding, HeldAward, Measure};
use super::repeats::{allowed, too_often};
use super::roots::root_uses;
use super::tree::{Tree, takes};
use crate::dates::{Day, date_of, first_day, show, within};
use crate::{Registry, Rejection, Rule};

/// An allocation that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// One for each requirement, in order.
    pub findings: Vec<Finding>,
    /// The exact mean of the first AVERAGE requirement that counts, in ten-thousandths: one that holds, and all nodes
    /// above it. `None` also where a part exceeds what a `Ratio` may hold.
    pub average_e4: Option<Ratio>,
    /// Positions of the candidates that it spends, ascending.
    pub spent: Vec<usize>,
}

const FIELD: &str = "allocations";

fn refuse(rule: Rule, expected: impl Into<String>, found: impl Into<String>) -> Rejection {
    Rejection::new(rule, expected, found).field(FIELD)
}

/// Whether an institution confers a qualification.
pub fn confers(definition: &QualificationDefinition, institution: InstitutionId) -> bool {
    match definition.awarding.as_slice() {
        [] => institution.0 == definition.institution,
        listed => listed.contains(&institution.0),
    }
}

/// Whether awards may be made by an institution under a definition on a day: it is one of those that confer it, the day
/// lies within the definition's dates, and no later version has begun. Or it was so on the first day of an enrolment that
/// names this very version: who began under it may end under it, unless the last enrolment on it says that they left.
pub fn in_force(
    registry: &Registry,
    definition: &QualificationDefinition,
    institution: InstitutionId,
    day: Day,
    enrolments: &[HeldEnrolment],
) -> Result<(), Rejection> {
    if !confers(definition, institution) {
        let expected = "an institution that confers the qualification";
        return Err(Rejection::new(Rule::NotThePublisher, expected, institution.to_string()).field("institution"));
    }
    let on = |one: &&HeldEnrolment| {
        let same = one.definition.as_ref().is_some_and(|name| {
            (name.institution, &name.code, name.version)
                == (definition.institution, &definition.code, definition.version)
        });
        same && one.from <= day
    };
    // Who has left, and has not come back to this version, ends under it no more.
    let newest = enrolments.iter().filter(on).max_by_key(|one| one.from);
    let stays = newest.is_some_and(|one| !one.left);
    let begun_under = |one: &HeldEnrolment| one.counts && stands_on(registry, definition, one.from).is_ok();
    match stands_on(registry, definition, day) {
        Err(_) if stays && enrolments.iter().filter(on).any(begun_under) => Ok(()),
        stands => stands,
    }
}

/// Whether a definition is the one in force on a day.
fn stands_on(registry: &Registry, definition: &QualificationDefinition, day: Day) -> Result<(), Rejection> {
    let late = |found: String| {
        let expected = format!("a definition in force on {}", show(&date_of(day)));
        Rejection::new(Rule::NotInForce, expected, found).field("definition")
    };
    if !within(day, definition.from.as_ref(), definition.until.as_ref()) {
        return Err(late(format!("version {} outside its dates", definition.version)));
    }
    let same = registry.versions_of(definition.institution.into(), &definition.code);
    let begun = |other: &&QualificationDefinition| {
        other.version > definition.version && other.from.as_ref().is_none_or(|from| first_day(from) <= day)
    };
    let later = same.filter(begun).last();
    later.map_or(Ok(()), |later| Err(late(format!("version {}, replaced by {}", definition.version, later.version))))
}

/// Recomputes an award. `candidates` holds what is allocated and, of each, all other standing passes of its course;
/// `institution` confers on `day`. Refuses, in this order: an institution or a day that the definition does not allow;
/// an allocation out of order, to what takes nothing, of what is not there, does not count or does not match; the same
/// candidate or root twice; a course more often than it may count; the first requirement that does not hold; what is
/// taken by something that does not hold; more by one agreement than the agreement allows.
#[expect(clippy::too_many_arguments, reason = "an award has that many sides")]
pub fn check(
    registry: &Registry,
    definition: &QualificationDefinition,
    candidates: &[Candidate],
    allocations: &[Allocation],
    attestations: &[Attestation],
    held: &[HeldAward],
    enrolments: &[HeldEnrolment],
    institution: InstitutionId,
    day: Day,
) -> Result<Audit, Rejection> {
    in_force(registry, definition, institution, day, enrolments)?;
    let case = Case::new(registry, definition, candidates, attestations, held, enrolments, day)?;
    let taken = assign(&case, allocations)?;
    judge(&case, &taken)
}

/// Where each allocated candidate goes.
fn assign(case: &Case<'_>, allocations: &[Allocation]) -> Result<Vec<Vec<usize>>, Rejection> {
    let known: BTreeMap<Portion, usize> =
        case.candidates.iter().enumerate().map(|(position, candidate)| (candidate.portion(), position)).collect();
    let mut taken = vec![Vec::new(); case.tree.size()];
    let mut last = None;
    for allocation in allocations {
        let portion = Portion::of_reference(allocation.record.as_ref(), allocation.result_plus_1);
        let shown = format!("{} for requirement {}", portion.place, allocation.requirement);
        let order = Some((allocation.requirement, portion));
        if order <= last {
            return Err(refuse(Rule::Contradiction, "ascending by requirement, place and result", shown));
        }
        last = order;
        let requirement =
            case.tree.position(allocation.requirement).filter(|position| takes(case.tree.kind(*position)));
        let Some(requirement) = requirement else {
            return Err(refuse(Rule::UnknownReference, "a requirement that takes records", shown));
        };
        let Some(position) = known.get(&portion).copied() else {
            return Err(refuse(Rule::SourceNotUsable, "a record of this learner that can be spent", shown));
        };
        let same = allocation
            .record
            .as_ref()
            .is_some_and(|named| named.status_id == case.candidates[position].record.status_id);
        if !same {
            return Err(refuse(Rule::SourceNotUsable, "the status id of the record at that place", shown));
        }
        taken[requirement].push(position);
    }
    Ok(taken)
}

/// Judges what each requirement takes: positions of candidates per requirement.
pub(crate) fn judge(case: &Case<'_>, taken: &[Vec<usize>]) -> Result<Audit, Rejection> {
    let mut spent: Vec<usize> = Vec::new();
    for (requirement, taken) in taken.iter().enumerate() {
        for position in taken {
            let shown = case.candidates[*position].portion();
            if let Some(obstacle) = case.obstacle(*position) {
                return Err(refuse(Rule::SourceNotUsable, "a record that counts", format!("{shown}, {obstacle}")));
            }
            if let Some(what) = case.misfit(requirement, *position) {
                let expected = format!("for requirement {} a record that matches", Tree::number(requirement));
                return Err(refuse(
                    Rule::RequirementsNotMet,
                    expected,
                    format!("{shown}, which does not by its {what}"),
                ));
            }
            spent.push(*position);
        }
    }
    spent.sort_unstable();
    if let Some(twice) = spent.windows(2).find(|pair| pair[0] == pair[1]) {
        let shown = case.candidates[twice[0]].portion();
        return Err(refuse(Rule::AlreadySpent, "each record for one requirement", format!("{shown} twice")));
    }
    if let Some(twice) = root_uses(case.candidates, &spent).into_iter().find(super::RootUse::is_twice) {
        let found = format!("the root {} more than once", twice.place);
        return Err(refuse(Rule::AlreadySpent, "each root at most once", found));
    }
    if let Some(passes) = too_often(case.definition, case.candidates, &spent) {
        let shown: Vec<String> = passes.iter().map(|one| case.candidates[*one].portion().to_string()).collect();
        let expected = format!("at most {} for one course, whatever way it came", allowed(case.candidates, &passes));
        return Err(refuse(Rule::TooManyRepeats, expected, format!("{}: {}", passes.len(), shown.join(", "))));
    }
    terms(case, &spent)?;
    let findings = case.measure(taken);
    if !findings[0].holds {
        return Err(first_failure(case, &findings));
    }
    let counts = counting_nodes(case, &findings);
    if let Some(idle) = (0..taken.len()).find(|position| !taken[*position].is_empty() && !counts[*position]) {
        let expected = "records only for what holds";
        return Err(refuse(Rule::RequirementsNotMet, expected, format!("some for requirement {}", Tree::number(idle))));
    }
    agreement_caps(case, &spent)?;
    let average_e4 = average(&findings, &counts);
    Ok(Audit { findings, average_e4, spent })
}

/// What is asked beside the definition: nothing, where an award is judged.
fn terms(case: &Case<'_>, spent: &[usize]) -> Result<(), Rejection> {
    let terms = case.terms();
    let taken = spent.iter().copied().collect();
    if let Some(over) = terms.budgets.iter().find(|budget| !budget.holds(&taken)) {
        let (institution, code) = &over.other;
        let found = format!("more credit that counts in {institution}/{code} than both definitions allow");
        return Err(refuse(Rule::AlreadySpent, "no more overlap than is allowed", found));
    }
    let missing = terms.used.iter().find(|one| spent.binary_search(one).is_err());
    match missing.and_then(|one| case.candidates.get(*one)) {
        Some(left) => Err(refuse(Rule::RequirementsNotMet, format!("{} to be used", left.portion()), "it is not")),
        None => Ok(()),
    }
}

/// Which nodes hold together with all nodes above them.
fn counting_nodes(case: &Case<'_>, findings: &[Finding]) -> Vec<bool> {
    let mut counts = Vec::with_capacity(findings.len());
    for (position, finding) in findings.iter().enumerate() {
        let above = case.tree.parent(position).is_none_or(|parent| counts[parent]);
        counts.push(above && finding.holds);
    }
    counts
}

fn average(findings: &[Finding], counts: &[bool]) -> Option<Ratio> {
    let mut means =
        findings.iter().zip(counts).filter(|(_, counts)| **counts).filter_map(|(found, _)| match found.measure {
            Measure::Average { mean_e4, .. } => mean_e4,
            _ => None,
        });
    let mean = means.next()?;
    let part = |value: u128| u64::try_from(value).ok().filter(|value| *value <= crate::decimal::MAX_E4);
    Some(Ratio { numerator: part(mean.numerator())?, denominator: part(mean.denominator())? })
}

/// Follows ALL to the first child that fails; names an ANY itself.
fn first_failure(case: &Case<'_>, findings: &[Finding]) -> Rejection {
    use creditbank_protocol::pb::RequirementType;
    let mut position = 0;
    while case.tree.kind(position) == RequirementType::All {
        let failing = case.tree.children(position).iter().copied().find(|child| !findings[*child].holds);
        let Some(child) = failing else { break };
        position = child;
    }
    let expected = format!("for requirement {}: {}", Tree::number(position), expects(case, position));
    Rejection::new(Rule::RequirementsNotMet, expected, finds(case, position, &findings[position])).field("definition")
}

/// Agreements may cap the share of an award's credit that comes by them, over all of their versions.
fn agreement_caps(case: &Case<'_>, spent: &[usize]) -> Result<(), Rejection> {
    for (code, version, cap) in caps(case, spent) {
        let of = |position: &&usize| {
            case.candidates[**position].agreement.as_ref().is_some_and(|agreement| agreement.code == code)
        };
        let amount = |position: &usize| u128::from(case.candidates[*position].amount_e4());
        let by: u128 = spent.iter().filter(of).map(amount).sum();
        let total: u128 = spent.iter().map(amount).sum();
        if by * u128::from(cap.denominator) > total * u128::from(cap.numerator) {
            let expected =
                format!("at most {}/{} of the credit by agreement {code} {version}", cap.numerator, cap.denominator);
            return Err(refuse(Rule::RequirementsNotMet, expected, "more"));
        }
    }
    Ok(())
}

/// The caps of the agreements by which some of the candidates were converted, by code and version.
pub(crate) fn caps(case: &Case<'_>, positions: &[usize]) -> Vec<(String, u32, Ratio)> {
    let names = positions.iter().filter_map(|position| case.candidates[*position].agreement.as_ref());
    let mut named: Vec<(&str, u32)> = names.map(|name| (name.code.as_str(), name.version)).collect();
    named.sort_unstable();
    named.dedup();
    let cap = |(code, version): (&str, u32)| {
        let cap = case.registry().agreement(code, version)?.terms().award_share_max?;
        Some((code.to_owned(), version, cap))
    };
    named.into_iter().filter_map(cap).collect()
}

impl Case<'_> {
    /// Judges what each requirement takes, as [`check`] does an allocation: positions of candidates per requirement.
    pub fn judge(&self, taken: &[Vec<usize>]) -> Result<Audit, Rejection> {
        judge(self, taken)
    }

    /// The caps of the agreements by which some of the candidates were converted: code, version and share, and which of
    /// the candidates came by the code.
    pub fn caps(&self, positions: &[usize]) -> Vec<(Ratio, Vec<usize>)> {
        let each = caps(self, positions).into_iter().map(|(code, _, cap)| {
            let by = |position: &usize| {
                self.candidates[*position].agreement.as_ref().is_some_and(|agreement| agreement.code == code)
            };
            (cap, positions.iter().copied().filter(by).collect())
        });
        each.collect()
    }

    /// Whether a candidate is among what an aggregate asks about.
    pub fn matches(&self, requirement: usize, candidate: usize) -> bool {
        matches(super::measure::asked(self.tree.node(requirement)), &self.candidates[candidate])
    }
}
