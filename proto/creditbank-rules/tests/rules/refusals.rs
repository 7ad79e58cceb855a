//! `proto/vectors/refusals.json`: for each refusal of a block a block that gets it, with everything that a second
//! implementation needs to judge it: registry, aliases, what the ledger holds, the records beside the block.
//!
//! `CREDITBANK_WRITE_VECTORS=1 cargo test -p creditbank-rules --test rules refusals` writes it anew.

#![expect(clippy::disallowed_methods, reason = "the vectors are files")]
#![allow(clippy::assigning_clones, clippy::semicolon_if_nothing_returned)] // Lists of cases.
#![allow(clippy::too_many_lines, clippy::unnecessary_wraps)]

mod agreements;
mod applications;
mod awards;
mod case;
mod consequences;
mod conversions;
mod courses;
mod days;
mod decisions;
mod declared;
mod derived;
mod documents;
mod enrolments;
mod exemptions;
mod foreign_awards;
mod form;
mod late;
mod once;
mod publications;
mod recognitions;
mod reinstated_kinds;
mod reinstatements;
mod results;
mod rules;
mod scene;
mod surplus;
mod ways;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use case::Case;
use creditbank_rules::{RULES_VERSION, Rule};
use scene::Scene;
use serde_json::{Value, json};

/// The file without its cases.
fn base() -> Value {
    let keys = case::beginning();
    json!({
        "about": "PROTOCOL.md, Refusals. The log was begun with the three keys. `registry` is admitted in its order, then a case's own; it acts on the case's block. An entry with \
                  `institution` was published by it. `held`: records that the ledger holds; what one says is in `record`, with which \
                  of the learner's records it is counted in `key` (of a course its code), what it depends on in `depends_on`. `form`: refused before the \
                  rules, in the order of checking. `rules`: of the right form, and refused by a rule; `record` is the position in the \
                  block. `admitted`: refused by nothing.",
        "rules_version": RULES_VERSION,
        "origin": crate::fixtures::ORIGIN,
        "sealed_at_ms": crate::world::NOW_MS,
        "log_key": hex::encode(keys.log_key), "registry_key": hex::encode(keys.registry_key),
        "next_registry_key": keys.next_registry_key.to_string(),
        "registry": case::entries(&derived::registry(), 0),
        "aliases": case::aliases(),
        "form": form::cases(),
    })
}

/// Makes cases.
type Cases = fn() -> Vec<Case>;

/// The cases of each module, refused and admitted.
const CASES: &[(Cases, Cases)] = &[
    (rules::refused, rules::admitted),
    (publications::refused, publications::admitted),
    (courses::refused, courses::admitted),
    (agreements::refused, agreements::admitted),
    (conversions::refused, conversions::admitted),
    (applications::refused, applications::admitted),
    (decisions::refused, decisions::admitted),
    (recognitions::refused, recognitions::admitted),
    (consequences::refused, consequences::admitted),
    (reinstatements::refused, reinstatements::admitted),
    (reinstated_kinds::refused, reinstated_kinds::admitted),
    (awards::refused, awards::admitted),
    (declared::refused, declared::admitted),
    (exemptions::refused, exemptions::admitted),
    (foreign_awards::refused, foreign_awards::admitted),
    (results::refused, results::admitted),
    (enrolments::refused, enrolments::admitted),
    (documents::refused, documents::admitted),
    (surplus::refused, surplus::admitted),
    (days::refused, days::admitted),
    (once::refused, once::admitted),
    (late::refused, late::admitted),
    (ways::refused, ways::admitted),
];

fn refused(file: &Value, case: &Case) -> Value {
    let mut shown = case.to_json();
    let Err(rejection) = Scene::read(file, &shown).judge(&shown) else {
        panic!("{:?}: {}: admitted", case.name, case.about);
    };
    assert_eq!(Some(rejection.rule.name()), case.name, "{}: {rejection}", case.about);
    assert!(!rejection.expected.is_empty() && !rejection.found.is_empty(), "{rejection}");
    let object = shown.as_object_mut().expect("an object");
    object.insert("record".to_owned(), json!(rejection.record));
    object.insert("field".to_owned(), json!(rejection.field));
    shown
}

fn admitted(file: &Value, case: &Case) -> Value {
    let shown = case.to_json();
    Scene::read(file, &shown).judge(&shown).expect(case.about);
    shown
}

/// Writes the file anew, each case with what the rules say of it.
fn write(path: &Path) {
    let mut file = base();
    let all = |of: fn(&(Cases, Cases)) -> Vec<Case>| CASES.iter().flat_map(of);
    let refused: Vec<Value> = all(|(cases, _)| cases()).map(|case| refused(&file, &case)).collect();
    let admitted: Vec<Value> = all(|(_, cases)| cases()).map(|case| admitted(&file, &case)).collect();
    file["rules"] = json!(refused);
    file["admitted"] = json!(admitted);
    fs::write(path, serde_json::to_string_pretty(&file).expect("JSON") + "\n").expect("the vectors can be written");
}

/// Goal: the rules say of each block of the file what the file says, and every rule has a block that breaks it.
#[test]
fn refusals() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/refusals.json");
    if std::env::var_os("CREDITBANK_WRITE_VECTORS").is_some() {
        write(&path);
    }
    let file = fs::read_to_string(&path).expect("the vectors are there");
    let file: Value = serde_json::from_str(&file).expect("the vectors are JSON");
    assert_eq!(file["rules_version"], RULES_VERSION);
    let mut provoked = BTreeSet::new();
    for case in scene::list(&file["rules"]) {
        let rejection = Scene::read(&file, case).judge(case).expect_err("a refusal");
        let found = json!([rejection.rule.name(), rejection.record, rejection.field]);
        assert_eq!(found, json!([case["name"], case["record"], case["field"]]), "{}: {rejection}", case["about"]);
        provoked.insert(rejection.rule);
    }
    for case in scene::list(&file["admitted"]) {
        let judged = Scene::read(&file, case).judge(case);
        assert!(judged.is_ok(), "{}: {judged:?}", case["about"]);
    }
    let missing: Vec<_> = Rule::ALL.iter().filter(|rule| !provoked.contains(rule)).collect();
    assert!(missing.is_empty(), "rules without a block that breaks them: {missing:?}");
}

/// Goal: whoever has a key cannot find out where the record of a status id stands: an effect for which the block has no
/// cause is refused in the same words at its place, at another record's, and where nothing stands.
#[test]
fn trying_places_tells_nothing() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/refusals.json");
    let file: Value = serde_json::from_str(&fs::read_to_string(path).expect("the vectors")).expect("JSON");
    for about in
        ["a review without a revocation", "a release of what nobody has redeemed", "redeemed twice, by no record"]
    {
        let case = scene::list(&file["rules"]).iter().find(|case| case["about"] == about).expect("the case");
        let answers: BTreeSet<String> = [0, 1, 2, 3, 900]
            .into_iter()
            .map(|entry| {
                let mut tried = case.clone();
                tried["places"] = json!([{ "entry": entry, "index": 0 }]);
                format!("{:?}", Scene::read(&file, &tried).judge(&tried).expect_err("a refusal"))
            })
            .collect();
        assert_eq!(answers.len(), 1, "{about}: {answers:?}");
    }
}
