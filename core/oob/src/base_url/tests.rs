//! Which texts are base URLs, what they are called, and where references lead.

use proptest::prelude::*;
use ringtrue_stir::Reason;

use super::BaseUrl;

#[test]
fn normalises_case_default_port_slash_and_dot_segments() {
    for (text, normal, authority) in [
        (
            "https://cps.example.com",
            "https://cps.example.com",
            "cps.example.com",
        ),
        (
            "HTTPS://CPS.Example.COM:443/",
            "https://cps.example.com",
            "cps.example.com",
        ),
        (
            "https://cps.example.com:8443/a/b/",
            "https://cps.example.com:8443/a/b",
            "cps.example.com:8443",
        ),
        (
            "https://cps.example.com/a///",
            "https://cps.example.com/a",
            "cps.example.com",
        ),
        (
            "https://cps.example.com//",
            "https://cps.example.com",
            "cps.example.com",
        ),
        (
            "https://cps.example.com/a/../b",
            "https://cps.example.com/b",
            "cps.example.com",
        ),
        (
            "https://127.0.0.1:8443",
            "https://127.0.0.1:8443",
            "127.0.0.1:8443",
        ),
        (
            "https://[2001:DB8::1]/x",
            "https://[2001:db8::1]/x",
            "[2001:db8::1]",
        ),
    ] {
        let url = BaseUrl::parse(text).unwrap();
        assert_eq!(url.as_str(), normal);
        assert_eq!(url.authority(), authority);
        assert_eq!(BaseUrl::parse(url.as_str()), Ok(url.clone()));
        assert_eq!(url.join("/health"), format!("{normal}/health"));
    }
}

#[test]
fn parts_are_those_of_the_url() {
    let url = BaseUrl::parse("https://[::1]:8443/p").unwrap();
    assert_eq!((url.host(), url.port(), url.prefix()), ("::1", 8443, "/p"));
    let url = BaseUrl::parse("https://Example.com/").unwrap();
    assert_eq!(
        (url.host(), url.port(), url.prefix()),
        ("example.com", 443, "")
    );
}

#[test]
fn refuses_everything_that_is_no_plain_https_base() {
    for text in [
        "",
        "cps.example.com",
        "//cps.example.com",
        "http://cps.example.com",
        "https:cps.example.com",
        "https:/cps.example.com",
        "https://",
        "https:///cps.example.com",
        "https://user@cps.example.com",
        "https://user:secret@cps.example.com",
        "https://@cps.example.com",
        "https://cps.example.com?",
        "https://cps.example.com?a=b",
        "https://cps.example.com#",
        "https://cps.example.com/#x",
        "https://cps.example.com/a b",
        " https://cps.example.com",
        "https://cps.example.com\n",
        "https://cps.exa\tmple.com",
        "https:\\\\cps.example.com",
        "https://cps.example.com\\@evil.example",
        "https://cps%2Eexample.com",
        "https://cps.example%22.com/a",
        "https://cps.example.com:0",
        "https://cps.example.com:65536",
        "https://cps.example.com:x",
        "https://cps.example.com:+1",
        "https://cps.example.com:1:2",
        "https://:8443",
        "https://cps..example.com",
        "https://.example.com",
        "https://cps!.example.com",
        "https://cps.example.127",
        "https://0x7f000001",
        "https://cps.0x",
        "https://127.1",
        "https://127.0.0.01",
        "https://127.0.0.256",
        "https://[::1]8443",
        "https://[::1]:+8443",
        "https://[127.0.0.1]",
        "https://[fe80::1%25eth0]",
        "https://[]",
        "https://::1",
        "https://[::1",
        "https://ex\u{e4}mple.com",
        "ftp://cps.example.com",
        "data:text/plain,x",
    ] {
        assert_eq!(BaseUrl::parse(text), Err(Reason::MalformedUrl), "{text:?}");
    }
    let long = format!("https://cps.example.com/{}", "a".repeat(500));
    assert_eq!(BaseUrl::parse(&long), Err(Reason::MalformedUrl));
}

#[test]
fn references_stay_with_the_service() {
    let url = BaseUrl::parse("https://cps.example.com:8443/p").unwrap();
    for (reference, resolved) in [
        (
            "/p/cps/123/ppts/x",
            "https://cps.example.com:8443/p/cps/123/ppts/x",
        ),
        (
            "cps/123/ppts/x",
            "https://cps.example.com:8443/p/cps/123/ppts/x",
        ),
        (
            "https://cps.example.com:8443/p/y",
            "https://cps.example.com:8443/p/y",
        ),
    ] {
        assert_eq!(url.resolve(reference).as_deref(), Ok(resolved));
    }
    for reference in [
        "",
        "//evil.example/p/x",
        "https://evil.example/p/x",
        "https://cps.example.com/p/x",
        "http://cps.example.com:8443/p/x",
        "https://u@cps.example.com:8443/p/x",
        "/other/x",
        "/prefix/x",
        "/p/../x",
        "/p/%2e%2e/x",
        "\\\\evil.example\\p",
        "/p/x y",
        "/p/x#y",
        "data:text/plain,x",
    ] {
        assert_eq!(
            url.resolve(reference),
            Err(Reason::MalformedAnswer),
            "{reference:?}"
        );
    }
    assert_eq!(
        url.resolve(&"/p/x".repeat(300)),
        Err(Reason::MalformedAnswer)
    );
}

#[test]
fn a_reference_whose_url_is_too_long_to_be_a_reference_is_refused() {
    let url = BaseUrl::parse("https://cps.example.com/p").unwrap();
    let room = 1024 - url.as_str().len();
    let longest = format!("/p/{}", "a".repeat(room - 1));
    let resolved = url.resolve(&longest).unwrap();
    assert_eq!(url.resolve(&resolved), Ok(resolved.clone()));
    for reference in [
        format!("{longest}a"),
        format!("/p/{}", "a".repeat(1000)),
        // Within the limit as it stands, over it once it is escaped.
        format!("/p/{}", "<".repeat(400)),
    ] {
        assert_eq!(
            url.resolve(&reference),
            Err(Reason::MalformedAnswer),
            "{} octets",
            reference.len()
        );
    }
}

proptest! {
    #[test]
    fn reading_never_panics_and_is_idempotent(text in "(https://)?[!-~]{0,60}", reference in ".{0,60}") {
        if let Ok(url) = BaseUrl::parse(&text) {
            prop_assert!(url.as_str().starts_with("https://"));
            prop_assert!(!url.as_str().ends_with('/'));
            prop_assert_eq!(BaseUrl::parse(url.as_str()), Ok(url.clone()));
            if let Ok(resolved) = url.resolve(&reference) {
                prop_assert!(resolved.starts_with(url.as_str()));
                prop_assert_eq!(url.resolve(&resolved), Ok(resolved));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    // What is taken here, others take for the same service and the same resource.
    #[test]
    fn a_general_reader_of_urls_finds_the_same(
        authority in "([a-z0-9.:_A-F-]{0,12}|[a-zA-Z0-9-]{1,8}(\\.[a-z0-9]{1,4}){0,3}|[0-9]{1,3}(\\.[0-9]{1,3}){3}|\\[[0-9a-fA-F:]{2,9}\\])(:[0-9]{0,5})?",
        path in "(/([a-z.%2eE~+,;=-]{0,4}|\\.\\.?|%2[eE](\\.)?)){0,5}",
        reference in "(https:)?(//?)?[a-z.]{0,4}(/([a-z.%2eE-]{0,4}|\\.\\.?|%2[eE](\\.)?)){0,5}(\\?[a-z/.%=&]{0,5})?",
    ) {
        // Punycode is not looked into. (Nor is there a `:` in the paths: the general reader takes `/c:` for a
        // drive.)
        prop_assume!(!authority.to_ascii_lowercase().contains("xn--"));
        let text = format!("https://{authority}{path}");
        if let Ok(url) = BaseUrl::parse(&text) {
            let other = url::Url::parse(&text).unwrap();
            prop_assert_eq!(url.as_str(), other.as_str().trim_end_matches('/'));
            prop_assert_eq!(Some(url.port()), other.port_or_known_default());
            let base = url::Url::parse(&format!("{}/", url.as_str())).unwrap();
            for reference in [reference.clone(), format!("{}{reference}", url.as_str()), format!("{}/{reference}", url.prefix())] {
                if let Ok(resolved) = url.resolve(&reference) {
                    let other = base.join(&reference).unwrap();
                    prop_assert_eq!(resolved.as_str(), other.as_str());
                }
            }
        }
    }
}
