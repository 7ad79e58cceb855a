//! Building a round: blocks in order, one after the other, each whole or not at all; then the seal.

mod bodies;
mod pending;
mod seal;
mod view;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use creditbank_protocol::block::Header;
use creditbank_protocol::key::{KeyId, within_dates};
use creditbank_protocol::merkle::Frontier;
use creditbank_protocol::pb::{Action, Effect, Kind, Place, Purpose, RegistryEntry};
use creditbank_protocol::record::{Record, info_of};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::status::Marks;
use creditbank_protocol::{Digest, LogIndex};
use creditbank_rules::admission::{AdmissionError, Admitted, BlockFacts, admit_block, admit_operator_effects};
use creditbank_rules::{RULES_VERSION, Registry, RegistryRecord, Rejection, Rule};
use creditbank_store::{EntryWrite, KeyStore, Node, Row, Store};

pub(crate) use bodies::Bodies;
pub(crate) use pending::{Pending, Unsettled};
pub(crate) use seal::{Sealed, SealedRound};
pub(crate) use view::{RoundView, StoreView, StoredRecord, mark_names};

use crate::append::courses::Courses;
use crate::append::state::{State, written};
use crate::append::{SubmitError, VerifiedBlock};
use crate::clock::Entropy;
use crate::ledger::Shared;
use crate::private::{Account, PrivateKeys};
use crate::tables::{self, ChainHead, CoursePrefix, LearnerRow};

/// Blocks are created within a day of their seal.
const DAY_MINUTES: u64 = 24 * 60;

/// What the append path works with.
pub(crate) struct Context<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) keys: &'a KeyStore,
    pub(crate) private: &'a PrivateKeys,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) courses: &'a Courses,
    /// The round before, while it is on its way to the disk.
    pub(crate) pending: Option<&'a Pending>,
}

/// A round that is being built on `state`. Nothing is written until it is sealed and appended.
pub(crate) struct RoundBuilder {
    shared: Arc<Shared>,
    state: Arc<State>,
    /// The round before, until it is on the disk.
    pending: Option<Arc<Pending>>,
    /// Time of the seal.
    now_ms: u64,
    frontier: Frontier,
    entries: Vec<EntryWrite>,
    bodies: Vec<Bodies>,
    nodes: Vec<Node>,
    rows: Vec<Row>,
    chains: BTreeMap<(u64, u32), ChainHead>,
    /// The learners of the block that is being placed, in order; `None` for what it publishes.
    accounts: Vec<Option<Account>>,
    /// Rows of the round by account and course, for the rules.
    learners: HashMap<CoursePrefix, Vec<LearnerRow>>,
    marks: BTreeMap<(u64, u32), (Digest, Marks)>,
    /// Records of the round by what they stand on.
    dependants: BTreeMap<(u64, u32), Vec<Place>>,
    /// The registry with the changes of the round, which act from the next one.
    registry: Option<Registry>,
    registry_changes: Vec<(Digest, RegistryEntry)>,
    records: u64,
    bytes: usize,
}

/// What became of a block.
pub(crate) enum Placed {
    /// It has a new log index.
    New(u64),
    /// The same block has this log index already.
    Known(u64),
}

impl Placed {
    /// The same, seen from a later round.
    pub(crate) fn into_known(self) -> Self {
        let (Self::New(index) | Self::Known(index)) = self;
        Self::Known(index)
    }
}

impl RoundBuilder {
    pub(crate) fn new(shared: Arc<Shared>, state: Arc<State>, pending: Option<Arc<Pending>>, now_ms: u64) -> Self {
        let frontier = state.frontier.clone();
        Self {
            shared,
            state,
            pending,
            now_ms,
            frontier,
            entries: Vec::new(),
            bodies: Vec::new(),
            nodes: Vec::new(),
            rows: Vec::new(),
            chains: BTreeMap::new(),
            accounts: Vec::new(),
            learners: HashMap::new(),
            marks: BTreeMap::new(),
            dependants: BTreeMap::new(),
            registry: None,
            registry_changes: Vec::new(),
            records: 0,
            bytes: 0,
        }
    }

    /// Bytes of entries and bodies so far.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn context(&self) -> Context<'_> {
        Context { pending: self.pending.as_deref(), ..self.shared.context() }
    }

    /// The round before is on the disk: what lies in it can be read.
    pub(crate) fn settled(&mut self) {
        self.pending = None;
    }

    /// Admits a block, or says why not; a refused block leaves the round as it was. The error gives the block back: what
    /// becomes of it is known once the round before is [`settled`](Self::settled).
    pub(crate) fn place(
        &mut self,
        mut verified: Box<VerifiedBlock>,
    ) -> Result<Result<Placed, SubmitError>, Box<VerifiedBlock>> {
        let placed = self.try_place(&mut verified);
        match &self.pending {
            Some(pending) if pending.take_asked() => Err(verified),
            _ => Ok(placed),
        }
    }

    /// Takes entry and records out of the block when it is admitted.
    fn try_place(&mut self, verified: &mut VerifiedBlock) -> Result<Placed, SubmitError> {
        let header = verified.block.header();
        if let Some(known) = self.check_chain(header, &verified.entry)? {
            return Ok(Placed::Known(known));
        }
        let entry = self.frontier.size();
        let facts = BlockFacts {
            unit: header.unit,
            key_id: header.key_id,
            approver: verified.block.approval().and_then(|approval| KeyId::from_slice(&approval.key_id)),
            sealed_at_ms: self.now_ms,
            rules_version: RULES_VERSION,
            records: &verified.records,
            groups: &verified.block.public().groups,
        };
        // Everything that can refuse comes before anything that changes the round.
        if header.unit.institution.is_operator() {
            self.check_registry_key(header)?;
            if verified.records.is_empty() && facts.groups.is_empty() || facts.approver.is_some() {
                let expected = "registry records or effects, and no approval";
                return Err(Rejection::new(Rule::Contradiction, expected, "another block of the operator").into());
            }
            admit_operator_effects(&RoundView::new(self, &self.context()), &facts).map_err(refused)?;
            self.check_settled()?;
            let effects = self.effects(verified, entry)?;
            self.place_registry(&facts, verified, entry)?;
            self.place_effects(effects);
        } else {
            let admitted = admit_block(&RoundView::new(self, &self.context()), &facts).map_err(refused)?;
            self.check_settled()?;
            let effects = self.effects(verified, entry)?;
            self.place_registry(&facts, verified, entry)?;
            self.place_records(&verified.records, &admitted, header, entry);
            self.place_effects(effects);
        }
        for effect in facts.groups.iter().flat_map(|group| &group.effects) {
            if matches!(effect.action(), Action::Release | Action::CloseReview) {
                self.rows.push(tables::cleared(effect.place.unwrap_or_default(), entry));
            }
        }
        let unit = (header.unit.institution.0, header.unit.number);
        let head = ChainHead {
            next_height: header.height + 1,
            previous: header.id(),
            entry,
            created_at_minute: header.created_at_minute,
        };
        self.rows.push(tables::block(header.unit.institution.0, header.unit.number, header.height, entry));
        self.chains.insert(unit, head);
        self.records += verified.records.len() as u64;
        let (institution, leaf) = (header.unit.institution.0, verified.leaf);
        self.append_entry(std::mem::take(&mut verified.entry), leaf, entry);
        if institution != 0 {
            self.keep_bodies(std::mem::take(&mut verified.records), entry);
        }
        Ok(Placed::New(entry))
    }

    /// Refuses for the time being when an answer needed the round before on the disk.
    fn check_settled(&self) -> Result<(), SubmitError> {
        match &self.pending {
            Some(pending) if pending.is_asked() => Err(SubmitError::Stopped(Unsettled.to_string())),
            _ => Ok(()),
        }
    }

    fn chain(&self, unit: (u64, u32)) -> Option<ChainHead> {
        self.chains.get(&unit).or_else(|| self.state.chains.get(&unit)).copied()
    }

    /// Height, previous hash and time against the head of the chain; the log index of the same block, if it is known.
    fn check_chain(&self, header: &Header, entry: &[u8]) -> Result<Option<u64>, SubmitError> {
        let Some(head) = self.chain((header.unit.institution.0, header.unit.number)) else {
            let rule = if self.state.registry().registry.institution(header.unit.institution).is_none() {
                Rejection::new(
                    Rule::UnknownInstitution,
                    "an institution of the registry",
                    header.unit.institution.0.to_string(),
                )
            } else {
                Rejection::new(Rule::UnknownUnit, "a unit of the institution", header.unit.number.to_string())
            };
            return Err(rule.into());
        };
        if header.height < head.next_height {
            return self.known_block(header, entry).map(Some);
        }
        if header.height > head.next_height {
            return Err(SubmitError::Height { expected: head.next_height, found: header.height });
        }
        if header.previous != head.previous {
            return Err(SubmitError::Previous { expected: head.previous, found: header.previous });
        }
        let now = self.now_ms / 60_000;
        let (min, max) = (head.created_at_minute.max(now.saturating_sub(DAY_MINUTES)), now + DAY_MINUTES);
        if (min..=max).contains(&header.created_at_minute) {
            Ok(None)
        } else {
            Err(SubmitError::CreatedAt { min, max, found: header.created_at_minute })
        }
    }

    /// The registry key as it is in force. The first block of a log admits the key that signs it.
    fn check_registry_key(&self, header: &Header) -> Result<(), Rejection> {
        if self.state.head.size == 0 && self.entries.is_empty() {
            return Ok(());
        }
        let found = header.key_id.to_string();
        let key = self.state.registry().registry.key(&header.key_id);
        let key = key.ok_or_else(|| Rejection::new(Rule::UnknownKey, "a key of the registry", &found))?;
        let minute = self.now_ms / 60_000;
        if key.purpose != i32::from(Purpose::Registry) || header.unit.number != 0 {
            Err(Rejection::new(Rule::NotTheOperator, "the operator's registry key and unit 0", found))
        } else if key.revoked.is_some() {
            Err(Rejection::new(Rule::KeyRevoked, "a key that is not revoked", found))
        } else if !within_dates(key, minute) {
            Err(Rejection::new(Rule::KeyNotInForce, "a key in force at the time of the seal", found))
        } else {
            Ok(())
        }
    }

    /// The log index of the block at the header's height, if it is the same one.
    fn known_block(&self, header: &Header, entry: &[u8]) -> Result<u64, SubmitError> {
        let unreadable = |why: &dyn std::fmt::Display| SubmitError::Unreadable(why.to_string());
        // The block may stand in the round before: a repeat is rare enough to wait for the disk.
        if let Some(pending) = &self.pending {
            return Err(SubmitError::Stopped(pending.unsettled().to_string()));
        }
        let key = tables::block_key(header.unit.institution.0, header.unit.number, header.height);
        let pending = self.rows.iter().find(|row| row.table == tables::BLOCK && row.key == key);
        let value = match pending {
            Some(row) => row.value.clone(),
            None => self.shared.store.get(tables::BLOCK, &key).map_err(|error| unreadable(&error))?,
        };
        let index = value.as_deref().and_then(tables::index_of);
        let index = index.ok_or_else(|| unreadable(&"the index has no row for an accepted block"))?;
        let bytes = match index.checked_sub(self.state.head.size) {
            Some(new) => {
                usize::try_from(new).ok().and_then(|new| self.entries.get(new)).map(|write| write.entry.clone())
            }
            None => Some(self.shared.store.entry(index).map_err(|error| unreadable(&error))?),
        };
        // The same bytes, approval and signature included: another approval is another block.
        if bytes.as_deref() == Some(entry) {
            return Ok(index);
        }
        // The receipt is filled in by the sequencer, which knows the round.
        Err(SubmitError::Stale { height: header.height, accepted: Box::new(receipt_at(index)) })
    }

    fn append_entry(&mut self, entry: Vec<u8>, leaf: Digest, index: u64) {
        let completed = self.frontier.push(leaf);
        self.nodes.extend(completed.iter().map(|node| Node { level: node.level, index: node.index, hash: node.hash }));
        debug_assert_eq!(self.state.head.size + self.entries.len() as u64, index, "entries come in order");
        self.bytes += entry.len();
        self.entries.push(EntryWrite { entry, bodies: Vec::new() });
    }

    /// Keeps the records of the block that was placed last; they are encrypted when the round is written.
    fn keep_bodies(&mut self, records: Vec<Record>, entry: u64) {
        let accounts = std::mem::take(&mut self.accounts);
        let bodies = Bodies { position: self.entries.len() - 1, entry, records, accounts };
        self.bytes += bodies.bytes();
        self.bodies.push(bodies);
    }

    /// Makes the learners' rows.
    fn place_records(&mut self, records: &[Record], admitted: &[Option<Admitted>], header: &Header, entry: u64) {
        let shared = Arc::clone(&self.shared);
        let private = &shared.private;
        self.accounts = admitted.iter().map(|admitted| admitted.as_ref().map(|admitted| admitted.account)).collect();
        let institution = private.of(header.unit.institution.0);
        for (index, (record, admitted)) in (0u32..).zip(records.iter().zip(admitted)) {
            let Some(admitted) = admitted else { continue };
            let place = Place { entry, index };
            if admitted.kind == Kind::Application {
                self.rows.push(tables::application(admitted.institution.0, place));
            }
            for source in &admitted.depends_on {
                self.rows.push(tables::dependant((*source).into(), place));
                self.dependants.entry((source.entry.0, source.index)).or_default().push(place);
            }
            let course = match admitted.institution.0 {
                own if own == header.unit.institution.0 => institution.course_digest(&admitted.course),
                kept => private.of(kept).course_digest(&admitted.course),
            };
            let prefix = tables::course_prefix(&admitted.account, course);
            let hash_prefix = std::array::from_fn(|i| record.hash().0[i]);
            let repeats_max = u8::try_from(admitted.repeats_max).unwrap_or(u8::MAX);
            let row = LearnerRow { place, hash_prefix, kind: admitted.kind, repeats_max };
            self.rows.push(row.row(&prefix));
            self.learners.entry(prefix).or_default().push(row);
        }
    }

    /// What the effects of a block that the rules have admitted make of the marks.
    fn effects(&self, verified: &VerifiedBlock, entry: u64) -> Result<Vec<(Place, Digest, Marks)>, SubmitError> {
        let after = |effect: &Effect| {
            let place = effect.place.unwrap_or_default();
            let id = Digest::from_slice(&effect.status_id).unwrap_or(Digest::ZERO);
            let action = Action::try_from(effect.action).unwrap_or_default();
            let marks =
                self.marks_at(place).after(action, entry, effect.redemption_plus_1.checked_sub(1).map(LogIndex));
            let expected = "marks that allow the change";
            let marks = marks.map_err(|error| Rejection::new(Rule::StatusForbids, expected, error.to_string()))?;
            Ok((place, id, marks))
        };
        verified.block.public().groups.iter().flat_map(|group| &group.effects).map(after).collect()
    }

    fn place_effects(&mut self, effects: Vec<(Place, Digest, Marks)>) {
        for (place, id, marks) in effects {
            self.rows.push(tables::status(place, &id, &marks));
            self.marks.insert((place.entry, place.index), (id, marks));
        }
    }

    fn marks_at(&self, place: Place) -> Marks {
        let pending = self.marks.get(&(place.entry, place.index)).map(|(_, marks)| *marks);
        pending.unwrap_or_else(|| self.state.marks(place))
    }

    /// Admits the public records of a block: all of the operator's, and what an institution publishes. They see the changes of
    /// the round before them; learners' records do not, as changes act from the next round.
    fn place_registry(
        &mut self,
        facts: &BlockFacts<'_>,
        verified: &VerifiedBlock,
        entry: u64,
    ) -> Result<(), SubmitError> {
        let operator = facts.unit.institution.is_operator();
        let is_public = |record: &Record| info_of(record.kind()).is_some_and(|info| info.public);
        if !operator && !facts.records.iter().any(is_public) {
            return Ok(());
        }
        let mut registry = self.registry.clone().unwrap_or_else(|| (*self.state.registry().registry).clone());
        let mut changes = Vec::new();
        let mut chains = Vec::new();
        let mut rows = Vec::new();
        for (index, record) in (0u32..).zip(facts.records) {
            if !operator && !is_public(record) {
                continue;
            }
            if operator && !info_of(record.kind()).is_some_and(|info| info.operator) {
                let found = record.kind().as_str_name();
                return Err(Rejection::new(Rule::NotTheOperator, "a registry record", found).record(index).into());
            }
            let (kind, body, sealed_at_ms) = (record.kind(), record.body(), facts.sealed_at_ms);
            let record_of = RegistryRecord { kind, body, institution: facts.unit.institution, sealed_at_ms };
            let key = registry.admit(record_of).map_err(|rejection| rejection.record(index))?;
            if let RegistryKey::Unit(unit) = key
                && self.chain((unit.institution.0, unit.number)).is_none()
            {
                chains.push((unit.institution.0, unit.number));
            }
            let place = Place { entry, index };
            let body = record.body().to_vec();
            let version = u32::from(record.version());
            changes.push((
                key.digest(),
                RegistryEntry { kind: record.kind().into(), version, body, place: written(place) },
            ));
            rows.push(tables::registry(place));
        }
        for unit in chains {
            // A unit's chain begins with the leaf hash of the entry that admitted it.
            let head = ChainHead { next_height: 0, previous: verified.leaf, entry, created_at_minute: 0 };
            self.chains.insert(unit, head);
        }
        self.rows.extend(rows);
        // A block of effects alone changes no version.
        if !changes.is_empty() {
            self.registry = Some(registry);
        }
        self.registry_changes.extend(changes);
        Ok(())
    }
}

/// A receipt that says no more than where the entry is.
fn receipt_at(index: u64) -> creditbank_protocol::pb::Receipt {
    creditbank_protocol::pb::Receipt { index, ..Default::default() }
}

fn refused(error: AdmissionError) -> SubmitError {
    match error {
        AdmissionError::Rejected(rejection) => rejection.into(),
        AdmissionError::View(error) => SubmitError::Unreadable(error.to_string()),
    }
}
