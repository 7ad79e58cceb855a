//! Learners whom a greedy allocation refuses, and who qualify.

use creditbank_allocation::{Answer, Undecided};
use creditbank_protocol::pb::{Match, Origin, Requirement, RequirementType};
use creditbank_rules::qualification::{Candidate, Obstacle, UnusedReason};

use super::scene::*;

/// Takes records in order, each for the first requirement that is open and that it matches: what must not be done.
pub(crate) fn greedy(definition: &creditbank_protocol::pb::QualificationDefinition, candidates: &[Candidate]) -> bool {
    let registry = registry();
    let case = creditbank_rules::qualification::Case::new(&registry, definition, candidates, &[], &[], &[], day());
    let case = case.expect("a tree");
    let mut taken: Vec<Vec<usize>> = vec![Vec::new(); case.tree.size()];
    for candidate in (0..candidates.len()).filter(|one| case.obstacle(*one).is_none()) {
        let open = (0..case.tree.size()).find(|requirement| {
            let takes = creditbank_rules::qualification::takes(case.tree.kind(*requirement));
            takes && case.misfit(*requirement, candidate).is_none() && !case.measure(&taken)[*requirement].holds
        });
        if let Some(requirement) = open {
            taken[requirement].push(candidate);
        }
    }
    case.judge(&taken).is_ok()
}

fn qualifies_but_not_greedily(nodes: Vec<Requirement>, candidates: &[Candidate]) {
    let definition = definition(nodes);
    assert!(!greedy(&definition, candidates), "greedy would refuse");
    assert!(is_met(&answer(&registry(), &definition, candidates)), "the learner qualifies");
}

/// Goal: the only record that a narrow requirement can have is not taken by a broad one.
#[test]
fn the_narrow_requirement_gets_its_record() {
    let nodes = vec![all(), credits(1, 10, Match::default()), credits(1, 10, fields(&["06"]))];
    qualifies_but_not_greedily(nodes, &[credit(0, 10, "0613"), credit(1, 10, "0222")]);
}

/// Goal: whole records are fitted as in a puzzle: 6 + 4 and 5 + 5, where 6 + 5 leaves 4 + 5 short.
#[test]
fn whole_records_are_fitted() {
    let nodes = vec![all(), credits(1, 10, Match::default()), credits(1, 10, Match::default())];
    let amounts = [6, 5, 5, 4];
    let candidates: Vec<Candidate> =
        amounts.iter().zip(0..).map(|(amount, index)| credit(index, *amount, "0613")).collect();
    qualifies_but_not_greedily(nodes, &candidates);
}

/// Goal: a cap on transferred credit decides which records are used, not how many there are.
#[test]
fn caps_choose_the_records() {
    let cap = Requirement {
        share: share(1, 3),
        r#match: Some(of_origin(Origin::Transfer)),
        ..node(1, RequirementType::AtMost)
    };
    let transfer = |index| Candidate { origin: Origin::Transfer, ..credit(index, 10, "0613") };
    let nodes = vec![all(), credits(1, 30, Match::default()), cap];
    qualifies_but_not_greedily(nodes, &[transfer(0), transfer(1), credit(2, 10, "0613"), credit(3, 10, "0613")]);
}

/// Goal: a mean is reached with the better records.
#[test]
fn means_choose_the_records() {
    let mean = Requirement { minimum: grade(60), ..node(1, RequirementType::Average) };
    let graded = |index, value| Candidate { grade: grade(value), ..credit(index, 10, "0613") };
    let nodes = vec![all(), credits(1, 20, Match::default()), mean];
    qualifies_but_not_greedily(nodes, &[graded(0, 40), graded(1, 60), graded(2, 60)]);
}

/// Goal: of several ways the one that is open is taken.
#[test]
fn a_later_way_is_taken() {
    let any = Requirement { choose: 1, ..node(1, RequirementType::Any) };
    let nodes = vec![
        all(),
        any,
        credits(2, 30, Match::default()),
        credits(2, 10, fields(&["02"])),
        credits(1, 20, fields(&["06"])),
    ];
    qualifies_but_not_greedily(nodes, &[credit(0, 10, "0613"), credit(1, 10, "0613"), credit(2, 10, "0222")]);
}

/// Goal: what is missing is told exactly, with what would help.
#[test]
fn what_is_missing_is_told() {
    let nodes = vec![all(), credits(1, 20, fields(&["06"])), credits(1, 20, Match::default())];
    let mut candidates =
        vec![credit(0, 10, "0613"), credit(1, 10, "0222"), credit(2, 10, "0222"), credit(3, 9, "0222")];
    candidates.push(Candidate { hypothetical: true, ..credit(4, 10, "0611") });
    candidates.push(Candidate { amount: amount_of(200_000, "CATS"), ..credit(5, 20, "0611") });
    candidates.push(Candidate { expires: Some(day() - 1), ..credit(6, 10, "0611") });
    let Answer::Missing(found) = answer(&registry(), &definition(nodes), &candidates) else {
        panic!("ten are missing");
    };
    let at = |number: usize| found.progress.requirements[number - 1].found.as_str();
    assert_eq!(at(2), "10 ECTS of 20 ECTS, 10 ECTS missing");
    assert_eq!(at(3), "20 ECTS of 20 ECTS, 0 ECTS missing");
    let reasons: Vec<(usize, UnusedReason, &[u32])> = found
        .progress
        .unused
        .iter()
        .filter(|unused| unused.candidate >= 4)
        .map(|unused| (unused.candidate, unused.reason.clone(), unused.would_fit.as_slice()))
        .collect();
    let expected: [(usize, UnusedReason, &[u32]); 3] = [
        (4, UnusedReason::NotConverted, &[2, 3]),
        (5, UnusedReason::Obstacle(Obstacle::Unit("CATS".to_owned())), &[2, 3]),
        (6, UnusedReason::Obstacle(Obstacle::Expired(day() - 1)), &[2, 3]),
    ];
    assert_eq!(reasons, expected);
}

/// Goal: nothing is spent that is not needed.
#[test]
fn nothing_is_spent_without_need() {
    let candidates: Vec<Candidate> = (0..9).map(|index| credit(index, 5, "0613")).collect();
    let Answer::Met { audit, .. } =
        answer(&registry(), &definition(vec![credits(0, 20, Match::default())]), &candidates)
    else {
        panic!("45 are enough");
    };
    assert_eq!(audit.spent.len(), 4);
}

/// Goal: without patience the answer is honest.
#[test]
fn without_patience_undecided() {
    let registry = registry();
    let definition = definition(vec![credits(0, 20, Match::default())]);
    let candidates = [credit(0, 20, "0613")];
    let case = creditbank_rules::qualification::Case::new(&registry, &definition, &candidates, &[], &[], &[], day());
    let answer = creditbank_allocation::allocate(&case.expect("a tree"), &mut || true);
    assert_eq!(answer, Answer::Undecided(Undecided::Time));
}

/// Goal: the order in which records are handed over does not matter, nor how often one asks.
#[test]
fn the_same_records_have_the_same_allocation() {
    let registry = registry();
    let nodes = vec![all(), credits(1, 20, fields(&["06"])), credits(1, 15, Match::default())];
    let definition = definition(nodes);
    let mut candidates: Vec<Candidate> =
        (0..12).map(|index| credit(index, 3 + u64::from(index % 4), ["0613", "0222"][index as usize % 2])).collect();
    let allocations = |candidates: &[Candidate]| match answer(&registry, &definition, candidates) {
        Answer::Met { found, .. } => found.allocations,
        other => panic!("these are enough: {other:?}"),
    };
    let first = allocations(&candidates);
    assert_eq!(allocations(&candidates), first);
    candidates.reverse();
    assert_eq!(allocations(&candidates), first);
    candidates.rotate_left(5);
    assert_eq!(allocations(&candidates), first);
}
