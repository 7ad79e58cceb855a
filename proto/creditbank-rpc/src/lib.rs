//! Generated gRPC services of `creditbank.v1`, and every conversion of their messages.
//!
//! Only this crate knows how a refusal becomes a gRPC status and back; the node and the client share it.

pub mod codec;
mod convert;
pub mod identity;
pub mod reason;
pub mod refusal;
pub mod token;

pub use convert::block_request;
pub use reason::Reason;

/// The services and their messages. Signed and hashed messages are `creditbank_protocol::pb`'s.
#[allow(clippy::pedantic, missing_docs, unreachable_pub)]
pub mod v1 {
    tonic::include_proto!("creditbank.v1");
    include!(concat!(env!("OUT_DIR"), "/servers/creditbank.v1.rs"));
}

impl creditbank_protocol::names::Named for v1::IdentityType {
    fn schema_name(&self) -> &'static str {
        self.as_str_name()
    }
}

/// The schema, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
