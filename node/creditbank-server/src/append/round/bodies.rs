//! The bodies of a round. They are encrypted when their places are known and the round is about to be written.

use creditbank_protocol::AccountId;
use creditbank_protocol::record::Record;
use creditbank_protocol::{LogIndex, Place};
use creditbank_store::EntryWrite;

use super::Context;
use crate::private::Nonce;
use crate::record_hashes::record_hashes;

/// How many bytes longer a body is than its record: nonce, masked account, tag, kind, version, seed, hash and length.
const BODY_OVERHEAD: usize = 24 + 16 + 16 + 4 + 32 + 32 + 4;

/// The records of one block, with their learners.
pub(crate) struct Bodies {
    /// Position of the block in its round.
    pub(super) position: usize,
    /// Log index of the block.
    pub(super) entry: LogIndex,
    pub(super) records: Vec<Record>,
    /// `None` for what the block publishes, which stands in the block itself.
    pub(super) accounts: Vec<Option<AccountId>>,
}

/// An account whose key disappeared between admission and encryption.
#[derive(Debug, thiserror::Error)]
#[error("an open account has no key")]
pub(crate) struct NoKey;

impl Bodies {
    /// Roughly how many bytes they take up in the journal.
    pub(super) fn bytes(&self) -> usize {
        self.records.iter().map(|record| record.body().len() + BODY_OVERHEAD).sum()
    }

    /// Encrypts each record under its learner's key and puts all of them into their places in the round.
    pub(crate) fn seal(self, origin: &str, context: &Context<'_>, entries: &mut [EntryWrite]) -> Result<(), NoKey> {
        let Context { keys, private, entropy, .. } = context;
        let Self { position, entry, records, accounts } = self;
        // One call for all of them: the system's generator costs more than the encryption of a record.
        let mut nonces = vec![0; records.len() * size_of::<Nonce>()];
        entropy.fill(&mut nonces);
        let mut bodies = Vec::with_capacity(records.len() + 1);
        bodies.push(record_hashes(&records.iter().map(Record::hash).collect::<Vec<_>>()));
        for (index, ((record, account), nonce)) in (0u32..).zip(records.iter().zip(&accounts).zip(nonces.as_chunks().0))
        {
            let Some(account) = account else {
                bodies.push(Vec::new());
                continue;
            };
            let key = keys.get(account).ok_or(NoKey)?;
            bodies.push(private.seal_body(origin, Place::new(entry, index), account, key.as_bytes(), record, *nonce));
        }
        entries[position].bodies = bodies;
        Ok(())
    }
}
