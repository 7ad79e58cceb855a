//! Agreements: proposal, acceptance, ending.

use creditbank_protocol::pb;

use super::{Registry, RegistryRecord};
use crate::{Rejection, Rule};

/// One version of an agreement.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// What one party proposed.
    pub proposal: pb::AgreementProposal,
    /// That the other accepted it.
    pub acceptance: Option<pb::AgreementAcceptance>,
    /// The notice of its ending.
    pub ending: Option<pb::AgreementEnding>,
}

impl Agreement {
    /// The text.
    pub fn terms(&self) -> &pb::AgreementTerms {
        self.proposal.terms.as_ref().expect("admission has seen that there are terms")
    }
}

pub(super) fn proposal(_: &Registry, _: RegistryRecord<'_>, _: &pb::AgreementProposal) -> Result<(), Rejection> {
    Ok(())
}

pub(super) fn acceptance(
    registry: &Registry,
    _: RegistryRecord<'_>,
    acceptance: pb::AgreementAcceptance,
) -> Result<Agreement, Rejection> {
    let name = acceptance.agreement.clone().unwrap_or_default();
    let found = registry.agreement(&name.code, name.version).cloned();
    let found = found.ok_or_else(|| Rejection::new(Rule::UnknownReference, "a proposed agreement", name.code))?;
    Ok(Agreement { acceptance: Some(acceptance), ..found })
}

pub(super) fn ending(
    registry: &Registry,
    _: RegistryRecord<'_>,
    ending: pb::AgreementEnding,
) -> Result<Agreement, Rejection> {
    let name = ending.agreement.clone().unwrap_or_default();
    let found = registry.agreement(&name.code, name.version).cloned();
    let found = found.ok_or_else(|| Rejection::new(Rule::UnknownReference, "an agreement", name.code))?;
    Ok(Agreement { ending: Some(ending), ..found })
}
