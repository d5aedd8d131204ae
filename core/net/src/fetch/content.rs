//! What an answer has to be to count as content of its kind.

use std::fmt;
use std::sync::Arc;

use ringtrue_stir::certificate::{Certificate, CertificateBag, RevocationList};
use ringtrue_stir::rcd::{JCard, MAX_JCARD_LEN, check_image};
use ringtrue_stir::tn_auth_list::TnAuthList;
use ringtrue_stir::{Reason, UnixTime, json};

use super::FetchKind;

/// What was fetched. Cloning is cheap.
///
/// [`fmt::Debug`] prints nothing of it.
#[derive(Clone)]
pub struct Fetched {
    content: Arc<Content>,
    from_cache: bool,
}

/// Content that was looked at once.
pub(super) struct Content {
    octets: Vec<u8>,
    parsed: Parsed,
}

enum Parsed {
    Certificates(CertificateBag),
    /// Looked at, and nothing to keep beside the octets.
    Nothing,
    RevocationList(RevocationList),
    TnAuthList(TnAuthList),
}

impl Fetched {
    pub(super) fn new(content: Arc<Content>, from_cache: bool) -> Self {
        Self {
            content,
            from_cache,
        }
    }

    /// The octets as the host served them.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.content.octets
    }

    /// The certificates of a [`FetchKind::CertificatePath`], in their order and all of them; `None` for
    /// other kinds. They were parsed and nothing else: validity and path are checked with each use
    /// (CRT-44).
    #[must_use]
    pub fn certificates(&self) -> Option<&CertificateBag> {
        match &self.content.parsed {
            Parsed::Certificates(bag) => Some(bag),
            _ => None,
        }
    }

    /// The list of a [`FetchKind::Crl`], whose signature is still to be checked; `None` for other kinds.
    #[must_use]
    pub fn revocation_list(&self) -> Option<&RevocationList> {
        match &self.content.parsed {
            Parsed::RevocationList(list) => Some(list),
            _ => None,
        }
    }

    /// The numbers of a [`FetchKind::TnAuthList`], which nobody signed; `None` for other kinds.
    #[must_use]
    pub fn tn_auth_list(&self) -> Option<&TnAuthList> {
        match &self.content.parsed {
            Parsed::TnAuthList(list) => Some(list),
            _ => None,
        }
    }

    /// Whether this was at hand before it was asked for. If its key turns out not to be the signer's,
    /// the host may have a newer one: [`Fetcher::refresh`](super::Fetcher::refresh).
    #[must_use]
    pub const fn is_from_cache(&self) -> bool {
        self.from_cache
    }
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fetched(..)")
    }
}

impl Content {
    /// Looks at an answer. Garbage is a failure of the fetch, so that it is not kept for a day.
    ///
    /// The media type counts where the standard says so: for lists of numbers (CRT-8). For
    /// certificates it never does (CRT-47), and neither do file names.
    pub(super) fn read(
        kind: FetchKind,
        media_type: Option<&str>,
        octets: Vec<u8>,
    ) -> Result<Self, Reason> {
        let parsed = match kind {
            FetchKind::CertificatePath => Parsed::Certificates(certificates(&octets)?),
            FetchKind::Crl => Parsed::RevocationList(RevocationList::parse(&octets)?),
            FetchKind::Image => {
                check_image(&octets)?;
                Parsed::Nothing
            }
            FetchKind::Jcard => {
                JCard::from_value(&json::parse(&octets, MAX_JCARD_LEN)?)?;
                Parsed::Nothing
            }
            FetchKind::TnAuthList => {
                if !media_type.is_none_or(|found| is_type(found, kind.accept())) {
                    return Err(Reason::UnsupportedMediaType);
                }
                Parsed::TnAuthList(TnAuthList::decode(&octets)?)
            }
            FetchKind::TrustBundle => Parsed::Nothing,
        };
        Ok(Self { octets, parsed })
    }

    /// The last second at which it is of use, if it says so itself: a revocation list until its next
    /// update (CRT-61). Certificates say so too, but a signer renews them behind the same URL.
    pub(super) fn useful_until(&self) -> Option<UnixTime> {
        match &self.parsed {
            Parsed::RevocationList(list) => Some(list.next_update()),
            _ => None,
        }
    }

    /// What it takes in the cache, in octets. What was parsed holds it once more.
    pub(super) fn weight(&self) -> usize {
        let parsed = match &self.parsed {
            Parsed::Certificates(bag) => bag
                .certificates()
                .iter()
                .map(|certificate| certificate.der().len().saturating_mul(2))
                .sum(),
            Parsed::RevocationList(_) | Parsed::TnAuthList(_) => self.octets.len(),
            Parsed::Nothing => 0,
        };
        self.octets.len().saturating_add(parsed)
    }
}

/// A path file: PEM with text between the blocks, or the DER of one certificate.
fn certificates(octets: &[u8]) -> Result<CertificateBag, Reason> {
    // SEQUENCE with a length of two octets: no certificate is shorter, and no text begins so.
    if octets.starts_with(&[0x30, 0x82]) {
        let certificate = Certificate::from_der(octets)?;
        return CertificateBag::from_certificates(vec![certificate]);
    }
    // The text between blocks may be in any encoding; the blocks themselves are ASCII.
    CertificateBag::from_pem(&String::from_utf8_lossy(octets))
}

/// Whether a Content-Type is `wanted`, whatever its parameters.
fn is_type(found: &str, wanted: &str) -> bool {
    let essence = found.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(wanted)
}
