//! A caller with a certificate, for the tests of tokens.

use ringtrue_stir::base64url;
use ringtrue_stir::certificate::{
    Certificate, CertificateBag, Profile, TrustAnchors, VerifiedPath, verify_path,
};
use ringtrue_stir::crypto::{CryptoProvider as _, RustCrypto};

use crate::issuing::{Key, NOW, Template, one};
use crate::paths::{anchors, bag};

pub(crate) struct Caller {
    pub(crate) key: Key,
    pub(crate) leaf: Certificate,
    pub(crate) root: Certificate,
    pub(crate) anchors: TrustAnchors,
}

impl Caller {
    pub(crate) fn new() -> Self {
        Self::with(&Template::leaf(&[one("12025550143")]))
    }

    pub(crate) fn with(template: &Template) -> Self {
        let (root_key, key) = (Key::new(), Key::new());
        let root = Template::ca("root", &[]).issue(&root_key.public, "root", &root_key);
        let leaf = template.issue(&key.public, "root", &root_key);
        Self {
            anchors: anchors(&[&root]),
            key,
            leaf,
            root,
        }
    }

    pub(crate) fn bag(&self) -> CertificateBag {
        bag(&[&self.leaf, &self.root])
    }

    pub(crate) fn path(&self) -> VerifiedPath {
        let bag = self.bag();
        verify_path(
            &RustCrypto,
            &self.leaf,
            &bag,
            &self.anchors,
            NOW,
            Profile::Delegate,
        )
        .unwrap()
    }

    /// Signs whatever it is given.
    pub(crate) fn token(&self, header: &str, payload: &str) -> String {
        let input = format!(
            "{}.{}",
            base64url::encode(header.as_bytes()),
            base64url::encode(payload.as_bytes())
        );
        let signature = RustCrypto
            .sign_es256(&self.key.secret, input.as_bytes())
            .unwrap();
        format!("{input}.{}", base64url::encode(signature.as_raw()))
    }
}
