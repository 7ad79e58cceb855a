//! Frames of HTTP/2 that call nothing.

use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&len[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

fn closed(node: &TestNode, reason: &str) -> f64 {
    measure(node.ledger(), &format!("creditbank_connections_closed_total{{reason=\"{reason}\"}}"))
}

/// Sends the same bytes until the node closes, for some seconds at most.
async fn flood(node: &TestNode, bytes: &[u8]) -> bool {
    let (mut reading, mut writing) = socket(node.address(), 2).await.into_split();
    // Whoever does not read is closed for that.
    let reading = tokio::spawn(async move { reading.read_to_end(&mut Vec::new()).await });
    let sent = tokio::time::timeout(Duration::from_secs(20), async {
        writing.write_all(PREFACE).await?;
        loop {
            writing.write_all(bytes).await?;
        }
    });
    let ended: Result<Result<(), std::io::Error>, _> = sent.await;
    reading.abort();
    ended.is_ok()
}

/// Goal: who floods the node with frames that call nothing is closed, and others are served meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn floods_of_frames_end() {
    let node = TestNode::with_settings(hasty()).await;
    let client = node.client(None).await;
    for (number, frame) in
        [frame(4, 0, 0, &[]), frame(6, 0, 0, &[0; 8]), frame(0x2a, 0, 0, &[])].into_iter().enumerate()
    {
        assert!(flood(&node, &frame.repeat(100)).await, "flood {number} goes on");
        client.checkpoint().await.expect("others are served");
    }
    assert!(closed(&node, "frames") >= 1.0);
}

/// Goal: headers that do not end are bounded in time and in bytes.
#[tokio::test(flavor = "multi_thread")]
async fn headers_that_do_not_end() {
    let node = TestNode::with_settings(hasty()).await;
    let mut slow = socket(node.address(), 2).await;
    // The names of one header after the other, as literals without an index.
    let part = [&[0x00, 0x01, b'a', 0x7f, 0x01][..], &[b'v'; 128]].concat();
    slow.write_all(&[PREFACE, &frame(1, 0, 1, &part)].concat()).await.expect("it takes bytes");
    assert!(is_closed(&mut slow).await, "headers that stop coming");
    eventually("it is said", || closed(&node, "headers") >= 1.0).await;

    let mut long = socket(node.address(), 2).await;
    let parts: Vec<u8> = (0..400).flat_map(|_| frame(9, 0, 1, &part)).collect();
    // The node may close before all of it has left.
    let _ = long.write_all(&[PREFACE, &frame(1, 0, 1, &part), &parts].concat()).await;
    assert!(is_closed(&mut long).await, "headers without an end");
    node.client(None).await.checkpoint().await.expect("others are served");
}
