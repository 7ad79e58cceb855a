//! Who calls, as far as the network tells. Limits count the callers of one peer together.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use tonic::codegen::http::Extensions;

/// An IPv4 address, or the first 64 bits of an IPv6 address, because an owner of one IPv6 address has a whole network
/// of them. Each request carries it in its extensions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Peer(u64);

/// IPv4 addresses are stored in `0:ffff::/32`, where the internet has no IPv6 networks.
const V4: u64 = 0xffff << 32;
/// How many bits below the prefix each kind of network has, widest first: /48, /56 and /64 of IPv6; /24 of IPv4, and
/// for the narrower two the single IPv4 address.
const V6_BITS: [u32; LEVELS] = [16, 8, 0];
const V4_BITS: [u32; LEVELS] = [8, 0, 0];

/// Number of networks that contain a peer, itself included.
pub(super) const LEVELS: usize = 3;

/// A network of peers. The owner of one address often has many addresses in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Network {
    pub(super) level: usize,
    prefix: u64,
}

impl Peer {
    /// Less than any other.
    pub(super) const LEAST: Self = Self(0);

    /// For a call without a connection, as in a test.
    pub const UNKNOWN: Self = Self(0xfffe << 32);

    /// The peer at an address. An IPv4-mapped IPv6 address counts as the IPv4 address.
    pub fn of(address: SocketAddr) -> Self {
        match address.ip().to_canonical() {
            IpAddr::V4(address) => Self(V4 | u64::from(u32::from(address))),
            IpAddr::V6(address) => Self(u64::try_from(u128::from(address) >> 64).unwrap_or(u64::MAX)),
        }
    }

    /// The peer of a request.
    pub(crate) fn in_extensions(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or(Self::UNKNOWN)
    }

    /// The networks that contain it, widest first; the last one is the peer itself.
    pub(super) fn networks(self) -> [Network; LEVELS] {
        let bits = if self.0 >> 32 == V4 >> 32 { V4_BITS } else { V6_BITS };
        std::array::from_fn(|level| Network { level, prefix: self.0 >> bits[level] << bits[level] })
    }
}

impl Network {
    /// Whether it contains a peer.
    #[cfg(test)]
    pub(super) fn has(self, peer: Peer) -> bool {
        peer.networks()[self.level] == self
    }

    /// Its first peer, which is the only one at the last level.
    pub(super) fn first(self) -> Peer {
        Peer(self.prefix)
    }
}

/// Hides the address, because it is personal data and must not get into a log by accident.
impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peer")
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> Peer {
        Peer::of(text.parse().expect("an address"))
    }

    /// Goal: addresses in one IPv6 network of 64 bits are one peer; each IPv4 address is one, however it is written.
    #[test]
    fn networks_of_64_bits_are_one() {
        assert_eq!(peer("[2001:db8::1]:1"), peer("[2001:db8::ffff:2]:2"));
        assert_ne!(peer("[2001:db8::1]:1"), peer("[2001:db8:0:1::1]:1"));
        assert_eq!(peer("192.0.2.1:1"), peer("[::ffff:192.0.2.1]:9"));
        assert_ne!(peer("192.0.2.1:1"), peer("192.0.2.2:1"));
        assert_ne!(peer("[::1]:1"), Peer::UNKNOWN);
    }

    /// Goal: the owner of a /48 is in one network, whichever of its addresses he uses.
    #[test]
    fn wider_networks() {
        let shared = |one: &str, other: &str| {
            let (one, other) = (peer(one).networks(), peer(other).networks());
            (0..LEVELS).filter(|level| one[*level] == other[*level]).count()
        };
        assert_eq!(shared("[2001:db8:1::1]:1", "[2001:db8:1::2]:1"), 3);
        assert_eq!(shared("[2001:db8:1:1::1]:1", "[2001:db8:1:2::1]:1"), 2, "the same /56");
        assert_eq!(shared("[2001:db8:1:1::1]:1", "[2001:db8:1:fff0::1]:1"), 1, "the same /48");
        assert_eq!(shared("[2001:db8:1::1]:1", "[2001:db8:2::1]:1"), 0);
        assert_eq!(shared("192.0.2.1:1", "192.0.2.2:1"), 1, "the same /24");
        assert_eq!(shared("192.0.2.1:1", "192.0.3.1:1"), 0);
        assert!(peer("192.0.2.1:1").networks()[0].has(peer("192.0.2.9:1")));
    }
}
