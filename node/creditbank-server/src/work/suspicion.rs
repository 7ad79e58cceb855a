//! Limits requests that cost the node something and their sender nothing: bad signatures, and blocks that are sealed
//! already.
//!
//! A signature is charged before it is verified, and the charge is given back as soon as the signature is good. Charges
//! expire; a sender with too many is told when to come back. They are counted by address. A key whose
//! signature from the same address was good within the last hour has charges of its own, so that a forger behind the
//! same proxy does not hold up known callers there.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use creditbank_protocol::key::KeyId;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::BUSY_RETRY_MS;
use crate::charges::{Bound, Charges, Sweeps};
use crate::metrics::Metrics;
use crate::serve::Peer;

/// How many suspects have charges of their own; above that all new addresses share one entry.
const SUSPECTS_MAX: usize = 16_384;
/// How many known keys are remembered; above that none is added before another is forgotten.
const KNOWN_MAX: usize = 4_096;
/// How long a good signature is remembered.
const KNOWN_FOR: Duration = Duration::from_hours(1);

/// What is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charge {
    /// The signature of a block.
    Block,
    /// The signature of an access token.
    Token,
    /// A block that is sealed already.
    Repeat,
}

impl Charge {
    const ALL: [Self; 3] = [Self::Block, Self::Token, Self::Repeat];

    fn name(self) -> &'static str {
        match self {
            Self::Block => "blocks",
            Self::Token => "tokens",
            Self::Repeat => "repeats",
        }
    }
}

/// Who is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Suspect {
    /// An address, for signatures.
    Address(Peer),
    /// A key that has signed from an address before.
    Known(Peer, KeyId),
    /// An address, for repeats.
    Repeats(Peer),
}

impl Suspect {
    fn bound(self) -> Bound {
        match self {
            Self::Address(_) => Bound::steady(256, 16),
            // A forger may name another's key. What he must send for that costs a core a few per cent.
            Self::Known(..) => Bound::steady(4_096, 256),
            // A sender who has lost the answers repeats what he has sent, perhaps a whole file.
            Self::Repeats(_) => Bound::steady(2_048, 256),
        }
    }

    /// Who is charged instead, if there are too many suspects.
    fn common(self) -> Self {
        match self {
            Self::Address(_) => Self::Address(Peer::UNKNOWN),
            Self::Repeats(_) => Self::Repeats(Peer::UNKNOWN),
            // There are at most as many of these as known keys.
            Self::Known(..) => self,
        }
    }
}

#[derive(Debug)]
struct State {
    charges: Charges<Suspect>,
    /// When the last good signature of a key came from an address.
    known: HashMap<(Peer, KeyId), Instant>,
    sweeps: Sweeps,
}

/// The charges of all addresses.
#[derive(Debug)]
pub(crate) struct Suspicion {
    state: Mutex<State>,
    held_up: Family<[(&'static str, &'static str); 1], Counter>,
}

/// Too many charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many {} came from this address: come back in {BUSY_RETRY_MS} ms", match .0 {
    Charge::Block | Charge::Token => "bad signatures",
    Charge::Repeat => "blocks that are sealed already",
})]
pub struct HeldUp(pub(crate) Charge);

/// A signature that was charged, until it is found [good](Suspicion::good). A bad one stays charged.
#[derive(Debug)]
#[must_use = "a good signature is to be forgiven"]
pub(crate) struct Charged {
    suspect: Suspect,
    by: Option<(Peer, KeyId)>,
}

impl State {
    /// Who is charged for a signature.
    fn signer(&self, peer: Peer, key: Option<KeyId>, now: Instant) -> Suspect {
        match key {
            Some(key) if self.is_known(peer, key, now) => Suspect::Known(peer, key),
            _ => Suspect::Address(peer),
        }
    }

    fn is_known(&self, peer: Peer, key: KeyId, now: Instant) -> bool {
        self.known.get(&(peer, key)).is_some_and(|last| now.duration_since(*last) < KNOWN_FOR)
    }

    /// Charges once more, unless there are too many charges.
    fn charge(&mut self, suspect: Suspect, now: Instant) -> Option<Suspect> {
        self.charges.charge(suspect, suspect.common(), suspect.bound(), now)
    }

    fn remember(&mut self, by: (Peer, KeyId), now: Instant) {
        if let Some(last) = self.known.get_mut(&by) {
            *last = now;
            return;
        }
        if self.known.len() >= KNOWN_MAX && self.sweeps.is_due(now) {
            let charges = &mut self.charges;
            self.known.retain(|(peer, key), last| {
                let stays = now.duration_since(*last) < KNOWN_FOR;
                if !stays {
                    charges.remove(Suspect::Known(*peer, *key));
                }
                stays
            });
        }
        if self.known.len() < KNOWN_MAX {
            self.known.insert(by, now);
        }
    }
}

impl Suspicion {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let held_up = Family::<[(&'static str, &'static str); 1], Counter>::default();
        Charge::ALL.iter().for_each(|charge| drop(held_up.get_or_create(&[("by", charge.name())])));
        metrics.register(|registry| {
            let help = "Refused before they were looked at, as too many of their address were bad, or sealed already";
            registry.register("held_up", help, Family::clone(&held_up));
        });
        let state = State { charges: Charges::new(SUSPECTS_MAX), known: HashMap::new(), sweeps: Sweeps::default() };
        Self { state: Mutex::new(state), held_up }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_up(&self, charge: Charge) -> HeldUp {
        self.held_up.get_or_create(&[("by", charge.name())]).inc();
        HeldUp(charge)
    }

    /// Charges a signature that is about to be verified, by the key that it names.
    pub(crate) fn signature(&self, of: Charge, peer: Peer, key: Option<KeyId>) -> Result<Charged, HeldUp> {
        self.signature_at(of, peer, key, Instant::now())
    }

    fn signature_at(&self, of: Charge, peer: Peer, key: Option<KeyId>, now: Instant) -> Result<Charged, HeldUp> {
        let mut state = self.state();
        let suspect = state.signer(peer, key, now);
        let suspect = state.charge(suspect, now);
        drop(state);
        let suspect = suspect.ok_or_else(|| self.held_up(of))?;
        Ok(Charged { suspect, by: key.map(|key| (peer, key)) })
    }

    /// Whether a signature would be refused now. Charges nothing.
    pub(crate) fn check(&self, of: Charge, peer: Peer, key: Option<KeyId>) -> Result<(), HeldUp> {
        self.check_at(of, peer, key, Instant::now())
    }

    fn check_at(&self, of: Charge, peer: Peer, key: Option<KeyId>, now: Instant) -> Result<(), HeldUp> {
        let mut state = self.state();
        let suspect = state.signer(peer, key, now);
        let is_over = state.charges.is_over(suspect, now);
        drop(state);
        if is_over { Err(self.held_up(of)) } else { Ok(()) }
    }

    /// Gives a charge back, and remembers the signer: the signature is good.
    pub(crate) fn good(&self, charged: Charged) {
        self.good_at(charged, Instant::now());
    }

    fn good_at(&self, charged: Charged, now: Instant) {
        let Charged { suspect, by } = charged;
        let mut state = self.state();
        state.charges.forgive(suspect);
        if let Some(by) = by {
            state.remember(by, now);
        }
    }

    /// Charges a block that is sealed already.
    pub(crate) fn repeat(&self, peer: Peer) -> Result<(), HeldUp> {
        let charged = self.state().charge(Suspect::Repeats(peer), Instant::now());
        charged.map(|_| ()).ok_or_else(|| self.held_up(Charge::Repeat))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u32) -> Peer {
        Peer::of((number.to_be_bytes(), 1).into())
    }

    const KEY: KeyId = KeyId([7; 16]);

    fn suspicion() -> Suspicion {
        Suspicion::new(&Metrics::default())
    }

    /// Goal: a sender of good signatures is never held up. A sender of bad ones is, comes back in time, and holds up
    /// nobody else. The number of remembered addresses is limited.
    #[test]
    fn forgers_wait_and_nobody_else() {
        let suspicion = suspicion();
        let now = Instant::now();
        let charge = |number: u32, now| suspicion.signature_at(Charge::Block, peer(number), None, now);
        for _ in 0..10_000 {
            suspicion.good_at(charge(1, now).expect("good ones are forgiven"), now);
        }
        for _ in 0..256 {
            let _bad = charge(2, now).expect("within the bound");
        }
        assert_eq!(charge(2, now).expect_err("one more than 256"), HeldUp(Charge::Block));
        suspicion.check_at(Charge::Block, peer(2), None, now).expect_err("and nothing is taken from it");
        let _other = charge(1, now).expect("another address");
        let second = now + Duration::from_secs(1);
        for _ in 0..16 {
            let _bad = charge(2, second).expect("some are forgotten");
        }
        let _ = charge(2, second).expect_err("and no more");
        for number in 0..u32::try_from(SUSPECTS_MAX).expect("small") + 256 {
            let _ = charge(100 + number, now);
        }
        let _ = charge(99, now).expect_err("all new addresses are one");
    }

    /// Goal: a forger behind the address of an honest unit does not hold it up, not even with forged blocks in its
    /// name; he gains nothing by naming a key that has not signed there.
    #[test]
    fn a_known_key_is_not_held_up_by_a_neighbour() {
        let suspicion = suspicion();
        let now = Instant::now();
        let charge = |key, now| suspicion.signature_at(Charge::Block, peer(1), Some(key), now);
        suspicion.good_at(charge(KEY, now).expect("the first"), now);
        let mut forged = 0;
        while charge(KeyId([1; 16]), now).is_ok() {
            forged += 1;
        }
        assert_eq!(forged, 256, "bad signatures of others");
        // In the name of the unit: as many as the address may have, and more.
        for _ in 0..1_000 {
            let _forged = charge(KEY, now).expect("a known key");
        }
        suspicion.good_at(charge(KEY, now).expect("the unit itself"), now);
        let hour = now + KNOWN_FOR;
        for _ in 0..256 {
            let _bad = charge(KEY, hour).expect("an address as any other");
        }
        let _ = charge(KEY, hour).expect_err("it is no longer known");
        for number in 0..2 * u32::try_from(KNOWN_MAX).expect("small") {
            let charged = suspicion.signature_at(Charge::Token, peer(100 + number), Some(KEY), now).expect("good");
            suspicion.good_at(charged, now);
        }
        assert_eq!(suspicion.state().known.len(), KNOWN_MAX);
    }

    /// Goal: a sender who repeats thousands of blocks can continue, a little later; he does not count as a forger.
    #[test]
    fn repeats_wait_and_go_on() {
        let suspicion = suspicion();
        let now = Instant::now();
        let repeat = |now| suspicion.state().charge(Suspect::Repeats(peer(1)), now);
        for _ in 0..2_048 {
            repeat(now).expect("a file that is sent again");
        }
        assert!(repeat(now).is_none());
        assert!(repeat(now + Duration::from_millis(BUSY_RETRY_MS)).is_some(), "when he was told to come back");
        let _signature = suspicion.signature_at(Charge::Block, peer(1), None, now).expect("no bad signature");
    }
}
