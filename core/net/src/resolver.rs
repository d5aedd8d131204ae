//! Name resolution that only ever returns addresses a connection may go to.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::AddressPolicy;

/// The most addresses that are tried. Services have two to four; more only stretch the time in which
/// nothing answers.
const MAX_ADDRESSES: usize = 16;

/// Resolves names instead of the platform: an application's own DNS, or a laboratory's table.
///
/// Called on a thread that may block, once per connection. What it returns is held to the
/// [`AddressPolicy`] like the platform's answers.
pub trait NameResolver: Send + Sync {
    /// The addresses of `name`. Port 0 stands for the port of the URL; another one takes its place
    /// where the URL names none.
    ///
    /// # Errors
    ///
    /// Whatever keeps the name from being resolved; it counts as an unreachable host.
    fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>>;
}

/// The platform's resolver, or the application's, behind the address rule.
///
/// The connector connects to what this returns and asks nobody again, so a name that changes between
/// check and connection gains nothing.
#[derive(Clone)]
pub(crate) struct CheckedResolver {
    pub(crate) policy: AddressPolicy,
    pub(crate) names: Option<Arc<dyn NameResolver>>,
}

/// A name leads to an address that the rule does not allow. Says neither which name nor address.
#[derive(Debug)]
pub(crate) struct AddressRefused;

impl fmt::Display for AddressRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a resolved address is not allowed")
    }
}

impl Error for AddressRefused {}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy;
        let names = self.names.clone();
        Box::pin(async move {
            if let Some(names) = names {
                let resolve = move || names.resolve(name.as_str());
                let found = tokio::task::spawn_blocking(resolve).await??;
                let checked = check(policy, found.into_iter())?;
                return Ok(Box::new(checked.into_iter()) as Addrs);
            }
            // The connector puts the port of the URL in the place of 0.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let checked = check(policy, found)?;
            Ok(Box::new(checked.into_iter()) as Addrs)
        })
    }
}

/// All of them or none: one bad address among good ones is an attack or a mistake, and connectors try
/// the next address when one does not answer (CRT-41).
fn check(
    policy: AddressPolicy,
    found: impl Iterator<Item = SocketAddr>,
) -> Result<Vec<SocketAddr>, AddressRefused> {
    let mut checked = Vec::new();
    for address in found {
        if !is_allowed(policy, &address) {
            return Err(AddressRefused);
        }
        if checked.len() < MAX_ADDRESSES {
            checked.push(address);
        }
    }
    Ok(checked)
}

fn is_allowed(policy: AddressPolicy, address: &SocketAddr) -> bool {
    // A scope belongs to link-local addresses, which are never allowed.
    let scoped = matches!(address, SocketAddr::V6(address) if address.scope_id() != 0);
    let ip: IpAddr = address.ip();
    !scoped && policy.is_allowed(ip)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};

    use super::{MAX_ADDRESSES, check};
    use crate::AddressPolicy;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        let parse = |text: &&str| SocketAddr::new(text.parse().unwrap(), 0);
        texts.iter().map(parse).collect()
    }

    #[test]
    fn returns_every_address_of_a_public_name() {
        let found = addresses(&["1.1.1.1", "2606:4700::1111"]);
        let checked = check(AddressPolicy::public_only(), found.clone().into_iter()).unwrap();
        assert_eq!(checked, found);
    }

    #[test]
    fn refuses_a_name_with_one_bad_address_wherever_it_stands() {
        let policy = AddressPolicy::public_only();
        for texts in [
            ["127.0.0.1", "1.1.1.1", "1.0.0.1"],
            ["1.1.1.1", "10.0.0.1", "1.0.0.1"],
            ["1.1.1.1", "1.0.0.1", "::1"],
        ] {
            assert!(
                check(policy, addresses(&texts).into_iter()).is_err(),
                "{texts:?}"
            );
        }
        let beyond_the_limit = ["1.1.1.1"; MAX_ADDRESSES].into_iter().chain(["127.0.0.1"]);
        let texts: Vec<_> = beyond_the_limit.collect();
        assert!(check(policy, addresses(&texts).into_iter()).is_err());
    }

    #[test]
    fn a_switch_allows_its_own_kind_only() {
        let policy = AddressPolicy::public_only().allow_loopback();
        assert!(check(policy, addresses(&["127.0.0.1", "::1"]).into_iter()).is_ok());
        assert!(check(policy, addresses(&["127.0.0.1", "10.0.0.1"]).into_iter()).is_err());
    }

    #[test]
    fn refuses_scoped_addresses_and_keeps_few_of_many() {
        let scoped = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 0, 0, 2);
        let policy = AddressPolicy::public_only().allow_loopback();
        assert!(check(policy, [SocketAddr::V6(scoped)].into_iter()).is_err());
        let many = addresses(&["1.1.1.1"; 100]);
        assert_eq!(
            check(policy, many.into_iter()).unwrap().len(),
            MAX_ADDRESSES
        );
    }
}
