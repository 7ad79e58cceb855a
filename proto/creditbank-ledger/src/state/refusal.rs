//! Why a block does not follow.

use creditbank_protocol::block::BlockError;
use creditbank_protocol::canonical::CanonicalError;
use creditbank_rules::Rejection;

use super::{ChainError, EffectError};

/// Why a block does not follow on what is there. In order of precedence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It belongs to another log.
    #[error("the block's origin is {found}, this log is {expected}")]
    Origin {
        /// This log.
        expected: String,
        /// The block's.
        found: String,
    },
    /// It is not the next of its chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The operator's key is not the one in force.
    #[error("{0}")]
    OperatorKey(Rejection),
    /// It says nothing.
    #[error("expected a record or an effect, found nothing")]
    Empty,
    /// The public records are not the ones that were signed.
    #[error("public records: {0}")]
    Public(BlockError),
    /// The registry does not admit a record.
    #[error(transparent)]
    Rule(#[from] Rejection),
    /// A registry entry cannot be spelled.
    #[error("registry entry: {0}")]
    Canonical(#[from] CanonicalError),
    /// An effect cannot follow.
    #[error("effect on {record}: {error}")]
    Effect {
        /// The record that it is about: its place, or else its status id.
        record: String,
        /// What is wrong.
        error: EffectError,
    },
}
