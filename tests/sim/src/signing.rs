//! Blocks as a unit signs them, and what the simulation notes of each.

use creditbank_client::ChainHead;
use creditbank_client::outbox::Open;
use creditbank_protocol::block::{BlockDraft, SignedBlock};
use creditbank_protocol::entry::BlockEntries;
use creditbank_protocol::key::{KeyId, sign};
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::note::Policy;
use creditbank_protocol::pb::Receipt;
use creditbank_protocol::receipt::verify_receipt;
use creditbank_protocol::{Digest, UnitId};

use crate::cast::ORIGIN;
use crate::truth::Signed;
use crate::want::Content;

/// A block over what a unit wants, signed with its key.
pub(crate) fn signed_block(
    unit: UnitId,
    key: &KeyFile,
    head: &ChainHead,
    created_at_minute: u64,
    want: Option<u64>,
    content: &Content,
) -> (Vec<u8>, Signed) {
    let mut operation_id = [0xff; 16];
    if let Some(want) = want {
        operation_id[..8].copy_from_slice(&want.to_be_bytes());
    }
    let draft = BlockDraft {
        origin: ORIGIN.to_owned(),
        unit,
        height: head.next_height,
        previous: head.previous,
        operation_id,
        created_at_minute,
        key_id: KeyId::of(&key.public_key()),
    };
    let block = draft.sign(&content.records, content.groups.clone(), None, |message| sign(&key.key, message));
    let block = block.expect("what is wanted fits into a block");
    let id = SignedBlock::parse(&block).map_or(Digest::ZERO, |parsed| parsed.header().id());
    let signed = Signed {
        want,
        unit,
        height: head.next_height,
        previous: head.previous,
        id,
        records: content.records.clone(),
        citizen: None,
        courses: Vec::new(),
        redeems: Vec::new(),
        amends: None,
    };
    (block, signed)
}

/// The leaf of a block's head, by which it is known here; for other bytes, a value that is theirs alone.
pub(crate) fn leaf_of(block: &[u8]) -> Digest {
    leaf_hash(&BlockEntries::parse(block).map_or_else(|_| block.to_vec(), |entries| entries.head))
}

/// The head of a unit's chain, as a client works it out.
pub(crate) fn head_of(unit: UnitId, next_height: u64, receipt: &Receipt, policy: &Policy) -> Result<ChainHead, Open> {
    let verified = verify_receipt(receipt, policy).map_err(|error| Open::Unverified(error.to_string()))?;
    ChainHead::read(unit, next_height, &verified).map_err(|error| Open::Unverified(error.to_string()))
}

/// The first digits of a digest.
pub(crate) fn short(digest: &Digest) -> String {
    digest.to_string().chars().take(8).collect()
}
