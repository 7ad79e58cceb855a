//! Agreements: admission, force, parties, scope, loops.

use creditbank_protocol::pb::{self, Kind, Mode, PassBasis, Tier};
use creditbank_rules::Rule;
use creditbank_rules::agreement::{Facts, covers, in_force, loops, most_specific};

use super::land::*;
use crate::fixtures::name;

type Change = fn(&mut pb::AgreementTerms);

fn formula() -> pb::GradeFormula {
    pb::GradeFormula {
        source_best_e4: 200_000,
        source_pass_e4: 100_000,
        target_best_e4: 10_000,
        target_pass_e4: 40_000,
        truncate_places_plus_1: 2,
        ..Default::default()
    }
}

fn with_formula(terms: &mut pb::AgreementTerms, change: fn(&mut pb::GradeFormula)) {
    let mut formula = formula();
    change(&mut formula);
    terms.grades = Some(pb::GradeRule {
        method: pb::GradeMethod::Formula.into(),
        source_scale: "FR-20".to_owned(),
        target_scale: "DE-5".to_owned(),
        formula: Some(formula),
        ..Default::default()
    });
}

fn with_rows(terms: &mut pb::AgreementTerms, rows: &[(&str, u64, u64, &str)]) {
    let row = |(value, min_e4, max_e4, target): &(&str, u64, u64, &str)| pb::GradeRow {
        value: (*value).to_owned(),
        min_e4: *min_e4,
        max_e4: *max_e4,
        target: (*target).to_owned(),
    };
    terms.grades = Some(pb::GradeRule {
        method: pb::GradeMethod::Table.into(),
        source_scale: "IT-30".to_owned(),
        target_scale: "AT-5".to_owned(),
        rows: rows.iter().map(row).collect(),
        ..Default::default()
    });
}

fn refused(cases: &[(&str, Rule, Change)]) {
    for (what, expected, change) in cases {
        let mut terms = terms();
        change(&mut terms);
        assert_eq!(rule(Land::new().propose(&terms)), *expected, "{what}");
    }
}

/// Goal: what makes no sense as an agreement is refused by the rule that it breaks, above all a ratio with a 0, a map of a unit
/// onto itself and a framework onto itself.
#[test]
fn terms_that_make_no_sense_are_refused() {
    let cases: &[(&str, Rule, Change)] = &[
        ("no code", Rule::MissingField, |terms| terms.code.clear()),
        ("no version", Rule::MissingField, |terms| terms.version = 0),
        ("no title", Rule::MissingField, |terms| terms.titles.clear()),
        ("no tier", Rule::MissingField, |terms| terms.tier = 0),
        ("one institution", Rule::Contradiction, |terms| terms.receiver = terms.sender),
        ("unknown party", Rule::UnknownReference, |terms| terms.receiver = 99),
        ("universities for countries", Rule::Contradiction, |terms| terms.tier = Tier::Country.into()),
        ("no legal instrument", Rule::MissingField, |terms| {
            (terms.tier, terms.sender, terms.receiver) = (Tier::Country.into(), AUTHORITY_HERE, AUTHORITY_THERE);
        }),
        ("no first day", Rule::MissingField, |terms| terms.from = None),
        ("ends before it begins", Rule::InvalidDate, |terms| terms.until = Some(date(2019, 12, 31))),
        ("second version of nothing", Rule::UnknownReference, |terms| terms.version = 2),
        ("unknown unit", Rule::UnknownCreditUnit, |terms| terms.target_unit = "XX".to_owned()),
        ("no ratio", Rule::MissingField, |terms| terms.ratio = None),
        ("x/0", Rule::Contradiction, |terms| terms.ratio = Some(pb::Ratio { numerator: 1, denominator: 0 })),
        ("0/x", Rule::Contradiction, |terms| terms.ratio = Some(pb::Ratio { numerator: 0, denominator: 1 })),
        ("a unit onto itself", Rule::Contradiction, |terms| terms.target_unit = "CATS".to_owned()),
        ("no step", Rule::MissingField, |terms| terms.step_e4 = 0),
        ("no rounding", Rule::MissingField, |terms| terms.rounding = 0),
        ("no apportionment", Rule::MissingField, |terms| terms.apportionment = 0),
        ("a cap between steps", Rule::Contradiction, |terms| terms.learner_max_e4 = 5_001),
        ("a share above 1", Rule::Contradiction, |terms| {
            terms.award_share_max = Some(pb::Ratio { numerator: 3, denominator: 2 });
        }),
        ("unknown level map", Rule::UnknownReference, |terms| terms.level_map = "XX".to_owned()),
        ("a level map that is withdrawn", Rule::UnknownReference, |terms| terms.level_map = "AQF-EQF".to_owned()),
        ("level rows without frameworks", Rule::MissingField, |terms| {
            terms.level_rows = vec![pb::LevelMapRow { from: "6".to_owned(), to: vec!["6".to_owned()] }];
        }),
        ("a framework onto itself", Rule::Contradiction, |terms| {
            (terms.level_from_framework, terms.level_to_framework) = ("EQF".to_owned(), "EQF".to_owned());
            terms.level_rows = vec![pb::LevelMapRow { from: "6".to_owned(), to: vec!["6".to_owned()] }];
        }),
        ("a level that is not there", Rule::UnknownLevel, |terms| {
            (terms.level_from_framework, terms.level_to_framework) = ("FHEQ".to_owned(), "EQF".to_owned());
            terms.level_rows = vec![pb::LevelMapRow { from: "6".to_owned(), to: vec!["9".to_owned()] }];
        }),
        ("a level of its scope that is not there", Rule::UnknownLevel, |terms| terms.levels = vec![level("EQF", "9")]),
        ("a field that is none", Rule::InvalidCode, |terms| terms.fields = vec!["x1".to_owned()]),
        ("replaces what is not there", Rule::UnknownReference, |terms| {
            terms.replaces = vec![pb::AgreementName { code: "OTHER".to_owned(), version: 1 }];
        }),
        ("replaces itself", Rule::Contradiction, |terms| terms.replaces = vec![name(terms)]),
    ];
    refused(cases);
}

/// Goal: a grade rule that would leave open what a grade becomes is refused.
#[test]
fn grade_rules_that_make_no_sense_are_refused() {
    let cases: &[(&str, Rule, Change)] = &[
        ("ungraded with a table", Rule::Contradiction, |terms| {
            with_rows(terms, &[("30L", 0, 0, "1")]);
            terms.grades.as_mut().expect("a rule").method = pb::GradeMethod::None.into();
        }),
        ("a table without rows", Rule::MissingField, |terms| with_rows(terms, &[])),
        ("a target that fails", Rule::GradeNotAPass, |terms| with_rows(terms, &[("30L", 0, 0, "5")])),
        ("a grade that is not listed", Rule::UnknownGrade, |terms| with_rows(terms, &[("31", 0, 0, "1")])),
        ("a grade twice", Rule::Contradiction, |terms| {
            with_rows(terms, &[("30L", 0, 0, "1"), ("30L", 0, 0, "2")]);
        }),
        ("ranges that overlap", Rule::Contradiction, |terms| {
            with_rows(terms, &[("", 270_000, 300_000, "1"), ("", 240_000, 270_000, "2")]);
        }),
        ("ECTS without a choice", Rule::MissingField, |terms| {
            with_rows(terms, &[]);
            let rule = terms.grades.as_mut().expect("a rule");
            (rule.method, rule.cycle) = (pb::GradeMethod::Ects.into(), pb::Cycle::First.into());
        }),
        ("unknown scale", Rule::UnknownGrade, |terms| {
            with_formula(terms, |_| ());
            terms.grades.as_mut().expect("a rule").source_scale = "XX".to_owned();
        }),
        ("a denominator of 0", Rule::Contradiction, |terms| {
            with_formula(terms, |formula| formula.source_pass_e4 = formula.source_best_e4);
        }),
        ("steps without a choice", Rule::Contradiction, |terms| {
            with_formula(terms, |formula| formula.steps_e4 = vec![10_000]);
        }),
        ("steps out of order", Rule::Contradiction, |terms| {
            with_formula(terms, |formula| {
                formula.steps_e4 = vec![13_000, 10_000];
                formula.choice = pb::StepChoice::Nearest.into();
            });
        }),
        ("a step that fails", Rule::GradeNotAPass, |terms| {
            with_formula(terms, |formula| {
                formula.steps_e4 = vec![10_000, 50_000];
                formula.choice = pb::StepChoice::Nearest.into();
            });
        }),
        ("neither steps nor places", Rule::Contradiction, |terms| {
            with_formula(terms, |formula| formula.truncate_places_plus_1 = 0);
        }),
        ("results that cannot be written down", Rule::Contradiction, |terms| {
            with_formula(terms, |formula| formula.source_best_e4 = 9_999_999_967);
        }),
    ];
    refused(cases);
}

/// Goal: what is well-formed is admitted: a formula with steps, a table of listed grades and ranges.
#[test]
fn terms_that_make_sense_are_admitted() {
    let mut good = terms();
    with_formula(&mut good, |formula| {
        formula.steps_e4 = vec![10_000, 13_000];
        formula.choice = pb::StepChoice::Favourable.into();
    });
    Land::new().agree(&good);
    with_rows(&mut good, &[("30L", 0, 0, "1"), ("", 270_000, 300_000, "1"), ("", 180_000, 269_999, "2")]);
    Land::new().agree(&good);
}

/// Goal: both sign the same text: the proposer cannot accept, an older text cannot be accepted, and what is accepted is permanent.
#[test]
fn an_agreement_needs_both_and_is_then_permanent() {
    let mut land = Land::new();
    let terms = terms();
    let (code, version) = (&terms.code, terms.version);
    let by_a_third = pb::AgreementProposal { institution: GROUP, terms: Some(terms.clone()) };
    assert_eq!(rule(land.try_set(GROUP, Kind::AgreementProposal, &by_a_third)), Rule::NotThePublisher);
    let for_another = pb::AgreementProposal { institution: HERE, terms: Some(terms.clone()) };
    assert_eq!(rule(land.try_set(THERE, Kind::AgreementProposal, &for_another)), Rule::NotThePublisher);
    land.propose(&terms).expect("proposed");
    assert!(!in_force(&land.registry, code, version, TODAY));
    let own = pb::AgreementAcceptance { institution: HERE, agreement: Some(name(&terms)), terms_digest: vec![1; 32] };
    assert_eq!(rule(land.try_set(HERE, Kind::AgreementAcceptance, &own)), Rule::NotThePublisher);
    assert_eq!(rule(land.end(HERE, &terms, date(2027, 1, 1))), Rule::NotInForce);
    // A code is not taken over by others.
    let other = between(code, GROUP, THERE, ("CATS", "ECTS"), (1, 1));
    assert_eq!(rule(land.propose(&other)), Rule::NotThePublisher);
    // The text is changed before it is accepted.
    let changed = pb::AgreementTerms { ratio: Some(pb::Ratio { numerator: 3, denominator: 5 }), ..terms.clone() };
    land.propose(&changed).expect("proposed anew");
    assert_eq!(rule(land.accept(&terms)), Rule::Contradiction);
    land.accept(&changed).expect("accepted");
    assert!(in_force(&land.registry, code, version, TODAY));
    assert_eq!(rule(land.accept(&changed)), Rule::Permanent);
    assert_eq!(rule(land.propose(&terms)), Rule::Permanent);
}

/// Goal: a party that is suspended signs nothing.
#[test]
fn parties_are_active() {
    let mut land = Land::new();
    let suspended = |land: &Land| pb::Institution {
        state: pb::RegistryState::Suspended.into(),
        ..land.registry.institution(THERE.into()).expect("there").clone()
    };
    land.propose(&terms()).expect("proposed");
    let entry = suspended(&land);
    land.set(0, Kind::Institution, &entry);
    assert_eq!(rule(land.accept(&terms())), Rule::InstitutionNotActive);
}

/// Goal: no two agreements of one tier speak of the same credit at the same time, unless the newer one says that it replaces the
/// other; scopes or dates that do not meet are no overlap.
#[test]
fn overlap_is_refused_unless_it_replaces() {
    let mut land = Land::new();
    let first = pb::AgreementTerms { fields: vec!["05".to_owned()], ..terms() };
    land.agree(&first);
    let second = pb::AgreementTerms { code: "SECOND".to_owned(), fields: vec!["0541".to_owned()], ..terms() };
    assert_eq!(rule(land.clone().try_agree(&second)), Rule::AgreementsOverlap);
    let broader = pb::AgreementTerms { fields: Vec::new(), ..second.clone() };
    assert_eq!(rule(land.clone().try_agree(&broader)), Rule::AgreementsOverlap);
    let harmless: [(&str, Change); 6] = [
        ("another field", |terms| terms.fields = vec!["061".to_owned()]),
        ("another unit", |terms| terms.source_unit = "US-SEMESTER".to_owned()),
        ("another direction", |terms| std::mem::swap(&mut terms.sender, &mut terms.receiver)),
        ("another tier", |terms| terms.tier = Tier::Group.into()),
        ("before it", |terms| {
            (terms.from, terms.until) = (Some(date(2019, 1, 1)), Some(date(2019, 12, 31)));
        }),
        ("instead of it", |terms| terms.replaces = vec![pb::AgreementName { code: "GB-FR".to_owned(), version: 1 }]),
    ];
    for (what, change) in harmless {
        let mut terms = second.clone();
        change(&mut terms);
        land.clone().try_agree(&terms).unwrap_or_else(|rejection| panic!("{what}: {rejection}"));
    }
    // What has ended is no longer in the way.
    land.end(THERE, &first, date(2026, 12, 31)).expect("ended");
    let later = pb::AgreementTerms { from: Some(date(2027, 1, 1)), ..second.clone() };
    land.clone().agree(&later);
    assert_eq!(rule(land.clone().try_agree(&second)), Rule::AgreementsOverlap);
    // Nobody replaces what others have agreed on.
    let foreign = pb::AgreementTerms {
        replaces: vec![name(&first)],
        ..between("FOREIGN", GROUP, THERE, ("CATS", "ECTS"), (1, 2))
    };
    assert_eq!(rule(land.propose(&foreign)), Rule::NotThePublisher);
}

/// Goal: force is judged on a day: from the first day on, until the last one, a notice, a later version or a replacement.
#[test]
fn force_is_judged_on_a_day() {
    let mut land = Land::new();
    let first = pb::AgreementTerms { notice_days: 30, until: Some(date(2027, 12, 0)), ..terms() };
    land.agree(&first);
    let on = |land: &Land, version, when| in_force(&land.registry, "GB-FR", version, when);
    assert!(!on(&land, 1, day(2019, 12, 31)) && on(&land, 1, day(2020, 1, 1)));
    assert!(on(&land, 1, day(2027, 12, 31)) && !on(&land, 1, day(2028, 1, 1)));
    // Notice: 30 days after 2026-11-23 at the earliest, once.
    let mut ended = land.clone();
    assert_eq!(rule(ended.end(GROUP, &first, date(2027, 1, 1))), Rule::NotThePublisher);
    assert_eq!(rule(ended.end(HERE, &first, date(2026, 12, 22))), Rule::InvalidDate);
    ended.end(HERE, &first, date(2026, 12, 23)).expect("in time");
    assert!(on(&ended, 1, day(2026, 12, 23)) && !on(&ended, 1, day(2026, 12, 24)));
    assert_eq!(rule(ended.end(THERE, &first, date(2027, 1, 1))), Rule::Permanent);
    // A later version counts from its first day, once it is accepted, and stays, also when it has ended.
    let second = pb::AgreementTerms {
        version: 2,
        from: Some(date(2026, 1, 1)),
        until: Some(date(2026, 6, 30)),
        ..first.clone()
    };
    land.propose(&second).expect("proposed");
    assert!(on(&land, 1, day(2026, 1, 1)));
    land.accept(&second).expect("accepted");
    assert!(on(&land, 1, day(2025, 12, 31)) && !on(&land, 1, day(2026, 1, 1)));
    assert!(on(&land, 2, day(2026, 1, 1)) && !on(&land, 2, day(2026, 7, 1)) && !on(&land, 1, day(2026, 7, 1)));
    // Versions keep parties and units.
    let third = pb::AgreementTerms { version: 3, target_unit: "US-SEMESTER".to_owned(), ..second.clone() };
    assert_eq!(rule(land.propose(&third)), Rule::Contradiction);
    let third = pb::AgreementTerms { version: 3, receiver: GROUP, ..second.clone() };
    assert_eq!(rule(land.propose(&third)), Rule::NotThePublisher);
    // Another code replaces it.
    let other = pb::AgreementTerms {
        code: "OTHER".to_owned(),
        from: Some(date(2026, 3, 1)),
        replaces: vec![name(&second)],
        ..terms()
    };
    land.agree(&other);
    assert!(on(&land, 2, day(2026, 2, 28)) && !on(&land, 2, day(2026, 3, 1)));
    assert!(in_force(&land.registry, "OTHER", 1, day(2026, 3, 1)));
}

/// Goal: institution wins over group, group over country, where they cover the credit; members and countries count on their days.
#[test]
fn the_most_specific_agreement_wins() {
    let mut land = Land::new();
    let country = pb::AgreementTerms {
        tier: Tier::Country.into(),
        legal_instrument: "A treaty".to_owned(),
        ..between("COUNTRY", AUTHORITY_HERE, AUTHORITY_THERE, ("CATS", "ECTS"), (1, 2))
    };
    let group = pb::AgreementTerms {
        tier: Tier::Group.into(),
        ..between("GROUP", GROUP, GROUP_THERE, ("CATS", "ECTS"), (1, 2))
    };
    let own = pb::AgreementTerms { fields: vec!["06".to_owned()], ..terms() };
    let facts = |field| Facts { unit: "CATS", level: None, field, mode: Mode::OnSite, basis: PassBasis::Unspecified };
    let winner = |land: &Land, sender, field, when| {
        let found = most_specific(&land.registry, sender, THERE.into(), &facts(field), when);
        found.map_or("none".to_owned(), |found| found.terms().code.clone())
    };
    assert_eq!(winner(&land, HERE.into(), "0541", TODAY), "none");
    land.agree(&country);
    assert_eq!(winner(&land, HERE.into(), "0541", TODAY), "COUNTRY");
    land.agree(&group);
    assert_eq!(winner(&land, HERE.into(), "0541", TODAY), "GROUP");
    assert_eq!(winner(&land, AUTHORITY_HERE.into(), "0541", TODAY), "COUNTRY", "no member of the group");
    assert_eq!(winner(&land, HERE.into(), "0541", day(2031, 1, 1)), "COUNTRY", "no member any more");
    land.agree(&own);
    assert_eq!(winner(&land, HERE.into(), "0541", TODAY), "GROUP", "the own agreement is about another field");
    assert_eq!(winner(&land, HERE.into(), "0613", TODAY), "GB-FR");
    // A conversion under another than the most specific one is refused.
    let mut source = credit(1, HERE, 200_000, "CATS");
    source.field = "0613".to_owned();
    let wide = pb::AgreementTerms { receiver: THERE, ..group.clone() };
    assert_eq!(rule(land.convert(&wide, &[source])), Rule::NotMostSpecific);
    land.convert(&wide, &[credit(1, HERE, 200_000, "CATS")]).expect("nothing more specific covers this one");
}

/// Goal: scopes are empty or exact; what a credit does not state is in no scope.
#[test]
fn what_is_not_stated_is_in_no_scope() {
    let eqf = level("EQF", "6");
    let stated =
        Facts { unit: "CATS", level: Some(&eqf), field: "0541", mode: Mode::Online, basis: PassBasis::Unspecified };
    let silent = Facts { unit: "CATS", level: None, field: "", mode: Mode::Unspecified, basis: PassBasis::Unspecified };
    assert_eq!(covers(&terms(), &silent), Ok(()));
    let scopes: [Change; 3] = [
        |terms| terms.levels = vec![level("EQF", "6")],
        |terms| terms.fields = vec!["054".to_owned()],
        |terms| terms.modes = vec![Mode::Online.into()],
    ];
    for change in scopes {
        let mut terms = terms();
        change(&mut terms);
        assert_eq!(covers(&terms, &stated), Ok(()));
        assert_eq!(rule(covers(&terms, &silent)), Rule::OutsideScope);
    }
    assert_eq!(rule(covers(&terms(), &Facts { unit: "ECTS", ..silent })), Rule::OutsideScope);
}

/// Goal: a loop with gain through a new agreement is reported with its path and its exact gain; one without is not, and neither is
/// one through agreements that are not in force.
#[test]
fn loops_with_gain_are_reported() {
    let mut land = Land::new();
    // 3 US are 5 ECTS (Shanghai), 2 CATS are 1 ECTS, 4 CATS are 1 US: 5 ECTS are 10 CATS are 2.5 US, which is less than 3.
    let shanghai = between("SHANGHAI", GROUP, HERE, ("US-SEMESTER", "ECTS"), (5, 3));
    let to_cats = between("TO-CATS", HERE, THERE, ("ECTS", "CATS"), (2, 1));
    land.agree(&shanghai);
    land.agree(&to_cats);
    let back = between("BACK", THERE, GROUP, ("CATS", "US-SEMESTER"), (1, 4));
    assert_eq!(loops(&land.registry, &back, TODAY), []);
    // At 3 CATS for 1 US it grows by 10/9.
    let growing = between("GROWING", THERE, GROUP, ("CATS", "US-SEMESTER"), (1, 3));
    let found = loops(&land.registry, &growing, TODAY);
    let [only] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(only.units, ["CATS", "US-SEMESTER", "ECTS", "CATS"]);
    let path: Vec<_> = only.path.iter().map(|name| name.code.as_str()).collect();
    assert_eq!(path, ["GROWING", "SHANGHAI", "TO-CATS"]);
    assert_eq!(only.gain.to_string(), "10/9");
    // Of two ways the better one counts, and loops of other lengths are found too.
    land.agree(&between("DIRECT", GROUP, THERE, ("US-SEMESTER", "CATS"), (4, 1)));
    let gains: Vec<_> = loops(&land.registry, &growing, TODAY)
        .iter()
        .map(|found| (found.units.len(), found.gain.to_string()))
        .collect();
    assert_eq!(gains, [(3, "4/3".to_owned()), (4, "10/9".to_owned())]);
    // An ended link closes no loop.
    land.end(HERE, &to_cats, date(2026, 11, 23)).expect("ended");
    assert_eq!(loops(&land.registry, &growing, TODAY + 1).len(), 1);
}
