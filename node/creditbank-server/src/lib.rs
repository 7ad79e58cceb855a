//! The node as a library: verify, sequence, seal, serve.
#![forbid(unsafe_code)]

pub mod clock;
pub mod private;
