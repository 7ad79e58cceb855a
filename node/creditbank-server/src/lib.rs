//! The node as a library: verify, sequence, seal, serve.
#![forbid(unsafe_code)]

pub mod clock;
pub mod grpc;
pub mod ledger;
pub mod private;
mod round;
mod state;
pub mod submit;
mod tables;

pub use state::LoadError;
