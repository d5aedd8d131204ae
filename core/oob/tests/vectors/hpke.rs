//! `hpke`: the worked examples of the sealed PASSporT, field by field.
use std::collections::BTreeSet;

use ::hpke::kem::{DhP256HkdfSha256, X25519HkdfSha256};
use ::hpke::{Kem, Serializable as _};
use ringtrue_oob::{
    Blob, Content, Destination, RecipientKey, SizeClass, Suite, open, open_with_shared_secret,
};
use ringtrue_stir::TelephoneNumber;
use ringtrue_stir::crypto::{CryptoProvider as _, RustCrypto, SecretKey, SharedSecret};
use sha2::{Digest as _, Sha256};

use crate::fields::Fields;
use crate::{FixedEphemeral, folder, schedule};

const FILES: [(&str, Suite); 2] = [
    ("project-blob-v1-p256-aes128gcm.json", Suite::S1),
    ("project-blob-v1-x25519-chacha20poly1305.json", Suite::S2),
];

fn run_file<K: Kem>(file: &str, suite: Suite) {
    let curve = suite.curve().unwrap();
    let mut fields = Fields::of("hpke", file);
    assert!(fields.text("note").contains("not from an RFC"));
    assert_eq!(
        format!("project-blob-v1-{}.json", fields.text("suite")),
        file
    );

    // Identifiers and header.
    let ids = ["kem_id", "kdf_id", "aead_id"].map(|name| fields.number(name));
    let ids: Vec<u8> = ids
        .iter()
        .flat_map(|id| u16::try_from(*id).unwrap().to_be_bytes())
        .collect();
    assert_eq!(Suite::from_id_bytes(&ids), Some(suite));
    let class = fields.number("bucket_id");
    let class = SizeClass::from_id(u8::try_from(class).unwrap()).unwrap();
    assert_eq!(class, suite.class());
    let mut header = vec![1];
    header.extend(&ids);
    header.push(class.id());
    assert_eq!(fields.octets("header"), header);
    assert_eq!(fields.octets("aad"), header);

    // Keys.
    let mut pair = |ikm: &str| {
        let (secret, public) = K::derive_keypair(&fields.octets(ikm));
        (
            SecretKey::from_slice(&secret.to_bytes()).unwrap(),
            public.to_bytes().to_vec(),
        )
    };
    let (recipient_secret, recipient) = pair("ikmR");
    let (ephemeral_secret, ephemeral) = pair("ikmE");
    let mut expected = fields.octets("skRm");
    if suite == Suite::S2 {
        // The crate keeps X25519 scalars clamped, the example holds it as derived.
        expected[0] &= 0xf8;
        expected[31] = (expected[31] & 0x7f) | 0x40;
    }
    assert_eq!(expected, recipient_secret.expose());
    assert_eq!(fields.octets("pkRm"), recipient);
    let enc = fields.octets("enc");
    assert_eq!(enc, ephemeral);
    assert_eq!(enc.len(), suite.enc_len());
    let key = RecipientKey::new(suite, &recipient).unwrap();

    // Binding.
    assert_eq!(fields.number("dest_type"), 1);
    let number = TelephoneNumber::from_canonical(&fields.text("dest")).unwrap();
    let destination = Destination::from(number);
    let info = fields.octets("info");
    assert_eq!(destination.info().unwrap(), info);

    // Lengths.
    assert_eq!(fields.number("max_content_len"), suite.max_content_len());
    assert_eq!(
        fields.number("plaintext_len"),
        suite.max_content_len() + 2,
        "the length is part of the plaintext"
    );
    assert_eq!(fields.number("blob_len"), class.blob_len());

    // KEM and key schedule: shown by the crate's own KEM and by the seal below.
    let shared_secret = fields.octets("shared_secret");
    let agreed = RustCrypto.agree(curve, &recipient_secret, &enc).unwrap();
    let schedule = schedule::of(suite, &agreed, &enc, &recipient, &info);
    assert_eq!(schedule.shared_secret, shared_secret);
    assert_eq!(schedule.key, fields.octets("key"));
    assert_eq!(schedule.base_nonce, fields.octets("base_nonce"));

    // The blob, read.
    let octets = fields.octets("blob");
    assert_eq!(octets.len(), class.blob_len());
    assert_eq!(
        Sha256::digest(&octets).to_vec(),
        fields.octets("blob_sha256")
    );
    let blob = Blob::from_octets(octets).unwrap();
    assert_eq!((blob.suite(), blob.enc()), (suite, enc.as_slice()));
    assert_eq!(Blob::from_text(&blob.to_text()), Ok(blob.clone()));

    // Opened: by the provider and with the raw secret of a device.
    let content = fields.text("content");
    let opened = open(&RustCrypto, &blob, &recipient_secret, &key, &destination).unwrap();
    assert_eq!(opened.as_slice(), content.as_bytes());
    let device = SharedSecret::from_device(agreed.expose()).unwrap();
    let opened = open_with_shared_secret(&blob, &device, &key, &destination).unwrap();
    assert_eq!(opened.as_slice(), content.as_bytes());
    if suite == Suite::S1 {
        assert_eq!(blob.peer_point().unwrap().as_sec1().as_slice(), enc);
    }

    // Written: content and blob, octet by octet.
    let parsed = Content::parse(content.as_bytes()).unwrap();
    assert_eq!(parsed.ppts, ["eyJ0eXAiOiJwYXNzcG9ydCJ9.e30.AA"]);
    assert_eq!(parsed.cps.as_deref(), Some("cps.example.com"));
    let n: Vec<u8> = (0..16).collect();
    assert_eq!(parsed.n.as_octets().as_slice(), n);
    assert_eq!(parsed.to_octets().unwrap().as_slice(), content.as_bytes());
    let provider = FixedEphemeral(ephemeral_secret);
    let sealed = ringtrue_oob::seal(&provider, &key, &destination, content.as_bytes()).unwrap();
    assert!(sealed == blob, "the sealed blob differs from the example");

    fields.require_all_read();
}

#[test]
fn s1_example_is_consumed_completely() {
    run_file::<DhP256HkdfSha256>(FILES[0].0, FILES[0].1);
}

#[test]
fn s2_example_is_consumed_completely() {
    run_file::<X25519HkdfSha256>(FILES[1].0, FILES[1].1);
}

#[test]
fn every_file_of_the_folder_is_consumed() {
    let found: BTreeSet<String> = std::fs::read_dir(folder("hpke"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        // Those are consumed beside the raw-secret KEM, which is not public.
        .filter(|name| !name.starts_with("rfc9180-base-") && name != "README.md")
        .collect();
    let hybrid = [
        "draft-hpke-pq-base-mlkem768-p256__hkdf-sha256__aes-128-gcm.json",
        "draft-hpke-pq-base-mlkem768-p256__shake128__aes-256-gcm.json",
        "draft-hpke-pq-base-mlkem768-x25519__hkdf-sha256__chacha20poly1305.json",
        "draft-hpke-pq-base-mlkem768-x25519__shake256__chacha20poly1305.json",
    ];
    // A build without the suites has nothing to read them with.
    #[cfg(feature = "pq")]
    assert_eq!(hybrid, crate::hpke_pq::FILES);
    let consumed = FILES.map(|(file, _)| file);
    let consumed = consumed.into_iter().chain(hybrid).map(str::to_owned);
    assert_eq!(found, consumed.collect());
}
