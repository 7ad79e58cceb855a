//! A round that is open: blocks in order, each whole or not at all; then the seal.

use std::collections::BTreeSet;

use creditbank_protocol::merkle::StoredNode;
use creditbank_protocol::once;
use creditbank_protocol::record::Record;
use creditbank_protocol::seal::{Seal, SignedSeal};
use creditbank_protocol::status::Marks;
use creditbank_protocol::{Digest, LogIndex, UnitId};
use creditbank_rules::admission::{BlockFacts, check_approvals};
use creditbank_rules::{Rejection, Rule};

use super::seal::{check_beginning, check_end};
use super::{ChainError, ChainHead, LastSeal, LogState, MarkChange, ReadBlock, Refusal, Registration};
use super::{SealRefusal, Written, correction, marks, operator};

/// A round on top of a [`LogState`], which stays as it is.
#[derive(Debug)]
pub struct OpenRound {
    /// The state that the round opened on, with what its blocks have changed: chains, marks, uses and tree. Registry
    /// and last
    /// seal are still those of before; the status tree follows with the seal.
    state: LogState,
    /// Log index of the first entry.
    first: LogIndex,
    /// Time that the seal will name.
    sealed_at_ms: u64,
    /// The registry records so far.
    registration: Option<Registration>,
    /// Units whose heads have moved, and records whose marks have changed.
    moved: BTreeSet<UnitId>,
    marked: Vec<Digest>,
    records: u64,
}

/// A block that continues its chain, in the round as it was when it was checked.
#[derive(Debug)]
pub struct Checked<'a> {
    block: &'a ReadBlock,
    entry: LogIndex,
}

/// What a block has changed.
#[derive(Debug)]
pub struct Applied {
    /// Log index of the block: of its head.
    pub entry: LogIndex,
    /// Whose chain it continues, and the new head.
    pub chain: (UnitId, ChainHead),
    /// The chains of the units that it admits.
    pub begun: Vec<(UnitId, ChainHead)>,
    /// Registry entries that it writes. They act from the next round on.
    pub written: Vec<Written>,
    /// Marks that its effects set or clear, in the order of the effects.
    pub marks: Vec<MarkChange>,
    /// What it has used up.
    pub used: Vec<Digest>,
    /// Tree nodes that the entry completes.
    pub nodes: Vec<StoredNode>,
    /// Its records, hidden and public.
    pub records: u32,
}

/// What a seal has changed.
#[derive(Debug)]
pub struct Closed {
    /// The log with the round.
    pub state: LogState,
    /// The seal.
    pub seal: LastSeal,
    /// The newest head of every chain that has moved or was begun in the round.
    pub chains: Vec<(UnitId, ChainHead)>,
    /// The registry entries that the round has written, in order. Where there are none, the registry stays in force.
    pub written: Vec<Written>,
    /// Tree nodes that the entry of the seal completes.
    pub nodes: Vec<StoredNode>,
}

impl LogState {
    /// Opens the next round, whose seal will name this time.
    pub fn open(&self, sealed_at_ms: u64) -> OpenRound {
        OpenRound {
            state: self.clone(),
            first: LogIndex(self.size()),
            sealed_at_ms,
            registration: None,
            moved: BTreeSet::new(),
            marked: Vec::new(),
            records: 0,
        }
    }

    /// Opens the next round as its seal says, whose blocks have as many entries; what can be seen before the blocks
    /// must hold. `first` is the first of them: with it the log may go on under another origin.
    pub fn open_for(&self, seal: &Seal, entries: u64, first: Option<&ReadBlock>) -> Result<OpenRound, SealRefusal> {
        let earliest = self.earliest_ms();
        let origin = first.and_then(ReadBlock::log_succession).map(|said| said.new_origin.clone());
        let expected = self.expected_seal(LogIndex(self.size() + entries), earliest);
        let origin = origin.unwrap_or_else(|| expected.origin.clone());
        check_beginning(&Seal { origin, ..expected }, seal)?;
        Ok(self.open(seal.time_ms))
    }
}

impl OpenRound {
    /// Log index of the next entry.
    pub fn next(&self) -> LogIndex {
        LogIndex(self.state.size())
    }

    /// The state with the blocks so far; its registry is the one in force during the round.
    pub fn state(&self) -> &LogState {
        &self.state
    }

    /// The registry key that signs the operator's next block: a succession acts at once.
    pub fn registry_key(&self) -> [u8; 32] {
        let changed = self.registration.as_ref().and_then(|registration| registration.registry().authority());
        let authority = changed.or_else(|| self.state.in_force.registry.authority());
        authority.map_or(self.state.keys.registry_key, |authority| authority.key)
    }

    /// The name that the log has, with the blocks so far.
    pub fn origin(&self) -> &str {
        self.registration.as_ref().map_or(&*self.state.in_force.registry, Registration::registry).origin()
    }

    /// Whether the round corrects the time: then it has one block.
    fn is_correcting(&self) -> bool {
        let before = self.state.in_force.registry.corrections().count();
        self.registration.as_ref().is_some_and(|now| now.registry().corrections().count() > before)
    }

    /// The log key that signs the seal at a log index. What the round has admitted counts: a log key may begin with the
    /// seal of the round that admits it.
    pub fn log_key(&self, seal: LogIndex) -> [u8; 32] {
        let registry = self.registration.as_ref().map_or(&*self.state.in_force.registry, Registration::registry);
        registry.log_keys().map_or(self.state.keys.log_key, |log_keys| log_keys.at(seal))
    }

    /// Time that the seal will name.
    pub fn sealed_at_ms(&self) -> u64 {
        self.sealed_at_ms
    }

    /// The marks that stand under a status id, with the blocks so far.
    pub fn marks_of(&self, status_id: &Digest) -> Marks {
        self.state.marks_of(status_id)
    }

    /// What the rules look at of a block of this round; `records` are all records of the block, or none. Whoever has
    /// them adds the places that do not show.
    pub fn facts<'a>(&'a self, block: &'a ReadBlock, records: &'a [Record]) -> BlockFacts<'a> {
        let header = block.block().header();
        BlockFacts {
            unit: header.unit,
            key_id: header.key_id,
            approvals: block.approvals(),
            created_at_minute: header.created_at_minute,
            sealed_at_ms: block.correction().map_or(self.sealed_at_ms, |said| said.bound_ms),
            records,
            groups: &block.block().public().groups,
            once: &self.state.once,
        }
    }

    /// Whether a block is the next of its chain; of the operator's, also whether its key is in force.
    pub fn check<'a>(&self, block: &'a ReadBlock) -> Result<Checked<'a>, Refusal> {
        let header = block.block().header();
        let (in_force, unit) = (&self.state.in_force, block.unit());
        // Its registry is still that of the old origin, by which others would be judged.
        if self.origin() != self.state.origin() {
            let expected = "the seal: the round of a succession of the log has its block alone";
            return Err(Rejection::new(Rule::Contradiction, expected, "another block").into());
        }
        // The block with which the log goes on under another origin bears that one.
        let origin = block.log_succession().map_or(self.state.origin(), |said| said.new_origin.as_str());
        if header.origin != origin {
            return Err(Refusal::Origin { expected: origin.to_owned(), found: header.origin.clone() });
        }
        let Some(head) = self.state.chain(unit) else {
            let institution_known = in_force.registry.institution(unit.institution).is_some();
            return Err(ChainError::UnknownUnit { unit, institution_known }.into());
        };
        let before = in_force.registry.counted_minute(head.entry, head.created_at_minute);
        let head = ChainHead { created_at_minute: before, ..head };
        match block.correction() {
            // It is as if the round were sealed at the bound: nobody dates a block by the wrong clock any more.
            Some(said) => correction::as_of(&head, said.bound_minute()).check(header, said.bound_ms)?,
            None => head.check(header, self.sealed_at_ms)?,
        }
        if self.is_correcting() {
            return Err(correction::alone().into());
        }
        if block.is_operators() {
            let checked = operator::check_key(self.registry_key(), &in_force.registry, block);
            checked.map_err(Refusal::OperatorKey)?;
            // A succession is also what is left when approvers are gone or have been stolen.
            if block.successor().is_none() {
                check_approvals(&in_force.registry, &self.facts(block, &[]))?;
            }
            if let Some(said) = block.correction() {
                correction::check(self, block, said)?;
            }
        }
        Ok(Checked { block, entry: self.next() })
    }

    /// Moves the round on by a block that was checked against it as it is now. A refused block leaves the round as it
    /// was.
    ///
    /// # Panics
    /// When another block was applied since the check.
    pub fn apply(&mut self, checked: Checked<'_>) -> Result<Applied, Refusal> {
        let Checked { block: read, entry } = checked;
        assert_eq!(entry, self.next(), "a block is applied to the round that it was checked against");
        let (block, header) = (read.block(), read.block().header());
        // Everything that can refuse comes before anything that changes the round.
        if header.count == 0 && block.public().groups.is_empty() {
            return Err(Refusal::Empty);
        }
        if read.is_operators() {
            operator::check_content(read)?;
            self.check_log_succession(read)?;
        }
        read.check_public().map_err(Refusal::Public)?;
        let marks = marks::changes(&self.state.marks, block.public(), entry)?;
        // A block without public records changes no version of the registry.
        let written = if block.public().records.is_empty() {
            Vec::new()
        } else {
            let registration = self.registration.take();
            let mut registration = registration.unwrap_or_else(|| Registration::new(&self.state.in_force));
            let admitted = registration.admit(block, entry, self.sealed_at_ms).map(<[Written]>::to_vec);
            self.registration = Some(registration);
            admitted?
        };

        // Whether it was free to be used the rules have said, with the same set.
        let mut used = once::uses(block);
        used.retain(|one| self.state.once.use_up(*one));
        for change in &marks {
            self.state.marks.insert_mut(change.status_id, change.after);
            self.marked.push(change.status_id);
        }
        let mut begun = Vec::new();
        for unit in written.iter().filter_map(|one| one.unit) {
            if self.state.chain(unit).is_none() {
                // A unit's chain begins with the leaf hash of the head of the block that admitted it.
                begun.push((unit, ChainHead::beginning(read.leaf(), entry)));
                self.state.chains.insert_mut(unit, ChainHead::beginning(read.leaf(), entry));
                self.moved.insert(unit);
            }
        }
        let chain = (read.unit(), ChainHead::behind(header, read.id(), entry));
        self.state.chains.insert_mut(chain.0, chain.1);
        self.moved.insert(chain.0);
        self.records += u64::from(header.count);
        let nodes = read.leaves().flat_map(|leaf| self.state.frontier.push(leaf)).collect();
        Ok(Applied { entry, chain, begun, written, marks, used, nodes, records: header.count })
    }

    /// The log goes on under another origin directly behind a seal, from the tree that is there.
    fn check_log_succession(&self, read: &ReadBlock) -> Result<(), Refusal> {
        let Some(said) = read.log_succession() else { return Ok(()) };
        let refuse = |field, expected: String, found: String| {
            Err(Rejection::new(Rule::Contradiction, expected, found).field(field).record(0).into())
        };
        if self.next() != self.first {
            return refuse("size", "the first block behind a seal".to_owned(), self.next().to_string());
        }
        let root = self.state.frontier.root();
        if root.0[..] != said.root[..] {
            let found =
                Digest::from_slice(&said.root).map_or_else(|| "other bytes".to_owned(), |root| root.to_string());
            return refuse("root", root.to_string(), found);
        }
        Ok(())
    }

    /// What the seal of the round must say.
    pub fn draft_seal(&mut self) -> Seal {
        if !self.marked.is_empty() {
            let marked = std::mem::take(&mut self.marked).into_iter();
            let leaves = marked.map(|id| marks::leaf(id, &self.state.marks_of(&id)));
            self.state.status = self.state.status.update(leaves);
        }
        Seal {
            first_index: self.first,
            origin: self.origin().to_owned(),
            records_total: self.state.records_total() + self.records,
            ..self.state.expected_seal(self.next(), self.sealed_at_ms)
        }
    }

    /// Closes the round. `leaf` is the leaf hash of the seal's entry.
    pub fn close(mut self, signed: &SignedSeal, leaf: Digest) -> Result<Closed, SealRefusal> {
        let expected = self.draft_seal();
        check_beginning(&expected, signed.seal())?;
        check_end(&expected, signed.seal())?;
        let earliest = self.state.earliest_ms();
        if expected.time_ms < earliest || signed.seal().time_ms != expected.time_ms {
            let (min, found) = (expected.time_ms.max(earliest), signed.seal().time_ms);
            return Err(SealRefusal::Time { min, found });
        }
        let Self { mut state, registration, moved, .. } = self;
        let nodes = state.frontier.push(leaf);
        let Seal { index, time_ms, records_total, .. } = expected;
        let seal = LastSeal { id: signed.id(), index, time_ms, records_total };
        state.last_seal = Some(seal);
        let mut written = Vec::new();
        if let Some(registration) = registration {
            (state.in_force, written) = registration.finish(&state.in_force);
        }
        let chains = moved.into_iter().filter_map(|unit| Some((unit, state.chain(unit)?))).collect();
        Ok(Closed { state, seal, chains, written, nodes })
    }
}
