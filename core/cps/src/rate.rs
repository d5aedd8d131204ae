//! How often one client may ask: a bucket of requests per client address.

use std::collections::HashMap;
use std::net::IpAddr;

/// Addresses that are remembered. Beyond it the full buckets are forgotten; if all are in use, new
/// addresses pass uncounted, because refusing them would let a flooder lock everyone out.
const MAX_CLIENTS: usize = 65_536;

/// A request costs this much of a bucket, so that whole numbers suffice.
const COST: u64 = 60_000;

/// Token buckets, refilled evenly. The time is a parameter in milliseconds.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    per_minute: u64,
    buckets: HashMap<IpAddr, (u64, u64)>,
}

impl RateLimiter {
    /// Lets each client make `per_minute` requests a minute, that many at once.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self {
            per_minute: u64::from(per_minute.max(1)),
            buckets: HashMap::new(),
        }
    }

    /// Counts a request; if it is one too many, gives the whole seconds until the next may come.
    pub(crate) fn check(&mut self, client: IpAddr, now_ms: u64) -> Result<(), u64> {
        let client = network(client);
        let full = self.per_minute.saturating_mul(COST);
        if self.buckets.len() >= MAX_CLIENTS && !self.buckets.contains_key(&client) {
            let per_minute = self.per_minute;
            self.buckets
                .retain(|_, bucket| refilled(*bucket, per_minute, full, now_ms) < full);
            if self.buckets.len() >= MAX_CLIENTS {
                return Ok(());
            }
        }
        let bucket = self.buckets.entry(client).or_insert((full, now_ms));
        let level = refilled(*bucket, self.per_minute, full, now_ms);
        match level.checked_sub(COST) {
            Some(rest) => {
                *bucket = (rest, now_ms);
                Ok(())
            }
            None => {
                *bucket = (level, now_ms);
                let missing_ms = COST.saturating_sub(level).div_ceil(self.per_minute);
                Err(missing_ms.div_ceil(1000).max(1))
            }
        }
    }
}

fn refilled((level, at_ms): (u64, u64), per_minute: u64, full: u64, now_ms: u64) -> u64 {
    // A minute has as many milliseconds as a request costs, so the rate is the gain per millisecond.
    let gain = now_ms.saturating_sub(at_ms).saturating_mul(per_minute);
    level.saturating_add(gain).min(full)
}

/// One IPv6 site counts as one client: it has 2^64 addresses.
pub(crate) fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{MAX_CLIENTS, RateLimiter};

    fn client(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_burst_of_a_minute_passes_and_then_the_even_rate() {
        let mut limiter = RateLimiter::new(60);
        for _ in 0..60 {
            assert_eq!(limiter.check(client("192.0.2.1"), 0), Ok(()));
        }
        assert_eq!(limiter.check(client("192.0.2.1"), 0), Err(1));
        assert_eq!(limiter.check(client("192.0.2.1"), 999), Err(1));
        assert_eq!(limiter.check(client("192.0.2.1"), 1000), Ok(()));
        assert_eq!(limiter.check(client("192.0.2.1"), 1000), Err(1));
        assert_eq!(limiter.check(client("192.0.2.2"), 1000), Ok(()));
    }

    #[test]
    fn the_wait_that_is_told_is_long_enough() {
        let mut limiter = RateLimiter::new(2);
        let me = client("192.0.2.1");
        assert_eq!(limiter.check(me, 0), Ok(()));
        assert_eq!(limiter.check(me, 0), Ok(()));
        assert_eq!(limiter.check(me, 0), Err(30));
        assert_eq!(limiter.check(me, 30_000), Ok(()));
    }

    #[test]
    fn an_ipv6_site_is_one_client_and_a_mapped_address_is_ipv4() {
        let mut limiter = RateLimiter::new(1);
        assert_eq!(limiter.check(client("2001:db8:1:2::1"), 0), Ok(()));
        assert!(limiter.check(client("2001:db8:1:2:ffff::9"), 0).is_err());
        assert_eq!(limiter.check(client("2001:db8:1:3::1"), 0), Ok(()));
        assert_eq!(limiter.check(client("::ffff:192.0.2.1"), 0), Ok(()));
        assert!(limiter.check(client("192.0.2.1"), 0).is_err());
    }

    #[test]
    fn the_table_is_bounded_and_never_locks_new_clients_out() {
        let mut limiter = RateLimiter::new(1);
        let mut next = 0_u32;
        for _ in 0..MAX_CLIENTS + 10 {
            next += 1;
            assert_eq!(limiter.check(IpAddr::from(next.to_be_bytes()), 0), Ok(()));
        }
        assert!(limiter.buckets.len() <= MAX_CLIENTS);
        assert_eq!(limiter.check(client("192.0.2.1"), 60_000), Ok(()));
        assert_eq!(limiter.buckets.len(), 1);
    }
}
