//! `stir-rcd`: digests and claim sets printed in RFC 9795; and the claims of the constructed tokens
//! that carry rich call data.

use ringtrue_stir::integrity::IntegrityDigest;
use ringtrue_stir::rcd::{RcdContent, RichCallData, digest_of};
use ringtrue_stir::{Reason, json};
use serde_json::{Value, json as object};

use crate::Folder;

#[test]
fn the_printed_digests_are_over_the_deterministic_serialisation() {
    let mut folder = Folder::open("stir-rcd");
    let record = folder.json("jcd-6.1.3.json");
    let members: Vec<_> = record.as_object().unwrap().keys().collect();
    let expected = [
        "digest",
        "digest_input",
        "id",
        "notes",
        "pointer",
        "rcd",
        "recomputed_equal",
        "source",
        "unverifiable",
    ];
    assert_eq!(members, expected);

    let pointer = record["pointer"].as_str().unwrap();
    let value = record["rcd"].pointer(pointer).unwrap();
    assert_eq!(json::canonical(value), record["digest_input"]);
    assert_eq!(record["recomputed_equal"], true);
    let digest = record["digest"].as_str().unwrap();
    assert_eq!(
        digest_of(&record["rcd"], pointer).unwrap().to_text(),
        digest
    );
    let claims = object!({"rcd": record["rcd"]});
    assert_eq!(digest_of(&claims, pointer).unwrap().to_text(), digest);

    // The images are not printed: their digests are read, and nothing fits them.
    let mut digests = record["unverifiable"].clone();
    digests[pointer] = Value::from(digest);
    let claims = object!({"rcd": record["rcd"], "rcdi": digests});
    let mut data = RichCallData::from_claims(&claims).unwrap().unwrap();
    assert_eq!(data.card().unwrap().formatted_name(), Some("Q Branch"));
    assert_eq!(data.warnings(), [Reason::RcdNotChecked]);
    assert_eq!(data.check_for_signing(), Ok(()));
    let wanted = data.wanted_fetches();
    assert_eq!(wanted.len(), 3);
    for fetch in wanted {
        let printed = record["unverifiable"][&fetch.pointer].as_str().unwrap();
        assert_eq!(fetch.digest, IntegrityDigest::parse(printed).unwrap());
        assert_eq!(
            record["rcd"].pointer(&fetch.pointer).unwrap(),
            fetch.url.as_str()
        );
        assert_eq!(
            digest_of(&claims, &fetch.pointer),
            Err(Reason::RcdNotChecked)
        );
        assert_eq!(
            data.accept_fetched(&fetch.pointer, b"not printed"),
            Err(Reason::DigestMismatch)
        );
    }
    assert_eq!(data.warnings(), [Reason::DigestMismatch]);

    let file = folder.json("claims-8.3.json");
    let [first, second, third] = file["claims"].as_array().unwrap().as_slice() else {
        panic!("not three claim sets");
    };
    let read = |claims| RichCallData::of_rcd_passport(claims).unwrap();
    let data = read(first);
    assert_eq!(data.name(), Some("James Bond"));
    assert_eq!(data.icon(), RcdContent::Absent);
    assert_eq!(data.warnings(), []);

    // The example that shows the unprotected case.
    let data = read(second);
    assert_eq!(data.name(), Some("Her Majesty's Secret Service"));
    assert_eq!(data.alternate_number().unwrap().as_str(), "12025559990");
    assert_eq!(data.icon(), RcdContent::Void(Reason::RcdDigestMissing));
    assert_eq!(data.warnings(), [Reason::RcdDigestMissing]);
    assert_eq!(data.wanted_fetches(), []);
    assert_eq!(data.check_for_signing(), Err(Reason::RcdDigestMissing));

    let data = read(third);
    assert_eq!(data.name(), Some("Q Branch Spy Gadgets"));
    assert_eq!(data.call_reason(), Some("Rendezvous for Little Nellie"));
    assert_eq!(data.icon(), RcdContent::NotFetched);
    assert_eq!(data.warnings(), [Reason::RcdNotChecked]);
    let nam = third["rcdi"]["/nam"].as_str().unwrap();
    assert_eq!(nam, "sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY");
    assert_eq!(digest_of(third, "/nam").unwrap().to_text(), nam);
    folder.assert_consumed();
}

/// Signatures, paths and constraints of these tokens are judged elsewhere.
#[test]
fn constructed_tokens_give_their_rich_call_data_or_none() {
    let records = Folder::open("stir-constructed").json("passports.json");
    let mut judged = Vec::new();
    for record in records.as_array().unwrap() {
        let id = record["id"].as_str().unwrap();
        let payload = record["payload_text"].as_str().unwrap();
        let Ok(claims) = json::parse(payload.as_bytes(), 16 * 1024) else {
            continue;
        };
        let read = RichCallData::from_claims(&claims);
        let of_type_rcd = record["header_text"]
            .as_str()
            .unwrap()
            .contains("\"ppt\":\"rcd\"");
        if matches!(read, Ok(None)) {
            assert!(!of_type_rcd, "{id}");
            continue;
        }
        judged.push(id.to_owned());
        match id {
            "rcd-good" => {
                assert_eq!(record["expect"], "accept");
                let data = read.unwrap().unwrap();
                assert_eq!(data.name(), Some("Q Branch Spy Gadgets"));
                assert_eq!(data.warnings(), []);
            }
            "rcd-no-nam" | "rcd-jcd-and-jcl" => {
                assert_eq!(record["expect"], "refuse-rcd", "{id}");
                assert_eq!(read.unwrap_err(), Reason::MalformedRcd, "{id}");
            }
            "constraint-crn-ok" => {
                let data = read.unwrap().unwrap();
                assert_eq!((data.name(), data.call_reason()), (None, Some("Delivery")));
            }
            // Its certificate forbids the claim, which is good in itself.
            "constraint-excluded-rcd" => {
                assert_eq!(read.unwrap().unwrap().name(), Some("x"));
            }
            other => panic!("{other} is not accounted for"),
        }
    }
    assert_eq!(judged.len(), 5, "{judged:?}");
}
