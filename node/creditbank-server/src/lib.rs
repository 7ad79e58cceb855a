//! The node as a library: verify, sequence, seal, serve.
//!
//! The way of a block: `grpc` decodes it. `append` checks everything that does not depend on order, orders blocks into
//! rounds by the rules, and makes a round durable. `publish` signs the checkpoint, and receipts are sent. `read`
//! answers questions, and `operate` maintains the node's `directory`.
#![forbid(unsafe_code)]

pub mod append;
mod charges;
pub mod clock;
pub mod directory;
pub mod environment;
pub mod grpc;
pub mod health;
pub mod ledger;
mod log_measures;
pub mod metrics;
pub mod operate;
pub mod private;
pub mod publish;
pub mod read;
mod record_hashes;
pub mod serve;
mod stored_block;
mod tables;
mod unreadable;
mod watched;
mod work;
