//! Means and retakes.

use creditbank_protocol::pb::{Grade, GradePoint, Match, Ratio, Requirement, RequirementType, RetakePolicy};
use creditbank_rules::qualification::Candidate;
use creditbank_rules::{CourseName, Rule};

use super::scene::*;
use crate::fixtures::node;

fn graded(index: u32, amount: u64, scale: &str, value: &str) -> Candidate {
    let grade = Some(Grade { scale: scale.to_owned(), value: value.to_owned() });
    Candidate { grade, ..credit(index, amount) }
}

fn mean(scale: &str, minimum: &str) -> creditbank_protocol::pb::QualificationDefinition {
    let minimum = Some(Grade { scale: scale.to_owned(), value: minimum.to_owned() });
    let average = Requirement { minimum, ..node(1, RequirementType::Average) };
    let requirements = vec![node(0, RequirementType::All), credits(1, 30, Match::default()), average];
    creditbank_protocol::pb::QualificationDefinition { average_scale: scale.to_owned(), ..definition(requirements) }
}

/// Goal: the mean is weighted by credit and exact; what has no grade is left out.
#[test]
fn the_mean_is_exact() {
    let candidates = [graded(0, 10, "GB-100-UG", "60"), graded(1, 20, "GB-100-UG", "70"), credit(2, 100)];
    let all = [put(2, 0), put(2, 1), put(2, 2)];
    let audit = judged(&mean("GB-100-UG", "66.6666"), &candidates, &all).expect("200 / 3 is more");
    assert_eq!(audit.average_e4, Some(Ratio { numerator: 2_000_000, denominator: 3 }));
    assert_refused(judged(&mean("GB-100-UG", "66.6667"), &candidates, &all), Rule::RequirementsNotMet, "66.6666");
}

/// Goal: where a smaller number is better, at least means at most.
#[test]
fn scales_that_run_downwards() {
    let candidates = [graded(0, 10, "DE-5", "1.3"), graded(1, 20, "DE-5", "2.0")];
    let all = [put(2, 0), put(2, 1)];
    judged(&mean("DE-5", "1.8"), &candidates, &all).expect("1.7667 is better than 1.8");
    assert_refused(judged(&mean("DE-5", "1.7"), &candidates, &all), Rule::RequirementsNotMet, "found 1.7667");
}

/// Goal: the mean of thirty with honours and eighteen is 24 where the definition counts the honours as thirty.
#[test]
fn honours_count_as_the_definition_says() {
    let mut definition = mean("IT-30", "24");
    definition.grade_points = vec![GradePoint { value: "30L".to_owned(), e4: 300_000 }];
    let candidates = [graded(0, 15, "IT-30", "30L"), graded(1, 15, "IT-30", "18")];
    let both = [put(2, 0), put(2, 1)];
    let audit = judged(&definition, &candidates, &both).expect("24 is reached");
    assert_eq!(audit.average_e4, Some(Ratio { numerator: 240_000, denominator: 1 }));
}

/// Goal: letters have the definition's points.
#[test]
fn letters_have_points() {
    let mut definition = mean("US-4", "B");
    let point = |value: &str, e4| GradePoint { value: value.to_owned(), e4 };
    definition.grade_points = vec![point("A", 40_000), point("B", 30_000), point("C", 20_000)];
    let with = |low: &str| [graded(0, 15, "US-4", "A"), graded(1, 15, "US-4", low)];
    let both = [put(2, 0), put(2, 1)];
    judged(&definition, &with("C"), &both).expect("3.0");
    judged(&definition, &with("D"), &both).expect("a letter without a point is left out");
    definition.grade_points[0].e4 = 39_999;
    assert_refused(judged(&definition, &with("C"), &both), Rule::RequirementsNotMet, "2.9999");
}

/// Goal: each policy lets one pass of a course count, and the mean of all where it says so.
#[test]
fn retakes() {
    let pass = |index: u32, value: &str, until: &str| {
        let period = Some((day("2023-01-01"), day(until)));
        Candidate { course: Some(CourseName::alone(1.into(), "C")), period, ..graded(index, 30, "GB-100-UG", value) }
    };
    let candidates = [pass(0, "50", "2023-06-30"), pass(1, "70", "2023-12-31"), pass(2, "60", "2024-06-30")];
    let under = |policy: RetakePolicy, minimum: &str, index: u32| {
        let mut definition = mean("GB-100-UG", minimum);
        definition.retakes = policy.into();
        judged(&definition, &candidates, &[put(2, index)])
    };
    for (policy, counts, grade) in
        [(RetakePolicy::First, 0, "50"), (RetakePolicy::Best, 1, "70"), (RetakePolicy::Last, 2, "60")]
    {
        under(policy, grade, counts).expect("the pass that counts");
        let other = (counts + 1) % 3;
        assert_refused(under(policy, "40", other), Rule::SourceNotUsable, "another pass of the course counts");
    }
    under(RetakePolicy::Average, "60", 2).expect("the last gives credit, the mean of 50, 70 and 60 the grade");
    assert_refused(under(RetakePolicy::Average, "60.0001", 2), Rule::RequirementsNotMet, "found 60");
}

/// Goal: a retake replaces and a repeat adds: of a course that may be repeated once two passes count, under whatever policy,
/// and all of them where there is none; the mean of all is the number of each that counts.
#[test]
fn repeats_add() {
    let pass = |index: u32, value: &str, until: &str| {
        let period = Some((day("2023-01-01"), day(until)));
        let course = Some(CourseName::alone(1.into(), "C"));
        Candidate { course, period, repeats_max: Some(1), ..graded(index, 30, "GB-100-UG", value) }
    };
    let candidates = [pass(0, "50", "2023-06-30"), pass(1, "70", "2023-12-31"), pass(2, "60", "2024-06-30")];
    let under = |policy: RetakePolicy, minimum: &str, indices: &[u32]| {
        let mut definition = mean("GB-100-UG", minimum);
        definition.retakes = policy.into();
        judged(&definition, &candidates, &indices.iter().map(|index| put(2, *index)).collect::<Vec<_>>())
    };
    for (policy, counts, other, grade) in [
        (RetakePolicy::First, [0, 1], 2, "60"),
        (RetakePolicy::Best, [1, 2], 0, "65"),
        (RetakePolicy::Last, [1, 2], 0, "65"),
        (RetakePolicy::Average, [1, 2], 0, "60"),
    ] {
        let audit = under(policy, grade, &counts).expect("two of three");
        assert_eq!(
            audit.average_e4,
            Some(Ratio { numerator: grade.parse::<u64>().expect("a number") * 10_000, denominator: 1 })
        );
        let refused = under(policy, "40", &[other]);
        assert_refused(refused, Rule::SourceNotUsable, "another pass of the course counts");
    }
    let none = RetakePolicy::Unspecified;
    under(none, "55", &[0, 2]).expect("any two of them");
    assert_refused(under(none, "40", &[0, 1, 2]), Rule::TooManyRepeats, "at most 2 for one course");
}
