//! Goal: what a closed institution issued is amended, revoked and read by its custodian, and by nobody else.

use creditbank_client::correct::Outcome;
use creditbank_fixtures::credit;
use creditbank_protocol::InstitutionId;
use creditbank_protocol::UnitId;
use creditbank_protocol::pb::{self, Kind, Place};
use creditbank_protocol::transcript::verify;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::{IdentityType, InstitutionAlias, Person, TypedIdentity};
use creditbank_server::directory;
use creditbank_server::environment::Environment;
use creditbank_server::operate::check::check;
use creditbank_tests::chain::now_ms;
use creditbank_tests::corrections::{Corrections, amend, refuses, revoke};
use creditbank_tests::university::set;
use creditbank_tests::{TestNode, University};

use super::amend::scene;

fn keeping(university: &University, from: Option<pb::Date>) -> pb::Institution {
    let kind = pb::RelationType::CustodianOf.into();
    let relations = vec![pb::Relation { r#type: kind, institution: 1, from, until: None }];
    pb::Institution { relations, ..university.entry() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_custodian_acts_for_a_closed_institution() {
    let (node, closed, aliases, entry) = scene(3).await;
    let (keeper, stranger) = (University::admit(&node, 2).await, University::admit(&node, 3).await);
    let (client, unit) = (keeper.client(&node).await, keeper.issuing());
    let (operator, at) = (node.operator().await, |index| Place { entry, index });
    let right = pb::Credit { language: "en".to_owned(), ..credit(aliases[0], "A-1") };
    let denied = |correction| {
        let (operator, unit) = (&operator, &unit);
        async move { Corrections::default().one(operator, unit, correction).await }
    };
    // Neither without the relation, nor while the other is open, nor before the first day, nor after the last one.
    assert!(refuses(&denied(revoke(at(0))).await, "custodian"));
    set(&node, Kind::Institution, &keeping(&keeper, None)).await;
    assert!(refuses(&denied(revoke(at(0))).await, "custodian"));
    assert!(client.record(at(0)).await.is_err(), "nothing is kept yet");
    set(&node, Kind::Institution, &pb::Institution { state: pb::RegistryState::Closed.into(), ..closed.entry() }).await;
    set(&node, Kind::Institution, &keeping(&keeper, Some(pb::Date { year: 9999, month: 1, day: 1 }))).await;
    assert!(refuses(&denied(revoke(at(0))).await, "custodian"));
    assert!(client.record(at(0)).await.is_err(), "before the day");
    let until = Some(pb::Date { year: 2020, month: 1, day: 1 });
    let mut ended = keeping(&keeper, None);
    ended.relations[0].until = until;
    set(&node, Kind::Institution, &ended).await;
    assert!(refuses(&denied(revoke(at(0))).await, "custodian"));
    assert!(client.record(at(0)).await.is_err(), "after the day");
    // From the day on; and the closed one itself no longer.
    set(&node, Kind::Institution, &keeping(&keeper, Some(pb::Date { year: 2020, month: 1, day: 1 }))).await;
    let own = closed.client(&node).await;
    let ended =
        Corrections::default().run(&own, &closed.issuing(), vec![revoke(at(1))]).await.expect_err("it is closed");
    assert!(ended.to_string().contains("active"), "{ended}");
    let desk = Corrections::default();
    let Outcome::Done(amendment) = desk.one(&client, &unit, amend(at(0), &right)).await else { panic!("amended") };
    assert_eq!(Corrections::default().one(&client, &unit, amend(at(0), &right)).await, Outcome::Already);
    assert!(matches!(desk.one(&client, &unit, revoke(at(1))).await, Outcome::Done(_)));
    assert!(refuses(&Corrections::default().one(&operator, &stranger.issuing(), revoke(at(2))).await, "custodian"));
    assert!(stranger.client(&node).await.record(at(2)).await.is_err());
    // The amendment is the closed institution's record; its custodian may amend it again.
    let place = Place { entry: amendment.0, index: 0 };
    let read = client.record(place).await.expect("the amendment");
    assert_eq!((read.unit.institution.0, read.subject().0), (2, 1));
    let again = pb::Credit { language: "fr".to_owned(), ..right };
    assert!(matches!(desk.one(&client, &unit, amend(place, &again)).await, Outcome::Done(_)));
    let learner = || Learner::Alias(InstitutionAlias { institution: 1, alias: aliases[0].to_vec() });
    assert_eq!(client.records(learner()).await.expect("a list").0.len(), 3);
    assert_eq!(client.issued(UnitId::new(1, 1), 0, 10).await.expect("what the closed one issued").0.len(), 3);
    // A transcript says by whom, and who keeps the records, offline.
    let (file, _) = client.transcript(learner()).await.expect("a transcript");
    let report = verify(&file, &node.trust(), now_ms()).expect("authentic");
    let by: Vec<_> = report
        .records
        .iter()
        .map(|one| (one.unit.institution.0, one.on_behalf_of.map(|other| other.0), one.ended))
        .collect();
    let superseded = Some(pb::Action::Supersede);
    assert_eq!(by, [(1, None, superseded), (2, Some(1), superseded), (2, Some(1), None)]);
    assert_eq!(report.custodians.iter().map(|one| one.number).collect::<Vec<_>>(), [2]);
    assert!(report.records.iter().all(|one| one.kept_by == Some(InstitutionId(2))));
    assert_eq!(report.statement.complete_for, Some(InstitutionId(1)));
    // So does one of a record that only the closed institution touched.
    let third = Learner::Alias(InstitutionAlias { institution: 1, alias: aliases[2].to_vec() });
    let (file, _) = client.transcript(third).await.expect("a transcript");
    assert_eq!(verify(&file, &node.trust(), now_ms()).expect("authentic").custodians.len(), 1);
    // Whoever replays the log with its keys alone finds every effect by right.
    let audit = node.client(None).await.audit(|_, _| ()).await.expect("the log is read");
    assert_eq!(audit.contradiction, None);
    // And the node's disk holds what was signed.
    let dir = node.stop().await;
    let environment = Environment::system();
    let config = directory::read_config(&environment, dir.path()).expect("a configuration");
    let report = check(&environment, dir.path(), &config, &mut |_, _| ()).expect("it can be read");
    assert_eq!(report.findings.listed(), []);
}

/// Goal: the custodian finds the accounts of a closed institution by its student numbers, also where they keep their case,
/// and nobody by another spelling.
#[tokio::test(flavor = "multi_thread")]
async fn a_custodian_finds_accounts_by_numbers_of_either_kind() {
    let node = TestNode::start().await;
    let (closed, keeper) = (University::admit(&node, 1).await, University::admit(&node, 2).await);
    let person = |kind: IdentityType, value: &str| Person {
        identities: vec![TypedIdentity { r#type: kind.into(), scope: String::new(), value: value.to_owned() }],
    };
    let (exact, folded) = (IdentityType::StudentNumberExact, IdentityType::StudentNumber);
    let persons = || vec![person(exact, "Ge42abc"), person(folded, "ge42abc"), person(exact, "ge42abc")];
    let own = closed.client(&node).await;
    let opened = own.open_accounts(1, persons()).await.expect("accounts");
    set(&node, Kind::Institution, &keeping(&keeper, None)).await;
    set(&node, Kind::Institution, &pb::Institution { state: pb::RegistryState::Closed.into(), ..closed.entry() }).await;
    let client = keeper.client(&node).await;
    assert_eq!(client.open_accounts(1, persons()).await.expect("they are known"), opened);
    assert_ne!(opened[0], opened[2]);
    let other = client.open_accounts(1, vec![person(exact, "GE42ABc")]).await.expect_err("nobody has this number");
    assert!(other.to_string().to_lowercase().contains("not_found") || other.to_string().contains("person"), "{other}");
}
