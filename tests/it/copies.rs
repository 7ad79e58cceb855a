//! One directory, one node: what is copied or moved is not served before the operator has said that it goes on alone.

use std::fs;
use std::path::Path;

use creditbank_server::directory::{self, DirectoryError};
use creditbank_server::environment::Environment;
use creditbank_server::ledger::{Ledger, Limits, Said};
use creditbank_server::operate::backup::{MakeOptions, make};
use creditbank_store::{PlaceError, StoreError};
use creditbank_tests::{TestNode, University};

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for item in fs::read_dir(from).expect("a directory").map(|item| item.expect("a name")) {
        let to = to.join(item.file_name());
        if item.file_type().expect("a kind").is_dir() {
            copy(&item.path(), &to);
        } else {
            fs::copy(item.path(), to).expect("copied");
        }
    }
}

fn open(dir: &Path, takes_over: bool) -> Result<Ledger, DirectoryError> {
    let environment = Environment::system();
    let config = directory::read_config(&environment, dir)?;
    let said = Said { takes_over, ..Said::default() };
    directory::open(&environment, dir, &config, Limits { said, ..Limits::default() })
}

fn refused(dir: &Path, takes_over: bool) -> PlaceError {
    match open(dir, takes_over) {
        Err(DirectoryError::Store(StoreError::Place { error, .. })) => error,
        other => panic!("expected a refusal, found {:?}", other.map(|ledger| ledger.size())),
    }
}

async fn closed(ledger: Result<Ledger, DirectoryError>) {
    ledger.expect("it opens").close().await.expect("a clean stop");
}

/// Goal: a copy of a node's directory, and one that was moved, are refused with what to look at; whoever takes over has
/// said so once. The node's own directory is not refused, under another name for it neither. A refusal changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_copied_directory_is_not_served() {
    let node = TestNode::start().await;
    University::admit(&node, 1).await;
    let dir = node.stop().await;
    let around = tempfile::tempdir().expect("a directory");
    let (twin, moved, link) = (around.path().join("twin"), around.path().join("moved"), around.path().join("link"));
    copy(dir.path(), &twin);

    std::os::unix::fs::symlink(dir.path(), &link).expect("a link");
    closed(open(&link, false)).await;
    let before = fs::read(twin.join("log/guard")).expect("a guard");
    let said = refused(&twin, false).to_string();
    assert!(said.contains("two histories") && said.contains("--take-over") && said.contains("its path was"), "{said}");
    assert_eq!(fs::read(twin.join("log/guard")).expect("a guard"), before, "a refusal changes nothing");
    closed(open(&twin, true)).await;
    closed(open(&twin, false)).await;
    fs::rename(&twin, &moved).expect("renamed");
    assert!(matches!(refused(&moved, false), PlaceError::Elsewhere(_)));

    // A copy of the same name as before: it is another directory on the disk.
    fs::rename(dir.path().join("log"), around.path().join("first")).expect("renamed");
    copy(&around.path().join("first"), &dir.path().join("log"));
    let said = refused(dir.path(), false).to_string();
    assert!(said.contains("another directory on the disk") && !said.contains("its path was"), "{said}");
}

/// Goal: a backup holds all of a node, and is none: nobody serves it, whoever takes over.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_not_served() {
    let dir = TestNode::start().await.stop().await;
    let around = tempfile::tempdir().expect("a directory");
    let out = around.path().join("backup");
    let environment = Environment::system();
    let config = directory::read_config(&environment, dir.path()).expect("a configuration");
    let options = MakeOptions { with_keys: true, keys_expire_days: 35 };
    make(&environment, dir.path(), &config, &out, options, &mut |_, _| ()).expect("a backup");
    for takes_over in [false, true] {
        assert_eq!(refused(&out, takes_over), PlaceError::Backup);
    }
}
