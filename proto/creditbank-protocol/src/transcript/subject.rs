//! What a transcript asks a newer status for, by its own word.
//!
//! The status part of a file may be one that this verifier cannot accept: it is by a log key that its policy does not
//! name any more, or of a part of the log that was given up. The statement and the records are good nevertheless. So
//! whoever asks for a newer status reads what to ask for without a proof, and judges the file that comes of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{FileError, open_file};
use crate::authority::amended_for;
use crate::canonical::decode;
use crate::entry::Entry;
use crate::key::KeyId;
use crate::merkle::leaf_hash;
use crate::pb;
use crate::record::{Disclosed, amends_of};
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
    // Unproved: a file may have many groups, which are looked through once.
    let mut groups: BTreeMap<u64, Vec<&pb::EffectGroup>> = BTreeMap::new();
    for proved in &base.groups {
        groups.entry(proved.block).or_default().extend(proved.group.as_ref());
    }
    for disclosed in &transcript.records {
        let place = Place::read(disclosed.place);
        let at = base.blocks.binary_search_by_key(&place.entry, |proved| LogIndex(proved.index)).ok()?;
        let entry = &base.blocks[at].entry;
        let Entry::Head(head) = Entry::parse(entry).ok()? else { return None };
        let disclosed = Disclosed::new(disclosed).ok()?;
        let signer = head.header().unit.institution;
        let (kind, body) = (disclosed.info.kind, &disclosed.body);
        let owner = match amends_of(kind, body).ok()?.and_then(|amends| amends.place).map(Place::from) {
            Some(amended) => {
                // The group that replaces the record says for whom.
                let replaces = |effect: &pb::Effect| Place::read(effect.place) == amended;
                let of_block = groups.get(&place.entry.0).into_iter().flatten();
                let group = of_block.copied().find(|group| group.effects.iter().any(replaces))?;
                amended_for(std::slice::from_ref(group), kind, body).ok()?.unwrap_or(signer)
            }
            None => signer,
        };
        found.status_ids.push(status_id(&leaf_hash(entry), place.index, &disclosed.hash));
        found.keys.insert(head.header().key_id);
        found.keys.extend(head.approvals().iter().filter_map(|one| KeyId::from_slice(&one.key_id)));
        found.institutions.extend([signer, owner]);
    }
    Some(found)
}
