//! Requirements that can never be met.

use super::tree::Tree;
use crate::Registry;
use creditbank_protocol::pb::QualificationDefinition;

/// A requirement that can never be met, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Number of the requirement, from 1.
    pub requirement: u32,
    /// Why.
    pub reason: String,
}

/// What can never be met.
pub fn conflicts(_: &Registry, _: &QualificationDefinition, _: &Tree<'_>) -> Vec<Conflict> {
    Vec::new()
}
