//! Vectors, and a verification with everything given.

use std::path::PathBuf;

use ringtrue_stir::certificate::{CertificateBag, TrustAnchors};
use ringtrue_stir::crypto::{P256PublicKey, RustCrypto};
use ringtrue_stir::verification::{
    Evidence, ExpectedCall, Report, SpcPolicy, Verdict, VerificationPolicy, verify,
};
use ringtrue_stir::{Reason, Strictness, UnixTime};
use serde_json::Value;

pub(crate) fn text(file: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    std::fs::read_to_string(folder.join(file)).unwrap()
}

pub(crate) fn json(file: &str) -> Value {
    serde_json::from_str(&text(file)).unwrap()
}

/// A chain of the constructed set by its name.
pub(crate) fn chain(name: &str) -> CertificateBag {
    CertificateBag::from_pem(&text(&format!("stir-constructed/chains/{name}.pem"))).unwrap()
}

pub(crate) fn anchors() -> TrustAnchors {
    TrustAnchors::from_pem(&text("stir-constructed/root.pem")).unwrap()
}

/// The P-256 point that a DER SubjectPublicKeyInfo ends with.
pub(crate) fn public_key(pem_text: &str) -> P256PublicKey {
    let der = pem::parse(pem_text).unwrap().into_contents();
    P256PublicKey::from_sec1(&der[der.len() - 65..]).unwrap()
}

/// The policy under which provider codes count.
pub(crate) fn accepting_spc(strictness: Strictness) -> VerificationPolicy {
    let mut policy = VerificationPolicy::default();
    policy.strictness = strictness;
    policy.accept_spc = SpcPolicy::Any;
    policy
}

/// A token record of the constructed set.
pub(crate) fn record(id: &str) -> Value {
    json("stir-constructed/passports.json")
        .as_array()
        .unwrap()
        .iter()
        .find(|record| record["id"] == id)
        .unwrap()
        .clone()
}

/// Verifies a token record of the constructed set, for any call.
pub(crate) fn verify_record(record: &Value, policy: &VerificationPolicy) -> Report {
    verify_record_for(record, policy, &ExpectedCall::default())
}

/// Verifies a token record of the constructed set.
pub(crate) fn verify_record_for(
    record: &Value,
    policy: &VerificationPolicy,
    call: &ExpectedCall<'_>,
) -> Report {
    // A diverted call has two signers: the diverting party's and the provider of the caller.
    let chains = [chain(record["chain"].as_str().unwrap()), chain("sp")];
    let anchors = anchors();
    let inner: Vec<&str> = record["inner"].as_str().into_iter().collect();
    let mut evidence = Evidence::default();
    evidence.chains = &chains;
    evidence.anchors = Some(&anchors);
    evidence.inner_tokens = &inner;
    evidence.body = record["body"].as_str().map(str::as_bytes);
    let at = UnixTime::from_secs(record["evaluate_at"].as_u64().unwrap());
    let token = record["token"].as_str().unwrap();
    verify(&RustCrypto, token, &evidence, policy, call, at)
}

/// Verifies a token with a bare key.
pub(crate) fn verify_with_key(
    token: &str,
    key: &P256PublicKey,
    strictness: Strictness,
    at: u64,
) -> Report {
    let mut evidence = Evidence::default();
    evidence.public_key = Some(key);
    verify(
        &RustCrypto,
        token,
        &evidence,
        &accepting_spc(strictness),
        &ExpectedCall::default(),
        UnixTime::from_secs(at),
    )
}

/// The verdict alone, and the first reason.
pub(crate) fn outcome(report: &Report) -> (Verdict, Option<Reason>) {
    (report.verdict, report.reasons.first().copied())
}
