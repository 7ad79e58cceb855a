//! Applications.

use creditbank_protocol::AccountId;
use creditbank_protocol::pb::{self, Action, Basis, DecisionType, Kind};

use super::case::Case;
use super::derived::{
    APPLICATIONS, CASE, Held, TODAY, UNTIL, appeal, application, at, course, decision, effect, group, id, marked, of,
    paper, redeeming, reference, signed, world,
};
use super::rules::corrected;
use crate::fixtures::{ALIAS, credit, day, record};
use crate::world::NOW_MS;

fn changed(name: &'static str, about: &'static str, change: impl FnOnce(&mut pb::Application)) -> Case {
    let mut entry = application();
    change(&mut entry);
    of(Some(name), about, Kind::Application, &entry)
}

fn expired(about: &'static str, change: impl FnOnce(&mut pb::Mandate)) -> Case {
    changed("MANDATE_EXPIRED", about, |entry| change(entry.mandate.as_mut().expect("a mandate")))
}

fn mandated(about: &'static str, change: impl FnOnce(&mut pb::Mandate)) -> Case {
    changed("NO_MANDATE", about, |entry| change(entry.mandate.as_mut().expect("a mandate")))
}

/// An application after another one, to which something has happened.
fn second(name: Option<&'static str>, about: &'static str, steps: impl FnOnce(&mut Case)) -> Case {
    of(name, about, Kind::Application, &application()).with(|case| {
        case.holds(Held::new(2, APPLICATIONS), Kind::Application, &application());
        steps(case);
    })
}

/// The credit in entry 1 is visible from a day of this month on.
fn embargoed(case: &mut Case, from: u32) {
    let entry = pb::Credit { visible_from: day(TODAY.0, TODAY.1, from), ..credit() };
    case.holds(Held::new(1, course("AAA")), Kind::Credit, &entry);
}

fn decided(case: &mut Case, kind: DecisionType) {
    case.holds(Held::new(3, CASE), Kind::Decision, &decision(kind));
}

pub(crate) fn refused() -> Vec<Case> {
    let (year, month, today) = TODAY;
    vec![
        changed("MISSING_FIELD", "an application for nothing", |entry| entry.purpose = 0),
        changed("MISSING_FIELD", "nothing is asked", |entry| entry.asked.clear()),
        changed("MISSING_FIELD", "received on no day", |entry| entry.received = None),
        changed("INVALID_DATE", "received in a month", |entry| entry.received = day(2026, 11, 0)),
        changed("IMPLAUSIBLE_DATE", "received tomorrow", |entry| entry.received = day(year, month, today + 1)),
        changed("UNKNOWN_REFERENCE", "an unknown legal deadline", |entry| entry.deadline = "NONE".to_owned()),
        changed("CONTRADICTION", "the deadline of another country", |entry| entry.deadline = "FR-LAW".to_owned()),
        changed("NO_MANDATE", "no mandate", |entry| entry.mandate = None),
        changed("MISSING_FIELD", "a mandate without salt", |entry| {
            entry.mandate.as_mut().expect("a mandate").salt.clear();
        }),
        expired("a mandate that ended a minute before the seal", |mandate| mandate.until_minute = NOW_MS / 60_000 - 1),
        expired("a mandate for more than 30 days", |mandate| mandate.until_minute = NOW_MS / 60_000 + 43_201),
        mandated("a paper that is for other kinds", |mandate| mandate.acts = vec![i32::from(Kind::Award)]),
        mandated("a paper that is for nothing", |mandate| mandate.acts.clear()),
        changed("NO_MANDATE", "a signature beside a list", |entry| {
            let given = signed(Kind::Application, entry, 1).expect("a mandate");
            entry.mandate = Some(pb::Mandate { acts: vec![i32::from(Kind::Application)], ..given });
        }),
        changed("NO_MANDATE", "a signature until another minute", |entry| {
            let given = signed(Kind::Application, entry, 1).expect("a mandate");
            entry.mandate = Some(pb::Mandate { until_minute: UNTIL + 1, ..given });
        }),
        changed("CONTRADICTION", "a deadline for another purpose", |entry| entry.deadline = "WORK-LAW".to_owned()),
        changed("MANDATE_USED", "a paper that an earlier application has used", |_| ()).with(|case| case.use_up(0)),
        changed(
            "MANDATE_USED",
            "a paper that an earlier application has used, and the time was corrected since",
            |_| (),
        )
        .with(|case| case.set(Kind::TimeCorrection, &corrected(10)))
        .with(|case| case.use_up(0)),
        changed("MANDATE_USED", "a signature that an earlier application has used", |entry| {
            entry.mandate = signed(Kind::Application, entry, 1);
        })
        .with(|case| case.use_up(0)),
        changed("MANDATE_USED", "a paper for two applications of a block", |entry| {
            entry.purpose = pb::RecognitionPurpose::Work.into();
        })
        .with(|case| case.records.push(record(Kind::Application, &application(), 2))),
        changed("EFFECT_MISMATCH", "a mandate that no record of the block has", |_| ()).with(|case| {
            let mut group = redeeming(Kind::Award, paper().as_ref(), &[]);
            group.authority.as_mut().expect("an authority").mandate_digest = vec![9; 32];
            case.groups.push(group);
        }),
        changed("NOT_AUTHORISED", "a group without effects or a mandate", |_| ())
            .with(|case| case.groups.push(group(Basis::Issuer, &[]))),
        mandated("neither a signature nor a paper", |mandate| mandate.paper_reference.clear()),
        mandated("a key beside a paper", |mandate| mandate.learner_key = vec![1; 32]),
        changed("NO_MANDATE", "a legal basis: nobody applies in the learner's place", |entry| {
            let given = entry.mandate.clone().expect("a mandate");
            let legal_basis = "Recognition act, section 3".to_owned();
            let bare = pb::Mandate { paper_reference: String::new(), acts: Vec::new(), ..given };
            entry.mandate = Some(pb::Mandate { legal_basis, ..bare });
        }),
        changed("NO_MANDATE", "a key without a signature", |entry| {
            let mut mandate = signed(Kind::Application, entry, 1).expect("a mandate");
            mandate.signature.clear();
            entry.mandate = Some(mandate);
        }),
        changed("NO_MANDATE", "signed for another institution", |entry| {
            entry.mandate = signed(Kind::Application, entry, 2);
        }),
        changed("NO_MANDATE", "signed for another text", |entry| {
            entry.mandate = signed(Kind::Application, entry, 1);
            entry.asked = "Year three".to_owned();
        }),
        changed("NO_MANDATE", "signed for another kind", |entry| {
            entry.mandate = signed(Kind::Appeal, &appeal(), 1);
        }),
        changed("UNKNOWN_ALIAS", "the alias of another institution", |entry| entry.learner = vec![3; 16]),
        changed("SOURCE_NOT_USABLE", "about a record that is not there", |entry| {
            entry.records = vec![reference(at(1))];
        }),
        changed("SOURCE_NOT_USABLE", "about a record of somebody else", |entry| entry.records = vec![reference(at(1))])
            .with(|case| {
                case.holds(Held { account: AccountId([4; 16]), ..Held::new(1, course("AAA")) }, Kind::Credit, &credit())
            }),
        changed("SOURCE_NOT_USABLE", "in another log", |entry| {
            entry.records = vec![pb::RecordReference { origin: "other.example/log".to_owned(), ..reference(at(1)) }];
        })
        .with(|case| case.holds_credit(marked(&[]))),
        changed("SOURCE_NOT_USABLE", "with another status id", |entry| {
            entry.records =
                vec![pb::RecordReference { place: Some(at(1)), status_id: id(at(2)), ..Default::default() }];
        })
        .with(|case| case.holds_credit(marked(&[]))),
        changed("NOT_VISIBLE", "about credit that is visible from tomorrow on", |entry| {
            entry.records = vec![reference(at(1))];
        })
        .with(|case| embargoed(case, today + 1)),
        second(Some("APPLICATION_OPEN"), "another one is open", |_| ()),
        second(Some("APPLICATION_OPEN"), "the documents of another one are missing", |case| {
            let missing_documents = "The diploma".to_owned();
            let entry = pb::Decision { missing_documents, ..decision(DecisionType::DocumentsMissing) };
            case.holds(Held::new(3, CASE), Kind::Decision, &entry);
        }),
        second(Some("APPLICATION_OPEN"), "another one was appealed", |case| {
            decided(case, DecisionType::Full);
            case.holds(Held::new(4, CASE), Kind::Appeal, &appeal());
        }),
        second(Some("APPLICATION_OPEN"), "the decision on another one was taken back", |case| {
            let held = Held { marks: marked(&[(Action::Revoke, 9)]), ..Held::new(3, CASE) };
            case.holds(held, Kind::Decision, &decision(DecisionType::Full));
        }),
        world("DUPLICATE_RECORD", "two applications for one purpose in a block", |case| {
            let again = pb::Application { asked: "Year three".to_owned(), ..application() };
            case.records = vec![record(Kind::Application, &application(), 1), record(Kind::Application, &again, 2)];
        }),
    ]
}

pub(crate) fn admitted() -> Vec<Case> {
    let plain = application();
    let whole = pb::Application { mandate: signed(Kind::Application, &plain, 1), ..plain };
    vec![
        of(None, "an application that the learner has signed", Kind::Application, &whole),
        of(None, "an application on paper", Kind::Application, &application()),
        of(
            None,
            "about records of two institutions, one of them revoked",
            Kind::Application,
            &pb::Application { records: vec![reference(at(1)), reference(at(4))], ..application() },
        )
        .with(|case| {
            case.holds_credit(marked(&[(Action::Revoke, 8)]));
            case.holds(Held { institution: 2, ..Held::new(4, course("BBB")) }, Kind::Credit, &credit());
        }),
        of(
            None,
            "about credit that is visible from the day of the block on",
            Kind::Application,
            &pb::Application { records: vec![reference(at(1))], ..application() },
        )
        .with(|case| embargoed(case, TODAY.2)),
        second(None, "another one is withdrawn", |case| decided(case, DecisionType::Withdrawn)),
        second(None, "another one is decided", |case| decided(case, DecisionType::Full)),
        second(None, "another one is decided on appeal", |case| {
            decided(case, DecisionType::Full);
            case.holds(Held::new(4, CASE), Kind::Appeal, &appeal());
            let on_appeal = pb::Decision {
                application: None,
                appeal: Some(at(4)),
                appeal_until: None,
                appeal_instance: String::new(),
                decided: day(2026, 11, 22),
                ..decision(DecisionType::Full)
            };
            case.holds(Held::new(5, CASE), Kind::Decision, &on_appeal);
        }),
        of(
            None,
            "two for two purposes in a block",
            Kind::Application,
            &pb::Application {
                purpose: pb::RecognitionPurpose::Work.into(),
                mandate: paper().map(|paper| pb::Mandate { paper_reference: "file 18".to_owned(), ..paper }),
                ..application()
            },
        )
        .with(|case| case.records.push(record(Kind::Application, &application(), 2))),
        of(
            None,
            "an amendment of the open one, with a mandate of its own",
            Kind::Application,
            &pb::Application {
                learner: ALIAS.0.to_vec(),
                mandate: paper(),
                amends: Some(pb::Amends { place: Some(at(2)), reason: pb::AmendReason::Error.into() }),
                ..application()
            },
        )
        .with(|case| {
            case.holds(Held::new(2, APPLICATIONS), Kind::Application, &application());
            case.groups = vec![group(Basis::Issuer, &[effect(at(2), Action::Supersede)])];
        }),
    ]
}
