//! From a registrar's CSV or workbook to draft records, by a mapping: line by line, with bounded memory.
//!
//! A line that cannot become a record is refused with its number, field and reason; the good ones go through.

mod about;
mod again;
mod charset;
mod contents;
mod csv_file;
mod damage;
mod decoded;
pub mod doubts;
mod draft;
mod encoding;
mod file_options;
mod header;
mod identity;
mod line;
mod mapping;
mod open_header;
mod people;
pub mod propose;
pub(crate) mod report;
mod rows;
mod scales;
mod survey;
mod table;
#[cfg(test)]
mod tests;
mod texts;
mod values;
mod workbook;

pub use about::{About, Sample};
pub(crate) use again::Again;
pub use charset::Charset;
pub(crate) use draft::After;
pub use draft::DraftRecord;
pub(crate) use draft::seeds_of_reference;
pub use encoding::Encoding;
pub use mapping::{Mapping, MappingError};
pub(crate) use people::Contradicted;
pub(crate) use rows::lines_of;
pub use rows::{ImportError, RefusedLine, Rows};
pub use scales::ScalesError;
pub(crate) use survey::{Courses, Known, Surveying};
pub use survey::{Found, Survey, Warning};
pub use table::Source;

/// The mappings that come with the program, by name: a commented one to start from, and those of systems whose exports are
/// public.
pub const SHIPPED: [(&str, &str); 7] = [
    ("template", TEMPLATE),
    ("campusonline", include_str!("../../mappings/campusonline.toml")),
    ("canvas", include_str!("../../mappings/canvas.toml")),
    ("moodle", include_str!("../../mappings/moodle.toml")),
    ("oneroster", include_str!("../../mappings/oneroster.toml")),
    ("oulad", OULAD),
    ("zhengfang", include_str!("../../mappings/zhengfang.toml")),
];
/// A commented mapping to start from.
pub const TEMPLATE: &str = include_str!("../../mappings/template.toml");
/// The mapping of the Open University Learning Analytics Dataset's result file.
pub const OULAD: &str = include_str!("../../mappings/oulad.toml");
