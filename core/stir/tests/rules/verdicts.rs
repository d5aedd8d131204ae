//! Whole verifications: what a report says beside the reasons.

use ringtrue_stir::certificate::CertificateBag;
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::verification::{
    Evidence, ExpectedCall, Report, ReportedAuthority, SpcPolicy, Verdict, VerificationPolicy,
    verify,
};
use ringtrue_stir::{Reason, TelephoneNumber, passport::Identity};

use crate::issuing::{Key, NOW, Template, one, spc};
use crate::paths::{anchors, bag};
use crate::signing::Caller;

const HEADER: &str = r#"{"alg":"ES256","typ":"passport","x5u":"https://cert.example.com/a.pem"}"#;

fn judge(
    caller: &Caller,
    token: &str,
    chains: &[CertificateBag],
    policy: &VerificationPolicy,
    call: &ExpectedCall<'_>,
) -> Report {
    let anchors = anchors(&[&caller.root]);
    let mut evidence = Evidence::default();
    evidence.chains = chains;
    evidence.anchors = Some(&anchors);
    verify(&RustCrypto, token, &evidence, policy, call, NOW)
}

#[test]
fn a_key_that_was_certified_again_signs_with_either_certificate() {
    let (root_key, key) = (Key::new(), Key::new());
    let template = Template::leaf(&[one("12025550143")]);
    let leaf = template.issue(&key.public, "root", &root_key);
    let expired = template.expired().issue(&key.public, "root", &root_key);
    let root = Template::ca("root", &[]).issue(&root_key.public, "root", &root_key);
    let caller = Caller {
        anchors: anchors(&[&root]),
        key,
        leaf,
        root,
    };
    let iat = NOW.as_secs();
    let claims = format!(r#"{{"dest":{{"tn":["1"]}},"iat":{iat},"orig":{{"tn":"12025550143"}}}}"#);
    let token = caller.token(HEADER, &claims);
    let judged = |chains: &[CertificateBag]| {
        let (policy, call) = (VerificationPolicy::default(), ExpectedCall::default());
        let report = judge(&caller, &token, chains, &policy, &call);
        (report.verdict, report.reasons)
    };
    let (old, new) = (bag(&[&expired]), bag(&[&caller.leaf]));
    let accepted = (Verdict::Accept, vec![]);
    assert_eq!(judged(&[old.clone(), new.clone()]), accepted);
    assert_eq!(judged(&[new, old.clone()]), accepted);
    assert_eq!(
        judged(&[old.clone(), old]),
        (Verdict::Refuse, vec![Reason::CertificateExpired])
    );
}

#[test]
fn rich_call_data_of_a_refused_token_are_not_given() {
    let caller = Caller::new();
    let iat = NOW.as_secs();
    let claims = format!(
        r#"{{"dest":{{"tn":["1"]}},"iat":{iat},"orig":{{"tn":"12025550143"}},"rcd":{{"nam":"Q"}}}}"#
    );
    let token = caller.token(HEADER, &claims);
    let policy = VerificationPolicy::default();
    let chains = [caller.bag()];
    let mut call = ExpectedCall::default();
    let accepted = judge(&caller, &token, &chains, &policy, &call);
    assert_eq!(accepted.verdict, Verdict::Accept);
    assert!(accepted.rcd.is_some());
    let other = Identity::Tn(TelephoneNumber::from_canonical("2").unwrap());
    call.dest = Some(&other);
    let refused = judge(&caller, &token, &chains, &policy, &call);
    assert_eq!(refused.reasons, [Reason::DestMismatch]);
    assert!(refused.rcd.is_none());
    // The claims of this one under the signature of that one.
    let (claimed, _) = token.rsplit_once('.').unwrap();
    let elsewhere = caller.token(HEADER, "{}");
    let (_, signature) = elsewhere.rsplit_once('.').unwrap();
    let forged = format!("{claimed}.{signature}");
    let forged = judge(&caller, &forged, &chains, &policy, &ExpectedCall::default());
    assert_eq!(forged.reasons, [Reason::SignatureInvalid]);
    assert!(forged.rcd.is_none());
}

#[test]
fn the_weakest_authority_over_several_numbers_is_reported() {
    let caller = Caller::with(&Template::leaf(&[one("12025550143"), spc("709J")]));
    let header = HEADER.replace("\"typ\"", "\"ppt\":\"rsp\",\"typ\"");
    let iat = NOW.as_secs();
    let mut policy = VerificationPolicy::default();
    policy.accept_rsp = true;
    policy.accept_spc = SpcPolicy::Any;
    for dest in [
        r#"["12025550143","12025550199"]"#,
        r#"["12025550100","12025550143"]"#,
    ] {
        let claims =
            format!(r#"{{"dest":{{"tn":{dest}}},"iat":{iat},"orig":{{"tn":"12025550111"}}}}"#);
        let token = caller.token(&header, &claims);
        let call = ExpectedCall::default();
        let report = judge(&caller, &token, &[caller.bag()], &policy, &call);
        assert_eq!(report.verdict, Verdict::Accept);
        assert_eq!(
            report.authority,
            ReportedAuthority::BySpc("709J".to_owned())
        );
    }
}

#[test]
fn a_verification_tries_a_bounded_number_of_keys_and_of_earlier_tokens() {
    let (caller, other) = (Caller::new(), Caller::new());
    let iat = NOW.as_secs();
    let claims = format!(r#"{{"dest":{{"tn":["1"]}},"iat":{iat},"orig":{{"tn":"12025550143"}}}}"#);
    let token = caller.token(HEADER, &claims);
    let (policy, call) = (VerificationPolicy::default(), ExpectedCall::default());
    let judged = |bags_before: usize| {
        let mut chains = vec![bag(&[&other.leaf; 8]); bags_before];
        chains.push(caller.bag());
        let report = judge(&caller, &token, &chains, &policy, &call);
        (report.verdict, report.reasons)
    };
    assert_eq!(judged(31), (Verdict::Accept, vec![]));
    assert_eq!(
        judged(32),
        (Verdict::Refuse, vec![Reason::TooManyCertificates])
    );

    let header = HEADER.replace("\"typ\"", "\"ppt\":\"div\",\"typ\"");
    let div = format!(
        r#"{{"dest":{{"tn":["2"]}},"div":{{"tn":"12025550143"}},"iat":{iat},"orig":{{"tn":"12025550143"}}}}"#
    );
    let div = caller.token(&header, &div);
    let earlier = |count: u64| -> Vec<String> {
        let to_itself = |age: u64| {
            let iat = iat - age;
            let claims = format!(
                r#"{{"dest":{{"tn":["12025550143"]}},"iat":{iat},"orig":{{"tn":"12025550143"}}}}"#
            );
            caller.token(HEADER, &claims)
        };
        (0..count).map(to_itself).collect()
    };
    let diverted = |earlier: &[&str]| {
        let (anchors, chains) = (anchors(&[&caller.root]), [caller.bag()]);
        let mut evidence = Evidence::default();
        evidence.chains = &chains;
        evidence.anchors = Some(&anchors);
        evidence.inner_tokens = earlier;
        let report = verify(&RustCrypto, &div, &evidence, &policy, &call, NOW);
        (report.verdict, report.reasons)
    };
    let tokens = earlier(17);
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    assert_eq!(diverted(&tokens[..16]), (Verdict::Accept, vec![]));
    assert_eq!(diverted(&[tokens[0]; 40]), (Verdict::Accept, vec![]));
    assert_eq!(
        diverted(&tokens),
        (Verdict::Refuse, vec![Reason::DivTooDeep])
    );
}
