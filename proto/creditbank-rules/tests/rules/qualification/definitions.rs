//! Which definitions are published.

use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::pb::{
    CourseAlias, Grade, GradePoint, Kind, Match, Origin, QualificationDefinition, QualificationName, Requirement,
    RequirementType as Type, RetakePolicy,
};
use creditbank_rules::dates::parse;
use creditbank_rules::qualification::satisfiability;
use creditbank_rules::{Registry, RegistryRecord, Rejection, Rule};

use super::scene::*;
use crate::fixtures::node;

fn admit(registry: &mut Registry, kind: Kind, institution: u64, entry: &impl Canonical) -> Result<(), Rejection> {
    let (body, institution) = (encode(entry).expect("canonical"), institution.into());
    let (created_at_minute, sealed_at_ms, entry) = (0, 0, 0.into());
    let record = RegistryRecord { kind, body: &body, institution, created_at_minute, sealed_at_ms, entry };
    registry.admit(record).map(|_| ())
}

fn publish(registry: &mut Registry, definition: &QualificationDefinition) -> Result<(), Rejection> {
    admit(registry, Kind::QualificationDefinition, definition.institution, definition)
}

fn refused(definition: &QualificationDefinition, rule: Rule, part: &str) {
    let rejection = publish(&mut registry(), definition).expect_err("must be refused");
    assert_eq!(rejection.rule, rule, "{rejection}");
    assert!(rejection.to_string().contains(part), "{rejection}");
}

fn good() -> Vec<Requirement> {
    vec![node(0, Type::All), credits(1, 360, Match::default())]
}

fn with(node: Requirement) -> QualificationDefinition {
    let mut nodes = good();
    nodes.push(node);
    definition(nodes)
}

/// Goal: a definition is a tree of bounded size, its nodes in order.
#[test]
fn the_tree_is_well_formed() {
    let mut large = vec![node(0, Type::All)];
    large.extend((0..999).map(|_| credits(1, 1, Match::default())));
    publish(&mut registry(), &definition(large.clone())).expect("1,000 nodes");
    let mut deep = vec![node(0, Type::All)];
    deep.extend((1..31).map(|parent| node(parent, Type::All)));
    deep.push(credits(31, 1, Match::default()));
    publish(&mut registry(), &definition(deep.clone())).expect("32 levels");
    deep[31] = node(31, Type::All);
    deep.push(credits(32, 1, Match::default()));
    refused(&definition(deep), Rule::DefinitionTooLarge, "32 levels");
    refused(&definition(Vec::new()), Rule::MissingField, "at least one requirement");
    refused(&definition(vec![credits(1, 1, Match::default())]), Rule::Contradiction, "the root");
    refused(&with(credits(3, 1, Match::default())), Rule::Contradiction, "stands before it");
    refused(&definition(vec![node(0, Type::All)]), Rule::MissingField, "children");
    refused(&with(credits(2, 1, Match::default())), Rule::Contradiction, "no children");
}

/// Goal: how much there is to compare is bounded by counts, the same for everybody: the largest definition is judged,
/// one element more is refused.
#[test]
fn what_is_compared_is_counted() {
    let courses = |from: usize, count: usize| Match {
        courses: (from..from + count).map(|number| format!("C{number:05}")).collect(),
        ..Default::default()
    };
    let mut nodes = vec![node(0, Type::All)];
    nodes.extend((0..8).map(|at| credits(1, 60, courses(at * 256, 256))));
    nodes.extend((0..64).map(|at| {
        let asked = courses(2_048 + at * 32, 32);
        Requirement { r#match: Some(asked), share: share(1, 2), ..node(1, Type::AtMost) }
    }));
    publish(&mut registry(), &definition(nodes.clone())).expect("64 that look, 4,096 elements");
    let mut many = nodes.clone();
    many.push(Requirement { share: share(1, 2), ..node(1, Type::AtMost) });
    refused(&definition(many), Rule::DefinitionTooLarge, "65 of requirement 1");
    nodes.push(credits(1, 60, courses(0, 1)));
    refused(&definition(nodes), Rule::DefinitionTooLarge, "found 4097");
}

/// Two nodes below the root with requirements that look at others: `takers` and the elements of their matches tune how
/// much there is to compare. 3 + 64 + 2 + `takers` nodes.
fn heavy(takers: usize, elements: usize, fine: usize) -> Vec<Requirement> {
    let uris = |count: usize| {
        let esco_uris = (0..count).map(|number| format!("u{number:04}")).collect();
        Match { esco_uris, ..Default::default() }
    };
    let mut nodes = vec![node(0, Type::All), node(1, Type::All), node(1, Type::All)];
    let cap = Requirement { r#match: Some(uris(12)), share: share(1, 2), ..node(2, Type::AtMost) };
    nodes.extend((0..64).map(|_| cap.clone()));
    nodes.push(credits(2, 1, uris(elements)));
    nodes.extend((1..takers).map(|_| credits(2, 1, Match::default())));
    nodes.push(credits(3, 1, uris(fine)));
    nodes.push(Requirement { amount_e4: 10_000, ..node(3, Type::AtMost) });
    nodes
}

/// The steps of a tree as RULES.md, section 18, counts them, pair by pair.
fn steps(nodes: &[Requirement]) -> usize {
    let weight = |at: usize| 1 + nodes[at].r#match.as_ref().map_or(0, |asked| asked.esco_uris.len());
    let is = |at: usize, kinds: &[Type]| kinds.iter().any(|kind| nodes[at].r#type == i32::from(*kind));
    let is_below = |mut at: usize, top: usize| {
        while at > 0 {
            at = usize::try_from(nodes[at].parent).expect("small") - 1;
            if at == top {
                return true;
            }
        }
        false
    };
    let parent = |at: usize| usize::try_from(nodes[at].parent).expect("small");
    let mut steps = 0;
    for top in (0..nodes.len()).filter(|top| is(*top, &[Type::All])) {
        let looking = |at: &usize| parent(*at) == top + 1 && is(*at, &[Type::AtLeast, Type::AtMost]);
        let looking: Vec<usize> = (0..nodes.len()).filter(looking).collect();
        let takes = |at: &usize| is_below(*at, top) && is(*at, &[Type::Credits, Type::Courses, Type::Outcome]);
        let compared: Vec<usize> = looking.iter().copied().chain((0..nodes.len()).filter(takes)).collect();
        steps +=
            looking.iter().flat_map(|one| compared.iter().map(|other| weight(*one) + weight(*other))).sum::<usize>();
        let shares = looking.iter().filter(|at| nodes[**at].share.is_some()).count();
        steps += 64 * shares * shares;
    }
    steps
}

/// The bound of the rules, and a definition that has just so many steps, or `more`.
pub(crate) const STEPS_MAX: usize = 1 << 20;
pub(crate) fn with_steps(more: usize) -> Vec<Requirement> {
    // A taker more is 64 × 1 + 64 × 13 steps, an element of the first one 64, one of the last one 1.
    let takers = 1 + (STEPS_MAX - steps(&heavy(1, 0, 0))) / 896;
    let elements = (STEPS_MAX - steps(&heavy(takers, 0, 0))) / 64;
    let fine = STEPS_MAX - steps(&heavy(takers, elements, 0));
    heavy(takers, elements, fine + more)
}

/// Goal: what a definition takes to judge is counted before it is judged. Method: the count of the rules, made here pair
/// by pair, is just the bound, and one more.
#[test]
fn steps_are_counted() {
    let at_bound = with_steps(0);
    assert_eq!((steps(&at_bound), steps(&with_steps(1))), (STEPS_MAX, STEPS_MAX + 1));
    assert!(at_bound.len() > 500 && encode(&definition(at_bound.clone())).expect("canonical").len() < 49_152);
    publish(&mut registry(), &definition(at_bound)).expect("just the bound");
    refused(&definition(with_steps(1)), Rule::DefinitionTooLarge, "found 1048577");
}

/// Goal: the definitions of 23 KB that held a node for a minute are refused by their count: floors in a chain, each of
/// which is compared with the others and with all that is taken below; courses that are asked often are not compared.
#[test]
fn what_held_a_node_is_refused() {
    let codes = |from: usize, count: usize| Match {
        courses: (from..from + count).map(|number| format!("C{number:04}")).collect(),
        ..Default::default()
    };
    let mut nodes = vec![node(0, Type::All)];
    nodes.extend((1..15).map(|parent| node(parent, Type::All)));
    for top in 1..=15 {
        let floor =
            |at| Requirement { r#match: Some(codes(at, 4)), share: share(1, 1_000), ..node(top, Type::AtLeast) };
        nodes.extend((0..64).map(floor));
    }
    nodes.push(credits(15, 1, Match::default()));
    let size = encode(&definition(nodes.clone())).expect("canonical").len();
    assert!(size < 49_152, "{size} bytes fit a public record");
    refused(&definition(nodes), Rule::DefinitionTooLarge, "steps");
    // 968 requirements below 31 nodes, all of whose courses are distinct: no two of them are compared.
    let mut cores = vec![node(0, Type::All)];
    cores.extend((1..31).map(|parent| node(parent, Type::All)));
    cores.extend((0..968).map(|at| {
        let asked = Match { institutions: vec![UNIVERSITY], ..codes(at * 3, 3) };
        Requirement { r#match: Some(asked), ..node(31, Type::Courses) }
    }));
    let mut cores = definition(cores);
    cores.retakes = RetakePolicy::Last.into();
    publish(&mut registry(), &cores).expect("each course once");
    for core in &mut cores.requirements[31..] {
        core.r#match = Some(Match { institutions: vec![UNIVERSITY], ..codes(0, 1) });
    }
    publish(&mut registry(), &cores).expect("one course 968 times: it may be one that is repeated as often");
}

/// Goal: what stands beside the tree is bounded too, and what a definition stands on through others.
#[test]
fn lists_and_references_are_counted() {
    let named = |version| QualificationName { institution: UNIVERSITY, code: "A".to_owned(), version };
    let asking = |count: u32| {
        let mut one = definition(good());
        let award = |version| Requirement { awards: vec![named(version)], ..node(1, Type::Award) };
        one.requirements.extend((1..=count).map(award));
        one
    };
    let mut registry = registry();
    let publish_a = |registry: &mut Registry, version| {
        let next = QualificationDefinition { code: "A".to_owned(), version, ..definition(good()) };
        publish(registry, &next).expect("a version of A");
    };
    (1..=1_024).for_each(|version| publish_a(&mut registry, version));
    publish(&mut registry.clone(), &asking(256)).expect("256 names, 1,024 versions of what they name");
    let rejection = publish(&mut registry.clone(), &asking(257)).expect_err("a name too many");
    assert_eq!((rejection.rule, rejection.found.as_str()), (Rule::DefinitionTooLarge, "257"));
    publish_a(&mut registry, 1_025);
    let rejection = publish(&mut registry, &asking(1)).expect_err("a version too many");
    assert_eq!(rejection.rule, Rule::DefinitionTooLarge, "{rejection}");
}

/// Goal: a node that starts takes what it has admitted without judging it anew, and has the same registry then.
#[test]
fn what_was_admitted_is_not_judged_again() {
    let foreign = Match { institutions: vec![OTHER], ..of_origin(Origin::Own) };
    let never = definition(vec![node(0, Type::All), credits(1, 1, foreign)]);
    let body = encode(&never).expect("canonical");
    let record = RegistryRecord {
        institution: UNIVERSITY.into(),
        ..RegistryRecord::of_operator(Kind::QualificationDefinition, &body)
    };
    let mut registry = registry();
    assert_eq!(registry.admit(record).expect_err("never met").rule, Rule::Unsatisfiable);
    registry.admit_again(record).expect("judged before");
    assert_eq!(registry.definition(UNIVERSITY.into(), &never.code, 1), Some(&never));
}

/// Goal: a requirement has the fields of its type, and what it names exists.
#[test]
fn nodes_are_well_formed() {
    refused(&with(node(1, Type::Unspecified)), Rule::MissingField, "requirement 3: a type");
    refused(&with(node(1, Type::Credits)), Rule::MissingField, "an amount");
    refused(&with(Requirement { months: 3, ..credits(1, 1, Match::default()) }), Rule::Contradiction, "found months");
    refused(&with(node(1, Type::Courses)), Rule::MissingField, "course codes");
    refused(&with(Requirement { choose: 1, ..node(1, Type::Any) }), Rule::MissingField, "children");
    let above = Requirement { share: share(3, 2), ..node(1, Type::AtMost) };
    refused(&with(above.clone()), Rule::Contradiction, "3/2");
    refused(&with(Requirement { share: share(1, 2), amount_e4: 1, ..above }), Rule::Contradiction, "both");
    refused(&with(credits(1, 1, at_level("9"))), Rule::UnknownLevel, "FHEQ 9");
    let fields = |code: &str| Match { fields: vec![code.to_owned()], ..Default::default() };
    refused(&with(credits(1, 1, fields("5"))), Rule::InvalidCode, "found 5");
    let far = Match { institutions: vec![77], ..Default::default() };
    refused(&with(credits(1, 1, far)), Rule::UnknownReference, "77");
    refused(&with(node(1, Type::Average)), Rule::MissingField, "scale of means");
    let mut choice = with(Requirement { choose: 2, ..node(1, Type::Any) });
    choice.requirements.push(credits(3, 1, Match::default()));
    refused(&choice, Rule::Contradiction, "choose 1 to 1");
}

/// Goal: versions count up, begin in order and never change.
#[test]
fn versions_are_permanent() {
    let mut registry = registry();
    let mut one = definition(good());
    one.from = parse("2024-01-01");
    publish(&mut registry, &one).expect("version 1");
    publish(&mut registry, &one).expect("the same again");
    let mut changed = one.clone();
    changed.requirements[1].amount_e4 += 1;
    let refused = |registry: &mut Registry, one: &QualificationDefinition| {
        publish(registry, one).expect_err("must be refused").rule
    };
    assert_eq!(refused(&mut registry, &changed), Rule::Permanent);
    changed.version = 3;
    assert_eq!(refused(&mut registry, &changed), Rule::UnknownReference);
    changed.version = 2;
    changed.from = parse("2023-12-31");
    assert_eq!(refused(&mut registry, &changed), Rule::InvalidDate);
    changed.from = parse("2025-01-01");
    publish(&mut registry, &changed).expect("version 2");
}

/// Goal: definitions may stand on others that exist, and no way leads back, in whatever version.
#[test]
fn references_make_no_circle() {
    let named = |code: &str, version| QualificationName { institution: UNIVERSITY, code: code.to_owned(), version };
    let mut registry = registry();
    let coded = |code: &str, absorbs: Vec<QualificationName>| QualificationDefinition {
        code: code.to_owned(),
        absorbs,
        ..definition(good())
    };
    let lost = coded("B", vec![named("A", 1)]);
    assert_eq!(publish(&mut registry, &lost).expect_err("no A yet").rule, Rule::UnknownReference);
    publish(&mut registry, &coded("A", Vec::new())).expect("A");
    publish(&mut registry, &coded("B", vec![named("A", 1)])).expect("B on A");
    let wants = Requirement { awards: vec![named("B", 0)], ..node(1, Type::Award) };
    let mut c = with(wants);
    c.code = "C".to_owned();
    publish(&mut registry, &c).expect("C asks for B");
    let back = QualificationDefinition { version: 2, ..coded("A", vec![named("C", 1)]) };
    let rejection = publish(&mut registry, &back).expect_err("a circle");
    assert_eq!(rejection.rule, Rule::ReferenceCycle, "{rejection}");
    let own = QualificationDefinition { version: 2, ..coded("A", vec![named("A", 1)]) };
    assert_eq!(publish(&mut registry, &own).expect_err("itself").rule, Rule::ReferenceCycle);
}

/// Goal: the scale of means is known where grades are compared, and its points fall with its grades.
#[test]
fn points_follow_grades() {
    let mut one = definition(good());
    one.retakes = RetakePolicy::Best.into();
    refused(&one, Rule::MissingField, "scale");
    one.average_scale = "US-9".to_owned();
    refused(&one, Rule::UnknownGrade, "US-9");
    one.average_scale = "US-4".to_owned();
    let point = |value: &str, e4| GradePoint { value: value.to_owned(), e4 };
    one.grade_points = vec![point("A", 40_000), point("Z", 30_000)];
    refused(&one, Rule::UnknownGrade, "found Z");
    one.grade_points = vec![point("A", 40_000), point("B", 20_000), point("C", 30_000)];
    refused(&one, Rule::Contradiction, "order of the grades");
    one.grade_points = vec![point("A", 40_000), point("B", 30_000), point("C", 30_000)];
    refused(&one, Rule::MissingField, "no point for A+");
    let others = ["A+", "A-", "B+", "B-", "C+", "C-", "D", "D+", "D-"];
    one.no_points = others.map(str::to_owned).to_vec();
    // A failed course that a board lets count enters the mean with its mark, or the definition says that it does not.
    refused(&one, Rule::MissingField, "no point for F");
    one.no_points = [others.as_slice(), &["F"]].concat().into_iter().map(str::to_owned).collect();
    publish(&mut registry(), &one).expect("B and C may be worth the same");
    one.no_points = others.map(str::to_owned).to_vec();
    one.grade_points.push(point("F", 0));
    publish(&mut registry(), &one).expect("F is worth nothing, which is a number");
    one.no_points.push("F+".to_owned());
    refused(&one, Rule::Contradiction, "found F+");
    one.no_points = vec!["A".to_owned()];
    refused(&one, Rule::Contradiction, "found A");
}

/// Goal: thirty with honours has a number before a mean is made of it: it would be left out, and make the mean worse.
#[test]
fn honours_have_points() {
    let minimum = Some(Grade { scale: "IT-30".to_owned(), value: "24".to_owned() });
    let mut one = with(Requirement { minimum, ..node(1, Type::Average) });
    one.average_scale = "IT-30".to_owned();
    refused(&one, Rule::MissingField, "no point for 30L");
    one.grade_points = vec![GradePoint { value: "30L".to_owned(), e4: 300_000 }];
    publish(&mut registry(), &one).expect("30L counts as 30");
}

fn unsatisfiable(nodes: Vec<Requirement>, part: &str) {
    refused(&definition(nodes), Rule::Unsatisfiable, part);
}

/// Goal: what can never be met is refused, and the refusal says which and why.
#[test]
fn contradictions_are_named() {
    let with = |more: Vec<Requirement>| -> Vec<Requirement> { good().into_iter().chain(more).collect() };
    let floor = |parts: (u64, u64), asked: Match| Requirement {
        share: share(parts.0, parts.1),
        r#match: Some(asked),
        ..node(1, Type::AtLeast)
    };
    let cap = |parts: (u64, u64), asked: Match| Requirement { r#type: Type::AtMost.into(), ..floor(parts, asked) };
    let transfer = of_origin(Origin::Transfer);
    unsatisfiable(
        with(vec![floor((7, 10), transfer.clone()), cap((4, 10), transfer.clone())]),
        "requirement 3 asks for more than requirement 4 allows",
    );
    publish(&mut registry(), &definition(with(vec![floor((4, 10), transfer.clone()), cap((4, 10), transfer.clone())])))
        .expect("exactly so much");
    unsatisfiable(
        with(vec![floor((7, 10), transfer.clone()), floor((4, 10), of_origin(Origin::Own))]),
        "requirements 3 and 4 ask for more than the whole",
    );
    let six = vec![node(0, Type::All), credits(1, 90, at_level("6"))];
    let at_five = Requirement { amount_e4: 10_000, r#match: Some(at_level("5")), ..node(1, Type::AtLeast) };
    unsatisfiable(
        six.iter().cloned().chain([at_five]).collect(),
        "requirement 3: nothing beside it takes what it asks for",
    );
    let none = Requirement { r#match: Some(at_level("6")), ..node(1, Type::AtMost) };
    unsatisfiable(six.into_iter().chain([none]).collect(), "requirement 3 allows less than 2 must take");
    let core = |institution| {
        let institutions = vec![institution];
        let asked = Match { courses: vec!["C1".to_owned()], institutions, ..Default::default() };
        Requirement { r#match: Some(asked), ..node(1, Type::Courses) }
    };
    let mut twice = definition(with(vec![core(UNIVERSITY), core(UNIVERSITY)]));
    publish(&mut registry(), &twice).expect("a course may be passed twice where every pass counts");
    twice.retakes = RetakePolicy::Last.into();
    publish(&mut registry(), &twice).expect("and where the course may be repeated");
    let foreign = Match { institutions: vec![OTHER], ..of_origin(Origin::Own) };
    unsatisfiable(with(vec![credits(1, 1, foreign)]), "institutions that do not award");
    let origins =
        |all: &[Origin]| Match { origins: all.iter().map(|one| (*one).into()).collect(), ..Default::default() };
    let rest = origins(&[Origin::Transfer, Origin::Rpl, Origin::NonFormal, Origin::Exemption]);
    unsatisfiable(
        with(vec![cap((3, 10), of_origin(Origin::Own)), cap((6, 10), rest)]),
        "requirements 3 and 4 together allow less than the whole",
    );
    let high = Grade { scale: "GB-100-UG".to_owned(), value: "101".to_owned() };
    let mut mean = definition(with(vec![Requirement { minimum: Some(high), ..node(1, Type::Average) }]));
    mean.average_scale = "GB-100-UG".to_owned();
    refused(&mean, Rule::UnknownGrade, "101 in GB-100-UG");
    let found = satisfiability(&registry(), &mean).expect("a tree");
    assert!(!found.satisfiable && found.conflicts[0].reason.contains("no number"), "{found:?}");
}

/// Goal: what codes an institution makes one course, or tells apart by case, is not refused as if it could not be.
#[test]
fn aliases_and_case_may_meet_what_codes_do_not() {
    let asked = |courses: &[&str], prefixes: &[&str]| Match {
        courses: courses.iter().map(|code| (*code).to_owned()).collect(),
        course_prefixes: prefixes.iter().map(|code| (*code).to_owned()).collect(),
        ..Default::default()
    };
    let stat = definition(vec![node(0, Type::All), credits(1, 1, asked(&["MATH1"], &["STAT"]))]);
    refused(&stat, Rule::Unsatisfiable, "course MATH1 begins with none of the prefixes");
    let floor = |parts, asked| Requirement { share: parts, r#match: Some(asked), ..node(1, Type::AtLeast) };
    let more = [floor(share(7, 10), asked(&[], &["MATH"])), floor(share(7, 10), asked(&[], &["STAT"]))];
    let both = definition(good().into_iter().chain(more).collect());
    refused(&both, Rule::Unsatisfiable, "more than the whole");
    let mut aliased = registry();
    let same_as = "MATH1".to_owned();
    let alias = CourseAlias { institution: UNIVERSITY, code: "STAT1".to_owned(), same_as, withdrawn: false };
    let record = |registry: &mut Registry, alias: &CourseAlias| {
        admit(registry, Kind::CourseAlias, UNIVERSITY, alias).expect("an alias");
    };
    record(&mut aliased, &alias);
    publish(&mut aliased.clone(), &stat).expect("STAT1 is MATH1");
    publish(&mut aliased.clone(), &both).expect("of the same credit");
    record(&mut aliased, &CourseAlias { withdrawn: true, ..alias });
    assert_eq!(publish(&mut aliased, &stat).expect_err("no alias stands").rule, Rule::Unsatisfiable);
    // Where case matters, ab and AB are two courses; elsewhere they are one.
    let small = Requirement { amount_e4: 10_000, r#match: Some(asked(&["ab"], &[])), ..node(1, Type::Credits) };
    let cap = |code| Requirement { r#match: Some(asked(&[code], &[])), ..node(1, Type::AtMost) };
    publish(&mut registry(), &definition(vec![node(0, Type::All), small.clone(), cap("AB")])).expect("another course");
    unsatisfiable(vec![node(0, Type::All), small, cap("ab")], "allows less than");
}

/// Goal: a way that is closed does not close the others, and is told.
#[test]
fn other_ways_stay_open() {
    let foreign = Match { institutions: vec![OTHER], ..of_origin(Origin::Own) };
    let mut any = Requirement { choose: 1, ..node(0, Type::Any) };
    let ways = [credits(1, 60, foreign), credits(1, 60, Match::default())];
    let one = definition([vec![any.clone()], ways.to_vec()].concat());
    publish(&mut registry(), &one).expect("the second way");
    let found = satisfiability(&registry(), &one).expect("a tree");
    assert_eq!((found.satisfiable, found.conflicts.len(), found.conflicts[0].requirement), (true, 1, 2));
    any.choose = 2;
    unsatisfiable([vec![any], ways.to_vec()].concat(), "2 of its children are asked for, and 1 can be met");
}

fn among(parent: u32, amount: u64, choose: u32, asked: Match) -> Requirement {
    Requirement { amount_e4: amount * 10_000, choose, r#match: Some(asked), ..node(parent, Type::Among) }
}

fn of_courses(courses: &[&str]) -> Match {
    Match { courses: courses.iter().map(|code| (*code).to_owned()).collect(), ..Match::default() }
}

/// Goal: what looks without taking says what it looks for, in one way, and in no more courses than it names.
#[test]
fn what_looks_without_taking_is_well_formed() {
    let with = |more| definition(good().into_iter().chain([more]).collect());
    for fits in [
        among(1, 10, 0, at_level("6")),
        among(1, 0, 0, of_courses(&["A", "B"])),
        among(1, 0, 2, of_courses(&["A", "B"])),
        among(1, 0, 3, at_level("6")),
    ] {
        publish(&mut registry(), &with(fits)).expect("well-formed");
    }
    refused(&with(node(1, Type::Among)), Rule::MissingField, "what it looks for");
    refused(&with(among(1, 10, 1, at_level("6"))), Rule::Contradiction, "an amount or a number");
    refused(&with(among(1, 0, 3, of_courses(&["A", "B"]))), Rule::Contradiction, "choose 1 to 2 of its courses");
    let share = Requirement { share: share(1, 2), ..among(1, 0, 0, at_level("6")) };
    refused(&with(share), Rule::Contradiction, "share");
}

/// Goal: a minimum that nothing can fill is found in a choice too, and so is what is looked for where nothing takes it.
#[test]
fn minima_in_choices_are_found() {
    let any = |choose| Requirement { choose, ..node(1, Type::Any) };
    let floor = |parent, amount: u64, asked| Requirement {
        amount_e4: amount * 10_000,
        r#match: Some(asked),
        ..node(parent, Type::AtLeast)
    };
    let whole = || vec![node(0, Type::All), credits(1, 300, Match::default())];
    let with = |more: Vec<Requirement>| [whole(), more].concat();
    let part = "requirement 3: 1 of its children are asked for, and 0 can be met; a minimum in a choice";
    unsatisfiable(with(vec![any(1), floor(3, 90, at_level("6")), floor(3, 60, at_level("5"))]), part);
    let ways = vec![any(1), among(3, 90, 0, at_level("6")), among(3, 60, 0, at_level("5"))];
    publish(&mut registry(), &definition(with(ways))).expect("of the 300");
    // A share of nothing holds, and one of something that nothing matches does not.
    let part_of =
        |parent, asked| Requirement { share: share(1, 2), r#match: Some(asked), ..node(parent, Type::AtLeast) };
    publish(&mut registry(), &definition(with(vec![any(1), part_of(3, at_level("6")), floor(3, 9, at_level("5"))])))
        .expect("of what the choice takes, which is nothing");
    let taking = vec![any(2), part_of(3, at_level("6")), credits(3, 10, at_level("5")), floor(3, 90, at_level("6"))];
    unsatisfiable(with(taking), "requirement 3: 2 of its children are asked for, and 1 can be met");
    // Nothing takes what is looked for.
    let prefix = Match { course_prefixes: vec!["INF-".to_owned()], ..Match::default() };
    let inf = |more| vec![node(0, Type::All), credits(1, 300, prefix.clone()), more];
    unsatisfiable(inf(among(1, 0, 0, of_courses(&["MATH-1"]))), "requirement 3: nothing in the whole");
    unsatisfiable(inf(among(1, 0, 0, of_courses(&["INF-1", "MATH-1"]))), "takes course MATH-1");
    publish(&mut registry(), &definition(inf(among(1, 0, 1, of_courses(&["INF-1", "MATH-1"]))))).expect("one of both");
    // An amount is a minimum like another.
    let none = Requirement { r#match: Some(at_level("6")), ..node(1, Type::AtMost) };
    unsatisfiable(with(vec![among(1, 10, 0, at_level("6")), none]), "requirement 3 asks for more than requirement 4");
}
