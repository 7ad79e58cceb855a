//! The node as a library: verify, sequence, seal, serve.
//!
//! The way of a block: `grpc` decodes; `submit` checks what needs no order, on any thread; `ledger`'s sequencer orders
//! blocks into rounds (`round`) by the rules; the store makes a round durable; receipts go out.
#![forbid(unsafe_code)]

pub mod backup;
pub mod check;
pub mod clock;
mod courses;
pub mod directory;
pub mod grpc;
mod hash_table;
pub mod ledger;
pub mod private;
mod round;
pub mod serve;
mod state;
pub mod submit;
mod tables;

pub use state::LoadError;
