//! Whether a record is contested (PROTOCOL.md, section 8, "Confirm").
//!
//! When a key is stolen, nobody can tell what its owner has sealed from what the thief has. So everything that the key
//! has signed or approved from the time of the theft on is *contested*, until the owner confirms it with another key. A
//! confirmation by a key that was itself stolen by then, or approved by one, settles nothing.
//!
//! The same holds of what such a key has done to records. An effect by it is contested. It keeps its force until it is
//! reinstated; but nobody relies on a record that a contested effect has ended, nor calls it revoked.

use crate::status::{Mark, Marks};
use crate::{LogIndex, pb};

/// From which minute since 1970 on a key counts as compromised; `None` where it does not. `key` is its newest registry
/// entry that is known.
pub fn compromised_since(key: &pb::Key) -> Option<u64> {
    key.revoked.as_ref().map(|revoked| revoked.compromised_since_minute).filter(|since| *since != 0)
}

/// Whether a block is suspect by one of its keys: that which signed it, or one that approved it
/// ([`SignedHead::key_ids`](crate::block::SignedHead::key_ids)). The key counts as compromised at the minute of the
/// seal. `sealed_at_ms` is the seal's time, milliseconds since 1970.
pub fn is_suspect(key: &pb::Key, sealed_at_ms: u64) -> bool {
    compromised_since(key).is_some_and(|since| sealed_at_ms / 60_000 >= since)
}

/// Whether a record is contested, as far as its marks say. `entry` is the log index of its block; `is_suspect` says of
/// a block whether it is suspect (see [`is_suspect`]), and is asked for no more blocks than the answer needs.
///
/// A record that has ended is contested where the effect that has ended it is. Whether a supersession is settled
/// because the amendment was confirmed the record's own marks do not say. Any other record is contested where its block
/// is suspect, or the effect that has reinstated it, and no block above suspicion has confirmed it since.
pub fn is_contested_by<E>(
    marks: &Marks,
    entry: LogIndex,
    mut is_suspect: impl FnMut(LogIndex) -> Result<bool, E>,
) -> Result<bool, E> {
    let mut since = None;
    for index in causes(marks, entry) {
        if since.is_none() && is_suspect(index)? {
            since = Some(index);
        }
    }
    let Some(since) = since else { return Ok(false) };
    if marks.have_ended() {
        return Ok(true);
    }
    let confirmed = marks.get(Mark::Confirmed);
    let Some(confirmed) = confirmed.filter(|confirmed| *confirmed > since) else { return Ok(true) };
    is_suspect(confirmed)
}

/// The blocks that can make a record contested, by its marks; `entry` is that of the record. The first of them that is
/// suspect is why it is contested.
pub fn causes(marks: &Marks, entry: LogIndex) -> impl Iterator<Item = LogIndex> + use<> {
    let [first, second] = match marks.ended() {
        Some((_, ended)) => [Some(ended), None],
        None => [marks.get(Mark::Reinstated), Some(entry)],
    };
    first.into_iter().chain(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(since: u64) -> pb::Key {
        let reason = pb::RevocationReason::Compromised.into();
        let revoked = Some(pb::KeyRevocation { reason, compromised_since_minute: since });
        pb::Key { revoked, ..Default::default() }
    }

    /// Goal: a key is suspect from the first millisecond of the minute on; a key that was revoked for another reason,
    /// or was not revoked, never is.
    #[test]
    fn a_key_is_suspect_from_its_minute_on() {
        assert_eq!([599_999, 600_000, u64::MAX].map(|ms| is_suspect(&key(10), ms)), [false, true, true]);
        assert!(is_suspect(&key(u64::MAX / 60_000), u64::MAX) && !is_suspect(&key(u64::MAX), u64::MAX));
        for other in [key(0), pb::Key::default()] {
            assert!(!is_suspect(&other, u64::MAX));
        }
    }

    /// Marks that are set at these log indexes.
    fn marked(set: &[(Mark, u64)]) -> Marks {
        Marks::of(set.iter().map(|(mark, index)| (*mark, LogIndex(*index))))
    }

    /// Goal: what a stolen key has ended is contested, and what it has reinstated, until a good key confirms it later.
    #[test]
    fn effects_of_a_stolen_key_are_contested() {
        use Mark::{Confirmed, Reinstated, Revoked, Superseded};
        let contested = |set: &[(Mark, u64)], stolen: &[u64]| {
            let is_suspect = |entry: LogIndex| Ok::<_, std::convert::Infallible>(stolen.contains(&entry.0));
            is_contested_by(&marked(set), LogIndex(5), is_suspect).unwrap_or_else(|never| match never {})
        };
        for (set, stolen, expected) in [
            (&[][..], &[][..], false),
            (&[], &[5], true),
            (&[(Confirmed, 8)], &[5], false),
            (&[(Confirmed, 8)], &[5, 8], true),
            (&[(Revoked, 8)], &[8], true),
            // A good key has revoked what a thief has forged: that settles it.
            (&[(Revoked, 8)], &[5], false),
            (&[(Superseded, 8)], &[8], true),
            (&[(Superseded, 8), (Confirmed, 7)], &[8], true),
            (&[(Reinstated, 9)], &[9], true),
            (&[(Reinstated, 9)], &[], false),
            (&[(Confirmed, 8), (Reinstated, 9)], &[9], true),
            (&[(Confirmed, 10), (Reinstated, 9)], &[9], false),
            (&[(Confirmed, 10), (Reinstated, 9)], &[5, 9], false),
            (&[(Confirmed, 10), (Reinstated, 9)], &[9, 10], true),
            (&[(Revoked, 11), (Reinstated, 9)], &[9], false),
        ] {
            assert_eq!(contested(set, stolen), expected, "{set:?}, stolen {stolen:?}");
        }
    }
}
