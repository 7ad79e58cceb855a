//! Grades: tables, distributions laid over each other, formulas with their published variants.

use creditbank_protocol::pb::{self, Kind, PassBasis};
use creditbank_rules::conversion::Stated;

use super::conversions::{Case, Used, credit, terms};
use super::file::{Entry, bytes};
use crate::fixtures::{self, day};

fn graded(scale: &str, value: &str) -> pb::Credit {
    let grade = Some(pb::Grade { scale: scale.to_owned(), value: value.to_owned() });
    pb::Credit { grade, ..credit("C1", 200_000) }
}

fn case(about: impl Into<String>, rule: &pb::GradeRule, value: &str) -> Case {
    let terms = pb::AgreementTerms { grades: Some(rule.clone()), ..terms() };
    Case::agreed(about, &terms, vec![Used::credit(1, 2, &graded(&rule.source_scale, value))])
}

fn rule(method: pb::GradeMethod, source: &str, target: &str) -> pb::GradeRule {
    pb::GradeRule {
        method: method.into(),
        source_scale: source.to_owned(),
        target_scale: target.to_owned(),
        ..Default::default()
    }
}

/// What was compensated or condoned: its mark has a target only where a table has a row for it, its basis goes along.
fn compensated() -> Vec<Case> {
    let row =
        |min_e4, max_e4, target: &str| pb::GradeRow { min_e4, max_e4, target: target.to_owned(), ..Default::default() };
    let table = |rows: Vec<pb::GradeRow>| pb::GradeRule { rows, ..rule(pb::GradeMethod::Table, "GB-100-UG", "DE-5") };
    let passing = table(vec![row(400_000, 1_000_000, "3.0")]);
    let lenient = table(vec![row(400_000, 1_000_000, "3.0"), row(350_000, 399_999, "4.0")]);
    let formula = pb::GradeRule {
        formula: Some(pb::GradeFormula {
            source_best_e4: 1_000_000,
            source_pass_e4: 400_000,
            target_best_e4: 10_000,
            target_pass_e4: 40_000,
            truncate_places_plus_1: 2,
            ..Default::default()
        }),
        ..rule(pb::GradeMethod::Formula, "GB-100-UG", "DE-5")
    };
    let by = |basis: PassBasis, about: &str, rule: &pb::GradeRule, value: &str| {
        let mut one = case(about, rule, value);
        one.sources =
            vec![Used::credit(1, 2, &pb::Credit { basis: basis.into(), ..graded(&rule.source_scale, value) })];
        one
    };
    let scoped = |about: &str, bases: &[PassBasis], basis: PassBasis| {
        let bases = bases.iter().map(|basis| i32::from(*basis)).collect();
        let terms = pb::AgreementTerms { bases, ..terms() };
        let credit = pb::Credit { basis: basis.into(), ..credit("C1", 200_000) };
        Case::agreed(about, &terms, vec![Used::credit(1, 2, &credit)])
    };
    let lump = |about: &str, bases: [PassBasis; 2]| {
        let terms = pb::AgreementTerms { apportionment: pb::Apportionment::Lump.into(), ..terms() };
        let sources = bases.iter().zip(1u64..).map(|(basis, entry)| {
            let credit = pb::Credit { basis: (*basis).into(), ..credit(&format!("C{entry}"), 100_000) };
            Used::credit(entry, 2, &credit)
        });
        Case::agreed(about, &terms, sources.collect())
    };
    let (earned, none) = (PassBasis::Earned, PassBasis::Unspecified);
    let (compensated, condoned) = (PassBasis::Compensated, PassBasis::Condoned);
    vec![
        by(compensated, "compensated, a mark that the table has", &lenient, "36"),
        by(compensated, "compensated, a mark that the table has not: ungraded", &passing, "36"),
        by(condoned, "condoned, a mark below a formula's pass: ungraded", &formula, "36"),
        by(condoned, "condoned, a mark that passes, by the formula", &formula, "70"),
        by(none, "a mark that does not pass, of what was earned", &lenient, "36"),
        scoped("compensated, under an agreement on what was earned", &[earned], compensated),
        scoped("earned, under an agreement on what was earned", &[earned], none),
        scoped("compensated, under an agreement on what was compensated", &[compensated], compensated),
        lump("a lump of what was compensated", [compensated; 2]),
        lump("a lump of what was compensated and what was earned", [compensated, none]),
    ]
}

fn tables() -> Vec<Case> {
    let row = |value: &str, min_e4, max_e4, target: &str| pb::GradeRow {
        value: value.to_owned(),
        min_e4,
        max_e4,
        target: target.to_owned(),
    };
    let numbers = pb::GradeRule {
        rows: vec![
            row("", 700_000, 1_000_000, "1.0"),
            row("", 550_000, 699_999, "2.0"),
            row("", 400_000, 500_000, "4.0"),
        ],
        ..rule(pb::GradeMethod::Table, "GB-100-UG", "DE-5")
    };
    let letters = pb::GradeRule {
        rows: vec![row("S", 0, 0, "1.0"), row("A", 0, 0, "1.3"), row("B", 0, 0, "2.3"), row("C", 0, 0, "3.7")],
        ..rule(pb::GradeMethod::Table, "JP-SABC:TOKAI", "DE-5")
    };
    let mut other = case("a grade of another scale", &numbers, "70");
    other.sources = vec![Used::credit(1, 2, &graded("JP-SABC:TOKAI", "A"))];
    let mut ungraded = case("no grade", &numbers, "70");
    ungraded.sources = vec![Used::credit(1, 2, &credit("C1", 200_000))];
    let stated = |value: &str, reason: &str| Stated {
        grade: Some(pb::Grade { scale: "DE-5".to_owned(), value: value.to_owned() }),
        override_reason: reason.to_owned(),
        ..Stated::default()
    };
    let mut over = case("another grade, with its reason", &numbers, "65");
    over.stated = vec![stated("1.7", "Top of the year")];
    vec![
        case("a table of numbers", &numbers, "70"),
        case("the upper end of a range", &numbers, "69.9999"),
        case("the lower end of a range", &numbers, "40.0"),
        case("between two ranges", &numbers, "52"),
        case("a table of letters", &letters, "B"),
        case("a grade that fails", &letters, "E"),
        other,
        ungraded,
        over,
    ]
}

/// Grades of a field of education, and how many got each.
fn distribution(institution: u64, number: u32, scale: &str, field: &str, counts: &[(&str, u64)]) -> Entry {
    let entry = pb::GradeDistribution {
        field: field.to_owned(),
        period: Some(pb::Period { from: day(2023, 9, 0), until: day(2026, 8, 0) }),
        ..fixtures::distribution(institution, number, scale, counts)
    };
    (Kind::GradeDistribution, bytes(&entry), institution)
}

const NL: [(&str, u64); 9] =
    [("10", 2), ("9", 10), ("8.5", 20), ("8", 40), ("7", 60), ("6.5", 15), ("6", 30), ("5.5", 20), ("4", 25)];

fn ects() -> Vec<Case> {
    use pb::OverlapChoice::{Average, Maximum, Minimum};
    // The worked case of the EWP example against the shares of the old scale.
    let source = distribution(
        2,
        1,
        "ECTS-AF",
        "",
        &[("A", 7), ("B", 37), ("C", 135), ("D", 98), ("E", 92), ("FX", 1), ("F", 2)],
    );
    let target =
        distribution(1, 1, "JP-SABC:TOKAI", "", &[("S", 10), ("A", 25), ("B", 30), ("C", 35), ("D", 5), ("E", 5)]);
    let with = |about: &str, choice: pb::OverlapChoice, scales: (&str, &str), value: &str, entries: &[Entry]| {
        let rule = pb::GradeRule {
            overlap: choice.into(),
            cycle: pb::Cycle::First.into(),
            ..rule(pb::GradeMethod::Ects, scales.0, scales.1)
        };
        let mut case = case(format!("{about}: {}", choice.as_str_name()), &rule, value);
        case.registry.splice(0..0, entries.iter().cloned());
        case
    };
    let mut found = Vec::new();
    for choice in [Minimum, Average, Maximum] {
        for value in ["A", "B", "C", "D", "E"] {
            let both = [source.clone(), target.clone()];
            found.push(with(&format!("distributions, {value}"), choice, ("ECTS-AF", "JP-SABC:TOKAI"), value, &both));
        }
        let dutch = [
            distribution(2, 1, "NL-10", "", &NL),
            distribution(1, 1, "JP-SABC:TOKAI", "", &[("S", 0), ("A", 30), ("B", 40), ("C", 30), ("D", 0), ("E", 7)]),
        ];
        for value in ["10", "9.5", "8", "7.00", "6.2", "5.5"] {
            found.push(with(
                &format!("numbers and grades that nobody got, {value}"),
                choice,
                ("NL-10", "JP-SABC:TOKAI"),
                value,
                &dutch,
            ));
        }
        let german = [
            target_of_source(),
            distribution(1, 1, "DE-5", "", &[("1.0", 5), ("1.3", 10), ("2", 20), ("3.0", 30), ("4.0", 10), ("5.0", 3)]),
        ];
        for value in ["S", "A", "B", "C"] {
            found.push(with(
                &format!("written as the scale writes numbers, {value}"),
                choice,
                ("JP-SABC:TOKAI", "DE-5"),
                value,
                &german,
            ));
        }
    }
    let longer = [
        source.clone(),
        target.clone(),
        distribution(1, 2, "JP-SABC:TOKAI", "05", &[("S", 90), ("A", 4), ("B", 3), ("C", 3), ("D", 0), ("E", 0)]),
        distribution(1, 3, "JP-SABC:TOKAI", "06", &[("S", 1), ("A", 1), ("B", 1), ("C", 97), ("D", 0), ("E", 0)]),
    ];
    found.push(with("the longest field", Average, ("ECTS-AF", "JP-SABC:TOKAI"), "C", &longer));
    found.push(with("the receiver has published nothing", Average, ("ECTS-AF", "JP-SABC:TOKAI"), "C", &[source]));
    found.push(with(
        "the source's institution has published nothing",
        Average,
        ("ECTS-AF", "JP-SABC:TOKAI"),
        "C",
        &[target],
    ));
    found
}

fn target_of_source() -> Entry {
    distribution(2, 1, "JP-SABC:TOKAI", "", &[("S", 10), ("A", 25), ("B", 30), ("C", 35), ("D", 5), ("E", 5)])
}

fn formulas() -> Vec<Case> {
    use pb::StepChoice::{Favourable, Nearest, Unfavourable};
    let steps = vec![10_000, 13_000, 17_000, 20_000, 23_000, 27_000, 30_000, 33_000, 37_000, 40_000];
    let of = |source: &str, (best, pass): (u64, u64), places: u32, choice: pb::StepChoice| pb::GradeRule {
        formula: Some(pb::GradeFormula {
            source_best_e4: best,
            source_pass_e4: pass,
            target_best_e4: 10_000,
            target_pass_e4: 40_000,
            truncate_places_plus_1: places,
            steps_e4: steps.clone(),
            choice: choice.into(),
            ordinals: Vec::new(),
        }),
        ..rule(pb::GradeMethod::Formula, source, "DE-5")
    };
    let dutch = (100_000, 55_000);
    let mut found = Vec::new();
    for (name, places, choice) in [
        ("cut to one place, then the favourable step", 2, Favourable),
        ("the nearest step, of equal ones the better", 0, Nearest),
        ("the unfavourable step", 0, Unfavourable),
    ] {
        for value in ["10", "9.7", "8.5", "8", "7.7", "7", "6.1", "5.5", "5.4"] {
            found.push(case(format!("{name}, {value}"), &of("NL-10", dutch, places, choice), value));
        }
    }
    let mut plain = of("NL-10", (100_000, 60_000), 2, Nearest);
    let formula = plain.formula.as_mut().expect("a formula");
    (formula.steps_e4, formula.choice) = (Vec::new(), 0);
    found.push(case("cut to one place, without steps", &plain, "8"));
    found.push(case("cut to one place, without steps, which truncates", &plain, "8.3"));
    let mut letters = of("US-4", (40_000, 10_000), 2, Favourable);
    let ordinal = |value: &str, e4| pb::GradeOrdinal { value: value.to_owned(), e4 };
    letters.formula.as_mut().expect("a formula").ordinals =
        vec![ordinal("A", 40_000), ordinal("B", 30_000), ordinal("C", 20_000)];
    found.push(case("letters that stand for numbers", &letters, "B"));
    found.push(case("a letter without a number", &letters, "A-"));
    let mut rising = of("DE-5", (10_000, 40_000), 0, Nearest);
    rising.target_scale = "GB-100-UG".to_owned();
    let formula = rising.formula.as_mut().expect("a formula");
    (formula.target_best_e4, formula.target_pass_e4) = (1_000_000, 400_000);
    formula.steps_e4 = vec![850_000, 750_000, 650_000, 550_000, 450_000];
    for (value, choice) in
        [("1.0", Nearest), ("2.5", Nearest), ("2.5", Favourable), ("2.5", Unfavourable), ("4.0", Unfavourable)]
    {
        rising.formula.as_mut().expect("a formula").choice = choice.into();
        found.push(case(format!("a scale that runs upwards, {value}, {}", choice.as_str_name()), &rising, value));
    }
    found
}

pub(crate) fn cases() -> Vec<Case> {
    [tables(), compensated(), ects(), formulas()].into_iter().flatten().collect()
}
