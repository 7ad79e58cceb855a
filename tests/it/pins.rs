//! What a client has seen binds the node also in the next command: a log that goes back, or another history, is refused.

use std::fs;
use std::path::Path;

use creditbank_client::{Client, ClientError, ConnectOptions};
use creditbank_protocol::note::{Checkpoint, Note};
use creditbank_tests::university::credit_record;
use creditbank_tests::{Chain, TestNode, University};
use tempfile::TempDir;

use crate::copies::copy;
use crate::succession::{SECOND, succeeded_by};

async fn connect(node: &TestNode, university: &University, state: &Path) -> Result<Client, ClientError> {
    let mut options = ConnectOptions::new(&node.url());
    options.state = Some(state.to_owned());
    Client::connect(&options, node.trust(), Some(university.access.clone())).await
}

/// The sizes of the notes of that kind that are kept, each of which parses.
fn kept(state: &Path, kind: &str) -> Vec<u64> {
    let files = fs::read_dir(state).expect("a directory").map(|file| file.expect("a name").path());
    let evidence = files.filter(|path| path.to_string_lossy().ends_with(kind));
    let mut sizes: Vec<u64> = evidence
        .map(|path| {
            let note = fs::read(path).expect("it reads");
            Checkpoint::parse(Note::parse(&note).expect("a note").text()).expect("a checkpoint").size
        })
        .collect();
    sizes.sort_unstable();
    sizes
}

/// The origin of the checkpoint that is kept of the one log that was seen.
fn pinned(state: &Path) -> String {
    let mut files = fs::read_dir(state).expect("a directory").map(|file| file.expect("a name").path());
    let path = files.find(|path| path.extension().is_some_and(|kind| kind == "seen")).expect("a file");
    let text = fs::read_to_string(path).expect("it reads");
    let (_, note) = text.split_once('\n').expect("two parts");
    Checkpoint::parse(Note::parse(note.as_bytes()).expect("a note").text()).expect("a checkpoint").origin
}

/// Goal: a node that was set back to an older copy is refused by whoever has seen more, with both signed checkpoints
/// kept as evidence, and so is the second history that it then signs; whoever has seen neither believes it. The right
/// node is believed again, and any number of commands at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_goes_back_is_refused() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let dir = node.stop().await;
    let old = tempfile::tempdir().expect("a directory");
    copy(dir.path(), old.path());
    let (state, fresh) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));

    let node = TestNode::again(dir).await;
    let client = connect(&node, &university, state.path()).await.expect("the first command");
    let mut chain = Chain::of(&client, &university).await;
    for course in ["A-1", "A-2", "A-3"] {
        chain.issue(&client, &university, &[credit_record(alias, course)]).await;
    }
    let seen = node.ledger().size();
    drop(client);
    connect(&node, &university, state.path()).await.expect("the next command");
    let dir = node.stop().await;

    let twin = TestNode::of_copy(old).await;
    let before = twin.ledger().size();
    let refused = |result: Result<Client, ClientError>| match result {
        Err(ClientError::Lie(why)) => why,
        other => panic!("expected a lie, found {:?}", other.map(|client| client.origin().to_owned())),
    };
    let why = refused(connect(&twin, &university, state.path()).await);
    assert!(why.contains("it has gone back") && why.contains("evidence") && why.contains("restored"), "{why}");
    assert!(
        why.contains(&format!("Seen: {seen} entries")) && why.contains(&format!("Shown: {before} entries")),
        "{why}"
    );
    assert_eq!((kept(state.path(), "-seen"), kept(state.path(), "-shown")), (vec![seen], vec![before]));

    let client = connect(&twin, &university, fresh.path()).await.expect("who has seen nothing else");
    let mut chain = Chain::of(&client, &university).await;
    for course in ["B-1", "B-2", "B-3", "B-4"] {
        chain.issue(&client, &university, &[credit_record(alias, course)]).await;
    }
    drop(client);
    let why = refused(connect(&twin, &university, state.path()).await);
    assert!(why.contains("not the log that was seen before") && !why.contains("it has gone back"), "{why}");
    drop(twin.stop().await);

    let node = TestNode::again(dir).await;
    connect(&node, &university, state.path()).await.expect("the log that was seen");
    refused(connect(&node, &university, fresh.path()).await);
    let at_once = || connect(&node, &university, state.path());
    let (one, two, three) = tokio::join!(at_once(), at_once(), at_once());
    for client in [one, two, three] {
        client.expect("several commands at once");
    }
}

/// Goal: two logs of one name have two pins: what was seen of a test node says nothing of another one.
#[tokio::test(flavor = "multi_thread")]
async fn two_logs_of_one_name_are_two() {
    let state: TempDir = tempfile::tempdir().expect("a directory");
    for number in [1, 2] {
        let node = TestNode::start().await;
        let university = University::admit(&node, number).await;
        connect(&node, &university, state.path()).await.expect("a log of its own");
    }
    assert_eq!(kept(state.path(), "-seen"), Vec::<u64>::new());
}

/// Goal: what was seen of a part of the log that a succession has given up binds nobody, under the new trust file and
/// under the old one, from which the new name is followed; from then on what is kept is of the new name.
#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_was_given_up_binds_nobody() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let cut = node.ledger().size();
    let states = [tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory")];
    let client = connect(&node, &university, states[0].path()).await.expect("the first command");
    let mut chain = Chain::of(&client, &university).await;
    for course in ["A-1", "A-2", "A-3"] {
        chain.issue(&client, &university, &[credit_record(alias, course)]).await;
    }
    for state in &states {
        connect(&node, &university, state.path()).await.expect("beyond the cut");
    }
    let old = node.trust();
    let (to, _) = succeeded_by(node.stop().await.path(), cut, SECOND, Vec::new()).expect("it goes on");
    let node = TestNode::again(to).await;
    for (state, trust) in states.iter().zip([node.trust(), old]) {
        for _ in 0..2 {
            let mut options = ConnectOptions::new(&node.url());
            options.state = Some(state.path().to_owned());
            let client = Client::connect(&options, trust.clone(), None).await.expect("the log goes on");
            assert_eq!(client.origin(), SECOND);
        }
        assert_eq!(kept(state.path(), "-shown"), Vec::<u64>::new());
        assert_eq!(pinned(state.path()), SECOND, "the new name is what is kept");
    }
}
