//! Records of learners, as programs get them and as rows of a table.

use creditbank_client::ReadRecord;
use creditbank_protocol::names;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::{show, values};

/// A record as JSON.
pub(crate) fn value(read: &ReadRecord) -> Result<Value, Failure> {
    let name = read.disclosed.info.name();
    Ok(json!({
        "kind": names::of(read.disclosed.info.kind),
        "place": values::show_place(&read.place),
        "institution": read.institution,
        "unit": read.unit,
        "key_id": read.key_id.to_string(),
        "record_hash": read.disclosed.hash.to_string(),
        "marks": read.marks,
        "record": show::body(name, &read.disclosed.body)?,
    }))
}

/// Columns of a list of records.
pub(crate) const HEADS: &[&str] = &["place", "kind", "course", "amount", "level", "grade", "period", "issuer", "marks"];

/// A record as a row of a table.
pub(crate) fn row(value: &Value) -> Vec<String> {
    let record = &value["record"];
    let period = [&record["period"]["from"], &record["period"]["until"]].map(show::line);
    let of = ["received", "decided", "conferred"].iter().map(|name| show::line(&record[*name]));
    let period = match of.into_iter().find(|day| !day.is_empty()) {
        Some(day) => day,
        None => period.join(" to "),
    };
    let grade = [&record["grade"], &record["score"]].into_iter().find(|grade| !grade.is_null());
    vec![
        show::line(&value["place"]),
        show::line(&value["kind"]),
        about(record),
        amount(record),
        show::line(&record["level"]),
        grade.map(|grade| show::line(&grade["value"])).unwrap_or_default(),
        period,
        format!("{}.{}", show::line(&value["institution"]), show::line(&value["unit"])),
        show::line(&value["marks"]),
    ]
}

/// What a record is about: a course, a qualification, an agreement, or what was asked or decided.
fn about(record: &Value) -> String {
    if let Some(name) = named(&record["definition"]).or_else(|| named(&record["agreement"])) {
        return name;
    }
    if let Some(name) = named(&record["equivalence"]) {
        return name;
    }
    let own = [&record["titles"][0]["value"], &record["asked"], &record["type"], &record["grounds"]];
    let code = show::line(&record["course"]["code"]);
    match show::line(&record["course"]["titles"][0]["value"]) {
        _ if record["course"].is_null() => {
            own.into_iter().map(show::line).find(|text| !text.is_empty()).unwrap_or_default()
        }
        title if title.is_empty() || title == code => code,
        title => format!("{code} {title}"),
    }
}

/// `2/BSC-INF.1`, or `PARIS-LEEDS.1`.
pub(crate) fn named(name: &Value) -> Option<String> {
    let institution = name["institution"].as_u64().map(|number| format!("{number}/")).unwrap_or_default();
    let code = name["code"].as_str()?;
    Some(show::safe(&format!("{institution}{code}.{}", name["version"])))
}

/// The amount of a record, or those of its results.
fn amount(record: &Value) -> String {
    let own = [&record["amount"], &record["attempted"]].into_iter().find(|amount| !amount.is_null());
    match (own, record["results"].as_array()) {
        (Some(own), _) => show::line(own),
        (None, Some(results)) => {
            results.iter().map(|result| show::line(&result["amount"])).collect::<Vec<_>>().join(", ")
        }
        (None, None) => String::new(),
    }
}
