//! What every gRPC tool expects of a service: health, reflection, deadlines.

use std::time::Duration;

use creditbank_rpc::token;
use creditbank_rpc::v1::learner_service_client::LearnerServiceClient;
use creditbank_rpc::v1::log_service_client::LogServiceClient;
use creditbank_rpc::v1::{OpenAccountsRequest, StreamEntriesRequest};
use creditbank_tests::chain::now_s;
use creditbank_tests::node::ORIGIN;
use creditbank_tests::university::student;
use creditbank_tests::{TestNode, University};
use tonic::transport::Endpoint;
use tonic::{Code, Request};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::{v1, v1alpha};

/// The names of the services that reflection of a version lists on a channel.
macro_rules! listed_services {
    ($version:ident, $channel:expr) => {{
        use $version::server_reflection_client::ServerReflectionClient;
        use $version::server_reflection_request::MessageRequest;
        use $version::server_reflection_response::MessageResponse;
        let mut reflection = ServerReflectionClient::new($channel);
        let list = MessageRequest::ListServices(String::new());
        let asked = $version::ServerReflectionRequest { host: String::new(), message_request: Some(list) };
        let mut answers =
            reflection.server_reflection_info(tokio_stream::iter([asked])).await.expect("a stream").into_inner();
        let answer = answers.message().await.expect("an answer").expect("one answer").message_response;
        let Some(MessageResponse::ListServicesResponse(list)) = answer else {
            panic!("expected a list, found {answer:?}")
        };
        list.service.into_iter().map(|one| one.name).collect::<Vec<String>>()
    }};
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_reflection() {
    let node = TestNode::start().await;
    let channel = Endpoint::from_shared(node.url()).expect("a URL").connect().await.expect("a connection");
    let mut health = HealthClient::new(channel.clone());
    for service in ["", "creditbank.v1.LedgerService"] {
        let asked = HealthCheckRequest { service: service.to_owned() };
        let status = health.check(asked).await.expect("an answer").into_inner().status;
        assert_eq!(status, i32::from(ServingStatus::Serving), "{service:?}");
    }
    // Tools of today speak v1; stock Python clients, among others, still speak v1alpha.
    for listed in [listed_services!(v1, channel.clone()), listed_services!(v1alpha, channel)] {
        for service in ["LedgerService", "LogService", "RegistryService", "LearnerService", "RecognitionService"] {
            let name = format!("creditbank.v1.{service}");
            assert!(listed.contains(&name), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_is_honoured() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let mut learners = LearnerServiceClient::connect(node.url()).await.expect("a connection");
    // OpenAccounts takes at least 20 ms, whoever is asked for.
    let ask = |timeout| {
        let persons = vec![student("1")];
        let mut request = Request::new(OpenAccountsRequest { institution: 1, persons });
        let bearer = format!("Bearer {}", token::make(ORIGIN, &university.access.key, now_s(), [1; 16]));
        request.metadata_mut().insert("authorization", bearer.parse().expect("ASCII"));
        request.set_timeout(timeout);
        request
    };
    let status = learners.open_accounts(ask(Duration::from_millis(1))).await.expect_err("it is over");
    assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status}");
    learners.open_accounts(ask(Duration::from_mins(1))).await.expect("time enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_streamed_and_proved() {
    let node = TestNode::start().await;
    University::admit(&node, 1).await;
    let client = node.client(None).await;
    let (accepted, _) = client.checkpoint().await.expect("a checkpoint");
    let mut log = LogServiceClient::connect(node.url()).await.expect("a connection");
    let all = StreamEntriesRequest { from_index: 0, until_index: 0 };
    let mut stream = log.stream_entries(all).await.expect("a stream").into_inner();
    let mut leaves = Vec::new();
    while let Some(entry) = stream.message().await.expect("an entry") {
        assert_eq!(entry.index, leaves.len() as u64);
        leaves.push(creditbank_protocol::merkle::leaf_hash(&entry.entry));
    }
    let size = usize::try_from(accepted.checkpoint.size).expect("small");
    assert!(leaves.len() >= size);
    assert_eq!(creditbank_protocol::merkle::root(&leaves[..size]), accepted.checkpoint.root);
    for index in 0..accepted.checkpoint.size {
        client.entry(index).await.expect("a proved entry");
    }
    let beyond = StreamEntriesRequest { from_index: 1 << 40, until_index: 0 };
    let refused = log.stream_entries(beyond).await.expect_err("there are no such entries");
    assert_eq!(refused.code(), Code::InvalidArgument);
}
