//! The canonical subset of protobuf, checked over bytes (PROTOCOL.md, "Canonical messages").
//!
//! [`check()`] reads a message once and refuses every second spelling: a field out of order or repeated, an unknown
//! field or enum value, a default that is written, a varint longer than it need be, text that is not UTF-8, a list that
//! should be packed, nesting deeper than [`DEPTH_MAX`]. What it accepts can be decoded by any protobuf reader and
//! hashed as it is.

mod check;
mod reader;
mod schema;
mod texts;

pub use check::{check, top_level_fields};
pub use schema::{Field, Form, Many, Message, Shape, tables};
pub use texts::{FoundText, texts};

/// A message with a canonical form; implemented for every message of the schema.
pub trait Canonical: prost::Message + Default {
    /// Its form.
    const SCHEMA: &'static Message;
}

/// Decodes `bytes` after checking that they are the one canonical spelling.
pub fn decode<M: Canonical>(bytes: &[u8]) -> Result<M, CanonicalError> {
    check(M::SCHEMA, bytes)?;
    // The check is stricter than any protobuf reader, so this cannot fail; still it is an error and not a panic.
    M::decode(bytes).map_err(|_| CanonicalError { message: M::SCHEMA.name, field: None, fault: Fault::Truncated })
}

/// The canonical bytes of `message`, or the rule that its content breaks: too long, out of order, an empty message.
pub fn encode<M: Canonical>(message: &M) -> Result<Vec<u8>, CanonicalError> {
    let bytes = message.encode_to_vec();
    check(M::SCHEMA, &bytes)?;
    Ok(bytes)
}

/// Deepest nesting of messages; the outermost counts as 1.
pub const DEPTH_MAX: u32 = 16;

/// Why bytes are not the one canonical spelling of a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}.{field}: {fault}", field = field.unwrap_or("?"))]
pub struct CanonicalError {
    /// The message in which the fault lies.
    pub message: &'static str,
    /// The field, where it is known.
    pub field: Option<&'static str>,
    /// What is wrong.
    pub fault: Fault,
}

/// A rule of the canonical subset, broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The bytes end inside a value.
    #[error("the bytes end inside a value")]
    Truncated,
    /// A varint with a superfluous last group, or more than 64 bits.
    #[error("a varint is not in its shortest form")]
    Varint,
    /// The number is not in the schema.
    #[error("field number {0} is unknown")]
    UnknownField(u64),
    /// The wire type is not the schema's.
    #[error("wire type {found}, expected {expected}")]
    WireType {
        /// The schema's.
        expected: u8,
        /// The one that came.
        found: u8,
    },
    /// A field after one with a larger number, or in two places.
    #[error("fields are not in ascending order")]
    Order,
    /// A field that may stand once stands twice.
    #[error("the field stands more than once")]
    Repeated,
    /// A zero, an empty string, an empty packed list or an empty message that is no marker, written out.
    #[error("a default value is written")]
    Default,
    /// A scalar list that is not packed in one run.
    #[error("a list of integers is not packed")]
    NotPacked,
    /// The enum has no such value.
    #[error("enum value {0} is unknown")]
    UnknownEnum(u64),
    /// Larger than the schema allows.
    #[error("value {found}, at most {max} is allowed")]
    TooLarge {
        /// The bound.
        max: u64,
        /// The value.
        found: u64,
    },
    /// Shorter or longer than the schema allows.
    #[error("{found} bytes, expected {min} to {max}")]
    Length {
        /// Fewest bytes.
        min: u64,
        /// Most bytes.
        max: u64,
        /// The bytes that came.
        found: u64,
    },
    /// More elements than the schema allows.
    #[error("more than {max} elements")]
    TooMany {
        /// The bound.
        max: u64,
    },
    /// A set whose elements are not strictly ascending.
    #[error("a set is not strictly ascending")]
    SetOrder,
    /// Text that is not UTF-8.
    #[error("text is not valid UTF-8")]
    Utf8,
    /// A code with a character outside 0x21 to 0x7e.
    #[error("a code holds something else than printable ASCII")]
    Code,
    /// A `Date` that is not in the calendar: a year from 1 to 9999, a month, and a day of it or none.
    #[error("no such date is in the calendar")]
    NoSuchDate,
    /// Nesting deeper than [`DEPTH_MAX`].
    #[error("messages are nested too deeply")]
    Depth,
}
