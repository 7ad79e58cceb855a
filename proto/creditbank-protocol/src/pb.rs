//! The messages of `creditbank.v1` that are signed or hashed, as prost types.
//!
//! Decode only what [`crate::canonical::check`] has accepted, and hash the bytes that came, never a re-serialisation;
//! [`crate::canonical`] does both.
#![allow(clippy::pedantic, missing_docs)]

include!(concat!(env!("OUT_DIR"), "/creditbank.v1.rs"));
