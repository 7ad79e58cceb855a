//! The registry: what the operator publishes is in force from the next round, and every answer is proved.

use std::collections::BTreeSet;
use std::sync::Arc;

use creditbank_client::operator::{KeyRequest, publish, registry_record};
use creditbank_client::succession::{Succession, succeed};
use creditbank_protocol::Alias;
use creditbank_protocol::UnitId;
use creditbank_protocol::key::commitment;
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::pb::{self, Kind, Purpose};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::transcript::verify;
use creditbank_rpc::Reason;
use creditbank_rpc::v1::InstitutionAlias;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_server::directory;
use creditbank_tests::node::ORIGIN;
use creditbank_tests::university::{credit_record, key, set};
use creditbank_tests::{Chain, TestNode, University};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_node_knows_units_frameworks_and_scales() {
    let node = TestNode::start().await;
    let client = node.client(None).await;
    let level =
        |item: &creditbank_client::RegistryItem| item.decode::<pb::Framework>().expect("a framework").levels.len();
    let fheq = client.registry_entry(&RegistryKey::Framework("FHEQ".to_owned())).await.expect("an answer");
    assert_eq!(fheq.as_ref().map(level), Some(5), "levels 4 to 8");
    for code in ["ECTS", "CATS", "US-SEMESTER"] {
        let found = client.registry_entry(&RegistryKey::CreditUnit(code.to_owned())).await.expect("an answer");
        assert!(found.is_some(), "{code}");
    }
    assert!(client.registry_list(Kind::GradeScale, None).await.expect("a list").len() >= 15);
    let none = client.registry_entry(&RegistryKey::Institution(404.into())).await.expect("a proof of absence");
    assert!(none.is_none());
}

/// Goal: a new node has the whole seed, byte for byte, in as few blocks as hold it.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_node_has_the_whole_seed() {
    let node = TestNode::start().await;
    let client = node.client(None).await;
    let seed = creditbank_rules::seed::entries().expect("the seed");
    let mut blocks = BTreeSet::new();
    for kind in seed.iter().map(|(kind, _)| *kind).collect::<BTreeSet<_>>() {
        let items = client.registry_list(kind, None).await.expect("a list");
        blocks.extend(items.iter().map(|item| item.place.entry));
        let listed: Vec<_> = items.into_iter().map(|item| item.body).collect();
        let expected: Vec<_> = seed.iter().filter(|(of, _)| *of == kind).map(|(_, body)| body.clone()).collect();
        assert_eq!(listed, expected, "{kind:?}");
    }
    let bytes: usize = seed.iter().map(|(_, body)| body.len() + 24).sum();
    assert!(blocks.len() <= bytes / 65_000 + 2, "{} blocks for {} bytes", blocks.len(), bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_without_a_gap() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    chain.issue(&client, &university, &[credit_record(alias, "A-1")]).await;
    let new = key(Purpose::Unit, 60);
    let come = KeyRequest::new(ORIGIN, UnitId::new(1, 1), &new)
        .expect("a request")
        .record(&[Kind::Credit], 0, 0)
        .expect("a request");
    let old = client.registry_list(Kind::Key, Some(1.into())).await.expect("a list");
    let old = old.iter().map(|item| item.decode::<pb::Key>().expect("a key"));
    let mut gone = old.into_iter().find(|entry| entry.public_key == university.key.public_key()).expect("the old key");
    let reason = pb::RevocationReason::Rotated.into();
    gone.revoked = Some(pb::KeyRevocation { reason, ..Default::default() });
    let records =
        [registry_record(Kind::Key, &come), registry_record(Kind::Key, &gone)].map(|record| record.expect("a record"));
    publish(&client, Arc::new(node.key(Purpose::Registry)), &records, None).await.expect("a rotation");
    let request = chain.block(&university, &[credit_record(alias, "A-2")], Vec::new());
    let refused = client.submit(request).await.expect_err("the old key");
    assert_eq!(refused.refusal().expect("a refusal").why(), Reason::KeyRevoked);
    let university = University { key: new, ..university };
    chain.issue(&client, &university, &[credit_record(alias, "A-2")]).await;
    // What the old key signed stands, and is read.
    let read = client
        .record(pb::Place { entry: client.block(UnitId::new(1, 1), 0).await.expect("the first").index, index: 0 })
        .await;
    assert_eq!(
        read.expect("the first record").key_id,
        creditbank_protocol::key::KeyId::of(&key(Purpose::Unit, 1).public_key())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_registry_key_publishes() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let client = node.client(None).await;
    let entry = registry_record(Kind::Institution, &university.entry()).expect("an entry");
    let operator_chain =
        University { institution: 0, unit: 0, key: university.key.clone(), access: university.access.clone() };
    let chain = Chain::of(&client, &operator_chain).await;
    let request = chain.block(&operator_chain, std::slice::from_ref(&entry), Vec::new());
    let refused = client.submit(request).await.expect_err("a unit's key");
    assert_eq!(refused.refusal().expect("a refusal").why(), Reason::KeyOfAnother);
    // The log key signs checkpoints, not the registry: one key, one purpose.
    let log = University { key: node.key(Purpose::Log), ..operator_chain };
    let request = chain.block(&log, &[entry], Vec::new());
    let refused = client.submit(request).await.expect_err("the log key");
    assert_eq!(refused.refusal().expect("a refusal").why(), Reason::KeyOfAnother);
    // And the operator issues nobody's records.
    let operator = University { key: node.key(Purpose::Registry), ..log };
    let request = chain.block(&operator, &[credit_record(Alias([1; 16]), "A-1")], Vec::new());
    let refused = client.submit(request).await.expect_err("a learner's record");
    assert_eq!(refused.refusal().expect("a refusal").why(), Reason::NotTheOperator);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let client = node.client(None).await;
    let head = client.chain_head(UnitId::OPERATOR).await.expect("a head");
    let stolen = KeyRequest {
        unit: 1,
        ..KeyRequest::new(ORIGIN, UnitId::new(1, 2), &key(Purpose::Unit, 61)).expect("a request")
    };
    assert!(stolen.record(&[Kind::Credit], 0, 0).is_err(), "the proof of possession is for another unit");
    let mut forged = KeyRequest::new(ORIGIN, UnitId::new(1, 1), &key(Purpose::Unit, 61))
        .expect("a request")
        .record(&[Kind::Credit], 0, 0)
        .expect("a key");
    forged.possession = vec![1; 64];
    let bad = [
        registry_record(Kind::Key, &forged),
        registry_record(Kind::Unit, &pb::Unit { institution: 9, ..university.unit_entry() }),
        registry_record(
            Kind::Institution,
            &pb::Institution { country: "England".chars().take(2).collect(), ..university.entry() },
        ),
        registry_record(Kind::Accreditation, &pb::Accreditation { body: String::new(), ..university.accreditation() }),
    ];
    for (record, expected) in
        bad.into_iter().zip([Reason::NoPossession, Reason::UnknownReference, Reason::InvalidCode, Reason::MissingField])
    {
        let record = record.expect("canonical");
        let refused =
            publish(&client, Arc::new(node.key(Purpose::Registry)), &[record], None).await.expect_err("a refusal");
        assert_eq!(refused.refusal().expect("a refusal").why(), expected);
    }
    assert_eq!(client.chain_head(UnitId::OPERATOR).await.expect("a head"), head, "nothing was sealed");
}

/// The operator cannot lock himself out.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_registry_key_stays() {
    let node = TestNode::start().await;
    let client = node.client(None).await;
    let own = node.key(Purpose::Registry);
    let id = creditbank_protocol::key::KeyId::of(&own.public_key());
    let entry = client.registry_entry(&RegistryKey::Key(id)).await.expect("an answer").expect("the key");
    let reason = pb::RevocationReason::Ceased.into();
    let revoked =
        pb::Key { revoked: Some(pb::KeyRevocation { reason, ..Default::default() }), ..entry.decode().expect("a key") };
    let closed =
        client.registry_entry(&RegistryKey::Institution(0.into())).await.expect("an answer").expect("the operator");
    let closed = pb::Institution { state: pb::RegistryState::Closed.into(), ..closed.decode().expect("the operator") };
    for record in [registry_record(Kind::Key, &revoked), registry_record(Kind::Institution, &closed)] {
        let refused = publish(&client, Arc::new(own.clone()), &[record.expect("a record")], None)
            .await
            .expect_err("nobody could go on");
        assert_eq!(refused.refusal().expect("a refusal").why(), Reason::Contradiction);
    }
    let next = key(Purpose::Registry, 70);
    let come = KeyRequest::new(ORIGIN, UnitId::new(0, 0), &next).expect("a request").record(&[], 0, 0).expect("a key");
    let record = registry_record(Kind::Key, &come).expect("a record");
    let refused = publish(&client, Arc::new(own.clone()), &[record], None).await.expect_err("a second registry key");
    assert_eq!(refused.refusal().expect("a refusal").why(), Reason::NotTheSuccessor);
}

/// Goal: the registry key that was committed to takes over, as planned and after a theft; the old key is refused, and
/// an auditor and a node that starts again agree.
#[tokio::test(flavor = "multi_thread")]
async fn the_registry_key_is_followed() {
    let node = TestNode::start().await;
    let client = node.client(None).await;
    let environment = creditbank_server::environment::Environment::system();
    let path = node.dir().join("keys").join(directory::NEXT_REGISTRY_KEY);
    let second = directory::read_key_at(&environment, &path, Purpose::Registry).expect("the next key");
    let (first, third, fourth) = (node.key(Purpose::Registry), key(Purpose::Registry, 71), key(Purpose::Registry, 72));
    let succession = |key: &KeyFile, next: &KeyFile, current: Option<&KeyFile>, since| Succession {
        key: Arc::new(key.clone()),
        next: commitment(&next.public_key()),
        case_reference: "2026/1".to_owned(),
        current: current.map(|key| Arc::new(key.clone()) as _),
        approvals: None,
        compromised_since_minute: since,
    };
    let thief = key(Purpose::Registry, 73);
    succeed(&client, succession(&thief, &thief, Some(&first), None), None).await.expect_err("not committed to");
    succeed(&client, succession(&second, &third, Some(&first), None), None).await.expect("as planned");
    let entry = |number| registry_record(Kind::Institution, &University::new(number).entry()).expect("a record");
    let refused = publish(&client, Arc::new(first), &[entry(5)], None).await.expect_err("the old key");
    assert_eq!(refused.refusal().expect("a refusal").why(), Reason::KeyRevoked);
    publish(&client, Arc::new(second.clone()), &[entry(5)], None).await.expect("the new key");
    succeed(&client, succession(&third, &fourth, None, Some(1)), None).await.expect("after a theft");
    let refused = publish(&client, Arc::new(second), &[entry(6)], None).await.expect_err("the stolen key");
    assert_eq!(refused.refusal().expect("a refusal").why(), Reason::KeyRevoked);
    let node = node.restart().await;
    let client = node.client(None).await;
    publish(&client, Arc::new(third.clone()), &[entry(6)], None).await.expect("the new key, after a start");
    // A transcript of what the third key has admitted verifies under the trust file of the beginning.
    let university = University::new(8);
    university.publish(&client, &third).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let own = university.client(&node).await;
    Chain::of(&own, &university).await.issue(&own, &university, &[credit_record(alias, "A-1")]).await;
    let learner = InstitutionAlias { institution: university.institution, alias: alias.0.to_vec() };
    let (file, _) = own.transcript(Learner::Alias(learner)).await.expect("a transcript");
    assert_eq!(verify(&file, &node.trust(), node.ledger().now_ms()).expect("it is authentic").records.len(), 1);
    let audit = client.audit(|_, _| ()).await.expect("an audit");
    assert!(audit.contradiction.is_none(), "{:?}", audit.contradiction);
}

/// An accreditation's end acts on what is sealed later, by the period of study.
#[tokio::test(flavor = "multi_thread")]
async fn accreditations_end() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    let until = Some(pb::Date { year: 2024, month: 8, day: 31 });
    set(&node, Kind::Accreditation, &pb::Accreditation { until, ..university.accreditation() }).await;
    let request = chain.block(&university, &[credit_record(alias, "A-1")], Vec::new());
    let refused = client.submit(request).await.expect_err("it ended before");
    assert_eq!(refused.refusal().expect("a refusal").why(), Reason::NotAccredited);
    let until = Some(pb::Date { year: 2024, month: 9, day: 0 });
    set(&node, Kind::Accreditation, &pb::Accreditation { until, ..university.accreditation() }).await;
    chain.issue(&client, &university, &[credit_record(alias, "A-1")]).await;
}
