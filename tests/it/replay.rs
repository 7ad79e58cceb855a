//! Goal: whoever replays a log with its keys alone comes to the node's root, and finds the first lie exactly.

use creditbank_ledger::replay::{Contradiction, Prepared, Replay};
use creditbank_ledger::state::LogKeys;
use creditbank_protocol::block::BlockDraft;
use creditbank_protocol::entry::Entry;
use creditbank_protocol::key::sign;
use creditbank_protocol::pb::{Action, Authority, Basis, Effect, EffectGroup, EffectReason, Place, Purpose};
use creditbank_protocol::record::Record;
use creditbank_protocol::seal::Seal;
use creditbank_protocol::status::status_id;
use creditbank_protocol::{Digest, LogIndex};
use creditbank_tests::university::credit_record;
use creditbank_tests::{Chain, TestNode, University};

/// A log with records, a revocation and two institutions.
async fn log() -> (TestNode, Vec<Vec<u8>>) {
    let node = TestNode::start().await;
    let (one, two) = (University::admit(&node, 1).await, University::admit(&node, 2).await);
    for (university, course) in [(&one, "A-1"), (&two, "B-1"), (&one, "A-2")] {
        let client = university.client(&node).await;
        let alias = university.aliases(&node, 0..1).await[0];
        let record = credit_record(alias, course);
        let mut chain = Chain::of(&client, university).await;
        let receipt = chain.issue(&client, university, std::slice::from_ref(&record)).await;
        if course == "A-1" {
            let request = chain.block(university, &[], vec![revocation(&receipt, &record)]);
            client.submit(request).await.expect("the revocation is sealed");
        }
    }
    let entries = (0..node.ledger().size()).map(|index| node.ledger().entry(index).expect("an entry")).collect();
    (node, entries)
}

fn revocation(receipt: &creditbank_protocol::pb::Receipt, record: &Record) -> EffectGroup {
    let leaf = creditbank_protocol::merkle::leaf_hash(&receipt.entry);
    let effect = Effect {
        status_id: status_id(&leaf, 0, &record.hash()).0.to_vec(),
        place: Some(Place { entry: receipt.index, index: 0 }),
        action: Action::Revoke.into(),
        reason: EffectReason::Error.into(),
        redemption_plus_1: 0,
        contested_plus_1: 0,
    };
    let authority = Authority { basis: Basis::Issuer.into(), ..Default::default() };
    EffectGroup { authority: Some(authority), effects: vec![effect] }
}

fn keys(node: &TestNode) -> LogKeys {
    node.trust().beginning(creditbank_tests::node::ORIGIN)
}

/// Replays entries on all cores, as an audit does.
fn replay(node: &TestNode, entries: &[Vec<u8>]) -> Result<Replay, Contradiction> {
    let mut replay = Replay::new(keys(node));
    let chunks = entries.chunks(3).map(Ok);
    let prepare = |chunk: &[Vec<u8>]| chunk.iter().map(|entry| Prepared::new(entry)).collect::<Vec<_>>();
    let outcome = creditbank_replay::run([7; 32], 1, chunks, prepare, |chunk, checks| {
        chunk.into_iter().try_for_each(|prepared| replay.apply(prepared, checks).map(|_| ()))
    });
    match (outcome.signatures.into_iter().next(), outcome.stopped) {
        (Some(signature), Ok(())) => Err(signature),
        (Some(signature), Err(stopped)) => Err(if signature.index < stopped.index { signature } else { stopped }),
        (None, stopped) => stopped.map(|()| replay),
    }
}

/// The seals of a log by their indexes.
fn seals(entries: &[Vec<u8>]) -> Vec<Seal> {
    let seal = |entry: &Vec<u8>| match Entry::parse(entry) {
        Ok(Entry::Seal(seal)) => Some(seal.seal().clone()),
        _ => None,
    };
    entries.iter().filter_map(seal).collect()
}

fn forge(node: &TestNode, seal: &Seal) -> Vec<u8> {
    let key = node.key(Purpose::Log).key;
    seal.sign(|message| sign(&key, message)).expect("a seal")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_comes_to_the_same_root() {
    let (node, entries) = log().await;
    let replay = replay(&node, &entries).expect("an honest log");
    let (accepted, _) = node.operator().await.checkpoint().await.expect("a checkpoint");
    assert_eq!((replay.size(), replay.root()), (accepted.checkpoint.size, accepted.checkpoint.root));
    assert!(replay.is_sealed());
    let counts = replay.counts();
    assert_eq!((counts.effects, replay.issuers()), (1, 2));
    let parts = entries.iter().filter(|entry| entry[0] == creditbank_protocol::entry::PUBLIC).count() as u64;
    assert_eq!(counts.entries, counts.blocks + counts.seals + parts);
    assert_eq!(counts.signatures, counts.blocks + counts.seals, "one for each block and seal");
}

/// Goal: a node that has restored its state from rows goes on where the entries lead: its next seals hold for a replay
/// from the first entry, with marks, registry and chains of before the restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_state_goes_on_where_the_entries_lead() {
    let (node, before) = log().await;
    let node = node.restart().await;
    let (one, three) = (University::new(1), University::admit(&node, 3).await);
    for university in [&one, &three] {
        let client = university.client(&node).await;
        let record = credit_record(university.aliases(&node, 0..1).await[0], "C-1");
        let mut chain = Chain::of(&client, university).await;
        let receipt = chain.issue(&client, university, std::slice::from_ref(&record)).await;
        let request = chain.block(university, &[], vec![revocation(&receipt, &record)]);
        client.submit(request).await.expect("the revocation is sealed");
    }
    let entries: Vec<_> = (0..node.ledger().size()).map(|at| node.ledger().entry(at).expect("an entry")).collect();
    assert!(entries.len() > before.len() && entries.starts_with(&before));
    let replay = replay(&node, &entries).expect("an honest log");
    assert_eq!((replay.counts().effects, replay.issuers(), replay.state().status().len()), (3, 3, 3));
}

/// Goal: an audit over gRPC ends at the node's own checkpoint, with everything counted.
#[tokio::test(flavor = "multi_thread")]
async fn an_audit_ends_at_the_checkpoint() {
    let (node, entries) = log().await;
    let mut told = 0;
    let audit = node.client(None).await.audit(|done, _| told = done).await.expect("the log is read");
    assert_eq!(audit.contradiction, None);
    assert_eq!((audit.replay.size(), told), (entries.len() as u64, entries.len() as u64));
    assert_eq!(audit.replay.root(), audit.checkpoint.root);
    assert_eq!((audit.replay.counts().effects, audit.replay.counts().records > 0), (1, true));
}

/// Goal: each field of a seal that its signer could lie about is found at that seal, whatever the signature says.
#[tokio::test(flavor = "multi_thread")]
async fn a_lie_in_a_seal_is_found_at_that_seal() {
    let (node, entries) = log().await;
    let honest = seals(&entries);
    let last = honest.last().expect("a seal").clone();
    let other = Digest([9; 32]);
    let lies: [(&str, Seal); 8] = [
        ("status_root", Seal { status_root: other, ..last.clone() }),
        ("registry_root", Seal { registry_root: other, ..last.clone() }),
        ("previous", Seal { previous: other, ..last.clone() }),
        ("records_total", Seal { records_total: last.records_total + 1, ..last.clone() }),
        ("time_ms", Seal { time_ms: 1, ..last.clone() }),
        ("first_index", Seal { first_index: LogIndex(last.first_index.0 - 1), ..last.clone() }),
        ("rules_version", Seal { rules_version: creditbank_rules::RULES_VERSION + 1, ..last.clone() }),
        ("origin", Seal { origin: "other.example/log".to_owned(), ..last.clone() }),
    ];
    for (field, lie) in lies {
        let mut forged = entries.clone();
        let at = usize::try_from(last.index.0).expect("small");
        forged[at] = forge(&node, &lie);
        let found = replay(&node, &forged).err().expect("a lie");
        assert_eq!(found.index, last.index, "{field}: {found}");
        assert!(found.what.contains(field), "{field}: {found}");
    }
}

/// Goal: what is not signed by the key in force, not the next of its chain, or not by right, is found at its own index.
#[tokio::test(flavor = "multi_thread")]
async fn a_lie_in_a_block_is_found_at_that_block() {
    let (node, entries) = log().await;
    let blocks: Vec<usize> = (0..entries.len()).filter(|at| entries[*at][0] == 1).collect();
    let at = *blocks.last().expect("a block");
    let mut flipped = entries.clone();
    let Ok(Entry::Head(block)) = Entry::parse(&entries[at]) else { panic!("a block") };
    let position = entries[at].windows(64).position(|window| window == block.signature()).expect("the signature");
    flipped[at][position + 40] ^= 1;
    let found = replay(&node, &flipped).err().expect("a lie");
    assert!(found.index.0 == at as u64 && found.what.contains("signature"), "{found}");

    let mut cut = entries.clone();
    cut.remove(at);
    let found = replay(&node, &cut).err().expect("a lie");
    assert_eq!((found.index, found.what.as_str()), (LogIndex(at as u64), "index"), "{found}");

    let other = LogKeys { registry_key: [7; 32], ..keys(&node) };
    let mut replay_other = Replay::new(other);
    let mut checks = Vec::new();
    let found = entries.iter().find_map(|entry| replay_other.apply(Prepared::new(entry), &mut checks).err());
    assert!(found.is_some_and(|found| found.what == "previous"), "another log");
}

/// Goal: a revocation by an institution that did not issue the record is found, though its signature holds.
#[tokio::test(flavor = "multi_thread")]
async fn an_effect_without_the_right_is_found() {
    let (node, entries) = log().await;
    let two = University::new(2);
    let target = entries.iter().rposition(|entry| match Entry::parse(entry) {
        Ok(Entry::Head(block)) => block.header().unit.institution.0 == 1 && block.header().count == 1,
        _ => false,
    });
    let target = target.expect("a record of the first institution");
    let chain = Chain::of(&two.client(&node).await, &two).await;
    let effect = Effect {
        status_id: vec![3; 32],
        place: Some(Place { entry: target as u64, index: 0 }),
        action: Action::Revoke.into(),
        reason: EffectReason::Error.into(),
        redemption_plus_1: 0,
        contested_plus_1: 0,
    };
    let authority = Authority { basis: Basis::Issuer.into(), ..Default::default() };
    let draft: BlockDraft = chain.draft(&two);
    let group = EffectGroup { authority: Some(authority), effects: vec![effect] };
    let request = creditbank_tests::chain::signed(&draft, &two, &[], vec![group]);
    let mut forged = entries.clone();
    let at = LogIndex(forged.len() as u64);
    let block = creditbank_protocol::entry::BlockEntries::parse(&request.block).expect("a block");
    forged.extend(block.into_vec());
    let last = seals(&entries).last().expect("a seal").clone();
    let index = LogIndex(forged.len() as u64);
    forged.push(forge(&node, &Seal { first_index: at, index, ..last }));
    let found = replay(&node, &forged).err().expect("a lie");
    // The seal's `previous` is checked before its blocks: make it the right one.
    assert_eq!(found.what, "previous", "{found}");
    let Ok(Entry::Seal(before)) = Entry::parse(entries.last().expect("a seal")) else { panic!("a seal") };
    let last = before.seal().clone();
    let seal = Seal { first_index: at, index, previous: before.id(), ..last };
    *forged.last_mut().expect("the seal") = forge(&node, &seal);
    let found = replay(&node, &forged).err().expect("a lie");
    assert_eq!((found.index, found.what.as_str()), (at, "NOT_AUTHORISED"), "{found}");
}
