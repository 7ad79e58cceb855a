//! Blocks that are changed after they were made.

use creditbank_protocol::block::Header;
use creditbank_protocol::canonical::encode;
use creditbank_protocol::key::sign;
use creditbank_protocol::key_file::KeyFile;
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
