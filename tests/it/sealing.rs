//! Goal: a block of any records is sealed once, however often its command is interrupted and run again.

use std::time::Duration;

use creditbank_client::sealing::{Contents, Options, Sealed, record, resume, seal_block};
use creditbank_client::{ClientError, IssuingUnit};
use creditbank_fixtures::credit;
use creditbank_protocol::Alias;
use creditbank_protocol::UnitId;
use creditbank_protocol::pb::Kind;
use creditbank_rpc::Reason;
use creditbank_tests::{TestNode, University};

fn contents(unit: &IssuingUnit, alias: Alias, course: &str, reference: &str) -> Contents {
    let record = record(unit, Kind::Credit, &credit(alias, course), reference).expect("a record");
    Contents::of([record]).requested(course.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_block_is_sealed_once() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, [7]).await[0];
    let (client, unit) = (university.client(&node).await, university.issuing());
    let dir = tempfile::tempdir().expect("a directory");
    let options = Options { work: dir.path(), require_approval: false };
    let block = contents(&unit, alias, "ALG", "");
    let unexpected = |refusal: &creditbank_rpc::v1::Refusal| panic!("{}", refusal.message);
    assert_eq!(resume(&client, &unit, b"ALG", options, unexpected).await.expect("nothing was begun"), None);
    // Cut off earlier and later, also between the sending and the answer.
    let mut patience = Duration::from_micros(200);
    let last = loop {
        let run = seal_block(&client, &unit, &block, options, unexpected);
        match tokio::time::timeout(patience, run).await {
            Ok(sealed) => break sealed.expect("the last run"),
            Err(_) => patience = patience * 5 / 4,
        }
    };
    assert!(matches!(last, Sealed::Done(_) | Sealed::Already), "{last:?}");
    let (issued, _) = client.issued(UnitId::new(1, 1), 0, 100).await.expect("a list");
    assert_eq!(issued.len(), 1, "once");
    let again = seal_block(&client, &unit, &block, options, unexpected).await.expect("known");
    assert_eq!(again, Sealed::Already);
    // The wish is known too, whatever it would come to now; another one is not.
    assert_eq!(resume(&client, &unit, b"ALG", options, unexpected).await.expect("known"), Some(Sealed::Already));
    assert_eq!(resume(&client, &unit, b"ANA", options, unexpected).await.expect("not known"), None);
    // Without notes it is the same record, which the ledger has.
    let other = tempfile::tempdir().expect("a directory");
    let elsewhere = Options { work: other.path(), require_approval: false };
    match seal_block(&client, &unit, &block, elsewhere, unexpected).await {
        Err(ClientError::Refused(refusal)) => assert_eq!(refusal.why(), Reason::DuplicateRecord),
        other => panic!("{other:?}"),
    }
    // Another reference makes it another record: here one too many for its course.
    let second = contents(&unit, alias, "ALG", "once more");
    match seal_block(&client, &unit, &second, elsewhere, unexpected).await {
        Err(ClientError::Refused(refusal)) => assert_eq!(refusal.why(), Reason::TooManyRepeats),
        other => panic!("{other:?}"),
    }
    let third = contents(&unit, alias, "ANA", "");
    let sealed = seal_block(&client, &unit, &third, elsewhere, unexpected).await.expect("another course");
    assert!(matches!(sealed, Sealed::Done(_)), "{sealed:?}");
}
