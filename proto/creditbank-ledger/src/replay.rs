//! Replaying a log from its first entry with nothing but its keys: what anybody can check without the records.
//!
//! Chains, signatures under the keys in force, the registry and its map, status effects against the table of marks and
//! the signer's authority, the status tree, and every field of every seal. What rests on hidden records (the rules
//! about them, their hashes, the kinds that a key may sign) cannot be checked here: that is the operator's word until
//! an auditor with the bodies replays it.
//!
//! An entry is first [`Prepared`], which needs no order; then [`Replay::apply`] takes the entries one by one and names
//! the signatures that must hold; those need no order again. The crate `creditbank-replay` does the first and the last
//! on all cores.

mod authority;
mod contradiction;
mod entries;
mod prepared;
mod signatures;

use std::collections::BTreeSet;

use creditbank_protocol::block::{Public, SignedHead};
use creditbank_protocol::seal::SignedSeal;
use creditbank_protocol::{Digest, InstitutionId, LogIndex};

pub use contradiction::Contradiction;
pub use prepared::Prepared;
pub use signatures::SignatureCheck;

use crate::state::{Applied, Closed, LogKeys, LogState, OpenRound, ReadBlock, Shared};
use contradiction::Subject;
use entries::Entries;
use prepared::Read;

/// Most entries of a round that a replay holds until its seal. The protocol has no such bound; nodes stay far below it.
pub const ROUND_ENTRIES_MAX: u64 = 65_536;
/// Most bytes of the blocks of a round.
pub const ROUND_BYTES_MAX: usize = 512 << 20;

/// What a replay has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Log entries.
    pub entries: u64,
    /// Blocks.
    pub blocks: u64,
    /// Seals.
    pub seals: u64,
    /// Records, hidden and public, in sealed rounds.
    pub records: u64,
    /// Status effects.
    pub effects: u64,
    /// Registry records.
    pub registry_records: u64,
    /// Signatures that were named to be checked.
    pub signatures: u64,
}

/// A round as it was replayed: what its blocks and its seal have changed.
#[derive(Debug)]
pub struct ReplayedRound {
    /// Its blocks, in order.
    pub blocks: Vec<Applied>,
    /// Its seal.
    pub closed: Closed,
}

/// A replay up to some entry. Memory: 16 bytes an entry, 16 more a seal, the registry, and every record with marks.
pub struct Replay {
    /// The log up to the last seal.
    state: LogState,
    entries: Entries,
    /// The blocks since then: they wait for their seal, whose time says which keys were in force.
    held: Vec<ReadBlock>,
    /// The last entry, where it is the head of a block whose public part comes next.
    head: Option<(SignedHead, Digest)>,
    /// Entries since the last seal.
    held_entries: u64,
    held_bytes: usize,
    counts: Counts,
}

impl Replay {
    /// The replay of a log before its first entry.
    pub fn new(keys: LogKeys) -> Self {
        Self {
            state: LogState::new(keys),
            entries: Entries::default(),
            held: Vec::new(),
            head: None,
            held_entries: 0,
            held_bytes: 0,
            counts: Counts::default(),
        }
    }

    /// Takes the next entry. A block waits for the seal of its round. With the seal, the signatures of the round that
    /// must hold are added to `checks`, and what the round has changed is returned. After an error the replay has
    /// ended: what comes later cannot be judged.
    pub fn apply(
        &mut self,
        prepared: Prepared,
        checks: &mut Vec<SignatureCheck>,
    ) -> Result<Option<ReplayedRound>, Contradiction> {
        let index = self.next();
        let Prepared { leaf, len, entry } = prepared;
        let read = entry.map_err(|error| Contradiction::no_entry(index, &error))?;
        let round = match (self.head.take(), read) {
            (None, Read::Head(head)) if head.has_public() => {
                self.head = Some((*head, leaf));
                self.count(index, len)?;
                None
            }
            (None, Read::Head(head)) => {
                let block = head.with_public(Public::default());
                let block = block.map_err(|error| Contradiction::other_public(index, &error))?;
                self.held.push(ReadBlock::public(block, leaf, None));
                self.count(index, len)?;
                None
            }
            (Some((head, head_leaf)), Read::Public(public)) => {
                let block = head.with_public(*public);
                let block = block.map_err(|error| Contradiction::other_public(index, &error))?;
                self.held.push(ReadBlock::public(block, head_leaf, Some(leaf)));
                self.count(index, len)?;
                None
            }
            (None, Read::Public(_)) => return Err(Contradiction::no_head(index)),
            (Some(_), Read::Head(_)) => return Err(Contradiction::no_public(index, "the head of a block")),
            (Some(_), Read::Seal(_)) => return Err(Contradiction::no_public(index, "a seal")),
            (None, Read::Seal(seal)) => {
                let before = checks.len();
                let round = self.close(&seal, leaf, checks)?;
                self.counts.signatures += (checks.len() - before) as u64;
                Some(round)
            }
        };
        self.counts.entries += 1;
        Ok(round)
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.state.size() + self.held_entries
    }

    /// Log index of the next entry.
    fn next(&self) -> LogIndex {
        LogIndex(self.size())
    }

    /// RFC 6962 root.
    pub fn root(&self) -> Digest {
        let mut frontier = self.state.frontier().clone();
        for leaf in self.held.iter().flat_map(ReadBlock::leaves).chain(self.head.as_ref().map(|(_, leaf)| *leaf)) {
            frontier.push(leaf);
        }
        frontier.root()
    }

    /// Whether the last entry was a seal: only such a log has a checkpoint.
    pub fn is_sealed(&self) -> bool {
        self.held_entries == 0 && self.state.last_seal().is_some()
    }

    /// What was seen.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The log up to the last seal.
    pub fn state(&self) -> &LogState {
        &self.state
    }

    /// Institutions with at least one block.
    pub fn issuers(&self) -> u64 {
        let chains: &Shared<_, _> = self.state.chains();
        let issuing = chains.iter().filter(|(unit, head)| !unit.institution.is_operator() && head.next_height > 0);
        issuing.map(|(unit, _)| unit.institution).collect::<BTreeSet<InstitutionId>>().len() as u64
    }

    /// Counts an entry that waits for the seal of its round.
    fn count(&mut self, index: LogIndex, len: usize) -> Result<(), Contradiction> {
        self.held_bytes += len;
        self.held_entries += 1;
        if self.held_entries > ROUND_ENTRIES_MAX || self.held_bytes > ROUND_BYTES_MAX {
            return Err(Contradiction::round_too_large(index));
        }
        Ok(())
    }

    /// Checks a round and its seal, and moves on to behind it.
    fn close(
        &mut self,
        signed: &SignedSeal,
        leaf: Digest,
        checks: &mut Vec<SignatureCheck>,
    ) -> Result<ReplayedRound, Contradiction> {
        let subject = Subject::seal(LogIndex(self.state.size()), self.next());
        let opened = self.state.open_for(signed.seal(), self.held_entries, self.held.first());
        let mut round = opened.map_err(|refusal| subject.no_seal(&refusal))?;
        let mut blocks = Vec::with_capacity(self.held.len());
        for read in &self.held {
            blocks.push(block(&mut self.entries, &mut round, read, checks)?);
        }
        let log_key = round.log_key(subject.index);
        let closed = round.close(signed, leaf).map_err(|refusal| subject.no_seal(&refusal))?;
        checks.push(SignatureCheck::seal(subject, signed, log_key));
        self.entries.keep_seal(closed.seal.index, closed.seal.time_ms);
        self.state = closed.state.clone();
        self.counts.blocks += blocks.len() as u64;
        self.counts.seals += 1;
        self.counts.records = closed.seal.records_total;
        self.counts.effects += blocks.iter().map(|applied| applied.marks.len() as u64).sum::<u64>();
        self.counts.registry_records += closed.written.len() as u64;
        self.held.clear();
        self.held_entries = 0;
        self.held_bytes = 0;
        Ok(ReplayedRound { blocks, closed })
    }
}

/// Takes the next block of a round: its place in the chain, its signer's right, and what it changes.
fn block(
    entries: &mut Entries,
    round: &mut OpenRound,
    read: &ReadBlock,
    checks: &mut Vec<SignatureCheck>,
) -> Result<Applied, Contradiction> {
    let subject = Subject::block(round.next(), read.block());
    let checked = round.check(read).map_err(|refusal| subject.does_not_follow(&refusal, read))?;
    authority::signer(&subject, round, read)?;
    if let Some(said) = read.correction() {
        let checked = entries.check_correction(&round.state().in_force().registry, &said);
        checked.map_err(|rejection| subject.breaks(&rejection))?;
    }
    let registry_key = round.registry_key();
    let applied = round.apply(checked).map_err(|refusal| subject.does_not_follow(&refusal, read))?;
    authority::effects(&subject, entries, round, read, &applied)?;
    entries.keep(applied.entry, read, round.sealed_at_ms());
    entries.keep_cleared(&applied);
    SignatureCheck::block(subject, (round.state(), registry_key), read, checks);
    Ok(applied)
}
