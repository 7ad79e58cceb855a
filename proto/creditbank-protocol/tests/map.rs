//! The sparse Merkle map against its definition.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;

use creditbank_protocol::Digest;
use creditbank_protocol::hash::{Preimage, sha256, tag};
use creditbank_protocol::map::{MapError, MapTags, SparseMap, verify};
use proptest::prelude::*;

/// The definition, word for word and without any sharing.
fn definition(leaves: &[(Digest, Digest)], depth: usize) -> Digest {
    match leaves {
        [] => Digest::ZERO,
        [(key, value)] => Preimage::new(tag::STATUS_LEAF).fixed(&key.0).fixed(&value.0).digest(),
        _ => {
            let right = |key: &Digest| key.0[depth / 8] & (0x80 >> (depth % 8)) != 0;
            let (left, right): (Vec<_>, Vec<_>) = leaves.iter().partition(|(key, _)| !right(key));
            let (left, right) = (definition(&left, depth + 1), definition(&right, depth + 1));
            Preimage::new(tag::STATUS_NODE).fixed(&left.0).fixed(&right.0).digest()
        }
    }
}

/// Keys that share long prefixes as well as keys that part at once.
fn key() -> impl Strategy<Value = Digest> {
    (0u8..6, 0u8..4, 0u8..3).prop_map(|(first, middle, last)| {
        let mut key = [0; 32];
        (key[0], key[15], key[31]) = (first << 5, middle, last);
        Digest(key)
    })
}

fn changes() -> impl Strategy<Value = Vec<(Digest, Option<u8>)>> {
    prop::collection::vec((key(), prop::option::weighted(0.7, any::<u8>())), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Goal: whatever the history and however it is cut into updates, the root is the definition's, and every key is
    /// provably present or absent.
    #[test]
    fn root_is_the_definition(batches in prop::collection::vec(changes(), 0..4)) {
        let mut map = SparseMap::new(MapTags::STATUS);
        let mut model = BTreeMap::new();
        for batch in &batches {
            map = map.update(batch.iter().map(|(key, value)| (*key, value.map(|value| sha256(&[value])))));
            for (key, value) in batch {
                match value {
                    Some(value) => model.insert(*key, sha256(&[*value])),
                    None => model.remove(key),
                };
            }
        }
        let leaves: Vec<_> = model.iter().map(|(key, value)| (*key, *value)).collect();
        prop_assert_eq!(map.len(), model.len());
        prop_assert_eq!(map.root(), definition(&leaves, 0));
        for (key, _) in batches.iter().flatten() {
            let mut proof = map.prove(key);
            prop_assert_eq!(map.get(key), model.get(key).copied());
            prop_assert_eq!(verify(MapTags::STATUS, &map.root(), key, &proof), Ok(model.get(key).copied()));
            prop_assert!(map.is_empty() || verify(MapTags::REGISTRY, &map.root(), key, &proof).is_err());
            if let Some(sibling) = proof.siblings.first_mut() {
                sibling.0[3] ^= 1;
                prop_assert!(verify(MapTags::STATUS, &map.root(), key, &proof).is_err());
            }
        }
    }

    /// Goal: an old version stays as it was.
    #[test]
    fn versions_are_independent(first in changes(), second in changes()) {
        let hashed = |changes: &[(Digest, Option<u8>)]| -> Vec<_> {
            changes.iter().map(|(key, value)| (*key, value.map(|value| sha256(&[value])))).collect()
        };
        let old = SparseMap::new(MapTags::STATUS).update(hashed(&first));
        let root = old.root();
        let _new = old.update(hashed(&second));
        prop_assert_eq!(old.root(), root);
    }
}

/// Goal: a present key cannot be shown as absent by another leaf or by nothing.
#[test]
fn presence_is_not_hidden() {
    let (a, b) = (sha256(b"a"), sha256(b"b"));
    let map = SparseMap::new(MapTags::STATUS).update([(a, Some(a)), (b, Some(b))]);
    let mut proof = map.prove(&a);
    proof.terminal = None;
    assert!(matches!(verify(MapTags::STATUS, &map.root(), &a, &proof), Err(MapError::Root { .. })));
    proof.terminal = Some((b, b));
    assert!(verify(MapTags::STATUS, &map.root(), &a, &proof).is_err());
    proof.siblings.push(Digest::ZERO);
    assert_eq!(verify(MapTags::STATUS, &map.root(), &a, &proof), Err(MapError::TooDeep));
}
