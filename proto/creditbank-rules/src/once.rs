//! What blocks have used up, and that it is used once (PROTOCOL.md, section 5, "Once").

use creditbank_protocol::Digest;
use rpds::RedBlackTreeSetSync;

/// The hashes of all messages that blocks have used up, since the log began: 32 bytes for each approval, mandate and
/// joint signature. None is forgotten when it has ended: a paper has no end that anybody signed, and a log that was
/// sealed under a clock that was ahead goes on at an earlier time.
///
/// Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct Once(RedBlackTreeSetSync<Digest>);

impl Once {
    /// Whether a block has used it up.
    pub fn is_used(&self, digest: &Digest) -> bool {
        self.0.contains(digest)
    }

    /// Remembers a use. Whether it is the first one.
    pub fn use_up(&mut self, digest: Digest) -> bool {
        let is_first = !self.is_used(&digest);
        if is_first {
            self.0.insert_mut(digest);
        }
        is_first
    }

    /// All of them, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Digest> + '_ {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a use is remembered, and a second one is told from the first.
    #[test]
    fn a_use_is_the_first_one_once() {
        let mut once = Once::default();
        let digest = |number| Digest([number; 32]);
        assert!(once.use_up(digest(2)) && once.use_up(digest(1)));
        assert!(!once.use_up(digest(2)));
        assert!(once.is_used(&digest(1)) && !once.is_used(&digest(3)));
        assert_eq!(once.iter().collect::<Vec<_>>(), [digest(1), digest(2)]);
    }
}
