//! What a transcript has to prove (PROTOCOL.md, section 13): which blocks, seals and registry entries whoever holds
//! nothing
//! but the file needs to check a learner's records. Only what is needed: a verifier refuses what no step of it uses.

use std::collections::BTreeSet;
use std::collections::btree_map::{self, BTreeMap};

use creditbank_protocol::block::SignedBlock;
use creditbank_protocol::dates::day_of_ms;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{Action, Basis, Effect, EffectGroup};
use creditbank_protocol::record::amends_of;
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::status::Mark;
use creditbank_protocol::{AccountId, Digest, InstitutionId, LogIndex, Place};
use creditbank_rules::admission::Used;
use creditbank_rules::{Registry, ViewError};

use super::ReadView;
use crate::state::LastSeal;

/// Most records of one transcript.
pub const TRANSCRIPT_RECORDS_MAX: usize = 10_000;

/// Most undone effects on one record of which a transcript tells.
const CLEARED_MAX: usize = 1_000;

/// A ledger that can also say where its proofs begin: its blocks, and what sealed them.
pub trait ProofView: ReadView {
    /// The seal that the log ends with, to which everything is proved; `None` of a log without entries.
    fn last_seal(&self) -> Option<LastSeal>;
    /// Log index of the seal that closes the round of an entry.
    fn seal_of(&self, entry: LogIndex) -> Result<LogIndex, ViewError>;
    /// The block whose head is at a log index.
    fn block(&self, entry: LogIndex) -> Result<SignedBlock, ViewError>;
    /// Log indices of the first `most` blocks that have cleared a mark of the record at a place.
    fn cleared(&self, place: Place, most: usize) -> Result<Vec<LogIndex>, ViewError>;
    /// The registry in force during the round that a seal closes.
    fn registry_at(&self, seal: LogIndex) -> &Registry;
    /// Where the record of a registry entry stands that is in force during the round that a seal closes.
    fn published_at(&self, seal: LogIndex, key: &RegistryKey) -> Option<Place>;
    /// The registry key of the log's beginning, which verifiers trust.
    fn registry_key(&self) -> KeyId;
}

/// What a transcript has to prove.
#[derive(Debug, Default)]
pub struct TranscriptPlan {
    /// The records, by place.
    pub records: Vec<Used>,
    /// The seals: the log's first, those of the blocks' rounds, the checkpoint's.
    pub seals: BTreeSet<LogIndex>,
    /// The blocks: those of the records, and those that say something of them.
    pub blocks: BTreeMap<LogIndex, PlannedBlock>,
    /// The registry's entries, each with the log index of the seal under whose registry root it is proved.
    pub registry: BTreeSet<(LogIndex, RegistryKey)>,
    /// Where these entries were published, and the number of the piece in the public part of its block.
    pub publications: BTreeMap<Place, usize>,
}

/// A block of a transcript.
#[derive(Debug)]
pub struct PlannedBlock {
    /// The block.
    pub block: SignedBlock,
    /// Which groups of its effects are shown, by their positions among its groups.
    pub groups: BTreeSet<usize>,
}

impl PlannedBlock {
    /// Shows the group with such an effect, and says by what right it is, and what it does.
    fn show(&mut self, is_wanted: impl Fn(&Effect) -> bool) -> Option<(Basis, Action)> {
        let groups = self.block.public().groups.iter().enumerate();
        let found = groups.into_iter().find_map(|(at, group)| {
            let effect = group.effects.iter().find(|effect| is_wanted(effect))?;
            let basis = group.authority.as_ref().map_or(0, |authority| authority.basis);
            Some((at, basis, effect.action))
        });
        let (at, basis, action) = found?;
        self.groups.insert(at);
        Some((Basis::try_from(basis).ok()?, Action::try_from(action).ok()?))
    }

    /// The shown groups, each with its number among the pieces of the public part.
    pub fn shown(&self) -> impl Iterator<Item = (usize, &EffectGroup)> {
        let public = self.block.public();
        self.groups.iter().filter_map(|at| Some((public.records.len() + at, public.groups.get(*at)?)))
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
    /// More undone effects on one record than a transcript tells of.
    #[error("more than {CLEARED_MAX} effects on the record at {0} were undone")]
    TooManyEffects(Place),
    /// A record that cannot be opened.
    #[error("no record can be read at {0}")]
    Missing(Place),
    /// The ledger could not be read.
    #[error(transparent)]
    View(#[from] ViewError),
}

impl TranscriptPlan {
    /// The records' identities in the status tree, as the subject statement lists them.
    pub fn status_ids(&self) -> impl Iterator<Item = Digest> + '_ {
        self.records.iter().map(|used| used.facts.status_id)
    }
}

/// What a transcript of a learner's records has to prove: of those of one institution, or of all. `statement_key`
/// signs its
/// subject statement.
pub fn transcript(
    view: &impl ProofView,
    account: &AccountId,
    institution: Option<InstitutionId>,
    statement_key: KeyId,
) -> Result<TranscriptPlan, PlanError> {
    let last = view.last_seal().ok_or(PlanError::Empty)?;
    let records = selected(view, account, institution, last.index)?;
    let mut planner = Planner { view, last: last.index, rounds: BTreeMap::new(), plan: TranscriptPlan::default() };
    planner.plan.seals.extend([view.seal_of(LogIndex(0))?, last.index]);
    planner.under_last(RegistryKey::Key(statement_key));
    let mut subjects = BTreeSet::new();
    for used in &records {
        planner.record(used)?;
        subjects.insert(used.facts.institution);
    }
    let (registry, day) = (view.registry_at(last.index), day_of_ms(last.time_ms));
    for keeper in subjects.into_iter().flat_map(|subject| registry.custodians(subject, day)) {
        planner.under_last(RegistryKey::Institution(keeper));
    }
    planner.publications()?;
    Ok(TranscriptPlan { records, ..planner.plan })
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
            Some(institution) => view.issuer(place)? == Some(institution),
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
    let open = |place| {
        let (facts, record) = view.content_at(place)?.ok_or(PlanError::Missing(place))?;
        Ok(Used { place, facts, record })
    };
    places.into_iter().map(open).collect()
}

struct Planner<'a, V> {
    view: &'a V,
    last: LogIndex,
    /// The seal of the round of each block of which more is shown than what it published.
    rounds: BTreeMap<LogIndex, LogIndex>,
    plan: TranscriptPlan,
}

impl<V: ProofView> Planner<'_, V> {
    fn under_last(&mut self, key: RegistryKey) {
        self.plan.registry.insert((self.last, key));
    }

    /// The block of a record and whose it is, and all that was said of it.
    fn record(&mut self, used: &Used) -> Result<(), PlanError> {
        let subject = used.facts.institution;
        let (planned, seal) = self.block(used.place.entry)?;
        let signer = planned.block.header().unit.institution;
        let amends = amends_of(used.record.kind(), used.record.body()).ok().flatten();
        if let Some(amended) = amends.and_then(|amends| amends.place).map(Place::from) {
            let replaces =
                |effect: &Effect| effect.action == i32::from(Action::Supersede) && Place::read(effect.place) == amended;
            planned.show(replaces);
        }
        self.under_last(RegistryKey::Institution(signer));
        self.under_last(RegistryKey::Institution(subject));
        if subject != signer {
            self.custody(seal, signer, subject);
        }
        self.effects(used)
    }

    /// A block, the seal of its round, and its key: as it was during the round, and as it is now, since a key that was
    /// compromised makes contested what it has signed.
    fn block(&mut self, entry: LogIndex) -> Result<(&mut PlannedBlock, LogIndex), ViewError> {
        let seal = match self.rounds.entry(entry) {
            btree_map::Entry::Occupied(known) => *known.get(),
            btree_map::Entry::Vacant(free) => *free.insert(self.view.seal_of(entry)?),
        };
        let planned = planned(self.view, &mut self.plan.blocks, entry)?;
        let key = RegistryKey::Key(planned.block.header().key_id);
        self.plan.seals.insert(seal);
        self.plan.registry.extend([(seal, key.clone()), (self.last, key)]);
        Ok((planned, seal))
    }

    /// Where each registry entry of the plan was published. Who signed there is trusted, or is in the registry too:
    /// then
    /// that entry was published in turn, by an earlier block.
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
            if !header.unit.institution.is_operator() || header.key_id != self.view.registry_key() {
                let signer = (self.view.seal_of(place.entry)?, RegistryKey::Key(header.key_id));
                self.plan.seals.insert(signer.0);
                if self.plan.registry.insert(signer.clone()) {
                    waiting.push(signer);
                }
            }
        }
        Ok(())
    }

    /// That `signer` was the custodian of `subject` during a round.
    fn custody(&mut self, seal: LogIndex, signer: InstitutionId, subject: InstitutionId) {
        self.plan.registry.extend([signer, subject].map(|number| (seal, RegistryKey::Institution(number))));
    }

    /// The blocks that supersede, revoke, confirm or redeem a record or put it under review, and those that have
    /// undone such a
    /// thing since: another record's blocks may tell of it. With the right of a custodian who signed them.
    fn effects(&mut self, used: &Used) -> Result<(), PlanError> {
        // A dispute is the learner's, and no block says so yet.
        let marks = used.facts.marks.iter().filter(|(mark, _)| *mark != Mark::Disputed).map(|(_, entry)| entry);
        let mut entries: BTreeSet<LogIndex> = marks.collect();
        let cleared = self.view.cleared(used.place, CLEARED_MAX + 1)?;
        if cleared.len() > CLEARED_MAX {
            return Err(PlanError::TooManyEffects(used.place));
        }
        entries.extend(cleared);
        // The index may be ahead of the seal.
        entries.retain(|entry| *entry <= self.last);
        for entry in entries {
            let (planned, seal) = self.block(entry)?;
            let signer = planned.block.header().unit.institution;
            // A status id stands in a block once at most. Of a release a verifier does not ask by what right it is: a
            // proof of
            // that would serve nothing.
            let done = planned.show(|effect| effect.status_id == used.facts.status_id.0);
            if done.is_some_and(|(basis, action)| basis == Basis::Custodian && action != Action::Release) {
                self.custody(seal, signer, used.facts.institution);
            }
        }
        Ok(())
    }
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
            free.insert(PlannedBlock { block: view.block(entry)?, groups: BTreeSet::new() })
        }
    })
}
