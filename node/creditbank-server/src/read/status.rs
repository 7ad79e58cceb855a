//! Status proofs: the marks in the status tree under the requested ids, and whose effects set them.

use std::collections::BTreeSet;

use creditbank_ledger::read::{self, StatusPlan, StatusQuestion};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::status::Marks;
use creditbank_protocol::{Digest, pb};

use super::registry::wire;
use super::transcript::TranscriptError;
use crate::append::round::StoreView;
use crate::append::state::State;
use crate::ledger::{Ledger, Shared};

impl Ledger {
    /// The marks under status ids as of the newest checkpoint, which continues the tree of `base_size` (0: none). If
    /// keys and institutions are requested, their registry entries are added, if there are any.
    pub fn status_proof(&self, question: StatusQuestion, base_size: u64) -> Result<pb::StatusPart, TranscriptError> {
        let shared = &self.shared;
        let (context, state) = (self.context(), shared.state());
        let path = if base_size == 0 { Vec::new() } else { shared.consistency(base_size, state.head.size)? };
        let path = path.iter().map(|hash| hash.0.to_vec()).collect();
        let view = StoreView::new(&context, &state);
        let plan = read::status(&view, &registered(&state, question))?;
        shared.status_part(&state, &plan, path)
    }
}

/// The question, without the keys and institutions that the registry of the last seal does not have.
fn registered(state: &State, question: StatusQuestion) -> StatusQuestion {
    let StatusQuestion { status_ids, keys, institutions } = question;
    let last = state.head.size.saturating_sub(1);
    let entries = &state.registry_at(last).entries;
    let is_there = |key: RegistryKey| entries.contains_key(&key.digest());
    StatusQuestion {
        status_ids,
        keys: keys.into_iter().filter(|id| is_there(RegistryKey::Key(*id))).collect::<BTreeSet<_>>(),
        institutions: institutions.into_iter().filter(|id| is_there(RegistryKey::Institution(*id))).collect(),
    }
}

impl Shared {
    /// A status part in the tree of a state, with its consistency path.
    pub(super) fn status_part(
        &self,
        state: &State,
        plan: &StatusPlan,
        consistency: Vec<Vec<u8>>,
    ) -> Result<pb::StatusPart, TranscriptError> {
        let status = |(id, marks): (&Digest, &Marks)| {
            let proof = wire(id, state.log.status().prove(id));
            let is_empty = proof.siblings.is_empty() && proof.other_leaf.is_empty();
            // Canonical messages leave out what is empty.
            pb::StatusProof { status_id: id.0.to_vec(), marks: marks.to_bytes(), proof: (!is_empty).then_some(proof) }
        };
        Ok(pb::StatusPart {
            checkpoint: state.checkpoint.clone(),
            consistency,
            proofs: Some(self.tree_proofs(state, &plan.part)?),
            statuses: plan.marks.iter().map(status).collect(),
        })
    }
}
