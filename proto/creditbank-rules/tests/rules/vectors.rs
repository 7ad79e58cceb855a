//! `proto/vectors/conversions.json` and `qualifications.json`: what the rules compute, with everything that a second implementation
//! needs to compute it too.
//!
//! `CREDITBANK_WRITE_VECTORS=1 cargo test -p creditbank-rules --test rules vectors` writes them anew.

#![expect(clippy::disallowed_methods, reason = "the vectors are files")]
#![allow(clippy::assigning_clones, clippy::too_many_lines, clippy::unnecessary_wraps)] // Lists of cases.

mod chains;
mod chance;
mod conversions;
mod deadlines;
mod file;
mod grades;
mod learners;
mod qualifications;
mod trees;
