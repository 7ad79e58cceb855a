//! Receipts that prove an entry, and those that do not.

use creditbank_protocol::Digest;
use creditbank_protocol::block::BlockDraft;
use creditbank_protocol::canonical::encode;
use creditbank_protocol::entry::BlockEntries;
use creditbank_protocol::merkle::{leaf_hash, root};
use creditbank_protocol::note::{Checkpoint, KeyType, Policy, VerifierKey, sign_checkpoint};
use creditbank_protocol::pb;
use creditbank_protocol::receipt::verify_receipt;
use serde_json::json;

use super::blocks::{ORIGIN, draft, seal};
use super::{agree, hex, key};

/// A block of a log, signed, without records or effects.
fn block(origin: &str) -> Vec<u8> {
    let draft = BlockDraft { origin: origin.to_owned(), ..draft() };
    let signed = draft.sign(&[], Vec::new(), None, |message| creditbank_protocol::key::sign(&key(3), message));
    BlockEntries::parse(&signed.expect("a block")).expect("a block").head
}

/// The receipt of entry `at` of a tree of entries.
fn receipt(entries: &[Vec<u8>], at: usize, origin: &str) -> pb::Receipt {
    let leaves: Vec<Digest> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let checkpoint = Checkpoint { origin: origin.to_owned(), size: entries.len() as u64, root: root(&leaves) };
    let inclusion = super::log::path(&leaves, at);
    let checkpoint = sign_checkpoint(&checkpoint, &key(1)).expect("a note");
    pb::Receipt { entry: entries[at].clone(), index: at as u64, inclusion, checkpoint }
}

#[test]
fn receipts() {
    let public = key(1).verifying_key().to_bytes();
    let vkey = |origin| VerifierKey::new(origin, KeyType::Log, public).expect("a key");
    let text = format!("log {}\nquorum none\n", vkey(ORIGIN));
    let policy = Policy::parse(&text).expect("a policy");
    let entries = vec![block(ORIGIN), block(ORIGIN), block(ORIGIN), seal(0, 3)];
    let honest = receipt(&entries, 1, ORIGIN);
    let of_seal = receipt(&entries, 3, ORIGIN);
    let shown = |receipt: &pb::Receipt| {
        json!({
            "entry": hex(&receipt.entry), "index": receipt.index,
            "inclusion": receipt.inclusion.iter().map(hex).collect::<Vec<_>>(),
            "checkpoint": String::from_utf8_lossy(&receipt.checkpoint),
        })
    };
    for good in [&honest, &of_seal] {
        assert_eq!(verify_receipt(good, &policy).expect("it holds").index.0, good.index);
    }
    let bend = |change: fn(&mut pb::Receipt)| {
        let mut bent = honest.clone();
        change(&mut bent);
        bent
    };
    let mut unreadable = entries.clone();
    unreadable[1] = vec![0x03];
    let mut foreign = entries.clone();
    foreign[1] = block("test.example/other");
    let refused = [
        ("another index", bend(|receipt| receipt.index = 2)),
        ("an index beyond the tree", bend(|receipt| receipt.index = 4)),
        ("a hash less", bend(|receipt| drop(receipt.inclusion.pop()))),
        ("a hash more", bend(|receipt| receipt.inclusion.push(vec![0; 32]))),
        ("a hash of 31 bytes", bend(|receipt| receipt.inclusion[0].truncate(31))),
        ("a changed entry", bend(|receipt| receipt.entry[9] ^= 1)),
        ("a changed checkpoint", bend(|receipt| receipt.checkpoint[20] ^= 1)),
        ("no checkpoint", bend(|receipt| receipt.checkpoint.clear())),
        ("a log that is not trusted", receipt(&entries, 1, "test.example/other")),
        ("an entry that is none", receipt(&unreadable, 1, ORIGIN)),
        ("an entry of another log", receipt(&foreign, 1, ORIGIN)),
    ];
    let refused = refused.map(|(about, receipt)| {
        assert!(verify_receipt(&receipt, &policy).is_err(), "{about}");
        json!({ "about": about, "receipt": shown(&receipt) })
    });
    agree(
        "receipts.json",
        &json!({
            "about": "PROTOCOL.md, Receipts: one of a block, one of a seal, and those that prove nothing.",
            "policy": text,
            "receipt": shown(&honest),
            "bytes": hex(encode(&honest).expect("canonical")),
            "of_seal": shown(&of_seal),
            "refused": refused,
        }),
    );
}
