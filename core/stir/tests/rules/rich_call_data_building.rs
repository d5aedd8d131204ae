//! Making rich call data: what comes out is what a reader accepts whole, or nothing does.

use proptest::prelude::*;
use ringtrue_stir::integrity::DigestAlgorithm;
use ringtrue_stir::rcd::{RcdContent, RichCallData, RichCallDataBuilder, digest_of};
use ringtrue_stir::{Reason, X5u};
use serde_json::{Value, json as object};

use crate::rich_call_data::{ICON, over, png, sha256};
use crate::tn;

fn url(text: &str) -> X5u {
    X5u::parse(text).unwrap()
}

fn builder() -> RichCallDataBuilder {
    RichCallDataBuilder::new().name("Q Branch Spy Gadgets")
}

fn refusal(builder: RichCallDataBuilder) -> Reason {
    builder.build().unwrap_err()
}

#[test]
fn claims_are_those_of_the_printed_example() {
    let claims = builder()
        .call_reason("Rendezvous for Little Nellie")
        .with_digests_of_values()
        .build()
        .unwrap();
    // RFC 9795 section 7, without the icon.
    let expected = object!({
        "crn": "Rendezvous for Little Nellie",
        "rcd": {"nam": "Q Branch Spy Gadgets"},
        "rcdi": {"/nam": "sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY"},
    });
    assert_eq!(claims.to_value(), expected);
    let names: Vec<_> = claims.claims().map(|(name, _)| name).collect();
    assert_eq!(names, ["rcd", "rcdi", "crn"]);
    assert_eq!(format!("{claims:?}"), "RcdClaims(..)");
}

#[test]
fn a_reason_alone_needs_no_rcd_and_a_nameless_rcd_says_so() {
    let claims = RichCallDataBuilder::new()
        .call_reason("Delivery")
        .build()
        .unwrap();
    assert_eq!(claims.to_value(), object!({"crn": "Delivery"}));
    assert_eq!(
        (claims.rcd(), claims.rcdi(), claims.crn()),
        (None, None, Some("Delivery"))
    );
    let claims = RichCallDataBuilder::new()
        .alternate_number(&tn("12025550143"))
        .build()
        .unwrap();
    let expected = object!({"rcd": {"apn": "12025550143", "nam": ""}});
    assert_eq!(claims.to_value(), expected);
}

#[test]
fn remote_content_gets_a_digest_over_its_octets() {
    let claims = builder().icon(&url(ICON), &png(256)).build().unwrap();
    assert_eq!(
        claims.rcdi().unwrap(),
        &object!({"/icn": sha256(&png(256))})
    );
    let claims = builder()
        .inline_icon(&png(64))
        .algorithm(DigestAlgorithm::Sha512)
        .build()
        .unwrap();
    assert_eq!(claims.rcdi(), None);
    let data = RichCallData::from_claims(&claims.to_value())
        .unwrap()
        .unwrap();
    assert_eq!(data.icon(), RcdContent::Held(&png(64)));
}

#[test]
fn every_url_of_an_inline_or_linked_card_gets_its_own_digest() {
    let photo = "https://example.com/photo.png";
    let card = object!([
        "vcard",
        [
            ["fn", {}, "text", "Q Branch"],
            ["tel", {}, "uri", "tel:+12025550143"],
            ["photo", {}, "uri", photo, ICON]
        ]
    ]);
    let octets = card.to_string().into_bytes();
    let whole = |builder: RichCallDataBuilder| {
        builder
            .content(&url(photo), &png(1))
            .content(&url(ICON), &png(2))
    };
    let claims = whole(builder()).card(card.clone()).build().unwrap();
    let expected = object!({"/jcd/1/2/3": sha256(&png(1)), "/jcd/1/2/4": sha256(&png(2))});
    assert_eq!(claims.rcdi().unwrap(), &expected);

    let link = url("https://example.com/q.json");
    let claims = whole(builder())
        .linked_card(&link, &octets)
        .build()
        .unwrap();
    let expected = object!({
        "/jcl": sha256(&octets),
        "/jcl/1/2/3": sha256(&png(1)),
        "/jcl/1/2/4": sha256(&png(2)),
    });
    assert_eq!(claims.rcdi().unwrap(), &expected);

    for incomplete in [
        builder().card(card.clone()),
        builder().card(card).content(&url(photo), &png(1)),
        builder().linked_card(&link, &octets),
    ] {
        assert_eq!(refusal(incomplete), Reason::RcdNotChecked);
    }
}

#[test]
fn what_a_reader_would_refuse_is_not_made() {
    let card = |uri: &str| object!(["vcard", [["photo", {}, "uri", uri]]]);
    let svg = b"<svg/>".as_slice();
    for (builder, reason) in [
        (RichCallDataBuilder::new(), Reason::MalformedRcd),
        (
            RichCallDataBuilder::new().with_digests_of_values(),
            Reason::MalformedRcd,
        ),
        (builder().name("Your\u{202E}Bank"), Reason::MalformedRcd),
        (builder().name("Your\nBank"), Reason::MalformedRcd),
        (builder().name(" Bank"), Reason::MalformedRcd),
        (builder().call_reason("a\u{200B}b"), Reason::MalformedRcd),
        (builder().name(&"a".repeat(1025)), Reason::TooLong),
        (
            builder().icon(&url(ICON), svg),
            Reason::UnsupportedMediaType,
        ),
        (builder().icon(&url(ICON), &png(1025)), Reason::TooLong),
        (builder().inline_icon(svg), Reason::UnsupportedMediaType),
        (
            builder().card(object!(["vcard", []])),
            Reason::MalformedJcard,
        ),
        (
            builder().card(card("http://example.com/a.png")),
            Reason::MalformedUrl,
        ),
        (
            builder().card(card("https://example.com/a.png?x")),
            Reason::MalformedUrl,
        ),
        (
            builder().card(card(ICON)).content(&url(ICON), svg),
            Reason::UnsupportedMediaType,
        ),
        (
            builder().linked_card(&url(ICON), b"[]"),
            Reason::MalformedJcard,
        ),
        (
            builder().linked_card(&url(ICON), b""),
            Reason::MalformedJson,
        ),
        (
            builder()
                .card(object!(["vcard", [["fn", {}, "text", "Q"]]]))
                .linked_card(&url(ICON), b"[\"vcard\",[[\"fn\",{},\"text\",\"Q\"]]]"),
            Reason::MalformedRcd,
        ),
    ] {
        assert_eq!(refusal(builder), reason);
    }
}

#[test]
fn digests_are_made_of_values_and_never_of_urls_that_stand_for_content() {
    let rcd = object!({
        "nam": "Q Branch Spy Gadgets",
        "icn": ICON,
        "jcd": ["vcard", [
            ["fn", {}, "text", "https://example.com/"],
            ["photo", {}, "uri", ICON],
            ["tel", {}, "uri", "tel:+12025550143"]
        ]],
    });
    // RFC 9795 section 7.
    let name = "sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY";
    for claims in [rcd.clone(), object!({"iat": 1, "rcd": rcd})] {
        assert_eq!(digest_of(&claims, "/nam").unwrap().to_text(), name);
        for (pointer, value) in [
            ("/jcd", &rcd["jcd"]),
            ("/jcd/1/0/3", &rcd["jcd"][1][0][3]),
            ("/jcd/1/2/3", &rcd["jcd"][1][2][3]),
        ] {
            assert_eq!(digest_of(&claims, pointer).unwrap().to_text(), over(value));
        }
        for (pointer, reason) in [
            ("/icn", Reason::RcdNotChecked),
            ("/jcd/1/1/3", Reason::RcdNotChecked),
            ("/apn", Reason::MalformedRcd),
            ("/rcd/nam", Reason::MalformedRcd),
            ("nam", Reason::MalformedRcd),
            ("", Reason::MalformedRcd),
        ] {
            assert_eq!(digest_of(&claims, pointer), Err(reason), "{pointer}");
        }
    }
    let link = object!({"nam": "", "jcl": "https://example.com/q.json"});
    for pointer in ["/jcl", "/jcl/1/0/3"] {
        assert_eq!(digest_of(&link, pointer), Err(Reason::RcdNotChecked));
    }
    let icon = object!({"icn": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"});
    assert_eq!(digest_of(&icon, "/icn").unwrap().to_text(), sha256(&png(1)));
    let icon = object!({"icn": "data:image/png;base64,AAAA"});
    assert_eq!(digest_of(&icon, "/icn"), Err(Reason::UnsupportedMediaType));
    assert_eq!(
        digest_of(&object!({"rcd": "Q"}), "/nam"),
        Err(Reason::MalformedRcd)
    );
    assert_eq!(digest_of(&object!("Q"), "/nam"), Err(Reason::MalformedRcd));
}

proptest! {
    #[test]
    fn what_is_made_reads_back_whole(
        name in "[A-Za-z'éß&<>\"]{0,20}",
        reason in prop::option::of("[A-Za-z]{1,20}"),
        number in prop::option::of("[0-9]{1,15}"),
        sides in prop::collection::vec(1_u32..=1024, 0..4),
        has_icon: bool,
        is_linked: bool,
        with_values: bool,
        at in 0_usize..3,
    ) {
        let algorithms = [DigestAlgorithm::Sha256, DigestAlgorithm::Sha384, DigestAlgorithm::Sha512];
        let mut builder = RichCallDataBuilder::new().name(&name).algorithm(algorithms[at]);
        let mut fetched = vec![];
        let mut properties = vec![object!(["fn", {}, "text", name])];
        for (position, side) in sides.iter().enumerate() {
            let photo = url(&format!("https://example.com/{position}.png"));
            properties.push(object!(["photo", {}, "uri", photo.as_str()]));
            builder = builder.content(&photo, &png(*side));
            fetched.push((photo, png(*side)));
        }
        let card = object!(["vcard", properties]);
        let link = url("https://example.com/q.json");
        builder = if is_linked {
            fetched.push((link.clone(), card.to_string().into_bytes()));
            builder.linked_card(&link, card.to_string().as_bytes())
        } else {
            builder.card(card)
        };
        if has_icon {
            builder = builder.icon(&url(ICON), &png(7));
            fetched.push((url(ICON), png(7)));
        }
        if let Some(reason) = &reason {
            builder = builder.call_reason(reason);
        }
        if let Some(number) = &number {
            builder = builder.alternate_number(&tn(number));
        }
        if with_values {
            builder = builder.with_digests_of_values();
        }
        let claims: Value = builder.build().unwrap().to_value();
        let mut data = RichCallData::of_rcd_passport(&claims).unwrap();
        for _ in 0..2 {
            for wanted in data.wanted_fetches() {
                let (_, octets) = fetched.iter().find(|(url, _)| *url == wanted.url).unwrap();
                prop_assert_eq!(data.accept_fetched(&wanted.pointer, octets), Ok(()));
            }
        }
        prop_assert_eq!(data.warnings(), []);
        prop_assert_eq!(data.contents().count(), fetched.len());
        prop_assert_eq!(data.name(), Some(name.as_str()));
        prop_assert_eq!(data.call_reason(), reason.as_deref());
        prop_assert_eq!(data.card().unwrap().formatted_name(), Some(name.as_str()));
        prop_assert_eq!(data.alternate_number().map(|number| number.as_str().to_owned()), number);
    }
}
