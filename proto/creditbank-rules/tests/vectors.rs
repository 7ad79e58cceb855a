//! `proto/vectors/conversions.json` and `qualifications.json`: what the rules compute, with everything that a second implementation
//! needs to compute it too.
//!
//! `CREDITBANK_WRITE_VECTORS=1 cargo test -p creditbank-rules --test vectors` writes them anew.

#![allow(clippy::assigning_clones, clippy::unnecessary_wraps)] // Lists of cases.

#[path = "vectors/chains.rs"]
mod chains;
#[path = "vectors/chance.rs"]
mod chance;
#[path = "vectors/conversions.rs"]
mod conversions;
#[path = "vectors/file.rs"]
mod file;
#[path = "vectors/grades.rs"]
mod grades;
#[path = "vectors/learners.rs"]
mod learners;
#[path = "vectors/qualifications.rs"]
mod qualifications;
#[path = "vectors/trees.rs"]
mod trees;
