//! Which addresses a connection may go to.
//!
//! Base URLs come from strangers (key statements), so a name in one of them may point into the
//! network that the endpoint stands in. The rule is about addresses, not names: it is applied to what
//! the resolver returned and to literals in the URL, and the connection goes to an address that was
//! checked.

use std::net::IpAddr;

use ringtrue_stir::Reach;

/// The addresses that a connection may go to: public ones, and only by explicit configuration others.
///
/// The same rule holds for the application's own base URLs and for those that statements name.
///
/// Never allowed, whatever the switches say: unspecified, link-local (cloud metadata lives there),
/// multicast, broadcast, reserved, documentation and benchmarking addresses, and tunnel forms (6to4,
/// NAT64, Teredo) that lead to anything but a public address. An IPv4-mapped address counts as the
/// IPv4 address in it.
///
/// Requirements: CRT-41, W-5, W-36. Source: RFC 6890 and the registries it founded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct AddressPolicy {
    loopback: bool,
    private: bool,
}

impl AddressPolicy {
    /// Public addresses only. The default.
    #[must_use]
    pub const fn public_only() -> Self {
        Self {
            loopback: false,
            private: false,
        }
    }

    /// Also `127.0.0.0/8` and `::1`, for a service on the same machine: laboratories and tests.
    #[must_use]
    pub const fn allow_loopback(self) -> Self {
        Self {
            loopback: true,
            ..self
        }
    }

    /// Also private (RFC 1918), shared (RFC 6598) and unique-local (RFC 4193) addresses, for a service
    /// inside an operator's or company's network.
    #[must_use]
    pub const fn allow_private(self) -> Self {
        Self {
            private: true,
            ..self
        }
    }

    /// Whether addresses of the same machine are allowed: a laboratory's or a test's configuration.
    #[must_use]
    pub const fn allows_loopback(&self) -> bool {
        self.loopback
    }

    /// Whether a connection may go to `address`.
    #[must_use]
    pub fn is_allowed(&self, address: IpAddr) -> bool {
        match Reach::of(address) {
            Reach::Loopback => self.loopback,
            Reach::Never => false,
            Reach::Private => self.private,
            Reach::Public => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use proptest::prelude::*;

    use super::AddressPolicy;

    const PUBLIC: AddressPolicy = AddressPolicy::public_only();
    const LOOPBACK: AddressPolicy = AddressPolicy::public_only().allow_loopback();
    const PRIVATE: AddressPolicy = AddressPolicy::public_only().allow_private();
    const BOTH: AddressPolicy = LOOPBACK.allow_private();

    fn assert_allowed(addresses: &[&str], expected: [bool; 4]) {
        for text in addresses {
            let address: IpAddr = text.parse().unwrap();
            let found = [PUBLIC, LOOPBACK, PRIVATE, BOTH].map(|rule| rule.is_allowed(address));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn allows_public_addresses_under_every_rule() {
        assert_allowed(
            &[
                "1.1.1.1",
                "9.255.255.255",
                "11.0.0.0",
                "100.63.255.255",
                "100.128.0.0",
                "126.255.255.255",
                "128.0.0.1",
                "169.253.0.1",
                "172.15.255.255",
                "172.32.0.0",
                "192.167.0.1",
                "198.17.0.1",
                "198.20.0.1",
                "223.255.255.255",
                "2000::1",
                "2001:200::1",
                "2600:1f18::1",
                "2a00:1450:4001:82a::200e",
                "3ffe::1",
                "::ffff:1.1.1.1",
                "64:ff9b::1.1.1.1",
                "2002:0101:0101::1",
            ],
            [true; 4],
        );
    }

    #[test]
    fn allows_loopback_only_by_its_switch() {
        assert_allowed(
            &["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"],
            [false, true, false, true],
        );
    }

    #[test]
    fn allows_private_addresses_only_by_their_switch() {
        assert_allowed(
            &[
                "10.0.0.0",
                "10.255.255.255",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.0.1",
                "192.168.255.255",
                "100.64.0.0",
                "100.127.255.255",
                "::ffff:10.1.2.3",
                "::ffff:100.64.0.1",
                "fc00::",
                "fdff:ffff::1",
                "64:ff9b:1::10.0.0.1",
            ],
            [false, false, true, true],
        );
    }

    #[test]
    fn refuses_special_addresses_under_every_rule() {
        assert_allowed(
            &[
                "0.0.0.0",
                "0.1.2.3",
                "169.254.169.254",
                "169.254.0.0",
                "192.0.0.8",
                "192.0.2.1",
                "192.88.99.1",
                "198.18.0.1",
                "198.19.255.255",
                "198.51.100.7",
                "203.0.113.9",
                "224.0.0.1",
                "239.255.255.255",
                "240.0.0.1",
                "255.255.255.255",
                "::",
                "::2",
                "::127.0.0.1",
                "::8.8.8.8",
                "::ffff:0:127.0.0.1",
                "::ffff:0.0.0.0",
                "::ffff:169.254.169.254",
                "::ffff:224.0.0.1",
                "64:ff9b::127.0.0.1",
                "64:ff9b::10.0.0.1",
                "64:ff9b::169.254.169.254",
                "100::1",
                "1fff::1",
                "2001::1",
                "2001:0:4136:e378:8000:63bf:3fff:fdd2",
                "2001:20::1",
                "2001:db8::1",
                "2002:7f00:1::1",
                "2002:0a00:1::1",
                "2002:c0a8:0101::1",
                "3fff::1",
                "3fff:fff::1",
                "4000::1",
                "5f00::1",
                "fe80::1",
                "febf::1",
                "fec0::1",
                "ff02::1",
                "ffff::1",
            ],
            [false; 4],
        );
    }

    proptest! {
        #[test]
        fn a_mapped_address_is_treated_as_the_address_in_it(octets: [u8; 4]) {
            let plain = Ipv4Addr::from(octets);
            for rule in [PUBLIC, LOOPBACK, PRIVATE, BOTH] {
                prop_assert_eq!(
                    rule.is_allowed(IpAddr::V4(plain)),
                    rule.is_allowed(IpAddr::V6(plain.to_ipv6_mapped()))
                );
            }
        }

        #[test]
        fn a_switch_never_takes_an_address_away(octets: [u8; 16]) {
            let address = IpAddr::from(octets);
            if PUBLIC.is_allowed(address) {
                prop_assert!(BOTH.is_allowed(address));
            }
        }
    }
}
