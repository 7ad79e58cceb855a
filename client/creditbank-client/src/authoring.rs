//! What people write for recognition, in TOML: agreements, equivalences, grade distributions and qualifications;
//! and aliases of course codes.

pub mod agreement;
pub mod course_alias;
pub mod distribution;
pub mod equivalence;
pub mod qualification;
pub(crate) mod text_file;
pub(crate) mod wording;

pub use text_file::{TextError, grade_of};
pub use wording::document as document_in_words;
