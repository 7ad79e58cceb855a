//! Records and registry entries of every kind, as JSON and as lines of text, by the schema itself.

use creditbank_client::validity::shown as minute;
use creditbank_protocol::Place;
use creditbank_protocol::names;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::{KindInfo, info_of};
use creditbank_rpc::identity::is_invisible;
use creditbank_rules::decimal::show_e4;
use creditbank_rules::{dates, deadline};
use prost_reflect::{DynamicMessage, EnumDescriptor, Kind as FieldKind, ReflectMessage as _, Value as Field};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::partner::verify::time;
use crate::schema::SCHEMA;

/// The body of a record as JSON: fields by the schema's names, amounts as decimal strings, dates as `2014-06-30`.
pub(crate) fn body(message: &str, bytes: &[u8]) -> Result<Value, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::NotValid(format!("{message} cannot be shown: {error}"));
    let name = format!("creditbank.v1.{message}");
    let descriptor = SCHEMA.get_message_by_name(&name).ok_or_else(|| wrong(&"it is not in the schema"))?;
    let decoded = DynamicMessage::decode(descriptor, bytes).map_err(|error| wrong(&error))?;
    Ok(of_message(&decoded))
}

/// A message as JSON.
pub(crate) fn of_message(message: &DynamicMessage) -> Value {
    let text = |name: &str| match message.get_field_by_name(name).as_deref() {
        Some(Field::String(text)) => text.clone(),
        _ => String::new(),
    };
    let number = |name: &str| match message.get_field_by_name(name).as_deref() {
        Some(Field::U32(number)) => u64::from(*number),
        Some(Field::U64(number)) => *number,
        _ => 0,
    };
    let part = |name: &str| u32::try_from(number(name)).unwrap_or(0);
    match message.descriptor().name() {
        "Date" => Value::String(dates::show(&pb::Date { year: part("year"), month: part("month"), day: part("day") })),
        "Place" => Value::String(Place::new(number("entry"), part("index")).to_string()),
        "Ratio" => Value::String(format!("{}/{}", number("numerator"), number("denominator"))),
        "Term" => {
            let unit = match message.get_field_by_name("unit").as_deref() {
                Some(Field::EnumNumber(unit)) => *unit,
                _ => 0,
            };
            Value::String(deadline::show(&pb::Term { amount: part("amount"), unit }))
        }
        "Amount" => json!({ "amount": show_e4(number("e4")), "unit": text("unit") }),
        _ => {
            let fields = message.fields().map(|(field, value)| {
                let name = field.name();
                match (name.strip_suffix("e4"), value) {
                    (Some(stem), Field::U64(e4)) => {
                        let stem = stem.trim_end_matches('_');
                        (if stem.is_empty() { "amount" } else { stem }.to_owned(), Value::String(show_e4(*e4)))
                    }
                    _ => (name.to_owned(), of_value(&field.kind(), value)),
                }
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
    }
}

fn of_value(kind: &FieldKind, value: &Field) -> Value {
    match (value, kind) {
        (Field::Message(message), _) => of_message(message),
        (Field::List(list), _) => list.iter().map(|value| of_value(kind, value)).collect(),
        (Field::EnumNumber(number), FieldKind::Enum(known)) => Value::String(enum_name(known, *number)),
        (Field::Bytes(bytes), _) => Value::String(hex::encode(bytes)),
        (Field::String(text), _) => Value::String(text.clone()),
        (Field::Bool(yes), _) => Value::Bool(*yes),
        (Field::U32(number), _) => json!(number),
        (Field::U64(number), _) => json!(number),
        // The schema has no other types.
        (other, _) => Value::String(format!("{other:?}")),
    }
}

/// `failed` of `RESULT_STATUS_FAILED`.
pub(crate) fn enum_name(known: &EnumDescriptor, number: i32) -> String {
    match (known.get_value(number), known.get_value(0)) {
        (Some(value), Some(zero)) => names::short(value.name(), zero.name()),
        _ => number.to_string(),
    }
}

/// The field of an entry in one line for people: a moment as a time, anything else as its value.
pub(crate) fn field(name: &str, value: &Value) -> String {
    match value.as_u64() {
        Some(ms) if name.ends_with("_ms") => time(ms),
        Some(minutes) if name.ends_with("_minute") => minute(minutes),
        _ => line(value),
    }
}

/// An entry in one line, each field with its name.
pub(crate) fn named(value: &Value) -> String {
    let fields = value.as_object().into_iter().flatten();
    let parts = fields.map(|(name, value)| (name, field(name, value))).filter(|(_, text)| !text.is_empty());
    parts.map(|(name, text)| format!("{} {text}", name.replace('_', " "))).collect::<Vec<_>>().join(", ")
}

/// A value in one line for people.
pub(crate) fn line(value: &Value) -> String {
    match value {
        Value::String(text) => safe(text),
        Value::Array(list) => list.iter().map(line).collect::<Vec<_>>().join("; "),
        // A text in a language: people read the text.
        Value::Object(fields)
            if fields.len() <= 2 && fields.contains_key("language") && fields.contains_key("value") =>
        {
            fields.get("value").map(line).unwrap_or_default()
        }
        Value::Object(fields) => {
            let texts = fields.iter().map(|(name, value)| field(name, value)).filter(|text| !text.is_empty());
            texts.collect::<Vec<_>>().join(" ")
        }
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Text of a record without control characters and those that change how others are shown: it came from elsewhere and goes
/// to a terminal.
pub(crate) fn safe(text: &str) -> String {
    text.chars().map(|c| if is_invisible(c) { '\u{fffd}' } else { c }).collect()
}

/// A kind in a sentence: `a credit`, `an award`.
pub(crate) fn one_of(kind: Kind) -> String {
    let name = names::of(kind);
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {name}")
}

/// The name of a kind's message, as `GradeScale`; empty for a kind that has no records.
pub(crate) fn message_of(kind: Kind) -> &'static str {
    info_of(kind).map_or("", KindInfo::name)
}
