//! The log's tree, the two maps, the marks.

use creditbank_protocol::Digest;
use creditbank_protocol::map::{MapTags, SparseMap, verify};
use creditbank_protocol::merkle::{
    self, RangeError, consistency_proof, inclusion_proof, leaf_hash, verify_consistency, verify_inclusion,
};
use creditbank_protocol::pb::Action;
use creditbank_protocol::status::{Mark, Marks};
use serde_json::{Value, json};

use super::{agree, hex};

fn texts(hashes: &[Digest]) -> Vec<String> {
    hashes.iter().map(ToString::to_string).collect()
}

#[test]
fn tree() {
    let leaves: Vec<Digest> = (0u8..8).map(|number| leaf_hash(&[number; 3])).collect();
    let mut node = |level: u8, index: u64| {
        let width = 1usize << level;
        let start = usize::try_from(index).expect("small") * width;
        Ok::<_, RangeError>(merkle::root(&leaves[start..start + width]))
    };
    let roots: Vec<_> = (0..=8).map(|size| merkle::root(&leaves[..size]).to_string()).collect();
    let (mut inclusion, mut consistency) = (Vec::new(), Vec::new());
    for (index, size) in [(0, 1), (0, 3), (2, 3), (4, 7), (6, 7), (7, 8)] {
        let proof = inclusion_proof(index, size, &mut node).expect("in range");
        let (at, upto) = (usize::try_from(index).expect("small"), usize::try_from(size).expect("small"));
        verify_inclusion(&leaves[at], index, size, &proof, &merkle::root(&leaves[..upto])).expect("it holds");
        inclusion.push(json!({ "index": index, "size": size, "hashes": texts(&proof) }));
    }
    for (old, new) in [(1, 2), (3, 7), (4, 8), (6, 8), (7, 7)] {
        let proof = consistency_proof(old, new, &mut node).expect("in range");
        let root = |size: u64| merkle::root(&leaves[..usize::try_from(size).expect("small")]);
        verify_consistency(old, &root(old), new, &root(new), &proof).expect("it holds");
        consistency.push(json!({ "old": old, "new": new, "hashes": texts(&proof) }));
    }
    agree(
        "tree.json",
        &json!({
            "about": "RFC 6962. Entry n is three bytes of value n.",
            "leaf_hashes": texts(&leaves), "roots_by_size": roots, "inclusion": inclusion, "consistency": consistency,
        }),
    );
}

fn map_vector(tags: MapTags) -> Value {
    let leaf = |byte: u8| (Digest([byte; 32]), Digest([byte ^ 0xff; 32]));
    // 0x80 and 0x81 part at the eighth bit, 0x00 and 0x01 too; the key of the last differs from 0x81's in its last bit.
    let mut close = [0x81; 32];
    close[31] = 0x80;
    let leaves = [leaf(0x00), leaf(0x01), leaf(0x80), leaf(0x81), (Digest(close), Digest([1; 32]))];
    // Its path ends in the leaf of zeros.
    let mut beside = Digest([0; 32]);
    beside.0[31] = 1;
    let mut map = SparseMap::new(tags);
    let mut roots = vec![map.root().to_string()];
    for (key, value) in leaves {
        map = map.update([(key, Some(value))]);
        roots.push(map.root().to_string());
    }
    let proof = |key: Digest| {
        let proof = map.prove(&key);
        let found = verify(tags, &map.root(), &key, &proof).expect("it holds");
        json!({
            "key": key.to_string(), "siblings": texts(&proof.siblings),
            "terminal": proof.terminal.map(|(key, value)| [key.to_string(), value.to_string()]),
            "proves": found.map_or("absent".to_owned(), |value| value.to_string()),
        })
    };
    let shown: Vec<_> =
        leaves.iter().map(|(key, value)| json!({ "key": key.to_string(), "value": value.to_string() })).collect();
    json!({
        "leaves": shown, "roots": roots,
        "proofs": [proof(Digest([0x80; 32])), proof(Digest(close)), proof(Digest([0x82; 32])), proof(Digest([0x40; 32])),
            proof(beside)],
    })
}

#[test]
fn maps() {
    agree(
        "maps.json",
        &json!({
            "about": "PROTOCOL.md, Maps. Roots after each leaf in turn; proofs under the last root.",
            "status": map_vector(MapTags::STATUS), "registry": map_vector(MapTags::REGISTRY),
        }),
    );
}

#[test]
fn marks() {
    let actions = [
        Action::Supersede,
        Action::Revoke,
        Action::Redeem,
        Action::Release,
        Action::Confirm,
        Action::Dispute,
        Action::Settle,
        Action::Review,
        Action::CloseReview,
    ];
    let setters = [Action::Supersede, Action::Revoke, Action::Redeem, Action::Confirm, Action::Dispute, Action::Review];
    let mut transitions = Vec::new();
    let before = std::iter::once(None).chain(setters.into_iter().map(Some));
    for setter in before {
        let start = setter
            .map_or(Ok(Marks::default()), |setter| Marks::default().after(setter, 5, None))
            .expect("a first mark");
        for action in actions {
            let after = start.after(action, 9, Some(5));
            transitions.push(json!({
                "before": hex(start.to_bytes()), "action": i32::from(action), "index": 9, "redemption": 5,
                "after": after.ok().map(|marks| hex(marks.to_bytes())),
            }));
        }
    }
    let both = Marks::default()
        .after(Action::Dispute, 5, None)
        .and_then(|marks| marks.after(Action::Redeem, 258, None))
        .expect("marks");
    let names: Vec<_> = Mark::ALL.iter().map(|mark| json!({ "number": *mark as u8, "name": mark.name() })).collect();
    agree(
        "marks.json",
        &json!({
            "about": "PROTOCOL.md, Status. after: null is a refusal.",
            "marks": names,
            "spelling": { "redeemed_at": 258, "disputed_at": 5, "bytes": hex(both.to_bytes()), "value": both.value().to_string() },
            "transitions": transitions,
        }),
    );
}
