//! Claims of every type, and what is decided about them.

use std::sync::OnceLock;

use ringtrue_stir::crypto::P256PublicKey;
use ringtrue_stir::passport::{DiversionChain, Passport, PassportType};
use ringtrue_stir::verification::{Evidence, ExpectedCall, Verdict, VerificationPolicy, verify};
use ringtrue_stir::{Strictness, base64url};

use super::any_signature::{AnySignature, SIGNATURE, a_key};

/// The types whose claims have rules, and one that nobody supports.
const TYPES: [Option<&str>; 11] = [
    None,
    Some("div"),
    Some("div-o"),
    Some("msec"),
    Some("msg"),
    Some("rcd"),
    Some("rph"),
    Some("rsp"),
    Some("shaken"),
    Some("stirred"),
    Some(""),
];

/// The first octet chooses the type, the base one if there are not that many; the rest is the payload.
pub(super) fn claims(octets: &[u8]) {
    let Some((first, payload)) = octets.split_first() else {
        return;
    };
    let ppt = TYPES.get(usize::from(*first)).copied().flatten();
    let ppt = ppt.map_or_else(String::new, |ppt| format!("\"ppt\":\"{ppt}\","));
    let header =
        format!("{{\"alg\":\"ES256\",{ppt}\"typ\":\"passport\",\"x5u\":\"https://a.example/\"}}");
    let header = base64url::encode(header.as_bytes());
    let token = format!("{header}.{}.{SIGNATURE}", base64url::encode(payload));
    judge(&token);
}

/// What must hold of a token whatever it is.
pub(super) fn judge(token: &str) {
    let strict = Passport::parse(token);
    let lenient = Passport::parse_with(token, Strictness::Lenient);
    let (examined, reasons) = Passport::examine(token, Strictness::Strict);
    if let Ok(passport) = &strict {
        assert!(
            lenient.is_ok(),
            "a lenient reader takes what a strict one takes"
        );
        assert!(examined.is_some(), "what parses can be examined");
        let _ = passport.header_x5c();
    } else {
        assert!(!reasons.is_empty(), "a refusal has a reason");
    }
    if let Ok(passport) = &lenient {
        assert_eq!(passport.text(), token, "a token is kept as received");
        if passport.kind() == PassportType::Unsupported {
            assert!(reasons.contains(&ringtrue_stir::Reason::PptUnsupported));
        }
    }
    static KEY: OnceLock<P256PublicKey> = OnceLock::new();
    let mut evidence = Evidence::default();
    evidence.public_key = Some(KEY.get_or_init(a_key));
    for strictness in [Strictness::Strict, Strictness::Lenient] {
        let mut policy = VerificationPolicy::default();
        policy.strictness = strictness;
        let at = lenient
            .as_ref()
            .map_or(ringtrue_stir::UnixTime::from_secs(0), |passport| {
                passport.claims().iat()
            });
        let call = ExpectedCall::default();
        let report = verify(&AnySignature, token, &evidence, &policy, &call, at);
        if report.verdict == Verdict::Accept {
            assert!(lenient.is_ok(), "only what parses is accepted");
            assert!(report.reasons.is_empty(), "acceptance has no reasons");
        } else {
            assert!(!report.reasons.is_empty(), "any other verdict has some");
        }
        if let Some(verified) = report.verified {
            assert_eq!(verified.replay_digest(), verified.replay_digest());
            let _ = DiversionChain::assemble(&[verified]);
        }
    }
}
