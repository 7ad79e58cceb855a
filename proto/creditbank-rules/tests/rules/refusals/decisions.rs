//! Decisions and appeals.

use creditbank_protocol::AccountId;
use creditbank_protocol::pb::{self, Action, Basis, DecisionType, Kind};

use super::case::Case;
use super::derived::{
    APPLICATIONS, CASE, Held, TODAY, appeal, application, at, course, decision, effect, group, marked, of, reference,
};
use crate::fixtures::{credit, day, record};

/// The ledger holds an application in entry 2 about the credit in entry 1.
fn applied(case: &mut Case) {
    case.holds_credit(marked(&[]));
    let entry = pb::Application { records: vec![reference(at(1))], ..application() };
    case.holds(Held { depends_on: vec![at(1)], ..Held::new(2, APPLICATIONS) }, Kind::Application, &entry);
}

fn step(case: &mut Case, entry: u64, decision: &pb::Decision) {
    case.holds(Held { depends_on: vec![at(1), at(2)], ..Held::new(entry, CASE) }, Kind::Decision, decision);
}

/// The first decision is in entry 3.
fn decided(case: &mut Case) {
    applied(case);
    step(case, 3, &decision(DecisionType::Full));
}

/// And an appeal against it in entry 4.
fn appealed(case: &mut Case) {
    decided(case);
    case.holds(Held { depends_on: vec![at(3)], ..Held::new(4, CASE) }, Kind::Appeal, &appeal());
}

/// Documents are asked for, or have come, on a day.
fn documents(kind: DecisionType, on: u32) -> pb::Decision {
    let asked = if kind == DecisionType::DocumentsMissing { "The diploma" } else { "" };
    pb::Decision {
        decided: day(2026, 11, on),
        legal_basis: String::new(),
        missing_documents: asked.to_owned(),
        appeal_until: None,
        appeal_instance: String::new(),
        ..decision(kind)
    }
}

/// The application in entry 2 is under a law of posts and months: due on the 23rd of November, appeals for a month.
fn by_post(case: &mut Case) {
    case.holds_credit(marked(&[]));
    let entry = pb::Application { deadline: "POST".to_owned(), records: vec![reference(at(1))], ..application() };
    case.holds(Held { depends_on: vec![at(1)], ..Held::new(2, APPLICATIONS) }, Kind::Application, &entry);
}

/// A decision that was posted on the 20th of November: it counts as notified on the 24th.
fn posted(appeal_until: Option<pb::Date>) -> pb::Decision {
    pb::Decision { channel: pb::NoticeChannel::Letter.into(), appeal_until, ..decision(DecisionType::Full) }
}

/// The decision is put off on the 20th of November.
fn put_off((year, month, of_month): (u32, u32, u32)) -> pb::Decision {
    pb::Decision {
        legal_basis: String::new(),
        put_off_until: day(year, month, of_month),
        reasons: "The archive has not answered".to_owned(),
        appeal_until: None,
        appeal_instance: String::new(),
        ..decision(DecisionType::PutOff)
    }
}

fn on_appeal() -> pb::Decision {
    pb::Decision {
        application: None,
        appeal: Some(at(4)),
        decided: day(2026, 11, 22),
        notified: day(2026, 11, 22),
        appeal_until: None,
        appeal_instance: String::new(),
        ..decision(DecisionType::Refused)
    }
}

/// A decision in entry 3 that is not made known.
fn silent() -> pb::Decision {
    pb::Decision { channel: 0, notified: None, appeal_until: None, ..decision(DecisionType::Full) }
}

/// It was appealed in entry 4.
fn appealed_early(case: &mut Case) {
    applied(case);
    step(case, 3, &silent());
    case.holds(Held { depends_on: vec![at(3)], ..Held::new(4, CASE) }, Kind::Appeal, &appeal());
}

/// The decision in entry 3 was handed over on the 23rd of November, which entry 5 amends: the appeal is under review.
fn known_since(case: &mut Case) {
    applied(case);
    let held = |entry, marks| Held { marks, depends_on: vec![at(1), at(2)], ..Held::new(entry, CASE) };
    case.holds(held(3, marked(&[(Action::Supersede, 5)])), Kind::Decision, &silent());
    let marks = marked(&[(Action::Review, 5)]);
    case.holds(Held { marks, depends_on: vec![at(3)], ..Held::new(4, CASE) }, Kind::Appeal, &appeal());
    case.holds(held(5, marked(&[])), Kind::Decision, &known());
}

fn known() -> pb::Decision {
    let (notified, appeal_until) = (day(2026, 11, 23), day(2026, 12, 23));
    pb::Decision { amends: amends(3), notified, appeal_until, ..decision(DecisionType::Full) }
}

/// Documents were asked for on the 3rd, in entry 3, and came on the 9th, in entry 4.
fn complete(case: &mut Case) {
    applied(case);
    step(case, 3, &documents(DecisionType::DocumentsMissing, 3));
    step(case, 4, &documents(DecisionType::DocumentsReceived, 9));
}

fn amends(entry: u64) -> Option<pb::Amends> {
    Some(pb::Amends { place: Some(at(entry)), reason: pb::AmendReason::Error.into() })
}

/// An amendment of the decision in entry 3; `reviewed` are entries of what depends on it.
fn corrected(
    name: Option<&'static str>,
    about: &'static str,
    scene: fn(&mut Case),
    entry: &pb::Decision,
    reviewed: &[u64],
) -> Case {
    made(name, about, scene, &pb::Decision { amends: amends(3), ..entry.clone() }).with(|case| {
        case.groups = vec![group(Basis::Issuer, &[effect(at(3), Action::Supersede)])];
        let reviews: Vec<_> = reviewed.iter().map(|entry| effect(at(*entry), Action::Review)).collect();
        case.groups.extend((!reviews.is_empty()).then(|| group(Basis::Dependency, &reviews)));
    })
}

fn order() -> Vec<Case> {
    let asked = |on| documents(DecisionType::DocumentsMissing, on);
    vec![
        made(
            Some("INVALID_DATE"),
            "documents that came before they were asked for",
            |case| {
                applied(case);
                step(case, 3, &documents(DecisionType::DocumentsMissing, 9));
            },
            &documents(DecisionType::DocumentsReceived, 8),
        ),
        made(
            Some("INVALID_DATE"),
            "decided on appeal before the appeal came",
            appealed,
            &pb::Decision { decided: day(2026, 11, 20), ..differing(on_appeal()) },
        ),
        objecting(
            Some("INVALID_DATE"),
            "an appeal before the decision",
            decided,
            &pb::Appeal { received: day(2026, 11, 19), ..appeal() },
        ),
        corrected(Some("INVALID_DATE"), "documents asked for, as amended, after they came", complete, &asked(10), &[]),
        corrected(
            Some("CONTRADICTION"),
            "another decision, once it is appealed",
            appealed,
            &differing(decision(DecisionType::Refused)),
            &[],
        ),
        corrected(
            Some("CONTRADICTION"),
            "another decider, once it is appealed",
            appealed_early,
            &pb::Decision { decider: "C. Example".to_owned(), ..known() },
            &[],
        ),
        corrected(
            Some("CONTRADICTION"),
            "put off, where documents were asked for and came",
            complete,
            &pb::Decision { decided: day(2026, 11, 5), ..put_off((2026, 12, 23)) },
            &[],
        ),
        corrected(
            Some("CONTRADICTION"),
            "an amendment that moves a decision to another case",
            |case| {
                decided(case);
                let purpose = pb::RecognitionPurpose::Work;
                let entry = pb::Application { purpose: purpose.into(), ..application() };
                case.holds(Held::new(6, creditbank_rules::CourseKey::Application(purpose)), Kind::Application, &entry);
            },
            &pb::Decision { application: Some(at(6)), ..decision(DecisionType::Full) },
            &[],
        ),
    ]
}

fn differing(entry: pb::Decision) -> pb::Decision {
    let reason = "120 credits are missing".to_owned();
    let differences = vec![pb::SubstantialDifference { r#type: pb::DifferenceType::Workload.into(), reason }];
    pb::Decision { differences, ..entry }
}

fn made(name: Option<&'static str>, about: &'static str, scene: fn(&mut Case), entry: &pb::Decision) -> Case {
    of(name, about, Kind::Decision, entry).with(scene)
}

fn changed(
    name: &'static str,
    about: &'static str,
    kind: DecisionType,
    change: impl FnOnce(&mut pb::Decision),
) -> Case {
    let mut entry = decision(kind);
    change(&mut entry);
    made(Some(name), about, applied, &entry)
}

fn contents() -> Vec<Case> {
    let missing = |about, kind, change: fn(&mut pb::Decision)| changed("MISSING_FIELD", about, kind, change);
    vec![
        missing("a decision on nothing", DecisionType::Full, |entry| entry.application = None),
        missing("on an application and an appeal", DecisionType::Full, |entry| entry.appeal = Some(at(4))),
        missing("nothing is decided", DecisionType::Full, |entry| entry.r#type = 0),
        missing("decided on no day", DecisionType::Full, |entry| entry.decided = None),
        missing("decided by nobody", DecisionType::Full, |entry| entry.decider.clear()),
        missing("without a legal basis", DecisionType::Full, |entry| entry.legal_basis.clear()),
        missing("refused without a difference", DecisionType::Refused, |_| ()),
        missing("refused for a difference without a reason", DecisionType::Refused, |entry| {
            entry.differences = vec![pb::SubstantialDifference { r#type: 1, reason: String::new() }];
        }),
        missing("partial, of nothing", DecisionType::Partial, |_| ()),
        missing("an alternative that is not said", DecisionType::Alternative, |_| ()),
        missing("conditional without conditions", DecisionType::Conditional, |_| ()),
        missing("a condition without a text", DecisionType::Conditional, |entry| {
            entry.conditions = vec![pb::Condition { r#type: 1, text: String::new() }];
        }),
        made(
            Some("MISSING_FIELD"),
            "documents that are not named",
            applied,
            &pb::Decision { missing_documents: String::new(), ..documents(DecisionType::DocumentsMissing, 3) },
        ),
        changed("SOURCE_NOT_USABLE", "partial, of what was not asked", DecisionType::Partial, |entry| {
            entry.recognised = vec![at(5)];
        }),
        changed("INVALID_DATE", "decided before the application", DecisionType::Full, |entry| {
            entry.decided = day(2026, 11, 1);
        }),
        changed("IMPLAUSIBLE_DATE", "decided tomorrow", DecisionType::Full, |entry| {
            entry.decided = day(TODAY.0, TODAY.1, TODAY.2 + 1);
        }),
        changed("MISSING_FIELD", "notified on no day", DecisionType::Full, |entry| entry.notified = None),
        changed("MISSING_FIELD", "notified in no way", DecisionType::Full, |entry| entry.channel = 0),
        changed("CONTRADICTION", "arrived, but never sent", DecisionType::Full, |entry| {
            (entry.channel, entry.notified, entry.arrived) = (0, None, day(2026, 11, 21));
            entry.appeal_until = None;
        }),
        changed("INVALID_DATE", "notified before it was decided", DecisionType::Full, |entry| {
            (entry.notified, entry.appeal_until) = (day(2026, 11, 19), day(2026, 12, 19));
        }),
        changed("IMPLAUSIBLE_DATE", "notified tomorrow", DecisionType::Full, |entry| {
            (entry.notified, entry.appeal_until) = (day(TODAY.0, TODAY.1, TODAY.2 + 1), day(2026, 12, 24));
        }),
        changed("INVALID_DATE", "arrived before it was sent", DecisionType::Full, |entry| {
            entry.arrived = day(2026, 11, 19);
        }),
        changed(
            "CONTRADICTION",
            "the time for an appeal from a day before anybody could see it",
            DecisionType::Full,
            |entry| {
                (entry.notified, entry.appeal_until) = (day(2026, 11, 21), day(2026, 12, 21));
            },
        ),
        changed("CONTRADICTION", "a last day before anybody was notified", DecisionType::Full, |entry| {
            (entry.channel, entry.notified) = (0, None);
        }),
        changed("CONTRADICTION", "a day until which a decision that decides is put off", DecisionType::Full, |entry| {
            entry.put_off_until = day(2027, 1, 20);
        }),
        made(Some("CONTRADICTION"), "put off, which the law does not know", applied, &put_off((2027, 3, 20))),
        made(Some("CONTRADICTION"), "put off by more than the law lets", by_post, &put_off((2026, 12, 24))),
        made(Some("CONTRADICTION"), "put off to the day on which it is due", by_post, &put_off((2026, 11, 23))),
        made(
            Some("MISSING_FIELD"),
            "put off without reasons",
            by_post,
            &pb::Decision { reasons: String::new(), ..put_off((2026, 12, 23)) },
        ),
        made(
            Some("MISSING_FIELD"),
            "put off until no day",
            by_post,
            &pb::Decision { put_off_until: None, ..put_off((2026, 12, 23)) },
        ),
        made(
            Some("CONTRADICTION"),
            "by post, a month from the day of posting",
            by_post,
            &pb::Decision { appeal_until: day(2026, 12, 20), ..posted(day(2026, 12, 24)) },
        ),
        made(
            Some("CONTRADICTION"),
            "a year, though the decision says how to appeal",
            by_post,
            &posted(day(2027, 11, 24)),
        ),
        changed("CONTRADICTION", "an appeal for a day longer", DecisionType::Full, |entry| {
            entry.appeal_until = day(2026, 12, 24);
        }),
        changed("CONTRADICTION", "an appeal that is not told", DecisionType::Full, |entry| entry.appeal_until = None),
        changed("CONTRADICTION", "another instance", DecisionType::Full, |entry| {
            entry.appeal_instance = "The dean".to_owned();
        }),
        changed("CONTRADICTION", "an appeal against a withdrawal", DecisionType::Withdrawn, |_| ()),
        made(
            Some("CONTRADICTION"),
            "an appeal against a decision on appeal",
            appealed,
            &pb::Decision { appeal_until: day(2026, 12, 20), ..differing(on_appeal()) },
        ),
    ]
}

fn stages() -> Vec<Case> {
    let not_open = |about, scene, entry: &pb::Decision| made(Some("NOT_OPEN"), about, scene, entry);
    vec![
        made(Some("NOT_OPEN"), "there is no application", |_| (), &decision(DecisionType::Full)),
        not_open(
            "a credit is no application",
            applied,
            &pb::Decision { application: Some(at(1)), ..decision(DecisionType::Full) },
        ),
        made(
            Some("NOT_OPEN"),
            "the application of another institution",
            |case| case.holds(Held { institution: 2, ..Held::new(2, APPLICATIONS) }, Kind::Application, &application()),
            &decision(DecisionType::Full),
        ),
        made(
            Some("NOT_OPEN"),
            "an application that was taken back",
            |case| {
                let marks = marked(&[(Action::Revoke, 9)]);
                case.holds(Held { marks, ..Held::new(2, APPLICATIONS) }, Kind::Application, &application());
            },
            &decision(DecisionType::Full),
        ),
        not_open("decided already", decided, &differing(decision(DecisionType::Refused))),
        not_open("on the application while it is appealed", appealed, &decision(DecisionType::Full)),
        not_open(
            "decided on appeal already",
            |case| {
                appealed(case);
                step(case, 5, &differing(on_appeal()));
            },
            &differing(on_appeal()),
        ),
        not_open(
            "withdrawn",
            |case| {
                applied(case);
                step(case, 3, &decision(DecisionType::Withdrawn));
            },
            &decision(DecisionType::Full),
        ),
        not_open("documents that have come unasked", applied, &documents(DecisionType::DocumentsReceived, 3)),
        not_open(
            "documents asked for twice",
            |case| {
                applied(case);
                step(case, 3, &documents(DecisionType::DocumentsMissing, 3));
            },
            &documents(DecisionType::DocumentsMissing, 4),
        ),
        not_open(
            "put off a second time",
            |case| {
                by_post(case);
                step(case, 3, &put_off((2026, 12, 1)));
            },
            &put_off((2026, 12, 23)),
        ),
        not_open(
            "put off while documents are missing",
            |case| {
                by_post(case);
                step(case, 3, &documents(DecisionType::DocumentsMissing, 3));
            },
            &put_off((2026, 12, 23)),
        ),
        not_open(
            "put off when it was due already",
            |case| {
                case.holds_credit(marked(&[]));
                let (deadline, received) = ("POST".to_owned(), day(2026, 10, 1));
                let entry = pb::Application { deadline, received, ..application() };
                case.holds(Held::new(2, APPLICATIONS), Kind::Application, &entry);
            },
            &put_off((2026, 12, 23)),
        ),
        not_open(
            "a law without a time for the decision is put off",
            |case| {
                let entry = pb::Application { deadline: "OPEN".to_owned(), ..application() };
                case.holds(Held::new(2, APPLICATIONS), Kind::Application, &entry);
            },
            &put_off((2026, 12, 23)),
        ),
        made(Some("DUPLICATE_RECORD"), "two steps of one case in a block", applied, &decision(DecisionType::Full))
            .with(|case| case.records.push(record(Kind::Decision, &documents(DecisionType::DocumentsMissing, 3), 2))),
    ]
}

/// Another decision in the place of the one in entry 3.
fn amended(name: Option<&'static str>, about: &'static str, scene: fn(&mut Case)) -> Case {
    let amends = Some(pb::Amends { place: Some(at(3)), reason: pb::AmendReason::Error.into() });
    made(name, about, scene, &pb::Decision { amends, ..differing(decision(DecisionType::Refused)) })
        .with(|case| case.groups = vec![group(Basis::Issuer, &[effect(at(3), Action::Supersede)])])
}

fn objecting(name: Option<&'static str>, about: &'static str, scene: fn(&mut Case), entry: &pb::Appeal) -> Case {
    of(name, about, Kind::Appeal, entry).with(scene)
}

fn appeals() -> Vec<Case> {
    vec![
        objecting(Some("NOT_OPEN"), "nothing is decided", applied, &pb::Appeal { decision: Some(at(2)), ..appeal() }),
        objecting(
            Some("NOT_OPEN"),
            "documents are missing, which decides nothing",
            |case| {
                applied(case);
                step(case, 3, &documents(DecisionType::DocumentsMissing, 3));
            },
            &appeal(),
        ),
        objecting(
            Some("NOT_OPEN"),
            "appealed already",
            appealed,
            &pb::Appeal { grounds: "Once more".to_owned(), ..appeal() },
        ),
        objecting(
            Some("NOT_OPEN"),
            "against a decision on appeal",
            |case| {
                appealed(case);
                step(case, 5, &differing(on_appeal()));
            },
            &pb::Appeal { decision: Some(at(5)), ..appeal() },
        ),
        objecting(
            Some("LATE"),
            "received a day too late, without a word",
            |case| {
                applied(case);
                let entry = pb::Decision {
                    decided: day(2026, 10, 21),
                    appeal_until: day(2026, 11, 20),
                    ..decision(DecisionType::Full)
                };
                step(case, 3, &entry);
            },
            &appeal(),
        ),
        objecting(
            Some("NOT_OPEN"),
            "a law without appeals",
            |case| {
                let entry = pb::Application { deadline: "NO-APPEAL".to_owned(), ..application() };
                case.holds(Held::new(2, APPLICATIONS), Kind::Application, &entry);
                let entry =
                    pb::Decision { appeal_until: None, appeal_instance: String::new(), ..decision(DecisionType::Full) };
                step(case, 3, &entry);
            },
            &appeal(),
        ),
        objecting(
            Some("NOT_OPEN"),
            "against the decision about somebody else",
            |case| {
                let held = Held { account: AccountId([4; 16]), ..Held::new(3, CASE) };
                case.holds(held, Kind::Decision, &decision(DecisionType::Full));
            },
            &appeal(),
        ),
        objecting(
            Some("MISSING_FIELD"),
            "without grounds",
            decided,
            &pb::Appeal { grounds: String::new(), ..appeal() },
        ),
        objecting(Some("NO_MANDATE"), "without a mandate", decided, &pb::Appeal { mandate: None, ..appeal() }),
        objecting(
            Some("IMPLAUSIBLE_DATE"),
            "received tomorrow",
            decided,
            &pb::Appeal { received: day(TODAY.0, TODAY.1, TODAY.2 + 1), ..appeal() },
        ),
    ]
}

pub(crate) fn refused() -> Vec<Case> {
    [contents(), stages(), order(), appeals()].into_iter().flatten().collect()
}

pub(crate) fn admitted() -> Vec<Case> {
    let condition = pb::Condition { r#type: pb::ConditionType::BridgingCourse.into(), text: "Algebra 2".to_owned() };
    vec![
        made(None, "full", applied, &decision(DecisionType::Full)),
        made(None, "partial", applied, &pb::Decision { recognised: vec![at(1)], ..decision(DecisionType::Partial) }),
        made(
            None,
            "an alternative",
            applied,
            &pb::Decision { alternative: "Access to year one".to_owned(), ..decision(DecisionType::Alternative) },
        ),
        made(
            None,
            "conditional",
            applied,
            &pb::Decision { conditions: vec![condition], ..decision(DecisionType::Conditional) },
        ),
        made(None, "refused", applied, &differing(decision(DecisionType::Refused))),
        made(None, "cannot be verified", applied, &decision(DecisionType::CannotBeVerified)),
        made(
            None,
            "withdrawn",
            applied,
            &pb::Decision { appeal_until: None, appeal_instance: String::new(), ..decision(DecisionType::Withdrawn) },
        ),
        made(None, "put off by a month from the day on which it is due", by_post, &put_off((2026, 12, 23))),
        made(None, "by post: on the fourth day, and a month from then", by_post, &posted(day(2026, 12, 24))),
        made(
            None,
            "by post, which arrived on the 23rd: the fourth day counts",
            by_post,
            &pb::Decision { arrived: day(2026, 11, 23), ..posted(day(2026, 12, 24)) },
        ),
        made(
            None,
            "by post, without a word of appeals: a year",
            by_post,
            &pb::Decision { appeal_untold: true, ..posted(day(2027, 11, 24)) },
        ),
        made(
            None,
            "not notified yet: the time for an appeal has not begun",
            applied,
            &pb::Decision { channel: 0, notified: None, appeal_until: None, ..decision(DecisionType::Full) },
        ),
        made(None, "documents are missing", applied, &documents(DecisionType::DocumentsMissing, 3)),
        made(
            None,
            "documents have come",
            |case| {
                applied(case);
                step(case, 3, &documents(DecisionType::DocumentsMissing, 3));
            },
            &documents(DecisionType::DocumentsReceived, 9),
        ),
        made(None, "on appeal", appealed, &differing(on_appeal())),
        corrected(None, "it is made known after it was appealed", appealed_early, &known(), &[4]),
        made(None, "on the appeal against what was made known since", known_since, &differing(on_appeal())),
        corrected(
            None,
            "the day on which documents were asked for, which have come since",
            complete,
            &documents(DecisionType::DocumentsMissing, 5),
            &[],
        ),
        amended(None, "an amendment, judged as if it came where the former one stands", decided),
        objecting(
            None,
            "an appeal against what is not notified yet",
            |case| {
                applied(case);
                let unknown = pb::Decision { channel: 0, notified: None, ..decision(DecisionType::Full) };
                step(case, 3, &pb::Decision { appeal_until: None, ..unknown });
            },
            &appeal(),
        ),
        objecting(
            None,
            "an appeal on the last day",
            |case| {
                applied(case);
                let entry = pb::Decision {
                    decided: day(2026, 10, 22),
                    appeal_until: day(2026, 11, 21),
                    ..decision(DecisionType::Full)
                };
                step(case, 3, &entry);
            },
            &appeal(),
        ),
        of(None, "an appeal against a refusal", Kind::Appeal, &appeal()).with(|case| {
            applied(case);
            step(case, 3, &differing(decision(DecisionType::Refused)));
            case.holds(Held { institution: 2, ..Held::new(6, course("BBB")) }, Kind::Credit, &credit());
        }),
    ]
}
