//! Goal: what a stolen key sealed is contested until its institution confirms it with a good key; only that is
//! confirmed.

use std::sync::Arc;

use creditbank_client::correct::Outcome;
use creditbank_client::correct::contest::contested;
use creditbank_client::operator::KeyRequest;
use creditbank_protocol::Alias;
use creditbank_protocol::UnitId;
use creditbank_protocol::pb::{self, Kind, Place, Purpose};
use creditbank_protocol::transcript::verify;
use creditbank_rpc::v1::InstitutionAlias;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_tests::chain::now_ms;
use creditbank_tests::corrections::{Corrections, confirm, refuses, revoke};
use creditbank_tests::node::ORIGIN;
use creditbank_tests::university::{key, set};
use creditbank_tests::{TestNode, University};

use super::amend::scene;

const KINDS: [Kind; 4] = [Kind::Identity, Kind::Outcome, Kind::Credit, Kind::Result];

/// Admits a key of the university's unit, or revokes it as compromised since a minute.
async fn unit_key(node: &TestNode, seed: u8, since: Option<u64>) {
    let entry = KeyRequest::new(ORIGIN, UnitId::new(1, 1), &key(Purpose::Unit, seed))
        .expect("a request")
        .record(&KINDS, 0, 0)
        .expect("a key");
    let reason = pb::RevocationReason::Compromised.into();
    let revoked = since.map(|minute| pb::KeyRevocation { reason, compromised_since_minute: minute });
    set(node, Kind::Key, &pb::Key { revoked, ..entry }).await;
}

fn with_key(university: &University, seed: u8) -> creditbank_client::IssuingUnit {
    // Its seeds stay what they were: a key that is exchanged does not make other records.
    creditbank_client::IssuingUnit { key: Arc::new(key(Purpose::Unit, seed)), ..university.issuing() }
}

#[tokio::test(flavor = "multi_thread")]
async fn contested_records_are_confirmed() {
    let (node, university, aliases, entry) = scene(3).await;
    let client = university.client(&node).await;
    let at = |index| Place { entry, index };
    let found = |alias: Alias| {
        let (client, trust) = (&client, node.trust());
        async move {
            let learner = Learner::Alias(InstitutionAlias { institution: 1, alias: alias.to_vec() });
            let (file, _) = client.transcript(learner).await.expect("a transcript");
            let report = verify(&file, &trust, now_ms()).expect("authentic");
            (report.records[0].contested, report.records[0].confirmed.is_some(), report.records[0].ended)
        }
    };
    unit_key(&node, 30, None).await;
    let (good, desk) = (with_key(&university, 30), Corrections::default());
    assert!(refuses(&desk.one(&client, &good, confirm(at(0))).await, "not contested"));
    assert_eq!(contested(&client, UnitId::new(1, 1)).await.expect("a list"), []);
    let minute =
        client.sealed_at(client.record(at(0)).await.expect("a record").round_end).await.expect("a time") / 60_000;
    unit_key(&node, 1, Some(minute)).await;
    assert_eq!(found(aliases[0]).await, (true, false, None));
    let listed = contested(&client, UnitId::new(1, 1)).await.expect("a list");
    assert_eq!(
        listed.iter().map(|one| (one.place.into(), one.confirmed)).collect::<Vec<_>>(),
        [0, 1, 2].map(|i| (at(i), false))
    );
    // The stolen key confirms nothing.
    let thief =
        Corrections::default().run(&client, &university.issuing(), vec![confirm(at(0))]).await.expect_err("revoked");
    assert!(thief.to_string().contains("revoked"), "{thief}");
    assert!(matches!(desk.one(&client, &good, confirm(at(0))).await, Outcome::Done(_)));
    assert_eq!(Corrections::default().one(&client, &good, confirm(at(0))).await, Outcome::Already);
    assert_eq!(found(aliases[0]).await, (false, true, None));
    // What is disowned is revoked; it stays contested in nobody's eyes but its own.
    assert!(matches!(desk.one(&client, &good, revoke(at(1))).await, Outcome::Done(_)));
    assert!(refuses(&desk.one(&client, &good, confirm(at(1))).await, "revoked"));
    assert_eq!(found(aliases[1]).await.2, Some(pb::Action::Revoke));
    let states: Vec<_> = contested(&client, UnitId::new(1, 1))
        .await
        .expect("a list")
        .iter()
        .map(|one| (one.confirmed, one.ended))
        .collect();
    assert_eq!(states, [(true, false), (false, true), (false, false)]);
    // The key that confirmed was stolen too: the confirmation settles nothing, and another key confirms anew.
    unit_key(&node, 30, Some(minute)).await;
    unit_key(&node, 31, None).await;
    assert_eq!(found(aliases[0]).await, (true, false, None));
    assert!(!contested(&client, UnitId::new(1, 1)).await.expect("a list")[0].confirmed);
    let third = with_key(&university, 31);
    assert!(matches!(Corrections::default().one(&client, &third, confirm(at(0))).await, Outcome::Done(_)));
    assert_eq!(found(aliases[0]).await, (false, true, None));
    // Anybody who replays the log finds each of these effects admitted, and none that was not.
    let audit = client.audit(|_, _| {}).await.expect("the log is read");
    assert_eq!((audit.contradiction, audit.replay.counts().effects), (None, 3));
}
