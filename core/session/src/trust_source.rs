//! Where trust bundles come from, and what is left of the last one.

use core::fmt;

use ringtrue_stir::certificate::RevocationList;
use ringtrue_stir::crypto::{CryptoProvider, P256PublicKey};
use ringtrue_stir::trust_bundle::{
    BundleVersion, MAX_BUNDLE_KEYS, MAX_TRUST_BUNDLE_LEN, TrustBundle,
};
use ringtrue_stir::{Reason, UnixTime, base64url};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{RecordName, Trust};

/// A bundle, its version and times, and the names of the members.
const MAX_RECORD_OCTETS: usize = MAX_TRUST_BUNDLE_LEN + 1024;

/// Where an endpoint gets its trust bundles, and who signs them.
#[derive(Clone)]
pub struct TrustSource {
    /// The https URL. The state of another URL's bundle is not used with it.
    pub url: String,
    /// Whose signature counts, 1 to 8 keys: one in use, others for a change of keys.
    pub keys: Vec<P256PublicKey>,
    /// A bundle that comes with the application, for the time before the first one is fetched.
    pub shipped: Option<String>,
}

impl fmt::Debug for TrustSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrustSource(..)")
    }
}

/// The bundle that was accepted last, as it is stored.
#[derive(Clone, Serialize, Deserialize)]
struct Record {
    v: u32,
    /// [`BundleVersion::to_octets`], base64url: stays the lowest version that counts even if the
    /// bundle itself cannot be used any more.
    version: String,
    iat: u64,
    exp: u64,
    bundle: String,
}

/// What the state store holds of a source.
#[derive(Default)]
pub(crate) struct Kept {
    /// The bundle in use from now on, if there is one.
    pub(crate) trust: Option<Trust>,
    /// No older version may follow.
    pub(crate) floor: Option<BundleVersion>,
}

impl TrustSource {
    /// Checks everything that can be checked before the first bundle. The form of the URL is for
    /// whoever fetches.
    pub(crate) fn check(&self) -> Result<(), Reason> {
        if (1..=MAX_BUNDLE_KEYS).contains(&self.keys.len()) {
            Ok(())
        } else {
            Err(Reason::ConfigurationInvalid)
        }
    }

    /// The state record of this source.
    pub(crate) fn record(&self) -> RecordName {
        RecordName::trust_bundle(&self.url)
    }

    /// What to trust before anything is fetched: the bundle that was accepted last, or the one that came
    /// with the application if that is newer, with the revocation lists that were kept. Everything is
    /// verified again. `None`: no bundle was ever accepted, so the configured anchors count.
    ///
    /// A bundle that has expired since is given all the same: its signers are refused as
    /// [`Reason::BundleExpired`] until a newer one is fetched. Without a clock the one that comes with
    /// the application is left alone.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] for no key or too many, and what `load` says. A record that
    /// cannot be read, or is not by one of the keys, counts as none; a bundle that does not open is an
    /// error, so that nobody brings an older trust back by damaging the newer one.
    pub fn restore(
        &self,
        provider: &dyn CryptoProvider,
        now: Option<UnixTime>,
        load: impl Fn(&RecordName) -> Result<Option<Zeroizing<Vec<u8>>>, Reason>,
    ) -> Result<Option<Trust>, Reason> {
        self.check()?;
        let record = load(&self.record())?;
        let kept = self.read(
            provider,
            now,
            record.as_ref().map(|octets| octets.as_slice()),
        );
        let Some(mut trust) = kept.trust else {
            return Ok(None);
        };
        if let Some(now) = now {
            let bare = trust.clone();
            for (issuer, url) in bare.list_sources() {
                let octets = match load(&RecordName::revocation_list(url)) {
                    Err(Reason::RecordNotOpened) => None,
                    octets => octets?,
                };
                if let Some(octets) = octets
                    && let Ok(list) = RevocationList::parse(&octets)
                {
                    // One that does not hold any more is as good as none.
                    let _ = trust.add_list(provider, &issuer.certificate, url, &list, now);
                }
            }
        }
        Ok(Some(trust))
    }

    /// What a stored record and the shipped bundle say together.
    pub(crate) fn read(
        &self,
        provider: &dyn CryptoProvider,
        now: Option<UnixTime>,
        record: Option<&[u8]>,
    ) -> Kept {
        let mut kept = Kept::default();
        if let Some((record, version)) = record.and_then(Record::read) {
            // It was in its time when it was accepted. Whether it still is, every use asks.
            let latest = UnixTime::from_secs(record.exp.saturating_sub(1));
            let earliest = UnixTime::from_secs(record.iat).min(latest);
            let at = now.unwrap_or(earliest).clamp(earliest, latest);
            kept.trust = TrustBundle::verify(&record.bundle, &self.keys, provider, at, None)
                .ok()
                .filter(|bundle| *bundle.version() == version)
                .map(|bundle| Trust::from_bundle(&bundle));
            kept.floor = Some(version);
        }
        if let (Some(text), Some(now)) = (&self.shipped, now)
            && let Ok(bundle) =
                TrustBundle::verify(text, &self.keys, provider, now, kept.floor.as_ref())
        {
            kept.floor = Some(*bundle.version());
            kept.trust = Some(Trust::from_bundle(&bundle));
        }
        kept
    }

    /// The record that keeps `text`, which was verified as `bundle`. Holds nothing secret.
    pub(crate) fn to_record(text: &str, bundle: &TrustBundle) -> Result<Vec<u8>, Reason> {
        let record = Record {
            v: 1,
            version: base64url::encode(&bundle.version().to_octets()),
            iat: bundle.issued_at().as_secs(),
            exp: bundle.expires_at().as_secs(),
            bundle: text.to_owned(),
        };
        serde_json::to_vec(&record).map_err(|_| Reason::Internal)
    }
}

impl Record {
    fn read(octets: &[u8]) -> Option<(Self, BundleVersion)> {
        if octets.len() > MAX_RECORD_OCTETS {
            return None;
        }
        let record: Self = serde_json::from_slice(octets).ok()?;
        if record.v != 1 {
            return None;
        }
        let version = base64url::decode(&record.version).ok()?;
        let version = BundleVersion::from_octets(&version).ok()?;
        Some((record, version))
    }
}
