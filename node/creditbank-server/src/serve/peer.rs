//! Who calls, as far as the network says: what is counted together when callers are held to a share.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use tonic::codegen::http::Extensions;

/// An IPv4 address, or the first 64 bits of an IPv6 address: whoever has one IPv6 address has a network of so many.
/// It stands in the extensions of each request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Peer(u64);

/// Above all that four bytes can be: IPv4 addresses stand where no IPv6 network of the internet is.
const V4: u64 = 0xffff << 32;

impl Peer {
    /// Of a call that came over no connection, as in a test.
    pub const UNKNOWN: Self = Self(0);

    /// The peer at an address. An IPv4 address that is written as IPv6 is the IPv4 address.
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
}

/// Without the address: it is personal data, and must not come into a log by the way.
impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: neighbours in one IPv6 network of 64 bits are one; IPv4 addresses each are one, however they are written.
    #[test]
    fn networks_of_64_bits_are_one() {
        let peer = |text: &str| Peer::of(text.parse().expect("an address"));
        assert_eq!(peer("[2001:db8::1]:1"), peer("[2001:db8::ffff:2]:2"));
        assert_ne!(peer("[2001:db8::1]:1"), peer("[2001:db8:0:1::1]:1"));
        assert_eq!(peer("192.0.2.1:1"), peer("[::ffff:192.0.2.1]:9"));
        assert_ne!(peer("192.0.2.1:1"), peer("192.0.2.2:1"));
    }
}
