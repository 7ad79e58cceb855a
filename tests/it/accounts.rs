//! Learners: the same person is the same account, and nobody learns more than their own alias.

use creditbank_client::ClientError;
use creditbank_protocol::Alias;
use creditbank_rpc::Reason;
use creditbank_rpc::v1::{IdentityType, Person, TypedIdentity};
use creditbank_tests::university::student;
use creditbank_tests::{TestNode, University};

fn national(value: &str) -> TypedIdentity {
    TypedIdentity { r#type: IdentityType::National.into(), scope: "FR".to_owned(), value: value.to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_person_has_the_same_alias() {
    let node = TestNode::start().await;
    let (first, second) = (University::admit(&node, 1).await, University::admit(&node, 2).await);
    let open = |university: u64, client: creditbank_client::Client, identities: Vec<TypedIdentity>| async move {
        client.open_accounts(university, vec![Person { identities }]).await.expect("an alias")[0]
    };
    let number = student("17").identities;
    let known = open(1, first.client(&node).await, number.clone()).await;
    assert_eq!(open(1, first.client(&node).await, number.clone()).await, known);
    // A student number is the institution's own: the same digits elsewhere are another person.
    let elsewhere = open(2, second.client(&node).await, number.clone()).await;
    assert_ne!(elsewhere, known);
    // A further identity joins the account that the first one leads to; each institution has its own alias for it.
    let both = [number, vec![national("A1")]].concat();
    assert_eq!(open(1, first.client(&node).await, both).await, known);
    assert_eq!(open(1, first.client(&node).await, vec![national("A1")]).await, known);
    let same_person = open(2, second.client(&node).await, vec![national("A1")]).await;
    assert_ne!(same_person, known);
    let operator = node.operator().await;
    let account = |institution, alias: Alias| {
        use creditbank_rpc::v1::{InstitutionAlias, learner_reference::Learner};
        operator.records(Learner::Alias(InstitutionAlias { institution, alias: alias.to_vec() }))
    };
    let (one, two) =
        (account(1, known).await.expect("an answer").1, account(2, same_person).await.expect("an answer").1);
    assert!(one.is_some());
    assert_eq!(one, two, "one person, one account");
    // All of it is there after a restart.
    let node = node.restart().await;
    assert_eq!(open(1, first.client(&node).await, vec![national("A1")]).await, known);
}

/// Goal: however many calls ask for the same persons at once, in whatever round each of them lands, a person is one
/// account.
#[tokio::test(flavor = "multi_thread")]
async fn persons_who_are_asked_for_at_once_are_one_account_each() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let client = std::sync::Arc::new(university.client(&node).await);
    let mut calls = tokio::task::JoinSet::new();
    for call in 0..48usize {
        let client = std::sync::Arc::clone(&client);
        calls.spawn(async move {
            // Each call has the same twenty persons in another order, some of them by a second identity only.
            let numbers: Vec<usize> = (0..20).map(|at| (at + call * 7) % 20).collect();
            let person = |number: &usize| {
                let (own, second) = (student(&number.to_string()).identities, vec![national(&format!("N{number}"))]);
                Person { identities: if call % 3 == 0 { [own, second].concat() } else { own } }
            };
            let aliases = client.open_accounts(1, numbers.iter().map(person).collect()).await.expect("aliases");
            numbers.into_iter().zip(aliases).collect::<Vec<_>>()
        });
    }
    let mut known = std::collections::BTreeMap::new();
    for (number, alias) in calls.join_all().await.into_iter().flatten() {
        assert_eq!(*known.entry(number).or_insert(alias), alias, "person {number}");
    }
    assert_eq!(known.values().collect::<std::collections::BTreeSet<_>>().len(), 20, "nobody is somebody else");
    let node = node.restart().await;
    let again = university.aliases(&node, 0..20).await;
    assert_eq!(again, known.into_values().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_at_once_and_no_more() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let aliases = university.aliases(&node, 0..1_000).await;
    let distinct: std::collections::BTreeSet<_> = aliases.iter().collect();
    assert_eq!(distinct.len(), 1_000);
    assert_eq!(university.aliases(&node, (0..1_000).rev()).await, aliases.into_iter().rev().collect::<Vec<_>>());
    let persons = (0..1_001).map(|number: u32| student(&number.to_string())).collect();
    let refused = university.client(&node).await.open_accounts(1, persons).await.expect_err("too many");
    assert_eq!(refused.refusal().expect("a refusal").why(), Reason::InvalidRequest);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_institution_and_the_operator_may_ask() {
    let node = TestNode::start().await;
    let (first, second) = (University::admit(&node, 1).await, University::admit(&node, 2).await);
    let persons = || vec![student("1")];
    let reason = |error: ClientError| error.refusal().expect("a refusal").why();
    let of_another = second.client(&node).await.open_accounts(1, persons()).await.expect_err("of another");
    assert_eq!(reason(of_another), Reason::NoAccess);
    node.operator().await.open_accounts(1, persons()).await.expect("the operator may");
    // A key that signs gives no access: one key, one purpose.
    let signer =
        node.client(Some(first.key.clone())).await.open_accounts(1, persons()).await.expect_err("a signing key");
    assert!(matches!(signer, ClientError::Local(_)), "{signer}");
    let none = node.client(None).await.open_accounts(1, persons()).await.expect_err("no key");
    assert!(matches!(none, ClientError::Local(_)), "{none}");
    let bad = [
        vec![Person { identities: Vec::new() }],
        vec![Person { identities: vec![TypedIdentity { value: String::new(), ..national("") }] }],
        vec![Person { identities: vec![TypedIdentity { r#type: 0, ..national("A1") }] }],
        vec![Person { identities: vec![TypedIdentity { scope: String::new(), ..national("A1") }] }],
        vec![Person { identities: vec![national("A1"); 9] }],
        vec![Person { identities: vec![national(&"9".repeat(257))] }],
    ];
    for (number, persons) in bad.into_iter().enumerate() {
        let refused = first.client(&node).await.open_accounts(1, persons).await.expect_err("a malformed person");
        assert_eq!(reason(refused), Reason::InvalidRequest, "case {number}");
    }
}

/// Goal: nobody's block waits for accounts, however many are asked for before it. Method: 8,000 persons of one
/// institution, then a block of another, one step at a time: the block is sealed in the first round, together with as
/// many persons as one round takes; two institutions' persons take turns.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_does_not_wait_for_accounts() {
    use creditbank_server::append::{Answer, Person as Checked};
    use creditbank_server::directory;
    use creditbank_server::environment::Environment;
    use creditbank_server::ledger::Limits;
    use creditbank_tests::Chain;
    use creditbank_tests::university::credit_record;

    let node = TestNode::start().await;
    let (first, second) = (University::admit(&node, 1).await, University::admit(&node, 2).await);
    let alias = second.aliases(&node, [1]).await[0];
    let chain = Chain::of(&second.client(&node).await, &second).await;
    let request = chain.block(&second, &[credit_record(alias, "A")], Vec::new());
    let dir = node.stop().await;

    let environment = Environment::system();
    let config = directory::read_config(&environment, dir.path()).expect("a configuration");
    let limits = Limits::default();
    let opened = directory::open_stepped::<&str, usize>(&environment, dir.path(), &config, limits);
    let (_ledger, mut steps) = opened.expect("the log opens");
    let persons = |call: usize| -> Vec<Checked> {
        let person = |at: usize| student(&format!("{}", 1_000 + call * 1_000 + at)).identities;
        (0..1_000).map(|at| Checked::new(at, person(at)).expect("a person")).collect()
    };
    for call in 0..8 {
        steps.accounts(first.institution.into(), persons(call), call);
    }
    steps.accounts(second.institution.into(), persons(8), 8);
    let verified = steps.verify(request).expect("a good block");
    steps.block(verified, "block");
    assert!(steps.order() && steps.write() && steps.publish() && steps.answer());
    match steps.take_answer() {
        Some(Answer::Block("block", Ok(_))) => {}
        other => panic!("expected the block's receipt first, found {other:?}"),
    }
    assert!(steps.take_answer().is_none(), "no call has all of its accounts after one round");
    steps.run();
    let mut order = Vec::new();
    while let Some(answer) = steps.take_answer() {
        let Answer::Accounts(call, Ok(aliases)) = answer else { panic!("expected accounts, found {answer:?}") };
        assert_eq!(aliases.len(), 1_000);
        order.push(call);
    }
    assert_eq!(order, [0, 8, 1, 2, 3, 4, 5, 6, 7]);
    steps.close().expect("a clean stop");
}

/// Goal: the same on a node with its threads: while one institution opens very many accounts, another one's block, which
/// comes later, is sealed before most of them are open.
#[tokio::test(flavor = "multi_thread")]
async fn a_later_block_comes_between_rounds_of_accounts() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use creditbank_tests::Chain;
    use creditbank_tests::university::credit_record;

    const CALLS: usize = 16;
    let node = TestNode::start().await;
    let (first, second) = (University::admit(&node, 1).await, University::admit(&node, 2).await);
    let alias = second.aliases(&node, [1]).await[0];
    let (greedy, honest) = (Arc::new(first.client(&node).await), second.client(&node).await);
    let request = Chain::of(&honest, &second).await.block(&second, &[credit_record(alias, "A")], Vec::new());
    let answered = Arc::new(AtomicUsize::new(0));
    let mut calls = tokio::task::JoinSet::new();
    for call in 0..CALLS {
        let (greedy, answered) = (Arc::clone(&greedy), Arc::clone(&answered));
        calls.spawn(async move {
            let persons = (0..1_000).map(|at| student(&format!("{}", 1_000 + call * 1_000 + at))).collect();
            let opened = greedy.open_accounts(1, persons).await.expect("accounts");
            answered.fetch_add(1, Ordering::Relaxed);
            opened.len()
        });
    }
    while answered.load(Ordering::Relaxed) == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    honest.submit(request).await.expect("sealed");
    let before = answered.load(Ordering::Relaxed);
    println!("{before} of {CALLS} calls were answered before");
    assert!(before < CALLS / 2, "{before} of {CALLS} calls were answered before");
    while let Some(opened) = calls.join_next().await {
        assert_eq!(opened.expect("no panic"), 1_000);
    }
}
