//! Overlaps with other awards, what is to be used and kept, and two programmes at once.

use std::collections::BTreeSet;

use creditbank_allocation::{Answer, Beside, Undecided, allocate, allocate_beside};
use creditbank_protocol::Place;
use creditbank_protocol::pb::{Match, QualificationDefinition, Ratio, Requirement, RequirementType as Type};
use creditbank_rules::Registry;
use creditbank_rules::qualification::{Budget, Candidate, CandidateRoot, Case, Charge, Terms, takes};

use super::generated::Dice;
use super::scene::*;

fn case<'a>(registry: &'a Registry, definition: &'a QualificationDefinition, candidates: &'a [Candidate]) -> Case<'a> {
    Case::new(registry, definition, candidates, &[], &[], &[], day()).expect("a tree")
}

fn taken(answer: &Answer) -> Option<BTreeSet<u32>> {
    let Answer::Met { found, .. } = answer else { return None };
    let index = |one: &creditbank_protocol::pb::Allocation| one.record.as_ref()?.place.map(|place| place.index);
    Some(found.allocations.iter().filter_map(index).collect())
}

fn budget(most: u64, charged: impl IntoIterator<Item = (usize, u64)>) -> Budget {
    let charge =
        |(candidate, amount): (usize, u64)| Charge { candidate, amount_e4: amount * 10_000, most_e4: most * 10_000 };
    Budget { other: (2.into(), "OTHER".to_owned()), charges: charged.into_iter().map(charge).collect() }
}

/// Goal: with 8 credits of overlap 52 are found where 52 can be, whichever records come first.
#[test]
fn what_others_leave_is_known() {
    let registry = registry();
    let definition = definition(vec![credits(0, 52, Match::default())]);
    // 44 are free; of the rest, which another award counts, 8 may be used, and only some of it adds up.
    let amounts = [10, 10, 4, 8, 10, 10, 10, 10, 4];
    let shared = [0, 1, 2, 3];
    let candidates: Vec<Candidate> = (0u32..).zip(amounts).map(|(at, amount)| credit(at, amount, "0611")).collect();
    let with = |most: u64| {
        let charged = shared.map(|at| (at, amounts[at]));
        let terms = Terms { budgets: vec![budget(most, charged)], ..Terms::default() };
        allocate(&case(&registry, &definition, &candidates).with(terms), &mut || false)
    };
    let found = taken(&with(8)).expect("52 of 44 and 8");
    assert!(found.contains(&3) && !found.contains(&0) && !found.contains(&1), "{found:?}");
    assert!(matches!(with(7), Answer::Missing(_)), "44 and 4 are not enough");
    assert!(taken(&with(100)).is_some());
}

/// Goal: what is to be used is used, what is to be kept is not, and where both cannot be there is an honest no.
#[test]
fn records_are_chosen() {
    let registry = registry();
    let definition = definition(vec![credits(0, 20, Match::default())]);
    let candidates: Vec<Candidate> = (0..4).map(|at| credit(at, 10, "0611")).collect();
    let ask = |used: &[usize], kept: &[usize]| {
        let terms =
            Terms { used: used.iter().copied().collect(), kept: kept.iter().copied().collect(), ..Terms::default() };
        taken(&allocate(&case(&registry, &definition, &candidates).with(terms), &mut || false))
    };
    let found = ask(&[3], &[0]).expect("two of the other three");
    assert!(found.contains(&3) && !found.contains(&0) && found.len() == 2, "{found:?}");
    assert_eq!(ask(&[2, 3], &[]), Some(BTreeSet::from([2, 3])));
    assert_eq!(ask(&[0, 1, 2], &[]).map(|found| found.len()), Some(3), "more than is needed, as it is wanted");
    assert_eq!(ask(&[], &[0, 1, 2]), None, "10 are left");
}

/// Goal: a definition that anything fills spends what the other one cannot use, although it comes later.
#[test]
fn an_award_leaves_what_others_need() {
    let registry = registry();
    let any = definition(vec![credits(0, 20, Match::default())]);
    let informatics = definition(vec![credits(0, 20, fields(&["06"]))]);
    let candidates = [credit(0, 10, "0611"), credit(1, 10, "0611"), credit(2, 10, "0222"), credit(3, 10, "0222")];
    let own = || case(&registry, &any, &candidates);
    let alone = taken(&allocate(&own(), &mut || false)).expect("20 of 40");
    let beside = Beside { case: case(&registry, &informatics, &candidates), overlap_e4: 0 };
    let found = taken(&allocate_beside(&own(), &[beside], &mut || false)).expect("20 of 40");
    assert_eq!((alone, found), (BTreeSet::from([0, 1]), BTreeSet::from([2, 3])));
    // What it cannot make yet is left what it could count all the same.
    let far = definition(vec![credits(0, 180, fields(&["06"]))]);
    let beside = Beside { case: case(&registry, &far, &candidates), overlap_e4: 0 };
    let found = taken(&allocate_beside(&own(), &[beside], &mut || false)).expect("20 of 40");
    assert_eq!(found, BTreeSet::from([2, 3]));
    let patience = Beside { case: case(&registry, &far, &candidates), overlap_e4: 0 };
    let answer = allocate_beside(&own(), &[patience], &mut || true);
    assert_eq!(answer, Answer::Undecided(Undecided::Time));
}

/// A definition of one or two requirements, perhaps in a choice.
fn some_definition(dice: &mut Dice) -> QualificationDefinition {
    let asked = |dice: &mut Dice| match dice.below(4) {
        0 => Match::default(),
        1 => fields(&["06"]),
        2 => fields(&["0222"]),
        _ => fields(&["0611"]),
    };
    let top = if dice.one_in(4) { Requirement { choose: 1, ..node(0, Type::Any) } } else { all() };
    let mut nodes = vec![top];
    for _ in 0..=dice.below(2) {
        let amount = 2 + dice.below(7);
        let asked = asked(dice);
        nodes.push(credits(1, amount, asked));
    }
    definition(nodes)
}

fn some_candidates(dice: &mut Dice) -> Vec<Candidate> {
    let count = u32::try_from(3 + dice.below(3)).expect("small");
    let one = |dice: &mut Dice, index: u32| {
        let amount = 1 + dice.below(5);
        let mut one = credit(index, amount, ["0611", "0613", "0222"][dice.index(3)]);
        if dice.one_in(5) {
            let fraction = Ratio { numerator: 1, denominator: 2 };
            one.roots = vec![CandidateRoot { place: Place::new(1, 1), fraction }];
        }
        one
    };
    (0..count).map(|index| one(dice, index)).collect()
}

/// What each allocation that makes the award takes.
fn ways(case: &Case<'_>) -> BTreeSet<BTreeSet<usize>> {
    fn next(case: &Case<'_>, at: usize, taken: &mut Vec<Vec<usize>>, found: &mut BTreeSet<BTreeSet<usize>>) {
        if at == case.candidates.len() {
            if case.judge(taken).is_ok() {
                found.insert(taken.iter().flatten().copied().collect());
            }
            return;
        }
        next(case, at + 1, taken, found);
        for node in 0..case.tree.size() {
            if takes(case.tree.kind(node)) && case.misfit(node, at).is_none() {
                taken[node].push(at);
                next(case, at + 1, taken, found);
                taken[node].pop();
            }
        }
    }
    let mut found = BTreeSet::new();
    next(case, 0, &mut vec![Vec::new(); case.tree.size()], &mut found);
    found
}

/// What candidates share a root with what an award has taken.
fn touched(candidates: &[Candidate], taken: &BTreeSet<usize>) -> BTreeSet<usize> {
    let roots: BTreeSet<Place> =
        taken.iter().flat_map(|one| candidates[*one].roots.iter().map(|root| root.place)).collect();
    let shares = |one: &usize| candidates[*one].roots.iter().any(|root| roots.contains(&root.place));
    (0..candidates.len()).filter(shares).collect()
}

/// Goal: of two programmes, each is awarded after the other, in both orders, exactly where some choice of records makes both
/// possible: against brute force over both allocations.
#[test]
fn two_programmes_in_either_order() {
    let registry = registry();
    let (mut both, mut saved) = (0, 0);
    for seed in 1..=1_500u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        dice.below(2);
        let (one, other) = (some_definition(&mut dice), some_definition(&mut dice));
        let candidates = some_candidates(&mut dice);
        let overlap = if dice.one_in(2) { 0 } else { 1 + dice.below(4) };
        for (first, second) in [(&one, &other), (&other, &one)] {
            let (a, b) = (case(&registry, first, &candidates), case(&registry, second, &candidates));
            let fits = |taken: &BTreeSet<usize>, then: &BTreeSet<usize>| {
                let shared: Vec<usize> = touched(&candidates, taken).intersection(then).copied().collect();
                let sum: u64 = shared.iter().map(|one| candidates[*one].amount_e4()).sum();
                if overlap == 0 { shared.is_empty() } else { sum <= overlap * 10_000 }
            };
            let (ours, theirs) = (ways(&a), ways(&b));
            let possible = ours.iter().any(|taken| theirs.iter().any(|then| fits(taken, then)));
            let beside = Beside { case: case(&registry, second, &candidates), overlap_e4: overlap * 10_000 };
            let answer = allocate_beside(&a, &[beside], &mut || false);
            assert_eq!(is_met(&answer), !ours.is_empty(), "seed {seed}");
            let Some(found) = taken(&answer) else { continue };
            let found: BTreeSet<usize> = found.iter().map(|one| usize::try_from(*one).expect("small")).collect();
            // The second award, by what the first one has left.
            let left = touched(&candidates, &found);
            let terms = if overlap == 0 {
                Terms { kept: left, ..Terms::default() }
            } else {
                let charged = left.iter().map(|one| (*one, candidates[*one].amount_e4() / 10_000));
                Terms { budgets: vec![budget(overlap, charged)], ..Terms::default() }
            };
            let then = allocate(&b.with(terms.clone()), &mut || false);
            assert_eq!(is_met(&then), possible, "seed {seed}: {found:?} {first:#?} {second:#?} {candidates:#?}");
            both += usize::from(possible);
            let careless = taken(&allocate(&a, &mut || false)).expect("met");
            let careless: BTreeSet<usize> = careless.iter().map(|one| usize::try_from(*one).expect("small")).collect();
            saved += usize::from(possible && !theirs.iter().any(|then| fits(&careless, then)));
        }
    }
    println!("{both} times both are possible; {saved} times not after the first allocation at hand");
    assert!(both > 300 && saved > 20, "{both} {saved}");
}
