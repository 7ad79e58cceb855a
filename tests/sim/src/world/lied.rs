//! What becomes of a lie: refused, for the reason that the protocol gives.

use creditbank_protocol::pb::Receipt;
use creditbank_server::append::SubmitError;
use creditbank_server::grpc::refusal_of;

use super::{Health, World};
use crate::liar::Outcome;
use crate::post::Call;
use crate::truth::{Broken, broken};

impl World {
    /// Judges the answer to a call. Returns whether it was a lie that must be refused.
    pub(super) fn judge_lie(&mut self, call: Call, answer: &Result<Receipt, SubmitError>) -> Result<bool, Broken> {
        let Some((what, outcome)) = self.lied.remove(&call) else { return Ok(false) };
        let (reasons, place) = match &outcome {
            Outcome::Open => return Ok(false),
            Outcome::Refused(reasons) => (*reasons, None),
            Outcome::RefusedAt(reason, height) => (std::slice::from_ref(reason), Some(*height)),
        };
        let error = match answer {
            Ok(receipt) => broken!("{what}, and it is sealed at {}", receipt.index),
            Err(error) => error,
        };
        // What says nothing of the block, only of the node.
        if is_about_the_node(error) || self.health != Health::Sound {
            return Ok(true);
        }
        let found = refusal_of(error).reason;
        // Another block may have been sealed there meanwhile; its receipt is judged with the answer.
        let is_stale = match error {
            SubmitError::Stale { height, .. } => place == Some(*height),
            _ => false,
        };
        if !is_stale && !reasons.contains(&found.as_str()) {
            broken!("{what}: refused with {found} ({error}), expected {}", reasons.join(" or "));
        }
        self.counts.lies_refused += 1;
        Ok(true)
    }
}

fn is_about_the_node(error: &SubmitError) -> bool {
    match error {
        SubmitError::Busy { .. }
        | SubmitError::HeldUp(_)
        | SubmitError::Quota(_)
        | SubmitError::NoRoom { .. }
        | SubmitError::Clock(_)
        | SubmitError::Displaced
        | SubmitError::LogKeyMissing(_)
        | SubmitError::Unreadable(_)
        | SubmitError::Stopped(_) => true,
        SubmitError::Block(_)
        | SubmitError::Record { .. }
        | SubmitError::Origin { .. }
        | SubmitError::Rule(_)
        | SubmitError::Stale { .. }
        | SubmitError::Height { .. }
        | SubmitError::Previous { .. }
        | SubmitError::CreatedAt { .. } => false,
    }
}
