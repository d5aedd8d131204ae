//! What a client is made from, once it was copied out of the caller's memory.

use std::sync::Arc;
use std::time::Duration;

use ringtrue_oob::BaseUrl;
use ringtrue_session::{
    Context, ContextBuilder, Credential, IssuerName, Monotonic, Now, Policy, RecordKey,
    RelayPolicy, Services, WallClock,
};
use ringtrue_stir::certificate::{CertificateBag, Profile, TrustAnchors};
use ringtrue_stir::crypto::{CryptoProvider, Curve, P256PublicKey, SecretKey};
use ringtrue_stir::{NumberContext, Reason, TelephoneNumber};
use zeroize::Zeroizing;

/// The most sessions of a client that asks for no other number.
const SESSIONS: usize = 8;

/// The most sessions of any client.
const MAX_SESSIONS: usize = 64;

/// Twenty-two blobs of the smallest size in an answer, of 5,463 octets each. A mailbox for one key holds
/// four dummies on average, one of a number that had no key until a moment ago eight (docs/protocol.md
/// section 10.1), and more than twenty in one look of ten thousand. Together they keep a session under
/// 256 KiB (`a_ring_stays_inside_its_memory` in src/tests).
const BLOBS: usize = 22;
const ANSWER_OCTETS: usize = 120_832;

/// The settings of a client, owned.
pub(crate) struct Settings {
    pub(crate) allow_direct: bool,
    pub(crate) numbers: Vec<String>,
    pub(crate) services: Vec<String>,
    pub(crate) directory: String,
    pub(crate) placement: String,
    pub(crate) relay: String,
    pub(crate) country_code: String,
    pub(crate) trunk_prefix: String,
    pub(crate) international_prefix: String,
    pub(crate) national_digits: u32,
    pub(crate) token_issuer: String,
    pub(crate) anchors_pem: String,
    pub(crate) credential_chain_pem: String,
    pub(crate) credential_x5u: String,
    pub(crate) credential_key_pem: Zeroizing<String>,
    pub(crate) agreement_public_key: Vec<u8>,
    pub(crate) state_key: Zeroizing<Vec<u8>>,
    pub(crate) max_sessions: usize,
    pub(crate) max_blobs: usize,
    pub(crate) max_answer_octets: usize,
    pub(crate) ring_deadline_ms: u32,
    pub(crate) place_deadline_ms: u32,
    pub(crate) answer_deadline_ms: u32,
    pub(crate) await_answer_ms: u32,
    pub(crate) directory_deadline_ms: u32,
    pub(crate) profile: Profile,
    pub(crate) store_jitter: bool,
}

/// Everything that sessions of one client share.
pub(crate) struct Prepared {
    pub(crate) context: Arc<Context>,
    pub(crate) records: RecordKey,
    /// The credential's key, where the device keeps it in a file.
    pub(crate) signer: Option<SecretKey>,
    pub(crate) max_sessions: usize,
    /// How numbers are written here.
    pub(crate) numbers: Option<NumberContext>,
}

impl Settings {
    /// Checks everything that can be checked before a call.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] for what is missing, superfluous or out of range;
    /// [`Reason::RelayRequired`] without any way to services; [`Reason::KeyMismatch`] for a key that is
    /// not the credential's; otherwise why a part cannot be read or the credential leads to no anchor.
    pub(crate) fn prepare(
        self,
        provider: Arc<dyn CryptoProvider>,
        now: Now,
    ) -> Result<Prepared, Reason> {
        let state_key: [u8; 32] = self
            .state_key
            .as_slice()
            .try_into()
            .map_err(|_| Reason::ConfigurationInvalid)?;
        let state_key = Zeroizing::new(state_key);
        if self.max_sessions > MAX_SESSIONS {
            return Err(Reason::ConfigurationInvalid);
        }
        let own = self.services.iter().map(|text| BaseUrl::parse(text));
        let own: Vec<BaseUrl> = own.collect::<Result<_, _>>()?;
        let directory = match base(&self.directory)? {
            Some(directory) => directory,
            None => own.first().ok_or(Reason::ConfigurationInvalid)?.clone(),
        };
        let anchors = TrustAnchors::from_pem(&self.anchors_pem)?;
        if anchors.is_empty() {
            return Err(Reason::ConfigurationInvalid);
        }
        let written = self.number_context()?;
        let numbers = self.numbers.iter();
        let numbers = numbers.map(|text| number(written.as_ref(), text));
        let signer = self.signer()?;
        let credential = self.credential(provider.as_ref(), signer.as_ref())?;
        let hardware_key = match self.agreement_public_key.as_slice() {
            [] => None,
            octets => Some(P256PublicKey::from_sec1(octets)?),
        };
        let context = ContextBuilder {
            provider,
            anchors,
            numbers: numbers.collect::<Result<_, _>>()?,
            services: Services {
                directory,
                placement: base(&self.placement)?,
                mirror: None,
                own,
            },
            credential,
            hardware_key,
            policy: self.policy()?,
        };
        let now = now.unix(context.policy.earliest_time);
        Ok(Prepared {
            context: Arc::new(context.build(now)?.with_relay(self.relay_policy()?)),
            records: RecordKey::new(&state_key),
            signer,
            max_sessions: or(self.max_sessions, SESSIONS),
            numbers: written,
        })
    }

    fn policy(&self) -> Result<Policy, Reason> {
        let mut policy = Policy::default();
        policy.max_blobs = or(self.max_blobs, BLOBS);
        policy.max_answer_octets = or(self.max_answer_octets, ANSWER_OCTETS);
        policy.profile = self.profile;
        if !self.store_jitter {
            policy.store_jitter = Duration::ZERO;
        }
        for (member, ms) in [
            (&mut policy.ring_deadline, self.ring_deadline_ms),
            (&mut policy.place_deadline, self.place_deadline_ms),
            (&mut policy.answer_deadline, self.answer_deadline_ms),
            (&mut policy.await_answer, self.await_answer_ms),
            (&mut policy.directory_deadline, self.directory_deadline_ms),
        ] {
            if ms > 0 {
                *member = Duration::from_millis(ms.into());
            }
        }
        if !self.token_issuer.is_empty() {
            policy.token_issuer = Some(IssuerName::parse(&self.token_issuer)?);
        }
        Ok(policy)
    }

    fn number_context(&self) -> Result<Option<NumberContext>, Reason> {
        let none = self.trunk_prefix.is_empty()
            && self.international_prefix.is_empty()
            && self.national_digits == 0;
        if self.country_code.is_empty() {
            return if none {
                Ok(None)
            } else {
                Err(Reason::ConfigurationInvalid)
            };
        }
        let lengths = match self.national_digits {
            0 => Vec::new(),
            digits => vec![u8::try_from(digits).map_err(|_| Reason::ConfigurationInvalid)?],
        };
        let (country, trunk) = (&self.country_code, &self.trunk_prefix);
        NumberContext::new(country, trunk, &self.international_prefix, &lengths).map(Some)
    }

    fn relay_policy(&self) -> Result<RelayPolicy, Reason> {
        let policy = match base(&self.relay)? {
            Some(relay) => RelayPolicy::through(relay),
            None if self.allow_direct => RelayPolicy::direct(),
            None => return Err(Reason::RelayRequired),
        };
        Ok(policy.allowing_direct(self.allow_direct))
    }

    fn signer(&self) -> Result<Option<SecretKey>, Reason> {
        match self.credential_key_pem.as_str() {
            "" => Ok(None),
            pem => SecretKey::from_pkcs8_pem(pem).map(Some),
        }
    }

    fn credential(
        &self,
        provider: &dyn CryptoProvider,
        signer: Option<&SecretKey>,
    ) -> Result<Option<Credential>, Reason> {
        if self.credential_chain_pem.is_empty() {
            // A key without its certificate is a slip of whoever provisioned the device.
            return match (signer, self.credential_x5u.as_str()) {
                (None, "") => Ok(None),
                _ => Err(Reason::ConfigurationInvalid),
            };
        }
        let bag = CertificateBag::from_pem(&self.credential_chain_pem)?;
        let credential = Credential::new(bag, &self.credential_x5u)?;
        if let Some(secret) = signer {
            let public = provider.public_key(Curve::P256, secret)?;
            credential.require_key(&P256PublicKey::from_sec1(&public)?)?;
        }
        Ok(Some(credential))
    }
}

/// Reads a number as it is written here; without a context it must be global.
pub(crate) fn number(
    context: Option<&NumberContext>,
    text: &str,
) -> Result<TelephoneNumber, Reason> {
    match context {
        Some(context) => context.canonical(text),
        None => TelephoneNumber::from_text(text),
    }
}

/// The time as sessions want it.
pub(crate) const fn now(monotonic_ms: u64, unix_ms: u64) -> Now {
    Now {
        monotonic: Monotonic::from_ms(monotonic_ms),
        wall: match unix_ms {
            0 => WallClock::Unset,
            ms => WallClock::UnixMs(ms),
        },
    }
}

/// A base URL, if one is given.
fn base(text: &str) -> Result<Option<BaseUrl>, Reason> {
    match text {
        "" => Ok(None),
        text => BaseUrl::parse(text).map(Some),
    }
}

/// Nought stands for the default.
const fn or(given: usize, default: usize) -> usize {
    if given == 0 { default } else { given }
}
