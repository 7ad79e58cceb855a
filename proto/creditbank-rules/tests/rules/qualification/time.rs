//! What is judged by the day of conferral.

use creditbank_protocol::pb::{Attestation, Match, Requirement, RequirementType};
use creditbank_rules::Rule;
use creditbank_rules::dates::parse;
use creditbank_rules::qualification::{Candidate, check};

use super::scene::*;
use crate::fixtures::node;

/// Goal: age is counted in months from the end of the period to the day of conferral.
#[test]
fn age_is_judged_at_conferral() {
    let age = Requirement { months: 84, ..node(1, RequirementType::Age) };
    let definition = definition(vec![node(0, RequirementType::All), credits(1, 30, Match::default()), age]);
    let ended = |until: &str| [Candidate { period: Some((day("2017-01-01"), day(until))), ..credit(0, 30) }];
    judged(&definition, &ended("2017-07-15"), &[put(2, 0)]).expect("seven years to the day");
    let refused = judged(&definition, &ended("2017-07-14"), &[put(2, 0)]);
    assert_refused(refused, Rule::RequirementsNotMet, "5/0 older than 84 months");
    let unknown = [Candidate { period: None, ..credit(0, 30) }];
    assert_refused(judged(&definition, &unknown, &[put(2, 0)]), Rule::RequirementsNotMet, "older");
}

/// Goal: enrolment is the time between own periods.
#[test]
fn enrolment_is_own() {
    let stay = Requirement { months: 12, ..node(1, RequirementType::Enrolment) };
    let definition = definition(vec![node(0, RequirementType::All), credits(1, 60, Match::default()), stay]);
    let between = |one: Candidate, from: &str, until: &str| Candidate { period: Some((day(from), day(until))), ..one };
    let both = [put(2, 0), put(2, 1)];
    let last = between(credit(1, 30), "2024-01-15", "2024-06-30");
    let first = between(credit(0, 30), "2023-07-01", "2023-12-31");
    judged(&definition, &[first, last.clone()], &both).expect("twelve months");
    let late = between(credit(0, 30), "2023-07-02", "2023-12-31");
    assert_refused(
        judged(&definition, &[late, last.clone()], &both),
        Rule::RequirementsNotMet,
        "2023-07-02 to 2024-06-30",
    );
    let elsewhere = between(transfer(0, 30), "2023-07-01", "2023-12-31");
    assert_refused(judged(&definition, &[elsewhere, last], &both), Rule::RequirementsNotMet, "2024-01-15");
}

/// Goal: an attestation names who gave it, for this requirement, by the day of conferral.
#[test]
fn attestations() {
    let thesis = Requirement { code: "THESIS".to_owned(), ..node(0, RequirementType::Attestation) };
    let definition = definition(vec![thesis]);
    let by = |who: &str, on: &str, requirement| Attestation {
        requirement,
        attested_by: who.to_owned(),
        on: parse(on),
        ..Default::default()
    };
    let judged = |one: Attestation| {
        check(&registry(), &definition, &[], &[], &[one], &[], &[], UNIVERSITY.into(), day(CONFERRED))
    };
    judged(by("The board", CONFERRED, 1)).expect("on the day");
    assert_refused(judged(by("The board", "2024-07-16", 1)), Rule::RequirementsNotMet, "THESIS");
    assert_refused(judged(by("", CONFERRED, 1)), Rule::RequirementsNotMet, "THESIS");
    assert_refused(judged(by("The board", CONFERRED, 2)), Rule::RequirementsNotMet, "THESIS");
}

/// Goal: awards are made within a definition's dates, by those who confer it.
#[test]
fn a_definition_has_its_time() {
    let mut definition = definition(vec![credits(0, 30, Match::default())]);
    let candidates = [credit(0, 30)];
    definition.until = parse("2024-07-14");
    assert_refused(judged(&definition, &candidates, &[put(1, 0)]), Rule::NotInForce, "outside its dates");
    definition.until = parse("2024-07");
    judged(&definition, &candidates, &[put(1, 0)]).expect("the month is not over");
    definition.awarding = vec![OTHER];
    assert_refused(judged(&definition, &candidates, &[put(1, 0)]), Rule::NotThePublisher, "confers");
}
