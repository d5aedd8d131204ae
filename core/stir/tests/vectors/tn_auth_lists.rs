//! `stir-tnauthlist`: encodings that must decode, may, and must not.

use ringtrue_stir::certificate::Certificate;
use ringtrue_stir::crypto::{CryptoProvider as _, Es256Signature, P256PublicKey, RustCrypto};
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::{Reason, TelephoneNumber};
use serde_json::Value;

use crate::{Folder, unhex};

fn number(value: &Value) -> TelephoneNumber {
    TelephoneNumber::from_canonical(value.as_str().unwrap()).unwrap()
}

fn entries(record: &Value) -> Vec<Entry> {
    let entry = |entry: &Value| {
        if let Some(spc) = entry.get("spc") {
            Entry::Spc(spc.as_str().unwrap().to_owned())
        } else if let Some(range) = entry.get("range") {
            Entry::Range {
                start: number(&range["start"]),
                count: range["count"].as_u64().unwrap(),
            }
        } else {
            Entry::One(number(&entry["one"]))
        }
    };
    record["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(entry)
        .collect()
}

fn der(record: &Value) -> Vec<u8> {
    unhex(record["der_hex"].as_str().unwrap())
}

#[test]
fn good_lists_decode_to_their_entries_and_encode_to_the_same_octets() {
    let mut folder = Folder::open("stir-tnauthlist");
    let good = folder.json("good.json");
    for record in good.as_array().unwrap() {
        let id = record["id"].as_str().unwrap();
        let list = TnAuthList::decode(&der(record)).unwrap();
        assert_eq!(list.entries(), entries(record), "{id}");
        assert_eq!(list.ignored_members(), 0, "{id}");
        assert_eq!(list.encode(), der(record), "{id}");
        assert_eq!(TnAuthList::new(entries(record)), Ok(list.clone()), "{id}");
        for (member, covered) in [("covers", true), ("not_covers", false)] {
            for text in record[member].as_array().into_iter().flatten() {
                assert_eq!(list.covers(&number(text)), covered, "{id} {text}");
            }
        }
    }
    assert_eq!(good.as_array().unwrap().len(), 5);

    // Stated policy: members behind start and count are counted and grant nothing (CRT-5).
    let odd = folder.json("odd.json");
    for record in odd.as_array().unwrap() {
        let list = TnAuthList::decode(&der(record)).unwrap();
        assert_eq!(list.entries(), entries(record));
        let additions = record["entries"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|entry| entry.get("extension_additions"))
            .map(|count| usize::try_from(count.as_u64().unwrap()).unwrap())
            .sum::<usize>();
        assert_eq!(list.ignored_members(), additions);
        for (text, covered) in [("111", true), ("238", true), ("239", false), ("222", true)] {
            assert_eq!(list.covers(&number(&text.into())), covered, "{text}");
        }
    }
    assert_eq!(odd.as_array().unwrap().len(), 1);

    let bad = folder.json("bad.json");
    for record in bad.as_array().unwrap() {
        assert_eq!(
            TnAuthList::decode(&der(record)),
            Err(Reason::MalformedTnAuthList),
            "{}",
            record["id"]
        );
    }
    assert_eq!(bad.as_array().unwrap().len(), 10);

    // The certificate has an RSA key and signature: it parses, its list is the odd one above, and it
    // can sign nothing that verifies.
    let pem = pem::parse(folder.text("botan-selfsigned-three-kinds.pem")).unwrap();
    let certificate = Certificate::from_der(pem.contents()).unwrap();
    assert_eq!(
        certificate.tn_auth_list(),
        Some(&TnAuthList::decode(&der(&odd[0])).unwrap())
    );
    assert_eq!(certificate.public_key(), None);
    assert_eq!(certificate.der(), pem.contents());

    // Requests are for CAs. Its signature holds, and the list in it is the one of good.json.
    let request = pem::parse(folder.text("csr-709J.pem"))
        .unwrap()
        .into_contents();
    check_request(&request, &der(&good[0]));
    folder.assert_consumed();
}

/// A PKCS #10 request whose lengths are all below 256: `30 81 len | 30 81 len info | alg | sig`.
fn check_request(request: &[u8], list: &[u8]) {
    let content = &request[3..];
    let info_len = if content[1] == 0x81 {
        3 + usize::from(content[2])
    } else {
        2 + usize::from(content[1])
    };
    let (info, rest) = content.split_at(info_len);
    let signature = &rest[2 + usize::from(rest[1])..];
    assert_eq!((signature[0], signature[2]), (0x03, 0));
    let signature = Es256Signature::from_der(&signature[3..]).unwrap();
    // The uncompressed point follows the curve's name and the header of its BIT STRING.
    let start = find(info, &[0x03, 0x42, 0x00, 0x04]) + 3;
    let key = P256PublicKey::from_sec1(&info[start..start + 65]).unwrap();
    assert!(RustCrypto.verify_es256(&key, info, &signature));
    find(info, list);
}

fn find(haystack: &[u8], needle: &[u8]) -> usize {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
        .unwrap()
}
