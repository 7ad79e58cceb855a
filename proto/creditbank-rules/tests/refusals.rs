//! `proto/vectors/refusals.json`: for each refusal of a block a block that gets it, with everything that a second implementation
//! needs to judge it: registry, aliases, what the ledger holds, the records beside the block. `refusals_2.json` is of rules
//! version 2.
//!
//! `CREDITBANK_WRITE_VECTORS=1 cargo test -p creditbank-rules --test refusals` writes it anew.

#![allow(clippy::assigning_clones, clippy::semicolon_if_nothing_returned)] // Lists of cases.
#![allow(clippy::too_many_lines, clippy::unnecessary_wraps)]

#[path = "refusals/agreements.rs"]
mod agreements;
#[path = "refusals/applications.rs"]
mod applications;
#[path = "refusals/awards.rs"]
mod awards;
#[path = "refusals/case.rs"]
mod case;
#[path = "refusals/consequences.rs"]
mod consequences;
#[path = "refusals/conversions.rs"]
mod conversions;
#[path = "refusals/decisions.rs"]
mod decisions;
#[path = "refusals/form.rs"]
mod form;
#[path = "refusals/publications.rs"]
mod publications;
#[path = "refusals/recognitions.rs"]
mod recognitions;
#[path = "refusals/rules.rs"]
mod rules;
#[path = "refusals/scene.rs"]
mod scene;
#[path = "refusals/second.rs"]
mod second;
#[allow(dead_code)] // Shared with rules.rs.
mod world;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use case::Case;
use creditbank_rules::Rule;
use scene::Scene;
use serde_json::{Value, json};

/// A file of refusals, without the verdicts' details.
struct File {
    name: &'static str,
    base: fn() -> Value,
    refused: fn() -> Vec<Case>,
    admitted: fn() -> Vec<Case>,
}

const FIRST: File = File { name: "refusals.json", base, refused: rules::refused, admitted: rules::admitted };
const SECOND: File =
    File { name: "refusals_2.json", base: second::base, refused: second::refused, admitted: second::admitted };

/// The file of rules version 1.
fn base() -> Value {
    json!({
        "about": "PROTOCOL.md, Refusals. `registry` is admitted in its order, then a case's own; it acts on the case's block. `held`: \
                  records that the ledger holds. `form`: refused before the rules, in the order of checking. `rules`: of the right \
                  form, and refused by a rule; `record` is the position in the block. `admitted`: refused by nothing.",
        "rules_version": 1,
        "origin": case::ORIGIN,
        "sealed_at_ms": world::NOW_MS,
        "registry": case::entries(&case::registry()),
        "aliases": case::aliases(),
        "form": form::cases(),
    })
}

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

impl File {
    /// Writes the file anew, each case with what the rules say of it.
    fn write(&self, path: &Path) {
        let mut file = (self.base)();
        let refused: Vec<Value> = (self.refused)().iter().map(|case| refused(&file, case)).collect();
        let admitted: Vec<Value> = (self.admitted)().iter().map(|case| admitted(&file, case)).collect();
        file["rules"] = json!(refused);
        file["admitted"] = json!(admitted);
        fs::write(path, serde_json::to_string_pretty(&file).expect("JSON") + "\n").expect("the vectors can be written");
    }

    /// Judges each block of the file; returns the names of the rules that one of them breaks.
    fn check(&self, rules_version: u32) -> BTreeSet<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors").join(self.name);
        if std::env::var_os("CREDITBANK_WRITE_VECTORS").is_some() {
            self.write(&path);
        }
        let file = fs::read_to_string(&path).expect("the vectors are there");
        let file: Value = serde_json::from_str(&file).expect("the vectors are JSON");
        assert_eq!(file["rules_version"], rules_version, "other rules have vectors of their own");
        for case in scene::list(&file["rules"]) {
            let rejection = Scene::read(&file, case).judge(case).expect_err("a refusal");
            let found = json!([rejection.rule.name(), rejection.record, rejection.field]);
            assert_eq!(found, json!([case["name"], case["record"], case["field"]]), "{}: {rejection}", case["about"]);
        }
        for case in scene::list(&file["admitted"]) {
            let judged = Scene::read(&file, case).judge(case);
            assert!(judged.is_ok(), "{}: {judged:?}", case["about"]);
        }
        scene::list(&file["rules"]).iter().filter_map(|case| case["name"].as_str()).map(str::to_owned).collect()
    }
}

/// The rules that began with a version and that no block breaks.
fn unbroken(since: u32, provoked: &BTreeSet<String>) -> Vec<&'static str> {
    let rules = Rule::ALL.iter().filter(|rule| rule.since() == since);
    rules.map(|rule| rule.name()).filter(|name| !provoked.contains(*name)).collect()
}

/// Goal: the rules say of each block of the file what the file says, and every rule has a block that breaks it.
#[test]
fn refusals() {
    let missing = unbroken(1, &FIRST.check(1));
    assert!(missing.is_empty(), "rules without a block that breaks them: {missing:?}");
}

/// Goal: the same of rules version 2.
#[test]
fn refusals_of_the_second_rules() {
    let missing = unbroken(2, &SECOND.check(2));
    assert!(missing.is_empty(), "rules without a block that breaks them: {missing:?}");
}
