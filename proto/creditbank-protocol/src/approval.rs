//! Approvals: what a second person signs of a block.

use crate::Digest;
use crate::block::Header;
use crate::hash::{Preimage, tag};
use crate::pb::Approval;

/// What a second person signs: what the block does and until when they stand by it, but not where in the chain. The
/// salt
/// tells this approval from another one of the same.
pub fn approval_message(header: &Header, approval: &Approval) -> Preimage {
    Preimage::new(tag::APPROVAL)
        .variable(header.origin.as_bytes())
        .u64(header.unit.institution.0)
        .u32(header.unit.number)
        .fixed(header.records_root.as_bytes())
        .u32(header.count)
        .fixed(header.pieces.root.as_bytes())
        .u32(header.pieces.count)
        .fixed(&header.operation_id)
        .u64(approval.until_minute)
        .fixed(&approval.salt)
}

/// What a block under the approval uses up once it is accepted: the hash of the signed message.
pub fn approval_digest(header: &Header, approval: &Approval) -> Digest {
    approval_message(header, approval).digest()
}
