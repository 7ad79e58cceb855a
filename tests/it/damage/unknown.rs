//! Accounts of which the key store says nothing.

use std::fs;

use creditbank_protocol::AccountId;
use creditbank_store::{KeyStore, RealDisk};
use tonic::Code;

use super::prepared::master_key;
use super::{compare, shared};

/// Goal: where the key store is whole and holds other accounts, nothing of a learner is taken for erased or for nothing: every
/// answer about them says damage, and so does the node's health.
#[test]
fn an_account_of_which_nothing_is_known_is_damage() {
    let prepared = shared();
    let dir = tempfile::tempdir().expect("a directory");
    prepared.copy_to(dir.path());
    let path = dir.path().join("learners.keys");
    fs::remove_file(&path).expect("removed");
    let mut next = 0u8;
    let fill = &mut |bytes: &mut [u8]| {
        next = next.wrapping_add(1);
        bytes.fill(next);
    };
    let keys = KeyStore::open(&RealDisk::shared(), 0, &path, &master_key(dir.path()), 0, fill).expect("a key store");
    let others: Vec<_> = (0..100u128).map(|number| AccountId(number.to_be_bytes())).collect();
    keys.insert(&others, fill).expect("other accounts");
    drop(keys);

    let asked = prepared.ask(dir.path()).expect("the node opens: as many records as the log needs");
    let damaged = compare(&prepared.answers, &asked).unwrap_or_else(|wrong| panic!("{wrong}"));
    let about = |name: &str| name.contains("learner ") || name.starts_with("person ") || name.starts_with("record ");
    for ((name, _), (_, now)) in prepared.answers.iter().zip(&asked.answers).filter(|((name, _), _)| about(name)) {
        assert!(now.as_ref().is_err_and(|refused| refused.code == Code::DataLoss), "{name}: {now:?}");
    }
    assert!(damaged > 50, "{damaged} answers");
    assert!(
        asked.problems.iter().any(|problem| problem.contains("neither a key nor a tombstone")),
        "{:?}",
        asked.problems
    );
}
