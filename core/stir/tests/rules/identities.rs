//! When two identities are the same (RFC 8224 section 8.5), and references to certificates.

use proptest::prelude::*;
use ringtrue_stir::passport::{Destinations, Identity, Passport};
use ringtrue_stir::{Reason, X5u};

use crate::signing::Caller;
use crate::tn;
use crate::tokens::{HEADER, PAYLOAD};

fn uri(text: &str) -> Identity {
    Identity::Uri(text.to_owned())
}

#[test]
fn sip_uris_are_compared_by_user_and_host() {
    let same = "sip:alice@example.com";
    for other in [
        "sip:alice@example.com",
        "SIP:alice@EXAMPLE.com",
        "sip:alice@example.com:5060",
        "sip:alice@example.com:5999",
        "sip:alice:secret@example.com",
        "sip:alice@example.com;transport=tcp",
        "sip:alice@example.com:5060;lr?subject=x",
        "sip:alice@example.com?to=bob%40x",
        "sip:%61lice@example.com",
    ] {
        assert!(uri(same).is_equivalent(&uri(other)), "{other}");
        assert!(uri(other).is_equivalent(&uri(same)), "{other}");
        assert_eq!(uri(other).normalized(), uri(same), "{other}");
    }
    let literal = uri("sip:a@[2001:DB8::1]:5060");
    assert_eq!(literal.normalized(), uri("sip:a@[2001:db8::1]"));
    let literal = uri("sip:a@[2001:db8::1]");
    assert_eq!(literal.normalized(), literal);
    let host = uri("sip:Example.COM:5060;lr");
    assert_eq!(host.normalized(), uri("sip:example.com"));
}

#[test]
fn other_identities_are_not_the_same() {
    let alice = uri("sip:alice@example.com");
    for other in [
        "sips:alice@example.com",
        "sip:Alice@example.com",
        "sip:bob@example.com",
        "sip:alice@example.net",
        "sip:example.com",
        "sip:alice%40example.com",
        "sip:alice@@example.com",
        "mailto:alice@example.com",
        "alice@example.com",
        "sip:alice",
    ] {
        assert!(!alice.is_equivalent(&uri(other)), "{other}");
        assert!(!uri(other).is_equivalent(&alice), "{other}");
    }
    let number = Identity::Tn(tn("12025550143"));
    assert!(!number.is_equivalent(&uri("tel:+12025550143")));
    assert!(!number.is_equivalent(&uri("sip:12025550143@example.com;user=phone")));
    assert!(!number.is_equivalent(&Identity::Tn(tn("2025550143"))));
    assert!(uri("URN:service:SOS").is_equivalent(&uri("urn:service:sos")));
    assert!(!uri("urn:example:A").is_equivalent(&uri("urn:example:a")));
}

#[test]
fn destinations_are_the_same_whatever_their_order_and_spelling() {
    let dest = |numbers: &[&str], uris: &[&str]| Destinations {
        tn: numbers.iter().map(|text| tn(text)).collect(),
        uri: uris.iter().map(|text| (*text).to_owned()).collect(),
    };
    let one = dest(&["1", "2"], &["sip:a@x"]);
    assert!(one.is_equivalent(&dest(&["2", "1"], &["sip:a@X:5060"])));
    for other in [
        dest(&["1", "2"], &[]),
        dest(&["1"], &["sip:a@x"]),
        dest(&["1", "2", "3"], &["sip:a@x"]),
        dest(&["1", "2"], &["sip:b@x"]),
    ] {
        assert!(!one.is_equivalent(&other) && !other.is_equivalent(&one));
    }
    assert!(one.includes(&uri("sip:a@X;lr")));
    assert!(!one.includes(&uri("sip:1@x")));
    assert_eq!(one.identities().count(), 3);
    assert_eq!(Destinations::from(uri("sip:a@x")), dest(&[], &["sip:a@x"]));
}

#[test]
fn an_x5u_that_could_not_be_fetched_parses_and_is_told() {
    let caller = Caller::new();
    let check = |url: &str| {
        let header = HEADER.replace("https://certs.example/a.pem", url);
        let passport = Passport::parse(&caller.token(&header, PAYLOAD))?;
        passport.check_x5u_form()
    };
    for good in [
        "https://certs.example/a.pem",
        "https://8.8.8.8/a",
        "https://[2600::1]:8443/a",
    ] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
    for url in [
        "http://certs.example/a.pem",
        "file:///etc/passwd",
        "//certs.example/a.pem",
        "https://user@certs.example/a.pem",
        "https://certs.example/a.pem?x=1",
        "https://certs.example/a.pem#x",
        "https://certs.example:80/a.pem",
        "https://127.1/a",
        "https://2130706433/a",
        "https://0x7f000001/a",
        "https://127.0.0.1./a",
        "https://example.0x7f/a",
    ] {
        assert_eq!(check(url), Err(Reason::MalformedUrl), "{url}");
    }
    for url in [
        "https://127.0.0.1/a",
        "https://10.1.2.3/a",
        "https://169.254.169.254/latest",
        "https://100.64.0.1/a",
        "https://0.0.0.0/a",
        "https://224.0.0.1/a",
        "https://[::1]/a",
        "https://[::ffff:127.0.0.1]/a",
        "https://[fe80::1]/a",
        "https://[fd00::1]:8443/a",
        "https://localhost/a",
        "https://LOCALHOST./a",
        "https://x.localhost:8443/a",
    ] {
        assert_eq!(check(url), Err(Reason::AddressNotAllowed), "{url}");
    }
}

#[test]
fn dot_segments_are_told_however_they_are_written() {
    let has = |url: &str| X5u::parse(url).unwrap().has_dot_segments();
    for url in [
        "https://x.example/a/../b",
        "https://x.example/./b",
        "https://x.example/%2E%2e/b",
    ] {
        assert!(has(url), "{url}");
    }
    for url in [
        "https://x.example",
        "https://x.example/a..b/.c/d.",
        "https://x.example/.../b",
    ] {
        assert!(!has(url), "{url}");
    }
}

proptest! {
    #[test]
    fn comparing_never_panics_and_normalising_twice_changes_nothing(
        text in "(sip|sips|tel|urn|x):[a-zA-Z0-9%:;@?\\[\\].=/-]{0,40}",
    ) {
        let identity = uri(&text);
        let normalized = identity.normalized();
        prop_assert!(identity.is_equivalent(&normalized));
        prop_assert_eq!(normalized.normalized(), normalized);
    }
}
