//! What a submitter is told when a block does not follow the chain.

use creditbank_ledger::state::{ChainError, Refusal};
use creditbank_protocol::block::BlockError;
use creditbank_rules::admission::AdmissionError;
use creditbank_rules::{Rejection, Rule};

use crate::append::SubmitError;

impl From<Refusal> for SubmitError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Origin { expected, found } => Self::Origin { expected, found },
            Refusal::Chain(error) => error.into(),
            Refusal::OperatorKey(rejection) | Refusal::Rule(rejection) => rejection.into(),
            // For a block of an institution the rules have already said this.
            Refusal::Empty => {
                let expected = "registry records or effects";
                Rejection::new(Rule::Contradiction, expected, "another block of the operator").into()
            }
            Refusal::Public(error) => Self::Block(error),
            Refusal::Canonical(error) => Self::Block(BlockError::Canonical(error)),
            Refusal::Effect { error, .. } => {
                Rejection::new(Rule::StatusForbids, "marks that allow the change", error.to_string()).into()
            }
        }
    }
}

impl From<ChainError> for SubmitError {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::UnknownUnit { unit, institution_known: false } => {
                let found = unit.institution.to_string();
                Rejection::new(Rule::UnknownInstitution, "an institution of the registry", found).into()
            }
            ChainError::UnknownUnit { unit, institution_known: true } => {
                Rejection::new(Rule::UnknownUnit, "a unit of the institution", unit.number.to_string()).into()
            }
            ChainError::Height { expected, found } => Self::Height { expected, found },
            ChainError::Previous { expected, found } => Self::Previous { expected, found },
            ChainError::CreatedAt { min, max, found } => Self::CreatedAt { min, max, found },
        }
    }
}

impl From<AdmissionError> for SubmitError {
    fn from(error: AdmissionError) -> Self {
        match error {
            AdmissionError::Rejected(rejection) => rejection.into(),
            AdmissionError::View(error) => error.into(),
        }
    }
}
