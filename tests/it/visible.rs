//! Records that may not be shown yet: their issuer and the operator see them, and nothing else tells of them.

use creditbank_client::ClientError;
use creditbank_fixtures::{credit, text};
use creditbank_protocol::Alias;
use creditbank_protocol::dates::{date_of, day_of_ms, show};
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::transcript::open_file;
use creditbank_rpc::Reason;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::{EvaluateQualificationRequest, EvaluationOutcome, InstitutionAlias, LearnerReference};
use creditbank_tests::acts::{alias, public, submit};
use creditbank_tests::chain::now_ms;
use creditbank_tests::university::{credit_record, record};
use creditbank_tests::{TestNode, University};

/// A date some days from now.
fn in_days(days: i64) -> pb::Date {
    date_of(day_of_ms(now_ms()) + days)
}

fn of(alias: Alias) -> Learner {
    Learner::Alias(InstitutionAlias { institution: 1, alias: alias.to_vec() })
}

fn visible_from(learner: Alias, code: &str, from: pb::Date) -> creditbank_protocol::record::Record {
    let period = Some(pb::Period { from: Some(in_days(-60)), until: Some(in_days(-1)) });
    record(Kind::Credit, &pb::Credit { visible_from: Some(from), period, ..credit(learner, code) }, 1)
}

/// Goal: a transcript leaves out what may not be shown yet, says as of which day, and is complete without it; where
/// nothing may be shown there is none, and the answer says from when on there is. Issuer and operator read the record.
#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_leaves_it_out() {
    let node = TestNode::start().await;
    let one = University::admit(&node, 1).await;
    let (client, operator) = (one.client(&node).await, node.operator().await);
    let (late, both) = (alias(&node, &one, 1).await, alias(&node, &one, 2).await);
    let soon = in_days(30);
    let records = [visible_from(late, "EB1", soon), visible_from(both, "EB1", soon), credit_record(both, "A-1")];
    submit(&client, &one, &records, Vec::new()).await.expect("issued");
    submit(&client, &one, &[visible_from(both, "A-2", in_days(0))], Vec::new()).await.expect("issued");

    for reader in [&client, &operator] {
        let Err(ClientError::Refused(refusal)) = reader.transcript(of(late)).await else { panic!("nothing to show") };
        assert_eq!(refusal.why(), Reason::NotFound);
        assert!(refusal.message.contains(&show(&soon)), "{refusal:?}");
        assert_eq!(reader.records(of(late)).await.expect("its records").0.len(), 1, "issuer and operator read it");

        let (file, report, embargoed) = reader.export(of(both)).await.expect("a transcript");
        assert_eq!((report.records.len(), embargoed), (2, 1));
        assert_eq!(report.statement.visible_on, in_days(0));
        assert!(report.statement.is_whole && report.is_valid(), "complete as of the day");
        let shown = open_file(&file).expect("a transcript");
        assert!(shown.records.iter().all(|record| !String::from_utf8_lossy(&record.body).contains("EB1")));
    }
}

/// Goal: credit that may not be shown yet is in the balance as such; it makes no award, fills no requirement, and is
/// converted by nobody, and each answer says from when on it can be.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_stands_on_it() {
    let node = TestNode::start().await;
    let one = University::admit(&node, 1).await;
    let client = one.client(&node).await;
    let learner = alias(&node, &one, 1).await;
    let soon = in_days(30);
    let all = pb::Requirement { r#type: pb::RequirementType::All.into(), ..Default::default() };
    let credits = pb::Requirement {
        parent: 1,
        r#type: pb::RequirementType::Credits.into(),
        amount_e4: 10_000,
        ..Default::default()
    };
    let definition = pb::QualificationDefinition {
        institution: 1,
        code: "CERT".to_owned(),
        version: 1,
        titles: vec![text("A certificate")],
        unit: "CATS".to_owned(),
        requirements: vec![all, credits],
        from: Some(pb::Date { year: 2020, month: 1, day: 1 }),
        source: "a test".to_owned(),
        ..Default::default()
    };
    let entry = public(Kind::QualificationDefinition, &definition);
    submit(&client, &one, &[entry], Vec::new()).await.expect("published");
    submit(&client, &one, &[visible_from(learner, "EB1", soon)], Vec::new()).await.expect("issued");

    let balance = client.balance(of(learner)).await.expect("a balance");
    assert_eq!(balance.iter().map(|line| line.status.as_str()).collect::<Vec<_>>(), ["not visible yet"]);

    let question = || EvaluateQualificationRequest {
        learner: Some(LearnerReference { learner: Some(of(learner)) }),
        definition: Some(pb::QualificationName { institution: 1, code: "CERT".to_owned(), version: 1 }),
        ..Default::default()
    };
    let (answer, award) = client.evaluate(question()).await.expect("an answer");
    assert_eq!((answer.outcome(), award), (EvaluationOutcome::Missing, None));
    let unused: Vec<&str> = answer.unused.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(unused, [format!("not visible before {}", show(&soon))]);

    submit(&client, &one, &[visible_from(learner, "EB2", in_days(0))], Vec::new()).await.expect("issued");
    let (answer, award) = client.evaluate(question()).await.expect("an answer");
    assert_eq!(answer.outcome(), EvaluationOutcome::Met, "what is visible from today on counts");
    assert_eq!(award.expect("a draft").allocations.len(), 1);
}
