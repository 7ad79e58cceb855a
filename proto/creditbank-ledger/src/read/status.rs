//! What proves the status of records (PROTOCOL.md, section 13): which marks stand under their ids, and by whose
//! effects. Anybody may ask for any id, so nothing here looks at a record.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use creditbank_protocol::block::Slice;
use creditbank_protocol::dates::day_of_ms;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::Basis;
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::status::{Mark, Marks};
use creditbank_protocol::{Digest, InstitutionId, LogIndex};

use super::transcript::{PartPlan, PlanError, Planner, ProofView};

/// Most status ids of one question.
pub const STATUS_IDS_MAX: usize = 10_000;
/// Most blocks that one answer reads.
pub const STATUS_BLOCKS_MAX: usize = 10_000;

/// What somebody wants to know as of the last seal.
#[derive(Debug, Default)]
pub struct StatusQuestion {
    /// Of which records.
    pub status_ids: BTreeSet<Digest>,
    /// Which keys, as the registry has them.
    pub keys: BTreeSet<KeyId>,
    /// Which institutions, and who are their custodians.
    pub institutions: BTreeSet<InstitutionId>,
}

/// What proves the answer.
#[derive(Debug)]
pub struct StatusPlan {
    /// What has to be proved in the tree of the last seal's checkpoint.
    pub part: PartPlan,
    /// The marks that stand.
    pub marks: BTreeMap<Digest, Marks>,
}

/// What proves the status of records as of the last seal, and what else is asked of it.
pub fn status(view: &impl ProofView, question: &StatusQuestion) -> Result<StatusPlan, PlanError> {
    let last = view.last_seal().ok_or(PlanError::Empty)?;
    let marks: BTreeMap<Digest, Marks> = question.status_ids.iter().map(|id| (*id, view.marks_of(id))).collect();
    let mut planner = Planner::new(view, last.index);
    planner.plan.seals.insert(last.index);
    let mut keys = question.keys.clone();
    for (id, marks) in &marks {
        // A dispute is the learner's, and no block says so yet.
        for (_, entry) in marks.iter().filter(|(mark, _)| *mark != Mark::Disputed) {
            keys.extend(set_by(&mut planner, id, entry)?);
        }
    }
    let (registry, day) = (view.registry_at(last.index), day_of_ms(last.time_ms));
    let keepers = question.institutions.iter().flat_map(|subject| registry.custodians(*subject, day));
    let institutions = question.institutions.iter().copied().chain(keepers).map(RegistryKey::Institution);
    let wanted = institutions.chain(keys.into_iter().map(RegistryKey::Key));
    // Who asks may show seals from before and behind a correction of the time.
    let corrections = registry.corrections().map(|one| RegistryKey::TimeCorrection(one.first));
    for key in wanted.chain(corrections) {
        planner.want(last.index, key);
    }
    Ok(StatusPlan { part: planner.finish()?, marks })
}

/// The effects that have set a mark, and the right of a custodian who signed them. The keys that have signed and
/// approved their block.
fn set_by(planner: &mut Planner<'_, impl ProofView>, id: &Digest, entry: LogIndex) -> Result<Vec<KeyId>, PlanError> {
    if planner.plan.blocks.len() > STATUS_BLOCKS_MAX {
        return Err(PlanError::TooManyBlocks);
    }
    let (planned, seal) = planner.block(entry)?;
    let (signer, keys) = (planned.block.header().unit.institution, planned.block.head().key_ids().collect());
    // A status id stands in a block once at most.
    let slice = planned.show(|effect| effect.status_id == id.0);
    if let Some(subject) = slice.and_then(custodian_of) {
        planner.custody(seal, signer, subject);
    }
    Ok(keys)
}

/// The closed institution for which a custodian acts.
fn custodian_of(slice: Slice<'_>) -> Option<InstitutionId> {
    let authority = slice.authority?;
    (authority.basis == i32::from(Basis::Custodian)).then_some(InstitutionId(authority.institution))
}
