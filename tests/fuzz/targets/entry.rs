//! Entries, seals, receipts, map proofs, marks and statements.
#![no_main]

use creditbank_protocol::Digest;
use creditbank_protocol::canonical::{Canonical, decode, encode};
use creditbank_protocol::entry::{Entry, HEAD, PUBLIC, SEAL};
use creditbank_protocol::map::{MapProof, MapTags, verify};
use creditbank_protocol::merkle::{verify_consistency, verify_inclusion};
use creditbank_protocol::note::Policy;
use creditbank_protocol::pb;
use creditbank_protocol::receipt::verify_receipt;
use creditbank_protocol::seal::SignedSeal;
use creditbank_protocol::status::Marks;
use libfuzzer_sys::fuzz_target;
use prost::Message as _;

fn one_spelling<M: Canonical>(bytes: &[u8]) {
    if let Ok(message) = decode::<M>(bytes) {
        assert_eq!(encode(&message).as_deref(), Ok(bytes));
    }
}

fuzz_target!(|data: &[u8]| {
    match Entry::parse(data) {
        Ok(Entry::Head(_)) => assert_eq!(data[0], HEAD),
        Ok(Entry::Public(public)) => assert!(data[0] == PUBLIC && public.pieces().count > 0),
        Ok(Entry::Seal(seal)) => {
            assert_eq!(data[0], SEAL);
            assert_eq!(SignedSeal::parse(&data[1..]), Ok(seal.clone()));
            assert!(seal.seal().first_index <= seal.seal().index);
            // Said again and signed by nobody, it is another entry with the same seal.
            let again = seal.seal().sign(|_| [1; 64]).expect("what was read can be written");
            let again = SignedSeal::parse(&again[1..]).expect("what was written can be read");
            assert_eq!((again.id(), again.seal()), (seal.id(), seal.seal()));
        }
        Err(_) => {}
    }
    one_spelling::<pb::Receipt>(data);
    one_spelling::<pb::MapProof>(data);
    one_spelling::<pb::RegistryEntry>(data);
    one_spelling::<pb::SubjectStatement>(data);
    one_spelling::<pb::PublicPart>(data);
    one_spelling::<pb::BlockHead>(data);
    if let Some(marks) = Marks::from_bytes(data) {
        assert_eq!(marks.to_bytes(), data);
    }
    if let Ok(receipt) = pb::Receipt::decode(data) {
        let policy = Policy::parse("quorum none\n").expect("a policy that trusts nobody");
        assert!(verify_receipt(&receipt, &policy).is_err());
    }
    // Proofs of any shape: refused or not, never a panic, and never for two values.
    let hashes: Vec<Digest> = data.as_chunks::<32>().0.iter().map(|hash| Digest(*hash)).collect();
    if let [root, key, value, rest @ ..] = &hashes[..] {
        let (index, size) = (u64::from(data[0]), u64::from(data[1]));
        let _ = verify_inclusion(key, index, size, rest, root);
        let _ = verify_consistency(index, key, size, root, rest);
        let (terminal, siblings) = (Some((*key, *value)), rest.to_vec());
        let present = verify(MapTags::STATUS, root, key, &MapProof { siblings: siblings.clone(), terminal });
        let absent = verify(MapTags::STATUS, root, key, &MapProof { siblings, terminal: None });
        assert!(present.is_err() || absent.is_err());
    }
});
