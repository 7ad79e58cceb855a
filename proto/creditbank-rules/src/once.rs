//! What blocks have used up, and that it is used once (PROTOCOL.md, section 5, "Once").

use creditbank_protocol::Digest;
use creditbank_protocol::once::remembered_until;
use rpds::RedBlackTreeMapSync;

/// Something that a block has used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// Last minute at which it could be used again, if the use were forgotten.
    pub until_minute: u64,
    /// Hash of the signed message.
    pub digest: Digest,
}

impl Use {
    /// By a block that was created at this minute.
    pub fn new(digest: Digest, created_at_minute: u64) -> Self {
        Self { until_minute: remembered_until(created_at_minute), digest }
    }
}

/// What blocks have used up, as far as it could be used again: what was used more than 30 days ago is refused as
/// expired.
/// Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct Once {
    by_digest: RedBlackTreeMapSync<Digest, u64>,
    /// The same in the order in which it may be forgotten.
    by_minute: RedBlackTreeMapSync<Use, ()>,
}

impl Once {
    /// Whether a block has used it up.
    pub fn is_used(&self, digest: &Digest) -> bool {
        self.by_digest.contains_key(digest)
    }

    /// Remembers a use. Whether it is the first one: of several the first stays as it is.
    pub fn use_up(&mut self, used: Use) -> bool {
        let is_first = !self.is_used(&used.digest);
        if is_first {
            self.by_digest.insert_mut(used.digest, used.until_minute);
            self.by_minute.insert_mut(used, ());
        }
        is_first
    }

    /// Forgets, and returns in order, what nothing after the seal of this minute can use again. Seals never go back.
    pub fn forget_before(&mut self, sealed_at_minute: u64) -> Vec<Use> {
        let past = self.by_minute.keys().take_while(|used| used.until_minute < sealed_at_minute);
        let past: Vec<Use> = past.copied().collect();
        for used in &past {
            self.by_minute.remove_mut(used);
            self.by_digest.remove_mut(&used.digest);
        }
        past
    }

    /// All of it, in the order in which it may be forgotten.
    pub fn iter(&self) -> impl Iterator<Item = Use> + '_ {
        self.by_minute.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use creditbank_protocol::once::VALID_MINUTES_MAX;

    use super::*;

    /// Goal: a use is remembered through its last minute and not longer; a second use changes nothing.
    #[test]
    fn uses_are_forgotten_in_their_order() {
        let mut once = Once::default();
        let digest = |number| Digest([number; 32]);
        assert!(once.use_up(Use::new(digest(1), 20)) && once.use_up(Use::new(digest(2), 10)));
        assert!(!once.use_up(Use::new(digest(1), 30)), "it was used at 20");
        assert!(once.forget_before(10 + VALID_MINUTES_MAX).is_empty());
        assert_eq!(once.forget_before(11 + VALID_MINUTES_MAX), [Use::new(digest(2), 10)]);
        assert!(once.is_used(&digest(1)) && !once.is_used(&digest(2)));
        assert_eq!(once.iter().collect::<Vec<_>>(), [Use::new(digest(1), 20)]);
        assert_eq!(once.forget_before(u64::MAX).len(), 1);
        assert!(once.iter().next().is_none());
    }
}
