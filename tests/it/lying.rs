//! Goal: a node that lies is an error. A proxy stands between client and node and changes one bit of an answer; the
//! client either refuses the answer or returns what the honest node said.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use creditbank_client::{Client, ClientError, ConnectOptions};
use creditbank_protocol::UnitId;
use creditbank_protocol::pb::{Kind, Place};
use creditbank_protocol::registry::RegistryKey;
use creditbank_rpc::v1::InstitutionAlias;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_tests::university::credit_record;
use creditbank_tests::{Chain, TestNode, University};
use http_body_util::{BodyExt as _, Full};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tower::ServiceExt as _;

/// Which bit is changed, counted from 1 over all answers of a call; 0: none.
#[derive(Default)]
struct Lie {
    bit: AtomicUsize,
    /// Bits of the answers since the last reset.
    seen: AtomicUsize,
}

impl Lie {
    /// Sets the bit and forgets what was seen.
    fn tell(&self, bit: usize) {
        self.bit.store(bit, Ordering::SeqCst);
        self.seen.store(0, Ordering::SeqCst);
    }

    /// Changes the message behind the five bytes of gRPC's frame.
    fn change(&self, frame: &mut [u8]) {
        let Some(message) = frame.get_mut(5..) else { return };
        let before = self.seen.fetch_add(message.len() * 8, Ordering::SeqCst);
        let at = self.bit.load(Ordering::SeqCst).checked_sub(before + 1);
        if let Some(byte) = at.and_then(|at| message.get_mut(at / 8)) {
            *byte ^= 1 << (at.unwrap_or(0) % 8);
        }
    }
}

async fn forward(State((node, lie)): State<(Channel, Arc<Lie>)>, request: Request) -> Response {
    let request = request.map(tonic::body::Body::new);
    let answer = node.oneshot(request).await.expect("the node answers");
    let (head, body) = answer.into_parts();
    let whole = body.collect().await.expect("the whole answer");
    let trailers = whole.trailers().cloned();
    let mut bytes = whole.to_bytes().to_vec();
    lie.change(&mut bytes);
    let body = Full::from(bytes).with_trailers(async move { trailers.map(Ok) });
    Response::from_parts(head, Body::new(body))
}

/// A client whose answers come through the proxy.
async fn through_a_liar(node: &TestNode, university: &University) -> (Client, Arc<Lie>) {
    let lie = Arc::new(Lie::default());
    let channel = Endpoint::from_shared(node.url()).expect("a URL").connect_lazy();
    let router = Router::new().fallback(forward).with_state((channel, Arc::clone(&lie)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    tokio::spawn(Server::builder().add_routes(router.into()).serve_with_incoming(incoming));
    let client = Client::connect(&ConnectOptions::new(&url), node.trust(), Some(university.access.clone())).await;
    (client.expect("a connection"), lie)
}

/// Calls once honestly and then with lies in bits of the answers, spread evenly; at most `lies` of them.
async fn cannot_be_deceived<T, F>(lie: &Lie, lies: usize, name: &str, call: impl Fn() -> F)
where
    T: PartialEq + std::fmt::Debug,
    F: Future<Output = Result<T, ClientError>>,
{
    lie.tell(0);
    let honest = call().await.expect("the honest answer");
    let bits = lie.seen.load(Ordering::SeqCst);
    assert!(bits > 0, "{name}: the proxy has seen no answer");
    let mut found = 0;
    for bit in (1..=bits).step_by((bits / lies).max(1)) {
        lie.tell(bit);
        match call().await {
            // What is not a field of the schema, or a field in another order, changes nothing that is believed.
            Ok(answer) => assert_eq!(answer, honest, "{name}: a lie in bit {bit} of {bits} is believed"),
            Err(_) => found += 1,
        }
    }
    assert!(found > 0, "{name}: no lie was found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lying_node_is_an_error() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let honest = university.client(&node).await;
    let mut chain = Chain::of(&honest, &university).await;
    let receipt = chain.issue(&honest, &university, &[credit_record(alias, "A-1"), credit_record(alias, "A-2")]).await;
    let request = chain.block(&university, &[credit_record(alias, "A-3")], Vec::new());
    chain.issue(&honest, &university, &[credit_record(alias, "A-3")]).await;
    let (client, lie) = through_a_liar(&node, &university).await;
    let client = &client;

    cannot_be_deceived(&lie, 200, "GetChainHead", || async { client.chain_head(UnitId::new(1, 1)).await }).await;
    cannot_be_deceived(&lie, 200, "GetBlock", || async { client.block(UnitId::new(1, 1), 0).await }).await;
    cannot_be_deceived(&lie, 200, "SubmitBlock", || async { client.submit(request.clone()).await }).await;
    cannot_be_deceived(&lie, 400, "GetRecord", || async {
        let read = client.record(Place { entry: receipt.index, index: 1 }).await?;
        Ok((read.disclosed.hash, read.disclosed.body, read.unit, read.key_id.to_string()))
    })
    .await;
    cannot_be_deceived(&lie, 400, "ListRecords", || async {
        let learner = Learner::Alias(InstitutionAlias { institution: 1, alias: alias.to_vec() });
        let (records, _) = client.records(learner).await?;
        // That none is left out is the node's word; every one that comes is proved.
        Ok(records.into_iter().map(|read| read.disclosed.hash).collect::<Vec<_>>())
    })
    .await;
    cannot_be_deceived(&lie, 200, "GetCheckpoint", || async { Ok(client.checkpoint().await?.0.checkpoint.root) }).await;
    cannot_be_deceived(&lie, 200, "StreamEntries", || async { Ok(client.entry(receipt.index).await?.0) }).await;
    for (name, key) in [("present", RegistryKey::Institution(1.into())), ("absent", RegistryKey::Institution(9.into()))]
    {
        cannot_be_deceived(&lie, 200, name, || async {
            Ok(client.registry_entry(&key).await?.map(|item| (item.body, item.place)))
        })
        .await;
    }
    cannot_be_deceived(&lie, 200, "ListRegistry", || async {
        let items = client.registry_list(Kind::Institution, None).await?;
        Ok(items.into_iter().map(|item| item.body).collect::<Vec<_>>())
    })
    .await;
    cannot_be_deceived(&lie, 200, "ExportTranscript", || async {
        let learner = Learner::Alias(InstitutionAlias { institution: 1, alias: alias.to_vec() });
        Ok(client.transcript(learner).await?.0)
    })
    .await;
}

/// A node that shows two histories is found out by whoever sees both.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_history_is_found() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    // The same keys, another log: what an operator who rewrites history would run.
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    let receipt = chain.issue(&client, &university, &[credit_record(alias, "A-1")]).await;
    let fork = creditbank_protocol::note::Checkpoint {
        origin: creditbank_tests::node::ORIGIN.to_owned(),
        size: receipt.index + 2,
        root: creditbank_protocol::Digest([9; 32]),
    };
    let log_key = node.key(creditbank_protocol::pb::Purpose::Log).key;
    let note = creditbank_protocol::note::sign_checkpoint(&fork, &log_key).expect("a note");
    let forged = creditbank_protocol::pb::Receipt { checkpoint: note, ..receipt };
    assert!(matches!(client.check_receipt(&forged).await, Err(ClientError::Lie(_))));
}
