//! The vectors are frozen: `proto/vectors/FROZEN` lists them with their SHA-256, in the form that `sha256sum -c FROZEN` reads. A file
//! in it never changes; what is new comes in files of its own, and those are added to the list when their version is released.

use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

#[test]
fn frozen_vectors_do_not_change() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let list = fs::read_to_string(vectors.join("FROZEN")).expect("the list of frozen vectors");
    let mut names = Vec::new();
    for line in list.lines() {
        let (digest, name) = line.split_once("  ").expect("digest, two blanks, name");
        let bytes = fs::read(vectors.join(name)).unwrap_or_else(|error| panic!("{name} is frozen: {error}"));
        let found = hex::encode(Sha256::digest(&bytes));
        assert_eq!(found, digest, "{name} is frozen and was changed: put new vectors into a new file");
        names.push(name.to_owned());
    }
    assert!(names.is_sorted_by(|one, other| one < other), "each once, in order");
    // The whole set is there: taking a line out of the list is a change as well.
    for name in ["canonical.json", "refusals.json", "transcripts_refused.json", "transcripts/confirmed.cbt"] {
        assert!(names.iter().any(|listed| listed == name), "{name} is not in the list");
    }
    assert!(names.len() >= 37, "{} files are frozen", names.len());
}
