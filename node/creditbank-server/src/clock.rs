//! Time and randomness are passed in, so that the whole append path can run in a simulation.

use std::cell::RefCell;
use std::time::Instant;

use zeroize::Zeroize as _;

/// Where the node gets its time from.
pub trait Clock: Send + Sync + 'static {
    /// Wall clock, milliseconds since 1970-01-01T00:00Z.
    fn now_ms(&self) -> u64;
    /// Milliseconds since some fixed moment; never goes back.
    fn monotonic_ms(&self) -> u64;
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // The one place that reads the wall clock.
    fn now_ms(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Where the node gets its randomness from.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes` with random bytes that nobody can guess.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator.
#[derive(Debug, Default, Clone, Copy)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    /// # Panics
    /// When the operating system has no randomness: nothing may be encrypted or signed then.
    fn fill(&self, bytes: &mut [u8]) {
        DRAWN.with_borrow_mut(|drawn| drawn.take(bytes));
    }
}

/// Random bytes that the operating system is asked for at once: a nonce for each record would be a system call for each record.
const DRAWN_LEN: usize = 1_024;

thread_local! {
    static DRAWN: RefCell<Drawn> = const { RefCell::new(Drawn { bytes: [0; DRAWN_LEN], used: DRAWN_LEN }) };
}

/// Random bytes that wait to be used, each once. They are overwritten as they are given out.
struct Drawn {
    bytes: [u8; DRAWN_LEN],
    used: usize,
}

impl Drawn {
    fn take(&mut self, out: &mut [u8]) {
        let draw = |bytes: &mut [u8]| getrandom::fill(bytes).expect("the operating system supplies randomness");
        if out.len() > DRAWN_LEN / 4 {
            return draw(out);
        }
        if DRAWN_LEN - self.used < out.len() {
            draw(&mut self.bytes);
            self.used = 0;
        }
        let given = &mut self.bytes[self.used..self.used + out.len()];
        out.copy_from_slice(given);
        given.zeroize();
        self.used += out.len();
    }
}

impl Drop for Drawn {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// `N` random bytes.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Goal: no byte is given out twice, whatever lengths are asked for.
    #[test]
    fn random_bytes_are_used_once() {
        let mut seen = HashSet::new();
        for round in 0..500 {
            assert!(seen.insert(random::<16>(&OsEntropy).to_vec()), "round {round}");
            assert!(seen.insert(random::<24>(&OsEntropy)[..16].to_vec()), "round {round}");
            assert!(seen.insert(random::<200>(&OsEntropy)[..16].to_vec()), "round {round}");
            assert!(seen.insert(random::<300>(&OsEntropy)[..16].to_vec()), "round {round}");
        }
    }
}
