//! Documents of awards: each number is given once.

use creditbank_protocol::AccountId;
use creditbank_protocol::pb::{
    self, Action, AmendReason, AwardDocument, AwardDocumentState as State, AwardDocumentType, DocumentNumber, Kind,
};
use creditbank_rules::CourseKey;

use super::awards::{amending, audited, awarding, changed, cosigned, document, earned, honorary, under};
use super::case::Case;
use super::consequences::effects;
use super::derived::{Held, OTHER_KEY, at, effect, marked};
use super::reinstatements::{SINCE, by_issuer, reinstate, stolen, struck};
use crate::fixtures::day;

fn number(series: &str, number: &str) -> Option<DocumentNumber> {
    Some(DocumentNumber { series: series.to_owned(), number: number.to_owned() })
}

fn with(name: &'static str, about: &'static str, change: impl FnOnce(&mut AwardDocument)) -> Case {
    changed(name, about, |award| change(&mut award.documents[0]))
}

/// Somebody else's award in entry 8, with a diploma of the number that [`audited`] gives, and marks.
fn given_before(case: &mut Case, marks: &[(Action, u64)]) {
    let other = Held { account: AccountId([77; 16]), marks: marked(marks), ..Held::new(8, CourseKey::Award) };
    case.holds(other, Kind::Award, &audited());
}

/// The number of another learner's award, spelled in another way.
fn given_again(about: &'static str, series: &str, of_series: &str) -> Case {
    let documents = vec![AwardDocument { number: number(series, of_series), ..document("") }];
    let scene = |case: &mut Case| {
        earned(case);
        given_before(case, &[]);
    };
    awarding(Some("DOCUMENT_NUMBER_USED"), about, scene, &pb::Award { documents, ..audited() })
}

/// The original, and a replacement of another series.
fn replaced() -> Vec<AwardDocument> {
    let original = AwardDocument { state: State::Lost.into(), ..document("2026/1") };
    let replacement = AwardDocument {
        r#type: AwardDocumentType::Replacement.into(),
        number: number("R", "7"),
        replaces: original.number.clone(),
        ..document("")
    };
    vec![original, replacement]
}

fn amended(name: Option<&'static str>, about: &'static str, documents: Vec<AwardDocument>) -> Case {
    amending(name, about, |award| {
        award.documents = documents;
        award.amends.as_mut().expect("an amendment").reason = AmendReason::Other.into();
    })
}

pub(crate) fn refused() -> Vec<Case> {
    let twice = pb::Award { documents: vec![document("1"), document("1")], ..audited() };
    let joint = |entry: &mut pb::QualificationDefinition| entry.awarding = vec![1, 2];
    let of_other =
        |institution| pb::Award { documents: vec![AwardDocument { institution, ..document("1") }], ..audited() };
    vec![
        with("MISSING_FIELD", "a document of no type", |one| one.r#type = 0),
        with("MISSING_FIELD", "a document in no state", |one| one.state = 0),
        with("MISSING_FIELD", "a document of no day", |one| one.issued = None),
        with("INVALID_DATE", "a document of a month", |one| one.issued = day(2026, 11, 0)),
        with("IMPLAUSIBLE_DATE", "a document of tomorrow", |one| one.issued = day(2026, 11, 24)),
        with("MISSING_FIELD", "a series without a number", |one| one.number = number("A", "")),
        with("INVALID_CODE", "a number with a blank at its end", |one| one.number = number("A", "17 ")),
        with("INVALID_CODE", "a number with a zero-width space", |one| one.number = number("A", "12\u{200b}345")),
        with("INVALID_CODE", "a series with a direction mark", |one| one.number = number("A\u{200e}", "12345")),
        with("INVALID_CODE", "a number with two spaces in a row", |one| one.number = number("A", "12  345")),
        with("INVALID_CODE", "a number of 65 characters", |one| one.number = number("A", &"1".repeat(65))),
        with("CONTRADICTION", "a document in the place of itself, in small letters", |one| {
            one.replaces = number("a", "2026/17");
        }),
        with("CONTRADICTION", "a document of another institution than those that confer", |one| one.institution = 2),
        with("CONTRADICTION", "a document that names whose award it is", |one| one.institution = 1),
        with("CONTRADICTION", "a document in the place of itself", |one| one.replaces = one.number.clone()),
        changed("CONTRADICTION", "a replacement beside an original that stands", |award| {
            award.documents = replaced();
            award.documents[0].state = State::Issued.into();
        }),
        awarding(Some("DOCUMENT_NUMBER_USED"), "one number for two documents", earned, &twice),
        given_again("a number that another learner's award has, in a series in small letters", "a", "2026/17"),
        given_again("a number that another learner's award has, in full width", "\u{ff21}", "\u{ff12}026/17"),
        awarding(Some("KIND_OUTSIDE_KEY"), "a diploma by a key for enrolments", earned, &audited())
            .with(|case| case.by_narrow(&[Kind::Enrolment])),
        awarding(
            Some("DOCUMENT_NUMBER_USED"),
            "a number that another learner's award has",
            |case| {
                earned(case);
                given_before(case, &[]);
            },
            &audited(),
        ),
        awarding(
            Some("DOCUMENT_NUMBER_USED"),
            "honorary, with a number that an award under review has",
            |case| {
                earned(case);
                given_before(case, &[(Action::Review, 9)]);
            },
            &honorary(),
        ),
        under(Some("CONTRADICTION"), "a document of a third institution", joint, &cosigned(&of_other(3), OTHER_KEY)),
        amended(Some("CONTRADICTION"), "an amendment that leaves a document out", vec![document("2026/18")]),
        effects(
            Some("DOCUMENT_NUMBER_USED"),
            "reinstated, where its number was given again meanwhile",
            |case| {
                stolen(case, SINCE);
                let own = pb::Award { redeems: Vec::new(), allocations: Vec::new(), ..audited() };
                let held = Held { marks: marked(&[(Action::Revoke, 9)]), ..Held::new(6, CourseKey::Award) };
                case.holds(held, Kind::Award, &own);
                given_before(case, &[]);
                struck(case, 9, 0, &[by_issuer(&[effect(at(6), Action::Revoke)])]);
            },
            vec![by_issuer(&[reinstate(at(6), 9)])],
        ),
    ]
}

pub(crate) fn admitted() -> Vec<Case> {
    let joint = |entry: &mut pb::QualificationDefinition| entry.awarding = vec![1, 2];
    let both =
        pb::Award { documents: vec![document("1"), AwardDocument { institution: 2, ..document("1") }], ..audited() };
    let series = |case: &mut Case| {
        earned(case);
        given_before(case, &[]);
    };
    let other_series =
        pb::Award { documents: vec![AwardDocument { number: number("B", "2026/17"), ..document("") }], ..audited() };
    vec![
        awarding(None, "without a document", earned, &pb::Award { documents: Vec::new(), ..audited() }),
        awarding(
            None,
            "a document without a number",
            earned,
            &pb::Award { documents: vec![AwardDocument { number: None, ..document("") }], ..audited() },
        ),
        awarding(None, "the number of another learner's award, in another series", series, &other_series),
        awarding(
            None,
            "a number that a revoked award had",
            |case| {
                earned(case);
                given_before(case, &[(Action::Revoke, 9)]);
            },
            &audited(),
        ),
        under(None, "a joint award with a document of each", joint, &cosigned(&both, OTHER_KEY)),
        amended(None, "a replacement with a number of its own", replaced()),
        amending(None, "a number that was wrong", |award| award.documents = vec![document("2026/99")]),
    ]
}
