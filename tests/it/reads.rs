//! Who may read what.

use creditbank_client::ClientError;
use creditbank_protocol::pb::{Place, Purpose};
use creditbank_rpc::Reason;
use creditbank_rpc::token;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::{GetRecordRequest, InstitutionAlias, ListIssuedRequest, ReconcileRequest};
use creditbank_tests::chain::now_s;
use creditbank_tests::node::ORIGIN;
use creditbank_tests::university::credit_record;
use creditbank_tests::{Chain, TestNode, University};
use tonic::{Code, Request};

fn reason(error: &ClientError) -> Reason {
    error.refusal().expect("a refusal").why()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_institution_reads_its_own_and_the_operator_all() {
    let node = TestNode::start().await;
    let (first, second) = (University::admit(&node, 1).await, University::admit(&node, 2).await);
    let mut place = None;
    for university in [&first, &second] {
        let alias = university.aliases(&node, 0..1).await[0];
        let client = university.client(&node).await;
        let mut chain = Chain::of(&client, university).await;
        let receipt =
            chain.issue(&client, university, &[credit_record(alias, "A-1"), credit_record(alias, "A-2")]).await;
        place.get_or_insert(Place { entry: receipt.index, index: 1 });
        let learner =
            || Learner::Alias(InstitutionAlias { institution: university.institution, alias: alias.to_vec() });
        let (records, account) = client.records(learner()).await.expect("its own");
        assert_eq!((records.len(), account), (2, None));
        let (records, account) = node.operator().await.records(learner()).await.expect("the operator");
        assert_eq!(records.len(), 2);
        let account = account.expect("the operator sees the account");
        let (records, _) = node.operator().await.records(Learner::Account(account.to_vec())).await.expect("by account");
        assert_eq!(records.len(), 2);
        let refused =
            client.records(Learner::Account(account.to_vec())).await.expect_err("accounts are the operator's");
        assert_eq!(reason(&refused), Reason::NoAccess);
    }
    let place = place.expect("a place");
    first.client(&node).await.record(place).await.expect("its own");
    let refused = second.client(&node).await.record(place).await.expect_err("another's");
    assert_eq!(reason(&refused), Reason::NoAccess);
    for missing in [Place { index: 2, ..place }, Place { entry: 1 << 40, index: 0 }, Place { entry: 1, index: 0 }] {
        let refused = node.operator().await.record(missing).await.expect_err("no record there");
        assert!([Reason::NotFound, Reason::OutOfRange].contains(&reason(&refused)), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_must_be_right_in_every_part() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    let receipt = chain.issue(&client, &university, &[credit_record(alias, "A-1")]).await;
    let now = now_s();
    let ask = |bearer: Option<String>| {
        let node = &node;
        async move {
            let mut request = Request::new(GetRecordRequest { place: Some(Place { entry: receipt.index, index: 0 }) });
            if let Some(bearer) = bearer {
                request.metadata_mut().insert("authorization", bearer.parse().expect("ASCII"));
            }
            node.ledger_service().await.get_record(request).await.map(|_| ()).map_err(|status| status.code())
        }
    };
    let access = &university.access.key;
    let good = token::make(ORIGIN, access, now, [1; 16]);
    assert_eq!(ask(Some(format!("Bearer {good}"))).await, Ok(()));
    let mut forged = good.clone();
    let last = forged.pop().expect("a token");
    forged.push(if last == 'A' { 'B' } else { 'A' });
    let bad = [
        None,
        Some(good.clone()),
        Some("Bearer".to_owned()),
        Some("Bearer a.b.c".to_owned()),
        Some(format!("Bearer {forged}")),
        Some(format!("Bearer {}", token::make("other.example/log", access, now, [1; 16]))),
        Some(format!("Bearer {}", token::make(ORIGIN, access, now - 3_600, [1; 16]))),
        Some(format!("Bearer {}", token::make(ORIGIN, access, now + 3_600, [1; 16]))),
        Some(format!(
            "Bearer {}",
            token::make(ORIGIN, &ed25519_dalek::SigningKey::from_bytes(&[77; 32]), now, [1; 16])
        )),
        Some(format!("Bearer {}", "x".repeat(5_000))),
    ];
    for (number, bearer) in bad.into_iter().enumerate() {
        assert_eq!(ask(bearer).await, Err(Code::Unauthenticated), "case {number}");
    }
    let signer = token::make(ORIGIN, &university.key.key, now, [1; 16]);
    assert_eq!(ask(Some(format!("Bearer {signer}"))).await, Err(Code::PermissionDenied));
    let log = token::make(ORIGIN, &node.key(Purpose::Log).key, now, [1; 16]);
    assert_eq!(ask(Some(format!("Bearer {log}"))).await, Err(Code::PermissionDenied));
}

#[tokio::test(flavor = "multi_thread")]
async fn issued_records_are_listed_and_reconciled() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let aliases = university.aliases(&node, 0..5).await;
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    let records: Vec<_> = aliases.iter().map(|alias| credit_record(*alias, "A-1")).collect();
    for pair in records.chunks(2) {
        chain.issue(&client, &university, pair).await;
    }
    let now = now_s();
    let bearer = format!("Bearer {}", token::make(ORIGIN, &university.access.key, now, [1; 16]));
    macro_rules! with_access {
        ($message:expr) => {{
            let mut request = Request::new($message);
            request.metadata_mut().insert("authorization", bearer.parse().expect("ASCII"));
            request
        }};
    }
    let mut service = node.ledger_service().await;
    let list = ListIssuedRequest { institution: 1, unit: 1, from_height: 0, blocks_max: 2 };
    let page = service.list_issued(with_access!(list)).await.expect("a page").into_inner();
    assert_eq!((page.records.len(), page.next_height), (4, 2));
    let list = ListIssuedRequest { institution: 1, unit: 1, from_height: 2, blocks_max: 0 };
    let page = service.list_issued(with_access!(list)).await.expect("a page").into_inner();
    assert_eq!((page.records.len(), page.next_height), (1, 0));
    let hash = |at: usize| records[at].hash().0.to_vec();
    let request = ReconcileRequest {
        institution: 1,
        unit: 1,
        from_height: 0,
        until_height: 2,
        record_hashes: vec![hash(0), hash(3), hash(4)],
    };
    let answer = service.reconcile(with_access!(request)).await.expect("an answer").into_inner();
    let hashes =
        |list: &[creditbank_rpc::v1::IssuedRecord]| list.iter().map(|one| one.record_hash.clone()).collect::<Vec<_>>();
    assert_eq!(hashes(&answer.held), [hash(0), hash(3)]);
    assert_eq!(answer.missing, [hash(4)], "it stands at a later height");
    assert_eq!(hashes(&answer.unlisted), [hash(1), hash(2)]);
}
