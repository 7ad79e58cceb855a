//! Entries of the registry on screen. Each was checked against the registry root of the newest seal.

use creditbank_client::operator::waiting_records;
use creditbank_client::validity::shown;
use creditbank_client::{Client, RegistryItem};
use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::{SUITE, info_of};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::{InstitutionId, names};
use creditbank_rules::dates;
use serde_json::{Value, json};

use crate::connect::Global;
use crate::failure::Failure;
use crate::{output, show, values};

fn value(item: &RegistryItem) -> Result<Value, Failure> {
    let kind = item.key.kind();
    let mut body = show::body(show::message_of(kind), &item.body)?;
    if let (RegistryKey::Key(KeyId(id)), Value::Object(fields)) = (&item.key, &mut body) {
        fields.insert("key_id".to_owned(), Value::String(hex::encode(id)));
        fields.remove("possession");
        fields.remove("handover");
    }
    Ok(json!({ "kind": names::of(kind), "place": values::show_place(&item.place), "entry": body }))
}

/// The entry of a key; `missing` says what is wrong when the registry has none.
pub(crate) async fn read<M: Canonical>(
    client: &Client,
    key: &RegistryKey,
    missing: impl FnOnce() -> String,
) -> Result<M, Failure> {
    let found = client.registry_entry(key).await?;
    Ok(found.ok_or_else(|| Failure::NotValid(missing()))?.decode()?)
}

/// The next free number of a kind of entry: of institutions, or of what one institution has numbered. What waits for
/// approvals has taken its number already.
pub(crate) async fn next_number<N: TryFrom<u64>>(
    client: &Client,
    kind: Kind,
    institution: Option<InstitutionId>,
    waiting: &[RegistryKey],
) -> Result<N, Failure> {
    let items = client.registry_list(kind, institution).await?;
    let known = items.iter().map(|item| &item.key).chain(waiting);
    let largest = known.filter_map(|key| number_of(key, kind, institution)).max().unwrap_or(0);
    let next = largest.checked_add(1).and_then(|next| N::try_from(next).ok());
    next.ok_or_else(|| Failure::Usage("the numbers are used up: pass --number".to_owned()))
}

/// The number of an operator's entry that is to have the next free one: that of an earlier run of the same command, if
/// its request still waits for approvals.
pub(crate) async fn operator_number<N: TryFrom<u64> + Copy, M: Canonical>(
    (global, client): (&Global, &Client),
    kind: Kind,
    institution: Option<InstitutionId>,
    entry: impl Fn(N) -> M,
) -> Result<N, Failure> {
    let mut taken = Vec::new();
    for record in waiting_records(&global.registry_work())? {
        let Ok(key) = RegistryKey::of(record.kind(), record.body()) else { continue };
        let number = number_of(&key, kind, institution).and_then(|number| N::try_from(number).ok());
        if let Some(number) = number
            && encode(&entry(number)).is_ok_and(|body| body == record.body())
        {
            return Ok(number);
        }
        taken.push(key);
    }
    next_number(client, kind, institution, &taken).await
}

/// The number of an entry of a kind, of an institution where it is its institution's.
fn number_of(key: &RegistryKey, kind: Kind, institution: Option<InstitutionId>) -> Option<u64> {
    let (owner, number) = match key {
        RegistryKey::Institution(number) => (None, number.0),
        RegistryKey::Accreditation(owner, number) | RegistryKey::GradeDistribution(owner, number) => {
            (Some(*owner), u64::from(*number))
        }
        _ => return None,
    };
    (key.kind() == kind && (owner.is_none() || owner == institution)).then_some(number)
}

/// Prints one entry.
pub(crate) async fn one(global: &Global, client: &Client, key: &RegistryKey) -> Result<(), Failure> {
    let found = match client.registry_entry(key).await? {
        None if key.kind() == Kind::Key => log_key_of_succession(client).await?.filter(|item| item.key == *key),
        found => found,
    };
    let missing = || Failure::NotValid(format!("the registry has no {} {key}", names::of(key.kind())));
    let item = found.ok_or_else(missing)?;
    let value = value(&item)?;
    output::print(global, &value, || {
        let place = ("published at", values::show_place(&item.place));
        let fields = value["entry"].as_object().into_iter().flatten();
        output::facts(fields.map(|(name, value)| (name.as_str(), line(&item, name, value))).chain([place]))
    })
}

/// Prints the entries of a kind.
pub(crate) async fn list(
    global: &Global,
    client: &Client,
    kind: Kind,
    institution: Option<InstitutionId>,
) -> Result<(), Failure> {
    let public = info_of(kind).is_some_and(|info| info.public);
    if !public {
        let found = names::of(kind);
        let expected = format!("expected {}; {found} records are of learners, and not public", values::public_kinds());
        return Err(Failure::Usage(expected));
    }
    let mut items = client.registry_list(kind, institution).await?;
    if kind == Kind::Key && institution.is_none_or(InstitutionId::is_operator) {
        let more = log_key_of_succession(client).await?;
        items.extend(more.filter(|more| items.iter().all(|item| item.key != more.key)));
    }
    let entries = items.iter().map(value).collect::<Result<Vec<_>, _>>()?;
    let shown = Value::Array(entries);
    output::print(global, &shown, || {
        let rows = items.iter().zip(shown.as_array().into_iter().flatten()).map(|(item, value)| {
            vec![item.key.to_string(), brief(kind, &value["entry"]), values::show_place(&item.place)]
        });
        output::table(&[names::of(kind).as_str(), "what", "place"], rows)
    })
}

/// The log key with which the log has gone on after a theft, as an entry of keys would have it: it stands in the
/// succession alone.
pub(crate) async fn log_key_of_succession(client: &Client) -> Result<Option<RegistryItem>, Failure> {
    let Some(item) = client.registry_entry(&RegistryKey::LogSuccession).await? else { return Ok(None) };
    let said: pb::LogSuccession = item.decode()?;
    let Ok(public_key) = <[u8; 32]>::try_from(said.log_key.as_slice()) else { return Ok(None) };
    let key = pb::Key {
        public_key: said.log_key,
        suite: u32::from(SUITE),
        purpose: pb::Purpose::Log.into(),
        from_index: said.size,
        ..Default::default()
    };
    let body = encode(&key).map_err(|error| Failure::NotValid(error.to_string()))?;
    Ok(Some(RegistryItem { key: RegistryKey::Key(KeyId::of(&public_key)), body, ..item }))
}

/// A field in one line. Of a level map, what each level is; of a grade scale, its grades and which of them fail.
fn line(item: &RegistryItem, name: &str, value: &Value) -> String {
    let read = match (item.key.kind(), name) {
        (_, "sources") => Some(sources(value)),
        (Kind::Institution, "names") => item.decode().ok().map(|entry| dated_names(&entry)),
        (Kind::LevelMap, "withdrawn") => Some(WITHDRAWN.to_owned()),
        (Kind::LevelMap, "rows") => item.decode().ok().map(|map| levels(&map)),
        (Kind::GradeScale, "listed") => item.decode().ok().map(|scale| grades(&scale)),
        _ => None,
    };
    read.unwrap_or_else(|| show::field(name, value))
}

/// `Université du Nord (fr), from 2027-01-01; Nord (fr), until 2026-12-31`.
fn dated_names(entry: &pb::Institution) -> String {
    let one = |dated: &pb::DatedName| {
        let name =
            dated.name.as_ref().map(|name| format!("{} ({})", show::safe(&name.value), show::safe(&name.language)));
        let day =
            |date: &Option<pb::Date>, word: &str| date.as_ref().map(|date| format!("{word} {}", dates::show(date)));
        [name, day(&dated.from, "from"), day(&dated.until, "until")]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", ")
    };
    entry.names.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// What a map that is not applied any more says in the place of its levels.
const WITHDRAWN: &str = "withdrawn: no authority stands behind it";

/// `example.org/rules (grade A, copy, 2026-11-26)`.
fn sources(value: &Value) -> String {
    let one = |source: &Value| {
        let part = |name: &str| source[name].as_str().filter(|text| !text.is_empty()).map(show::safe);
        let grade = part("grade").map(|grade| format!("grade {}", grade.to_uppercase()));
        let reading = part("reading").map(|reading| reading.replace('-', " "));
        let parts: Vec<String> = [grade, reading, part("as_of")].into_iter().flatten().collect();
        format!("{} ({})", part("text").unwrap_or_default(), parts.join(", "))
    };
    value.as_array().into_iter().flatten().map(one).collect::<Vec<_>>().join("; ")
}

/// The best source of an entry, as its list shows it: where it is, and how good; or that all are weak.
fn best_source(entry: &Value) -> String {
    let Some(first) = entry["sources"].as_array().and_then(|sources| sources.first()) else { return String::new() };
    let grade = first["grade"].as_str().unwrap_or_default().to_uppercase();
    let weak = entry["sources"].as_array().into_iter().flatten().all(|source| source["grade"] == "d");
    let text = show::safe(first["text"].as_str().unwrap_or_default());
    if weak { format!("weak sources alone: {text}") } else { format!("{text} ({grade})") }
}

/// `6: 7, 8; 5: no comparable level`.
fn levels(map: &pb::LevelMap) -> String {
    let row = |row: &pb::LevelMapRow| {
        let to = if row.to.is_empty() { "no comparable level".to_owned() } else { row.to.join(", ") };
        show::safe(&format!("{}: {to}", row.from))
    };
    map.rows.iter().map(row).collect::<Vec<_>>().join("; ")
}

/// `1; 2; 5 (fails)`.
fn grades(scale: &pb::GradeScale) -> String {
    let grade = |grade: &pb::ListedGrade| show::safe(&grade.value) + if grade.pass { "" } else { " (fails)" };
    scale.listed.iter().map(grade).collect::<Vec<_>>().join("; ")
}

/// The fields of an entry that tell it from others.
fn brief(kind: Kind, entry: &Value) -> String {
    let fields: &[&str] = match kind {
        Kind::Country => &["names", "alpha3", "numeric"],
        Kind::FieldOfEducation => &["names"],
        Kind::Institution => &["names", "country", "type", "state", "identifiers"],
        Kind::Unit => &["names", "state"],
        Kind::Key => return of_key(entry),
        Kind::Accreditation => &["body", "levels", "fields", "modes", "programmes", "sites", "from", "until"],
        Kind::RegistryPolicy => &["approvals"],
        Kind::LogSuccession => &["origin", "size", "new_origin", "case_reference"],
        Kind::TimeCorrection => &["first", "last", "bound_ms"],
        Kind::RegistrySuccession => &["public_key", "next_registry_key", "case_reference"],
        Kind::AgreementProposal => return terms(&entry["terms"]),
        Kind::AgreementAcceptance => &["institution"],
        Kind::AgreementEnding => &["institution", "ends"],
        Kind::Equivalence => {
            &["type", "source_course", "source_outcome", "minimum", "target", "amount", "from", "until"]
        }
        Kind::QualificationDefinition => &["titles", "level", "unit", "from", "until"],
        Kind::GradeDistribution => &["scale", "field", "cycle", "period"],
        Kind::CourseAlias => &["code", "same_as", "withdrawn"],
        Kind::CourseCodes => &["case_matters"],
        Kind::LevelMap if entry["withdrawn"] == true => return format!("{}: {WITHDRAWN}", show::line(&entry["names"])),
        Kind::LevelMap => &["names", "from_framework", "to_framework"],
        Kind::LegalDeadline => &["names", "country", "purpose", "decision", "appeal"],
        _ => &["names", "countries"],
    };
    let source =
        matches!(kind, Kind::CreditUnit | Kind::GradeScale | Kind::Framework | Kind::LevelMap | Kind::LegalDeadline)
            .then(|| best_source(entry));
    let texts = fields.iter().filter_map(|name| entry.get(name).map(|value| show::field(name, value)));
    let texts = texts.chain(source).filter(|text| !text.is_empty());
    texts.collect::<Vec<_>>().join(", ")
}

/// An agreement in a line.
fn terms(terms: &Value) -> String {
    let [sender, receiver, unit, ratio, target] =
        ["sender", "receiver", "source_unit", "ratio", "target_unit"].map(|name| show::line(&terms[name]));
    format!("{sender} to {receiver}: 1 {unit} = {ratio} {target}")
}

/// Whose key it is, what it may do, and when.
fn of_key(entry: &Value) -> String {
    let text = |name: &str| show::line(&entry[name]);
    let number = |name: &str| entry[name].as_u64().unwrap_or(0);
    let whose = match (number("institution"), number("unit")) {
        (0, _) => "operator".to_owned(),
        (institution, 0) => format!("institution {institution}"),
        (institution, unit) => format!("unit {institution}.{unit}"),
    };
    let from_index = (number("from_index") > 0).then(|| format!("seals from log index {}", number("from_index")));
    let minute = |name: &str, word: &str| (number(name) > 0).then(|| format!("{word} {}", shown(number(name))));
    let revoked = entry["revoked"].as_object().map(|_| {
        let since = entry["revoked"]["compromised_since_minute"].as_u64().filter(|minute| *minute > 0);
        let since = since.map(|minute| format!(" since {}", shown(minute))).unwrap_or_default();
        format!("REVOKED: {}{since}", show::line(&entry["revoked"]["reason"]))
    });
    let parts = [
        Some(whose),
        Some(text("purpose")),
        Some(text("kinds")),
        from_index,
        minute("from_minute", "from"),
        minute("until_minute", "until"),
        revoked,
    ];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}
