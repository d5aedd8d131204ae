//! The roots that are trusted for telephone numbers. Never those of the web.

use super::Certificate;
use super::bag::certificates_from_pem;
use crate::Reason;

/// More than any list of approved roots has; bounds the search.
const MAX_ANCHORS: usize = 256;

/// The largest PEM list that is read; 256 roots with room for text between them.
const MAX_PEM_LEN: usize = 1024 * 1024;

/// The configured STIR anchors: self-issued CA certificates (CRT-30).
#[derive(Clone, Debug, Default)]
pub struct TrustAnchors {
    anchors: Vec<Certificate>,
}

impl TrustAnchors {
    /// No anchors: nothing verifies.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            anchors: Vec::new(),
        }
    }

    /// Reads PEM with one or more roots.
    ///
    /// # Errors
    ///
    /// As [`CertificateBag::from_pem`](super::CertificateBag::from_pem), up to 256 certificates and
    /// 1 MiB, and those of [`TrustAnchors::add`].
    pub fn from_pem(text: &str) -> Result<Self, Reason> {
        let mut anchors = Self::new();
        for certificate in certificates_from_pem(text, MAX_PEM_LEN, MAX_ANCHORS)? {
            anchors.add(certificate)?;
        }
        Ok(anchors)
    }

    /// Adds a root. One that is there already is not added again.
    ///
    /// # Errors
    ///
    /// [`Reason::ConfigurationInvalid`] if it is no self-issued CA certificate,
    /// [`Reason::TooManyCertificates`] beyond 256.
    pub fn add(&mut self, root: Certificate) -> Result<(), Reason> {
        if !root.is_ca() || !root.is_self_issued() {
            return Err(Reason::ConfigurationInvalid);
        }
        if self.anchors.contains(&root) {
            return Ok(());
        }
        if self.anchors.len() >= MAX_ANCHORS {
            return Err(Reason::TooManyCertificates);
        }
        self.anchors.push(root);
        Ok(())
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// The anchors.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.anchors
    }
}
