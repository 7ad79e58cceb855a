//! Choices that follow from the seed.

use creditbank_store::Random;

/// A source of choices.
#[derive(Debug, Clone)]
pub(crate) struct Chance(Random);

impl Chance {
    /// The choices of a seed; `stream` tells one source of a run from another.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = Random::new(seed ^ stream.wrapping_mul(0xd6e8_feb8_6659_fd93));
        random.below(u64::MAX);
        Self(random)
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True so many times in a thousand.
    pub(crate) fn often(&mut self, thousandths: u64) -> bool {
        self.below(1_000) < thousandths
    }

    /// One of them; nothing of nothing.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() {
            return None;
        }
        let chosen = self.below(from.len() as u64);
        usize::try_from(chosen).ok().and_then(|chosen| from.get(chosen))
    }

    /// Another source, which does not depend on how this one goes on.
    pub(crate) fn branch(&mut self) -> Self {
        let seed = self.seed();
        Self::new(seed, 1)
    }

    /// A new seed.
    pub(crate) fn seed(&mut self) -> u64 {
        self.below(u64::MAX)
    }

    /// Fills bytes.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.seed().to_be_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}
