//! Grades: tables, the ECTS method, formulas, overrides.

use creditbank_protocol::pb::{self, Cycle, GradeMethod, GradeRule, Kind, OverlapChoice, StepChoice};
use creditbank_rules::conversion::{Converted, Source, Stated, explain, overlaps};
use creditbank_rules::{Rejection, Rule};

use super::land::*;
use super::publications::distribution;

fn scale(code: &str, pass: &str, fail: &str) -> pb::GradeScale {
    let grades = |values: &str, pass| {
        values
            .split_whitespace()
            .map(move |value| pb::ListedGrade { value: value.to_owned(), pass })
            .collect::<Vec<_>>()
    };
    pb::GradeScale {
        code: code.to_owned(),
        names: vec![text("A scale")],
        listed: [grades(pass, true), grades(fail, false)].concat(),
        sources: crate::fixtures::sources("a test"),
        ..Default::default()
    }
}

fn under(land: &mut Land, rule: GradeRule) -> pb::AgreementTerms {
    let terms = pb::AgreementTerms { grades: Some(rule), ..terms() };
    land.agree(&terms);
    terms
}

fn graded(scale: &str, value: &str) -> Source {
    Source { grade: Some(grade(scale, value)), ..credit(1, HERE, 100_000, "CATS") }
}

fn value(converted: &Converted) -> &str {
    converted.results[0].grade.as_ref().map_or("ungraded", |grade| grade.value.as_str())
}

const EWP: [(&str, u64); 6] = [("A", 7), ("B", 37), ("C", 135), ("D", 98), ("E", 92), ("F", 3)];
const WITHDRAWN: [(&str, u64); 6] = [("A", 10), ("B", 25), ("C", 30), ("D", 25), ("E", 10), ("F", 0)];

/// The example of EWP at the sender, the withdrawn scale of ECTS at the receiver.
fn ects(choice: OverlapChoice) -> (Land, pb::AgreementTerms) {
    let mut land = Land::new();
    land.set(0, Kind::GradeScale, &scale("ECTS-HERE", "A B C D E", "F"));
    land.set(0, Kind::GradeScale, &scale("ECTS-THERE", "A B C D E", "F"));
    land.set(HERE, Kind::GradeDistribution, &distribution(HERE, 1, "ECTS-HERE", &EWP));
    land.set(THERE, Kind::GradeDistribution, &distribution(THERE, 1, "ECTS-THERE", &WITHDRAWN));
    let rule = GradeRule {
        method: GradeMethod::Ects.into(),
        source_scale: "ECTS-HERE".to_owned(),
        target_scale: "ECTS-THERE".to_owned(),
        overlap: choice.into(),
        cycle: Cycle::First.into(),
        ..Default::default()
    };
    land.today = day(2021, 1, 1);
    let terms = under(&mut land, rule);
    land.today = TODAY;
    (land, terms)
}

/// Goal: the worked case of the EWP example: C overlaps B by 23.08 points and C by 13.51.
#[test]
fn the_published_example_overlaps_as_computed_by_hand() {
    let (land, _) = ects(OverlapChoice::Minimum);
    let of = |institution| land.registry.distributions(institution).next().expect("published").clone();
    let found = overlaps(&land.registry, &of(HERE.into()), "C", &of(THERE.into())).expect("a grade");
    let points = |at: usize| (found[at].common * 10_000).round().to_integer();
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].value.as_str(), points(0)), ("B", 2_308));
    assert_eq!((found[1].value.as_str(), points(1)), ("C", 1_351));
    assert_eq!(found[0].common.to_string(), "1703/7380", "35/100 - 44/369");
}

/// Goal: minimum, average and maximum choose the worst, the middle and the best overlapped grade, and the steps show where the
/// grade lies.
#[test]
fn the_choice_decides_between_overlapped_grades() {
    let expected = [
        (OverlapChoice::Minimum, ["A", "B", "C", "D", "E"]),
        (OverlapChoice::Average, ["A", "A", "B", "C", "D"]),
        (OverlapChoice::Maximum, ["A", "A", "B", "C", "D"]),
    ];
    for (choice, targets) in expected {
        let (land, terms) = ects(choice);
        for (source, target) in ["A", "B", "C", "D", "E"].into_iter().zip(targets) {
            let converted = land.convert(&terms, &[graded("ECTS-HERE", source)]).expect("converted");
            assert_eq!(value(&converted), target, "{source} by {choice:?}");
        }
    }
    let (land, terms) = ects(OverlapChoice::Minimum);
    let converted = land.convert(&terms, &[graded("ECTS-HERE", "C")]).expect("converted");
    let steps = converted.results[0].grade_steps.as_ref().expect("steps");
    assert_eq!(steps.from, Some(pb::Ratio { numerator: 44, denominator: 369 }));
    assert_eq!(steps.until, Some(pb::Ratio { numerator: 179, denominator: 369 }));
    let lines = explain(&land.conversion(&terms, &converted), &land.registry);
    let expected =
        "  C lies from 11.92 % to 48.50 % of the passing grades in distribution 1/1, laid over distribution 2/1";
    assert!(lines.iter().any(|line| line == expected), "{lines:#?}");
}

/// Goal: ranges that touch do not overlap; a boundary belongs to the better grade; a grade that nobody got is placed by its
/// neighbours; grades that nobody got are never suggested.
#[test]
fn boundaries_and_empty_grades_are_pinned() {
    use OverlapChoice::{Average, Maximum, Minimum};
    let case = |source: &[(&str, u64)], target: &[(&str, u64)], choice, value| {
        let mut land = Land::new();
        land.set(0, Kind::GradeScale, &scale("S", "A B C", ""));
        land.set(0, Kind::GradeScale, &scale("T", "1 2 3", ""));
        land.set(HERE, Kind::GradeDistribution, &distribution(HERE, 1, "S", source));
        land.set(THERE, Kind::GradeDistribution, &distribution(THERE, 1, "T", target));
        let rule = GradeRule {
            method: GradeMethod::Ects.into(),
            source_scale: "S".to_owned(),
            target_scale: "T".to_owned(),
            overlap: i32::from(choice),
            cycle: Cycle::First.into(),
            ..Default::default()
        };
        let terms = under(&mut land, rule);
        let converted = land.convert(&terms, &[graded("S", value)]).expect("converted");
        self::value(&converted).to_owned()
    };
    let even = [("1", 5), ("2", 5), ("3", 10)];
    // B lies exactly where 2 lies: it touches 1 and 3 and overlaps neither.
    let same = [("A", 5), ("B", 5), ("C", 10)];
    for choice in [Minimum, Average, Maximum] {
        assert_eq!(case(&same, &even, choice, "B"), "2", "{choice:?}");
    }
    // The middle of A is the boundary between 1 and 2: the better grade.
    let half = [("A", 10), ("B", 10), ("C", 0)];
    assert_eq!(case(&half, &even, Average, "A"), "1");
    assert_eq!(case(&half, &even, Minimum, "A"), "2");
    // Nobody got C: it stands at the very end. Nobody got A: at the very beginning.
    assert_eq!(case(&half, &even, Maximum, "C"), "3");
    assert_eq!(case(&[("A", 0), ("B", 10), ("C", 10)], &even, Minimum, "A"), "1");
    // Nobody got B, which stands at the boundary between 1 and 2: the better one.
    assert_eq!(case(&[("A", 5), ("B", 0), ("C", 15)], &even, Minimum, "B"), "1");
    // Nobody got 2: it is not suggested.
    assert_eq!(case(&same, &[("1", 5), ("2", 0), ("3", 15)], Maximum, "B"), "3");
}

/// Goal: of the published distributions the one of the longest matching field, then the latest period, then the highest number is
/// taken; of another cycle, of the future or of nobody is none, and the refusal says whose.
#[test]
fn the_closest_distribution_is_compared() {
    let (mut land, terms) = ects(OverlapChoice::Average);
    let used = |land: &Land| {
        let converted = land.convert(&terms, &[graded("ECTS-HERE", "C")]).expect("converted");
        let steps = converted.results[0].grade_steps.expect("steps");
        steps.source_distribution.expect("a distribution").number
    };
    let publish = |land: &mut Land, number, field: &str, until: pb::Date, cycle: Cycle| {
        let period = Some(pb::Period { from: Some(date(2020, 1, 0)), until: Some(until) });
        let (field, cycle) = (field.to_owned(), cycle.into());
        let entry = pb::GradeDistribution { field, cycle, period, ..distribution(HERE, number, "ECTS-HERE", &EWP) };
        land.set(HERE, Kind::GradeDistribution, &entry);
    };
    assert_eq!(used(&land), 1);
    publish(&mut land, 2, "", date(2026, 8, 0), Cycle::First);
    publish(&mut land, 3, "0541", date(2026, 8, 0), Cycle::Second);
    publish(&mut land, 4, "0542", date(2026, 8, 0), Cycle::First);
    assert_eq!(used(&land), 1, "broader, another cycle, another field");
    publish(&mut land, 9, "054", date(2022, 8, 0), Cycle::First);
    assert_eq!(used(&land), 9, "narrower");
    publish(&mut land, 8, "054", date(2023, 8, 0), Cycle::First);
    assert_eq!(used(&land), 8, "later");
    publish(&mut land, 10, "054", date(2023, 8, 0), Cycle::First);
    assert_eq!(used(&land), 10, "of the same end, the highest number");
    let before = Land { today: day(2023, 8, 30), ..land.clone() };
    assert_eq!(used_refused(&before, &terms).rule, Rule::UnknownReference, "the receiver's had not ended then");
    // A source without a field is compared with distributions of all fields only.
    let mut source = graded("ECTS-HERE", "C");
    source.field.clear();
    let refusal = land.convert(&terms, &[source]).expect_err("the receiver has none of all fields");
    assert!(refusal.expected.contains("institution 2") && refusal.expected.contains("ECTS-THERE"), "{refusal}");
}

fn used_refused(land: &Land, terms: &pb::AgreementTerms) -> Rejection {
    land.convert(terms, &[graded("ECTS-HERE", "C")]).expect_err("must be refused")
}

/// What a formula into German grades suggests; with steps of thirds and how one is chosen, or the result as it is.
fn formula(
    (from, best, pass): (&str, u64, u64),
    grade: &str,
    truncate: u32,
    choice: StepChoice,
) -> Result<String, Rejection> {
    let ordinals = [("A", 30_000), ("B", 20_000), ("C", 10_000)];
    let ordinals = ordinals.map(|(value, e4)| pb::GradeOrdinal { value: value.to_owned(), e4 });
    let steps = [10_000, 13_000, 17_000, 20_000, 23_000, 27_000, 30_000, 33_000, 37_000, 40_000];
    let rule = GradeRule {
        method: GradeMethod::Formula.into(),
        source_scale: from.to_owned(),
        target_scale: "DE-5".to_owned(),
        formula: Some(pb::GradeFormula {
            source_best_e4: best,
            source_pass_e4: pass,
            target_best_e4: 10_000,
            target_pass_e4: 40_000,
            truncate_places_plus_1: truncate,
            steps_e4: if choice == StepChoice::Unspecified { Vec::new() } else { steps.to_vec() },
            choice: choice.into(),
            ordinals: if from == "LETTERS" { ordinals.to_vec() } else { Vec::new() },
        }),
        ..Default::default()
    };
    let mut land = Land::new();
    land.set(0, Kind::GradeScale, &scale("LETTERS", "A B C", "F"));
    let terms = under(&mut land, rule);
    land.convert(&terms, &[graded(from, grade)]).map(|converted| value(&converted).to_owned())
}

/// Goal: each published variant of the modified Bavarian formula gives what its university says.
#[test]
fn published_variants_of_the_bavarian_formula() {
    use StepChoice::{Favourable, Nearest, Unfavourable, Unspecified};
    let ok = |text: &str| Ok(text.to_owned());
    // HU Berlin: 8 in the Netherlands, best 10, pass 6, is 2.5.
    let nl = ("NL-10", 100_000, 60_000);
    assert_eq!(formula(nl, "8", 2, Unspecified), ok("2.5"));
    assert_eq!(formula(nl, "8.0", 2, Unspecified), ok("2.5"));
    // Cologne: the nearest step, of two the better: 2.5 is 2.3, 1.15 is 1.0, 3.85 is 3.7.
    assert_eq!(formula(nl, "8", 0, Nearest), ok("2.3"));
    assert_eq!(formula(nl, "9.8", 0, Nearest), ok("1.0"));
    assert_eq!(formula(nl, "6.2", 0, Nearest), ok("3.7"));
    // Passau: one decimal, cut; then the step that favours the student.
    assert_eq!(formula(nl, "8", 2, Favourable), ok("2.3"));
    let fr = ("FR-20", 200_000, 100_000);
    assert_eq!(formula(fr, "19.4999", 0, Nearest), ok("1.3"), "1.15003 is nearer to 1.3");
    assert_eq!(formula(fr, "15.4", 2, Unspecified), ok("2.3"), "2.38, cut");
    assert_eq!(formula(fr, "15.4", 2, Favourable), ok("2.3"));
    assert_eq!(formula(fr, "13.2", 2, Favourable), ok("3.0"), "3.04, cut to 3.0");
    assert_eq!(formula(fr, "13.2", 2, Unfavourable), ok("3.0"));
    assert_eq!(formula(fr, "13.2", 0, Unfavourable), ok("3.3"));
    assert_eq!(formula(fr, "13.2", 0, Favourable), ok("3.0"));
    assert_eq!((formula(fr, "20", 2, Favourable), formula(fr, "10", 2, Favourable)), (ok("1.0"), ok("4.0")));
    // Giessen: letters become numbers first.
    let letters = ("LETTERS", 30_000, 10_000);
    assert_eq!(formula(letters, "A", 2, Unspecified), ok("1.0"));
    assert_eq!(formula(letters, "B", 2, Unspecified), ok("2.5"));
    assert_eq!(formula(letters, "C", 2, Unspecified), ok("4.0"));
    // Better than the best counts as the best; worse than the pass is no pass here; four places are what there is.
    assert_eq!(formula(("FR-20", 180_000, 100_000), "19", 2, Unspecified), ok("1.0"));
    assert_eq!(rule(formula(("FR-20", 200_000, 120_000), "11", 2, Unspecified)), Rule::GradeNotAPass);
    assert_eq!(rule(formula(fr, "8", 2, Unspecified)), Rule::GradeNotAPass);
    assert_eq!(rule(formula(fr, "15.4", 3, Unspecified)), Rule::UnknownGrade, "2.38 is no German grade");
}

/// Goal: a table gives listed grades and ranges their targets, and a grade without a row is refused.
#[test]
fn tables_give_what_their_rows_say() {
    let row = |value: &str, min_e4, max_e4, target: &str| pb::GradeRow {
        value: value.to_owned(),
        min_e4,
        max_e4,
        target: target.to_owned(),
    };
    let rule = GradeRule {
        method: GradeMethod::Table.into(),
        source_scale: "IT-30".to_owned(),
        target_scale: "AT-5".to_owned(),
        rows: vec![row("30L", 0, 0, "1"), row("", 280_000, 300_000, "1"), row("", 240_000, 270_000, "2")],
        ..Default::default()
    };
    let mut land = Land::new();
    let terms = under(&mut land, rule);
    let convert = |scale: &str, value: &str| land.convert(&terms, &[graded(scale, value)]);
    for (from, to) in [("30L", "1"), ("30", "1"), ("28", "1"), ("27", "2"), ("24.0", "2")] {
        assert_eq!(value(&convert("IT-30", from).expect("converted")), to, "{from}");
    }
    assert_eq!(self::rule(convert("IT-30", "20")), Rule::UnknownGrade);
    assert_eq!(self::rule(convert("IT-30", "17")), Rule::GradeNotAPass);
    assert_eq!(value(&convert("PASS", "Pass").expect("converted")), "ungraded", "of another scale");
    let ungraded = land.convert(&terms, &[credit(1, HERE, 1, "CATS")]).expect("converted");
    assert_eq!(value(&ungraded), "ungraded");
}

/// Goal: another grade than the suggested one needs a reason and passes in the target scale; the suggestion stays visible.
#[test]
fn an_override_carries_its_reason() {
    let (land, terms) = ects(OverlapChoice::Minimum);
    let convert = |value: &str, reason: &str| {
        let grade = Some(grade("ECTS-THERE", value));
        let stated = [Stated { grade, override_reason: reason.to_owned(), ..Stated::default() }];
        land.convert_stated(&terms, &[graded("ECTS-HERE", "C")], &stated)
    };
    let converted = convert("B", "the course is harder").expect("converted");
    let result = &converted.results[0];
    assert_eq!((value(&converted), result.suggested.as_ref()), ("B", Some(&grade("ECTS-THERE", "C"))));
    assert_eq!(result.override_reason, "the course is harder");
    assert_eq!(rule(convert("B", "")), Rule::MissingField);
    assert_eq!(rule(convert("F", "failed here")), Rule::GradeNotAPass);
    let agrees = convert("C", "no other").expect("converted");
    assert_eq!((agrees.results[0].suggested.as_ref(), agrees.results[0].override_reason.as_str()), (None, ""));
    // Where nothing is suggested nothing is overridden.
    let stated =
        [Stated { grade: Some(grade("ECTS-THERE", "B")), override_reason: "x".to_owned(), ..Stated::default() }];
    let ungraded = land.convert_stated(&terms, &[credit(1, HERE, 1, "CATS")], &stated);
    assert_eq!(rule(ungraded), Rule::ConversionDiffers);
}
