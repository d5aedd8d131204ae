//! What a verification may look at.

use crate::TelephoneNumber;
use crate::certificate::{CertificateBag, TrustAnchors};
use crate::crypto::P256PublicKey;
use crate::passport::Identity;

/// Everything that belongs to the token from outside of it. All of it borrowed; nothing is fetched.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Evidence<'a> {
    /// The chains at hand, each as it came (CRT-35): of the token and of earlier ones of its diversion.
    pub chains: &'a [CertificateBag],
    /// The configured anchors; `None` checks against [`Evidence::public_key`] alone.
    pub anchors: Option<&'a TrustAnchors>,
    /// A bare key that must have signed, where no certificates are at hand: says nothing about who.
    pub public_key: Option<&'a P256PublicKey>,
    /// Earlier tokens of a diverted call, in any order (PPT-54).
    pub inner_tokens: &'a [&'a str],
    /// The message body that `msgi` is over (PPT-95).
    pub body: Option<&'a [u8]>,
}

/// What the signalling says about the call. What is not given is not compared.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ExpectedCall<'a> {
    /// Who calls.
    pub orig: Option<&'a Identity>,
    /// Who is called: the request's target.
    pub dest: Option<&'a Identity>,
    /// Other numbers of the called party, any of which may stand for `dest` (PPT-55).
    pub provisioned: &'a [TelephoneNumber],
}
