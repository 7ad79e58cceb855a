//! Blocks: what parses is spelled once, its parts too, and a changed block no longer has the signature.
#![no_main]

use std::sync::OnceLock;

use creditbank_protocol::block::SignedBlock;
use creditbank_protocol::entry::{BlockEntries, Entry, EntryError, join};
use creditbank_protocol::canonical::encode;
use creditbank_protocol::once::uses;
use creditbank_protocol::pb;
use creditbank_protocol::record::Record;
use libfuzzer_sys::fuzz_target;
use prost::Message as _;

/// The vector's block and its key.
fn vector() -> &'static (Vec<u8>, Vec<u8>) {
    static VECTOR: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
    VECTOR.get_or_init(|| {
        let vector: serde_json::Value =
            serde_json::from_str(include_str!("../../../proto/vectors/blocks.json")).expect("JSON");
        let bytes = |key: &str| hex::decode(vector[key].as_str().expect("a text")).expect("hexadecimal");
        (bytes("block"), bytes("public_key"))
    })
}

fuzz_target!(|data: &[u8]| {
    let Ok(block) = SignedBlock::parse(data) else {
        return;
    };
    let message = pb::Block::decode(data).expect("what parses decodes");
    assert_eq!(message.encode_to_vec(), data);
    assert_eq!(pb::BlockHeader::decode(&message.header[..]).expect("a header").encode_to_vec(), message.header);
    assert_eq!(encode(block.public()).as_deref(), Ok(&message.public_part[..]));
    assert_eq!(block.shown().pieces(), block.header().pieces);
    // Its entries lead back to it.
    let BlockEntries { head, public } = BlockEntries::of(&block);
    let Ok(Entry::Head(head)) = Entry::parse(&head) else { panic!("a head") };
    let again = join(head, || public.ok_or(EntryError::NoPublic));
    assert_eq!(again.as_ref(), Ok(&block));
    let _ = uses(&block);
    // The signature covers the header, and the header the public part.
    let (honest, key) = vector();
    if block.verify(key).is_ok() {
        let honest = pb::Block::decode(&honest[..]).expect("a block");
        assert_eq!((message.header, message.public_part), (honest.header, honest.public_part));
    }
    for approval in block.approvals() {
        let _ = block.verify_approval(approval, key);
    }
    // Records that were never signed are refused.
    let record = Record::new(4, 1, &[1; 32], Vec::new()).expect("an empty Result");
    let hidden = usize::try_from(block.header().count).expect("small").saturating_sub(block.public().records.len());
    let _ = block.records(vec![record; hidden]);
});
