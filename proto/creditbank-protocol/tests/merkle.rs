//! The log's tree against the published examples and against an independent implementation.
#![allow(missing_docs, clippy::unwrap_used)]

use creditbank_protocol::Digest;
use creditbank_protocol::merkle::{
    Frontier, ProofError, RangeError, consistency_proof, inclusion_proof, leaf_hash, record_leaf, record_path,
    records_root, root, root_at, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;

/// A log in memory: every node that was ever completed.
#[derive(Default)]
struct Log {
    frontier: Frontier,
    levels: Vec<Vec<Digest>>,
    leaves: Vec<Digest>,
}

impl Log {
    fn of(entries: u64) -> Self {
        let mut log = Self::default();
        for entry in 0..entries {
            log.push(&entry.to_be_bytes());
        }
        log
    }

    fn push(&mut self, entry: &[u8]) {
        self.leaves.push(leaf_hash(entry));
        for node in self.frontier.push(leaf_hash(entry)) {
            let level = usize::from(node.level);
            self.levels.resize_with(self.levels.len().max(level + 1), Vec::new);
            assert_eq!(self.levels[level].len() as u64, node.index, "nodes of a level come in order");
            self.levels[level].push(node.hash);
        }
    }

    fn node(&self) -> impl FnMut(u8, u64) -> Result<Digest, RangeError> + '_ {
        |level, index| Ok(self.levels[usize::from(level)][usize::try_from(index).unwrap()])
    }

    fn root(&self, size: u64) -> Digest {
        root_at(size, &mut self.node()).unwrap()
    }
}

fn hex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

/// Goal: the eight leaves that every implementation of RFC 6962 is tested with give the published root.
#[test]
fn classic_eight_leaves() {
    let entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(&hex(entry))).collect();
    assert_eq!(leaves[0].to_string(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    assert_eq!(root(&leaves).to_string(), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Goal: every leaf of every size is provable; another leaf, index or hash is not.
    #[test]
    fn inclusion(size in 1u64..300, pick in any::<prop::sample::Index>(), flip in any::<prop::sample::Index>()) {
        let log = Log::of(size);
        let index = pick.index(usize::try_from(size).unwrap()) as u64;
        let leaf = log.leaves[usize::try_from(index).unwrap()];
        let mut proof = inclusion_proof(index, size, &mut log.node()).unwrap();
        prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, &log.root(size)), Ok(()));
        prop_assert!(verify_inclusion(&leaf_hash(b"other"), index, size, &proof, &log.root(size)).is_err());
        prop_assert!(verify_inclusion(&leaf, index + size, size, &proof, &log.root(size)).is_err());
        if !proof.is_empty() {
            let at = flip.index(proof.len());
            proof[at].0[0] ^= 1;
            prop_assert!(verify_inclusion(&leaf, index, size, &proof, &log.root(size)).is_err());
            proof.pop();
            let short = verify_inclusion(&leaf, index, size, &proof, &log.root(size));
            prop_assert_eq!(short, Err(ProofError::Length(proof.len())));
        }
    }

    /// Goal: every older size is provable in every newer one; another root is not.
    #[test]
    fn consistency(new in 1u64..300, pick in any::<prop::sample::Index>()) {
        let log = Log::of(new);
        let old = pick.index(usize::try_from(new).unwrap()) as u64 + 1;
        let proof = consistency_proof(old, new, &mut log.node()).unwrap();
        prop_assert_eq!(verify_consistency(old, &log.root(old), new, &log.root(new), &proof), Ok(()));
        prop_assert!(verify_consistency(old, &leaf_hash(b"x"), new, &log.root(new), &proof).is_err());
        prop_assert!(verify_consistency(old, &log.root(old), new, &leaf_hash(b"x"), &proof).is_err());
    }

    /// Goal: root and inclusion proofs are those of an independent implementation (ct-merkle).
    #[test]
    fn agrees_with_ct_merkle(size in 1u64..200) {
        let log = Log::of(size);
        let mut other = ct_merkle::mem_backed_tree::MemoryBackedTree::<sha2::Sha256, [u8; 8]>::new();
        (0..size).for_each(|entry| other.push(entry.to_be_bytes()));
        let theirs = other.root();
        prop_assert_eq!(theirs.as_bytes().as_slice(), &log.root(size).0[..]);
        for index in 0..size {
            let ours: Vec<u8> =
                inclusion_proof(index, size, &mut log.node()).unwrap().iter().flat_map(|hash| hash.0).collect();
            let theirs = other.prove_inclusion(usize::try_from(index).unwrap());
            prop_assert_eq!(theirs.as_bytes(), ours.as_slice());
        }
    }

    /// Goal: the frontier restored from stored nodes goes on as the one that was never lost.
    #[test]
    fn frontier_is_restored(size in 0u64..300) {
        let log = Log::of(size);
        let restored = Frontier::restore(size, log.node()).unwrap();
        prop_assert_eq!(&restored, &log.frontier);
        prop_assert_eq!(restored.root(), log.root(size));
    }

    /// Goal: every record of a block is provable to the block's root.
    #[test]
    fn record_paths(count in 1usize..70) {
        let hashes: Vec<_> = (0..count as u64).map(|i| leaf_hash(&i.to_be_bytes()[..])).collect();
        for (index, hash) in hashes.iter().enumerate() {
            let path = record_path(&hashes, index).unwrap();
            let leaf = record_leaf(hash);
            prop_assert_eq!(verify_inclusion(&leaf, index as u64, count as u64, &path, &records_root(&hashes)), Ok(()));
        }
        prop_assert_eq!(record_path(&hashes, count), None);
    }
}

/// Goal: what is outside the tree is an error, not a panic.
#[test]
fn out_of_range() {
    let log = Log::of(4);
    assert_eq!(inclusion_proof(4, 4, &mut log.node()), Err(RangeError { asked: 4, size: 4 }));
    assert_eq!(consistency_proof(5, 4, &mut log.node()), Err(RangeError { asked: 5, size: 4 }));
    assert_eq!(consistency_proof(0, 4, &mut log.node()), Err(RangeError { asked: 0, size: 4 }));
}

/// Goal: paths by the roots of groups are the paths of the whole tree, for blocks of every shape.
#[test]
fn paths_by_groups_are_the_same() {
    use creditbank_protocol::hash::sha256;
    use creditbank_protocol::merkle::{RECORD_GROUP, record_groups, record_path, record_path_by_groups};
    for count in (1..200).chain([255, 256, 257, 1_000, 1_023, 1_024]) {
        let hashes: Vec<_> = (0..count).map(|number: u32| sha256(&number.to_be_bytes())).collect();
        let groups = record_groups(&hashes);
        for index in (0..hashes.len()).step_by(1 + hashes.len() / 40).chain([hashes.len() - 1]) {
            let own = hashes.chunks(RECORD_GROUP).nth(index / RECORD_GROUP).expect("a group");
            assert_eq!(record_path_by_groups(own, &groups, index), record_path(&hashes, index), "{index} of {count}");
        }
        assert_eq!(record_path_by_groups(&[], &groups, hashes.len()), None);
    }
}
