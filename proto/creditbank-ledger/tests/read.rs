//! The read models over a small ledger in memory.
#![allow(missing_docs, clippy::unwrap_used)]

mod world;

use creditbank_ledger::read::{
    ConversionRequest, Question, QuestionError, ReadScope, Shown, applications, balance, consequences, evaluate,
    preview, records_of, reviews,
};
use creditbank_protocol::pb::{self, Action, Kind};
use creditbank_protocol::status::Marks;
use creditbank_protocol::{AccountId, Alias, LogIndex, Part, Portion, Standing};
use creditbank_rules::admission::case::Stage;
use creditbank_rules::qualification::{Answer, Undecided};
use creditbank_rules::{Rule, ViewError};
use world::{ACCOUNT, OTHER, OWN, World, credit, day, marked};

fn application(received: pb::Date) -> pb::Application {
    pb::Application {
        learner: vec![1; 16],
        purpose: pb::RecognitionPurpose::Study.into(),
        asked: "Year two".to_owned(),
        received: Some(received),
        deadline: "LISBON".to_owned(),
        ..Default::default()
    }
}

/// Goal: an application is open until its deadline and overdue on the day after; the overdue one comes first.
#[test]
fn applications_have_their_deadlines() {
    let mut world = World::new();
    let late = world.hold(
        3,
        OWN,
        Kind::Application,
        &application(pb::Date { year: 2026, month: 1, day: 1 }),
        Marks::default(),
    );
    let early = world.hold(
        2,
        OWN,
        Kind::Application,
        &application(pb::Date { year: 2026, month: 6, day: 1 }),
        Marks::default(),
    );
    world.hold(4, OTHER, Kind::Application, &application(pb::Date { year: 2026, month: 6, day: 1 }), Marks::default());
    let due = day(1, 1) + 120;
    let found = applications(&world, OWN, false, due).unwrap();
    assert_eq!(
        found.iter().map(|one| (one.case.place, one.overdue)).collect::<Vec<_>>(),
        [(late, false), (early, false)]
    );
    let found = applications(&world, OWN, false, due + 1).unwrap();
    assert_eq!(
        found.iter().map(|one| (one.case.place, one.overdue)).collect::<Vec<_>>(),
        [(late, true), (early, false)]
    );
    assert_eq!(found[0].stage, Some(Stage::Open { due: Some(due), appeal: None, stopped: false, put_off: false }));
    assert_eq!((found[0].due(), found[0].alias), (Some(due), Alias([1; 16])));
    assert_eq!(applications(&world, OWN, true, due + 1).unwrap().len(), 1);
    world.broken.push(early);
    assert!(matches!(applications(&world, OWN, false, due), Err(ViewError::Damaged(_))), "damage is not left out");
}

/// Goal: a review is due after the days of the registry, and belongs to whose record it is.
#[test]
fn reviews_are_the_issuers() {
    let mut world = World::new();
    let place = world.hold(2, OWN, Kind::Credit, &credit(1), marked(Action::Review, 5));
    world.hold(3, OTHER, Kind::Credit, &credit(1), marked(Action::Review, 6));
    world.hold(4, OWN, Kind::Credit, &credit(1), Marks::default());
    let found = reviews(&world, OWN, day(6, 1)).unwrap();
    let [one] = found[..] else { panic!("expected one review, found {found:?}") };
    assert_eq!((one.place, one.entry, one.since, one.kind), (place, LogIndex(5), day(6, 6), Kind::Credit));
    assert_eq!((one.due, one.overdue), (day(6, 6) + 90, false));
    assert!(reviews(&world, OWN, one.due + 1).unwrap()[0].overdue);
}

/// Goal: credit is added up by what can be done with it, of all institutions or of one.
#[test]
fn a_balance_tells_what_is_spent() {
    let mut world = World::new();
    world.hold(2, OWN, Kind::Credit, &credit(10_0000), Marks::default());
    world.hold(3, OWN, Kind::Credit, &credit(20_0000), Marks::default());
    world.hold(4, OWN, Kind::Credit, &credit(5_0000), marked(Action::Redeem, 9));
    world.hold(5, OTHER, Kind::Credit, &credit(40_0000), marked(Action::Revoke, 9));
    let lines = |institution| {
        let lines = balance(&world, &records_of(&world, &ACCOUNT, institution).unwrap(), day(6, 1)).unwrap();
        lines.iter().map(|line| (line.standing, line.amount_e4, line.records)).collect::<Vec<_>>()
    };
    let own = [(Standing::Authentic, 30_0000, 2), (Standing::Redeemed, 5_0000, 1)];
    assert_eq!(lines(Some(OWN)), own);
    assert_eq!(lines(None), [&own[..], &[(Standing::Revoked, 40_0000, 1)]].concat());
}

/// Goal: an exemption ends with its recognition, also where it says a later day itself, or none.
#[test]
fn an_exemption_expires_with_its_recognition() {
    let mut world = World::new();
    let [may, june] = [5, 6].map(|month| Some(pb::Date { year: 2026, month, day: 0 }));
    let exemption = |e4, expires| pb::ConvertedCredit {
        amount: Some(pb::Amount { e4, unit: "CATS".to_owned() }),
        expires,
        ..Default::default()
    };
    let recognition = |expires, exemptions| pb::QualificationRecognition {
        learner: vec![1; 16],
        exemptions,
        expires,
        ..Default::default()
    };
    let kind = Kind::QualificationRecognition;
    world.hold(2, OWN, kind, &recognition(may, vec![exemption(1, june), exemption(2, None)]), Marks::default());
    world.hold(3, OWN, kind, &recognition(june, vec![exemption(4, may), exemption(8, None)]), Marks::default());
    let lines = balance(&world, &records_of(&world, &ACCOUNT, None).unwrap(), day(6, 1)).unwrap();
    let lines: Vec<_> = lines.iter().map(|line| (line.standing, line.amount_e4)).collect();
    assert_eq!(lines, [(Standing::Authentic, 8), (Standing::Expired, 1 + 2 + 4)]);
}

/// Goal: an institution sees what it issued and what it was shown whole; nothing tells it of the rest.
#[test]
fn a_scope_is_what_was_issued_or_shown() {
    let mut world = World::new();
    let own = world.hold(2, OWN, Kind::Credit, &credit(1), Marks::default());
    let other = world.hold(3, OTHER, Kind::Credit, &credit(1), Marks::default());
    let today = day(6, 1);
    let blind = ReadScope { institution: Some(OWN), shown: Shown::default() };
    assert_eq!(blind.find(&world, &ACCOUNT, own, today).unwrap().place, own);
    let refused = blind.find(&world, &ACCOUNT, other, today);
    assert!(matches!(refused, Err(QuestionError::Missing(place)) if place == other));
    let nobody = blind.find(&world, &AccountId([8; 16]), own, today);
    assert!(matches!(nobody, Err(QuestionError::Missing(_))), "another learner's record");
    let (_, record) = &world.records[&other];
    let mut whole = pb::DisclosedRecord {
        place: Some(other.into()),
        kind: record.kind().into(),
        version: u32::from(record.version()),
        seed: record.seed().to_vec(),
        body: record.body().to_vec(),
        ..Default::default()
    };
    let shown = ReadScope { institution: Some(OWN), shown: Shown::new(vec![whole.clone()]) };
    assert!(shown.find(&world, &ACCOUNT, other, today).is_ok());
    whole.seed = vec![0; 32];
    let forged = ReadScope { institution: Some(OWN), shown: Shown::new(vec![whole]) };
    assert!(forged.find(&world, &ACCOUNT, other, today).is_err(), "who lacks the seed was not shown it");
    let operator = ReadScope { institution: None, shown: Shown::default() };
    assert!(operator.find(&world, &ACCOUNT, other, today).is_ok());
}

/// Goal: what cannot be answered says why: a record that is not seen, one that is spent, a definition that nobody published.
#[test]
fn questions_are_refused_with_their_reason() {
    let mut world = World::new();
    let spent = world.hold(2, OWN, Kind::Credit, &credit(1), marked(Action::Redeem, 9));
    let other = world.hold(3, OTHER, Kind::Credit, &credit(1), Marks::default());
    let scope = ReadScope { institution: Some(OWN), shown: Shown::default() };
    let ask = |place| {
        let request = ConversionRequest { sources: vec![Portion { place, part: Part::Whole }], ..Default::default() };
        preview(&world, OWN, (&ACCOUNT, &Alias([1; 16])), request, &scope, day(6, 1)).unwrap_err()
    };
    assert!(matches!(ask(other), QuestionError::Missing(place) if place == other));
    assert!(matches!(ask(spent), QuestionError::Rejected(rejection) if rejection.rule == Rule::AlreadySpent));
    let definition = pb::QualificationName { institution: 1, code: "BSC".to_owned(), version: 0 };
    let question = Question { definition, ..Question::default() };
    let refused =
        evaluate(&world, &ACCOUNT, question, &scope, day(6, 1), &mut |_, _| Answer::Undecided(Undecided::Time))
            .unwrap_err();
    assert!(matches!(refused, QuestionError::Rejected(rejection) if rejection.rule == Rule::UnknownReference));
    assert!(consequences(&world, &[spent], true).unwrap().reviews.is_empty());
}
