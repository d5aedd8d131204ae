//! What arrives in SIP messages: header values, URIs, dates, session descriptions.

use ringtrue_stir::Strictness;
use ringtrue_stir::passport::{Fingerprint, Identity, Mky, Passport};
use ringtrue_stir::sip::date::{format_date, parse_date};
use ringtrue_stir::sip::identity_header::split_header_values;
use ringtrue_stir::sip::uri::{UriPolicy, identity_of};
use ringtrue_stir::sip::verstat::{HopTrust, VerstatClaim, strip};
use ringtrue_stir::sip::{IdentityHeader, ReasonHeader};

use super::text;

pub(super) fn identity_header(octets: &[u8]) {
    let Some(line) = text(octets) else { return };
    for strictness in [Strictness::Strict, Strictness::Lenient] {
        for value in split_header_values(line, strictness).unwrap_or_default() {
            let Ok(header) = IdentityHeader::parse(value, strictness) else {
                continue;
            };
            let written = header.to_value();
            if let Ok(again) = IdentityHeader::parse(&written, Strictness::Strict) {
                assert_eq!(again.to_value(), written, "the written form is one");
                assert_eq!(again.digest(), header.digest(), "the token is kept");
                assert_eq!(again.ppt(), header.ppt(), "the type is kept");
            } else {
                // Writing quotes and names `alg`, which may cross the limit of length alone.
                assert!(written.len() > value.len(), "what was read can be written");
            }
            if let Ok(passport) = Passport::parse(header.digest()) {
                let _ = header.check_agreement(&passport, strictness);
            }
        }
    }
}

pub(super) fn reason_header(octets: &[u8]) {
    let Some(line) = text(octets) else { return };
    for reason in ReasonHeader::parse_line(line).unwrap_or_default() {
        let written = reason.to_value();
        if let Ok(again) = ReasonHeader::parse(&written) {
            assert_eq!(again.to_value(), written, "the written form is one");
            assert_eq!(again.cause(), reason.cause(), "the cause is kept");
            assert_eq!(again.ppi(), reason.ppi(), "the token is kept");
        } else {
            assert!(written.len() > line.len(), "what was read can be written");
        }
    }
}

pub(super) fn sip_uri(octets: &[u8]) {
    let Some(uri) = text(octets) else { return };
    let _ = VerstatClaim::read(uri, HopTrust::Trusted);
    assert!(VerstatClaim::read(uri, HopTrust::Untrusted).is_none());
    let stripped = strip(uri);
    assert!(
        VerstatClaim::read(&stripped, HopTrust::Trusted).is_none(),
        "nothing of it is left"
    );
    if let Ok(Identity::Tn(number)) = identity_of(uri, None, &UriPolicy::default()) {
        let again = identity_of(number.as_str(), None, &UriPolicy::default());
        assert!(again == Ok(Identity::Tn(number)), "canonical at once");
    }
}

pub(super) fn sip_date(octets: &[u8]) {
    let Some(date) = text(octets) else { return };
    if let Ok(time) = parse_date(date)
        && let Ok(written) = format_date(time)
    {
        assert_eq!(parse_date(&written), Ok(time), "the same time");
    }
}

pub(super) fn sdp(octets: &[u8]) {
    let Some(sdp) = text(octets) else { return };
    let _ = Fingerprint::from_sdp(sdp);
    if let Ok(Some(keys)) = Mky::from_sdp(sdp) {
        assert!(keys.matches(keys.fingerprints()), "a session is its own");
        let again = Mky::new(keys.fingerprints().to_vec());
        assert!(again == Ok(keys), "sorted and distinct at once");
    }
}
