//! The one pass over the bytes.

use std::ops::Range;

use super::reader::Reader;
use super::{Canonical as _, CanonicalError, DEPTH_MAX, Fault, Field, Form, Many, Message, Shape};
use crate::dates::is_real;
use crate::pb::Date;

const VARINT: u8 = 0;
const DELIMITED: u8 = 2;

/// Checks that `bytes` are the canonical spelling of a `message`.
pub fn check(message: &'static Message, bytes: &[u8]) -> Result<(), CanonicalError> {
    walk(message, bytes, 1, |_, _| ())
}

/// Checks `bytes` and returns where each top-level field stands: one range per field of the schema, in its order, empty
/// where the field is absent. A range covers all wire occurrences of its field, tags and lengths included.
pub fn top_level_fields(message: &'static Message, bytes: &[u8]) -> Result<Vec<Range<usize>>, CanonicalError> {
    let mut ranges = vec![0..0; message.fields.len()];
    walk(message, bytes, 1, |position, occurrence| {
        let range: &mut Range<usize> = &mut ranges[position];
        if range.start == range.end {
            *range = occurrence;
        } else {
            range.end = occurrence.end;
        }
    })?;
    Ok(ranges)
}

/// Reads one message; `seen` learns the position of each field in the schema and the bytes of each of its occurrences.
fn walk(
    message: &'static Message,
    bytes: &[u8],
    depth: u32,
    mut seen: impl FnMut(usize, Range<usize>),
) -> Result<(), CanonicalError> {
    let whole = |fault| CanonicalError { message: message.name, field: None, fault };
    if depth > DEPTH_MAX {
        return Err(whole(Fault::Depth));
    }
    let mut reader = Reader::new(bytes);
    let mut position = 0;
    let mut last = 0u64;
    let mut items = 0u64;
    let mut previous: &[u8] = &[];
    while !reader.is_empty() {
        let start = reader.offset();
        let tag = reader.varint().map_err(whole)?;
        let number = tag >> 3;
        let wire = u8::try_from(tag & 7).expect("three bits");
        // Fields ascend, so the next one is looked for from the last one on.
        let named = |field: &Field| field.number == number;
        let ahead = message.fields[position..].iter().position(named).map(|ahead| position + ahead);
        let found = ahead.or_else(|| message.fields.iter().position(named));
        position = found.ok_or_else(|| whole(Fault::UnknownField(number)))?;
        let field = &message.fields[position];
        let at = |fault| CanonicalError { message: message.name, field: Some(field.name), fault };
        if number < last {
            return Err(at(Fault::Order));
        }
        let again = number == last;
        (last, items) = (number, if again { items + 1 } else { 1 });
        match field.many {
            Many::One if again => return Err(at(Fault::Repeated)),
            Many::List { items_max } | Many::Set { items_max } if items > items_max => {
                return Err(at(Fault::TooMany { max: items_max }));
            }
            _ => {}
        }
        let part = value(field, wire, &mut reader, depth, again).map_err(|fault| match fault {
            Inner::Here(fault) => at(fault),
            Inner::Below(error) => error,
        })?;
        if again && matches!(field.many, Many::Set { .. }) && previous >= part {
            return Err(at(Fault::SetOrder));
        }
        previous = part;
        seen(position, start..reader.offset());
    }
    // Every reader must give a date the same days, so one that has none is refused here, for all of them.
    if std::ptr::eq(message, Date::SCHEMA) && !date(bytes).is_some_and(|date| is_real(&date)) {
        return Err(whole(Fault::NoSuchDate));
    }
    Ok(())
}

/// The date of bytes whose fields have been found to be canonical.
fn date(bytes: &[u8]) -> Option<Date> {
    let mut date = Date::default();
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        let part = match reader.varint().ok()? >> 3 {
            1 => &mut date.year,
            2 => &mut date.month,
            _ => &mut date.day,
        };
        *part = u32::try_from(reader.varint().ok()?).ok()?;
    }
    Some(date)
}

/// A fault of this field, or one that a nested message has already placed.
enum Inner {
    Here(Fault),
    Below(CanonicalError),
}

impl From<Fault> for Inner {
    fn from(fault: Fault) -> Self {
        Self::Here(fault)
    }
}

/// Reads one occurrence of `field` and returns its bytes, without tag and length.
fn value<'a>(field: &Field, wire: u8, reader: &mut Reader<'a>, depth: u32, again: bool) -> Result<&'a [u8], Inner> {
    let repeated = !matches!(field.many, Many::One);
    let scalar = matches!(field.shape, Shape::Integer { .. } | Shape::Enum { .. });
    let expected = if scalar && !repeated { VARINT } else { DELIMITED };
    if wire != expected {
        let fault = if scalar && repeated && wire == VARINT {
            Fault::NotPacked
        } else {
            Fault::WireType { expected, found: wire }
        };
        return Err(fault.into());
    }
    if scalar {
        return if repeated { packed(field, reader, again) } else { single(field, reader) };
    }
    let part = reader.delimited()?;
    match field.shape {
        Shape::Text { len_max, form } => {
            length(part, 1, len_max)?;
            let text = std::str::from_utf8(part).map_err(|_| Fault::Utf8)?;
            if form == Form::Code && !text.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) {
                return Err(Fault::Code.into());
            }
        }
        Shape::Bytes { len_min, len_max } => length(part, len_min.max(1), len_max)?,
        Shape::Message(inner) if part.is_empty() && !inner.fields.is_empty() => return Err(Fault::Default.into()),
        Shape::Message(inner) => walk(inner, part, depth + 1, |_, _| ()).map_err(Inner::Below)?,
        Shape::Integer { .. } | Shape::Enum { .. } => {}
    }
    Ok(part)
}

fn length(part: &[u8], min: u64, max: u64) -> Result<(), Fault> {
    let found = part.len() as u64;
    if found == 0 {
        return Err(Fault::Default);
    }
    if found < min || found > max { Err(Fault::Length { min, max, found }) } else { Ok(()) }
}

fn single<'a>(field: &Field, reader: &mut Reader<'a>) -> Result<&'a [u8], Inner> {
    let found = reader.varint()?;
    if found == 0 {
        return Err(Fault::Default.into());
    }
    scalar(field, found)?;
    Ok(&[])
}

/// A packed run: once, not empty, every element within the schema, ascending where it is a set.
fn packed<'a>(field: &Field, reader: &mut Reader<'a>, again: bool) -> Result<&'a [u8], Inner> {
    if again {
        return Err(Fault::NotPacked.into());
    }
    let part = reader.delimited()?;
    if part.is_empty() {
        return Err(Fault::Default.into());
    }
    let (ascending, max) = match field.many {
        Many::Set { items_max } => (true, items_max),
        Many::List { items_max } => (false, items_max),
        Many::One => (false, 1),
    };
    let mut run = Reader::new(part);
    let mut last = None;
    let mut items = 0;
    while !run.is_empty() {
        let found = run.varint()?;
        scalar(field, found)?;
        items += 1;
        if items > max {
            return Err(Fault::TooMany { max }.into());
        }
        if ascending && last.is_some_and(|last| found <= last) {
            return Err(Fault::SetOrder.into());
        }
        last = Some(found);
    }
    Ok(part)
}

fn scalar(field: &Field, found: u64) -> Result<(), Fault> {
    match field.shape {
        Shape::Integer { max } if found > max => Err(Fault::TooLarge { max, found }),
        Shape::Enum { values } if values.binary_search(&found).is_err() => Err(Fault::UnknownEnum(found)),
        _ => Ok(()),
    }
}
