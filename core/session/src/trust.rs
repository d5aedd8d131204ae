//! Whom the endpoint believes: anchors, revocation lists, certificate logs and the policy over them.
//!
//! They come from the application's configuration, or from an operator's trust bundle, which replaces
//! the configured anchors altogether: an anchor that the operator withdrew must not live on in an
//! application. Calls only look at what is here; nothing is fetched on their way (CRT-60, SCT-21).

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use ringtrue_oob::statement::{KeyStatement, VerifiedStatement, VerifyStatement};
use ringtrue_stir::certificate::sct::{SctCache, SctMode, verify_scts};
use ringtrue_stir::certificate::{
    Authority, Certificate, CertificateBag, PathRules, Profile, RevocationList, TrustAnchors,
    VerifiedPath, VerifiedRevocationList, verify_path,
};
use ringtrue_stir::crypto::CryptoProvider;
use ringtrue_stir::trust_bundle::{BundleVersion, CrlIssuer, TrustBundle, TrustData};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime};

use crate::Context;
use crate::verdict::add_reason;

/// All revocation lists together, in octets: two of the largest that are fetched, or a list of every
/// live certificate.
const MAX_LIST_OCTETS: usize = 4 * 1024 * 1024;

/// What certificates and their signers are judged by. Cheap to clone.
///
/// [`fmt::Debug`] shows counts only.
#[derive(Clone)]
pub struct Trust {
    data: Arc<TrustData>,
    bundle: Option<Bundle>,
    /// Where each of `lists` came from.
    urls: Vec<String>,
    lists: Vec<VerifiedRevocationList>,
    /// For `data` alone: another bundle begins with an empty one (SCT-22).
    scts: Arc<Mutex<SctCache>>,
}

/// Which bundle the data are from.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Bundle {
    version: BundleVersion,
    expires: UnixTime,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("anchors", &self.data.anchors.certificates().len())
            .field("is_bundle", &self.bundle.is_some())
            .field("revocation_lists", &self.lists.len())
            .finish()
    }
}

/// Whom an endpoint believes at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustStatus {
    /// The number of the trust bundle in use; `None` while the configured anchors are.
    pub version: Option<u64>,
    /// When the bundle ends. From then on nobody is verified until a newer one was got.
    pub expires: Option<UnixTime>,
    /// How many revocation lists are at hand.
    pub revocation_lists: usize,
    /// When the first of them is outdated.
    pub next_update: Option<UnixTime>,
}

impl Trust {
    /// The application's own anchors, under the strict defaults of [`TrustData::new`].
    #[must_use]
    pub fn configured(anchors: TrustAnchors, profile: Profile) -> Self {
        let mut data = TrustData::new(anchors);
        data.profile = profile;
        Self::new(data, None)
    }

    /// What a bundle says. No revocation list is at hand yet.
    #[must_use]
    pub fn from_bundle(bundle: &TrustBundle) -> Self {
        let about = Bundle {
            version: *bundle.version(),
            expires: bundle.expires_at(),
        };
        Self::new(bundle.data().clone(), Some(about))
    }

    fn new(data: TrustData, bundle: Option<Bundle>) -> Self {
        Self {
            data: Arc::new(data),
            bundle,
            urls: Vec::new(),
            lists: Vec::new(),
            scts: Arc::default(),
        }
    }

    /// The anchors.
    #[must_use]
    pub fn anchors(&self) -> &TrustAnchors {
        &self.data.anchors
    }

    /// The bundle that is in use.
    #[must_use]
    pub fn version(&self) -> Option<&BundleVersion> {
        self.bundle.as_ref().map(|bundle| &bundle.version)
    }

    /// What is in use and until when.
    #[must_use]
    pub fn status(&self) -> TrustStatus {
        TrustStatus {
            version: self.version().map(BundleVersion::number),
            expires: self.bundle.map(|bundle| bundle.expires),
            revocation_lists: self.lists.len(),
            next_update: self
                .lists
                .iter()
                .map(|held| held.list().next_update())
                .min(),
        }
    }

    /// Whether this may take the place of `other`: it is no older bundle.
    #[must_use]
    pub fn is_at_least(&self, other: &Self) -> bool {
        let number = |trust: &Self| trust.version().map(BundleVersion::number);
        number(self) >= number(other)
    }

    /// The issuers of revocation lists, one entry for each place.
    pub(crate) fn list_sources(&self) -> impl Iterator<Item = (&CrlIssuer, &str)> {
        let issuers = self.data.crl_issuers.iter();
        issuers.flat_map(|issuer| issuer.urls.iter().map(move |url| (issuer, url.as_str())))
    }

    /// The list at hand from `url`.
    pub(crate) fn list_from(&self, url: &str) -> Option<&VerifiedRevocationList> {
        let at = self.urls.iter().position(|held| held == url)?;
        self.lists.get(at)
    }

    /// Takes a list from `url` into use if its issuer signed it and it is no older than the one at hand:
    /// who can replay an old list could hide a revocation. True if it was taken.
    ///
    /// # Errors
    ///
    /// Those of [`RevocationList::verify`]; [`Reason::TooLong`] where all lists together would be too
    /// large.
    pub(crate) fn add_list(
        &mut self,
        provider: &dyn CryptoProvider,
        issuer: &Certificate,
        url: &str,
        list: &RevocationList,
        now: UnixTime,
    ) -> Result<bool, Reason> {
        let verified = list.verify(provider, issuer, now)?;
        if let Some(held) = self.list_from(url)
            && held.list().this_update() > list.this_update()
        {
            return Ok(false);
        }
        let others = self.urls.iter().zip(&self.lists);
        let octets: usize = others
            .filter(|(other, _)| *other != url)
            .map(|(_, held)| held.list().der().len())
            .sum();
        if octets.saturating_add(list.der().len()) > MAX_LIST_OCTETS {
            return Err(Reason::TooLong);
        }
        match self.urls.iter().position(|held| held == url) {
            Some(at) => {
                if let Some(held) = self.lists.get_mut(at) {
                    *held = verified;
                }
            }
            None => {
                self.urls.push(url.to_owned());
                self.lists.push(verified);
            }
        }
        Ok(true)
    }

    /// Requires the bundle to be in its time.
    ///
    /// # Errors
    ///
    /// [`Reason::BundleExpired`] from its end on: nobody is verified by anchors that may have been
    /// withdrawn since, and the configured ones do not come back, else who can hold an update up could
    /// bring back what the operator withdrew.
    pub(crate) fn require_current(&self, now: UnixTime) -> Result<(), Reason> {
        match self.bundle {
            Some(bundle) if now >= bundle.expires => Err(Reason::BundleExpired),
            _ => Ok(()),
        }
    }

    /// The rules for paths. Revocation is only asked about where somebody is named who lists it.
    /// The lists have to be current at `now`, whatever time the path is judged as of.
    pub(crate) fn rules(&self, now: UnixTime) -> PathRules<'_> {
        let mut rules = PathRules::new(self.data.profile);
        rules.rsa_ca_links = self.data.rsa_ca_links;
        rules.revocation = (!self.data.crl_issuers.is_empty()).then_some(self.lists.as_slice());
        rules.revocation_as_of = Some(now);
        rules
    }

    /// The path of a signer as of `at`, with what is worth knowing about it. The bundle's own time is not looked
    /// at: see [`Trust::require_current`].
    pub(crate) fn verify_path(
        &self,
        provider: &dyn CryptoProvider,
        signer: &Certificate,
        bag: &CertificateBag,
        at: UnixTime,
        now: UnixTime,
    ) -> Result<(VerifiedPath, Vec<Reason>), Reason> {
        let path = verify_path(
            provider,
            signer,
            bag,
            &self.data.anchors,
            at,
            self.rules(now),
        )?;
        let notices = self.check_status(provider, &path, now)?;
        Ok((path, notices))
    }

    /// What the world says about a path that holds: revocation lists, and the timestamps of logs. What
    /// only deviates is among the notices; without current lists that is one of them (CRT-61).
    pub(crate) fn check_status(
        &self,
        provider: &dyn CryptoProvider,
        path: &VerifiedPath,
        at: UnixTime,
    ) -> Result<Vec<Reason>, Reason> {
        let mut notices = Vec::new();
        match path.revocation() {
            Ok(()) | Err(Reason::RevocationNotChecked) => {}
            Err(reason) => notices.push(reason),
        }
        let policy = &self.data.sct_policy;
        if self.data.logs.logs().is_empty() {
            // Without logs there is nothing to compare with.
            return match policy.mode {
                SctMode::Require => Err(Reason::SctMissing),
                _ => Ok(notices),
            };
        }
        let mut certificates = path.certificates().iter();
        if let (Some(signer), Some(issuer)) = (certificates.next(), certificates.next()) {
            let mut cache = self.scts.lock().unwrap_or_else(PoisonError::into_inner);
            let logs = &self.data.logs;
            let outcome = cache.verify(provider, signer, issuer, logs, policy, at);
            outcome.require()?;
            for reason in outcome.warnings() {
                add_reason(&mut notices, *reason);
            }
        }
        Ok(notices)
    }

    /// Requires a signer's certificate to show the timestamps of logs that the bundle asks for, whatever
    /// it makes of certificates without.
    ///
    /// # Errors
    ///
    /// [`Reason::SctMissing`] without logs to compare with, or those of
    /// [`SctOutcome::require`](ringtrue_stir::certificate::sct::SctOutcome::require).
    pub(crate) fn require_transparency(
        &self,
        provider: &dyn CryptoProvider,
        path: &VerifiedPath,
        at: UnixTime,
    ) -> Result<(), Reason> {
        let mut certificates = path.certificates().iter();
        let (Some(signer), Some(issuer)) = (certificates.next(), certificates.next()) else {
            return Err(Reason::SctMissing);
        };
        if self.data.logs.logs().is_empty() {
            return Err(Reason::SctMissing);
        }
        let mut policy = self.data.sct_policy;
        policy.mode = SctMode::Require;
        // Not by the cache, whose entries are for the bundle's own policy.
        verify_scts(provider, signer, issuer, &self.data.logs, &policy, at).require()
    }

    /// Requires the signer to speak for `number`. A provider code counts where the bundle names it, and
    /// is then told as a notice: it is not the same as a list that holds the number (CRT-11).
    pub(crate) fn require_authority(
        &self,
        path: &VerifiedPath,
        number: &TelephoneNumber,
    ) -> Result<Option<Reason>, Reason> {
        match path.covers(number) {
            Authority::BySpc(spc) if self.data.spc_policy.accepts(&spc) => {
                Ok(Some(Reason::AuthorityBySpc))
            }
            _ => path.require_covered(number).map(|()| None),
        }
    }
}

impl Context {
    /// The path of another party's signer as of `at`, with what is worth knowing about it.
    pub(crate) fn judge_signer(
        &self,
        signer: &Certificate,
        bag: &CertificateBag,
        at: UnixTime,
        now: UnixTime,
    ) -> Result<(VerifiedPath, Vec<Reason>), Reason> {
        self.trust.require_current(now)?;
        let provider = self.provider.as_ref();
        let (path, notices) = self.trust.verify_path(provider, signer, bag, at, now)?;
        self.require_revocation(&notices)?;
        Ok((path, notices))
    }

    /// Verifies another party's key statement. A provider code never counts here: it would let any
    /// provider read what is meant for any number.
    pub(crate) fn verify_statement(
        &self,
        statement: &KeyStatement,
        number: &TelephoneNumber,
        bag: Option<&CertificateBag>,
        now: UnixTime,
    ) -> Result<VerifiedStatement, Reason> {
        self.trust.require_current(now)?;
        let provider = self.provider.as_ref();
        let verified = statement.verify(&VerifyStatement {
            provider,
            anchors: self.trust.anchors(),
            rules: self.trust.rules(now),
            number,
            bag,
            now,
        })?;
        let notices = self.trust.check_status(provider, verified.path(), now)?;
        self.require_revocation(&notices)?;
        Ok(verified)
    }

    /// What the policy makes of a signer of whom no current revocation list speaks (CRT-61).
    fn require_revocation(&self, notices: &[Reason]) -> Result<(), Reason> {
        let unchecked = notices
            .iter()
            .find(|reason| matches!(reason, Reason::CrlStale | Reason::CrlUnavailable));
        match unchecked {
            Some(reason) if self.policy.require_revocation => Err(*reason),
            _ => Ok(()),
        }
    }
}
