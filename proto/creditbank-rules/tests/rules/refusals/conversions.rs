//! Conversions: by an agreement, an equivalence or an assessment, to the last digit.

use creditbank_protocol::pb::{self, Action, Kind, OutcomeType};
use creditbank_protocol::status::Marks;
use creditbank_rules::CourseKey;
use creditbank_rules::conversion::{Account, Basis, Request, Source, Stated, convert};
use creditbank_rules::{Registry, RegistryRecord};

use super::agreements::{equivalence, terms};
use super::awards::{audited, credits, definition};
use super::case::{self, Case, UNIT_KEY, body};
use super::derived::{self, Held, TODAY, at, course, marked, paper, redeeming, reference};
use crate::fixtures::{ALIAS, ORIGIN, credit, day, node, outcome, record, text};
use crate::world::NOW_MS;

/// The registry of a case, as the rules see it.
fn registry(case: &Case) -> Registry {
    let mut registry = Registry::new(ORIGIN);
    for (kind, entry) in derived::registry().iter().chain(&case.registry) {
        let publisher = case::publisher(*kind, entry);
        let sealed_at_ms = if publisher.is_some() { case.published_at } else { case::FOUNDED_MS };
        let institution = publisher.unwrap_or(0);
        let record = RegistryRecord {
            kind: *kind,
            body: entry,
            institution: institution.into(),
            created_at_minute: sealed_at_ms / 60_000,
            sealed_at_ms,
            entry: 0.into(),
        };
        registry.admit(record).expect("the registry of the case is admitted");
    }
    registry
}

/// Credit of institution 2 in entry 1: 60 CATS at level 6.
pub(crate) fn elsewhere(case: &mut Case, marks: Marks) {
    case.holds(Held { institution: 2, marks, ..Held::new(1, course("AAA")) }, Kind::Credit, &credit());
}

pub(crate) fn source() -> Source {
    Source::of_credit(reference(at(1)), 2.into(), &credit())
}

pub(crate) fn by_agreement(terms: &pb::AgreementTerms) -> pb::Conversion {
    let name = pb::AgreementName { code: terms.code.clone(), version: terms.version };
    pb::Conversion { agreement: Some(name), ..bare() }
}

pub(crate) fn by_equivalence() -> pb::Conversion {
    let name = pb::EquivalenceName { institution: 1, code: "AAA-B".to_owned(), version: 1 };
    pb::Conversion { equivalence: Some(name), ..bare() }
}

pub(crate) fn bare() -> pb::Conversion {
    pb::Conversion {
        learner: ALIAS.0.to_vec(),
        decided: day(2026, 11, 20),
        decider: "B. Example".to_owned(),
        mandate: paper(),
        ..Default::default()
    }
}

/// The conversion as the rules give it.
pub(crate) fn computed(
    case: &Case,
    conversion: &pb::Conversion,
    sources: &[Source],
    account: &Account,
    stated: &[Stated],
) -> pb::Conversion {
    let registry = registry(case);
    let request = Request {
        registry: &registry,
        basis: Basis::of(&registry, conversion).expect("a basis"),
        receiver: 1.into(),
        sources,
        account,
        decided: creditbank_rules::dates::first_day(conversion.decided.as_ref().expect("a day")),
        promised: None,
        stated,
    };
    let found = convert(&request).expect("a conversion");
    let (sources, results, amount_steps) = (found.sources, found.results, found.amount_steps);
    pb::Conversion { sources, results, amount_steps, ..conversion.clone() }
}

/// Under an agreement with one change, of the credit in entry 1; then bent.
pub(crate) fn agreed(
    name: Option<&'static str>,
    about: &'static str,
    change: impl FnOnce(&mut pb::AgreementTerms),
    bend: impl FnOnce(&mut pb::Conversion),
) -> Case {
    let mut text = terms();
    change(&mut text);
    let mut case = Case::new(name, about);
    case.agree(&text);
    elsewhere(&mut case, marked(&[]));
    let mut conversion = computed(&case, &by_agreement(&text), &[source()], &Account::default(), &[]);
    bend(&mut conversion);
    case.records = vec![record(Kind::Conversion, &conversion, 1)];
    if text.exclusive {
        case.groups = vec![redeeming(Kind::Conversion, conversion.mandate.as_ref(), &[at(1)])];
    }
    case
}

fn bent(name: &'static str, about: &'static str, bend: impl FnOnce(&mut pb::Conversion)) -> Case {
    agreed(Some(name), about, |_| (), bend)
}

fn differs(about: &'static str, bend: impl FnOnce(&mut pb::ConvertedCredit)) -> Case {
    bent("CONVERSION_DIFFERS", about, |conversion| bend(&mut conversion.results[0]))
}

/// What the rules do not give: as the agreement gives it for other terms.
fn refused_under(name: &'static str, about: &'static str, change: impl FnOnce(&mut pb::AgreementTerms)) -> Case {
    let mut text = terms();
    change(&mut text);
    let mut case = Case::new(Some(name), about);
    let mut right = Case::new(None, about);
    right.agree(&terms());
    case.agree(&text);
    elsewhere(&mut case, marked(&[]));
    let conversion = computed(&right, &by_agreement(&terms()), &[source()], &Account::default(), &[]);
    case.records = vec![record(Kind::Conversion, &conversion, 1)];
    case
}

fn with_source(name: &'static str, about: &'static str, scene: impl FnOnce(&mut Case)) -> Case {
    let mut case = agreed(Some(name), about, |_| (), |_| ());
    case.held.clear();
    scene(&mut case);
    case
}

fn by_group(terms: &mut pb::AgreementTerms) {
    (terms.tier, terms.code) = (pb::Tier::Group.into(), "GROUP".to_owned());
}

/// Outcome of institution 2 in entry 1, which an assessor of institution 1 makes 10 CATS.
fn assessed(name: Option<&'static str>, about: &'static str, bend: impl FnOnce(&mut pb::Conversion)) -> Case {
    let mut case = Case::new(name, about);
    let entry = outcome(OutcomeType::MoocCertificate);
    case.holds(Held { institution: 2, ..Held::new(1, CourseKey::UncodedOutcome) }, Kind::Outcome, &entry);
    let assessment = pb::Assessment {
        assessor: "A. Assessor".to_owned(),
        method: "Portfolio".to_owned(),
        evidence_digest: vec![5; 32],
    };
    let stated = Stated {
        course: Some(pb::Course { code: "RPL-1".to_owned(), titles: vec![text("Prior learning")] }),
        amount: Some(pb::Amount { e4: 10_0000, unit: "CATS".to_owned() }),
        ..Stated::default()
    };
    let source = Source::of_outcome(reference(at(1)), 2.into(), &entry);
    let basis = pb::Conversion { assessment: Some(assessment), ..bare() };
    let mut conversion = computed(&case, &basis, &[source], &Account::default(), &[stated]);
    bend(&mut conversion);
    case.records = vec![record(Kind::Conversion, &conversion, 1)];
    case
}

/// Under an equivalence, of the credit in entry 1.
fn equivalent(name: Option<&'static str>, about: &'static str, bend: impl FnOnce(&mut pb::Conversion)) -> Case {
    let mut case = Case::new(name, about);
    case.set(Kind::Equivalence, &equivalence());
    elsewhere(&mut case, marked(&[]));
    let mut conversion = computed(&case, &by_equivalence(), &[source()], &Account::default(), &[]);
    bend(&mut conversion);
    case.records = vec![record(Kind::Conversion, &conversion, 1)];
    case
}

/// Under an equivalence that names the course of the credit in entry 1 by an alias of its institution.
fn by_alias(name: Option<&'static str>, about: &'static str, withdrawn: bool) -> Case {
    let mut case = Case::new(name, about);
    case.set(Kind::Equivalence, &pb::Equivalence { source_course: "a-a-a".to_owned(), ..equivalence() });
    let alias = pb::CourseAlias { institution: 2, code: "A-A-A".to_owned(), same_as: "AAA".to_owned(), withdrawn };
    case.set(Kind::CourseAlias, &pb::CourseAlias { withdrawn: false, ..alias.clone() });
    elsewhere(&mut case, marked(&[]));
    let conversion = computed(&case, &by_equivalence(), &[source()], &Account::default(), &[]);
    if withdrawn {
        case.set(Kind::CourseAlias, &alias);
    }
    case.records = vec![record(Kind::Conversion, &conversion, 1)];
    case
}

/// The conversion in entry 4 has converted the credit in entry 1; another credit in entry 2 follows under the same code.
fn again(name: Option<&'static str>, about: &'static str, most: u64, bend: impl FnOnce(&mut pb::Conversion)) -> Case {
    let text = pb::AgreementTerms { learner_max_e4: most, ..terms() };
    let mut case = Case::new(name, about);
    case.agree(&text);
    elsewhere(&mut case, marked(&[]));
    let entry = other();
    case.holds(Held { institution: 2, ..Held::new(2, course("BBB")) }, Kind::Credit, &entry);
    let first = computed(&case, &by_agreement(&text), &[source()], &Account::default(), &[]);
    case.holds(Held { depends_on: vec![at(1)], ..Held::new(4, CourseKey::Conversion) }, Kind::Conversion, &first);
    let account = Account::of(&[first]).expect("an account");
    let second = Source::of_credit(reference(at(2)), 2.into(), &entry);
    let mut conversion = computed(&case, &by_agreement(&text), &[second], &account, &[]);
    bend(&mut conversion);
    case.records = vec![record(Kind::Conversion, &conversion, 1)];
    case
}

fn other() -> pb::Credit {
    let course = pb::Course { code: "BBB".to_owned(), titles: vec![text("B")] };
    pb::Credit { course: Some(course), amount: Some(pb::Amount { e4: 15_0000, unit: "CATS".to_owned() }), ..credit() }
}

fn level_rows(to: &[&str]) -> impl FnOnce(&mut pb::AgreementTerms) {
    let to: Vec<String> = to.iter().map(|level| (*level).to_owned()).collect();
    move |terms| {
        terms.level_from_framework = "FHEQ".to_owned();
        terms.level_to_framework = "EQF".to_owned();
        terms.level_rows = vec![pb::LevelMapRow { from: "6".to_owned(), to }];
    }
}

fn eqf(case: &mut Case) {
    let levels = (1..=8).map(|level| pb::FrameworkLevel { code: level.to_string(), names: Vec::new() }).collect();
    let framework = pb::Framework {
        code: "EQF".to_owned(),
        names: vec![text("EQF")],
        levels,
        sources: crate::fixtures::sources("here"),
        ..Default::default()
    };
    case.registry.insert(0, (Kind::Framework, body(&framework)));
}

/// The level of the credit is converted by the agreement's own row.
fn levelled(name: Option<&'static str>, about: &'static str, to: &[&str], stated: Option<&str>) -> Case {
    let mut text = terms();
    level_rows(to)(&mut text);
    let mut case = Case::new(name, about);
    case.agree(&text);
    eqf(&mut case);
    elsewhere(&mut case, marked(&[]));
    // A source without a level converts; the level is put in afterwards.
    let bare = Source { level: None, ..source() };
    let mut conversion = computed(&case, &by_agreement(&text), &[bare], &Account::default(), &[]);
    conversion.sources[0].level = credit().level;
    let level = |level: &str| pb::Level { framework: "EQF".to_owned(), level: level.to_owned() };
    conversion.results[0].level = stated.map(level);
    case.records = vec![record(Kind::Conversion, &conversion, 1)];
    case
}

fn rights() -> Vec<Case> {
    vec![
        bent("NO_MANDATE", "without a mandate", |conversion| conversion.mandate = None),
        bent("MISSING_FIELD", "decided by nobody", |conversion| conversion.decider.clear()),
        bent("MISSING_FIELD", "by no right", |conversion| conversion.agreement = None),
        bent("MISSING_FIELD", "by two rights", |conversion| conversion.equivalence = by_equivalence().equivalence),
        by_alias(Some("OUTSIDE_SCOPE"), "under an equivalence that names an alias that was withdrawn", true),
        bent("MISSING_FIELD", "of nothing", |conversion| conversion.sources.clear()),
        bent("IMPLAUSIBLE_DATE", "decided tomorrow", |conversion| {
            conversion.decided = day(TODAY.0, TODAY.1, TODAY.2 + 1)
        }),
        bent("UNKNOWN_REFERENCE", "by an agreement that is not there", |conversion| {
            conversion.agreement.as_mut().expect("a name").version = 2;
        }),
        bent("SOURCE_NOT_USABLE", "carrying out a decision that is not there", |conversion| {
            conversion.decision = Some(at(3));
        }),
        refused_under("NOT_IN_FORCE", "before the first day", |terms| terms.from = day(2026, 11, 21)),
        refused_under("NOT_IN_FORCE", "after the last day", |terms| terms.until = day(2026, 11, 19)),
        refused_under("NOT_IN_FORCE", "after a later version has begun", |_| ()).with(|case| {
            case.agree(&pb::AgreementTerms { version: 2, from: day(2026, 11, 20), ..terms() });
        }),
        refused_under("NOT_IN_FORCE", "after another agreement has replaced it", |_| ()).with(|case| {
            let replaces = vec![pb::AgreementName { code: "CATS-ECTS".to_owned(), version: 1 }];
            case.agree(&pb::AgreementTerms { code: "NEW".to_owned(), from: day(2026, 1, 1), replaces, ..terms() });
        }),
        refused_under("OUTSIDE_SCOPE", "of another level", |terms| {
            terms.levels = vec![pb::Level { framework: "FHEQ".to_owned(), level: "5".to_owned() }];
        }),
        refused_under("OUTSIDE_SCOPE", "of a field that is not stated", |terms| terms.fields = vec!["06".to_owned()]),
        refused_under("OUTSIDE_SCOPE", "of a mode that is not stated", |terms| {
            terms.modes = vec![pb::Mode::OnSite.into()]
        }),
        refused_under("OUTSIDE_SCOPE", "of another unit", |terms| {
            (terms.source_unit, terms.target_unit) = ("ECTS".to_owned(), "CATS".to_owned());
        }),
        refused_under("OUTSIDE_SCOPE", "a month too old", |terms| terms.age_months_max = 1),
        agreed(
            Some("NOT_MOST_SPECIFIC"),
            "by a group's agreement where the institutions have their own",
            by_group,
            |_| (),
        )
        .with(|case| case.agree(&terms())),
        with_source("SOURCE_NOT_USABLE", "of nothing that is there", |_| ()),
        with_source("SOURCE_NOT_USABLE", "of a credit that was revoked", |case| {
            elsewhere(case, marked(&[(Action::Revoke, 8)]))
        }),
        with_source("SOURCE_NOT_USABLE", "of a credit under review", |case| {
            elsewhere(case, marked(&[(Action::Review, 8)]))
        }),
        with_source("ALREADY_SPENT", "of a credit that an award holds", |case| {
            elsewhere(case, marked(&[(Action::Redeem, 8)]))
        }),
        with_source("NOT_VISIBLE", "of a credit that is visible from the day after the block on", |case| {
            let visible_from = Some(pb::Date { year: 2026, month: 11, day: 24 });
            let held = Held { institution: 2, ..Held::new(1, course("AAA")) };
            case.holds(held, Kind::Credit, &pb::Credit { visible_from, ..credit() });
        }),
        with_source("SOURCE_NOT_USABLE", "of an award", |case| {
            case.holds(
                Held { institution: 2, ..Held::new(1, CourseKey::Award) },
                Kind::Award,
                &pb::Award { learner: ALIAS.0.to_vec(), ..Default::default() },
            );
        }),
    ]
}

fn amounts() -> Vec<Case> {
    vec![
        differs("a ten-thousandth more", |result| result.amount.as_mut().expect("an amount").e4 += 1),
        differs("in another unit", |result| result.amount.as_mut().expect("an amount").unit = "CATS".to_owned()),
        differs("at another level", |result| result.level.as_mut().expect("a level").level = "5".to_owned()),
        differs("without its level", |result| result.level = None),
        differs("with a grade that nobody suggests", |result| {
            result.grade = Some(pb::Grade { scale: "JP-SABC:TOKAI".to_owned(), value: "S".to_owned() });
            result.suggested = result.grade.clone();
        }),
        differs("of another course", |result| result.course.as_mut().expect("a course").code = "B".to_owned()),
        differs("without its roots", |result| result.roots.clear()),
        differs("with half of its root", |result| {
            result.roots[0].fraction = Some(pb::Ratio { numerator: 1, denominator: 2 });
        }),
        differs("with less than the root has had", |result| drop(result.roots[0].had.pop())),
        bent("CONVERSION_DIFFERS", "with another sum", |conversion| {
            conversion.amount_steps.as_mut().expect("steps").sum.as_mut().expect("a sum").e4 += 1;
        }),
        bent("CONVERSION_DIFFERS", "without its steps", |conversion| conversion.amount_steps = None),
        bent("CONVERSION_DIFFERS", "of a source that says something else", |conversion| {
            conversion.sources[0].amount.as_mut().expect("an amount").e4 += 1;
        }),
        bent("CONVERSION_DIFFERS", "with a result more", |conversion| {
            conversion.results.push(conversion.results[0].clone())
        }),
        bent("SOURCE_NOT_USABLE", "of a result of a credit", |conversion| conversion.sources[0].result_plus_1 = 1),
        again(Some("ALREADY_SPENT"), "the same credit under the same code once more", 0, |conversion| {
            conversion.sources[0].record = Some(reference(at(1)));
        }),
        again(Some("CONVERSION_DIFFERS"), "as if nothing had been granted before", 0, |conversion| {
            let steps = conversion.amount_steps.as_mut().expect("steps");
            (steps.given_before_e4, steps.rounded_e4) = (0, 7_5000);
            (steps.before_numerator, steps.before_denominator) = ("0".to_owned(), "1".to_owned());
        }),
        levelled(Some("UNDEFINED_LEVEL"), "a level without a comparable one", &[], None),
        levelled(Some("UNDEFINED_LEVEL"), "several comparable levels, and none stated", &["5", "6"], None),
        levelled(Some("UNDEFINED_LEVEL"), "several comparable levels, and another stated", &["5", "6"], Some("7")),
        levelled(Some("CONVERSION_DIFFERS"), "one comparable level, and another stated", &["6"], Some("7")),
        equivalent(Some("CONVERSION_DIFFERS"), "an equivalence that gives more", |conversion| {
            conversion.results[0].amount.as_mut().expect("an amount").e4 += 1;
        }),
        equivalent(Some("UNKNOWN_REFERENCE"), "the equivalence of another institution", |conversion| {
            conversion.equivalence.as_mut().expect("a name").institution = 2;
        }),
        assessed(Some("MISSING_FIELD"), "an assessment by nobody", |conversion| {
            conversion.assessment.as_mut().expect("an assessment").assessor.clear();
        }),
        assessed(Some("UNKNOWN_CREDIT_UNIT"), "an assessment in an unknown unit", |conversion| {
            conversion.results[0].amount.as_mut().expect("an amount").unit = "EURO".to_owned();
        }),
        agreed(
            Some("EFFECT_MISMATCH"),
            "an exclusive agreement without the redemption",
            |terms| terms.exclusive = true,
            |_| (),
        )
        .with(|case| case.groups.clear()),
        bent("EFFECT_MISMATCH", "a redemption under an agreement that is not exclusive", |_| ())
            .with(|case| case.groups = vec![redeeming(Kind::Conversion, paper().as_ref(), &[at(1)])]),
        agreed(Some("DUPLICATE_RECORD"), "a conversion and an award of a learner in a block", |_| (), |_| ()).with(
            |case| {
                let award = pb::Award {
                    learner: ALIAS.0.to_vec(),
                    basis: pb::AwardBasis::Honorary.into(),
                    titles: vec![text("Doctor honoris causa")],
                    kind: pb::AwardKind::Degree.into(),
                    conferred: day(2026, 11, 20),
                    decider: "B. Example".to_owned(),
                    ..Default::default()
                };
                case.records.push(record(Kind::Award, &award, 2));
            },
        ),
    ]
}

/// Marks that stand, each with its entry.
type Given<'a> = &'a [(Action, u64)];

/// The conversion in entry 4 of the credit in entry 1; an award of 30 ECTS counts its result and redeems the record in an entry.
fn counted(
    name: Option<&'static str>,
    about: &'static str,
    exclusive: bool,
    (of_credit, of_conversion): (Given<'_>, Given<'_>),
    redeems: u64,
) -> Case {
    let text = pb::AgreementTerms { exclusive, ..terms() };
    let mut case = Case::new(name, about);
    case.agree(&text);
    elsewhere(&mut case, marked(of_credit));
    let conversion = computed(&case, &by_agreement(&text), &[source()], &Account::default(), &[]);
    let held = Held { depends_on: vec![at(1)], marks: marked(of_conversion), ..Held::new(4, CourseKey::Conversion) };
    case.holds(held, Kind::Conversion, &conversion);
    let entry = pb::QualificationDefinition {
        unit: "ECTS".to_owned(),
        requirements: vec![node(0, pb::RequirementType::All), credits(1, 30, "6")],
        ..definition("CERT")
    };
    case.set(Kind::QualificationDefinition, &entry);
    let allocation = pb::Allocation { requirement: 2, record: Some(reference(at(4))), result_plus_1: 1 };
    let award = pb::Award { allocations: vec![allocation], redeems: vec![reference(at(redeems))], ..audited() };
    case.records = vec![record(Kind::Award, &award, 1)];
    case.groups = vec![redeeming(Kind::Award, award.mandate.as_ref(), &[at(redeems)])];
    case
}

fn spent() -> Vec<Case> {
    let by_conversion: &[(Action, u64)] = &[(Action::Redeem, 4)];
    let other = |case: &mut Case| case.sealed(8, UNIT_KEY, NOW_MS - 3_600_000);
    vec![
        counted(
            Some("ALREADY_SPENT"),
            "an award that redeems a root which a conversion holds",
            true,
            (by_conversion, &[]),
            1,
        )
        .with(|case| case.groups.clear()),
        counted(Some("ALREADY_SPENT"), "an award that redeems a conversion which holds nothing", false, (&[], &[]), 4),
        counted(
            Some("ALREADY_SPENT"),
            "an award of a root that something else holds",
            false,
            (&[(Action::Redeem, 8)], &[]),
            1,
        )
        .with(|case| case.groups.clear())
        .with(other),
        counted(
            Some("ALREADY_SPENT"),
            "an award of a conversion that another award counts",
            true,
            (by_conversion, &[(Action::Redeem, 8)]),
            4,
        )
        .with(|case| case.groups.clear())
        .with(other),
        counted(
            Some("SOURCE_NOT_USABLE"),
            "an award of a conversion whose source was revoked",
            false,
            (&[(Action::Revoke, 8)], &[]),
            1,
        )
        .with(|case| case.groups.clear()),
    ]
}

pub(crate) fn refused() -> Vec<Case> {
    [rights(), amounts(), spent()].into_iter().flatten().collect()
}

pub(crate) fn admitted() -> Vec<Case> {
    vec![
        agreed(None, "under an agreement", |_| (), |_| ()),
        agreed(None, "under an exclusive agreement, which redeems the source", |terms| terms.exclusive = true, |_| ()),
        agreed(None, "under a group's agreement between its parties", by_group, |_| ()),
        agreed(None, "two months old", |terms| terms.age_months_max = 2, |_| ()),
        again(None, "another credit under the same code", 0, |_| ()),
        again(None, "up to the cap of the learner", 35_0000, |_| ()),
        levelled(None, "one comparable level", &["6"], Some("6")),
        levelled(None, "one of several comparable levels", &["5", "6"], Some("5")),
        equivalent(None, "under an equivalence", |_| ()),
        by_alias(None, "under an equivalence that names an alias of the course", false),
        assessed(None, "by an assessment", |_| ()),
        counted(
            None,
            "an award of a conversion that holds its source: the conversion is redeemed",
            true,
            (&[(Action::Redeem, 4)], &[]),
            4,
        ),
        counted(None, "an award of a conversion that holds nothing: the source is redeemed", false, (&[], &[]), 1),
    ]
}
