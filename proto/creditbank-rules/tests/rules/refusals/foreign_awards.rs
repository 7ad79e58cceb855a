//! Diplomas of elsewhere: each once, and awards draw on it together.

use creditbank_protocol::pb::{self, Action, Basis, Kind};
use creditbank_rules::CourseKey;

use super::awards::{audited, awarding, definition, document, name, put};
use super::case::Case;
use super::derived::{Held, TODAY, at, effect, group, marked, of, paper, reference};
use super::recognitions::{elsewhere, share, sized, statement};
use crate::fixtures::{ALIAS, course, day, fheq, text};

/// A diploma that is right.
pub(crate) fn diploma() -> pb::ForeignAward {
    pb::ForeignAward {
        learner: ALIAS.0.to_vec(),
        titles: vec![text("Licence en droit")],
        institution: "Universit\u{e9} de Lyon".to_owned(),
        country: "FR".to_owned(),
        number: "2020/17-B".to_owned(),
        conferred: day(2020, 7, 3),
        evidence: vec![vec![5; 32]],
        mandate: paper(),
        ..Default::default()
    }
}

/// As another record has it, on another paper.
pub(crate) fn recorded() -> pb::ForeignAward {
    pb::ForeignAward { mandate: None, ..diploma() }
}

fn distinct(entry: u64, reason: &str) -> pb::DistinctAward {
    pb::DistinctAward { award: Some(reference(at(entry))), reason: reason.to_owned() }
}

fn made(name: Option<&'static str>, about: &'static str, change: impl FnOnce(&mut pb::ForeignAward)) -> Case {
    let mut entry = diploma();
    change(&mut entry);
    of(name, about, Kind::ForeignAward, &entry)
}

/// Beside the diploma in entry 8.
fn beside(name: Option<&'static str>, about: &'static str, change: impl FnOnce(&mut pb::ForeignAward)) -> Case {
    made(name, about, change).with(elsewhere)
}

/// A recognition at an entry of the diploma in another one, which exempts from so much of a size.
fn recognised(case: &mut Case, entry: u64, diploma: u64, (e4, size): (u64, u64), marks: &[(Action, u64)]) {
    let root = pb::Root { place: Some(at(diploma)), status_id: reference(at(diploma)).status_id, ..share(e4, size) };
    let exemption = pb::ConvertedCredit {
        course: course("Y1", "Year one"),
        amount: Some(pb::Amount { e4, unit: "CATS".to_owned() }),
        level: Some(fheq("6")),
        roots: vec![root],
        ..Default::default()
    };
    let qualification = Some(reference(at(diploma)));
    let entry_ = pb::QualificationRecognition { qualification, exemptions: vec![exemption], ..statement() };
    let of = Held::new(entry, CourseKey::Recognition);
    let held = Held { marks: marked(marks), depends_on: vec![at(diploma)], ..of };
    case.holds(held, Kind::QualificationRecognition, &sized(entry_, size));
}

/// The diploma in entry 8 was counted under OTHER in entry 6, by an exemption of so much of a size. A recognition in entry 9
/// exempts from so much of a size of the diploma in another entry.
fn drawn(case: &mut Case, before: (u64, u64), now: (u64, u64), of: u64) {
    case.set(Kind::QualificationDefinition, &definition("CERT"));
    case.set(Kind::QualificationDefinition, &definition("OTHER"));
    recognised(case, 7, 8, before, &[(Action::Redeem, 6)]);
    recognised(case, 9, of, now, &[]);
    let earlier = pb::Award {
        definition: Some(name("OTHER", 1)),
        allocations: vec![pb::Allocation { result_plus_1: 1, ..put(2, 7) }],
        redeems: vec![reference(at(7))],
        documents: vec![document("2026/1")],
        mandate: None,
        ..audited()
    };
    let held = Held { depends_on: vec![at(7), at(8)], ..Held::new(6, CourseKey::Award) };
    case.holds(held, Kind::Award, &earlier);
}

/// An award under CERT that counts the exemption in entry 9.
fn counting(name: Option<&'static str>, about: &'static str, (before, now): ((u64, u64), (u64, u64))) -> Case {
    awarding(
        name,
        about,
        |case| {
            elsewhere(case);
            drawn(case, before, now, 8);
        },
        &of_exemption(),
    )
}

fn of_exemption() -> pb::Award {
    let allocations = vec![pb::Allocation { result_plus_1: 1, ..put(2, 9) }];
    pb::Award { allocations, redeems: vec![reference(at(9))], ..audited() }
}

pub(crate) fn refused() -> Vec<Case> {
    let (missing, spent, close) = (Some("MISSING_FIELD"), Some("ALREADY_SPENT"), Some("CLOSE_MATCH"));
    vec![
        made(Some("NO_MANDATE"), "a diploma without a mandate", |one| one.mandate = None),
        made(missing, "a diploma without a title", |one| one.titles.clear()),
        made(missing, "a diploma of nobody", |one| one.institution.clear()),
        made(missing, "a diploma that nobody has seen", |one| one.evidence.clear()),
        made(missing, "a diploma with neither number nor day", |one| {
            (one.number, one.conferred) = (String::new(), None);
        }),
        made(Some("INVALID_CODE"), "a diploma of a country in small letters", |one| one.country = "fr".to_owned()),
        made(Some("INVALID_CODE"), "a diploma whose number is a dash", |one| one.number = "-".to_owned()),
        made(Some("IMPLAUSIBLE_DATE"), "a diploma of tomorrow", |one| {
            one.conferred = day(TODAY.0, TODAY.1, TODAY.2 + 1);
        }),
        beside(Some("DUPLICATE_RECORD"), "a diploma that another institution has recorded", |one| {
            one.institution = "UNIVERSIT\u{c9} DE  LYON".to_owned();
            (one.number, one.titles) = ("2020/17 b".to_owned(), vec![text("Bachelor of laws")]);
        }),
        made(Some("DUPLICATE_RECORD"), "a diploma without a number, once more", |one| one.number = String::new()).with(
            |case| {
                let entry = pb::ForeignAward { number: String::new(), ..recorded() };
                case.holds(Held::new(8, CourseKey::ForeignAward), Kind::ForeignAward, &entry);
            },
        ),
        beside(close, "a diploma with the number of another one", |one| {
            (one.institution, one.conferred) = ("A school".to_owned(), day(2019, 1, 1));
            one.titles = vec![text("Certificate")];
        }),
        beside(close, "a diploma of the same day with a title that is alike", |one| {
            (one.institution, one.number) = ("A school".to_owned(), String::new());
        }),
        beside(close, "a diploma of the same month and institution", |one| {
            (one.number, one.conferred) = (String::new(), day(2020, 7, 0));
            one.titles = vec![text("Bachelor of laws")];
        }),
        beside(close, "a diploma of the same institution and title on another day", |one| {
            (one.number, one.conferred) = ("1".to_owned(), day(2021, 7, 3));
        }),
        beside(close, "the same diploma in another country", |one| one.country = "BE".to_owned()),
        beside(missing, "another diploma without a reason", |one| {
            (one.number, one.distinct_from) = ("2020/18".to_owned(), vec![distinct(8, "")]);
        }),
        beside(Some("SOURCE_NOT_USABLE"), "another diploma than one that is not there", |one| {
            (one.number, one.distinct_from) = ("2020/18".to_owned(), vec![distinct(3, "A second degree")]);
        }),
        beside(Some("SOURCE_NOT_USABLE"), "another diploma than a credit", |one| {
            (one.number, one.distinct_from) = ("2020/18".to_owned(), vec![distinct(1, "A second degree")]);
        })
        .with(|case| case.holds_credit(marked(&[]))),
        counting(spent, "more than a diploma over two awards", ((90_0000, 120_0000), (60_0000, 120_0000))),
        counting(spent, "a diploma that grew by another size", ((60_0000, 120_0000), (120_0000, 240_0000))),
        awarding(
            spent,
            "a diploma that was counted, revoked and recorded anew",
            |case| {
                let before = Held { marks: marked(&[(Action::Revoke, 10)]), ..Held::new(8, CourseKey::ForeignAward) };
                case.holds(before, Kind::ForeignAward, &recorded());
                case.holds(Held::new(11, CourseKey::ForeignAward), Kind::ForeignAward, &recorded());
                drawn(case, (120_0000, 120_0000), (60_0000, 120_0000), 11);
            },
            &of_exemption(),
        ),
    ]
}

pub(crate) fn admitted() -> Vec<Case> {
    let amends = Some(pb::Amends { place: Some(at(8)), reason: pb::AmendReason::Error.into() });
    vec![
        made(None, "a diploma of elsewhere", |_| ()),
        made(None, "a diploma without a number", |one| one.number = String::new()),
        beside(None, "another diploma of the same university", |one| {
            (one.titles, one.number) = (vec![text("Master of arts")], "2022/3".to_owned());
            one.conferred = day(2022, 7, 3);
        }),
        beside(None, "a diploma that is like another one, with a reason", |one| {
            (one.number, one.distinct_from) = ("2020/18".to_owned(), vec![distinct(8, "A second degree of that day")]);
        }),
        made(None, "a diploma again that was revoked", |_| ()).with(|case| {
            let held = Held { marks: marked(&[(Action::Revoke, 10)]), ..Held::new(8, CourseKey::ForeignAward) };
            case.holds(held, Kind::ForeignAward, &pb::ForeignAward { evidence: vec![vec![6; 32]], ..recorded() });
        }),
        made(None, "a diploma whose title is corrected", |one| {
            (one.amends, one.titles) = (amends, vec![text("Licence de droit")]);
        })
        .with(|case| {
            case.holds(Held::new(8, CourseKey::ForeignAward), Kind::ForeignAward, &recorded());
            case.groups = vec![group(Basis::Issuer, &[effect(at(8), Action::Supersede)])];
        }),
        counting(None, "the two halves of a diploma in two awards", ((60_0000, 120_0000), (60_0000, 120_0000))),
        awarding(
            None,
            "a diploma whose former award was revoked",
            |case| {
                elsewhere(case);
                drawn(case, (60_0000, 60_0000), (60_0000, 60_0000), 8);
                case.held.pop();
                let held = Held { marks: marked(&[(Action::Revoke, 12)]), ..Held::new(6, CourseKey::Award) };
                case.holds(held, Kind::Award, &pb::Award { mandate: None, ..audited() });
            },
            &of_exemption(),
        ),
    ]
}
