//! How far an address reaches.
//!
//! Where references come from strangers, a name or a literal in one may point into the network that
//! the reader stands in. This tells addresses apart; who may connect where is the fetcher's policy.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far an address reaches.
///
/// An IPv4-mapped address counts as the IPv4 address in it.
///
/// Source: RFC 6890 and the registries it founded (CRT-41).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// `127.0.0.0/8` and `::1`: this machine.
    Loopback,
    /// No place for a connection: unspecified, link-local (cloud metadata lives there), multicast,
    /// broadcast, reserved, documentation and benchmarking addresses, and tunnel forms (6to4, NAT64,
    /// Teredo) that lead to anything but a public address.
    Never,
    /// Private (RFC 1918), shared (RFC 6598) and unique-local (RFC 4193) addresses.
    Private,
    /// The public internet.
    Public,
}

impl Reach {
    /// How far `address` reaches.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => reach_v4(address),
            IpAddr::V6(address) => reach_v6(address),
        }
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        [127, ..] => Reach::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Reach::Private,
        // In this order: this network, link-local, protocol assignments, documentation, 6to4 relays,
        // benchmarking, documentation twice, multicast with everything reserved and broadcast.
        [0, ..]
        | [169, 254, ..]
        | [192, 0, 0, _]
        | [192, 0, 2, _]
        | [192, 88, 99, _]
        | [198, 18..=19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [224..=255, ..] => Reach::Never,
        _ => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Loopback,
        // IPv4-mapped: the kernel connects to the IPv4 address.
        [0, 0, 0, 0, 0, 0xffff, high, low] => reach_v4(embedded(high, low)),
        // NAT64 (RFC 6052) and 6to4 (RFC 3056). Mobile networks without IPv4 reach the public IPv4
        // internet by the first, so a public address in it is allowed.
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            match reach_v4(embedded(high, low)) {
                Reach::Public => Reach::Public,
                _ => Reach::Never,
            }
        }
        // NAT64 with a prefix of the network's own (RFC 8215), and unique-local.
        [0x0064, 0xff9b, 1, ..] | [0xfc00..=0xfdff, ..] => Reach::Private,
        // Protocol assignments with Teredo and ORCHID, documentation twice.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Reach::Never,
        [0x2000..=0x3fff, ..] => Reach::Public,
        // Only 2000::/3 is global unicast: the rest is unspecified, link-local, site-local, multicast,
        // discard-only, IPv4-compatible or not assigned.
        _ => Reach::Never,
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))
}
