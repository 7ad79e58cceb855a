//! How the operator's own blocks are signed: by the registry key, and with how many approvals of other persons.

use creditbank_protocol::pb::{self, Purpose};

use super::Registry;
use super::admit::require;
use crate::{Rejection, Rule};

/// Most approvers of the operator whose keys stay in force.
const APPROVERS_MAX: usize = 16;

/// A policy asks for no more approvals than there are approvers.
pub(super) fn check(registry: &Registry, entry: pb::RegistryPolicy) -> Result<(), Rejection> {
    let approvers = registry.keys().filter(|key| is_approver(key)).count();
    let enough = usize::try_from(entry.approvals).is_ok_and(|approvals| approvals <= approvers);
    let expected = "at most as many approvals as the operator has approver keys without end: admit more of them first";
    require(enough, Rule::Contradiction, "approvals", expected, entry.approvals)
}

/// Checks a key that is about to replace or join those of the registry: enough approvers stay, and there are not too
/// many.
pub(super) fn check_key(registry: &Registry, entry: &pb::Key) -> Result<(), Rejection> {
    if entry.purpose != i32::from(Purpose::Approver) || entry.institution != 0 {
        return Ok(());
    }
    let others = registry.keys().filter(|key| is_approver(key) && key.public_key != entry.public_key).count();
    let stay = others + usize::from(is_approver(entry));
    let required = registry.policy.approvals;
    let enough = usize::try_from(required).is_ok_and(|required| required <= stay);
    let expected =
        "as many approver keys without end as the policy asks for: admit another one, or ask for fewer, first";
    require(enough, Rule::Contradiction, "revoked", expected, stay)?;
    require(stay <= APPROVERS_MAX, Rule::Contradiction, "purpose", "at most 16 approvers of the operator", stay)
}

/// Whether it is an approver of the operator that stays in force.
fn is_approver(key: &pb::Key) -> bool {
    let of_operator = key.purpose == i32::from(Purpose::Approver) && key.institution == 0;
    of_operator && key.revoked.is_none() && key.until_minute == 0
}
