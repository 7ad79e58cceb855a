//! Closing a round: the seal, the new head, and the state afterwards.

use std::sync::Arc;

use creditbank_protocol::Digest;
use creditbank_protocol::canonical::CanonicalError;
use creditbank_protocol::entry::Entry;
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::note::Checkpoint;
use creditbank_protocol::seal::Seal;
use creditbank_rules::RULES_VERSION;
use creditbank_store::{Head, Round};

use super::{Bodies, Pending, RoundBuilder};
use crate::append::state::{Change, LastSeal, next_version};
use crate::tables;

/// A round that is ready to be written.
pub(crate) struct SealedRound {
    /// The round, still without bodies.
    pub(crate) round: Round,
    /// The bodies, to be encrypted and put into the round.
    pub(crate) bodies: Vec<Bodies>,
    /// What is signed once it is durable.
    pub(crate) checkpoint: Checkpoint,
}

/// What a sealed round leads to.
pub(crate) struct Sealed {
    pub(crate) ready: SealedRound,
    /// What the state becomes.
    pub(crate) change: Change,
    /// What the next round must know while this one is on its way.
    pub(crate) pending: Pending,
}

/// A round that could not be sealed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error(transparent)]
    Seal(#[from] creditbank_protocol::seal::SealError),
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    #[error("the seal that was just made does not read back")]
    Unreadable,
}

impl RoundBuilder {
    /// Closes the round with a seal by the log key. `genesis` is the first seal's previous.
    pub(crate) fn seal(mut self, genesis: Digest, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Result<Sealed, SealError> {
        let state = Arc::clone(&self.state);
        let version = state.registry();
        let changed = self.marks.values().map(|(id, marks)| (*id, (!marks.is_empty()).then(|| marks.value())));
        let status = self.state.status.update(changed);
        let last = self.state.last_seal;
        let index = self.frontier.size();
        let records_total = last.map_or(0, |seal| seal.records_total) + self.records;
        let entry = Seal {
            origin: version.registry.origin().to_owned(),
            first_index: self.state.head.size,
            index,
            status_root: status.root(),
            registry_root: version.map.root(),
            rules_version: RULES_VERSION,
            time_ms: self.now_ms,
            records_total,
            previous: last.map_or(genesis, |seal| seal.id),
        }
        .sign(sign)?;
        let Ok(Entry::Seal(signed)) = Entry::parse(&entry) else {
            return Err(SealError::Unreadable);
        };
        let leaf = leaf_hash(&entry);
        self.append_entry(entry, leaf, index);
        self.rows.push(tables::seal(index));
        self.rows.extend(self.chains.iter().map(|(unit, head)| head.row(*unit)));

        let base = self.state.head;
        let head = Head { size: self.frontier.size(), root: self.frontier.root(), ..base };
        let version = match self.registry {
            Some(registry) => Some(next_version(version, registry, self.registry_changes, index)?),
            None => None,
        };
        let checkpoint =
            Checkpoint { origin: self.state.registry().registry.origin().to_owned(), size: head.size, root: head.root };
        let change = Change {
            head,
            frontier: self.frontier,
            last_seal: LastSeal { id: signed.id(), index, time_ms: self.now_ms, records_total },
            chains: self.chains,
            marks: self.marks,
            status,
            version,
        };
        let round = Round { base, next: head, entries: self.entries, nodes: self.nodes, rows: self.rows };
        let pending = Pending::new(base.size, self.learners);
        Ok(Sealed { ready: SealedRound { round, bodies: self.bodies, checkpoint }, change, pending })
    }
}
