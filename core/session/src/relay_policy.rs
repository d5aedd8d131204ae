//! Which relay carries which requests, and what happens without one.

use ringtrue_oob::BaseUrl;
use ringtrue_oob::http::relay_route;
use ringtrue_stir::Reason;

/// The most services that a policy names itself. Others follow the naming rule.
const MAX_NAMED: usize = 64;

/// The name by which relays know the gateway of `service` unless something else was agreed: its
/// authority, and for a base URL with a prefix the prefix behind it, each `/` written `~`. Brackets of
/// an IPv6 address are left out.
///
/// Source: docs/protocol.md section 19.2.
#[must_use]
pub fn gateway_name(service: &BaseUrl) -> String {
    let authority = service.authority().replace(['[', ']'], "");
    format!("{authority}{}", service.prefix().replace('/', "~"))
}

/// How lookups, publications, stores and retrievals go: through a relay, which sees who asks and not what, or
/// directly, where the service sees both.
///
/// The default allows nothing: an application names a relay, or says that it wants none
/// ([`RelayPolicy::direct`]).
///
/// Source: docs/protocol.md section 19.2 (PRV-38, PRV-41; threats T1, T25, T33).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RelayPolicy {
    relay: Option<BaseUrl>,
    /// Service, and the URL of its gateway at a relay.
    named: Vec<(BaseUrl, String)>,
    allow_direct: bool,
}

impl RelayPolicy {
    /// No relay: services see the address of the endpoint together with the numbers it asks for. For
    /// a service of the application's own operator, and for laboratories.
    #[must_use]
    pub fn direct() -> Self {
        Self {
            allow_direct: true,
            ..Self::default()
        }
    }

    /// Everything goes through `relay`, whose operator should be another than the services' (T33).
    #[must_use]
    pub fn through(relay: BaseUrl) -> Self {
        Self {
            relay: Some(relay),
            ..Self::default()
        }
    }

    /// Asks for `service` at `relay` under `name`, instead of the policy's relay and the name by the
    /// rule ([`gateway_name`]). Several relays may be in use, each for other services.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] for a name that no relay may have, or more than 64.
    pub fn with_service(
        mut self,
        service: BaseUrl,
        relay: &BaseUrl,
        name: &str,
    ) -> Result<Self, Reason> {
        if !relay_route::is_name(name) || self.named.len() >= MAX_NAMED {
            return Err(Reason::ConfigurationInvalid);
        }
        self.named.retain(|(known, _)| *known != service);
        let url = relay.join(&relay_route::relay_path(name));
        self.named.push((service, url));
        Ok(self)
    }

    /// Whether a service may be asked directly where no relay is known for it, or the relay fails.
    /// Each time is told with [`Reason::DirectConnection`]. Off by default.
    #[must_use]
    pub fn allowing_direct(mut self, allow_direct: bool) -> Self {
        self.allow_direct = allow_direct;
        self
    }

    /// Whether services may be asked directly.
    #[must_use]
    pub const fn allows_direct(&self) -> bool {
        self.allow_direct
    }

    /// Whether there is any relay.
    #[must_use]
    pub fn has_relay(&self) -> bool {
        self.relay.is_some() || !self.named.is_empty()
    }

    /// Where encapsulated requests for `service` go.
    #[must_use]
    pub fn url_for(&self, service: &BaseUrl) -> Option<String> {
        if let Some((_, url)) = self.named.iter().find(|(known, _)| known == service) {
            return Some(url.clone());
        }
        let relay = self.relay.as_ref()?;
        let name = gateway_name(service);
        relay_route::is_name(&name).then(|| relay.join(&relay_route::relay_path(&name)))
    }
}

#[cfg(test)]
mod tests {
    use ringtrue_oob::BaseUrl;
    use ringtrue_stir::Reason;

    use super::{RelayPolicy, gateway_name};

    fn base(text: &str) -> BaseUrl {
        BaseUrl::parse(text).unwrap()
    }

    #[test]
    fn gateways_are_named_by_their_authority_and_prefix() {
        for (service, name) in [
            ("https://cps.example.com", "cps.example.com"),
            ("https://cps.example.com:8443", "cps.example.com:8443"),
            ("https://cps.example.com/v1/x", "cps.example.com~v1~x"),
            ("https://[2001:db8::1]:8443/v1", "2001:db8::1:8443~v1"),
        ] {
            assert_eq!(gateway_name(&base(service)), name);
        }
    }

    #[test]
    fn a_service_is_reached_by_the_rule_or_by_what_was_agreed() {
        let cps = base("https://cps.example.com");
        let policy = RelayPolicy::through(base("https://relay.example/r"));
        assert_eq!(
            policy.url_for(&cps).as_deref(),
            Some("https://relay.example/r/relay/cps.example.com")
        );
        let other = base("https://other.example");
        let policy = policy.with_service(cps.clone(), &other, "mine").unwrap();
        assert_eq!(
            policy.url_for(&cps).as_deref(),
            Some("https://other.example/relay/mine")
        );
        // A policy with named services alone knows no others.
        let policy = RelayPolicy::default()
            .with_service(cps.clone(), &other, "mine")
            .unwrap();
        assert!(policy.has_relay() && policy.url_for(&other).is_none());
    }

    #[test]
    fn the_default_allows_nothing() {
        let policy = RelayPolicy::default();
        assert!(!policy.has_relay() && !policy.allows_direct());
        assert!(RelayPolicy::direct().allows_direct());
        assert!(!RelayPolicy::through(base("https://r.example")).allows_direct());
    }

    #[test]
    fn a_name_is_never_a_url() {
        let (cps, relay) = (base("https://cps.example"), base("https://relay.example"));
        for name in ["", "a/b", "..", "https://x", "a?b"] {
            let policy = RelayPolicy::default().with_service(cps.clone(), &relay, name);
            assert_eq!(policy, Err(Reason::ConfigurationInvalid), "{name}");
        }
        // A prefix with what no name may hold leads nowhere.
        let odd = base("https://cps.example/a,b");
        assert_eq!(RelayPolicy::through(relay).url_for(&odd), None);
    }
}
