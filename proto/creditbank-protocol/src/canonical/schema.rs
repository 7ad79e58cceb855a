//! What the canonical check knows of each message: generated from the `.proto` files by `build.rs`.

/// A message of the schema.
#[derive(Debug)]
pub struct Message {
    /// Its name in `creditbank.v1`.
    pub name: &'static str,
    /// Its fields, ascending by number.
    pub fields: &'static [Field],
}

/// A field of a message.
#[derive(Debug)]
pub struct Field {
    /// The field number.
    pub number: u64,
    /// The field's name.
    pub name: &'static str,
    /// How often it may stand.
    pub many: Many,
    /// What it holds.
    pub shape: Shape,
    /// Whether its text, and that of the messages in it, may break into lines.
    pub prose: bool,
}

/// How often a field may stand.
#[derive(Debug, Clone, Copy)]
pub enum Many {
    /// At most once.
    One,
    /// Any number up to the bound, in the writer's order.
    List {
        /// Most elements.
        items_max: u64,
    },
    /// Any number up to the bound, strictly ascending.
    Set {
        /// Most elements.
        items_max: u64,
    },
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A varint up to a bound; `bool` is one up to 1.
    Integer {
        /// Largest value.
        max: u64,
    },
    /// A varint out of a list.
    Enum {
        /// The allowed values, ascending, without 0.
        values: &'static [u64],
    },
    /// UTF-8 text.
    Text {
        /// Most bytes.
        len_max: u64,
        /// What kind of text.
        form: Form,
    },
    /// Bytes.
    Bytes {
        /// Fewest bytes, when the field stands.
        len_min: u64,
        /// Most bytes.
        len_max: u64,
    },
    /// Another message.
    Message(&'static Message),
}

/// What a text is. Only a code has a form that the canonical check knows; the others are a matter of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Printable ASCII without spaces.
    Code,
    /// The code of a course, as its institution writes it.
    Course,
    /// What codes of courses begin with.
    CoursePrefix,
    /// Any other text.
    Text,
}

impl Message {
    /// The field with `number`.
    pub fn field(&self, number: u64) -> Option<&'static Field> {
        // Numbers are dense from 1 in nearly every message, so the guess is nearly always right.
        let guess = usize::try_from(number.checked_sub(1)?).ok()?;
        match self.fields.get(guess) {
            Some(field) if field.number == number => Some(field),
            _ => self.fields.iter().find(|field| field.number == number),
        }
    }
}

/// The tables, one per message.
#[allow(missing_docs, clippy::unreadable_literal)]
pub mod tables {
    use super::{Field, Form, Many, Message, Shape};

    include!(concat!(env!("OUT_DIR"), "/schema.rs"));
}
