//! Records, roots and requirements.

use creditbank_protocol::Place;
use creditbank_protocol::pb::{Match, Origin, QualificationName, Ratio, Requirement, RequirementType};
use creditbank_rules::Rule;
use creditbank_rules::qualification::{Barred, CandidateRoot, HeldAward};

use super::scene::*;
use crate::fixtures::{amount, fheq, node};

fn honours() -> Vec<Requirement> {
    let amount_e4 = 900_000;
    let at_least = node(1, RequirementType::AtLeast);
    vec![
        node(0, RequirementType::All),
        credits(1, 360, Match::default()),
        Requirement { amount_e4, r#match: Some(at_level("6")), ..at_least },
    ]
}

/// Goal: an award is made when the amount is reached, to the last ten-thousandth, and the refusal says what is missing.
#[test]
fn the_amount_decides() {
    let definition = definition(honours());
    let mut candidates = vec![credit(0, 300), credit(1, 60)];
    let allocations = [put(2, 0), put(2, 1)];
    let audit = judged(&definition, &candidates, &allocations).expect("360 are enough");
    assert_eq!(audit.spent, [0, 1]);
    candidates[1].amount = Some(amount(599_999, "CATS"));
    let part = "359.9999 CATS of 360 CATS, 0.0001 CATS missing";
    assert_refused(judged(&definition, &candidates, &allocations), Rule::RequirementsNotMet, part);
    candidates[1].amount = Some(amount(600_000, "CATS"));
    candidates[0].level = Some(fheq("5"));
    assert_refused(judged(&definition, &candidates, &allocations), Rule::RequirementsNotMet, "30 CATS missing");
}

/// Goal: a record fills one requirement, and only one that it matches; allocations are in order and to what takes.
#[test]
fn a_record_fills_one_requirement() {
    let definition = definition(vec![
        node(0, RequirementType::All),
        credits(1, 60, Match::default()),
        credits(1, 60, at_level("5")),
    ]);
    let candidates = [credit(0, 60)];
    let twice = [put(2, 0), put(3, 0)];
    let mut five = candidates.clone();
    five[0].level = Some(fheq("5"));
    assert_refused(judged(&definition, &five, &twice), Rule::AlreadySpent, "5/0 twice");
    assert_refused(judged(&definition, &candidates, &[put(3, 0)]), Rule::RequirementsNotMet, "level");
    assert_refused(judged(&definition, &candidates, &[put(1, 0)]), Rule::UnknownReference, "takes records");
    assert_refused(judged(&definition, &candidates, &[put(2, 7)]), Rule::SourceNotUsable, "5/7");
    let two = [credit(0, 60), credit(1, 60)];
    assert_refused(judged(&definition, &two, &[put(2, 1), put(2, 0)]), Rule::Contradiction, "ascending");
}

/// Goal: a root pays once: halves of it may both count, halves and the whole may not.
#[test]
fn a_root_counts_once() {
    let definition = definition(vec![credits(0, 60, Match::default())]);
    let part = |index: u32, numerator: u64| {
        let mut one = credit(index, 30);
        let fraction = Ratio { numerator, denominator: 6 };
        one.roots = vec![CandidateRoot { place: Place::new(1, 1), fraction }];
        one
    };
    let both = [put(1, 0), put(1, 1)];
    judged(&definition, &[part(0, 3), part(1, 3)], &both).expect("two halves");
    assert_refused(judged(&definition, &[part(0, 3), part(1, 4)], &both), Rule::AlreadySpent, "1/1");
}

/// Goal: what is spent, in another unit or only thought of does not count, and the refusal says why.
#[test]
fn only_what_stands_counts() {
    let definition = definition(vec![credits(0, 30, Match::default())]);
    let refused = |change: fn(&mut creditbank_rules::qualification::Candidate), part: &str| {
        let mut one = credit(0, 30);
        change(&mut one);
        assert_refused(judged(&definition, &[one], &[put(1, 0)]), Rule::SourceNotUsable, part);
    };
    refused(|one| one.barred = Some(Barred::Spent), "already spent");
    refused(|one| one.barred = Some(Barred::UnderReview), "under review");
    refused(|one| one.amount = Some(amount(300_000, "ECTS")), "in ECTS, which has to be converted");
    refused(|one| one.hypothetical = true, "not converted yet");
    refused(|one| one.expires = Some(day("2024-07-14")), "expired after 2024-07-14");
    refused(|one| one.record.status_id = vec![8; 32], "status id");
}

/// Goal: caps and residency are shares of everything that is taken, exactly.
#[test]
fn shares_are_exact() {
    let capped = |numerator, denominator| {
        let at_most = node(1, RequirementType::AtMost);
        let asked = Some(of_origin(Origin::Transfer));
        definition(vec![
            node(0, RequirementType::All),
            credits(1, 90, Match::default()),
            Requirement { share: share(numerator, denominator), r#match: asked, ..at_most },
        ])
    };
    let candidates = [credit(0, 60), transfer(1, 30)];
    let allocations = [put(2, 0), put(2, 1)];
    judged(&capped(1, 3), &candidates, &allocations).expect("a third is a third");
    let refused = judged(&capped(333_333, 1_000_000), &candidates, &allocations);
    assert_refused(refused, Rule::RequirementsNotMet, "at most 33.3333 %");
}

/// Goal: any k of several, and nothing is taken by what does not hold.
#[test]
fn only_what_holds_takes() {
    let any = Requirement { choose: 1, ..node(0, RequirementType::Any) };
    let definition = definition(vec![any, credits(1, 60, Match::default()), credits(1, 60, at_level("5"))]);
    let mut candidates = [credit(0, 60), credit(1, 30)];
    judged(&definition, &candidates, &[put(2, 0)]).expect("one of two");
    assert_refused(judged(&definition, &candidates, &[put(2, 1)]), Rule::RequirementsNotMet, "0 of 1");
    candidates[1].level = Some(fheq("5"));
    let idle = judged(&definition, &candidates, &[put(2, 0), put(3, 1)]);
    assert_refused(idle, Rule::RequirementsNotMet, "some for requirement 3");
}

/// Goal: courses by their codes, and an earlier award in any or one version.
#[test]
fn courses_and_awards() {
    let courses = Match { courses: vec!["C0".to_owned(), "C1".to_owned()], ..Default::default() };
    let name = |version| QualificationName { institution: OTHER, code: "CERT".to_owned(), version };
    let wants = |version| Requirement { awards: vec![name(version)], ..node(1, RequirementType::Award) };
    let of = |version| {
        let core = Requirement { r#match: Some(courses.clone()), ..node(1, RequirementType::Courses) };
        definition(vec![node(0, RequirementType::All), core, wants(version)])
    };
    let candidates = [credit(0, 0), credit(1, 10)];
    let both = [put(2, 0), put(2, 1)];
    let held = [HeldAward { definition: name(2), conferred: day("2020-01-01") }];
    judged_with(&of(2), &candidates, &both, &held).expect("version 2");
    judged_with(&of(0), &candidates, &both, &held).expect("any version");
    assert_refused(judged_with(&of(1), &candidates, &both, &held), Rule::RequirementsNotMet, "found none");
    assert_refused(judged_with(&of(2), &candidates, &both[..1], &held), Rule::RequirementsNotMet, "nothing for C1");
}

/// Goal: what looks without taking is filled by what others take, in a choice by the whole that the choice is part of, and
/// a refusal says what is missing.
#[test]
fn what_is_asked_among_what_counts() {
    let among = |parent, amount: u64, choose, asked| Requirement {
        amount_e4: amount * 10_000,
        choose,
        r#match: Some(asked),
        ..node(parent, RequirementType::Among)
    };
    let courses =
        |codes: &[&str]| Match { courses: codes.iter().map(|code| (*code).to_owned()).collect(), ..Match::default() };
    let whole = |more: Vec<Requirement>| {
        definition([vec![node(0, RequirementType::All), credits(1, 60, Match::default())], more].concat())
    };
    let mut candidates = vec![credit(0, 20), credit(1, 20), credit(2, 20), credit(3, 20)];
    let first = [put(2, 0), put(2, 1), put(2, 2)];
    let others = [put(2, 0), put(2, 1), put(2, 3)];
    let core = whole(vec![among(1, 0, 0, courses(&["C0", "C2"]))]);
    judged(&core, &candidates, &first).expect("both are there");
    assert_refused(judged(&core, &candidates, &others), Rule::RequirementsNotMet, "1 of 2, nothing for C2");
    let one = whole(vec![among(1, 0, 1, courses(&["C2", "C3"]))]);
    judged(&one, &candidates, &first).expect("one of them");
    judged(&one, &candidates, &others).expect("the other");
    assert_refused(judged(&core, &candidates, &[put(2, 0), put(3, 1)]), Rule::UnknownReference, "takes records");
    candidates[2].level = Some(fheq("5"));
    let piece = whole(vec![among(1, 0, 0, at_level("5"))]);
    judged(&piece, &candidates, &first).expect("a record of this level");
    assert_refused(judged(&piece, &candidates, &others), Rule::RequirementsNotMet, "0 of 1");
    // In a choice, as if it stood beside the choice.
    let any = Requirement { choose: 1, ..node(1, RequirementType::Any) };
    let choice = whole(vec![any, among(3, 20, 0, at_level("5")), among(3, 0, 0, courses(&["C9"]))]);
    judged(&choice, &candidates, &first).expect("20 at level 5");
    assert_refused(judged(&choice, &candidates, &others), Rule::RequirementsNotMet, "requirement 3");
}
