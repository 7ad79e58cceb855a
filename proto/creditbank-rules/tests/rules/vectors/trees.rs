//! Definitions: by hand, and generated ones that are well-formed.

use creditbank_protocol::pb::{self, Match, Requirement, RequirementType as Type};

use super::chance::Chance;
use crate::fixtures::{definition, fheq, node};

pub(crate) const COURSES: [&str; 5] = ["M1", "M2", "M3", "P1", "P2"];

/// What is asked of records: mostly little.
fn asked(chance: &mut Chance) -> Match {
    let mut found = Match::default();
    if chance.one_in(3) {
        found.levels = chance.some(&[fheq("5"), fheq("6")]);
    }
    if chance.one_in(4) {
        found.fields =
            chance.of(&[vec!["05"], vec!["054", "061"], vec!["0541"]]).into_iter().map(str::to_owned).collect();
    }
    if chance.one_in(6) {
        found.institutions = chance.of(&[vec![1], vec![2], vec![1, 2]]);
    }
    if chance.one_in(8) {
        found.modes = chance.of(&[vec![1], vec![5], vec![1, 2]]);
    }
    if chance.one_in(8) {
        found.course_prefixes = vec![chance.of(&["M", "P", "M1"]).to_owned()];
    }
    if chance.one_in(6) {
        found.courses = chance.some(&COURSES).into_iter().map(str::to_owned).collect();
    }
    if chance.one_in(3) {
        found.origins = chance.of(&[vec![1], vec![2], vec![1, 2], vec![3], vec![5], vec![2, 3, 4, 5]]);
    }
    if chance.one_in(12) {
        found.assessments = vec![1];
    }
    if chance.one_in(10) {
        found.bases = chance.of(&[vec![1], vec![2, 3], vec![1, 4]]);
    }
    found
}

fn matched(chance: &mut Chance) -> Option<Match> {
    let found = asked(chance);
    (found != Match::default()).then_some(found)
}

/// Everything that a node may look at; aggregates are rarer.
fn leaf(chance: &mut Chance, parent: u32) -> Requirement {
    let share = |chance: &mut Chance| pb::Ratio { numerator: 1 + chance.below(3), denominator: 3 + chance.below(3) };
    let kinds = [
        Type::Credits,
        Type::Credits,
        Type::Credits,
        Type::Credits,
        Type::Courses,
        Type::Outcome,
        Type::AtLeast,
        Type::AtLeast,
        Type::AtMost,
        Type::AtMost,
        Type::Among,
        Type::Average,
        Type::Age,
        Type::Enrolment,
        Type::Attestation,
        Type::Award,
    ];
    let kind = chance.of(&kinds);
    let mut found = node(parent, kind);
    match kind {
        Type::Credits => {
            found.amount_e4 = (1 + chance.below(6)) * 100_000;
            found.r#match = matched(chance);
        }
        Type::Courses => {
            let mut courses = chance.some(&COURSES);
            courses.truncate(2);
            let courses = if courses.is_empty() { vec!["M1"] } else { courses };
            let courses = courses.into_iter().map(str::to_owned).collect();
            found.r#match = Some(Match { courses, ..if chance.one_in(3) { asked(chance) } else { Match::default() } });
        }
        Type::Outcome => {
            found.outcome = i32::try_from(1 + chance.below(5)).expect("small");
            found.r#match = if chance.one_in(3) { matched(chance) } else { None };
            if found.outcome == 3 && chance.one_in(2) {
                found.minimum =
                    Some(pb::Grade { scale: "POINTS".to_owned(), value: chance.of(&["80", "90.5"]).to_owned() });
            }
        }
        Type::AtLeast | Type::AtMost => {
            found.r#match = matched(chance);
            if chance.one_in(2) {
                found.share = Some(share(chance));
            } else {
                found.amount_e4 = (1 + chance.below(8)) * 100_000;
            }
        }
        Type::Among => {
            found.r#match = matched(chance).or_else(|| Some(Match { levels: vec![fheq("6")], ..Match::default() }));
            let courses = found.r#match.as_ref().map_or(0, |asked| asked.courses.len());
            match chance.below(3) {
                0 => found.amount_e4 = (1 + chance.below(6)) * 100_000,
                1 => found.choose = u32::try_from(1 + chance.below(courses.clamp(1, 3) as u64)).expect("small"),
                _ => {}
            }
        }
        Type::Average => {
            let value = chance.of(&["40", "55.5", "60", "70", "100"]).to_owned();
            found.minimum = Some(pb::Grade { scale: "GB-100-UG".to_owned(), value });
        }
        Type::Age => found.months = chance.of(&[12, 24, 60, 84]),
        Type::Enrolment => found.months = chance.of(&[4, 6, 12, 24]),
        Type::Attestation => found.code = "THESIS".to_owned(),
        _ => {
            let name = |code: &str, version| pb::QualificationName { institution: 2, code: code.to_owned(), version };
            found.awards = chance.of(&[vec![name("BASE", 0)], vec![name("BASE", 1)]]);
        }
    }
    found
}

/// A tree of some nodes under a root that is ALL or ANY.
pub(crate) fn generated(chance: &mut Chance, code: &str, size: u64) -> pb::QualificationDefinition {
    let mut nodes = vec![node(0, chance.of(&[Type::All, Type::All, Type::Any]))];
    let mut inner = vec![1u32];
    while (nodes.len() as u64) < size {
        let parent = chance.of(&inner);
        let number = u32::try_from(nodes.len()).expect("small") + 1;
        if chance.one_in(4) {
            nodes.push(node(parent, chance.of(&[Type::All, Type::Any])));
            inner.push(number);
        } else {
            nodes.push(leaf(chance, parent));
        }
    }
    // An inner node without children gets one.
    for number in inner.clone() {
        if !nodes.iter().any(|one| one.parent == number) {
            nodes.push(leaf(chance, number));
        }
    }
    for number in inner {
        let at = usize::try_from(number).expect("small") - 1;
        if nodes[at].r#type == i32::from(Type::Any) {
            let children = nodes.iter().filter(|one| one.parent == number).count();
            nodes[at].choose = u32::try_from(1 + chance.below(children as u64)).expect("small");
        }
    }
    let retakes = i32::try_from(chance.below(5)).expect("small");
    let awarding = if chance.one_in(4) { vec![1, 2] } else { Vec::new() };
    pb::QualificationDefinition { retakes, awarding, average_scale: "GB-100-UG".to_owned(), ..definition(code, nodes) }
}
