//! `registry`: entries of any kind. Each was checked against the registry root of the newest seal.

mod load;

use creditbank_client::{Client, RegistryItem};
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::info_of;
use creditbank_protocol::registry::RegistryKey;
use serde_json::{Value, json};

use crate::connect::Global;
use crate::failure::Failure;
use crate::{output, show, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// All entries of a kind
    List {
        /// institution, unit, key, accreditation, credit-unit, framework, grade-scale, level-map, legal-deadline, country,
        /// field-of-education; and what institutions publish: agreement-proposal, agreement-acceptance, agreement-ending,
        /// equivalence, qualification-definition, grade-distribution
        #[arg(value_parser = values::kind)]
        kind: Kind,
        /// Only those of one institution
        #[arg(long)]
        institution: Option<u64>,
    },
    /// One entry, by its code or name
    Show {
        /// credit-unit, framework, grade-scale, level-map, legal-deadline, country, field-of-education, agreement-proposal,
        /// agreement-acceptance, agreement-ending, equivalence, qualification-definition or grade-distribution
        #[arg(value_parser = values::kind)]
        kind: Kind,
        /// Its code; of an agreement CODE.VERSION, of an equivalence or a qualification INSTITUTION/CODE.VERSION, of a
        /// distribution INSTITUTION.NUMBER
        code: String,
    },
    /// Add or replace entries from a file
    ///
    /// A framework, level map, credit unit, grade scale, legal deadline or any other entry of the operator's, changed from
    /// what `registry show --json` prints or written anew. It acts on what is sealed from now on; what was decided before
    /// keeps the version of its day. Entries that stand as they are in the file are left alone.
    Publish(load::Arguments),
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let client = global.connect().await?;
    match command {
        Command::Publish(arguments) => load::run(global, &client, &arguments).await,
        Command::List { kind, institution } => list(global, &client, kind, institution).await,
        Command::Show { kind, code } => {
            let key = key_of(kind, code).map_err(Failure::Usage)?;
            one(global, &client, &key).await
        }
    }
}

/// The key of an entry as people name it.
fn key_of(kind: Kind, code: String) -> Result<RegistryKey, String> {
    Ok(match kind {
        Kind::CreditUnit => RegistryKey::CreditUnit(code),
        Kind::Framework => RegistryKey::Framework(code),
        Kind::GradeScale => RegistryKey::GradeScale(code),
        Kind::LevelMap => RegistryKey::LevelMap(code),
        Kind::LegalDeadline => RegistryKey::LegalDeadline(code),
        Kind::Country => RegistryKey::Country(code),
        Kind::FieldOfEducation => RegistryKey::FieldOfEducation(code),
        Kind::AgreementProposal => {
            values::versioned(&code).map(|(code, version)| RegistryKey::AgreementProposal(code, version))?
        }
        Kind::AgreementAcceptance => {
            values::versioned(&code).map(|(code, version)| RegistryKey::AgreementAcceptance(code, version))?
        }
        Kind::AgreementEnding => {
            values::versioned(&code).map(|(code, version)| RegistryKey::AgreementEnding(code, version))?
        }
        Kind::Equivalence => {
            let (institution, code, version) = values::owned_name(&code)?;
            RegistryKey::Equivalence(institution.into(), code, version)
        }
        Kind::QualificationDefinition => {
            let (institution, code, version) = values::owned_name(&code)?;
            RegistryKey::QualificationDefinition(institution.into(), code, version)
        }
        Kind::GradeDistribution => {
            let (institution, number) = values::versioned(&code)?;
            let institution =
                institution.parse::<u64>().map_err(|_| "expected INSTITUTION.NUMBER, as 2.1".to_owned())?;
            RegistryKey::GradeDistribution(institution.into(), number)
        }
        _ => return Err("expected a kind that is found by a code".to_owned()),
    })
}

fn value(item: &RegistryItem) -> Result<Value, Failure> {
    let (message, kind) = show::kind_names(item.key.kind());
    let mut body = show::body(&message, &item.body)?;
    if let (RegistryKey::Key(KeyId(id)), Value::Object(fields)) = (&item.key, &mut body) {
        fields.insert("key_id".to_owned(), Value::String(hex::encode(id)));
        fields.remove("possession");
    }
    Ok(json!({ "kind": kind, "place": values::show_place(&item.place), "entry": body }))
}

/// Prints one entry.
pub(crate) async fn one(global: &Global, client: &Client, key: &RegistryKey) -> Result<(), Failure> {
    let found = client.registry_entry(key).await?;
    let (_, kind) = show::kind_names(key.kind());
    let item = found.ok_or_else(|| Failure::NotValid(format!("the registry has no {kind} {key}")))?;
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
    institution: Option<u64>,
) -> Result<(), Failure> {
    let public = info_of(kind).is_some_and(|info| info.public);
    if !public {
        let expected = "expected a kind that everybody may read: see --help";
        return Err(Failure::Usage(expected.to_owned()));
    }
    let items = client.registry_list(kind, institution).await?;
    let entries = items.iter().map(value).collect::<Result<Vec<_>, _>>()?;
    let shown = Value::Array(entries);
    output::print(global, &shown, || {
        let rows = items.iter().zip(shown.as_array().into_iter().flatten()).map(|(item, value)| {
            vec![item.key.to_string(), brief(kind, &value["entry"]), values::show_place(&item.place)]
        });
        output::table(&[show::kind_names(kind).1.as_str(), "what", "place"], rows)
    })
}

/// A field in one line. Of a level map, what each level is; of a grade scale, its grades and which of them fail.
fn line(item: &RegistryItem, name: &str, value: &Value) -> String {
    let read = match (item.key.kind(), name) {
        (Kind::LevelMap, "rows") => item.decode().ok().map(|map| levels(&map)),
        (Kind::GradeScale, "listed") => item.decode().ok().map(|scale| grades(&scale)),
        _ => None,
    };
    read.unwrap_or_else(|| show::line(value))
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
        Kind::Key => &["institution", "unit", "purpose", "kinds", "revoked"],
        Kind::Accreditation => &["body", "levels", "fields", "modes", "programmes", "sites", "from", "until"],
        Kind::Framework => &["names", "countries"],
        Kind::AgreementProposal => return terms(&entry["terms"]),
        Kind::AgreementAcceptance => &["institution"],
        Kind::AgreementEnding => &["institution", "ends"],
        Kind::Equivalence => {
            &["type", "source_course", "source_outcome", "minimum", "target", "amount", "from", "until"]
        }
        Kind::QualificationDefinition => &["titles", "level", "unit", "from", "until"],
        Kind::GradeDistribution => &["scale", "field", "cycle", "period"],
        Kind::LevelMap => &["names", "from_framework", "to_framework"],
        Kind::LegalDeadline => &["names", "country", "purpose", "decision_days", "appeal_days"],
        _ => &["names", "countries", "source"],
    };
    let texts = fields.iter().filter_map(|field| entry.get(field)).map(show::line).filter(|text| !text.is_empty());
    texts.collect::<Vec<_>>().join(", ")
}

/// An agreement in a line.
fn terms(terms: &Value) -> String {
    let [sender, receiver, unit, ratio, target] =
        ["sender", "receiver", "source_unit", "ratio", "target_unit"].map(|name| show::line(&terms[name]));
    format!("{sender} to {receiver}: 1 {unit} = {ratio} {target}")
}
