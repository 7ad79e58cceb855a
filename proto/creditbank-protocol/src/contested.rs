//! Whether a record is contested (PROTOCOL.md, section 8, "Confirm").
//!
//! When a key is stolen, nobody can tell what its owner has sealed from what the thief has. So everything that the key has
//! sealed from the time of the theft on is *contested*, until the owner confirms it with another key. A confirmation by a
//! key that was itself stolen by then settles nothing.

use crate::pb;

/// From which minute since 1970 on a key counts as compromised; `None` where it does not. `key` is its newest registry
/// entry that is known.
pub fn compromised_since(key: &pb::Key) -> Option<u64> {
    key.revoked.as_ref().map(|revoked| revoked.compromised_since_minute).filter(|since| *since != 0)
}

/// Whether what a key sealed is suspect: the key counts as compromised at the minute of the seal. `sealed_at_ms` is the
/// seal's time, milliseconds since 1970.
pub fn is_suspect(key: &pb::Key, sealed_at_ms: u64) -> bool {
    compromised_since(key).is_some_and(|since| sealed_at_ms / 60_000 >= since)
}

/// Whether a record is contested: its block is suspect (see [`is_suspect`]), and no block above suspicion confirms it.
/// `confirmation` says of the block that confirms the record whether it is suspect too; `None` where there is no such block.
pub fn is_contested(suspect: bool, confirmation: Option<bool>) -> bool {
    suspect && confirmation != Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(since: u64) -> pb::Key {
        let reason = pb::RevocationReason::Compromised.into();
        let revoked = Some(pb::KeyRevocation { reason, compromised_since_minute: since });
        pb::Key { revoked, ..Default::default() }
    }

    /// Goal: a key is suspect from the first millisecond of the minute on; a key that was revoked for another reason, or
    /// was not revoked, never is.
    #[test]
    fn a_key_is_suspect_from_its_minute_on() {
        assert_eq!([599_999, 600_000, u64::MAX].map(|ms| is_suspect(&key(10), ms)), [false, true, true]);
        assert!(is_suspect(&key(u64::MAX / 60_000), u64::MAX) && !is_suspect(&key(u64::MAX), u64::MAX));
        for other in [key(0), pb::Key::default()] {
            assert!(!is_suspect(&other, u64::MAX));
        }
    }

    /// Goal: only a confirmation above suspicion ends a contest.
    #[test]
    fn a_stolen_key_confirms_nothing() {
        let confirmations = [None, Some(true), Some(false)];
        assert_eq!(confirmations.map(|by| is_contested(true, by)), [true, true, false]);
        assert_eq!(confirmations.map(|by| is_contested(false, by)), [false; 3]);
    }
}
