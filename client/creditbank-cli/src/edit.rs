//! The reverse of `show`: JSON as `creditbank record show --json` prints it, back to the canonical bytes of a record.

use creditbank_protocol::Place;
use creditbank_protocol::canonical::{Field as CanonicalField, Many, Message, Shape};
use creditbank_protocol::pb;
use creditbank_protocol::record::info_of;
use creditbank_rules::decimal::parse_e4;
use creditbank_rules::{dates, deadline};
use prost_reflect::prost::Message as _;
use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind as FieldKind, MessageDescriptor, Value as Field,
};
use serde_json::Value;

use crate::schema::SCHEMA;
use crate::show;

/// The bytes of a message whose JSON `show::body` would print. Lists that are sets are put in order.
pub(crate) fn body(message: &str, value: &Value) -> Result<Vec<u8>, String> {
    let name = format!("creditbank.v1.{message}");
    let descriptor = SCHEMA.get_message_by_name(&name).ok_or_else(|| format!("{message} is not in the schema"))?;
    let kinds = (1..128).filter_map(|number| pb::Kind::try_from(number).ok()).filter_map(info_of);
    let mut schemas = kinds.map(|info| info.schema);
    let schema =
        schemas.find(|schema| schema.name == message).ok_or_else(|| format!("{message} is no kind of record"))?;
    Ok(of_message(&descriptor, schema, value, message)?.encode_to_vec())
}

fn expected(at: &str, what: &str, found: &Value) -> String {
    format!("{at}: expected {what}, found {found}")
}

fn of_message(
    descriptor: &MessageDescriptor,
    schema: &Message,
    value: &Value,
    at: &str,
) -> Result<DynamicMessage, String> {
    let mut message = DynamicMessage::new(descriptor.clone());
    let mut set = |name: &str, field: Field| {
        if let Some(descriptor) = descriptor.get_field_by_name(name)
            && field != Field::default_value_for_field(&descriptor)
        {
            message.set_field(&descriptor, field);
        }
    };
    let text = || value.as_str().ok_or_else(|| expected(at, "text", value));
    match descriptor.name() {
        "Date" => {
            let date = dates::parse(text()?).ok_or_else(|| expected(at, "a month or a day, as 2024-09", value))?;
            let pb::Date { year, month, day } = date;
            for (name, part) in [("year", year), ("month", month), ("day", day)] {
                set(name, Field::U32(part));
            }
            return Ok(message);
        }
        "Term" => {
            let example = "a term, as 3 months, 6 weeks, 10 working days or 30 days";
            let term = deadline::parse(text()?).ok_or_else(|| expected(at, example, value))?;
            set("amount", Field::U32(term.amount));
            set("unit", Field::EnumNumber(term.unit));
            return Ok(message);
        }
        "Place" => {
            let place = text()?.parse::<Place>().map_err(|error| format!("{at}: {error}"))?;
            set("entry", Field::U64(place.entry.0));
            set("index", Field::U32(place.index));
            return Ok(message);
        }
        "Ratio" => {
            let parts =
                text()?.split_once('/').and_then(|(above, below)| Some((above.parse().ok()?, below.parse().ok()?)));
            let (numerator, denominator) = parts.ok_or_else(|| expected(at, "a fraction, as 1/2", value))?;
            set("numerator", Field::U64(numerator));
            set("denominator", Field::U64(denominator));
            return Ok(message);
        }
        _ => {}
    }
    let fields = value.as_object().ok_or_else(|| expected(at, "an object", value))?;
    let known: Vec<(String, FieldDescriptor)> =
        descriptor.fields().map(|field| (shown_name(field.name()), field)).collect();
    for (name, value) in fields {
        let at = format!("{at}.{name}");
        let Some((_, field)) = known.iter().find(|(known, _)| known == name) else {
            let names = known.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(format!("{at} is no field: the fields are {names}"));
        };
        if value.is_null() {
            continue;
        }
        let Some(known) = schema.field(u64::from(field.number())) else {
            return Err(format!("{at} is no field of a record"));
        };
        let read = if field.is_list() {
            let items = value.as_array().ok_or_else(|| expected(&at, "a list", value))?;
            let mut items = items
                .iter()
                .enumerate()
                .map(|(number, item)| of_value(field, known, item, &format!("{at}.{number}")))
                .collect::<Result<Vec<_>, _>>()?;
            if matches!(known.many, Many::Set { .. }) {
                items.sort_by_key(encoded);
            }
            Field::List(items)
        } else {
            of_value(field, known, value, &at)?
        };
        set(field.name(), read);
    }
    Ok(message)
}

/// The name that `show` gives a field: amounts lose their unit of ten-thousandths.
fn shown_name(name: &str) -> String {
    match name.strip_suffix("e4").map(|stem| stem.trim_end_matches('_')) {
        Some("") => "amount".to_owned(),
        Some(stem) => stem.to_owned(),
        None => name.to_owned(),
    }
}

/// Whether a path leads to a list, by the schema.
fn is_list(message: &str, path: &str) -> bool {
    let mut of = SCHEMA.get_message_by_name(&format!("creditbank.v1.{message}"));
    let mut is_list = false;
    for part in path.split('.') {
        if is_list && part.bytes().all(|byte| byte.is_ascii_digit()) {
            // An item of the list.
            is_list = false;
            continue;
        }
        let field = of.as_ref().and_then(|of| of.fields().find(|field| shown_name(field.name()) == part));
        let Some(field) = field else { return false };
        is_list = field.is_list();
        of = match field.kind() {
            FieldKind::Message(descriptor) => Some(descriptor),
            _ => None,
        };
    }
    is_list
}

fn encoded(value: &Field) -> Vec<u8> {
    match value {
        Field::Message(message) => message.encode_to_vec(),
        Field::String(text) => text.clone().into_bytes(),
        Field::EnumNumber(number) => number.to_be_bytes().to_vec(),
        Field::U64(number) => number.to_be_bytes().to_vec(),
        Field::U32(number) => number.to_be_bytes().to_vec(),
        Field::Bytes(bytes) => bytes.to_vec(),
        _ => Vec::new(),
    }
}

fn of_value(field: &FieldDescriptor, known: &CanonicalField, value: &Value, at: &str) -> Result<Field, String> {
    let text = || value.as_str().ok_or_else(|| expected(at, "text", value));
    let number = || {
        let written = value.as_str().and_then(|text| text.parse().ok());
        value.as_u64().or(written).ok_or_else(|| expected(at, "a whole number", value))
    };
    match field.kind() {
        FieldKind::Message(descriptor) => match known.shape {
            Shape::Message(schema) => Ok(Field::Message(of_message(&descriptor, schema, value, at)?)),
            _ => Err(format!("{at} is no message")),
        },
        FieldKind::Enum(known) => Ok(Field::EnumNumber(enum_number(&known, text()?, at)?)),
        FieldKind::String => Ok(Field::String(text()?.to_owned())),
        FieldKind::Bytes => {
            let bytes = hex::decode(text()?).map_err(|_| expected(at, "hexadecimal", value))?;
            Ok(Field::Bytes(bytes.into()))
        }
        FieldKind::Uint64 if field.name().ends_with("e4") => {
            let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            parse_e4(&written).map(Field::U64).map_err(|error| format!("{at}: {written:?}: {error}"))
        }
        FieldKind::Uint64 => Ok(Field::U64(number()?)),
        FieldKind::Uint32 => {
            u32::try_from(number()?).map(Field::U32).map_err(|_| expected(at, "a smaller number", value))
        }
        FieldKind::Bool => value.as_bool().map(Field::Bool).ok_or_else(|| expected(at, "true or false", value)),
        other => Err(format!("{at}: {other:?} is not of this schema")),
    }
}

fn enum_number(known: &EnumDescriptor, text: &str, at: &str) -> Result<i32, String> {
    let wanted = text.to_ascii_lowercase().replace('_', "-");
    let numbers = || known.values().map(|value| value.number()).filter(|number| *number != 0);
    let name = |number: i32| show::enum_name(known, number);
    numbers().find(|number| name(*number) == wanted).ok_or_else(|| {
        let names: Vec<String> = numbers().map(name).collect();
        format!("{at}: {text:?} is not one of {}", names.join(", "))
    })
}

/// Sets a field of a body by its path, as `grade.value` or `course.titles.0.value`. A text for an object sets the member
/// that people mean: the value of a grade, the amount of an amount, the level of a level.
pub(crate) fn set(message: &str, body: &mut Value, assignment: &str) -> Result<(), String> {
    let (path, text) = assignment.split_once('=').ok_or("expected FIELD=VALUE, as grade=B or amount=7.5")?;
    let mut at = body;
    for part in path.split('.') {
        at = match at {
            Value::Array(list) => {
                let number = part.parse::<usize>().ok().filter(|number| *number < list.len());
                let number = number.ok_or_else(|| format!("{path}: the list has no item {part}"))?;
                &mut list[number]
            }
            Value::Null => {
                *at = Value::Object(serde_json::Map::new());
                at.as_object_mut().ok_or("an object")?.entry(part).or_insert(Value::Null)
            }
            Value::Object(fields) => fields.entry(part).or_insert(Value::Null),
            _ => return Err(format!("{path}: {part} stands below a value")),
        };
    }
    let meant = ["value", "amount", "level", "code"];
    if let Value::Object(fields) = at
        && let Some(name) = meant.iter().find(|name| fields.contains_key(**name))
    {
        fields.insert((*name).to_owned(), Value::String(text.to_owned()));
        return Ok(());
    }
    if at.is_array() || at.is_null() && !text.is_empty() && is_list(message, path) {
        let list: Value =
            serde_json::from_str(text).map_err(|error| format!("{path}: expected a list in JSON: {error}"))?;
        *at = list;
        return Ok(());
    }
    if at.is_object() {
        return Err(format!("{path}: name one of its fields, as {path}.NAME"));
    }
    *at = if text.is_empty() { Value::Null } else { Value::String(text.to_owned()) };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credit() -> pb::Credit {
        let text = |language: &str, value: &str| pb::Text { language: language.to_owned(), value: value.to_owned() };
        pb::Credit {
            learner: vec![7; 16],
            course: Some(pb::Course { code: "ALG".to_owned(), titles: vec![text("en", "A"), text("fr", "Algèbre")] }),
            amount: Some(pb::Amount { e4: 7_5000, unit: "ECTS".to_owned() }),
            grade: Some(pb::Grade { scale: "FR-20".to_owned(), value: "12".to_owned() }),
            hours: Some(pb::Hours { kind: pb::HoursKind::Workload.into(), e4: 0 }),
            mode: pb::Mode::OnSite.into(),
            period: Some(pb::Period { from: None, until: Some(pb::Date { year: 2024, month: 9, day: 0 }) }),
            attempt: 2,
            earlier: vec![pb::Place { entry: 4, index: 7 }],
            ..Default::default()
        }
    }

    /// Goal: what is shown can be read back, byte for byte.
    #[test]
    fn what_is_shown_is_read_back() {
        let bytes = credit().encode_to_vec();
        let shown = show::body("Credit", &bytes).expect("it can be shown");
        assert_eq!(body("Credit", &shown).expect("it can be read"), bytes);
    }

    #[test]
    fn fields_are_set_by_their_paths() {
        let mut shown = show::body("Credit", &credit().encode_to_vec()).expect("it can be shown");
        for assignment in
            ["grade=14", "amount=6", "course.titles.1.value=Alg", "attempt=3", "mode=online", "language=fr"]
        {
            set("Credit", &mut shown, assignment).expect("it can be set");
        }
        let read = pb::Credit::decode(&body("Credit", &shown).expect("it can be read")[..]).expect("a Credit");
        let mut said = credit();
        said.grade.as_mut().expect("a grade").value = "14".to_owned();
        said.amount.as_mut().expect("an amount").e4 = 6_0000;
        said.course.as_mut().expect("a course").titles[1].value = "Alg".to_owned();
        (said.attempt, said.mode, said.language) = (3, pb::Mode::Online.into(), "fr".to_owned());
        assert_eq!(read, said);
    }

    /// Goal: what looks like a list is one only where the schema has a list.
    #[test]
    fn brackets_in_a_text() {
        let mut shown = show::body("Credit", &pb::Credit::default().encode_to_vec()).expect("it can be shown");
        set("Credit", &mut shown, "term=[2025] S1").expect("a text");
        set("Credit", &mut shown, "earlier=[\"4/7\"]").expect("a list");
        let read = pb::Credit::decode(&body("Credit", &shown).expect("it can be read")[..]).expect("a Credit");
        assert_eq!((&read.term[..], read.earlier.len()), ("[2025] S1", 1));
        assert!(set("Credit", &mut Value::Null, "earlier=4/7").is_err_and(|error| error.contains("a list")));
    }

    /// Goal: what cannot be meant is refused with the field and what was expected.
    #[test]
    fn what_cannot_be_meant() {
        let shown = show::body("Credit", &credit().encode_to_vec()).expect("it can be shown");
        for (assignment, word) in [
            ("grade", "FIELD=VALUE"),
            ("kredits=7", "is no field"),
            ("mode=onsite", "on-site"),
            ("amount=7.00001", "amount"),
            ("attempt=x", "whole number"),
            ("period.until=2024-13", "month"),
            ("course=", "name one"),
            ("course.titles.9.value=x", "no item 9"),
            ("language.x=y", "language"),
        ] {
            let mut changed = shown.clone();
            let found = set("Credit", &mut changed, assignment).and_then(|()| body("Credit", &changed));
            match found {
                Err(error) => assert!(error.contains(word), "{assignment}: {error}"),
                // A course has a code: that is what a text would mean.
                Ok(_) => assert_eq!(assignment, "course="),
            }
        }
    }
}
