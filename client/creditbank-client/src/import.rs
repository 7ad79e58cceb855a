//! From a registrar's CSV or workbook to draft records, by a mapping: line by line, with bounded memory.
//!
//! A line that cannot become a record is refused with its number, field and reason; the good ones go through.

mod about;
mod charset;
mod contents;
mod csv_file;
mod damage;
mod decoded;
mod draft;
mod encoding;
mod file_options;
mod header;
mod line;
mod mapping;
mod open_header;
pub(crate) mod report;
mod rows;
mod table;
mod texts;
mod workbook;

pub use about::{About, Sample};
pub use charset::Charset;
pub(crate) use draft::After;
pub use draft::DraftRecord;
pub use encoding::Encoding;
pub use mapping::{Mapping, MappingError};
pub use rows::{ImportError, RefusedLine, Rows};
pub use table::Source;

/// The mapping of the Open University Learning Analytics Dataset's result file.
pub const OULAD: &str = include_str!("../../mappings/oulad.toml");
/// A commented mapping to start from.
pub const TEMPLATE: &str = include_str!("../../mappings/template.toml");
