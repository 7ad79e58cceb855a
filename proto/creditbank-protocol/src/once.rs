//! What is used once: a consent (for now an approval) that names a last minute, and is used up by the block that it is
//! accepted with.
//!
//! What is used up is the hash of what was signed, and never the signature: another signature over the same words is
//! the same consent. A digest must be remembered as long as its consent could be used again, which [`remembered_until`]
//! bounds without knowing the consent: nobody consents for longer than [`VALID_MINUTES_MAX`] from the block on.

use crate::Digest;
use crate::approval::approval_digest;
use crate::block::SignedBlock;

/// Bytes of a consent's salt.
pub const SALT_LEN: usize = 16;
/// A consent's last minute is at most so long after the block was created: 30 days.
pub const VALID_MINUTES_MAX: u64 = 30 * 24 * 60;

/// Whether a consent until a minute holds for a block that was created at one minute and is sealed at another.
pub fn is_in_time(until_minute: u64, created_at_minute: u64, sealed_at_minute: u64) -> bool {
    sealed_at_minute <= until_minute && until_minute <= remembered_until(created_at_minute)
}

/// The last minute at which a consent could be used again that a block of this minute has used: only after it may the
/// use be forgotten.
pub fn remembered_until(created_at_minute: u64) -> u64 {
    created_at_minute.saturating_add(VALID_MINUTES_MAX)
}

/// What a block uses up.
pub fn uses(block: &SignedBlock) -> Vec<Digest> {
    block.approval().map(|approval| approval_digest(block.header(), approval)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a consent holds through its last minute, and its last minute is at most 30 days after the block. Whatever
    /// holds for some later block is still remembered at that block's seal.
    #[test]
    fn a_consent_is_remembered_as_long_as_it_holds() {
        assert!(is_in_time(100, 100, 100));
        assert!(!is_in_time(99, 100, 100));
        assert!(is_in_time(100 + VALID_MINUTES_MAX, 100, 101));
        assert!(!is_in_time(101 + VALID_MINUTES_MAX, 100, 101));
        let (created, until) = (100, 100 + VALID_MINUTES_MAX);
        for sealed in [until - 1, until, until + 1] {
            let holds = is_in_time(until, sealed, sealed);
            assert!(!holds || sealed <= remembered_until(created), "sealed at {sealed}");
        }
    }
}
