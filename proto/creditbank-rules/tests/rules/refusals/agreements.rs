//! Agreements, equivalences, distributions and definitions: what is published, and when it is refused.

use creditbank_protocol::pb::{self, Kind, RequirementType as Type};

use super::case::Case;
use super::derived::published;
use super::publications::distribution;
use crate::fixtures::{self, acceptance, amount, between, course, credits, day};
use crate::qualification::definitions::with_steps;

/// Two CATS of institution 2 for one ECTS of institution 1.
pub(crate) fn terms() -> pb::AgreementTerms {
    let rounding = pb::Rounding::HalfEven.into();
    pb::AgreementTerms { rounding, notice_days: 90, ..between("CATS-ECTS", 2, 1, ("CATS", "ECTS"), (1, 2)) }
}

/// As institution 1 proposes it.
pub(crate) fn proposal(terms: &pb::AgreementTerms) -> pb::AgreementProposal {
    fixtures::proposal(terms, 1)
}

fn ending(ends: Option<pb::Date>) -> pb::AgreementEnding {
    let agreement = Some(pb::AgreementName { code: "CATS-ECTS".to_owned(), version: 1 });
    pb::AgreementEnding { institution: 1, agreement, ends }
}

pub(crate) fn equivalence() -> pb::Equivalence {
    pb::Equivalence {
        r#type: pb::EquivalenceType::Course.into(),
        source_course: "AAA".to_owned(),
        target: course("B", "B"),
        amount: Some(amount(30_0000, "ECTS")),
        ..fixtures::equivalence(1, "AAA-B", 2)
    }
}

/// A definition that is right: all of 60 CATS.
fn definition() -> pb::QualificationDefinition {
    fixtures::definition("CERT", vec![node(0, Type::All), credits(1, 60, None)])
}

impl Case {
    /// Both have signed.
    pub(crate) fn agree(&mut self, terms: &pb::AgreementTerms) {
        self.set(Kind::AgreementProposal, &proposal(terms));
        self.set(Kind::AgreementAcceptance, &acceptance(terms, 2));
    }
}

fn proposing(name: &'static str, about: &'static str, change: impl FnOnce(&mut pb::AgreementTerms)) -> Case {
    let mut entry = terms();
    change(&mut entry);
    published(Some(name), about, Kind::AgreementProposal, &proposal(&entry))
}

fn proposals() -> Vec<Case> {
    let graded = |about, name, change: fn(&mut pb::GradeRule)| {
        let scale = "JP-SABC:TOKAI".to_owned();
        let mut rule = pb::GradeRule {
            method: pb::GradeMethod::Table.into(),
            source_scale: scale.clone(),
            target_scale: scale,
            rows: vec![pb::GradeRow { value: "S".to_owned(), target: "S".to_owned(), ..Default::default() }],
            ..Default::default()
        };
        change(&mut rule);
        proposing(name, about, |terms| terms.grades = Some(rule))
    };
    vec![
        published(
            Some("NOT_THE_PUBLISHER"),
            "proposed in the name of another institution",
            Kind::AgreementProposal,
            &pb::AgreementProposal { institution: 2, ..proposal(&terms()) },
        ),
        proposing("NOT_THE_PUBLISHER", "between two others", |terms| terms.receiver = 0),
        published(
            Some("MISSING_FIELD"),
            "without terms",
            Kind::AgreementProposal,
            &pb::AgreementProposal { institution: 1, terms: None },
        ),
        proposing("MISSING_FIELD", "without a code", |terms| terms.code.clear()),
        proposing("MISSING_FIELD", "of version 0", |terms| terms.version = 0),
        proposing("MISSING_FIELD", "without a step", |terms| terms.step_e4 = 0),
        proposing("MISSING_FIELD", "without a rounding", |terms| terms.rounding = 0),
        proposing("MISSING_FIELD", "without a ratio", |terms| terms.ratio = None),
        proposing("CONTRADICTION", "a ratio of 0 to 2", |terms| {
            terms.ratio = Some(pb::Ratio { numerator: 0, denominator: 2 })
        }),
        proposing("CONTRADICTION", "a unit onto itself at 1 to 2", |terms| terms.target_unit = "CATS".to_owned()),
        proposing("CONTRADICTION", "with itself", |terms| terms.sender = 1),
        proposing("CONTRADICTION", "a country's tier between universities", |terms| {
            terms.tier = pb::Tier::Country.into()
        }),
        proposing("CONTRADICTION", "a cap that is no multiple of the step", |terms| terms.learner_max_e4 = 7_500),
        proposing("CONTRADICTION", "more than the whole of an award", |terms| {
            terms.award_share_max = Some(pb::Ratio { numerator: 3, denominator: 2 });
        }),
        proposing("CONTRADICTION", "a level map onto itself", |terms| {
            terms.level_from_framework = "FHEQ".to_owned();
            terms.level_to_framework = "FHEQ".to_owned();
            terms.level_rows = vec![pb::LevelMapRow { from: "6".to_owned(), to: vec!["6".to_owned()] }];
        }),
        proposing("CONTRADICTION", "replacing itself", |terms| {
            terms.replaces = vec![pb::AgreementName { code: "CATS-ECTS".to_owned(), version: 1 }];
        }),
        proposing("UNKNOWN_CREDIT_UNIT", "of an unknown unit", |terms| terms.target_unit = "EURO".to_owned()),
        proposing("UNKNOWN_REFERENCE", "with nobody", |terms| terms.sender = 77),
        proposing("UNKNOWN_REFERENCE", "a second version without a first", |terms| terms.version = 2),
        proposing("UNKNOWN_REFERENCE", "an unknown level map", |terms| terms.level_map = "NONE".to_owned()),
        proposing("UNKNOWN_LEVEL", "a scope of an unknown level", |terms| {
            terms.levels = vec![pb::Level { framework: "FHEQ".to_owned(), level: "99".to_owned() }];
        }),
        proposing("INVALID_DATE", "ended before it begins", |terms| terms.until = day(2019, 12, 31)),
        proposing("INSTITUTION_NOT_ACTIVE", "with a closed institution", |_| ()).with(|case| {
            let closed = pb::Institution { state: pb::RegistryState::Closed.into(), ..crate::fixtures::institution(2) };
            case.set(Kind::Institution, &closed);
        }),
        graded("a table without rows", "MISSING_FIELD", |rule| rule.rows.clear()),
        graded("a grade twice", "CONTRADICTION", |rule| rule.rows.push(rule.rows[0].clone())),
        graded("a target that fails", "GRADE_NOT_A_PASS", |rule| rule.rows[0].target = "E".to_owned()),
        graded("a grade that the scale does not list", "UNKNOWN_GRADE", |rule| rule.rows[0].value = "Z".to_owned()),
        graded("a choice of overlaps with a table", "CONTRADICTION", |rule| rule.overlap = 1),
        graded("distributions without a cycle", "MISSING_FIELD", |rule| {
            rule.rows.clear();
            (rule.method, rule.overlap) = (pb::GradeMethod::Ects.into(), 1);
        }),
        published(Some("PERMANENT"), "a version that was accepted", Kind::AgreementProposal, &proposal(&terms()))
            .with(|case| case.agree(&terms())),
        published(
            Some("NOT_THE_PUBLISHER"),
            "a code that others have proposed, in the other direction",
            Kind::AgreementProposal,
            &proposal(&pb::AgreementTerms { sender: 1, receiver: 2, ..terms() }),
        )
        .with(|case| case.set(Kind::AgreementProposal, &proposal(&terms()))),
    ]
}

fn others() -> Vec<Case> {
    let proposed = |case: &mut Case| case.set(Kind::AgreementProposal, &proposal(&terms()));
    let accepting = |name, about, entry: &pb::AgreementAcceptance| {
        published(Some(name), about, Kind::AgreementAcceptance, entry).with(Case::by_other).with(proposed)
    };
    let ended = |name, about, ends| {
        published(Some(name), about, Kind::AgreementEnding, &ending(ends)).with(|case| case.agree(&terms()))
    };
    let second = pb::AgreementTerms { code: "OTHER".to_owned(), ..terms() };
    vec![
        accepting("CONTRADICTION", "another text", &acceptance(&pb::AgreementTerms { step_e4: 1, ..terms() }, 2)),
        accepting("UNKNOWN_REFERENCE", "what nobody has proposed", &acceptance(&second, 2)),
        published(
            Some("NOT_THE_PUBLISHER"),
            "accepted by whoever has proposed",
            Kind::AgreementAcceptance,
            &acceptance(&terms(), 1),
        )
        .with(proposed),
        published(Some("PERMANENT"), "accepted twice", Kind::AgreementAcceptance, &acceptance(&terms(), 2))
            .with(Case::by_other)
            .with(|case| case.agree(&terms())),
        published(
            Some("AGREEMENTS_OVERLAP"),
            "a second agreement about the same credit",
            Kind::AgreementAcceptance,
            &acceptance(&second, 2),
        )
        .with(Case::by_other)
        .with(|case| {
            case.agree(&terms());
            case.set(Kind::AgreementProposal, &proposal(&second));
        }),
        ended("INVALID_DATE", "a day too early", day(2027, 2, 20)),
        ended("MISSING_FIELD", "ended on no day", None),
        published(
            Some("NOT_IN_FORCE"),
            "an end of what was not accepted",
            Kind::AgreementEnding,
            &ending(day(2028, 1, 1)),
        )
        .with(proposed),
        published(Some("PERMANENT"), "ended twice", Kind::AgreementEnding, &ending(day(2028, 1, 1))).with(|case| {
            case.agree(&terms());
            case.set(Kind::AgreementEnding, &ending(day(2027, 12, 31)));
        }),
    ]
}

fn equivalent(name: &'static str, about: &'static str, change: impl FnOnce(&mut pb::Equivalence)) -> Case {
    let mut entry = equivalence();
    change(&mut entry);
    published(Some(name), about, Kind::Equivalence, &entry)
}

fn distributed(name: &'static str, about: &'static str, change: impl FnOnce(&mut pb::GradeDistribution)) -> Case {
    let mut entry = distribution(1);
    change(&mut entry);
    published(Some(name), about, Kind::GradeDistribution, &entry)
}

fn lists() -> Vec<Case> {
    vec![
        equivalent("NOT_THE_PUBLISHER", "in the name of another institution", |entry| entry.institution = 2),
        equivalent("MISSING_FIELD", "of no course", |entry| entry.source_course.clear()),
        equivalent("MISSING_FIELD", "of no amount", |entry| entry.amount = None),
        equivalent("CONTRADICTION", "a course as itself", |entry| {
            entry.source_institution = 1;
            entry.source_course = "B".to_owned();
        }),
        equivalent("CONTRADICTION", "a kind of outcome with a course", |entry| entry.source_outcome = 1),
        equivalent("GRADE_NOT_A_PASS", "a least grade that fails", |entry| {
            entry.minimum = Some(pb::Grade { scale: "JP-SABC:TOKAI".to_owned(), value: "E".to_owned() });
        }),
        equivalent("UNKNOWN_REFERENCE", "a version too many", |entry| entry.version = 2),
        published(Some("PERMANENT"), "an equivalence once more", Kind::Equivalence, &equivalence())
            .with(|case| case.set(Kind::Equivalence, &equivalence())),
        distributed("UNKNOWN_GRADE", "of an unknown scale", |entry| entry.scale = "NONE".to_owned()),
        distributed("UNKNOWN_GRADE", "a grade that the scale does not have", |entry| {
            entry.counts[5].value = "Z".to_owned()
        }),
        distributed("MISSING_FIELD", "without a cycle", |entry| entry.cycle = 0),
        distributed("MISSING_FIELD", "without one of the grades", |entry| drop(entry.counts.pop())),
        distributed("CONTRADICTION", "the worst first", |entry| entry.counts.reverse()),
        distributed("CONTRADICTION", "of nine results", |entry| {
            entry.counts.iter_mut().for_each(|one| one.count = 0);
            entry.counts[0].count = 9;
        }),
        distributed("IMPLAUSIBLE_DATE", "of a period that goes on", |entry| {
            entry.period.as_mut().expect("a period").until = day(2026, 11, 24);
        }),
        published(Some("PERMANENT"), "a distribution once more", Kind::GradeDistribution, &distribution(1))
            .with(|case| case.set(Kind::GradeDistribution, &distribution(1))),
    ]
}

fn defined(name: &'static str, about: &'static str, change: impl FnOnce(&mut pb::QualificationDefinition)) -> Case {
    let mut entry = definition();
    change(&mut entry);
    published(Some(name), about, Kind::QualificationDefinition, &entry)
}

fn node(parent: u32, kind: Type) -> pb::Requirement {
    pb::Requirement { parent, r#type: kind.into(), ..Default::default() }
}

fn share(numerator: u64, denominator: u64) -> Option<pb::Ratio> {
    Some(pb::Ratio { numerator, denominator })
}

fn at_level(level: &str) -> Option<pb::Match> {
    let levels = vec![pb::Level { framework: "FHEQ".to_owned(), level: level.to_owned() }];
    Some(pb::Match { levels, ..Default::default() })
}

fn of_origin(origin: pb::Origin) -> Option<pb::Match> {
    Some(pb::Match { origins: vec![origin.into()], ..Default::default() })
}

fn definitions() -> Vec<Case> {
    let pushed =
        |name, about, requirement: pb::Requirement| defined(name, about, |entry| entry.requirements.push(requirement));
    let other = || pb::QualificationName { institution: 1, code: "OTHER".to_owned(), version: 0 };
    let own = || pb::QualificationName { code: "CERT".to_owned(), ..other() };
    vec![
        defined("NOT_THE_PUBLISHER", "in the name of another institution", |entry| entry.institution = 2),
        defined("MISSING_FIELD", "without requirements", |entry| entry.requirements.clear()),
        defined("MISSING_FIELD", "without a source", |entry| entry.source.clear()),
        defined("DEFINITION_TOO_LARGE", "33 levels", |entry| {
            entry.requirements = (0..32).map(|parent| node(parent, Type::All)).collect();
            entry.requirements.push(pb::Requirement { amount_e4: 1, ..node(32, Type::Credits) });
        }),
        defined("DEFINITION_TOO_LARGE", "1,048,577 steps to judge", |entry| entry.requirements = with_steps(1)),
        defined("DEFINITION_TOO_LARGE", "257 names of definitions", |entry| {
            entry.requirements.extend((0..257).map(|version| pb::Requirement {
                awards: vec![pb::QualificationName { version, ..other() }],
                ..node(1, Type::Award)
            }));
        }),
        defined("CONTRADICTION", "a parent that comes later", |entry| entry.requirements[1].parent = 2),
        defined("CONTRADICTION", "a field of another type", |entry| entry.requirements[1].months = 1),
        defined("CONTRADICTION", "awarded by others alone", |entry| entry.awarding = vec![2]),
        defined("CONTRADICTION", "two of one child", |entry| {
            entry.requirements.push(pb::Requirement { choose: 2, ..node(1, Type::Any) });
            entry.requirements.push(pb::Requirement { amount_e4: 1, ..node(3, Type::Credits) });
        }),
        pushed(
            "CONTRADICTION",
            "a share of more than the whole",
            pb::Requirement { share: share(3, 2), ..node(1, Type::AtMost) },
        ),
        pushed("MISSING_FIELD", "credits of no amount", node(1, Type::Credits)),
        pushed("MISSING_FIELD", "a mean without its scale", node(1, Type::Average)),
        pushed(
            "UNKNOWN_REFERENCE",
            "an award that nobody has defined",
            pb::Requirement { awards: vec![other()], ..node(1, Type::Award) },
        ),
        defined("UNKNOWN_CREDIT_UNIT", "in an unknown unit", |entry| entry.unit = "EURO".to_owned()),
        defined("UNKNOWN_REFERENCE", "a version too many", |entry| entry.version = 2),
        published(
            Some("PERMANENT"),
            "another text of a version",
            Kind::QualificationDefinition,
            &pb::QualificationDefinition { source: "there".to_owned(), ..definition() },
        )
        .with(|case| case.set(Kind::QualificationDefinition, &definition())),
        defined("REFERENCE_CYCLE", "that absorbs itself", |entry| entry.absorbs = vec![own()]),
        published(
            Some("REFERENCE_CYCLE"),
            "that absorbs what asks for it",
            Kind::QualificationDefinition,
            &pb::QualificationDefinition { version: 2, absorbs: vec![other()], ..definition() },
        )
        .with(|case| {
            case.set(Kind::QualificationDefinition, &definition());
            let mut entry = pb::QualificationDefinition { code: "OTHER".to_owned(), ..definition() };
            entry.requirements.push(pb::Requirement { awards: vec![own()], ..node(1, Type::Award) });
            case.set(Kind::QualificationDefinition, &entry);
        }),
        defined("UNSATISFIABLE", "more at a level than a cap allows", |entry| {
            let (amount, asked) = (90_0000, at_level("6"));
            let least = pb::Requirement { amount_e4: amount, r#match: asked.clone(), ..node(1, Type::AtLeast) };
            let most = pb::Requirement { amount_e4: amount - 1, r#match: asked, ..node(1, Type::AtMost) };
            entry.requirements.extend([least, most]);
        }),
        pushed(
            "UNSATISFIABLE",
            "a cap below what must be taken",
            pb::Requirement { amount_e4: 59_9999, ..node(1, Type::AtMost) },
        ),
        pushed(
            "UNSATISFIABLE",
            "a cap of half of everything",
            pb::Requirement { share: share(1, 2), ..node(1, Type::AtMost) },
        ),
        defined("UNSATISFIABLE", "own credit of others", |entry| {
            let asked =
                pb::Match { institutions: vec![2], origins: vec![pb::Origin::Own.into()], ..Default::default() };
            entry.requirements[1].r#match = Some(asked);
        }),
        defined("UNSATISFIABLE", "two of two, of which one cannot be met", |entry| {
            entry.requirements[0] = pb::Requirement { choose: 2, ..node(0, Type::Any) };
            entry.requirements.push(pb::Requirement {
                amount_e4: 1,
                r#match: of_origin(pb::Origin::Own),
                ..node(1, Type::Credits)
            });
            entry.requirements[2].r#match.as_mut().expect("a match").institutions = vec![2];
        }),
    ]
}

pub(crate) fn refused() -> Vec<Case> {
    [proposals(), others(), lists(), definitions()].into_iter().flatten().collect()
}

pub(crate) fn admitted() -> Vec<Case> {
    let replacing = pb::AgreementTerms {
        code: "OTHER".to_owned(),
        replaces: vec![pb::AgreementName { code: "CATS-ECTS".to_owned(), version: 1 }],
        ..terms()
    };
    let apart = pb::AgreementTerms { code: "OTHER".to_owned(), modes: vec![pb::Mode::Online.into()], ..terms() };
    let beside = pb::AgreementTerms { modes: vec![pb::Mode::OnSite.into()], ..terms() };
    let accepted = |about, before: pb::AgreementTerms, now: pb::AgreementTerms| {
        published(None, about, Kind::AgreementAcceptance, &acceptance(&now, 2)).with(Case::by_other).with(|case| {
            case.agree(&before);
            case.set(Kind::AgreementProposal, &proposal(&now));
        })
    };
    vec![
        published(None, "a proposal", Kind::AgreementProposal, &proposal(&terms())),
        published(
            None,
            "proposed anew by the other party",
            Kind::AgreementProposal,
            &pb::AgreementProposal { institution: 2, ..proposal(&pb::AgreementTerms { step_e4: 10_000, ..terms() }) },
        )
        .with(Case::by_other)
        .with(|case| case.set(Kind::AgreementProposal, &proposal(&terms()))),
        published(None, "an acceptance", Kind::AgreementAcceptance, &acceptance(&terms(), 2))
            .with(Case::by_other)
            .with(|case| case.set(Kind::AgreementProposal, &proposal(&terms()))),
        accepted("an agreement that replaces another one", terms(), replacing),
        accepted("two agreements with nothing in common", beside, apart),
        accepted("a second version", terms(), pb::AgreementTerms { version: 2, from: day(2027, 1, 1), ..terms() }),
        published(None, "an end in time", Kind::AgreementEnding, &ending(day(2027, 2, 21)))
            .with(|case| case.agree(&terms())),
        published(None, "an equivalence", Kind::Equivalence, &equivalence()),
        published(None, "a definition", Kind::QualificationDefinition, &definition()),
        published(
            None,
            "1,048,576 steps to judge",
            Kind::QualificationDefinition,
            &pb::QualificationDefinition { requirements: with_steps(0), ..definition() },
        ),
        published(None, "the same text of a definition once more", Kind::QualificationDefinition, &definition())
            .with(|case| case.set(Kind::QualificationDefinition, &definition())),
    ]
}
