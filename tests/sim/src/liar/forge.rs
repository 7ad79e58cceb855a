//! Blocks that are changed after they were made.

use creditbank_protocol::approval::approval_message;
use creditbank_protocol::block::Header;
use creditbank_protocol::canonical::encode;
use creditbank_protocol::key::{KeyId, sign};
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::once::{SALT_LEN, VALID_MINUTES_MAX};
use creditbank_protocol::pb;
use prost::Message as _;

use crate::chance::Chance;

/// Bytes with one bit flipped; nothing of none.
pub(super) fn flipped(bytes: &[u8], chance: &mut Chance) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    let at = chance.below(u64::try_from(bytes.len()).ok().filter(|len| *len > 0)?);
    *bytes.get_mut(usize::try_from(at).ok()?)? ^= 1 << chance.below(8);
    Some(bytes)
}

/// The block as it is on the wire.
pub(super) fn read(block: &[u8]) -> Option<pb::Block> {
    pb::Block::decode(block).ok()
}

/// The block with a header that is changed, and the signature over the one before.
pub(super) fn altered(block: &[u8], change: impl FnOnce(&mut pb::BlockHeader)) -> Option<Vec<u8>> {
    let mut block = read(block)?;
    let mut header = pb::BlockHeader::decode(&*block.header).ok()?;
    change(&mut header);
    block.header = encode(&header).ok()?;
    encode(&block).ok()
}

/// The block with a header that is changed, and signed with a key.
pub(super) fn signed_anew(block: &[u8], key: &KeyFile, change: impl FnOnce(&mut pb::BlockHeader)) -> Option<Vec<u8>> {
    let mut block = read(&altered(block, change)?)?;
    let header = Header::parse(block.header.clone()).ok()?;
    block.signature = sign(&key.key, header.message().as_bytes()).to_vec();
    encode(&block).ok()
}

/// The block with an approval of its content that holds as long as one may. The unit's signature is not over it.
pub(super) fn approved(block: &[u8], approver: &KeyFile) -> Option<Vec<u8>> {
    let header = Header::parse(read(block)?.header).ok()?;
    let bare = pb::Approval {
        key_id: KeyId::of(&approver.public_key()).0.to_vec(),
        until_minute: header.created_at_minute + VALID_MINUTES_MAX,
        salt: vec![7; SALT_LEN],
        ..Default::default()
    };
    let signature = sign(&approver.key, approval_message(&header, &bare).as_bytes()).to_vec();
    under(block, pb::Approval { signature, ..bare })
}

/// The block under an approval.
pub(super) fn under(block: &[u8], approval: pb::Approval) -> Option<Vec<u8>> {
    encode(&pb::Block { approvals: vec![approval], ..read(block)? }).ok()
}
