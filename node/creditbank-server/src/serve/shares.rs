//! Counts how much of a limited resource each caller and each network of callers has, and finds a caller that has more
//! than another.

use std::collections::{BTreeSet, HashMap};

use super::Peer;
use super::peer::{LEVELS, Network};

/// Networks by how much they hold, so that the one that holds most is found at once.
type Ordered = BTreeSet<(usize, Network)>;

/// What a network of callers has.
#[derive(Debug, Default)]
struct Share {
    held: usize,
    /// The networks of the next level that are in it.
    within: Ordered,
}

/// What each caller has, and each network of callers.
#[derive(Debug, Default)]
pub(super) struct Shares {
    of: HashMap<Network, Share>,
    widest: Ordered,
    all: usize,
}

impl Shares {
    /// What all callers have together.
    pub(super) fn all(&self) -> usize {
        self.all
    }

    /// What a caller has.
    pub(super) fn of(&self, peer: Peer) -> usize {
        self.of_network(peer.networks()[LEVELS - 1])
    }

    fn of_network(&self, network: Network) -> usize {
        self.of.get(&network).map_or(0, |share| share.held)
    }

    /// Adds to what a caller has.
    pub(super) fn add(&mut self, peer: Peer, more: usize) {
        if more > 0 {
            self.all += more;
            self.change(peer, |held| held + more);
        }
    }

    /// Subtracts from what a caller has.
    pub(super) fn sub(&mut self, peer: Peer, less: usize) {
        self.all = self.all.saturating_sub(less);
        self.change(peer, |held| held.saturating_sub(less));
    }

    /// Changes how much the networks of a caller hold. A network that holds nothing takes up no memory.
    fn change(&mut self, peer: Peer, new: impl Fn(usize) -> usize) {
        let networks = peer.networks();
        let (mut above, mut emptied) = (None, Vec::new());
        for network in networks {
            let share = self.of.entry(network).or_default();
            let old = share.held;
            share.held = new(old);
            let held = share.held;
            if held == 0 {
                emptied.push(network);
            }
            let beside = match above.and_then(|above| self.of.get_mut(&above)) {
                Some(above) => &mut above.within,
                None => &mut self.widest,
            };
            beside.remove(&(old, network));
            if held > 0 {
                beside.insert((held, network));
            }
            above = Some(network);
        }
        for network in emptied {
            self.of.remove(&network);
        }
    }

    /// The network that holds most: of all, or of those of the next level that are in `within`.
    fn largest(&self, within: Option<Network>) -> Option<(Network, usize)> {
        let networks = match within {
            None => &self.widest,
            Some(within) => &self.of.get(&within)?.within,
        };
        networks.last().map(|(held, network)| (*network, *held))
    }

    /// The caller that has to give something up so that `peer` can have `more`: the one that has most, within the
    /// widest network that has most. If the network of `peer` would then have as much, the search continues inside that
    /// network. `None` if `peer` itself would have as much. Many addresses in one network count as one there.
    pub(super) fn larger_than(&self, peer: Peer, more: usize) -> Option<Peer> {
        let own = peer.networks();
        let mut within = None;
        for (level, own) in own.into_iter().enumerate() {
            let (mut largest, held) = self.largest(within)?;
            if held <= self.of_network(own).saturating_add(more) {
                within = Some(own);
                continue;
            }
            for _ in level + 1..LEVELS {
                largest = self.largest(Some(largest))?.0;
            }
            return Some(largest.first());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> Peer {
        Peer::of(format!("{text}:1").parse().expect("an address"))
    }

    /// Goal: the caller who has most gives up, and a network of many addresses is one caller; nobody gives up for a
    /// caller who would have as much.
    #[test]
    fn the_largest_gives_up() {
        let mut shares = Shares::default();
        let newcomer = peer("198.51.100.1");
        assert_eq!(shares.larger_than(newcomer, 1), None);
        for number in 0..100 {
            shares.add(peer(&format!("[2001:db8:1:{number}::]")), 10);
        }
        shares.add(peer("192.0.2.1"), 100);
        shares.add(peer("192.0.2.2"), 101);
        let larger = shares.larger_than(newcomer, 5).expect("somebody has more");
        assert!(peer("[2001:db8:1:7::]").networks()[0].has(larger), "1,000 in a /48, 10 each");
        assert_eq!(shares.larger_than(newcomer, 1_000), None, "it would have as much");
        let neighbour = peer("[2001:db8:1:f0::]");
        assert_eq!(shares.larger_than(neighbour, 10), None, "in the network that has most, each has as little");
        let beside = peer("192.0.2.9");
        assert_eq!(shares.larger_than(beside, 900), None, "its network would have most");
        let elsewhere = shares.larger_than(beside, 90).expect("most is held elsewhere");
        assert!(neighbour.networks()[0].has(elsewhere));
        shares.add(peer("192.0.2.3"), 900);
        assert_eq!(shares.larger_than(beside, 90), Some(peer("192.0.2.3")), "its neighbour has most of all");
        shares.sub(peer("192.0.2.3"), 900);
        let within = shares.larger_than(neighbour, 9).expect("one has 10");
        assert!(neighbour.networks()[0].has(within));
        for number in 0..100 {
            shares.sub(peer(&format!("[2001:db8:1:{number}::]")), 10);
        }
        assert_eq!(shares.larger_than(newcomer, 1), Some(peer("192.0.2.2")), "of the neighbours the one with most");
        shares.sub(peer("192.0.2.1"), 100);
        shares.sub(peer("192.0.2.2"), 101);
        assert_eq!((shares.all(), shares.of.len()), (0, 0), "who has nothing takes up nothing");
    }
}
