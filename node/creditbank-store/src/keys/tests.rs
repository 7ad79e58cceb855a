//! Keys on a disk: restarts, erasures, concurrent changes, and damage.

use super::*;
use crate::RealDisk;

fn counter() -> impl FnMut(&mut [u8]) {
    let mut next = 0u8;
    move |bytes: &mut [u8]| {
        next = next.wrapping_add(1);
        bytes.fill(next);
    }
}

/// The store at a path, of which the log needs so many records.
fn open(path: &Path, needed: u64, fill: Fill<'_>) -> KeyStore {
    KeyStore::open(&RealDisk::shared(), 0, path, &[1; 32], needed, fill).expect("it opens")
}

/// Goal: keys survive a restart; erased ones do not; another master key opens nothing.
#[test]
fn keys_survive_and_erased_keys_do_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("keys");
    let mut fill = counter();
    let keys = open(&path, 0, &mut fill);
    keys.insert(&[AccountId([1; 16]), AccountId([2; 16]), AccountId([1; 16])], &mut fill).expect("inserted");
    let first = keys.get(&AccountId([1; 16])).expect("known");
    keys.insert(&[AccountId([1; 16])], &mut fill).expect("nothing new");
    drop(keys);
    let keys = open(&path, 0, &mut fill);
    assert!(keys.get(&AccountId([1; 16])) == Some(first));
    keys.erase(&AccountId([1; 16]), &mut fill).expect("erased");
    drop(keys);
    let keys = open(&path, 0, &mut fill);
    assert!(matches!(keys.known(&AccountId([1; 16])), Known::Erased) && keys.contains(&AccountId([2; 16])));
    assert!(matches!(keys.known(&AccountId([3; 16])), Known::Unknown));
    assert_eq!(keys.len(), 2, "a tombstone is a record");
    keys.insert(&[AccountId([1; 16])], &mut fill).expect("nothing new");
    assert!(!keys.contains(&AccountId([1; 16])), "an erased account gets no key again");
    assert!(matches!(
        KeyStore::open(&RealDisk::shared(), 0, &path, &[2; 32], 0, &mut fill),
        Err(KeyStoreError::MasterKey(_))
    ));
}

/// Goal: an erasure leaves the order of the records: the log needs the first ones, and damage there is refused, not
/// cut.
#[test]
fn an_erasure_keeps_the_order() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("keys");
    let mut fill = counter();
    let keys = open(&path, 0, &mut fill);
    let accounts: Vec<_> = (1..=30).rev().map(|number| AccountId([number; 16])).collect();
    for account in &accounts {
        keys.insert(&[*account], &mut fill).expect("inserted");
    }
    keys.stage(&[AccountId([99; 16])], &mut fill);
    keys.erase(&accounts[7], &mut fill).expect("erased");
    let order = keys.file().expect("a file").accounts.clone();
    assert_eq!(order, accounts, "one that is staged is not in the file");
    keys.erase(&AccountId([99; 16]), &mut fill).expect("erased");
    let order = keys.file().expect("a file").accounts.clone();
    let expected = [&accounts[..], &[AccountId([99; 16])]].concat();
    assert_eq!(order, expected);
    drop(keys);
    let keys = open(&path, 31, &mut fill);
    assert_eq!(keys.file().expect("a file").accounts, expected);
}

/// Goal: keys that are made while others are erased, or twice at once, are on the disk as they were returned.
#[test]
fn changes_at_once_are_all_on_the_disk() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("keys");
    let keys = open(&path, 0, &mut counter());
    let account = |number: u8| AccountId([number; 16]);
    keys.insert(&(200..210).map(account).collect::<Vec<_>>(), &mut counter()).expect("inserted");
    std::thread::scope(|scope| {
        for start in [7u8, 99] {
            let keys = &keys;
            scope.spawn(move || {
                let mut fill = counter();
                fill(&mut [0; 1][..]);
                let mut mixed = |bytes: &mut [u8]| {
                    fill(bytes);
                    bytes.iter_mut().for_each(|byte| *byte ^= start);
                };
                for number in 0..100 {
                    keys.insert(&[account(number)], &mut mixed).expect("inserted");
                }
            });
        }
        scope.spawn(|| (200..210).for_each(|number| keys.erase(&account(number), &mut counter()).expect("erased")));
    });
    let again = open(&path, 110, &mut counter());
    assert!((200..210).all(|number| matches!(again.known(&account(number)), Known::Erased)));
    for number in 0..100 {
        assert!(keys.get(&account(number)) == again.get(&account(number)), "account {number}");
    }
}

/// Goal: a torn record that nobody used is cut; damage where keys are in use is refused with its place.
#[test]
fn torn_records_are_cut_and_damage_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("keys");
    let mut fill = counter();
    let keys = open(&path, 0, &mut fill);
    keys.insert(&[AccountId([1; 16]), AccountId([2; 16])], &mut fill).expect("inserted");
    drop(keys);
    let whole = std::fs::read(&path).expect("the file");
    std::fs::write(&path, &whole[..whole.len() - 3]).expect("torn");
    let refused = KeyStore::open(&RealDisk::shared(), 0, &path, &[1; 32], 2, &mut fill)
        .err()
        .expect("two keys are in use")
        .to_string();
    assert!(refused.contains("damaged"), "{refused}");
    let keys = KeyStore::open(&RealDisk::shared(), 0, &path, &[1; 32], 1, &mut fill)
        .expect("one is in use: the torn record is cut");
    assert!(keys.contains(&AccountId([1; 16])) && !keys.contains(&AccountId([2; 16])));
    drop(keys);
    let mut damaged = whole;
    damaged[HEAD_LEN + 20] ^= 1;
    std::fs::write(&path, &damaged).expect("damaged");
    let refused =
        KeyStore::open(&RealDisk::shared(), 0, &path, &[1; 32], 2, &mut fill).err().expect("refused").to_string();
    assert!(refused.contains(&format!("damaged at {HEAD_LEN}")), "{refused}");
    assert_eq!(std::fs::read(&path).expect("the file"), damaged, "nothing is cut");
}
