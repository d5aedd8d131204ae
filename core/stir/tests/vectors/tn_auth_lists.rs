//! `stir-tnauthlist`: encodings that must decode, may, and must not.

use ringtrue_stir::certificate::{Certificate, CertificateRequest, KeyKind};
use ringtrue_stir::crypto::RustCrypto;
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
    assert!(matches!(certificate.key_kind(), KeyKind::Rsa(1024..)));
    assert_eq!(certificate.der(), pem.contents());

    // Its signature holds, and the list in it is the one of good.json.
    let text = folder.text("csr-709J.pem");
    let request = CertificateRequest::from_pem(&RustCrypto, &text).unwrap();
    assert_eq!(request.tn_auth_list().entries(), entries(&good[0]));
    assert_eq!(request.tn_auth_list().encode(), der(&good[0]));
    assert_eq!(request.der(), pem::parse(&text).unwrap().contents());
    assert_eq!(request.to_pem().trim_end(), text.trim_end());
    folder.assert_consumed();
}
