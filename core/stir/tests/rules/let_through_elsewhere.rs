//! What widely used verifiers accept, and this one refuses: each with a code of its own. The list is in
//! `docs/conformance.md`.

use ringtrue_stir::base64url;
use ringtrue_stir::certificate::{Certificate, CertificateBag};
use ringtrue_stir::crypto::{CryptoProvider as _, RustCrypto};
use ringtrue_stir::passport::Passport;
use ringtrue_stir::sip::IdentityHeader;
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::verification::{
    Evidence, ExpectedCall, Report, Verdict, VerificationPolicy, verify,
};
use ringtrue_stir::{Reason, Strictness};

use crate::issuing::{Key, NOW, Template, block, one};
use crate::paths::{anchors, bag};

const CALLER: &str = "12025550143";
const HEADER: &str =
    r#"{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"https://cert.example.com/a.pem"}"#;

/// The claims of a good `shaken` token.
fn claims() -> String {
    let iat = NOW.as_secs();
    format!(
        r#"{{"attest":"A","dest":{{"tn":["12025550199"]}},"iat":{iat},"orig":{{"tn":"{CALLER}"}},"origid":"123e4567-e89b-12d3-a456-426655440000"}}"#
    )
}

/// A root, an intermediate with a list, a signer with this scope, and the signer's key.
struct Signer {
    root: Certificate,
    intermediate: Certificate,
    leaf: Certificate,
    key: Key,
}

impl Signer {
    fn new(scope: &[Entry]) -> Self {
        let (root_key, intermediate_key, key) = (Key::new(), Key::new(), Key::new());
        let (root, intermediate) = (
            Template::ca("root", &[]),
            Template::ca("intermediate", &[block("12025550100", 100)]),
        );
        Self {
            root: root.issue(&root_key.public, "root", &root_key),
            intermediate: intermediate.issue(&intermediate_key.public, "root", &root_key),
            leaf: Template::leaf(scope).issue(&key.public, "intermediate", &intermediate_key),
            key,
        }
    }

    fn chain(&self) -> CertificateBag {
        bag(&[&self.leaf, &self.intermediate])
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        let input = [header, claims].map(|part| base64url::encode(part.as_bytes()));
        let input = input.join(".");
        let signature = RustCrypto.sign_es256(&self.key.secret, input.as_bytes());
        let signature = base64url::encode(signature.unwrap().as_raw());
        format!("{input}.{signature}")
    }

    fn judge(&self, token: &str, chain: &CertificateBag) -> Report {
        let anchors = anchors(&[&self.root]);
        let mut evidence = Evidence::default();
        evidence.chains = core::slice::from_ref(chain);
        evidence.anchors = Some(&anchors);
        let policy = VerificationPolicy::default();
        let call = ExpectedCall::default();
        verify(&RustCrypto, token, &evidence, &policy, &call, NOW)
    }
}

fn signer() -> Signer {
    Signer::new(&[one(CALLER)])
}

/// The verdict on a token whose header and claims were changed, and why.
fn outcome(change: impl FnOnce(&mut String, &mut String)) -> (Verdict, Option<Reason>) {
    let signer = signer();
    let (mut header, mut claims) = (HEADER.to_owned(), claims());
    change(&mut header, &mut claims);
    let report = signer.judge(&signer.sign(&header, &claims), &signer.chain());
    (report.verdict, report.reasons.first().copied())
}

fn refused(reason: Reason) -> (Verdict, Option<Reason>) {
    (Verdict::Refuse, Some(reason))
}

fn replace(text: &mut String, from: &str, to: &str) {
    assert!(text.contains(from), "{from} in {text}");
    *text = text.replace(from, to);
}

#[test]
fn the_token_that_is_changed_below_is_accepted() {
    assert_eq!(outcome(|_, _| {}), (Verdict::Accept, None));
}

#[test]
fn orig_outside_the_tn_auth_list_is_refused() {
    let other = outcome(|_, claims| replace(claims, CALLER, "12025550144"));
    assert_eq!(other, refused(Reason::NumberNotCovered));
}

#[test]
fn a_signer_without_any_tn_auth_list_is_refused() {
    let signer = Signer::new(&[]);
    let report = signer.judge(&signer.sign(HEADER, &claims()), &signer.chain());
    assert_eq!(report.verdict, Verdict::Refuse);
    assert_eq!(report.reasons, [Reason::TnAuthListMissing]);
}

#[test]
fn iat_an_hour_ahead_is_refused() {
    let now = NOW.as_secs();
    let ahead = format!("{}", now + 3600);
    let early = outcome(|_, claims| replace(claims, &now.to_string(), &ahead));
    assert_eq!(early, refused(Reason::IatInFuture));
}

#[test]
fn duplicate_members_are_refused() {
    let claim = outcome(|_, claims| replace(claims, r#""iat""#, r#""dest":{"tn":["1"]},"iat""#));
    assert_eq!(claim, refused(Reason::DuplicateMember));
    let header = outcome(|header, _| replace(header, r#"{"alg""#, r#"{"alg":"ES256","alg""#));
    assert_eq!(header, refused(Reason::DuplicateMember));
}

#[test]
fn a_token_without_dest_is_refused() {
    let nobody = outcome(|_, claims| replace(claims, r#""dest":{"tn":["12025550199"]},"#, ""));
    assert_eq!(nobody, refused(Reason::DestMissing));
}

#[test]
fn typ_other_than_passport_is_refused() {
    let other = outcome(|header, _| replace(header, r#""passport""#, r#""JWT""#));
    assert_eq!(other, refused(Reason::TypeMismatch));
    let none = outcome(|header, _| replace(header, r#""typ":"passport","#, ""));
    assert_eq!(none, refused(Reason::TypeMismatch));
}

#[test]
fn an_unknown_ppt_is_ignored_and_never_valid() {
    let other = outcome(|header, _| replace(header, "shaken", "stirred"));
    assert_eq!(other, (Verdict::Ignore, Some(Reason::PptUnsupported)));
}

#[test]
fn x5u_other_than_the_info_of_the_header_is_refused() {
    let token = signer().sign(HEADER, &claims());
    let passport = Passport::parse(&token).unwrap();
    let agreement = |info: &str| {
        let value = format!("{token};info=<{info}>;alg=ES256;ppt=shaken");
        let header = IdentityHeader::parse(&value, Strictness::Strict).unwrap();
        header.check_agreement(&passport, Strictness::Strict)
    };
    assert_eq!(agreement("https://cert.example.com/a.pem"), Ok(None));
    assert_eq!(
        agreement("https://cert.example.com/b.pem"),
        Err(Reason::InfoMismatch)
    );
}

#[test]
fn attest_z_is_refused() {
    let other = outcome(|_, claims| replace(claims, r#""attest":"A""#, r#""attest":"Z""#));
    assert_eq!(other, refused(Reason::AttestNotAllowed));
}

#[test]
fn iat_as_text_is_refused() {
    let now = NOW.as_secs().to_string();
    let quoted = format!("\"{now}\"");
    let text = outcome(|_, claims| replace(claims, &now, &quoted));
    assert_eq!(text, refused(Reason::IatNotNumber));
}

#[test]
fn a_range_with_implicit_tags_is_refused() {
    // { [1] { "12025550100", 100 } }, the inner SEQUENCE once with and once without its tag.
    let members = b"\x16\x0b12025550100\x02\x01\x64";
    let explicit = [b"\x30\x14\xa1\x12\x30\x10".as_slice(), members].concat();
    let implicit = [b"\x30\x12\xa1\x10".as_slice(), members].concat();
    assert!(TnAuthList::decode(&explicit).is_ok());
    assert_eq!(
        TnAuthList::decode(&implicit),
        Err(Reason::MalformedTnAuthList)
    );
}

#[test]
fn a_chain_without_its_intermediate_is_refused() {
    let signer = signer();
    let token = signer.sign(HEADER, &claims());
    let report = signer.judge(&token, &bag(&[&signer.leaf, &signer.root]));
    assert_eq!(report.verdict, Verdict::Refuse);
    assert_eq!(report.reasons, [Reason::ChainIncomplete]);
}

#[test]
fn a_kept_leaf_without_its_chain_is_refused_although_the_chain_was_seen_before() {
    let signer = signer();
    let token = signer.sign(HEADER, &claims());
    assert_eq!(
        signer.judge(&token, &signer.chain()).verdict,
        Verdict::Accept
    );
    let report = signer.judge(&token, &bag(&[&signer.leaf]));
    assert_eq!(report.verdict, Verdict::Refuse);
    assert_eq!(report.reasons, [Reason::ChainIncomplete]);
}
