//! Why a record is contested: which block makes it so, and by which of its keys. Whether it is contested was decided
//! before; this only says it in more words.

use super::{Parts, TranscriptRecord};
use crate::contested::{causes, compromised_since, is_suspect};
use crate::transcript::report::Suspicion;

/// Why a record is contested.
pub(super) fn of(Parts { base, status, .. }: &Parts, record: &TranscriptRecord) -> Option<Suspicion> {
    let last = status.tree.last_seal();
    causes(&record.marks, record.place.entry).find_map(|entry| {
        let part = if entry == record.place.entry { base } else { status };
        let block = part.blocks.get(&entry)?;
        let seal = part.tree.seal_of_round(block).ok()?;
        block.head.key_ids().enumerate().find_map(|(at, key_id)| {
            let key = status.registry.key(key_id, last).ok()?;
            let since_minute = compromised_since(&key).filter(|_| is_suspect(&key, seal.time_ms))?;
            // The signer comes first.
            Some(Suspicion { entry, key_id, approved: at > 0, since_minute })
        })
    })
}
