//! Many signatures at once.

use super::{Contradiction, SignatureCheck};

/// Verifies all of them; the first that does not hold is the error.
pub(super) fn verify_all(checks: &[SignatureCheck]) -> Result<(), Contradiction> {
    checks.iter().try_for_each(SignatureCheck::verify)
}
