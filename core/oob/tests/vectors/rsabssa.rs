//! `rsabssa`: blind RSA signatures, Privacy Pass issuance and the storage token, field by field.
use std::collections::BTreeSet;

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, ConcatenatingMul as _, Odd};
use ringtrue_oob::token::blind::{RsaPublicKey, Variant};
use ringtrue_oob::token::redemption::{self, StoreProof};
use ringtrue_oob::token::{
    IssuerKey, IssuerName, OneTimeKey, PendingToken, Token, TokenChallenge, issuance, token_input,
};
use ringtrue_oob::{Blob, Destination};
use ringtrue_stir::crypto::{CryptoProvider as _, Es256Signature, RustCrypto, SecretKey};
use ringtrue_stir::{Reason, TelephoneNumber, base64url};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::fields::Fields;
use crate::folder;
use crate::scripted::Scripted;

const RFC_9474: [(&str, &str, Variant); 4] = [
    (
        "rfc9474-rsabssa-sha384-pss-deterministic.json",
        "RSABSSA-SHA384-PSS-Deterministic",
        Variant::PssDeterministic,
    ),
    (
        "rfc9474-rsabssa-sha384-pss-randomized.json",
        "RSABSSA-SHA384-PSS-Randomized",
        Variant::PssRandomized,
    ),
    (
        "rfc9474-rsabssa-sha384-psszero-deterministic.json",
        "RSABSSA-SHA384-PSSZERO-Deterministic",
        Variant::PssZeroDeterministic,
    ),
    (
        "rfc9474-rsabssa-sha384-psszero-randomized.json",
        "RSABSSA-SHA384-PSSZERO-Randomized",
        Variant::PssZeroRandomized,
    ),
];
const RFC_9578: &str = "rfc9578-token-type-0002.json";
const PROJECT: &str = "project-storage-token-v1.json";

fn number(octets: &[u8], bits: u32) -> BoxedUint {
    BoxedUint::from_be_slice(octets, bits).unwrap()
}

/// An RSA key pair of a vector. The private operation exists in tests alone.
struct KeyPair {
    params: BoxedMontyParams,
    exponent: BoxedUint,
}

impl KeyPair {
    fn new(modulus: &[u8], exponent: &[u8]) -> Self {
        let bits = u32::try_from(modulus.len() * 8).unwrap();
        let modulus = Odd::new(number(modulus, bits)).unwrap();
        Self {
            params: BoxedMontyParams::new(modulus),
            exponent: number(exponent, bits),
        }
    }

    fn form(&self, octets: &[u8]) -> BoxedMontyForm {
        BoxedMontyForm::new(number(octets, self.params.bits_precision()), &self.params)
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signed = self.form(message).pow(&self.exponent);
        signed.retrieve().to_be_bytes().into_vec()
    }

    /// The blinding factor whose inverse is given.
    fn inverse(&self, octets: &[u8]) -> Vec<u8> {
        let inverse = self.form(octets).invert().unwrap();
        inverse.retrieve().to_be_bytes().into_vec()
    }
}

fn is_product(modulus: &[u8], p: &[u8], q: &[u8]) -> bool {
    let bits = u32::try_from(modulus.len() * 8).unwrap();
    let product = number(p, bits / 2).concatenating_mul(&number(q, bits / 2));
    product == number(modulus, bits)
}

#[test]
fn every_variant_of_rfc_9474_is_consumed_completely() {
    for (file, name, variant) in RFC_9474 {
        let mut fields = Fields::of("rsabssa", file);
        assert_eq!(fields.text("rfc"), "RFC 9474");
        assert_eq!(fields.text("name"), name);
        let modulus = fields.octets("n");
        assert!(is_product(
            &modulus,
            &fields.octets("p"),
            &fields.octets("q")
        ));
        assert_eq!(fields.octets("e"), [1, 0, 1]);
        let key = RsaPublicKey::from_modulus(&modulus).unwrap();
        let pair = KeyPair::new(&modulus, &fields.octets("d"));

        // Prepare.
        let prefix = fields.octets("msg_prefix");
        let randomized = fields.octets("is_randomized") == [1];
        assert_eq!(prefix.is_empty(), !randomized);
        let random = match randomized {
            true => Scripted::new([prefix]),
            false => Scripted::new([]),
        };
        let message = fields.octets("msg");
        let prepared = variant.prepare(&random, &message).unwrap();
        assert!(random.is_used_up());
        assert_eq!(prepared, fields.octets("input_msg"));

        // Blind.
        let salt = fields.octets("salt");
        assert_eq!(fields.octets("sLen"), [u8::try_from(salt.len()).unwrap()]);
        let factor = pair.inverse(&fields.octets("inv"));
        // The salt is drawn first.
        let random = match salt.is_empty() {
            true => Scripted::new([factor]),
            false => Scripted::new([salt, factor]),
        };
        let blinding = key.blind(&random, variant, &prepared).unwrap();
        assert!(random.is_used_up());
        assert_eq!(blinding.blinded_message(), fields.octets("blinded_msg"));

        // Sign and finalize.
        let blind_signature = pair.sign(blinding.blinded_message());
        assert_eq!(blind_signature, fields.octets("blind_sig"));
        let signature = key
            .finalize(variant, &prepared, &blinding, &blind_signature)
            .unwrap();
        assert_eq!(signature, fields.octets("sig"));
        if name != "RSABSSA-SHA384-PSS-Randomized" {
            let encoded = key.raw_public(&signature).unwrap();
            assert_eq!(encoded, fields.octets("encoded_msg"));
        }

        // Verify, and everything that must not.
        assert_eq!(key.verify(variant, &prepared, &signature), Ok(()));
        for index in [0, 255, 511] {
            let mut changed = signature.clone();
            changed[index] ^= 1;
            assert_eq!(
                key.verify(variant, &prepared, &changed),
                Err(Reason::TokenInvalid)
            );
        }
        let mut changed = prepared.clone();
        changed[0] ^= 1;
        assert_eq!(
            key.verify(variant, &changed, &signature),
            Err(Reason::TokenInvalid)
        );
        let other_salt = match variant {
            Variant::PssDeterministic | Variant::PssRandomized => Variant::PssZeroDeterministic,
            _ => Variant::PssDeterministic,
        };
        assert_eq!(
            key.verify(other_salt, &prepared, &signature),
            Err(Reason::TokenInvalid)
        );
        fields.require_all_read();
    }
}

/// The private exponent of a PKCS #8 text.
fn private_exponent(pem: &str) -> Vec<u8> {
    let base64: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let url = base64.replace('+', "-").replace('/', "_");
    let der = base64url::decode(url.trim_end_matches('=')).unwrap();
    // SEQUENCE { version, algorithm, OCTET STRING { SEQUENCE { version, n, e, d, … } } }
    let outer = element(&der).1;
    let after_version = element(outer).2;
    let after_algorithm = element(after_version).2;
    let mut rest = element(element(after_algorithm).1).1;
    for _ in 0..3 {
        rest = element(rest).2;
    }
    let exponent = element(rest).1;
    exponent.strip_prefix(&[0]).unwrap_or(exponent).to_vec()
}

/// Tag, content and rest of a DER element.
fn element(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (len, head) = match der[1] {
        short @ 0..=0x7f => (usize::from(short), 2),
        long => {
            let octets = usize::from(long & 0x7f);
            let len = der[2..2 + octets]
                .iter()
                .fold(0, |len, octet| (len << 8) | usize::from(*octet));
            (len, 2 + octets)
        }
    };
    (der[0], &der[head..head + len], &der[head + len..])
}

#[test]
fn the_five_issuances_of_rfc_9578_are_consumed_completely() {
    let mut file = Fields::of("rsabssa", RFC_9578);
    assert!(file.text("source_note").contains("RFC 9578"));
    let Value::Array(records) = file.take("vectors").clone() else {
        panic!("no list of vectors");
    };
    file.require_all_read();
    assert_eq!(records.len(), 5);
    for record in records {
        let mut fields = Fields::from_value(record);
        let key = IssuerKey::from_spki(&fields.octets("pkS")).unwrap();
        let pem = String::from_utf8(fields.octets("skS")).unwrap();
        let pair = KeyPair::new(key.rsa().modulus(), &private_exponent(&pem));
        let nonce: [u8; 32] = fields.octets("nonce").try_into().unwrap();
        let challenge: [u8; 32] = Sha256::digest(fields.octets("token_challenge")).into();
        let input = token_input(&nonce, &challenge, key.key_id());
        let variant = Variant::PssDeterministic;
        let random = Scripted::new([fields.octets("salt"), fields.octets("blind")]);
        let blinding = key.rsa().blind(&random, variant, &input).unwrap();
        assert!(random.is_used_up());

        // The request, read by the issuer.
        let body = fields.octets("token_request");
        let request =
            issuance::decode_request(Some("application/private-token-request"), &body).unwrap();
        assert!(request.is_for(&key));
        assert_eq!(
            request.blinded_message.as_slice(),
            blinding.blinded_message()
        );

        // Its answer, read by the client.
        let blind_signature = fields.octets("token_response");
        assert_eq!(pair.sign(&request.blinded_message), blind_signature);
        let authenticator = key
            .rsa()
            .finalize(variant, &input, &blinding, &blind_signature)
            .unwrap();
        let octets = fields.octets("token");
        assert_eq!([input.as_slice(), &authenticator].concat(), octets);
        let token = Token::from_octets(&octets).unwrap();
        assert_eq!(key.verify(&token), Ok(()));
        assert_eq!(token.nonce(), &nonce);
        assert_eq!(token.challenge_digest(), &challenge);
        fields.require_all_read();
    }
}

#[test]
fn the_storage_token_is_accepted_and_produced_octet_by_octet() {
    let mut fields = Fields::of("rsabssa", PROJECT);
    assert!(fields.text("note").contains("not from an RFC"));
    let mut issuer = Fields::from_value(fields.take("issuer_rsa").clone());
    let modulus = issuer.octets("n");
    assert!(is_product(
        &modulus,
        &issuer.octets("p"),
        &issuer.octets("q")
    ));
    assert_eq!(issuer.octets("e"), [1, 0, 1][..]);
    let pair = KeyPair::new(&modulus, &issuer.octets("d"));
    issuer.require_all_read();

    // The issuer's key.
    let key = IssuerKey::from_modulus(&modulus).unwrap();
    let spki = fields.octets("issuer_spki_pss_der");
    assert_eq!(key.spki(), spki);
    assert_eq!(IssuerKey::from_spki(&spki), Ok(key.clone()));
    assert_eq!(key.key_id().as_slice(), fields.octets("token_key_id"));

    // K_temp and challenge.
    let secret = SecretKey::from_slice(&fields.octets("ktemp_sk")).unwrap();
    let one_time = OneTimeKey::from_secret(&RustCrypto, secret).unwrap();
    let compressed = fields.octets("ktemp_pk_compressed");
    assert_eq!(one_time.public().to_compressed().as_slice(), compressed);
    assert_eq!(one_time.nonce().as_slice(), fields.octets("nonce"));
    let authority = fields.text("cps_authority");
    let issuer = IssuerName::parse("issuer.cps.example.com").unwrap();
    let challenge = TokenChallenge::new(&issuer, &authority).unwrap();
    let octets = fields.octets("token_challenge");
    assert_eq!(challenge.encode(), octets);
    assert_eq!(TokenChallenge::decode(&octets), Ok(challenge.clone()));
    assert_eq!(
        challenge.digest().as_slice(),
        fields.octets("challenge_digest")
    );

    // Issuance, with the vector's randomness.
    let random = Scripted::new([fields.octets("pss_salt"), fields.octets("blind_r")]);
    let pending = PendingToken::new(&random, &key, &challenge, one_time.clone()).unwrap();
    assert!(random.is_used_up());
    let blinded = fields.octets("blinded_msg");
    assert_eq!(pending.blinded_message(), blinded);
    let blind_signature = fields.octets("blind_sig");
    assert_eq!(pair.sign(&blinded), blind_signature);
    let (token, kept) = pending.complete(&blind_signature).unwrap();
    assert_eq!(kept.public(), one_time.public());
    assert_eq!(token.input().as_slice(), fields.octets("token_input"));
    assert_eq!(
        token.authenticator().as_slice(),
        fields.octets("authenticator")
    );
    assert_eq!(
        key.rsa().raw_public(token.authenticator()).unwrap(),
        fields.octets("encoded_msg")
    );
    assert_eq!(token.to_octets().as_slice(), fields.octets("token"));

    // The store it pays for.
    let reference = fields.text("body_ref");
    let file = reference.strip_prefix("../hpke/").unwrap();
    let blob = Blob::from_octets(Fields::of("hpke", file).octets("blob")).unwrap();
    let dest = TelephoneNumber::from_canonical(&fields.text("dest")).unwrap();
    let proof = StoreProof::new(&authority, &Destination::from(dest), &[blob]).unwrap();
    assert_eq!(proof.body_digest().as_slice(), fields.octets("body_sha256"));
    let counter = u32::try_from(fields.number("counter")).unwrap();
    let input = proof.signing_input(&token.digest(), counter);
    assert_eq!(input, fields.octets("store_sig_input"));
    let signature = Es256Signature::from_raw(&fields.octets("store_sig_es256_raw")).unwrap();
    assert_eq!(
        Es256Signature::from_der(&fields.octets("store_sig_der")),
        Ok(signature)
    );
    assert!(RustCrypto.verify_es256(one_time.public(), &input, &signature));
    let mut paid = proof
        .redeem(&RustCrypto, &token, &one_time, counter)
        .unwrap();
    assert_eq!(
        proof.verify(&RustCrypto, &key, &challenge, &paid),
        Ok(()),
        "signed here"
    );
    paid.signature = signature;
    assert_eq!(
        proof.verify(&RustCrypto, &key, &challenge, &paid),
        Ok(()),
        "signed elsewhere"
    );
    let headers = redemption::encode(core::slice::from_ref(&paid)).unwrap();
    let spelled = fields.text("token_b64url");
    assert_eq!(
        headers[0],
        (
            "authorization".to_owned(),
            format!("PrivateToken token=\"{spelled}\"")
        )
    );
    fields.require_all_read();
}

#[test]
fn every_file_of_the_folder_is_consumed() {
    let found: BTreeSet<String> = std::fs::read_dir(folder("rsabssa"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .collect();
    let consumed = RFC_9474
        .map(|(file, ..)| file)
        .into_iter()
        .chain([RFC_9578, PROJECT]);
    assert_eq!(found, consumed.map(str::to_owned).collect());
}
