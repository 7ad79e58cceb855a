//! TLS: the node shows a certificate, and asks for one where it is told to.

use std::fs;
use std::path::Path;
use std::time::Duration;

use creditbank_client::{Client, ClientError, ConnectOptions};
use creditbank_server::directory::{StoreUrl, Tls};
use creditbank_server::ledger::Limits;
use creditbank_tests::TestNode;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certificate and key in PEM.
    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        (params.signed_by(&key, &self.0).expect("a certificate").pem(), key.serialize_pem())
    }
}

fn write(dir: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).expect("a file");
    path
}

async fn reach(node: &TestNode, ca: Option<&str>, identity: Option<&(String, String)>) -> Result<(), ClientError> {
    let mut options = ConnectOptions::new(&format!("https://localhost:{}", node.address().port()));
    options.timeout = Duration::from_secs(10);
    options.ca = ca.map(|pem| pem.as_bytes().to_vec());
    options.identity = identity.map(|(certificate, key)| (certificate.as_bytes().to_vec(), key.as_bytes().to_vec()));
    Client::connect(&options, node.trust(), None).await?.checkpoint().await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_checked_on_both_sides() {
    let (ours, others) = (Authority::new(), Authority::new());
    let dir = tempfile::tempdir().expect("a directory");
    let (certificate, key) = ours.issue("localhost");
    let mut tls = Tls {
        certificate: write(dir.path(), "chain.pem", &certificate),
        key: write(dir.path(), "key.pem", &key),
        client_ca: None,
    };
    let node = TestNode::with(StoreUrl::Memory, Some(tls.clone()), Limits::default()).await;
    reach(&node, Some(&ours.pem()), None).await.expect("the right authority");
    assert!(matches!(reach(&node, Some(&others.pem()), None).await, Err(ClientError::Unreachable(_))));
    assert!(matches!(reach(&node, None, None).await, Err(ClientError::Unreachable(_))));
    let mut plain = ConnectOptions::new(&node.url());
    plain.timeout = Duration::from_secs(10);
    let clear = async { Client::connect(&plain, node.trust(), None).await?.checkpoint().await };
    assert!(matches!(clear.await, Err(ClientError::Unreachable(_))), "a client without TLS gets nothing");

    tls.client_ca = Some(write(dir.path(), "ca.pem", &ours.pem()));
    let node = TestNode::with(StoreUrl::Memory, Some(tls), Limits::default()).await;
    reach(&node, Some(&ours.pem()), Some(&ours.issue("client"))).await.expect("a client of ours");
    assert!(reach(&node, Some(&ours.pem()), None).await.is_err(), "a client without a certificate");
    assert!(
        reach(&node, Some(&ours.pem()), Some(&others.issue("client"))).await.is_err(),
        "a client of another authority"
    );
}
