//! Every MUST of PROTOCOL.md has a test or a vector. The list is here, and is checked against the document and the
//! files.

#![expect(clippy::disallowed_methods, reason = "the document and what holds it are files")]

use std::fs;
use std::path::Path;

/// Words of the document around a MUST, and what holds it: a file, and a name or text in it.
const HELD: &[(&str, &str, &str)] = &[
    ("a reader MUST refuse an unknown one", "proto/vectors/transcripts_refused.json", "another suite"),
    ("it MUST refuse", "proto/vectors/canonical.json", "\"rule\": 10"),
    ("A `value` MUST hold its own field", "proto/vectors/transcripts_refused.json", "a value in another field's place"),
    ("joined, MUST be canonical", "proto/creditbank-protocol/tests/disclosure.rs", "any_choice_of_fields"),
    ("A verifier MUST NOT call a record valid", "proto/vectors/transcripts.json", "whether it expires is hidden"),
    ("the two counts and the time MUST be there", "proto/vectors/refusals.json", "no operation id"),
    ("A public kind (section 4) MUST be public", "proto/vectors/refusals.json", "a registry record beside the block"),
    ("another kind MUST be hidden", "proto/vectors/refusals.json", "a learner's record in the public part"),
    ("where there is one, MUST be by an approver key", "proto/vectors/refusals.json", "NOT_AN_APPROVER"),
    ("says `requires_approval`, there MUST be one", "proto/vectors/refusals.json", "a unit that requires approval"),
    ("A verifier MUST refuse more than", "proto/vectors/maps.json", "257 siblings"),
    ("MUST name the redemption's index", "proto/vectors/marks.json", "\"redemption\": 4"),
    ("MUST name the contested effect's index", "proto/vectors/marks.json", "\"contested\": 4"),
    ("the mark, which MUST be of that index", "proto/vectors/refusals.json", "another effect is named"),
    ("such release MUST stand in the block at E", "proto/vectors/refusals.json", "held again by another redemption"),
    ("`institution` MUST be the signer's", "proto/vectors/refusals.json", "in the name of another institution"),
    ("who replays the rules MUST know it", "tests/it/replay.rs", "rules_version"),
    ("the roots, previous and the signature MUST be there", "proto/vectors/seals.json", "no registry root"),
    ("that size, which MUST be there", "proto/vectors/successions.json", "another root than the tree had"),
    ("In this order it MUST check", "proto/vectors/transcripts_refused.json", "\"link\": \"statement\""),
    (
        "whose entries of that round MUST be there",
        "proto/vectors/transcripts_refused.json",
        "without the institution at the time",
    ),
    (
        "the head MUST have an approval",
        "proto/vectors/transcripts_refused.json",
        "a block without the approval that its unit needs",
    ),
    ("the others MUST be its padding", "proto/vectors/transcripts_refused.json", "a withheld record that is denied"),
    (
        "that has approved the block, which MUST",
        "proto/vectors/transcripts_refused.json",
        "without what has become of the record's approver",
    ),
    (
        "the same key's entry, which MUST",
        "proto/vectors/transcripts_refused.json",
        "a statement key that is not shown in the status part",
    ),
    (
        "the signer MUST have been its custodian",
        "proto/vectors/transcripts_refused.json",
        "an amendment for an institution",
    ),
    ("the last seal MUST be there too", "proto/vectors/effects.json", "stolen too"),
    (
        "of absence MUST lead to the status root",
        "proto/vectors/transcripts_refused.json",
        "a revocation that is left out",
    ),
    (
        "the block at its index MUST be there",
        "proto/vectors/transcripts_refused.json",
        "a revocation without its block",
    ),
    (
        "a group of its own block MUST be there",
        "proto/vectors/transcripts_refused.json",
        "an amendment without the effect that replaces",
    ),
    (
        "and MUST open the commitment in force",
        "proto/creditbank-ledger/tests/transitions/operator.rs",
        "NotTheSuccessor",
    ),
    (
        "(complete for `institution`, which MUST be there)",
        "proto/vectors/transcripts_refused.json",
        "complete, for nobody",
    ),
    (
        "`visible_on` MUST be there, with a day",
        "proto/vectors/transcripts_refused.json",
        "a statement that does not say as of which day its records are visible",
    ),
];

/// White space as one blank, so that lines may break anywhere.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_must_is_held() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |name: &str| plain(&fs::read_to_string(root.join("proto").join(name)).expect("the protocol"));
    let protocol = read("PROTOCOL.md") + &read("RULES.md");
    for (words, file, name) in HELD {
        assert_eq!(protocol.matches(words).count(), 1, "PROTOCOL.md has {words:?} not exactly once");
        assert_eq!(words.matches("MUST").count(), 1, "{words:?} is about one MUST");
        let held = fs::read_to_string(root.join(file)).expect(file);
        assert!(held.contains(name), "{file} has no {name:?}, which holds {words:?}");
    }
    assert_eq!(protocol.matches("MUST").count(), HELD.len(), "a MUST of PROTOCOL.md is not in this list");
}
