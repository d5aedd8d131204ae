//! Content that rich call data refer to: when it may be fetched, and what makes it void.

use ringtrue_stir::rcd::{MAX_JCARD_LEN, RcdContent, RcdContentKind, RichCallData};
use ringtrue_stir::{Reason, json};
use serde_json::{Value, json as object};

use crate::rich_call_data::{ICON, over, png, read, refusal, sha256};

fn card() -> Value {
    object!([
        "vcard",
        [
            ["version", {}, "text", "4.0"],
            ["fn", {}, "text", "Q Branch"],
            ["tel", {}, "uri", "tel:+12025550143"],
            ["photo", {}, "uri", "https://example.com/photo.png"],
            ["logo", {}, "uri", "https://example.com/logo.png"],
            ["url", {}, "uri", "https://example.com/about"]
        ]
    ])
}

/// Digests for the three URLs of [`card`], the images of 1 and 2 pixels and a page.
fn card_digests(root: &str) -> Value {
    object!({
        format!("{root}/1/3/3"): sha256(&png(1)),
        format!("{root}/1/4/3"): sha256(&png(2)),
        format!("{root}/1/5/3"): sha256(b"page"),
    })
}

#[test]
fn a_remote_icon_needs_a_digest_to_be_used_or_signed() {
    let data = read(&object!({"rcd": {"nam": "Q", "icn": ICON}}));
    assert_eq!(data.icon(), RcdContent::Void(Reason::RcdDigestMissing));
    assert_eq!(data.warnings(), [Reason::RcdDigestMissing]);
    assert_eq!(data.wanted_fetches(), []);
    assert_eq!(data.check_for_signing(), Err(Reason::RcdDigestMissing));
    assert_eq!(data.name(), Some("Q"));

    let claims = object!({"rcd": {"nam": "Q", "icn": ICON}, "rcdi": {"/icn": sha256(&png(256))}});
    let mut data = read(&claims);
    assert_eq!(data.icon(), RcdContent::NotFetched);
    assert_eq!(data.warnings(), [Reason::RcdNotChecked]);
    assert_eq!(data.check_for_signing(), Ok(()));
    assert_eq!(data.accept_fetched("/icn", &png(256)), Ok(()));
    assert_eq!(data.icon(), RcdContent::Held(&png(256)));
    assert_eq!(data.warnings(), []);
    assert_eq!(
        data.accept_fetched("/icn", &png(256)),
        Err(Reason::EventUnexpected)
    );
}

#[test]
fn urls_that_the_rules_of_fetching_refuse_are_never_offered() {
    for url in [
        "https://example.com/a.png?caller=1",
        "https://example.com/a.png#1",
        "https://user@example.com/a.png",
        "https://example.com:444/a.png",
    ] {
        let claims = object!({"rcd": {"nam": "Q", "icn": url}, "rcdi": {"/icn": sha256(&png(1))}});
        let data = read(&claims);
        assert_eq!(data.icon(), RcdContent::Void(Reason::MalformedUrl), "{url}");
        assert_eq!(data.wanted_fetches(), []);
        assert_eq!(data.check_for_signing(), Err(Reason::MalformedUrl));
    }
}

#[test]
fn an_icon_inside_the_token_needs_no_digest_and_keeps_to_one_if_there() {
    // 1 x 1 pixel, as far as it is looked at.
    let url = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB";
    let rcd = object!({"nam": "Q", "icn": url});
    assert_eq!(
        read(&object!({"rcd": rcd})).icon(),
        RcdContent::Held(&png(1))
    );
    for digest in [sha256(&png(1)), over(&object!(url))] {
        let claims = object!({"rcd": rcd, "rcdi": {"/icn": digest}});
        assert_eq!(read(&claims).icon(), RcdContent::Held(&png(1)));
    }
    let claims = object!({"rcd": rcd, "rcdi": {"/icn": sha256(&png(2))}});
    assert_eq!(refusal(&claims), Reason::DigestMismatch);
    for (url, reason) in [
        (
            "data:image/svg+xml;base64,PHN2Zy8+",
            Reason::UnsupportedMediaType,
        ),
        ("data:image/png,x", Reason::MalformedUrl),
    ] {
        let data = read(&object!({"rcd": {"nam": "Q", "icn": url}}));
        assert_eq!(data.icon(), RcdContent::Void(reason), "{url}");
        assert_eq!(data.warnings(), [reason]);
        assert_eq!(data.check_for_signing(), Err(reason));
    }
}

#[test]
fn a_mismatch_of_fetched_content_voids_that_content_alone() {
    let claims = object!({
        "rcd": {"nam": "Q", "icn": ICON, "jcd": card()},
        "rcdi": card_digests("/jcd"),
    });
    let mut claims = claims;
    claims["rcdi"]["/icn"] = Value::from(sha256(&png(3)));
    let mut data = read(&claims);
    assert_eq!(
        data.accept_fetched("/icn", &png(4)),
        Err(Reason::DigestMismatch)
    );
    assert_eq!(data.icon(), RcdContent::Void(Reason::DigestMismatch));
    // A second answer does not mend it.
    assert_eq!(
        data.accept_fetched("/icn", &png(3)),
        Err(Reason::EventUnexpected)
    );
    assert_eq!(data.accept_fetched("/jcd/1/3/3", &png(1)), Ok(()));
    assert_eq!(data.content("/jcd/1/3/3"), RcdContent::Held(&png(1)));
    assert_eq!(data.content("/jcd/1/4/3"), RcdContent::NotFetched);
    assert_eq!(
        data.warnings(),
        [Reason::DigestMismatch, Reason::RcdNotChecked]
    );
    assert_eq!(data.name(), Some("Q"));
    assert_eq!(data.card().unwrap().formatted_name(), Some("Q Branch"));
}

#[test]
fn every_uri_of_a_card_needs_its_own_digest_but_those_that_only_name() {
    let rcd = object!({"nam": "Q", "jcd": card()});
    let whole = object!({"rcd": rcd, "rcdi": card_digests("/jcd")});
    let data = read(&whole);
    assert_eq!(data.check_for_signing(), Ok(()));
    let contents: Vec<_> = data.contents().collect();
    assert_eq!(
        contents,
        [
            ("/jcd/1/3/3", RcdContentKind::Photo, RcdContent::NotFetched),
            ("/jcd/1/4/3", RcdContentKind::Logo, RcdContent::NotFetched),
            ("/jcd/1/5/3", RcdContentKind::Other, RcdContent::NotFetched),
        ]
    );
    // What nothing shows is not fetched (PPT-78).
    let wanted: Vec<_> = data
        .wanted_fetches()
        .into_iter()
        .map(|fetch| fetch.pointer)
        .collect();
    assert_eq!(wanted, ["/jcd/1/3/3", "/jcd/1/4/3"]);

    for missing in ["/jcd/1/3/3", "/jcd/1/4/3", "/jcd/1/5/3"] {
        let mut claims = whole.clone();
        claims["rcdi"].as_object_mut().unwrap().remove(missing);
        let data = read(&claims);
        assert_eq!(
            data.content(missing),
            RcdContent::Void(Reason::RcdDigestMissing)
        );
        assert_eq!(
            data.warnings(),
            [Reason::RcdNotChecked, Reason::RcdDigestMissing]
        );
        assert_eq!(
            data.check_for_signing(),
            Err(Reason::RcdDigestMissing),
            "{missing}"
        );
    }
    // The digest of the whole card does not stand in for them.
    let claims = object!({"rcd": rcd, "rcdi": {"/jcd": over(&card())}});
    assert_eq!(
        read(&claims).check_for_signing(),
        Err(Reason::RcdDigestMissing)
    );
}

#[test]
fn uris_of_other_schemes_in_a_card_are_not_used() {
    for uri in [
        "http://example.com/a.png",
        "ftp://example.com/a",
        "javascript:x",
        "a.png",
        "",
    ] {
        let jcd = object!(["vcard", [["photo", {}, "uri", uri]]]);
        let data = read(&object!({"rcd": {"nam": "Q", "jcd": jcd}}));
        assert_eq!(
            data.content("/jcd/1/0/3"),
            RcdContent::Void(Reason::MalformedUrl),
            "{uri}"
        );
        assert_eq!(data.check_for_signing(), Err(Reason::MalformedUrl));
    }
}

#[test]
fn content_of_a_card_may_not_be_of_a_form_that_refers_to_more() {
    for octets in [
        b"<svg xmlns:xlink=\"http://www.w3.org/1999/xlink\"/>".as_slice(),
        b"<html><img src=\"https://example.com/\"></html>",
        b"[\"vcard\",[[\"photo\",{},\"uri\",\"https://example.com/a.png\"]]]",
    ] {
        let jcd = object!(["vcard", [["photo", {}, "uri", "https://example.com/a"]]]);
        let rcdi = object!({"/jcd/1/0/3": sha256(octets)});
        let mut data = read(&object!({"rcd": {"nam": "Q", "jcd": jcd}, "rcdi": rcdi}));
        let accepted = data.accept_fetched("/jcd/1/0/3", octets);
        assert_eq!(accepted, Err(Reason::UnsupportedMediaType));
        let content = data.content("/jcd/1/0/3");
        assert_eq!(content, RcdContent::Void(Reason::UnsupportedMediaType));
    }
}

#[test]
fn images_beyond_the_limits_of_octets_or_pixels_are_refused() {
    let mut long = png(1);
    long.resize(256 * 1024 + 1, 0);
    for image in [long, png(1025)] {
        let claims = object!({"rcd": {"nam": "Q", "icn": ICON}, "rcdi": {"/icn": sha256(&image)}});
        let mut data = read(&claims);
        assert_eq!(data.wanted_fetches()[0].max_len, 256 * 1024);
        assert_eq!(data.accept_fetched("/icn", &image), Err(Reason::TooLong));
        assert_eq!(data.icon(), RcdContent::Void(Reason::TooLong));
    }
}

fn linked(card: &[u8], mut rcdi: Value) -> RichCallData {
    rcdi["/jcl"] = Value::from(sha256(card));
    let rcd = object!({"nam": "Q", "jcl": "https://example.com/q.json"});
    read(&object!({"rcd": rcd, "rcdi": rcdi}))
}

#[test]
fn a_linked_card_needs_its_digest_and_those_of_its_uris() {
    let rcd = object!({"nam": "Q", "jcl": "https://example.com/q.json"});
    let data = read(&object!({"rcd": rcd, "rcdi": card_digests("/jcl")}));
    assert_eq!(
        data.content("/jcl"),
        RcdContent::Void(Reason::RcdDigestMissing)
    );
    assert_eq!(data.check_for_signing(), Err(Reason::RcdDigestMissing));

    // Octets as received: not in the deterministic form.
    let octets = serde_json::to_vec_pretty(&card()).unwrap();
    let mut data = linked(&octets, card_digests("/jcl"));
    assert_eq!(data.check_for_signing(), Err(Reason::RcdNotChecked));
    assert!(data.card().is_none());
    let wanted = data.wanted_fetches();
    assert_eq!((wanted.len(), wanted[0].kind), (1, RcdContentKind::Card));
    assert_eq!(wanted[0].max_len, MAX_JCARD_LEN);
    assert_eq!(data.accept_fetched("/jcl", &octets), Ok(()));
    assert_eq!(data.card().unwrap().formatted_name(), Some("Q Branch"));
    assert_eq!(data.check_for_signing(), Ok(()));
    assert_eq!(data.accept_fetched("/jcl/1/3/3", &png(1)), Ok(()));
    assert_eq!(data.content("/jcl/1/3/3"), RcdContent::Held(&png(1)));

    let mut data = linked(&octets, object!({}));
    assert_eq!(data.accept_fetched("/jcl", &octets), Ok(()));
    assert_eq!(
        data.content("/jcl/1/3/3"),
        RcdContent::Void(Reason::RcdDigestMissing)
    );
    assert_eq!(data.check_for_signing(), Err(Reason::RcdDigestMissing));
}

#[test]
fn a_linked_card_that_does_not_hold_is_void_with_all_in_it() {
    let good = json::canonical(&card()).into_bytes();
    let name = over(&object!("Q Branch"));
    let mut data = linked(&good, object!({"/jcl/1/1/3": name}));
    assert_eq!(data.accept_fetched("/jcl", &good), Ok(()));
    for (octets, rcdi, reason) in [
        (
            good.clone(),
            object!({"/jcl/1/0/3": name}),
            Reason::DigestMismatch,
        ),
        (
            good.clone(),
            object!({"/jcl/1/9/3": name}),
            Reason::MalformedRcd,
        ),
        (b"{}".to_vec(), object!({}), Reason::MalformedJcard),
        (b"<html>".to_vec(), object!({}), Reason::MalformedJson),
        (b"".to_vec(), object!({}), Reason::MalformedJson),
        (vec![b' '; MAX_JCARD_LEN + 1], object!({}), Reason::TooLong),
    ] {
        let mut data = linked(&octets, rcdi);
        assert_eq!(data.accept_fetched("/jcl", &octets), Err(reason));
        assert_eq!(data.content("/jcl"), RcdContent::Void(reason));
        assert!(data.card().is_none());
        assert_eq!(data.contents().count(), 1);
        assert_eq!(data.warnings(), [reason]);
        assert_eq!(data.name(), Some("Q"));
    }
    let mut data = linked(&good, object!({}));
    assert_eq!(
        data.accept_fetched("/jcl", b"[]"),
        Err(Reason::DigestMismatch)
    );
}

#[test]
fn only_what_was_asked_for_is_taken() {
    let claims = object!({
        "rcd": {"nam": "Q", "jcd": card()},
        "rcdi": card_digests("/jcd"),
    });
    let mut data = read(&claims);
    for pointer in ["/icn", "/nam", "/jcd", "/jcd/1/2/3", "/jcd/1/5/3", "", "x"] {
        let accepted = data.accept_fetched(pointer, &png(1));
        assert_eq!(accepted, Err(Reason::EventUnexpected), "{pointer}");
    }
    assert_eq!(data.content("/jcd/1/5/3"), RcdContent::NotFetched);
}
