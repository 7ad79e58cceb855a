//! `registry publish`: entries from a file, as `registry show --json` and `registry list --json` print them.

use std::fs;
use std::path::{Path, PathBuf};

use creditbank_client::Client;
use creditbank_protocol::counted;
use creditbank_protocol::names;
use creditbank_protocol::pb::Kind;
use creditbank_protocol::record::{PUBLIC_SEED, Record, info_of};
use creditbank_protocol::registry::RegistryKey;
use creditbank_rules::seed::WEAK;
use serde_json::{Value, json};

use crate::connect::Global;
use crate::failure::Failure;
use crate::operator::publish;
use crate::{edit, output, show, values};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// JSON as `registry show --json` or `registry list --json` prints it, or the same in TOML: kind = "framework" and a
    /// table named entry, or tables named entries with kind and entry for each of several
    #[arg(required_unless_present = "seed", conflicts_with = "seed")]
    file: Option<PathBuf>,
    /// What a new node of this program's version begins with, instead of a file: for a node that was made by an older one.
    /// Entries that differ are left as the operator has them, unless --replace is given
    #[arg(long)]
    seed: bool,
    /// Publish entries anew that are there already and differ
    #[arg(long)]
    replace: bool,
    /// Say what would be published, and publish nothing
    #[arg(long)]
    dry_run: bool,
}

/// An entry of the file, and what the registry has in its place.
struct Entry {
    key: RegistryKey,
    record: Record,
    before: Before,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Absent,
    Same,
    Other,
}

impl Entry {
    fn kind(&self) -> String {
        names::of(self.key.kind())
    }

    fn change(&self) -> &'static str {
        match self.before {
            Before::Absent => "new",
            Before::Same => "as it is",
            Before::Other => "replaced",
        }
    }
}

pub(super) async fn run(global: &Global, client: &Client, arguments: &Arguments) -> Result<(), Failure> {
    let mut entries = Vec::new();
    let wanted = arguments.file.as_deref().map_or_else(seed, read)?;
    for (key, record) in wanted {
        let before = match client.registry_entry(&key).await? {
            None => Before::Absent,
            Some(item) if item.body == record.body() => Before::Same,
            Some(_) => Before::Other,
        };
        entries.push(Entry { key, record, before });
    }
    if arguments.seed && !arguments.replace {
        entries.retain(|entry| entry.before != Before::Other);
    }
    if let Some(known) = entries.iter().find(|entry| entry.before == Before::Other && !arguments.replace) {
        let what = format!("{} {}", known.kind(), known.key);
        return Err(Failure::NotValid(format!("{what} is in the registry already: pass --replace to publish it anew")));
    }
    let records: Vec<Record> =
        entries.iter().filter(|entry| entry.before != Before::Same).map(|entry| entry.record.clone()).collect();
    if arguments.dry_run || records.is_empty() {
        let shown: Vec<Value> = entries
            .iter()
            .map(|entry| json!({ "kind": entry.kind(), "key": entry.key.to_string(), "change": entry.change() }))
            .collect();
        output::print(global, &json!({ "written": false, "entries": shown }), || {
            let rows = entries.iter().map(|entry| vec![entry.kind(), entry.key.to_string(), entry.change().to_owned()]);
            output::table(&["kind", "entry", "change"], rows) + "\nNothing was published."
        })?;
        // A preview has done what it was asked for.
        let same = || Failure::Told("the registry has all these entries already".to_owned());
        return if arguments.dry_run { Ok(()) } else { Err(same()) };
    }
    let what = match entries.as_slice() {
        [one] => format!("{} {}", one.kind(), one.key),
        several => format!("{} of {}", records.len(), counted(several.len(), "entry", "entries")),
    };
    publish::run(global, client, &records, &what).await
}

/// What a new node begins with.
fn seed() -> Result<Vec<(RegistryKey, Record)>, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::Usage(format!("the seed: {error}"));
    let entries = creditbank_rules::seed::entries().map_err(|error| wrong(&error))?;
    let each = entries.into_iter().map(|(kind, body)| {
        let key = RegistryKey::of(kind, &body).map_err(|error| wrong(&error))?;
        Ok((key, Record::of(kind, &PUBLIC_SEED, body).map_err(|error| wrong(&error))?))
    });
    each.collect()
}

/// Prints what comes along and is not in the registry of a new node.
pub(super) fn show_weak(global: &Global, code: Option<&str>) -> Result<(), Failure> {
    let wrong = |error: toml::de::Error| Failure::Usage(format!("the file of weak entries: {error}"));
    let mut all: toml::Table = toml::from_str(WEAK).map_err(wrong)?;
    if let Some(entries) = all.get_mut("entries").and_then(toml::Value::as_array_mut) {
        let of =
            |entry: &toml::Value| entry.get("entry").and_then(|entry| entry.get("code")?.as_str().map(str::to_owned));
        if let Some(code) = code {
            let codes = entries.iter().filter_map(of).collect::<Vec<_>>().join(", ");
            entries.retain(|entry| of(entry).as_deref() == Some(code));
            if entries.is_empty() {
                return Err(Failure::NotValid(format!("{code} is not among the weak entries: {codes}")));
            }
        }
    }
    let text = if code.is_some() { toml::to_string(&all).unwrap_or_default() } else { WEAK.to_owned() };
    output::print(global, &json!(all["entries"]), || text.trim_end().to_owned())
}

/// Every entry of the file, in its order.
fn read(path: &Path) -> Result<Vec<(RegistryKey, Record)>, Failure> {
    let wrong = |what: String| Failure::Usage(format!("{}: {what}", path.display()));
    let text = fs::read_to_string(path).map_err(Failure::file(path))?;
    let entries = parse(&text, path.extension().is_some_and(|name| name == "toml")).map_err(wrong)?;
    for (number, (key, _)) in entries.iter().enumerate() {
        if entries[..number].iter().any(|(other, _)| other == key) {
            return Err(wrong(format!("{} {key} stands twice", names::of(key.kind()))));
        }
    }
    Ok(entries)
}

fn parse(text: &str, toml: bool) -> Result<Vec<(RegistryKey, Record)>, String> {
    let value: Value = if toml {
        toml::from_str(text).map_err(|error| error.to_string())?
    } else {
        serde_json::from_str(text).map_err(|error| error.to_string())?
    };
    let several = value.as_array().or_else(|| value.get("entries").and_then(Value::as_array));
    let entries = several.map_or_else(|| std::slice::from_ref(&value), Vec::as_slice);
    if entries.is_empty() {
        return Err("expected at least one entry".to_owned());
    }
    let place = |number: usize| if several.is_some() { format!("entry {}: ", number + 1) } else { String::new() };
    let each = entries.iter().enumerate();
    each.map(|(number, entry)| one(entry).map_err(|error| place(number) + &error)).collect()
}

/// One entry: its kind, and its fields.
fn one(value: &Value) -> Result<(RegistryKey, Record), String> {
    let fields = value.as_object().ok_or("expected an object with kind and entry")?;
    if let Some(odd) = fields.keys().find(|name| !["kind", "entry", "place"].contains(&name.as_str())) {
        return Err(format!("{odd} is no field here: expected kind and entry"));
    }
    let kind = fields.get("kind").and_then(Value::as_str).ok_or("kind is missing, as \"framework\"")?;
    let kind = values::kind(kind)?;
    let short = names::of(kind);
    match kind {
        Kind::Key => return Err("keys come with a proof of possession: use `creditbank key admit`".to_owned()),
        _ if !info_of(kind).is_some_and(|info| info.operator) => {
            return Err(format!("{short} is no kind that the operator publishes"));
        }
        _ => {}
    }
    let entry = fields.get("entry").ok_or("entry is missing")?;
    if let Some(number) = inexact(entry) {
        return Err(format!("{short}: {number} is written as a number with a point: write \"{number}\" instead"));
    }
    let body = edit::body(show::message_of(kind), entry)?;
    let record = Record::of(kind, &PUBLIC_SEED, body).map_err(|error| format!("{short}: {error}"))?;
    let key = RegistryKey::of(kind, record.body()).map_err(|error| format!("{short}: {error}"))?;
    Ok((key, record))
}

/// A number that a file format may have rounded already.
fn inexact(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => (number.as_u64().is_none()).then(|| number.to_string()),
        Value::Array(list) => list.iter().find_map(inexact),
        Value::Object(fields) => fields.values().find_map(inexact),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use creditbank_rules::RegistryRecord;

    use super::*;

    const MAP: &str = r#"
        kind = "level-map"
        [entry]
        code = "XA-EQF"
        names = [{ language = "en", value = "Levels of XA in EQF" }]
        from_framework = "XA"
        to_framework = "EQF"
        rows = [{ from = "L2", to = ["3", "2"] }, { from = "L1" }]
        sources = [{ text = "the ministry's decree", grade = "a", as_of = "2026-11-26" }]
    "#;

    /// Goal: TOML and JSON of the same entry are the same record; sets are put in order, lists keep theirs.
    #[test]
    fn both_formats_say_the_same() {
        let [(key, record)] = &parse(MAP, true).expect("TOML")[..] else { panic!("one entry") };
        assert_eq!(key, &RegistryKey::LevelMap("XA-EQF".to_owned()));
        let shown = show::body("LevelMap", record.body()).expect("it can be shown");
        assert_eq!(shown["rows"], json!([{ "from": "L2", "to": ["2", "3"] }, { "from": "L1" }]));
        let json = json!([{ "kind": "level-map", "place": "3/4", "entry": shown }]).to_string();
        assert_eq!(parse(&json, false).expect("JSON")[0].1.hash(), record.hash());
    }

    /// Goal: what the seed of a node has is published again without a change.
    #[test]
    fn every_seed_entry_is_read_back() {
        for (kind, body) in creditbank_rules::seed::entries().expect("the seed") {
            let entry = show::body(show::message_of(kind), &body).expect("it can be shown");
            let json = json!({ "kind": names::of(kind), "entry": entry }).to_string();
            let read = parse(&json, false).unwrap_or_else(|error| panic!("{json}: {error}"));
            assert_eq!(read[0].1.body(), body, "{json}");
        }
    }

    /// Goal: the file of weak entries is read, each says that its sources are weak, none is in the seed, and a registry that
    /// was seeded admits them all.
    #[test]
    fn the_weak_entries_can_be_published() {
        let weak = parse(WEAK, true).expect("the file that comes along");
        assert_eq!(weak.len(), 10);
        let mut registry = creditbank_rules::Registry::new("test.example/log");
        let mut seeded = Vec::new();
        for (kind, body) in creditbank_rules::seed::entries().expect("the seed") {
            seeded.push(RegistryKey::of(kind, &body).expect("a key"));
            registry.admit(RegistryRecord::of_operator(kind, &body)).expect("the seed is admitted");
        }
        for (key, record) in weak {
            assert!(!seeded.contains(&key), "{key} is in the seed");
            let shown = show::body(show::message_of(key.kind()), record.body()).expect("it can be shown");
            let mut grades = shown["sources"].as_array().expect("sources").iter().map(|source| &source["grade"]);
            assert!(grades.all(|grade| grade == "d"), "{key}");
            registry.admit(RegistryRecord::of_operator(key.kind(), record.body())).expect("it is admitted");
        }
        assert!(registry.scale("CN-5").is_some() && registry.framework("GD-QF").is_some());
    }

    /// Goal: a file that cannot be meant is refused with what was expected.
    #[test]
    fn what_cannot_be_meant() {
        for (from, to, word) in [
            ("\"level-map\"", "\"levels\"", "kind of record"),
            ("\"level-map\"", "\"credit\"", "operator"),
            ("\"level-map\"", "\"key\"", "key admit"),
            ("\"level-map\"", "\"agreement-proposal\"", "operator"),
            ("kind = \"level-map\"", "", "kind is missing"),
            ("[entry]", "[entri]", "entri"),
            ("sources", "sauces", "is no field"),
            ("\"L1\"", "4.5", "\"4.5\""),
        ] {
            let error = parse(&MAP.replace(from, to), true).expect_err(to);
            assert!(error.contains(word), "{to}: {error}");
        }
        assert!(parse("[]", false).is_err_and(|error| error.contains("at least one")));
    }
}
