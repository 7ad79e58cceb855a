//! The schema, decoded once.

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

/// Every message and enum of the protocol. The descriptors are this program's own.
pub(crate) static SCHEMA: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(creditbank_rpc::DESCRIPTORS).expect("the schema was built with the program")
});
