//! Amounts: one rounding, apportionment, accounts, caps, loops.

use creditbank_protocol::pb::{self, Apportionment, Rounding};
use creditbank_rules::Rule;
use creditbank_rules::agreement::loops;
use creditbank_rules::conversion::{Account, Converted, Source, convert, explain};

use super::land::*;
use crate::fixtures::name;

fn one(source: (&str, u64), target: &str, ratio: (u64, u64), step_e4: u64, rounding: Rounding) -> u64 {
    let mut land = Land::new();
    let terms = pb::AgreementTerms {
        step_e4,
        rounding: rounding.into(),
        ..between("ONE", HERE, THERE, (source.0, target), ratio)
    };
    land.agree(&terms);
    amounts(&land.convert(&terms, &[credit(1, HERE, source.1, source.0)]).expect("converted"))[0]
}

/// Goal: published factors that contradict each other give, each under its own agreement, exactly what they say.
#[test]
fn conflicting_published_factors_each_hold_in_their_agreement() {
    use Rounding::{Down, HalfEven, HalfUp};
    // 3 US credits: 6 ECTS by the loads of a year, 5 at Shanghai, 4.5 or 4.8 at Guangzhou, 4.5 at Nagoya.
    for (ratio, expected) in [((2, 1), 60_000), ((5, 3), 50_000), ((3, 2), 45_000), ((8, 5), 48_000)] {
        assert_eq!(one(("US-SEMESTER", 30_000), "ECTS", ratio, 1_000, HalfUp), expected, "{ratio:?}");
    }
    // 60/37.5 is 8/5, written without decimals.
    assert_eq!(one(("US-SEMESTER", 375_000), "ECTS", (600_000, 375_000), 1, Down), 600_000);
    // 4 Qingdao credits are 3 Arizona units; 1 US is 5/3 ECTS: 10/3, rounded once.
    assert_eq!(one(("CN-XUEFEN", 40_000), "US-SEMESTER", (3, 4), 1_000, Down), 30_000);
    assert_eq!(one(("US-SEMESTER", 20_000), "ECTS", (5, 3), 1_000, Down), 33_000);
    assert_eq!(one(("US-SEMESTER", 20_000), "ECTS", (5, 3), 5_000, HalfUp), 35_000);
    // 45 h by 25 to 30 h a credit: between 1.5 and 1.8 ECTS.
    assert_eq!(one(("JP-TANI", 20_000), "ECTS", (9, 5), 1_000, HalfEven), 36_000);
    // Two and a half, and half a step, by each rounding.
    for (rounding, expected) in [(Down, 20_000), (HalfEven, 20_000), (HalfUp, 30_000)] {
        assert_eq!(one(("CATS", 50_000), "ECTS", (1, 2), 10_000, rounding), expected, "{rounding:?}");
    }
}

/// Goal: the total is rounded once and shared out by largest remainder, ties to the earlier source; a module without credit keeps
/// none.
#[test]
fn the_total_is_rounded_once_and_shared_by_largest_remainder() {
    let mut land = Land::new();
    let terms = pb::AgreementTerms { step_e4: 10_000, ..terms() };
    land.agree(&terms);
    let modules =
        |all: &[u64]| -> Vec<Source> { (1..).zip(all).map(|(at, e4)| credit(at, HERE, *e4, "CATS")).collect() };
    let convert = |all: &[u64]| amounts(&land.convert(&terms, &modules(all)).expect("converted"));
    // 3 x 7.5 ECTS are 22.5, rounded 23: one of the three gets nothing more, the last one.
    assert_eq!(convert(&[150_000, 150_000, 150_000]), [80_000, 80_000, 70_000]);
    assert_eq!(convert(&[10_000, 0, 30_000]), [10_000, 0, 10_000], "0.5 and 1.5 are 2; equal remainders, the earlier");
    assert_eq!(convert(&[0]), [0]);
    // As a lump it is one result that names all roots with their parts.
    let lump = pb::AgreementTerms {
        code: "LUMP".to_owned(),
        apportionment: Apportionment::Lump.into(),
        replaces: vec![name(&terms)],
        ..terms.clone()
    };
    land.agree(&lump);
    let converted = land.convert(&lump, &modules(&[150_000, 150_000, 150_000])).expect("converted");
    let [only] = converted.results.as_slice() else { panic!("one lump") };
    assert_eq!((only.amount.as_ref(), only.source_plus_1), (Some(&amount(230_000, "ECTS")), 0));
    let parts: Vec<u64> = only.roots.iter().map(|root| root.part_e4).collect();
    assert_eq!(parts, [76_667, 76_667, 76_666]);
    assert_eq!(only.roots[0].had, [amount(150_000, "CATS"), amount(76_667, "ECTS")]);
    let single = land.convert(&lump, &modules(&[150_000])).expect("converted");
    assert_eq!((single.results[0].source_plus_1, single.results[0].course.is_some()), (1, true));
}

/// Converts one after the other under versions of one code and returns all of it.
fn in_turn(land: &Land, terms: &pb::AgreementTerms, parts: &[Vec<Source>]) -> Vec<Converted> {
    let mut records = Vec::new();
    let mut all = Vec::new();
    for part in parts {
        let account = Account::of(&records).expect("an account");
        let converted = convert(&land.request(terms, part, &account)).expect("converted");
        records.push(land.conversion(terms, &converted));
        all.push(converted);
    }
    all
}

/// Goal: one credit at a time gives what all at once give: the account keeps what was not rounded.
#[test]
fn splitting_a_conversion_gains_nothing() {
    let mut land = Land::new();
    let terms = pb::AgreementTerms { step_e4: 10_000, ..terms() };
    land.agree(&terms);
    // Each of ten modules is exactly 0.5 ECTS: alone they would be ten, rounded up.
    let modules: Vec<Vec<Source>> = (1..=10).map(|at| vec![credit(at, HERE, 10_000, "CATS")]).collect();
    let given: Vec<u64> = in_turn(&land, &terms, &modules).iter().flat_map(amounts).collect();
    assert_eq!(given, [10_000, 0, 10_000, 0, 10_000, 0, 10_000, 0, 10_000, 0]);
    let last = in_turn(&land, &terms, &modules).pop().expect("the last");
    let steps = last.amount_steps.expect("steps");
    assert_eq!((steps.exact_numerator.as_str(), steps.before_numerator.as_str()), ("5000", "45000"));
    assert_eq!((steps.rounded_e4, steps.given_before_e4, steps.granted_e4), (50_000, 50_000, 0));
    // The same source is not converted twice under one code, at another version neither.
    let first = in_turn(&land, &terms, &modules[..1]);
    let record = land.conversion(&terms, &first[0]);
    let account = Account::of([&record]).expect("an account");
    assert_eq!(rule(convert(&land.request(&terms, &modules[0], &account))), Rule::AlreadySpent);
    // A version with a finer step goes on with the same account.
    let finer = pb::AgreementTerms { version: 2, step_e4: 1, rounding: Rounding::Down.into(), ..terms.clone() };
    land.agree(&finer);
    let given = amounts(&convert(&land.request(&finer, &modules[1], &account)).expect("converted"));
    assert_eq!(given, [0], "exactly 1, and 1 was given for the first half");
}

/// Goal: one learner never gets more than the cap; what it leaves stands for so much less of its roots; when nothing is left, the
/// conversion is refused.
#[test]
fn the_cap_of_a_learner_holds_over_all_conversions() {
    let mut land = Land::new();
    let terms = pb::AgreementTerms { learner_max_e4: 200_000, ..terms() };
    land.agree(&terms);
    let parts: Vec<Vec<Source>> = (1..=2).map(|at| vec![credit(at, HERE, 300_000, "CATS")]).collect();
    let all = in_turn(&land, &terms, &parts);
    assert_eq!((amounts(&all[0]), amounts(&all[1])), (vec![150_000], vec![50_000]));
    let steps = all[1].amount_steps.as_ref().expect("steps");
    assert_eq!((steps.granted_e4, steps.over_learner_cap_e4), (50_000, 100_000));
    let root = &all[1].results[0].roots[0];
    assert_eq!(root.fraction, Some(pb::Ratio { numerator: 1, denominator: 3 }));
    assert_eq!(root.had, [amount(300_000, "CATS"), amount(150_000, "ECTS")], "what the whole of it would have had");
    let records: Vec<_> = all.iter().map(|one| land.conversion(&terms, one)).collect();
    let account = Account::of(&records).expect("an account");
    let more = [credit(3, HERE, 300_000, "CATS")];
    assert_eq!(rule(convert(&land.request(&terms, &more, &account))), Rule::OutsideScope);
}

/// Goal: a root that comes back to a unit never has more than it had there, although every agreement on the way holds; others in
/// the same conversion get nothing of what is taken away.
#[test]
fn no_loop_pays() {
    let mut land = Land::new();
    let there = between("OUT", HERE, THERE, ("US-SEMESTER", "ECTS"), (2, 1));
    let back = pb::AgreementTerms { step_e4: 10_000, ..between("BACK", THERE, HERE, ("ECTS", "US-SEMESTER"), (3, 5)) };
    land.agree(&there);
    land.agree(&back);
    assert_eq!(loops(&land.registry, &back, TODAY)[0].gain.to_string(), "6/5");
    let out = land.convert(&there, &[credit(1, HERE, 30_000, "US-SEMESTER")]).expect("converted");
    assert_eq!(amounts(&out), [60_000]);
    let mut sources = results(2, THERE, &out);
    sources.push(credit(3, THERE, 50_000, "ECTS"));
    let home = land.convert(&back, &sources).expect("converted");
    assert_eq!(amounts(&home), [30_000, 30_000], "3.6 is 3 again; 5 ECTS of another root are 3");
    let steps = home.amount_steps.as_ref().expect("steps");
    assert_eq!(steps.exact_numerator, "60000", "exactly 3 and 3");
    assert_eq!(home.results[0].roots[0].had, [amount(30_000, "US-SEMESTER"), amount(60_000, "ECTS")]);
    // Out again: 6 ECTS, as the first time.
    let again = land.convert(&there, &results(4, HERE, &home)[..1]).expect("converted");
    assert_eq!(amounts(&again), [60_000]);
    let lines = explain(&land.conversion(&back, &home), &land.registry);
    assert!(lines.iter().any(|line| line.contains("more than it has been in this unit before")), "{lines:#?}");
}

/// Goal: a root counts once in a conversion, however it came there.
#[test]
fn a_root_is_not_converted_twice_at_once() {
    let mut land = Land::new();
    let there = pb::AgreementTerms { step_e4: 1, ..between("SAME", HERE, HERE + 1, ("ECTS", "ECTS"), (1, 1)) };
    let onward = between("ON", THERE, GROUP, ("ECTS", "CATS"), (2, 1));
    land.agree(&there);
    land.agree(&onward);
    let out = land.convert(&there, &[credit(1, HERE, 30_000, "ECTS")]).expect("converted");
    let mut sources = vec![Source { institution: THERE.into(), ..credit(1, HERE, 30_000, "ECTS") }];
    sources.extend(results(2, THERE, &out));
    assert_eq!(rule(land.convert(&onward, &sources)), Rule::AlreadySpent);
    sources.reverse();
    assert_eq!(rule(land.convert(&onward, &sources)), Rule::Contradiction, "sources ascend");
}

/// Goal: what the schema cannot hold is refused and never cut.
#[test]
fn numbers_that_do_not_fit_are_refused() {
    let mut land = Land::new();
    let terms = between("BIG", HERE, THERE, ("CATS", "ECTS"), (10_000_000_000, 1));
    land.agree(&terms);
    assert_eq!(rule(land.convert(&terms, &[credit(1, HERE, 10_000_000_000, "CATS")])), Rule::OutsideScope);
    assert_eq!(rule(land.convert(&terms, &[])), Rule::MissingField);
    let many: Vec<Source> = (1..=257).map(|at| credit(at, HERE, 1, "CATS")).collect();
    assert_eq!(rule(land.convert(&terms, &many)), Rule::MissingField);
}

type Change = fn(&mut pb::Conversion);

/// Goal: whoever changes one figure of a conversion is told which.
#[test]
fn the_first_difference_is_named() {
    let mut land = Land::new();
    land.agree(&terms());
    let sources = [credit(1, HERE, 300_000, "CATS"), credit(2, HERE, 150_000, "CATS")];
    let converted = land.convert(&terms(), &sources).expect("converted");
    let good = land.conversion(&terms(), &converted);
    let changes: &[(&str, Change)] = &[
        ("amount", |one| one.results[1].amount = Some(amount(80_000, "ECTS"))),
        ("level", |one| one.results[0].level = Some(level("EQF", "6"))),
        ("grade", |one| one.results[0].grade = Some(grade("DE-5", "1.0"))),
        ("field", |one| one.results[0].field = "06".to_owned()),
        ("mode", |one| one.results[0].mode = pb::Mode::Online.into()),
        ("period", |one| one.results[0].period = None),
        ("course", |one| one.results[0].course = None),
        ("roots", |one| one.results[0].roots[0].had.clear()),
        ("expires", |one| one.results[0].expires = Some(date(2030, 1, 1))),
        ("override_reason", |one| one.results[0].override_reason = "better".to_owned()),
        ("declared", |one| one.results[0].declared = true),
        ("source_plus_1", |one| one.results[1].source_plus_1 = 1),
        ("results", |one| drop(one.results.pop())),
        ("sources", |one| one.sources[0].institution = THERE),
        ("amount_steps", |one| one.amount_steps.as_mut().expect("steps").rounded_e4 += 1),
    ];
    for (field, change) in changes {
        let mut conversion = good.clone();
        change(&mut conversion);
        let found = land.check(THERE, &conversion, &sources, &Account::default());
        let rejection = found.expect_err(field);
        assert_eq!((rejection.rule, rejection.field), (Rule::ConversionDiffers, Some(*field)), "{rejection}");
    }
    let mut nameless = good.clone();
    nameless.agreement = None;
    assert_eq!(rule(land.check(THERE, &nameless, &sources, &Account::default())), Rule::MissingField);
    assert_eq!(rule(land.check(HERE, &good, &sources, &Account::default())), Rule::OutsideScope);
}

/// Goal: a person can follow a conversion without knowing the rules.
#[test]
fn a_conversion_is_explained_step_by_step() {
    let mut land = Land::new();
    land.agree(&terms());
    let sources = [credit(1, HERE, 150_000, "CATS"), credit(2, HERE, 100_000, "CATS")];
    let converted = land.convert(&terms(), &sources).expect("converted");
    let lines = explain(&land.conversion(&terms(), &converted), &land.registry);
    assert_eq!(
        lines,
        [
            "by agreement GB-FR version 1 between institutions 1 and 2, decided 2026-11-23",
            "source 1: C1 of institution 1, 15 CATS, no level stated, ungraded",
            "source 2: C2 of institution 1, 10 CATS, no level stated, ungraded",
            "25 CATS times 1/2 is 25/2 ECTS",
            "together, rounded once to the nearest, halves up to a multiple of 0.5: 12.5 ECTS",
            "granted: 12.5 ECTS",
            "source 1 for C1: 7.5 ECTS, no level stated, ungraded",
            "source 2 for C2: 5 ECTS, no level stated, ungraded",
        ]
    );
}
