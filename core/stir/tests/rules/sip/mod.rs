//! SIP carriage: header values, and the steps of both services on a description of a call.

mod answer;
mod authentication;
mod date;
mod diversion;
mod gateway;
mod identity_header;
mod reaction;
mod reason;
mod uri;
mod verification;

use ringtrue_stir::certificate::{CertificateBag, TrustAnchors};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::passport::{Destinations, Identity, PassportBuilder};
use ringtrue_stir::sip::authentication::Credential;
use ringtrue_stir::sip::verification::{CallReport, VerificationService};
use ringtrue_stir::sip::{CallDescription, IdentityHeader};
use ringtrue_stir::verification::{Evidence, VerificationPolicy};
use ringtrue_stir::{UnixTime, X5u};

use crate::issuing::{NOW, Template, one};
use crate::paths::anchors;
use crate::signing::Caller;
use crate::tn;

pub(crate) const CALLER: &str = "12025550143";
pub(crate) const CALLED: &str = "12025550199";

/// A party with a certificate for one number, published under a URL of its own.
pub(crate) struct Party {
    pub(crate) number: &'static str,
    pub(crate) caller: Caller,
    pub(crate) x5u: X5u,
}

impl Party {
    pub(crate) fn new(number: &'static str) -> Self {
        Self::with(number, &Template::leaf(&[one(number)]))
    }

    pub(crate) fn with(number: &'static str, template: &Template) -> Self {
        Self {
            number,
            caller: Caller::with(template),
            x5u: X5u::parse(&format!("https://certs.example/{number}.pem")).unwrap(),
        }
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity::Tn(tn(self.number))
    }

    /// Lets it sign.
    pub(crate) fn sign(&self, builder: PassportBuilder) -> String {
        let unsigned = builder.build().unwrap();
        unsigned.sign(&RustCrypto, &self.caller.key).unwrap()
    }

    /// A token of a call from here.
    pub(crate) fn base(&self, dest: &str, iat: UnixTime) -> String {
        let dest = Destinations::of(tn(dest));
        self.sign(PassportBuilder::base(
            &self.identity(),
            dest,
            iat,
            &self.x5u,
        ))
    }

    /// What it signs drafts with.
    pub(crate) fn with_credential<T>(&self, sign: impl FnOnce(Credential<'_>) -> T) -> T {
        let path = self.caller.path();
        sign(Credential {
            path: &path,
            x5u: &self.x5u,
        })
    }
}

/// A verifier that trusts the roots of all parties and has their certificates.
pub(crate) fn service<T>(
    parties: &[&Party],
    policy: &VerificationPolicy,
    verify: impl FnOnce(&VerificationService<'_>) -> T,
) -> T {
    let roots: Vec<_> = parties.iter().map(|party| &party.caller.root).collect();
    let anchors: TrustAnchors = anchors(&roots);
    let lookup = |info: &str| -> Option<CertificateBag> {
        let party = parties.iter().find(|party| party.x5u.as_str() == info)?;
        Some(party.caller.bag())
    };
    let mut known = Evidence::default();
    known.anchors = Some(&anchors);
    verify(&VerificationService::new(
        &RustCrypto,
        known,
        &lookup,
        policy,
    ))
}

/// Verifies a request by the strict policy.
pub(crate) fn verify(parties: &[&Party], values: &[&str], call: &CallDescription) -> CallReport {
    verify_by(&VerificationPolicy::default(), parties, values, call)
}

pub(crate) fn verify_by(
    policy: &VerificationPolicy,
    parties: &[&Party],
    values: &[&str],
    call: &CallDescription,
) -> CallReport {
    service(parties, policy, |service| {
        service.verify_request(values, call, NOW)
    })
}

/// The header value of a token in full form.
pub(crate) fn value(token: &str) -> String {
    header(token).to_value()
}

pub(crate) fn header(token: &str) -> IdentityHeader {
    ringtrue_stir::sip::authentication::header_for(token).unwrap()
}

/// The header value of a token with its header and payload taken out.
pub(crate) fn compact(token: &str) -> String {
    let value = value(token);
    let (digest, parameters) = value.split_once(';').unwrap();
    format!("..{};{parameters}", digest.rsplit('.').next().unwrap())
}

/// A request between two numbers, sent just now.
pub(crate) fn call(from: &str, to: &str) -> CallDescription {
    let uri = |number: &str| format!("sip:+{number}@carrier.example;user=phone");
    let mut call = CallDescription::new(&uri(from), &uri(to), &uri(to));
    call.date = Some(NOW);
    call
}
