//! What a verification may look at.

use crate::TelephoneNumber;
use crate::certificate::sct::LogList;
use crate::certificate::{CertificateBag, ReferencedLists, TrustAnchors, VerifiedRevocationList};
use crate::crypto::P256PublicKey;
use crate::passport::{Fingerprint, Identity};

/// Everything that belongs to the token from outside of it. All of it borrowed; nothing is fetched.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Evidence<'a> {
    /// The chains at hand, each as it came (CRT-35): of the token and of earlier ones of its diversion.
    /// At most 256 keys are tried on all tokens together, then
    /// [`Reason::TooManyCertificates`](crate::Reason::TooManyCertificates) refuses.
    /// Certificates in the token's own header come before them (W-1).
    pub chains: &'a [CertificateBag],
    /// The configured anchors; `None` checks against [`Evidence::public_key`] alone.
    pub anchors: Option<&'a TrustAnchors>,
    /// A bare key that must have signed, where no certificates are at hand: says nothing about who.
    pub public_key: Option<&'a P256PublicKey>,
    /// Earlier tokens of a diverted call, in any order (PPT-54). More than 16 different ones, with those
    /// inside them, are refused as [`Reason::DivTooDeep`](crate::Reason::DivTooDeep).
    pub inner_tokens: &'a [&'a str],
    /// The message body that `msgi` is over (PPT-95).
    pub body: Option<&'a [u8]>,
    /// TNAuthLists by reference, as far as they were fetched (CRT-8).
    pub referenced_lists: Option<&'a ReferencedLists>,
    /// The revocation lists at hand (CRT-60).
    pub revocation: Option<&'a [VerifiedRevocationList]>,
    /// The known transparency logs; without them timestamps are looked at only where they are required.
    pub logs: Option<&'a LogList>,
    /// Whether another token of this call, verified in full and by a signer with a right to the number,
    /// has the same `orig` and `dest` (PPT-81).
    pub is_vouched: bool,
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
    /// The fingerprints of the session's media keys (PPT-34).
    pub fingerprints: Option<&'a [Fingerprint]>,
    /// The value of the Priority header (PPT-92).
    pub priority: Option<&'a str>,
    /// The values of the Resource-Priority header (PPT-90).
    pub resource_priorities: Option<&'a [&'a str]>,
}
