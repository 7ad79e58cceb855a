//! Who sends bad signatures: each block is charged to its address before its signature is verified, and the charge is
//! given back when the signature is good. Verifying costs what a forger pays nothing for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::serve::Peer;

/// Bad signatures that an address may send at once.
const BAD_MAX: usize = 256;
/// Bad signatures of an address that are forgotten in a second.
const FORGOTTEN_PER_SECOND: usize = 16;
/// Addresses that are told apart; beyond them all new ones are one.
const PEERS_MAX: usize = 16_384;

#[derive(Debug, Clone, Copy)]
struct Suspect {
    charges: usize,
    /// Up to when charges were forgotten.
    since: Instant,
}

impl Suspect {
    fn forget(&mut self, now: Instant) {
        let forgotten = now.duration_since(self.since).as_millis() * FORGOTTEN_PER_SECOND as u128 / 1_000;
        if forgotten > 0 {
            self.charges = self.charges.saturating_sub(usize::try_from(forgotten).unwrap_or(usize::MAX));
            self.since = now;
        }
    }
}

/// The charges of all addresses.
#[derive(Debug)]
pub(super) struct Suspicion {
    /// Charges that an address may have: bad ones, and good ones that are being verified.
    charges_max: usize,
    suspects: Mutex<HashMap<Peer, Suspect>>,
}

/// The address has too many charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Suspicious {
    /// When there is room for another one.
    pub(super) retry_after_ms: u64,
}

impl Suspicion {
    /// Where at most so many blocks of all addresses are verified at a time.
    pub(super) fn new(verified_at_once: usize) -> Self {
        Self { charges_max: BAD_MAX + verified_at_once, suspects: Mutex::default() }
    }

    /// Charges a block whose signature is about to be verified. Returns whom to forgive when it is good.
    pub(super) fn charge(&self, peer: Peer) -> Result<Peer, Suspicious> {
        self.charge_at(peer, Instant::now())
    }

    fn charge_at(&self, peer: Peer, now: Instant) -> Result<Peer, Suspicious> {
        let mut suspects = self.suspects.lock().unwrap_or_else(PoisonError::into_inner);
        if suspects.len() >= PEERS_MAX && !suspects.contains_key(&peer) {
            suspects.retain(|_, suspect| {
                suspect.forget(now);
                suspect.charges > 0
            });
        }
        let peer = if suspects.len() >= PEERS_MAX && !suspects.contains_key(&peer) { Peer::UNKNOWN } else { peer };
        let suspect = suspects.entry(peer).or_insert(Suspect { charges: 0, since: now });
        suspect.forget(now);
        if suspect.charges >= self.charges_max {
            let next = Duration::from_secs(1).as_millis() / FORGOTTEN_PER_SECOND as u128;
            return Err(Suspicious { retry_after_ms: u64::try_from(next).unwrap_or(u64::MAX) });
        }
        suspect.charges += 1;
        Ok(peer)
    }

    /// Gives a charge back: the signature is good.
    pub(super) fn forgive(&self, peer: Peer) {
        let mut suspects = self.suspects.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(suspect) = suspects.get_mut(&peer) {
            suspect.charges = suspect.charges.saturating_sub(1);
            if suspect.charges == 0 {
                suspects.remove(&peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: who sends good signatures is never held up; who sends bad ones is, in time comes back, and holds up nobody
    /// else; the addresses that are kept have a bound.
    #[test]
    fn forgers_wait_and_nobody_else() {
        let peer = |number: u32| Peer::of((number.to_be_bytes(), 1).into());
        let suspicion = Suspicion::new(4);
        let now = Instant::now();
        for _ in 0..10_000 {
            let charged = suspicion.charge_at(peer(1), now).expect("good ones are forgiven");
            suspicion.forgive(charged);
        }
        for _ in 0..BAD_MAX + 4 {
            suspicion.charge_at(peer(2), now).expect("within the bound");
        }
        let refused = suspicion.charge_at(peer(2), now).expect_err("too many bad ones");
        assert!(refused.retry_after_ms > 0);
        suspicion.charge_at(peer(1), now).expect("another address");
        suspicion.charge_at(peer(2), now + Duration::from_secs(1)).expect("some are forgotten");
        for number in 0..2 * u32::try_from(PEERS_MAX).expect("small") {
            let _ = suspicion.charge_at(peer(100 + number), now);
        }
        assert!(suspicion.suspects.lock().expect("not poisoned").len() <= PEERS_MAX + 1);
    }
}
