//! The state of a log, and how blocks and seals move it on.
//!
//! No I/O, no threads, no clock, no randomness, and nothing whose order could differ between machines. The node, the
//! auditor, and whoever follows a log apply the same functions.
//!
//! | module   | what it holds                                                   |
//! |----------|-----------------------------------------------------------------|
//! | `state`  | the public state of a log; what a block and a seal change in it |
//! | `replay` | a log from its first entry, checked with nothing but its keys   |
//! | `read`   | what can be worked out from records, over a read-only view      |
#![forbid(unsafe_code)]

pub mod read;
pub mod replay;
pub mod state;
