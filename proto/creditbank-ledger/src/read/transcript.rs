//! What a transcript has to prove (PROTOCOL.md, section 13): which blocks, seals and registry entries whoever holds
//! nothing but the file needs to check a learner's records. Only what is needed: a verifier refuses what no step of it
//! uses. How the records came into the log is here, what has become of them in [`status`](super::status).

use std::collections::BTreeSet;
use std::collections::btree_map::{self, BTreeMap};

use creditbank_protocol::accreditation::{covers, end_of};
use creditbank_protocol::block::{SignedBlock, Slice, slices};
use creditbank_protocol::canonical::decode;
use creditbank_protocol::dates::{Day, first_day, show};
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{Action, Credit, Date, Effect, Kind};
use creditbank_protocol::record::{amends_of, is_embargoed};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::status::Marks;
use creditbank_protocol::{AccountId, Digest, InstitutionId, LogIndex, Place};
use creditbank_rules::admission::Used;
use creditbank_rules::{Registry, ViewError};

use super::status::{StatusPlan, StatusQuestion, status};
use super::view::{lost, own_record};
use super::{ReadView, STATUS_BLOCKS_MAX};
use crate::state::LastSeal;

/// Most records of one transcript.
pub const TRANSCRIPT_RECORDS_MAX: usize = 10_000;

/// A ledger that can also say where its proofs begin: its blocks, and what sealed them.
pub trait ProofView: ReadView {
    /// The seal that the log ends with, to which everything is proved; `None` of a log without entries.
    fn last_seal(&self) -> Option<LastSeal>;
    /// Log index of the seal that closes the round of an entry.
    fn seal_of(&self, entry: LogIndex) -> Result<LogIndex, ViewError>;
    /// The block whose head is at a log index.
    fn block(&self, entry: LogIndex) -> Result<SignedBlock, ViewError>;
    /// The marks that stand under a status id, up to the last seal.
    fn marks_of(&self, status_id: &Digest) -> Marks;
    /// The registry in force during the round that a seal closes.
    fn registry_at(&self, seal: LogIndex) -> &Registry;
    /// Where the record of a registry entry stands that is in force during the round that a seal closes.
    fn published_at(&self, seal: LogIndex, key: &RegistryKey) -> Option<Place>;
    /// The blocks with which another registry key has taken over, ascending.
    fn successions(&self) -> Vec<LogIndex>;
    /// Where the log keys stand that have followed the first one, each with the first log index whose seal it signs.
    fn log_keys(&self) -> Vec<(Place, LogIndex)>;
}

/// What a transcript has to prove.
#[derive(Debug)]
pub struct TranscriptPlan {
    /// The records, by place.
    pub records: Vec<Used>,
    /// How many more there are that may not be shown yet.
    pub embargoed: usize,
    /// How they came into the log.
    pub base: PartPlan,
    /// What has become of them.
    pub status: StatusPlan,
}

/// What has to be proved in one tree.
#[derive(Debug, Default)]
pub struct PartPlan {
    /// Seals of the rounds whose registry has to be known.
    pub seals: BTreeSet<LogIndex>,
    /// The blocks by the log index of their heads.
    pub blocks: BTreeMap<LogIndex, PlannedBlock>,
    /// The registry's entries, each with the log index of the seal under whose registry root it is proved.
    pub registry: BTreeSet<(LogIndex, RegistryKey)>,
    /// Where these entries were published, and the number of the piece in the public part of its block.
    pub publications: BTreeMap<Place, usize>,
    /// The blocks with which another registry key has taken over, as far as a block of the operator needs it.
    pub successions: Vec<LogIndex>,
    /// Where the log keys stand that have followed the first one, as far as one signs a seal of the plan.
    pub log_keys: Vec<Place>,
}

/// A block of a transcript.
#[derive(Debug)]
pub struct PlannedBlock {
    /// The block.
    pub block: SignedBlock,
    /// Which slices of its effects are shown, by their positions among the slices.
    pub slices: BTreeSet<usize>,
}

impl PlannedBlock {
    /// Shows the slice with such an effect.
    pub(super) fn show(&mut self, is_wanted: impl Fn(&Effect) -> bool) -> Option<Slice<'_>> {
        let mut slices = slices(self.block.public()).enumerate();
        let (at, slice) = slices.find(|(_, slice)| slice.effects.iter().any(&is_wanted))?;
        self.slices.insert(at);
        Some(slice)
    }

    /// The shown slices, each with its number among the pieces of the public part.
    pub fn shown(&self) -> impl Iterator<Item = (usize, Slice<'_>)> {
        let public = self.block.public();
        let numbered = slices(public).enumerate().filter(|(at, _)| self.slices.contains(at));
        numbered.map(|(at, slice)| (public.records.len() + at, slice))
    }
}

/// Why there is no transcript.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PlanError {
    /// The learner has no records that the caller may read.
    #[error("there are no records for a transcript")]
    Empty,
    /// More than one file holds.
    #[error("more than {TRANSCRIPT_RECORDS_MAX} records")]
    TooMany,
    /// More blocks have set the marks than one answer tells of.
    #[error("more than {STATUS_BLOCKS_MAX} blocks have set the marks that are asked for")]
    TooManyBlocks,
    /// None may be shown yet.
    #[error("none of the records is visible yet; the next one is from {} on", show(.next))]
    NotVisible {
        /// When the next one is.
        next: Date,
    },
    /// The ledger could not be read.
    #[error(transparent)]
    View(#[from] ViewError),
}

/// What a transcript of a learner's records has to prove: of those of one institution, or of all, as far as they may be
/// shown today. `statement_key` signs its subject statement.
pub fn transcript(
    view: &impl ProofView,
    account: &AccountId,
    institution: Option<InstitutionId>,
    statement_key: KeyId,
    today: Day,
) -> Result<TranscriptPlan, PlanError> {
    let last = view.last_seal().ok_or(PlanError::Empty)?;
    let (records, embargoed) = shown(selected(view, account, institution, last.index)?, today)?;
    let mut planner = Planner::new(view, last.index);
    // The base begins with the log's first seal, and ends with the one that says of when the statement is.
    planner.plan.seals.extend([view.seal_of(LogIndex(0))?, last.index]);
    // A later end of the statement key changes nothing of the statement.
    planner.want(last.index, RegistryKey::Key(statement_key));
    let mut question = StatusQuestion { keys: BTreeSet::from([statement_key]), ..StatusQuestion::default() };
    for used in &records {
        let (signer, keys) = planner.record(used)?;
        question.status_ids.insert(used.facts.status_id);
        question.keys.extend(keys);
        question.institutions.extend([signer, used.facts.institution]);
    }
    Ok(TranscriptPlan { records, embargoed, base: planner.finish()?, status: status(view, &question)? })
}

/// The records of a transcript. One of a round behind the seal waits for the next one.
fn selected(
    view: &impl ProofView,
    account: &AccountId,
    institution: Option<InstitutionId>,
    last: LogIndex,
) -> Result<Vec<Used>, PlanError> {
    let mut places = Vec::new();
    for place in view.learner_places(account)?.into_iter().filter(|place| place.entry <= last) {
        let wanted = match institution {
            Some(institution) => view.issuer(place)?.ok_or_else(|| lost(place))? == institution,
            None => true,
        };
        if wanted && places.len() == TRANSCRIPT_RECORDS_MAX {
            return Err(PlanError::TooMany);
        }
        places.extend(wanted.then_some(place));
    }
    if places.is_empty() {
        return Err(PlanError::Empty);
    }
    let opened: Result<_, ViewError> = places.into_iter().map(|place| own_record(view, account, place)).collect();
    Ok(opened?)
}

/// The records that may be shown on a day, and how many may not.
fn shown(records: Vec<Used>, today: Day) -> Result<(Vec<Used>, usize), PlanError> {
    let (shown, embargoed): (Vec<Used>, Vec<Used>) =
        records.into_iter().partition(|used| !is_embargoed(used.visible_from().as_ref(), today));
    match embargoed.iter().filter_map(Used::visible_from).min_by_key(first_day) {
        Some(next) if shown.is_empty() => Err(PlanError::NotVisible { next }),
        _ => Ok((shown, embargoed.len())),
    }
}

/// Collects what has to be proved in one tree.
pub(super) struct Planner<'a, V> {
    view: &'a V,
    /// The newest seal of the part. An entry that is still the same under it is proved there, once for all rounds.
    newest: LogIndex,
    /// The seal of the round of each block of which more is shown than what it published.
    rounds: BTreeMap<LogIndex, LogIndex>,
    pub(super) plan: PartPlan,
}

impl<'a, V: ProofView> Planner<'a, V> {
    pub(super) fn new(view: &'a V, newest: LogIndex) -> Self {
        Self { view, newest, rounds: BTreeMap::new(), plan: PartPlan::default() }
    }

    /// An entry as it was during the round of a seal. Where it is proved, if that was not known before.
    pub(super) fn want(&mut self, seal: LogIndex, key: RegistryKey) -> Option<(LogIndex, RegistryKey)> {
        let now = self.view.published_at(self.newest, &key);
        let is_same = now.is_some() && now == self.view.published_at(seal, &key);
        let proved = (if is_same { self.newest } else { seal }, key);
        self.plan.registry.insert(proved.clone()).then_some(proved)
    }

    /// The block of a record, the one whose record it replaces, and what accredits it. Who has signed it, and the keys
    /// that have signed and approved it.
    fn record(&mut self, used: &Used) -> Result<(InstitutionId, Vec<KeyId>), PlanError> {
        let subject = used.facts.institution;
        let (planned, seal) = self.block(used.place.entry)?;
        let (signer, keys) = (planned.block.header().unit.institution, planned.block.head().key_ids().collect());
        let amends = amends_of(used.record.kind(), used.record.body()).ok().flatten();
        if let Some(amended) = amends.and_then(|amends| amends.place).map(Place::from) {
            let replaces =
                |effect: &Effect| effect.action == i32::from(Action::Supersede) && Place::read(effect.place) == amended;
            planned.show(replaces);
        }
        if subject != signer {
            self.custody(seal, signer, subject);
        }
        let registry = self.view.registry_at(seal);
        if let Some(number) = accreditation(registry, subject, used) {
            self.want(seal, RegistryKey::Accreditation(subject, number));
        }
        Ok((signer, keys))
    }

    /// A block, the seal of its round, and who has signed and approved it, as the registry had them during the round.
    pub(super) fn block(&mut self, entry: LogIndex) -> Result<(&mut PlannedBlock, LogIndex), ViewError> {
        let seal = match self.rounds.entry(entry) {
            btree_map::Entry::Occupied(known) => *known.get(),
            btree_map::Entry::Vacant(free) => *free.insert(self.view.seal_of(entry)?),
        };
        let signers = signers(&planned(self.view, &mut self.plan.blocks, entry)?.block);
        self.plan.seals.insert(seal);
        for key in signers {
            self.want(seal, key);
        }
        Ok((planned(self.view, &mut self.plan.blocks, entry)?, seal))
    }

    /// That `signer` was the custodian of `subject` during a round.
    pub(super) fn custody(&mut self, seal: LogIndex, signer: InstitutionId, subject: InstitutionId) {
        for number in [signer, subject] {
            self.want(seal, RegistryKey::Institution(number));
        }
    }

    /// The plan, with the publications of its registry entries.
    pub(super) fn finish(mut self) -> Result<PartPlan, ViewError> {
        self.publications()?;
        self.log_keys()?;
        self.successions()?;
        Ok(self.plan)
    }

    /// Who has signed the seals of the plan.
    fn log_keys(&mut self) -> Result<(), ViewError> {
        let newest = self.plan.seals.last().copied();
        let needed = self.view.log_keys().into_iter().filter(|(_, from)| newest.is_some_and(|newest| *from <= newest));
        self.plan.log_keys = needed.map(|(place, _)| place).collect();
        for place in &self.plan.log_keys {
            planned(self.view, &mut self.plan.blocks, place.entry)?;
        }
        Ok(())
    }

    /// How the registry keys have followed one another, up to the newest block of the operator in the plan.
    fn successions(&mut self) -> Result<(), ViewError> {
        let of_operator = |planned: &&PlannedBlock| planned.block.header().unit.institution.is_operator();
        let newest = self.plan.blocks.iter().rev().find(|(_, planned)| of_operator(planned)).map(|(index, _)| *index);
        let needed =
            self.view.successions().into_iter().take_while(|index| newest.is_some_and(|newest| *index <= newest));
        self.plan.successions = needed.collect();
        for index in &self.plan.successions {
            planned(self.view, &mut self.plan.blocks, *index)?;
        }
        Ok(())
    }

    /// Where each registry entry of the plan was published. Who signed there is a registry key, which is followed from
    /// the log's beginning on, or is in the registry too: then that entry was published in turn, by an earlier block.
    fn publications(&mut self) -> Result<(), ViewError> {
        let mut waiting: Vec<(LogIndex, RegistryKey)> = self.plan.registry.iter().cloned().collect();
        while let Some((seal, key)) = waiting.pop() {
            // What is not there is found out by whoever proves it.
            let Some(place) = self.view.published_at(seal, &key) else { continue };
            if self.plan.publications.contains_key(&place) {
                continue;
            }
            let planned = planned(self.view, &mut self.plan.blocks, place.entry)?;
            let header = planned.block.header();
            let records = &planned.block.public().records;
            if let Some(piece) = records.iter().position(|record| record.index == place.index) {
                self.plan.publications.insert(place, piece);
            }
            if !header.unit.institution.is_operator() {
                let signers = signers(&planned.block);
                let seal = self.view.seal_of(place.entry)?;
                self.plan.seals.insert(seal);
                waiting.extend(signers.into_iter().filter_map(|key| self.want(seal, key)));
            }
        }
        Ok(())
    }
}

/// What a verifier asks the registry of a block's signer: the key; of an institution's also itself, its unit, and its
/// approvers.
fn signers(block: &SignedBlock) -> Vec<RegistryKey> {
    let header = block.header();
    let mut keys = vec![RegistryKey::Key(header.key_id)];
    if !header.unit.institution.is_operator() {
        keys.extend([RegistryKey::Institution(header.unit.institution), RegistryKey::Unit(header.unit)]);
        let approvers = block.approvals().iter().filter_map(|approval| KeyId::from_slice(&approval.key_id));
        keys.extend(approvers.map(RegistryKey::Key));
    }
    keys
}

/// The first accreditation of an institution that covers a record.
fn accreditation(registry: &Registry, subject: InstitutionId, used: &Used) -> Option<u32> {
    let credit: Credit = (used.record.kind() == Kind::Credit).then(|| decode(used.record.body()).ok()).flatten()?;
    let end = end_of(&credit)?;
    registry.accreditations(subject).find(|entry| covers(entry, &credit, end)).map(|entry| entry.number)
}

/// A block of the plan, which is read once.
fn planned<'a>(
    view: &impl ProofView,
    blocks: &'a mut BTreeMap<LogIndex, PlannedBlock>,
    entry: LogIndex,
) -> Result<&'a mut PlannedBlock, ViewError> {
    Ok(match blocks.entry(entry) {
        btree_map::Entry::Occupied(known) => known.into_mut(),
        btree_map::Entry::Vacant(free) => {
            free.insert(PlannedBlock { block: view.block(entry)?, slices: BTreeSet::new() })
        }
    })
}
