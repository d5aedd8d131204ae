//! What does not change from call to call: who the endpoint is, whom it trusts, whom it asks.

use core::fmt;
use std::sync::Arc;

use ringtrue_oob::BaseUrl;
use ringtrue_oob::token::redemption;
use ringtrue_stir::certificate::{CertificateBag, TrustAnchors, VerifiedPath};
use ringtrue_stir::crypto::{CryptoProvider, P256PublicKey};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime, X5u};

use crate::key_overlap::{self, MAX_OVERLAP};
use crate::key_source::{Directory, KeySource};
use crate::{Credential, CredentialStatus, Policy, RelayPolicy, Trust};

/// The most own numbers of one endpoint: a statement names them all and must fit its limit.
const MAX_NUMBERS: usize = 32;

/// The most placement services a key statement may name (docs/protocol.md section 7.2).
const MAX_SERVICES: usize = 4;

/// The most signers that a policy may list. Each statement is compared with all of them.
const MAX_READER_SIGNERS: usize = 1024;

/// The most URLs that a policy may have fetched for one call. A call's tokens are signed by few.
const MAX_FETCHES: usize = 16;

/// The most storage tokens of a stock: with more, one stolen telephone could flood.
const MAX_STOCK: usize = 100;

/// The services that the application provisions.
#[derive(Clone, Debug)]
pub struct Services {
    /// Where this endpoint's own mailboxes are, in order of preference: 1 to 4. Named in its key
    /// statement; all of them are asked when a call rings.
    pub own: Vec<BaseUrl>,
    /// The key directory that is asked for the keys of others and told the own ones.
    pub directory: BaseUrl,
    /// A second directory, of another operator. What the two say of a number is compared
    /// ([`Reason::DirectoryInconsistent`]); the own statement is told both.
    pub mirror: Option<BaseUrl>,
    /// Where PASSporTs for every called number are left, instead of the service that the callee's key
    /// statement names.
    pub placement: Option<BaseUrl>,
}

/// Everything a session needs to know of its endpoint. Immutable; shared between sessions. What can
/// change while the endpoint lives (its credential, whom it trusts) makes a new one.
#[derive(Clone)]
pub struct Context {
    pub(crate) provider: Arc<dyn CryptoProvider>,
    pub(crate) trust: Trust,
    pub(crate) policy: Policy,
    pub(crate) numbers: Vec<TelephoneNumber>,
    pub(crate) services: Services,
    pub(crate) hardware_key: Option<P256PublicKey>,
    pub(crate) key_source: Arc<dyn KeySource>,
    relay: Arc<RelayPolicy>,
    signer: Option<OwnSigner>,
}

/// The credential with its checked path, or why it has none.
#[derive(Clone)]
struct OwnSigner {
    credential: Credential,
    path: Result<VerifiedPath, Reason>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("numbers", &self.numbers.len())
            .finish_non_exhaustive()
    }
}

/// Collects and checks a [`Context`].
pub struct ContextBuilder {
    /// The cryptography to use.
    pub provider: Arc<dyn CryptoProvider>,
    /// The STI anchors that signers must lead to, unless a trust bundle takes their place
    /// ([`Context::with_trust`]).
    pub anchors: TrustAnchors,
    /// The choices of the endpoint.
    pub policy: Policy,
    /// The endpoint's own numbers, 1 to 32.
    pub numbers: Vec<TelephoneNumber>,
    /// The provisioned services.
    pub services: Services,
    /// The credential that speaks for the own numbers. Without one the endpoint can only verify.
    pub credential: Option<Credential>,
    /// The public half of a hardware key for suite S1, instead of software keys.
    pub hardware_key: Option<P256PublicKey>,
}

impl ContextBuilder {
    /// Checks everything that can be checked before a call.
    ///
    /// The credential's own path is verified here, at `now` or, where the clock is not set, at the
    /// beginning of the leaf's validity; its validity is looked at again with every use (CRT-39).
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] for a missing or superfluous number or service or a policy
    /// out of range; what
    /// [`verify_path`](ringtrue_stir::certificate::verify_path) says if the credential does not lead to an anchor.
    pub fn build(self, now: Option<UnixTime>) -> Result<Context, Reason> {
        let policy = &self.policy;
        let well_formed = (1..=MAX_NUMBERS).contains(&self.numbers.len())
            && (1..=MAX_SERVICES).contains(&self.services.own.len())
            && !policy.suites.is_empty()
            && policy.statement_life <= ringtrue_oob::statement::MAX_LIFE
            && policy.statement_life.as_secs() >= 60
            && policy.reader_signers.len() <= MAX_READER_SIGNERS
            && self.services.mirror.as_ref() != Some(&self.services.directory)
            && (policy.statement_life <= MAX_OVERLAP || !key_overlap::is_mixed(&policy.suites))
            && policy.max_blobs <= 256
            && policy.max_fetches <= MAX_FETCHES
            && (1..=MAX_STOCK).contains(&policy.token_stock)
            && (1..=redemption::MAX_TOKENS).contains(&policy.max_price)
            && policy.issuer_rotation.as_secs() > 0
            && policy.max_answer_octets <= 1_572_864;
        if !well_formed {
            return Err(Reason::ConfigurationInvalid);
        }
        let context = Context {
            provider: self.provider,
            trust: Trust::configured(self.anchors, self.policy.profile),
            policy: self.policy,
            numbers: self.numbers,
            services: self.services,
            hardware_key: self.hardware_key,
            key_source: Arc::new(Directory),
            relay: Arc::default(),
            signer: None,
        };
        match self.credential {
            None => Ok(context),
            Some(credential) => context.with_credential(credential, now),
        }
    }
}

impl Context {
    /// The endpoint's own numbers.
    #[must_use]
    pub fn numbers(&self) -> &[TelephoneNumber] {
        &self.numbers
    }

    /// The cryptography in use.
    #[must_use]
    pub const fn provider(&self) -> &Arc<dyn CryptoProvider> {
        &self.provider
    }

    /// The choices of the endpoint.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The provisioned services.
    #[must_use]
    pub const fn services(&self) -> &Services {
        &self.services
    }

    /// How requests get to services; a driver that wraps its sessions into
    /// [`Relayed`](crate::Relayed) follows it.
    #[must_use]
    pub fn relay(&self) -> &RelayPolicy {
        &self.relay
    }

    /// The same endpoint with another way to its services.
    #[must_use]
    pub fn with_relay(mut self, relay: RelayPolicy) -> Self {
        self.relay = Arc::new(relay);
        self
    }

    /// The same endpoint, asking for the keys of others in another way than at a directory of the
    /// protocol (PRV-41).
    #[must_use]
    pub fn with_key_source(mut self, source: Arc<dyn KeySource>) -> Self {
        self.key_source = source;
        self
    }

    /// Whether `number` is one of the endpoint's own.
    #[must_use]
    pub fn owns(&self, number: &TelephoneNumber) -> bool {
        self.numbers.contains(number)
    }

    /// The same endpoint with another credential, whose path is verified here as in
    /// [`ContextBuilder::build`]. A verifier with the same trust would not accept what is refused here.
    ///
    /// # Errors
    ///
    /// What [`verify_path`](ringtrue_stir::certificate::verify_path) says if the credential does not
    /// lead to an anchor; [`Reason::SctMissing`] and the like where timestamps of logs are required
    /// (SCT-10, SCT-11).
    pub fn with_credential(
        mut self,
        credential: Credential,
        now: Option<UnixTime>,
    ) -> Result<Self, Reason> {
        let path = Ok(self.own_path(&credential, now)?);
        self.signer = Some(OwnSigner { credential, path });
        Ok(self)
    }

    /// The same endpoint with a credential that may not lead to an anchor of the trust bundle: then
    /// [`Context::credential_status`] says so, and nothing is signed with it until a bundle comes that
    /// has its anchor.
    #[must_use]
    pub fn with_untried_credential(
        mut self,
        credential: Credential,
        now: Option<UnixTime>,
    ) -> Self {
        let path = self.own_path(&credential, now);
        self.signer = Some(OwnSigner { credential, path });
        self
    }

    /// The same endpoint, believing others. Its credential is judged anew, by the same rules.
    ///
    /// The profile of the trust counts, no longer that of the policy.
    #[must_use]
    pub fn with_trust(mut self, trust: Trust, now: Option<UnixTime>) -> Self {
        self.trust = trust;
        match self.signer.take() {
            Some(signer) => self.with_untried_credential(signer.credential, now),
            None => self,
        }
    }

    fn own_path(
        &self,
        credential: &Credential,
        now: Option<UnixTime>,
    ) -> Result<VerifiedPath, Reason> {
        let leaf = credential.leaf();
        let at = now.unwrap_or_else(|| leaf.not_before());
        let provider = self.provider.as_ref();
        let (path, _) = self
            .trust
            .verify_path(provider, leaf, credential.bag(), at, at)?;
        Ok(path)
    }

    /// Whom the endpoint believes.
    #[must_use]
    pub const fn trust(&self) -> &Trust {
        &self.trust
    }

    /// The credential in use.
    #[must_use]
    pub fn credential(&self) -> Option<&Credential> {
        self.signer.as_ref().map(|signer| &signer.credential)
    }

    /// Requires the credential to speak for every own number.
    ///
    /// # Errors
    ///
    /// [`Reason::CredentialMissing`] without one, what is wrong with its path, and those of
    /// [`VerifiedPath::require_covered`].
    pub fn require_scope(&self) -> Result<(), Reason> {
        let signer = self.signer.as_ref().ok_or(Reason::CredentialMissing)?;
        let path = signer.path.as_ref().map_err(|reason| *reason)?;
        self.numbers
            .iter()
            .try_for_each(|number| path.require_covered(number))
    }

    /// Whether the endpoint can sign at `now`, and when to renew.
    #[must_use]
    pub fn credential_status(&self, now: UnixTime) -> CredentialStatus {
        self.signer
            .as_ref()
            .map_or(CredentialStatus::MISSING, |signer| {
                CredentialStatus::of(&signer.credential, signer.path.as_ref(), now)
            })
    }

    /// Who signs the own statements: SHA-256 of the credential's SubjectPublicKeyInfo (W-11).
    pub(crate) fn signer_digest(&self) -> Option<[u8; 32]> {
        let path = self.signer.as_ref()?.path.as_ref().ok()?;
        Some(path.spki_digest())
    }

    /// What is needed to sign in the name of `number`, if the credential covers it now (OOB-1).
    pub(crate) fn signer_for(
        &self,
        number: &TelephoneNumber,
        now: UnixTime,
    ) -> Result<SignerView<'_>, Reason> {
        let signer = self.signer.as_ref().ok_or(Reason::CredentialUnavailable)?;
        let path = signer.path.as_ref().map_err(|reason| *reason)?;
        if now > path.valid_until() {
            return Err(Reason::CertificateExpired);
        }
        if now < path.valid_from() {
            return Err(Reason::CertificateNotYetValid);
        }
        path.require_covered(number)?;
        Ok(SignerView {
            credential: &signer.credential,
            path,
        })
    }
}

/// The credential, seen by whoever is about to sign.
#[derive(Clone, Copy)]
pub(crate) struct SignerView<'a> {
    credential: &'a Credential,
    path: &'a VerifiedPath,
}

impl SignerView<'_> {
    pub(crate) fn x5u(&self) -> &X5u {
        self.credential.x5u()
    }

    pub(crate) fn bag(&self) -> &CertificateBag {
        self.credential.bag()
    }

    pub(crate) fn public_key(&self) -> &P256PublicKey {
        self.path.public_key()
    }

    pub(crate) fn spki_digest(&self) -> [u8; 32] {
        self.path.spki_digest()
    }

    pub(crate) fn not_after(&self) -> UnixTime {
        self.path.not_after()
    }
}
