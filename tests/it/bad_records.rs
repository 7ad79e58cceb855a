//! Goal: a record that is not right is refused with record, field, rule, expected and found; the block is not stored.

use creditbank_client::ClientError;
use creditbank_fixtures::credit;
use creditbank_protocol::Alias;
use creditbank_protocol::UnitId;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::Record;
use creditbank_rpc::Reason;
use creditbank_rpc::v1::{CheckedRecord, Refusal};
use creditbank_tests::chain::bodies;
use creditbank_tests::university::{credit_record, record, student};
use creditbank_tests::{Chain, TestNode, University};
use prost::Message as _;

async fn scene() -> (TestNode, University, Alias) {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    (node, university, alias)
}

async fn refused(node: &TestNode, university: &University, records: &[Record]) -> Refusal {
    let client = university.client(node).await;
    let chain = Chain::of(&client, university).await;
    let request = chain.block(university, records, Vec::new());
    match client.submit(request).await {
        Err(ClientError::Refused(refusal)) => *refusal,
        other => panic!("expected a refusal, found {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_named() {
    let (node, university, alias) = scene().await;
    let good = credit_record(alias, "A-1");
    let period = |from, until| {
        let date = |year| Some(pb::Date { year, month: 1, day: 0 });
        Some(pb::Period { from: date(from), until: date(until) })
    };
    let cases = [
        (pb::Credit { period: period(1998, 1999), ..credit(alias, "B") }, Reason::NotAccredited, ""),
        (pb::Credit { period: period(2098, 2099), ..credit(alias, "B") }, Reason::ImplausibleDate, "period"),
        (pb::Credit { period: period(2026, 2024), ..credit(alias, "B") }, Reason::InvalidDate, "period"),
        (pb::Credit { amount: None, ..credit(alias, "B") }, Reason::MissingField, "amount"),
        (pb::Credit { language: "x".to_owned(), ..credit(alias, "B") }, Reason::InvalidCode, "language"),
        (credit(Alias([9; 16]), "B"), Reason::UnknownAlias, "learner"),
    ];
    for (bad, reason, field) in cases {
        let refusal = refused(&node, &university, &[good.clone(), record(Kind::Credit, &bad, 1)]).await;
        assert_eq!((refusal.why(), refusal.record_plus_1, refusal.field.as_str()), (reason, 2, field));
        assert!(!refusal.expected.is_empty() && !refusal.found.is_empty(), "{refusal:?}");
    }
}

/// Bodies that no canonical encoder writes: amounts beyond the bound, negative ones, text that is not UTF-8.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_outside_the_canonical_form() {
    let (node, university, alias) = scene().await;
    let body = |e4: u64| {
        let amount = Some(pb::Amount { e4, unit: "CATS".to_owned() });
        pb::Credit { amount, ..credit(alias, "A-1") }.encode_to_vec()
    };
    let minus_one = u64::MAX;
    let mut not_utf8 = credit(alias, "TITLE").encode_to_vec();
    let at = not_utf8.windows(5).rposition(|window| window == b"TITLE").expect("the title");
    not_utf8[at] = 0xff;
    for (bytes, word) in [(body(10_000_000_001), "10000000000"), (body(minus_one), "10000000000"), (not_utf8, "UTF-8")]
    {
        assert!(Record::new(3, 1, &[1; 32], bytes.clone()).is_err(), "the client refuses it first");
        let client = university.client(&node).await;
        let chain = Chain::of(&client, &university).await;
        let mut request = chain.block(&university, &[credit_record(alias, "A-1")], Vec::new());
        request.records[0].body = bytes.into();
        let error = client.submit(request).await.expect_err("a refusal");
        let refusal = error.refusal().expect("a refusal");
        assert_eq!((refusal.why(), refusal.record_plus_1), (Reason::RecordMalformed, 1));
        assert!(refusal.message.contains(word), "{}", refusal.message);
    }
}

/// Names are kept byte for byte: what is not in Unicode's normal form C stays as the document has it.
#[tokio::test(flavor = "multi_thread")]
async fn names_are_never_normalised() {
    let (node, university, alias) = scene().await;
    let composed_otherwise = "Re\u{301}sume\u{301} \u{1100}\u{1161}\u{11a8}";
    let name = pb::PersonName { language: "fr".to_owned(), full: composed_otherwise.to_owned(), ..Default::default() };
    let identity = pb::Identity {
        learner: alias.to_vec(),
        names: vec![name],
        birth_date: Some(pb::Date { year: 1990, month: 1, day: 1 }),
        document: pb::DocumentType::Passport.into(),
        assurance: pb::Assurance::High.into(),
        amends: None,
    };
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    let receipt = chain.issue(&client, &university, &[record(Kind::Identity, &identity, 1)]).await;
    let read = client.record(pb::Place { entry: receipt.index, index: 0 }).await.expect("the record");
    let back = pb::Identity::decode(&read.disclosed.body[..]).expect("an Identity");
    assert_eq!(back.names[0].full.as_bytes(), composed_otherwise.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_writes_nothing_and_finds_all() {
    let (node, university, alias) = scene().await;
    let client = university.client(&node).await;
    let size = node.ledger().size();
    let bad = pb::Credit { amount: None, ..credit(alias, "B") };
    let records = [credit_record(alias, "A-1"), record(Kind::Credit, &bad, 1), credit_record(alias, "A-1")];
    let mut checked: Vec<_> =
        bodies(&records).into_iter().map(|body| CheckedRecord { record: Some(body), identities: Vec::new() }).collect();
    // A person whom nobody has seen yet, by identity instead of alias.
    let unnamed = record(Kind::Credit, &pb::Credit { learner: Vec::new(), ..credit(alias, "C") }, 1);
    let identities = student("424242").identities;
    checked.push(CheckedRecord { record: bodies(&[unnamed]).pop(), identities });
    let key_id = creditbank_protocol::key::KeyId::of(&university.key.public_key());
    let refusals = client.check_records(UnitId::new(1, 1), key_id, checked).await.expect("an answer");
    let found: Vec<_> = refusals.iter().map(|refusal| (refusal.record_plus_1, refusal.why())).collect();
    assert_eq!(found, [(2, Reason::MissingField), (3, Reason::DuplicateRecord)]);
    assert_eq!(node.ledger().size(), size);
}

/// No refusal repeats what it was given about a person.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_hold_no_personal_data() {
    let (node, university, alias) = scene().await;
    let name = pb::PersonName { language: "en".to_owned(), full: "Ada Secret".to_owned(), ..Default::default() };
    let identity = pb::Identity {
        learner: alias.to_vec(),
        names: vec![name],
        birth_date: Some(pb::Date { year: 9990, month: 1, day: 1 }),
        document: pb::DocumentType::Passport.into(),
        assurance: pb::Assurance::High.into(),
        amends: None,
    };
    let refusal = refused(&node, &university, &[record(Kind::Identity, &identity, 1)]).await;
    let shown = format!("{refusal:?}");
    assert_eq!(refusal.why(), Reason::ImplausibleDate);
    assert!(!shown.contains("Secret") && !shown.contains("9990"), "{shown}");
}
