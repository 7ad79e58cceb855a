//! The texts of a message, wherever they stand in it: so that a rule about texts is written once for all kinds.

use super::reader::Reader;
use super::{Form, Message, Shape};

const VARINT: u8 = 0;

/// A text that is not a code, or the tag of a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundText<'a> {
    /// The top-level field in which it stands.
    pub field: &'static str,
    /// What kind of text it is. A [code](Form::Code) is the tag of a language; others are not shown, as the canonical check
    /// has looked at them.
    pub form: Form,
    /// Whether it may break into lines.
    pub prose: bool,
    /// The text.
    pub text: &'a str,
}

/// Shows each text of canonical `bytes` of a `message`, in their order, until `see` refuses one. Of bytes that are not
/// canonical it shows what comes before the first fault.
pub fn texts<'a, E>(
    message: &'static Message,
    bytes: &'a [u8],
    see: &mut impl FnMut(FoundText<'a>) -> Result<(), E>,
) -> Result<(), E> {
    walk(message, bytes, None, see)
}

/// `within`: the top-level field, and whether what is in it may break into lines.
fn walk<'a, E>(
    message: &'static Message,
    bytes: &'a [u8],
    within: Option<(&'static str, bool)>,
    see: &mut impl FnMut(FoundText<'a>) -> Result<(), E>,
) -> Result<(), E> {
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        let Ok(tag) = reader.varint() else { return Ok(()) };
        let Some(field) = message.field(tag >> 3) else { return Ok(()) };
        let wire = u8::try_from(tag & 7).expect("three bits");
        if wire == VARINT {
            let Ok(_) = reader.varint() else { return Ok(()) };
            continue;
        }
        let Ok(part) = reader.delimited() else { return Ok(()) };
        let (top, prose) = within.map_or((field.name, field.prose), |(top, prose)| (top, prose || field.prose));
        match field.shape {
            Shape::Text { form, .. } if form != Form::Code || field.name == "language" => {
                let Ok(text) = std::str::from_utf8(part) else { return Ok(()) };
                see(FoundText { field: top, form, prose, text })?;
            }
            Shape::Message(inner) => walk(inner, part, Some((top, prose)), see)?,
            Shape::Text { .. } | Shape::Integer { .. } | Shape::Enum { .. } | Shape::Bytes { .. } => {}
        }
    }
    Ok(())
}
