//! Why a record is contested: which block makes it so, and by which of its keys. Whether it is contested was decided
//! before; this only says it in more words.

use super::{Parts, TranscriptRecord};
use crate::contested::{causes, compromised_since, is_suspect};
use crate::key::KeyId;
use crate::transcript::report::Suspicion;

/// Why a record is contested.
pub(super) fn of(Parts { base, status, .. }: &Parts, record: &TranscriptRecord) -> Option<Suspicion> {
    let last = status.tree.last_seal();
    causes(&record.marks, record.place.entry).find_map(|entry| {
        let part = if entry == record.place.entry { base } else { status };
        let block = part.blocks.get(&entry)?;
        let seal = part.tree.seal_of_round(block).ok()?;
        let approvers = block.head.approvals().iter().filter_map(|approval| KeyId::from_slice(&approval.key_id));
        let keys = std::iter::once((block.head.header().key_id, false)).chain(approvers.map(|key_id| (key_id, true)));
        keys.into_iter().find_map(|(key_id, approved)| {
            let key = status.registry.key(key_id, last).ok()?;
            let since_minute = compromised_since(&key).filter(|_| is_suspect(&key, seal.time_ms))?;
            Some(Suspicion { entry, key_id, approved, since_minute })
        })
    })
}
