//! Numbers and URIs of signalling (RFC 8224 sections 8.1 to 8.5), and `verstat` in them.

use proptest::prelude::*;
use ringtrue_stir::passport::Identity;
use ringtrue_stir::sip::uri::{MAX_URI_LEN, RoutingPrefix, UnmarkedUser, UriPolicy, identity_of};
use ringtrue_stir::sip::verification::Outcome;
use ringtrue_stir::sip::verstat::{HopTrust, Verstat, VerstatClaim, strip};
use ringtrue_stir::{NumberContext, Reason};

use crate::tn;

fn read(uri: &str) -> Result<Identity, Reason> {
    identity_of(uri, None, &UriPolicy::default())
}

fn number(text: &str) -> Result<Identity, Reason> {
    Ok(Identity::Tn(tn(text)))
}

fn uri(text: &str) -> Result<Identity, Reason> {
    Ok(Identity::Uri(text.to_owned()))
}

#[test]
fn numbers_are_read_from_tel_uris_user_phone_and_plain_text() {
    for written in [
        "tel:+1-202-555-0143",
        "TEL:+12025550143;verstat=TN-Validation-Passed",
        "sip:+12025550143@10.0.0.1;user=phone",
        "sip:+1-202-555-0143;verstat=No-TN-Validation@c.example;USER=Phone",
        "sip:+12025550143;tgrp=t1;trunk-context=c.example@10.0.0.1",
        "sips:%2B1(202)5550143:secret@c.example:5061;user=phone",
        "sip:12025550143@c.example",
        "sip:12025550143;ext=7@c.example?subject=x",
        "+1 (202) 555-0143",
    ] {
        assert_eq!(read(written), number("12025550143"), "{written}");
    }
    assert_eq!(read("tel:911"), number("911"));
    assert_eq!(read("sip:*67@c.example;user=phone"), number("*67"));
}

#[test]
fn what_is_no_number_is_a_uri_in_canonical_form() {
    for (written, canonical) in [
        ("sip:alice@Example.COM", "sip:alice@example.com"),
        (
            "SIPS:Alice:pw@example.com:5061;transport=tcp?a=b",
            "sips:Alice@example.com",
        ),
        (
            "sip:alice;verstat=TN-Validation-Passed@example.com",
            "sip:alice@example.com",
        ),
        (
            "sip:anonymous@anonymous.invalid",
            "sip:anonymous@anonymous.invalid",
        ),
        // Marked as a number, and none (SIP-34).
        ("sip:alice@example.com;user=phone", "sip:alice@example.com"),
        (
            "sip:1202555014312345@example.com;user=phone",
            "sip:1202555014312345@example.com",
        ),
        // Marked as something else.
        (
            "sip:12025550143@example.com;user=ip",
            "sip:12025550143@example.com",
        ),
        (
            "sip:1202-5550143@example.com",
            "sip:1202-5550143@example.com",
        ),
        ("sip:example.com;user=phone", "sip:example.com"),
        ("urn:service:sos", "urn:service:sos"),
    ] {
        assert_eq!(read(written), uri(canonical), "{written}");
    }
}

#[test]
fn refuses_what_is_neither() {
    let long = format!("sip:alice@{}", "a".repeat(MAX_URI_LEN));
    for written in [
        "",
        "alice",
        "alice@example.com",
        ":alice@example.com",
        "sip:",
        "sip:@example.com",
        "sip:alice@",
        "sip:alice@example.com@evil.example",
        "sip:+12025550143@example.com@evil.example",
        "sip:12025550143@example.com@evil.example;user=phone",
        "sip:al ice@example.com",
        "sip:al\u{ef}ce@example.com",
        "<sip:alice@example.com>",
        "\"A\" <sip:alice@example.com>",
        &long,
    ] {
        assert_eq!(read(written), Err(Reason::MalformedUri), "{written}");
    }
}

#[test]
fn local_policy_says_which_unmarked_users_are_numbers() {
    let with = |unmarked, written| {
        let policy = UriPolicy {
            unmarked,
            ..UriPolicy::default()
        };
        identity_of(written, None, &policy)
    };
    let (global, dialable) = ("sip:+12025550143@c.example", "sip:12025550143@c.example");
    assert_eq!(with(UnmarkedUser::Never, global), uri(global));
    assert_eq!(
        with(UnmarkedUser::GlobalOnly, global),
        number("12025550143")
    );
    assert_eq!(with(UnmarkedUser::GlobalOnly, dialable), uri(dialable));
    assert_eq!(
        with(UnmarkedUser::Dialable, dialable),
        number("12025550143")
    );
    let marked = "sip:12025550143@c.example;user=phone";
    assert_eq!(with(UnmarkedUser::Never, marked), number("12025550143"));
}

#[test]
fn a_country_is_stated_and_never_guessed() {
    let uk = NumberContext::new("44", "0", "00", &[]).unwrap();
    let policy = UriPolicy::default();
    let written = "sip:02079460018@c.example;user=phone";
    assert_eq!(
        identity_of(written, Some(&uk), &policy),
        number("442079460018")
    );
    assert_eq!(read(written), number("02079460018"));
    assert_eq!(identity_of("tel:112", Some(&uk), &policy), number("112"));
}

#[test]
fn longer_numbers_count_only_behind_a_stated_routing_prefix() {
    let written = "tel:+33512345612345678";
    assert_eq!(read(written), uri(written));
    let with = |prefix: &str, instead: &str| {
        let policy = UriPolicy {
            routing_prefixes: vec![RoutingPrefix::new(prefix, instead).unwrap()],
            ..UriPolicy::default()
        };
        identity_of(written, None, &policy)
    };
    assert_eq!(with("33512345", "33"), number("33612345678"));
    assert_eq!(with("34", ""), uri(written));
    assert_eq!(with("33", "33"), uri(written));
    for (prefix, instead) in [
        ("", "33"),
        ("+33", ""),
        ("33", "x"),
        ("1234567890123456", ""),
    ] {
        assert_eq!(
            RoutingPrefix::new(prefix, instead),
            Err(Reason::ConfigurationInvalid)
        );
    }
}

#[test]
fn verstat_is_read_in_both_places_and_its_suffix_kept() {
    let read = |uri: &str| VerstatClaim::read(uri, HopTrust::Trusted);
    for (uri, verstat, raw) in [
        (
            "tel:+12025550143;verstat=TN-Validation-Passed",
            Verstat::Passed,
            "TN-Validation-Passed",
        ),
        (
            "sip:+12025550143;verstat=TN-Validation-Failed-C@c.example;user=phone",
            Verstat::Failed,
            "TN-Validation-Failed-C",
        ),
        (
            "sip:+12025550143@c.example;user=phone;Verstat=no-tn-validation-Diverted",
            Verstat::NotValidated,
            "no-tn-validation-Diverted",
        ),
    ] {
        let claim = read(uri).unwrap();
        assert_eq!((claim.verstat(), claim.raw()), (verstat, raw));
    }
    for uri in [
        "tel:+12025550143",
        "tel:+12025550143;verstat",
        "tel:+12025550143;verstat=",
        "tel:+12025550143;verstat=Passed",
        "tel:+12025550143;verstat=TN-Validation-PassedX",
        "tel:+12025550143;verstat=TN-Validation-Passed-\u{202e}",
        "tel:+12025550143;xverstat=TN-Validation-Passed",
        "mailto:a@b;verstat=TN-Validation-Passed",
        "sip:a@b?verstat=TN-Validation-Passed",
        // Two that disagree.
        "sip:+1;verstat=TN-Validation-Passed@c.example;verstat=TN-Validation-Failed",
        "verstat=TN-Validation-Passed",
    ] {
        assert_eq!(read(uri), None, "{uri}");
    }
}

#[test]
fn verstat_of_an_untrusted_hop_is_none() {
    let uri = "tel:+12025550143;verstat=TN-Validation-Passed";
    assert_eq!(VerstatClaim::read(uri, HopTrust::default()), None);
}

#[test]
fn verstat_is_stripped_wherever_it_stands_and_nothing_else_is() {
    for (written, stripped) in [
        (
            "tel:+12025550143;verstat=TN-Validation-Passed;ext=7",
            "tel:+12025550143;ext=7",
        ),
        (
            "sip:+1202;VERSTAT=x;tgrp=a:pw@c.example;user=phone;verstat?verstat=x",
            "sip:+1202;tgrp=a:pw@c.example;user=phone?verstat=x",
        ),
        ("sip:verstat@c.example", "sip:verstat@c.example"),
        ("mailto:a;verstat=x", "mailto:a;verstat=x"),
        ("no uri", "no uri"),
    ] {
        assert_eq!(strip(written), stripped);
    }
}

#[test]
fn verstat_follows_from_the_summary_alone() {
    for (summary, verstat) in [
        (Outcome::Valid, Verstat::Passed),
        (Outcome::None, Verstat::NotValidated),
        (Outcome::Unsupported, Verstat::NotValidated),
        (Outcome::NoCredential, Verstat::NotValidated),
        (Outcome::Stale, Verstat::Failed),
        (Outcome::MismatchOrig, Verstat::Failed),
        (Outcome::MismatchDest, Verstat::Failed),
        (Outcome::BadSignature, Verstat::Failed),
        (Outcome::Untrusted, Verstat::Failed),
        (Outcome::Malformed, Verstat::Failed),
    ] {
        assert_eq!(Verstat::of_summary(summary), verstat);
    }
}

proptest! {
    #[test]
    fn reading_never_panics_and_is_idempotent(
        free in ".{0,40}",
        near in "(sip|sips|tel|urn)?:?[a-z0-9+%;=@:?.<>*#-]{0,40}",
    ) {
        for written in [&free, &near] {
            let _ = VerstatClaim::read(written, HopTrust::Trusted);
            let stripped = strip(written);
            prop_assert_eq!(strip(&stripped), stripped.clone());
            match read(written) {
                Ok(Identity::Tn(number)) => {
                    let again = read(&format!("tel:{}", number.as_str()));
                    prop_assert_eq!(again, Ok(Identity::Tn(number)));
                }
                Ok(Identity::Uri(uri)) => prop_assert!(!uri.is_empty()),
                Err(reason) => prop_assert_eq!(reason, Reason::MalformedUri),
            }
        }
    }

    #[test]
    fn any_number_comes_back_however_it_is_carried(digits in "[1-9][0-9]{2,14}") {
        for written in [
            format!("tel:+{digits}"),
            format!("sip:+{digits};verstat=No-TN-Validation@c.example;user=phone"),
            format!("sips:{digits}@[2001:db8::1]:5061"),
        ] {
            prop_assert_eq!(read(&written), number(&digits));
        }
    }
}
