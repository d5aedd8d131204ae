//! What an endpoint is made of. Whatever is left out has the default of the Rust API.

use std::sync::Arc;

use ringtrue::{EndpointBuilder, FetchSettings, Fetcher, Reason};
use zeroize::Zeroizing;

use crate::optional::{count, set};
use crate::show::show;
use crate::{HttpSettings, Policy, TrustConfig};

/// What an endpoint needs, apart from keys. Its text shows nothing of it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct EndpointConfig {
    /// The own numbers, 1 to 32.
    pub numbers: Vec<String>,
    /// Base URLs of the own placement services, 1 to 4 in order of preference. The first is the key
    /// directory as well, unless `directory` names another.
    pub services: Vec<String>,
    /// STI trust anchors, each text PEM with one or more certificates.
    pub anchors_pem: Vec<String>,
    /// The file that keeps keys and what is known of others. Several processes may share one: an
    /// application and its extension. Left out only where the application gives a store of its own.
    #[uniffi(default)]
    pub state_file: Option<String>,
    /// 32 octets that seal the state file, from a secure generator and kept in the platform's key store
    /// (Keychain; wrapped by Android Keystore). All processes that share the file give the same. Without
    /// it the key is in a file beside the state file, with `.key` at the end of its name: leave that one
    /// out of backups. With another key the endpoint begins anew.
    #[uniffi(default)]
    pub state_key: Option<Vec<u8>>,
    /// The STIR credential. Without one the endpoint can verify but neither place nor answer. Comes
    /// with a signer. One that was installed later and lasts longer is used instead.
    #[uniffi(default)]
    pub credential: Option<Credential>,
    /// The base URL of the key directory.
    #[uniffi(default)]
    pub directory: Option<String>,
    /// The base URL of a second key directory, of another operator. Lookups compare the two.
    #[uniffi(default)]
    pub mirror_directory: Option<String>,
    /// Leaves every announcement at this service, instead of the one that the callee's key statement
    /// names.
    #[uniffi(default)]
    pub placement: Option<String>,
    /// The base URL of the relay that carries lookups, stores and retrievals. One of this and
    /// `allow_direct` is required.
    #[uniffi(default)]
    pub relay: Option<String>,
    /// Services that are reached through another relay, or whose gateway the relay knows by another name
    /// than the one by the rule.
    #[uniffi(default)]
    pub relays: Vec<ServiceRelay>,
    /// Whether services may be asked directly, without the relay: they then see the address of the
    /// telephone together with the numbers it asks for.
    #[uniffi(default)]
    pub allow_direct: bool,
    /// How numbers are written here. Without it they must be global: nothing is guessed.
    #[uniffi(default)]
    pub number_context: Option<NumberContext>,
    /// How the built-in HTTP client connects.
    #[uniffi(default)]
    pub http: Option<HttpSettings>,
    /// Where trust bundles come from, instead of anchors in the application.
    #[uniffi(default)]
    pub trust: Option<TrustConfig>,
    /// How trust bundles, revocation lists and, if the policy allows it, certificates are fetched.
    #[uniffi(default)]
    pub fetch_http: Option<HttpSettings>,
    /// The issuer whose storage tokens the own services want, by the authority of its base URL. The own
    /// key statement names it, so that callers bring tokens.
    #[uniffi(default)]
    pub token_issuer: Option<String>,
    /// How many storage tokens are kept in stock for each issuer and service: 20 to 100, 40 by default.
    #[uniffi(default)]
    pub token_stock: Option<u32>,
    /// Limits, times and suites.
    #[uniffi(default)]
    pub policy: Option<Policy>,
}

show!(EndpointConfig, |_value, f| f
    .write_str("EndpointConfig(..)"));

impl EndpointConfig {
    /// Hands everything to the core's builder, which checks it. Gives the fetcher too, if there is
    /// anything to fetch.
    pub(crate) fn into_builder(
        self,
        source: Option<Arc<dyn ringtrue::FetchSource>>,
    ) -> Result<(EndpointBuilder, Option<Fetcher>), Reason> {
        let during_calls = self
            .policy
            .as_ref()
            .is_some_and(|policy| policy.fetch_certificates == Some(true));
        let fetcher = if during_calls || self.trust.is_some() {
            let mut settings = FetchSettings::default();
            set(&mut settings.http, self.fetch_http, HttpSettings::into_core);
            Some(match source {
                Some(source) => Fetcher::with_source(&settings, source),
                None => Fetcher::new(&settings)?,
            })
        } else {
            None
        };
        let mut builder = ringtrue::Endpoint::builder().allow_direct(self.allow_direct);
        if let Some(path) = self.state_file {
            builder = builder.state_file(path);
        }
        if let Some(relay) = self.relay {
            builder = builder.relay(relay);
        }
        for relay in self.relays {
            builder = builder.relay_for(relay.service, relay.relay, relay.name);
        }
        if let Some(key) = self.state_key {
            let key = Zeroizing::new(key);
            let key = key.as_slice().try_into();
            let key: [u8; 32] = key.map_err(|_| Reason::ConfigurationInvalid)?;
            builder = builder.state_key(key);
        }
        for number in self.numbers {
            builder = builder.number(number);
        }
        for service in self.services {
            builder = builder.service(service);
        }
        for pem in self.anchors_pem {
            builder = builder.anchors_pem(pem);
        }
        if let Some(credential) = self.credential {
            builder = builder.credential(credential.chain_pem, credential.x5u);
        }
        if let Some(directory) = self.directory {
            builder = builder.directory(directory);
        }
        if let Some(mirror) = self.mirror_directory {
            builder = builder.mirror_directory(mirror);
        }
        if let Some(placement) = self.placement {
            builder = builder.placement(placement);
        }
        if let Some(context) = self.number_context {
            builder = builder.number_context(context.into_core()?);
        }
        if let Some(http) = self.http {
            builder = builder.http(http.into_core());
        }
        if let Some(policy) = self.policy {
            builder = builder.policy(policy.into_core()?);
        }
        if let Some(issuer) = self.token_issuer {
            builder = builder.token_issuer(issuer);
        }
        if let Some(tokens) = self.token_stock {
            builder = builder.token_stock(count(tokens));
        }
        if let Some(fetcher) = fetcher.as_ref().filter(|_| during_calls) {
            builder = builder.fetching(fetcher.clone());
        }
        if let Some(trust) = self.trust {
            builder = builder.trust_bundle(trust.bundle_url, trust.keys_pem);
            if let Some(fetcher) = &fetcher {
                builder = builder.trust_fetching(fetcher.clone());
            }
            if let Some(bundle) = trust.shipped_bundle {
                builder = builder.shipped_trust_bundle(bundle);
            }
        }
        Ok((builder, fetcher))
    }
}

/// The STIR credential. Its text shows nothing of it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct Credential {
    /// The certificate chain as PEM, signer first.
    pub chain_pem: String,
    /// The https URL where others find it.
    pub x5u: String,
}

show!(Credential, |_value, f| f.write_str("Credential(..)"));

/// The relay of one service.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ServiceRelay {
    /// The base URL of the service.
    pub service: String,
    /// The base URL of the relay that reaches it.
    pub relay: String,
    /// The name by which that relay knows the service's gateway.
    pub name: String,
}

/// How numbers are written where the application is. The application states it; it is never guessed.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct NumberContext {
    /// 1 to 3 digits: `1` or `44`.
    pub country_code: String,
    /// What precedes a national number: `0`, `1`, or empty where there is none.
    pub trunk_prefix: String,
    /// What precedes a country code when dialling abroad: `00`, `011`.
    pub international_prefix: String,
    /// The lengths, in digits, of national numbers that are written without the trunk prefix: 10 in
    /// North America, 8 in Denmark; empty where that does not occur.
    #[uniffi(default)]
    pub bare_national_lengths: Vec<u32>,
}

impl NumberContext {
    fn into_core(self) -> Result<ringtrue::NumberContext, Reason> {
        let lengths: Vec<u8> = self
            .bare_national_lengths
            .iter()
            .map(|length| u8::try_from(*length).map_err(|_| Reason::ConfigurationInvalid))
            .collect::<Result<_, _>>()?;
        ringtrue::NumberContext::new(
            &self.country_code,
            &self.trunk_prefix,
            &self.international_prefix,
            &lengths,
        )
    }
}

#[cfg(test)]
mod tests {
    use ringtrue::Reason;

    use super::{Credential, EndpointConfig, NumberContext};

    #[test]
    fn a_number_context_is_checked() {
        let context = |country: &str, lengths: &[u32]| {
            NumberContext {
                country_code: country.to_owned(),
                trunk_prefix: "1".to_owned(),
                international_prefix: "011".to_owned(),
                bare_national_lengths: lengths.to_vec(),
            }
            .into_core()
        };
        let read = context("1", &[10])
            .unwrap()
            .canonical("202 555 0143")
            .unwrap();
        assert_eq!(read.as_str(), "12025550143");
        assert_eq!(
            context("one", &[10]).err(),
            Some(Reason::ConfigurationInvalid)
        );
        assert_eq!(
            context("1", &[266]).err(),
            Some(Reason::ConfigurationInvalid)
        );
    }

    #[test]
    fn the_text_of_a_configuration_shows_nothing_of_it() {
        let credential = Credential {
            chain_pem: "chain".to_owned(),
            x5u: "url".to_owned(),
        };
        let config = EndpointConfig {
            numbers: vec!["12025550143".to_owned()],
            services: vec!["https://cps.example".to_owned()],
            anchors_pem: Vec::new(),
            state_file: Some("state".to_owned()),
            state_key: None,
            credential: Some(credential.clone()),
            directory: None,
            mirror_directory: None,
            placement: None,
            relay: None,
            relays: Vec::new(),
            allow_direct: false,
            number_context: None,
            http: None,
            trust: None,
            fetch_http: None,
            token_issuer: None,
            token_stock: None,
            policy: None,
        };
        assert_eq!(
            format!("{config} {config:?}"),
            "EndpointConfig(..) EndpointConfig(..)"
        );
        assert_eq!(
            format!("{credential} {credential:?}"),
            "Credential(..) Credential(..)"
        );
    }
}
