//! Generated gRPC services of `creditbank.v1`, and every conversion of their messages.
//!
//! Only this crate knows how a refusal becomes a gRPC status and back; the node and the client share it.

mod convert;
pub mod identity;
pub mod reason;
pub mod refusal;
pub mod token;

pub use reason::Reason;

/// The services and their messages. Signed and hashed messages are `creditbank_protocol::pb`'s.
#[allow(clippy::pedantic, missing_docs, unreachable_pub)]
pub mod v1 {
    tonic::include_proto!("creditbank.v1");
}

/// The schema, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
