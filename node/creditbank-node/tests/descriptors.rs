//! Goal: however many connections strangers open, the store has the files that it needs; a node that could not serve says so
//! and does not start.

mod child;

use std::net::{SocketAddr, TcpStream};

use child::Child;
use creditbank_protocol::UnitId;
use creditbank_tests::Chain;
use creditbank_tests::university::credit_record;

/// Open files of the process: what the store needs, and 94 connections.
const FILES: u32 = 350;

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_connections_takes_no_file_of_the_store() {
    let mut child = Child::start();
    let university = child.admit(1).await;
    let aliases = child.aliases(std::slice::from_ref(&university)).await;
    assert_eq!(child.terminate(), Some(0));
    child.restart_with_descriptors(FILES);

    let address: SocketAddr = child.url().trim_start_matches("http://").parse().expect("an address");
    // More than the process may have, and all from the address of the honest client.
    let silent: Vec<_> = (0..2 * FILES).filter_map(|_| TcpStream::connect(address).ok()).collect();
    assert!(silent.len() > FILES as usize / 2, "the system took them");
    let client = child.client(&university).await.expect("one more is served");
    let unit = UnitId::new(university.institution, university.unit);
    let mut chain = Chain { head: client.chain_head(unit).await.expect("the head") };
    for number in 0..5 {
        let request = chain.block(&university, &[credit_record(aliases[0], &format!("C-{number}"))], Vec::new());
        client.submit(request.clone()).await.expect("sealed");
        chain.advance(&request);
    }
    drop(silent);
    assert_eq!(child.terminate(), Some(0), "it never failed");

    let refused = child::serve_with_descriptors(child.dir(), 300).output().expect("a process");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("open files"), "{said}");
}
