//! The log's tree, the two maps, the marks.

use creditbank_protocol::map::{MapProof, MapTags, SparseMap, verify};
use creditbank_protocol::merkle::{
    self, RangeError, consistency_proof, inclusion_proof, leaf_hash, verify_consistency, verify_inclusion,
};
use creditbank_protocol::pb::Action;
use creditbank_protocol::status::{Mark, Marks, Named};
use creditbank_protocol::{Digest, LogIndex};
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
    assert_eq!(map.prove(&Digest(close)).siblings.len(), 256, "two keys that part in the last bit");
    let alone = SparseMap::new(tags).update([leaves[0]].map(|(key, value)| (key, Some(value))));
    let refused = refused_proofs(tags, &map, leaves[2], close);
    json!({
        "single": { "about": "A map of the first leaf alone: no siblings, whatever is asked.", "root": alone.root().to_string() },
        "refused": refused,
        "leaves": shown, "roots": roots,
        "proofs": [proof(Digest([0x80; 32])), proof(Digest(close)), proof(Digest([0x82; 32])), proof(Digest([0x40; 32])),
            proof(beside)],
    })
}

/// Proofs that prove nothing under the map's root, each for a key.
fn refused_proofs(tags: MapTags, map: &SparseMap, present: (Digest, Digest), close: [u8; 32]) -> Vec<Value> {
    let (key, value) = present;
    let honest = map.prove(&key);
    let deep = map.prove(&Digest(close));
    let with = |siblings: Vec<Digest>, terminal| MapProof { siblings, terminal };
    let mut longer = honest.siblings.clone();
    longer.push(Digest::ZERO);
    let mut too_many = deep.siblings.clone();
    too_many.push(Digest([1; 32]));
    let mut changed = honest.siblings.clone();
    changed[0].0[0] ^= 1;
    let mut swapped = honest.siblings.clone();
    swapped.reverse();
    let off = Digest([0x00; 32]);
    let cases = [
        ("a present key shown as absent: nothing at the end", key, with(honest.siblings.clone(), None)),
        (
            "a present key shown as absent: another leaf at the end",
            key,
            with(honest.siblings.clone(), Some((Digest([0x81; 32]), value))),
        ),
        ("a leaf off the path", key, with(honest.siblings.clone(), Some((off, value)))),
        ("another value", key, with(honest.siblings.clone(), Some((key, Digest([7; 32]))))),
        ("an empty last sibling", key, with(longer, Some((key, value)))),
        ("257 siblings", Digest(close), with(too_many, deep.terminal)),
        ("a sibling changed", key, with(changed, Some((key, value)))),
        ("siblings from the leaf upwards", key, with(swapped, Some((key, value)))),
        ("siblings missing", key, with(honest.siblings[1..].to_vec(), Some((key, value)))),
        ("nothing under a root that is not empty", key, with(Vec::new(), None)),
    ];
    let shown = cases.into_iter().map(|(about, key, proof)| {
        assert!(verify(tags, &map.root(), &key, &proof).is_err(), "{about}");
        let terminal = proof.terminal.map(|(key, value)| [key.to_string(), value.to_string()]);
        let mut siblings = texts(&proof.siblings);
        if siblings.len() == 257 {
            // The vector's own proof for that key, and one sibling more.
            siblings = vec!["...".to_owned(), siblings[256].clone()];
        }
        json!({ "about": about, "key": key.to_string(), "siblings": siblings, "terminal": terminal })
    });
    shown.collect()
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
    // No mark, each mark, each pair, and all of them: every cell of the table, alone and beside another.
    let all = Mark::ALL.map(|mark| mark as u8);
    let pairs =
        all.into_iter().flat_map(|one| all.into_iter().filter(move |two| one < *two).map(move |two| vec![one, two]));
    let states =
        std::iter::once(vec![]).chain(all.into_iter().map(|mark| vec![mark])).chain(pairs).chain([all.to_vec()]);
    let mut transitions = Vec::new();
    let mut transition = |start: Marks, action: Action, redemption: Option<u64>, contested: Option<u64>| {
        let named = Named { redemption: redemption.map(LogIndex), contested: contested.map(LogIndex) };
        let after = start.after(action, 9, named);
        transitions.push(json!({
            "before": hex(start.to_bytes()), "action": i32::from(action), "index": 9, "redemption": redemption,
            "contested": contested, "after": after.ok().map(|marks| hex(marks.to_bytes())),
        }));
    };
    for marks in states {
        let bytes: Vec<u8> = marks.iter().flat_map(|mark| [*mark, 0, 0, 0, 0, 0, 0, 0, 5]).collect();
        let start = Marks::from_bytes(&bytes).expect("in order");
        actions.into_iter().for_each(|action| transition(start, action, Some(5), None));
        if marks.contains(&(Mark::Redeemed as u8)) {
            [None, Some(4), Some(0)].into_iter().for_each(|other| transition(start, Action::Release, other, None));
        }
        for (redemption, contested) in [(None, Some(5)), (None, Some(4)), (None, None), (Some(3), Some(5))] {
            transition(start, Action::Reinstate, redemption, contested);
        }
    }
    let malformed = [
        ("a number without its index", "03".to_owned()),
        ("eight bytes", "0300000000000000".to_owned()),
        ("a byte more", "03000000000000000500".to_owned()),
        ("mark 0", "000000000000000005".to_owned()),
        ("mark 255", "ff0000000000000005".to_owned()),
        ("not ascending", "050000000000000005030000000000000005".to_owned()),
        ("a mark twice", "030000000000000005030000000000000006".to_owned()),
    ];
    let malformed = malformed.map(|(about, bytes)| {
        assert_eq!(Marks::from_bytes(&hex::decode(&bytes).expect("hexadecimal")), None, "{about}");
        json!({ "about": about, "bytes": bytes })
    });
    let both = Marks::default()
        .after(Action::Dispute, 5, Named::default())
        .and_then(|marks| marks.after(Action::Redeem, 258, Named::default()))
        .expect("marks");
    let names: Vec<_> = Mark::ALL.iter().map(|mark| json!({ "number": *mark as u8, "name": mark.name() })).collect();
    agree(
        "marks.json",
        &json!({
            "about": "PROTOCOL.md, Status. Actions on no mark, each mark, each pair and all marks, set at 5; `redemption` and \
                      `contested` are the indexes that an effect names; `after`: null is a refusal.",
            "marks": names,
            "spelling": { "redeemed_at": 258, "disputed_at": 5, "bytes": hex(both.to_bytes()), "value": both.value().to_string() },
            "transitions": transitions,
            "malformed": malformed,
        }),
    );
}
