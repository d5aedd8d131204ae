//! What an endpoint is made of. Whatever is left out has the default of the Rust API.

use std::sync::Arc;
use std::time::Duration;

use ringtrue::{AddressPolicy, EndpointBuilder, FetchSettings, Fetcher, Reason, UnixTime};
use zeroize::Zeroizing;

use crate::TrustConfig;
use crate::show::show;

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
    /// application and its extension.
    pub state_file: String,
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
        let mut builder = ringtrue::Endpoint::builder()
            .state_file(self.state_file)
            .allow_direct(self.allow_direct);
        if let Some(relay) = self.relay {
            builder = builder.relay(relay);
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

/// How the built-in HTTP client connects.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HttpSettings {
    /// Roots in addition to the web's, each text PEM with one or more certificates.
    #[uniffi(default)]
    pub extra_roots_pem: Vec<String>,
    /// Whether the roots of the web, as built in, are trusted. They are unless this says no.
    #[uniffi(default)]
    pub web_roots: Option<bool>,
    /// Allows connections to the same machine. For tests.
    #[uniffi(default)]
    pub allow_loopback: bool,
    /// Allows connections to private networks. For services inside one.
    #[uniffi(default)]
    pub allow_private: bool,
    /// The longest time for one connection: name resolution, TCP and TLS.
    #[uniffi(default)]
    pub connect_timeout_ms: Option<u64>,
}

impl HttpSettings {
    fn into_core(self) -> ringtrue::HttpSettings {
        let mut settings = ringtrue::HttpSettings {
            extra_roots_pem: self.extra_roots_pem,
            ..ringtrue::HttpSettings::default()
        };
        if self.allow_loopback {
            settings.addresses = AddressPolicy::allow_loopback(settings.addresses);
        }
        if self.allow_private {
            settings.addresses = AddressPolicy::allow_private(settings.addresses);
        }
        set(&mut settings.web_roots, self.web_roots, |roots| roots);
        set(
            &mut settings.connect_timeout,
            self.connect_timeout_ms,
            Duration::from_millis,
        );
        settings
    }
}

/// The rules for certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Profile {
    /// Certificates of endpoints: every issuer below the anchor must state its scope.
    Delegate,
    /// Service-provider certificates as they are in use.
    Shaken,
    /// RFC 8226 and RFC 9060 as they stand.
    Stir,
}

impl From<Profile> for ringtrue::Profile {
    fn from(profile: Profile) -> Self {
        match profile {
            Profile::Delegate => Self::Delegate,
            Profile::Shaken => Self::Shaken,
            Profile::Stir => Self::Stir,
        }
    }
}

/// The suites of sealed PASSporTs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Suite {
    /// P-256, HKDF-SHA256, AES-128-GCM. For keys in hardware.
    S1,
    /// X25519, HKDF-SHA256, ChaCha20-Poly1305.
    S2,
    /// X-Wing (ML-KEM-768 with X25519), HKDF-SHA256, ChaCha20-Poly1305.
    S3,
    /// ML-KEM-768 with P-256, HKDF-SHA256, AES-128-GCM.
    S4,
}

impl From<Suite> for ringtrue::Suite {
    fn from(suite: Suite) -> Self {
        match suite {
            Suite::S1 => Self::S1,
            Suite::S2 => Self::S2,
            Suite::S3 => Self::S3,
            Suite::S4 => Self::S4,
        }
    }
}

/// The choices of an endpoint. Every member that is left out is what the protocol recommends.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct Policy {
    /// How far back `iat` may lie.
    #[uniffi(default)]
    pub freshness_ms: Option<u64>,
    /// How far ahead `iat` may lie.
    #[uniffi(default)]
    pub clock_skew_ms: Option<u64>,
    /// The certificate profile that signers are held to.
    #[uniffi(default)]
    pub profile: Option<Profile>,
    /// The suites for which the endpoint makes software keys, one key each.
    #[uniffi(default)]
    pub suites: Option<Vec<Suite>>,
    /// The life of a published key statement, at most 7 days.
    #[uniffi(default)]
    pub statement_life_ms: Option<u64>,
    /// The time within which a call must be announced, after which it is dialled unprotected.
    #[uniffi(default)]
    pub place_deadline_ms: Option<u64>,
    /// The time within which a verdict on a ringing call is due.
    #[uniffi(default)]
    pub ring_deadline_ms: Option<u64>,
    /// The time within which an answer must be stored.
    #[uniffi(default)]
    pub answer_deadline_ms: Option<u64>,
    /// The time within which a lookup or a publication must be done.
    #[uniffi(default)]
    pub directory_deadline_ms: Option<u64>,
    /// How long the caller waits for connected identity.
    #[uniffi(default)]
    pub await_answer_ms: Option<u64>,
    /// The most blobs of one answer that are tried. May only be lowered.
    #[uniffi(default)]
    pub max_blobs: Option<u32>,
    /// The most octets of one answer's body. May only be lowered.
    #[uniffi(default)]
    pub max_answer_octets: Option<u32>,
    /// The most PASSporTs that are checked for one call.
    #[uniffi(default)]
    pub max_passports: Option<u32>,
    /// Whether certificates that did not travel with a token are fetched during a call from where the
    /// caller says. Shows the caller's host that and where a telephone rings.
    #[uniffi(default)]
    pub fetch_certificates: Option<bool>,
    /// The most URLs that are fetched for one call.
    #[uniffi(default)]
    pub max_fetches: Option<u32>,
    /// Whether a signer of whom no current revocation list speaks is refused, where the trust bundle
    /// names issuers of such lists.
    #[uniffi(default)]
    pub require_revocation: Option<bool>,
    /// Whose key statements are sealed to: SHA-256 of the signers' public keys, 32 octets each. Empty or
    /// left out: everybody who may speak for the called number.
    #[uniffi(default)]
    pub reader_signers: Option<Vec<Vec<u8>>>,
    /// Whether only those are sealed to whose certificate the trust bundle's logs have seen.
    #[uniffi(default)]
    pub require_reader_transparency: Option<bool>,
    /// The time within which an update of trust must be done.
    #[uniffi(default)]
    pub trust_deadline_ms: Option<u64>,
    /// The most storage tokens that one store may cost. Services ask for more than one only while a number
    /// is flooded.
    #[uniffi(default)]
    pub max_price: Option<u32>,
    /// The time within which a wallet of storage tokens must be filled.
    #[uniffi(default)]
    pub refill_deadline_ms: Option<u64>,
    /// The time within which a wallet is looked at again after a call or a prefetch, at a random moment.
    /// Zero: the application's own schedule fills wallets.
    #[uniffi(default)]
    pub refill_within_ms: Option<u64>,
    /// A clock that shows an earlier time, in seconds since the Unix epoch, counts as unset.
    #[uniffi(default)]
    pub earliest_time_unix_s: Option<u64>,
}

impl Policy {
    fn into_core(self) -> Result<ringtrue::Policy, Reason> {
        let ms = Duration::from_millis;
        let mut policy = ringtrue::Policy::default();
        set(&mut policy.freshness, self.freshness_ms, ms);
        set(&mut policy.clock_skew, self.clock_skew_ms, ms);
        set(&mut policy.profile, self.profile, ringtrue::Profile::from);
        set(&mut policy.suites, self.suites, |suites| {
            suites.into_iter().map(ringtrue::Suite::from).collect()
        });
        set(&mut policy.statement_life, self.statement_life_ms, ms);
        set(&mut policy.place_deadline, self.place_deadline_ms, ms);
        set(&mut policy.ring_deadline, self.ring_deadline_ms, ms);
        set(&mut policy.answer_deadline, self.answer_deadline_ms, ms);
        set(
            &mut policy.directory_deadline,
            self.directory_deadline_ms,
            ms,
        );
        set(&mut policy.await_answer, self.await_answer_ms, ms);
        set(&mut policy.max_blobs, self.max_blobs, count);
        set(&mut policy.max_answer_octets, self.max_answer_octets, count);
        set(&mut policy.max_passports, self.max_passports, count);
        let same = |value| value;
        set(
            &mut policy.fetch_certificates,
            self.fetch_certificates,
            same,
        );
        set(&mut policy.max_fetches, self.max_fetches, count);
        set(
            &mut policy.require_revocation,
            self.require_revocation,
            same,
        );
        if let Some(signers) = self.reader_signers {
            let digest = |signer: Vec<u8>| signer.try_into();
            let signers = signers.into_iter().map(digest).collect::<Result<_, _>>();
            policy.reader_signers = signers.map_err(|_| Reason::ConfigurationInvalid)?;
        }
        set(
            &mut policy.require_reader_transparency,
            self.require_reader_transparency,
            same,
        );
        set(&mut policy.trust_deadline, self.trust_deadline_ms, ms);
        set(&mut policy.max_price, self.max_price, count);
        set(&mut policy.refill_deadline, self.refill_deadline_ms, ms);
        set(&mut policy.refill_within, self.refill_within_ms, ms);
        set(
            &mut policy.earliest_time,
            self.earliest_time_unix_s,
            UnixTime::from_secs,
        );
        Ok(policy)
    }
}

fn count(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// Sets a member that the application gave; the others keep the core's default.
fn set<T, U>(member: &mut T, value: Option<U>, read: impl FnOnce(U) -> T) {
    if let Some(value) = value {
        *member = read(value);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ringtrue::{AddressPolicy, Reason, UnixTime};

    use super::{Credential, EndpointConfig, HttpSettings, NumberContext, Policy, Profile, Suite};

    fn settings() -> HttpSettings {
        HttpSettings {
            extra_roots_pem: Vec::new(),
            web_roots: None,
            allow_loopback: false,
            allow_private: false,
            connect_timeout_ms: None,
        }
    }

    #[test]
    fn a_policy_without_members_is_the_core_s() {
        assert_eq!(
            Policy::default().into_core(),
            Ok(ringtrue::Policy::default())
        );
    }

    #[test]
    fn a_signer_that_is_no_digest_is_refused() {
        let policy = Policy {
            reader_signers: Some(vec![vec![7; 31]]),
            ..Policy::default()
        };
        assert_eq!(policy.into_core(), Err(Reason::ConfigurationInvalid));
    }

    #[test]
    fn every_member_of_a_policy_arrives_where_it_belongs() {
        let policy = Policy {
            freshness_ms: Some(1),
            clock_skew_ms: Some(2),
            profile: Some(Profile::Delegate),
            suites: Some(vec![Suite::S2, Suite::S1]),
            statement_life_ms: Some(3),
            place_deadline_ms: Some(4),
            ring_deadline_ms: Some(5),
            answer_deadline_ms: Some(6),
            directory_deadline_ms: Some(7),
            await_answer_ms: Some(8),
            max_blobs: Some(9),
            max_answer_octets: Some(10),
            max_passports: Some(11),
            fetch_certificates: Some(true),
            max_fetches: Some(13),
            require_revocation: Some(true),
            reader_signers: Some(vec![vec![7; 32]]),
            require_reader_transparency: Some(true),
            trust_deadline_ms: Some(14),
            max_price: Some(15),
            refill_deadline_ms: Some(16),
            refill_within_ms: Some(17),
            earliest_time_unix_s: Some(12),
        };
        let ms = Duration::from_millis;
        let mut expected = ringtrue::Policy::default();
        expected.freshness = ms(1);
        expected.clock_skew = ms(2);
        expected.profile = ringtrue::Profile::Delegate;
        expected.suites = vec![ringtrue::Suite::S2, ringtrue::Suite::S1];
        expected.statement_life = ms(3);
        expected.place_deadline = ms(4);
        expected.ring_deadline = ms(5);
        expected.answer_deadline = ms(6);
        expected.directory_deadline = ms(7);
        expected.await_answer = ms(8);
        expected.max_blobs = 9;
        expected.max_answer_octets = 10;
        expected.max_passports = 11;
        expected.fetch_certificates = true;
        expected.max_fetches = 13;
        expected.require_revocation = true;
        expected.reader_signers = vec![[7; 32]];
        expected.require_reader_transparency = true;
        expected.trust_deadline = ms(14);
        expected.max_price = 15;
        expected.refill_deadline = ms(16);
        expected.refill_within = ms(17);
        expected.earliest_time = UnixTime::from_secs(12);
        assert_eq!(policy.into_core(), Ok(expected));
    }

    #[test]
    fn every_suite_and_profile_converts() {
        let suites: Vec<_> = [Suite::S1, Suite::S2, Suite::S3, Suite::S4]
            .into_iter()
            .map(ringtrue::Suite::from)
            .collect();
        assert_eq!(suites, ringtrue::Suite::ALL);
        assert_eq!(
            ringtrue::Profile::from(Profile::Delegate),
            ringtrue::Profile::Delegate
        );
        assert_eq!(
            ringtrue::Profile::from(Profile::Shaken),
            ringtrue::Profile::Shaken
        );
        assert_eq!(
            ringtrue::Profile::from(Profile::Stir),
            ringtrue::Profile::Stir
        );
    }

    #[test]
    fn http_settings_without_members_are_the_core_s() {
        let converted = settings().into_core();
        let default = ringtrue::HttpSettings::default();
        assert_eq!(converted.addresses, default.addresses);
        assert_eq!(converted.connect_timeout, default.connect_timeout);
        assert_eq!(converted.extra_roots_pem, default.extra_roots_pem);
        assert_eq!(converted.web_roots, default.web_roots);
    }

    #[test]
    fn every_member_of_http_settings_arrives_where_it_belongs() {
        let converted = HttpSettings {
            extra_roots_pem: vec!["root".to_owned()],
            web_roots: Some(false),
            allow_loopback: true,
            allow_private: false,
            connect_timeout_ms: Some(700),
        }
        .into_core();
        assert_eq!(
            converted.addresses,
            AddressPolicy::public_only().allow_loopback()
        );
        assert_eq!(converted.connect_timeout, Duration::from_millis(700));
        assert_eq!(converted.extra_roots_pem, ["root"]);
        assert!(!converted.web_roots);
        let private = HttpSettings {
            allow_private: true,
            ..settings()
        }
        .into_core();
        assert_eq!(
            private.addresses,
            AddressPolicy::public_only().allow_private()
        );
    }

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
            state_file: "state".to_owned(),
            state_key: None,
            credential: Some(credential.clone()),
            directory: None,
            mirror_directory: None,
            placement: None,
            relay: None,
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
