//! Minima, choices and what looks without taking: where more never hurts, what can never be met is found every time.

use creditbank_allocation::example;
use creditbank_protocol::pb::{Match, Origin, Requirement, RequirementType as Type};
use creditbank_rules::CourseName;
use creditbank_rules::qualification::{Candidate, satisfiability};

use super::generated::Dice;
use super::scene::*;

const FIELDS: [&str; 3] = ["0611", "0613", "0222"];
const COURSES: [&str; 3] = ["C0", "C1", "C2"];

fn asked(dice: &mut Dice) -> Match {
    let mut asked = match dice.below(5) {
        0 | 1 => Match::default(),
        2 => fields(&["06"]),
        _ => fields(&[FIELDS[dice.index(3)]]),
    };
    if dice.one_in(3) {
        asked.origins = vec![if dice.one_in(2) { Origin::Own } else { Origin::Transfer }.into()];
    }
    if dice.one_in(4) {
        asked.courses = COURSES[..=dice.index(3)].iter().map(|code| (*code).to_owned()).collect();
    }
    asked
}

#[allow(clippy::unnecessary_wraps)] // As fields want it.
fn something(mut asked: Match) -> Option<Match> {
    if asked == Match::default() {
        asked.origins = vec![Origin::Own.into()];
    }
    Some(asked)
}

fn leaf(dice: &mut Dice, parent: u32) -> Requirement {
    let amount_e4 = 10_000 * (1 + dice.below(6));
    match dice.below(6) {
        0 | 1 => credits(parent, 1 + dice.below(6), asked(dice)),
        2 | 3 => Requirement { amount_e4, r#match: Some(asked(dice)), ..node(parent, Type::AtLeast) },
        4 => Requirement { amount_e4, r#match: something(asked(dice)), ..node(parent, Type::Among) },
        _ => {
            let asked = something(asked(dice));
            let count = asked.as_ref().map_or(0, |asked| asked.courses.len());
            let most = if count == 0 { 3 } else { count as u64 };
            let choose = u32::try_from(dice.below(most + 1)).expect("small");
            Requirement { choose, r#match: asked, ..node(parent, Type::Among) }
        }
    }
}

fn tree(dice: &mut Dice) -> Vec<Requirement> {
    let mut nodes = vec![if dice.one_in(3) { node(0, Type::Any) } else { all() }];
    let mut inner = vec![1u32];
    for _ in 0..2 + dice.below(6) {
        let parent = inner[dice.index(inner.len())];
        if dice.one_in(3) && inner.len() < 4 {
            inner.push(u32::try_from(nodes.len()).expect("small") + 1);
            nodes.push(if dice.one_in(3) { node(parent, Type::All) } else { node(parent, Type::Any) });
        } else {
            nodes.push(leaf(dice, parent));
        }
    }
    for number in inner {
        if !nodes.iter().any(|one| one.parent == number) {
            nodes.push(leaf(dice, number));
        }
        let children = nodes.iter().filter(|one| one.parent == number).count() as u64;
        let at = usize::try_from(number).expect("small") - 1;
        if nodes[at].r#type == i32::from(Type::Any) {
            nodes[at].choose = u32::try_from(1 + dice.below(children)).expect("small");
        }
    }
    nodes
}

/// More of everything than anything here can ask for.
fn plenty() -> Vec<Candidate> {
    let mut found = Vec::new();
    for (field, origin) in FIELDS.into_iter().flat_map(|field| [(field, Origin::Own), (field, Origin::Transfer)]) {
        for course in COURSES.into_iter().chain(["D"]) {
            for _ in 0..8 {
                let index = u32::try_from(found.len()).expect("small");
                let mut one = credit(index, 40, field);
                one.origin = origin;
                one.course = Some(CourseName::alone(1.into(), course));
                // A course may be repeated as often as anything here asks for.
                one.repeats_max = Some(100);
                found.push(one);
            }
        }
    }
    found
}

/// Goal: among definitions of minima, choices and things to look for, those that nobody can meet are found, each one, and
/// no others; and for nearly all that can be met records are made up that meet them.
#[test]
fn what_nobody_can_meet_is_found() {
    let (registry, plenty) = (registry(), plenty());
    let (mut never, mut hidden, mut without) = (0, 0, 0);
    for seed in 1..=600u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        dice.below(2);
        let definition = definition(tree(&mut dice));
        let met = is_met(&answer(&registry, &definition, &plenty));
        let found = satisfiability(&registry, &definition).expect("a tree");
        assert_eq!(found.satisfiable, met, "seed {seed}: {found:?} {definition:#?}");
        let made_up = example(&registry, &definition, day()).is_some();
        assert!(met || !made_up, "seed {seed}: {definition:#?}");
        without += usize::from(met && !made_up);
        never += usize::from(!met);
        let choice =
            |one: &Requirement| definition.requirements[usize::try_from(one.parent).unwrap_or(1).max(1) - 1].r#type;
        let lone = |one: &Requirement| one.r#type == i32::from(Type::AtLeast) && choice(one) == i32::from(Type::Any);
        hidden += usize::from(!met && definition.requirements.iter().any(lone));
    }
    println!("{never} that nobody can meet, {hidden} of them with a minimum in a choice; {without} without an example");
    assert!(without < 6, "of one in a hundred no example is found: {without}");
    assert!((120..480).contains(&never), "both answers are common: {never}");
    assert!(hidden > 50, "a minimum in a choice is common: {hidden}");
}

/// Goal: a minimum in a choice looks at the choice alone, where nothing is taken: it is refused; `among` says what is meant.
#[test]
fn a_minimum_in_a_choice() {
    let registry = registry();
    let choice = |kind: Type| {
        let least = |amount: u64, field: &str| Requirement {
            amount_e4: amount * 10_000,
            r#match: Some(fields(&[field])),
            ..node(3, kind)
        };
        let any = Requirement { choose: 1, ..node(1, Type::Any) };
        definition(vec![all(), credits(1, 300, Match::default()), any, least(90, "0611"), least(60, "0613")])
    };
    let lone = satisfiability(&registry, &choice(Type::AtLeast)).expect("a tree");
    assert!(!lone.satisfiable && lone.conflicts.iter().any(|one| one.reason.contains("among")), "{lone:?}");
    let among = choice(Type::Among);
    assert!(satisfiability(&registry, &among).expect("a tree").satisfiable);
    let learner = |special: u64, field: &str| vec![credit(0, 300 - special, "0222"), credit(1, special, field)];
    for (special, field, expected) in [(90, "0611", true), (60, "0613", true), (89, "0611", false), (59, "0613", false)]
    {
        assert_eq!(is_met(&answer(&registry, &among, &learner(special, field))), expected, "{special} {field}");
    }
}
