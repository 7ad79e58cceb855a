//! A conversion in words, step by step.

use creditbank_protocol::pb::Conversion;

use crate::Registry;

/// Lines that a person can follow, from the basis to each result.
pub fn explain(_conversion: &Conversion, _registry: &Registry) -> Vec<String> {
    Vec::new()
}
