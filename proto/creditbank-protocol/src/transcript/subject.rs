//! What a transcript asks a newer status for, by its own word.
//!
//! The status part of a file may be one that this verifier cannot accept: it is by a log key that its policy does not
//! name any more, or of a part of the log that was given up. The statement and the records are good nevertheless. So
//! whoever asks for a newer status reads what to ask for without a proof, and judges the file that comes of it.

use std::collections::BTreeSet;

use super::{FileError, open_file};
use crate::authority::amended_for;
use crate::canonical::decode;
use crate::entry::Entry;
use crate::key::KeyId;
use crate::merkle::leaf_hash;
use crate::pb;
use crate::record::Disclosed;
use crate::status::status_id;
use crate::{Digest, InstitutionId, LogIndex, Place};

/// Of which records, keys and institutions a status is asked. Nothing of it is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Size of the tree that the statement names.
    pub base_size: u64,
    /// Of the records, in their order.
    pub status_ids: Vec<Digest>,
    /// The keys that have signed and approved their blocks, and the statement key.
    pub keys: BTreeSet<KeyId>,
    /// The institutions that have signed, and those whose records these are.
    pub institutions: BTreeSet<InstitutionId>,
}

/// What the file asks for; `None` where it does not say it of each of its records.
pub fn subject(file: &[u8]) -> Result<Option<Subject>, FileError> {
    Ok(of(&open_file(file)?))
}

fn of(transcript: &pb::Transcript) -> Option<Subject> {
    let said: pb::SubjectStatement = decode(&transcript.statement).ok()?;
    let base = transcript.base.as_ref()?;
    let keys = BTreeSet::from([KeyId::from_slice(&said.key_id)?]);
    let mut found = Subject { base_size: said.size, status_ids: Vec::new(), keys, institutions: BTreeSet::new() };
    for disclosed in &transcript.records {
        let place = Place::read(disclosed.place);
        let at = base.blocks.binary_search_by_key(&place.entry, |proved| LogIndex(proved.index)).ok()?;
        let entry = &base.blocks[at].entry;
        let Entry::Head(head) = Entry::parse(entry).ok()? else { return None };
        let disclosed = Disclosed::new(disclosed).ok()?;
        let groups: Vec<pb::EffectGroup> = base
            .groups
            .iter()
            .filter(|proved| LogIndex(proved.block) == place.entry)
            .filter_map(|proved| proved.group.clone())
            .collect();
        let signer = head.header().unit.institution;
        let owner = amended_for(&groups, disclosed.info.kind, &disclosed.body).ok()?.unwrap_or(signer);
        found.status_ids.push(status_id(&leaf_hash(entry), place.index, &disclosed.hash));
        found.keys.insert(head.header().key_id);
        found.keys.extend(head.approvals().iter().filter_map(|one| KeyId::from_slice(&one.key_id)));
        found.institutions.extend([signer, owner]);
    }
    Some(found)
}
