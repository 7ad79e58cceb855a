//! Goal: a registrar amends and revokes what was issued, each once, and nobody else's.

use std::sync::Arc;

use creditbank_client::correct::{Asked, Outcome, effects};
use creditbank_fixtures::credit;
use creditbank_protocol::Alias;
use creditbank_protocol::UnitId;
use creditbank_protocol::pb::{self, EffectReason, Place};
use creditbank_protocol::transcript::verify;
use creditbank_rpc::v1::InstitutionAlias;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_tests::chain::now_ms;
use creditbank_tests::corrections::{Corrections, amend, refuses, revoke};
use creditbank_tests::university::credit_record;
use creditbank_tests::{Chain, TestNode, University};

/// A node, a university, and `count` learners with a credit each at the returned entry.
pub(crate) async fn scene(count: u64) -> (TestNode, University, Vec<Alias>, u64) {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let aliases = university.aliases(&node, 0..count).await;
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    let records: Vec<_> = aliases.iter().map(|alias| credit_record(*alias, "A-1")).collect();
    let entry = chain.issue(&client, &university, &records).await.index;
    (node, university, aliases, entry)
}

fn at(entry: u64, index: u32) -> Place {
    Place { entry, index }
}

fn of(alias: Alias) -> Learner {
    Learner::Alias(InstitutionAlias { institution: 1, alias: alias.to_vec() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_amended_and_revoked_once() {
    let (node, university, aliases, entry) = scene(3).await;
    let (client, unit) = (university.client(&node).await, university.issuing());
    let (desk, alias) = (Corrections::default(), aliases[0]);
    let right =
        pb::Credit { amount: Some(pb::Amount { e4: 300_000, unit: "CATS".to_owned() }), ..credit(alias, "A-1") };
    // A dry run writes nothing.
    let dry = Corrections { dry_run: true, ..Corrections::default() };
    let size = node.ledger().size();
    assert_eq!(dry.one(&client, &unit, amend(at(entry, 0), &right)).await, Outcome::WouldBeDone);
    assert_eq!(node.ledger().size(), size);
    let Outcome::Done(amendment) = desk.one(&client, &unit, amend(at(entry, 0), &right)).await else {
        panic!("it is amended");
    };
    let old = client.record(at(entry, 0)).await.expect("the old record stays");
    assert_eq!(old.marks, ["superseded"]);
    let new = client.record(at(amendment.0, 0)).await.expect("the amendment");
    assert_eq!(new.amends().and_then(|amends| amends.place), Some(at(entry, 0)));
    // The same again is the same, with and without notes; something else is not.
    assert_eq!(desk.one(&client, &unit, amend(at(entry, 0), &right)).await, Outcome::Already);
    assert_eq!(Corrections::default().one(&client, &unit, amend(at(entry, 0), &right)).await, Outcome::Already);
    let other = pb::Credit { amount: Some(pb::Amount { e4: 1, unit: "CATS".to_owned() }), ..right.clone() };
    assert!(refuses(&desk.one(&client, &unit, amend(at(entry, 0), &other)).await, "superseded"));
    assert!(refuses(&desk.one(&client, &unit, revoke(at(entry, 0))).await, "superseded"));
    assert_eq!(desk.one(&client, &unit, amend(at(amendment.0, 0), &right)).await, Outcome::Same, "it says so already");

    assert!(matches!(desk.one(&client, &unit, revoke(at(entry, 1))).await, Outcome::Done(_)));
    assert_eq!(Corrections::default().one(&client, &unit, revoke(at(entry, 1))).await, Outcome::Already);
    let twice = desk.run(&client, &unit, vec![revoke(at(entry, 2)), revoke(at(entry, 2))]).await.expect("a run");
    assert_eq!((twice.1.changed, twice.1.refused), (1, 1));
    // Transcripts say it, offline.
    for (alias, expected) in
        [(alias, vec![Some(pb::Action::Supersede), None]), (aliases[1], vec![Some(pb::Action::Revoke)])]
    {
        let (file, _) = client.transcript(of(alias)).await.expect("a transcript");
        let report = verify(&file, &node.trust(), now_ms()).expect("authentic");
        assert_eq!(report.records.iter().map(|record| record.ended).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_corrected_is_refused() {
    let (node, university, aliases, entry) = scene(1).await;
    let (client, unit) = (university.client(&node).await, university.issuing());
    let other = University::admit(&node, 2).await;
    let desk = Corrections::default();
    for place in [at(entry, 7), at(1 << 40, 0), at(0, 0), at(entry + 1, 0)] {
        assert!(refuses(&desk.one(&client, &unit, revoke(place)).await, "place"), "{place:?}");
    }
    let stranger = other.client(&node).await;
    assert!(refuses(&desk_of(&stranger, &other, revoke(at(entry, 0))).await, "NO_ACCESS"));
    // Also with somebody else's right to read.
    assert!(refuses(&desk_of(&node.operator().await, &other, revoke(at(entry, 0))).await, "institution 1"));
    let foreign = pb::Credit { learner: vec![9; 16], ..credit(aliases[0], "A-1") };
    assert!(refuses(&desk.one(&client, &unit, amend(at(entry, 0), &foreign)).await, "learner"));
    let unknown =
        pb::Credit { amount: Some(pb::Amount { e4: 1, unit: "EURO".to_owned() }), ..credit(aliases[0], "A-1") };
    assert!(refuses(&desk.one(&client, &unit, amend(at(entry, 0), &unknown)).await, "UNKNOWN_CREDIT_UNIT"));
    assert!(client.record(at(entry, 0)).await.expect("the record").marks.is_empty());
}

async fn desk_of(
    client: &creditbank_client::Client,
    university: &University,
    correction: creditbank_client::correct::Correction,
) -> Outcome {
    Corrections::default().one(client, &university.issuing(), correction).await
}

/// The operator revokes with a case reference.
#[tokio::test(flavor = "multi_thread")]
async fn the_operator_revokes_with_a_case() {
    let (node, _, _, entry) = scene(1).await;
    let operator =
        creditbank_client::IssuingUnit::operator(Arc::new(node.key(pb::Purpose::Registry))).expect("the operator");
    let client = node.operator().await;
    assert!(matches!(Corrections::default().one(&client, &operator, revoke(at(entry, 0))).await, Outcome::Done(_)));
    assert_eq!(client.record(at(entry, 0)).await.expect("the record").marks, ["revoked"]);
}

/// A file with more lines than a block holds; bad lines are listed, good ones go through, and again nothing happens.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_revocations() {
    let (node, university, _, entry) = scene(1_000).await;
    let client = university.client(&node).await;
    let aliases = university.aliases(&node, 0..200).await;
    let mut chain = Chain::of(&client, &university).await;
    let more: Vec<_> = aliases.iter().map(|alias| credit_record(*alias, "A-2")).collect();
    let second = chain.issue(&client, &university, &more).await.index;
    let unit = university.issuing();
    let first = (0..1_000).map(|index| format!("{entry}/{index},\n"));
    let rest = (0..200).map(|index| format!("{second}/{index},rule\n"));
    let bad = format!("{entry}/x,\n{entry}/0,\n{entry}/1,whim\n9999/0,error\n,error\n");
    let csv =
        ["place,reason\n".to_owned()].into_iter().chain(first).chain(rest).chain([bad]).collect::<Vec<_>>().concat();
    let desk = Corrections::default();
    let lines = || effects(csv.as_bytes(), Asked::Revoke(Some(EffectReason::Error))).expect("a header");
    let (_, done) = desk.lines(&client, &unit, lines()).await.expect("a run");
    assert_eq!((done.changed, done.blocks, done.refused), (1_200, 2, 5), "{}", desk.report());
    let report = desk.report();
    for (line, word) in [(1_202, "place"), (1_203, "place"), (1_204, "reason"), (1_205, "place"), (1_206, "place")] {
        assert!(report.lines().any(|one| one.starts_with(&format!("{line},{word},"))), "{line}: {report}");
    }
    let (_, again) = Corrections::default().lines(&client, &unit, lines()).await.expect("again, without notes");
    assert_eq!((again.changed, again.already), (0, 1_200));
    let missing = effects(&b"plaice\n1/2\n"[..], Asked::Confirm).err().expect("no such column");
    assert!(missing.to_string().contains("place"), "{missing}");
    let unreasoned = effects(&b"place\n1/2\n"[..], Asked::Revoke(None)).expect("a header").next().expect("a line");
    assert!(unreasoned.expect("read").is_err_and(|refused| refused.field == "reason"));
}

/// A run that is ended at any moment, again and again, ends with every record revoked once.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_goes_on() {
    let (node, university, _, entry) = scene(300).await;
    let (client, unit, desk) = (university.client(&node).await, university.issuing(), Corrections::default());
    let mut patience = std::time::Duration::from_millis(20);
    loop {
        let all = (0..300).map(|index| revoke(at(entry, index))).collect();
        match tokio::time::timeout(patience, desk.run(&client, &unit, all)).await {
            Ok(done) => {
                done.expect("the last run");
                break;
            }
            Err(_) => patience *= 2,
        }
    }
    let (records, _) = client.issued(UnitId::new(1, 1), 0, 100).await.expect("a list");
    assert!(records.iter().all(|record| record.marks == ["revoked"]), "every record is revoked");
}
