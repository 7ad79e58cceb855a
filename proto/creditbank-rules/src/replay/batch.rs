//! Many signatures at once.

use super::{Contradiction, SignatureCheck};

/// The signatures that do not hold.
pub(super) fn failures(checks: &[SignatureCheck]) -> Vec<Contradiction> {
    checks.iter().filter_map(|check| check.verify().err()).collect()
}
