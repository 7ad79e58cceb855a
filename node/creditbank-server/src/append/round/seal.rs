//! Closing a round: the seal, the new head, and the state afterwards; or only rows, which need no seal.

use std::collections::HashMap;

use creditbank_ledger::state::SealRefusal;
use creditbank_protocol::entry::Entry;
use creditbank_protocol::key::sign;
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::note::Checkpoint;
use creditbank_protocol::{AccountId, LogIndex};
use creditbank_store::{EntryWrite, Head, Round};

use super::learners::Learners;
use super::{Bodies, Pending, RoundBuilder, node};
use crate::append::state::Change;
use crate::directory::KeyRing;
use crate::ledger::NoLogKey;
use crate::tables::{self, Note};

/// A round that is ready to be written.
pub(crate) struct SealedRound {
    /// The accounts that are new in it. Their keys are staged.
    pub(crate) accounts: Vec<AccountId>,
    /// How many records the key store has with them; `None` if there are none.
    pub(crate) keys: Option<u64>,
    /// The round, without bodies so far.
    pub(crate) round: Round,
    /// The bodies, to be encrypted and put into the round.
    pub(crate) bodies: Vec<Bodies>,
    /// What is signed once the round is durable; `None` if the round has no seal.
    pub(crate) checkpoint: Option<Checkpoint>,
}

/// The results of a sealed round.
pub(crate) struct Sealed {
    pub(crate) ready: SealedRound,
    /// The change of the state, if any.
    pub(crate) change: Option<Change>,
    /// What the next round must know while this one is being written.
    pub(crate) pending: Pending,
}

/// A round that could not be sealed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error(transparent)]
    Seal(#[from] creditbank_protocol::seal::SealError),
    #[error("the seal that was just made does not read back")]
    Unreadable,
    #[error(transparent)]
    Refused(#[from] SealRefusal),
    #[error(transparent)]
    NoLogKey(#[from] NoLogKey),
}

impl RoundBuilder {
    /// Closes the round with a seal by the log key in force.
    pub(crate) fn seal(self, ring: &KeyRing) -> Result<Sealed, SealError> {
        let Self {
            state,
            mut round,
            mut entries,
            mut nodes,
            mut rows,
            learners,
            accounts,
            identities,
            marked,
            keys,
            ..
        } = self;
        let draft = round.draft_seal();
        let log_key = round.log_key(draft.index);
        let signer = ring.find(&log_key).ok_or_else(|| NoLogKey::new(&log_key, draft.index))?;
        let entry = draft.sign(|message| sign(&signer, message))?;
        let Ok(Entry::Seal(signed)) = Entry::parse(&entry) else {
            return Err(SealError::Unreadable);
        };
        let closed = round.close(&signed, leaf_hash(&entry))?;
        entries.push(EntryWrite { entry, bodies: Vec::new() });
        nodes.extend(closed.nodes.iter().map(node));
        rows.extend(tables::seal_rows(&closed));

        let (base, log) = (state.head, closed.state);
        let history = log.in_force().registry.log_keys();
        let signers = history.map_or_else(|| vec![log_key], |history| ring.signers(history, closed.seal.index));
        rows.push(tables::note(log.size(), &Note { signers: signers.clone(), lines: String::new() }));
        let next = Head { size: log.size(), root: log.root(), ..base };
        let checkpoint = Checkpoint { origin: log.origin().to_owned(), size: next.size, root: next.root };
        let change = Change { head: next, log, written: closed.written, marked, signers };
        let Learners { rows: learners, given, bodies, .. } = learners;
        let round = Round { base, next, entries, nodes, rows };
        let pending = Pending::new(LogIndex(base.size), true, learners, given, identities);
        let ready = SealedRound { accounts, keys, round, bodies, checkpoint: Some(checkpoint) };
        Ok(Sealed { ready, change: Some(change), pending })
    }

    /// Closes a round in which only accounts were opened: the log does not change.
    pub(crate) fn accounts_alone(self) -> Sealed {
        let Self { state, rows, accounts, identities, keys, .. } = self;
        let head = state.head;
        // A round is written even if everybody was known, so that its time reveals nothing.
        let round = Round { base: head, next: head, entries: Vec::new(), nodes: Vec::new(), rows };
        let pending = Pending::new(LogIndex(head.size), false, HashMap::new(), HashMap::new(), identities);
        Sealed {
            ready: SealedRound { accounts, keys, round, bodies: Vec::new(), checkpoint: None },
            change: None,
            pending,
        }
    }
}
