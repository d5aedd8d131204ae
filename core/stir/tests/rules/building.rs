//! What the builder makes, and what it makes of bad signers (PPT-9, PPT-11, PRV-22).

use ringtrue_stir::Reason;
use ringtrue_stir::crypto::{
    CryptoProvider as _, DeviceSignature, Es256Signature, P256PublicKey, RustCrypto, Signer,
};
use ringtrue_stir::jws::UnsignedJws;
use ringtrue_stir::passport::{Attestation, Destinations, Identity, Passport, PassportBuilder};
use serde_json::json;

use crate::issuing::{Key, NOW};
use crate::tn;
use crate::tokens::{base, dest, orig, x5u};

/// A key store that signs what it should not.
struct Broken {
    key: Key,
    claimed: P256PublicKey,
    form: fn(&Es256Signature) -> DeviceSignature,
}

impl Signer for Broken {
    fn public_key(&self) -> P256PublicKey {
        self.claimed
    }

    fn sign(&self, message: &[u8], digest: &[u8; 32]) -> Result<DeviceSignature, Reason> {
        // The digest as the message: hashed twice.
        let hashed_twice = self.claimed == self.key.public;
        let message = if hashed_twice { digest } else { message };
        let signature = RustCrypto.sign_es256(&self.key.secret, message)?;
        Ok((self.form)(&signature))
    }
}

#[test]
fn a_signature_is_checked_before_the_token_leaves() {
    let key = Key::new();
    let raw = |signature: &Es256Signature| DeviceSignature::Raw(signature.as_raw().to_vec());
    let short = |signature: &Es256Signature| DeviceSignature::Raw(signature.as_raw()[1..].to_vec());
    let not_der = |signature: &Es256Signature| DeviceSignature::Der(signature.as_raw().to_vec());
    for broken in [
        Broken {
            key: key.clone(),
            claimed: key.public,
            form: raw,
        },
        Broken {
            key: key.clone(),
            claimed: Key::new().public,
            form: raw,
        },
        Broken {
            key: key.clone(),
            claimed: Key::new().public,
            form: short,
        },
        Broken {
            key,
            claimed: Key::new().public,
            form: not_der,
        },
    ] {
        let signed = base().build().unwrap().sign(&RustCrypto, &broken);
        assert_eq!(signed, Err(Reason::SignerFailed));
    }
    let jws = UnsignedJws::new(&json!({"typ": "x"}), &json!({}));
    assert!(jws.sign(&RustCrypto, &Key::new()).is_ok());
}

#[test]
fn the_builder_makes_nothing_that_a_reader_would_refuse() {
    let built = |builder: PassportBuilder| builder.build().map(|_| ());
    let dests = |tn, uri| PassportBuilder::base(&orig(), Destinations { tn, uri }, NOW, &x5u());
    assert_eq!(built(dests(vec![], vec![])), Err(Reason::MalformedDest));
    assert_eq!(
        built(dests(vec![], vec!["x y".into()])),
        Err(Reason::MalformedDest)
    );
    let many = (100..165).map(|n| tn(&n.to_string())).collect();
    assert_eq!(built(dests(many, vec![])), Err(Reason::TooDeep));
    let uri = Identity::Uri("alice".to_owned());
    let builder = PassportBuilder::base(&uri, dest(), NOW, &x5u());
    assert_eq!(built(builder), Err(Reason::MalformedOrig));
    let shaken = PassportBuilder::shaken(&orig(), dest(), NOW, &x5u(), Attestation::Full, "ref");
    assert_eq!(built(shaken), Err(Reason::MalformedOrigid));
    assert_eq!(
        built(base().claim("é", json!(1))),
        Err(Reason::MalformedClaims)
    );
    assert_eq!(
        built(base().claim("iat", json!("1"))),
        Err(Reason::IatNotNumber)
    );
    assert_eq!(
        built(base().claim("x", json!("y".repeat(13_000)))),
        Err(Reason::TooLong)
    );
    let deep = json!([[[[[[[[1]]]]]]]]);
    assert_eq!(built(base().claim("x", deep)), Err(Reason::TooDeep));
    assert_eq!(
        built(base().claim("x", json!({"b": [1], "a": "é"}))),
        Ok(())
    );
}

#[test]
fn the_builder_sorts_dest_and_drops_repeats() {
    let dest = Destinations {
        tn: ["9", "10", "9"].map(tn).to_vec(),
        uri: ["sip:b@x", "sip:a@x"].map(str::to_owned).to_vec(),
    };
    let text = PassportBuilder::base(&orig(), dest, NOW, &x5u())
        .build()
        .unwrap()
        .sign(&RustCrypto, &Key::new())
        .unwrap();
    let passport = Passport::parse(&text).unwrap();
    assert_eq!(passport.claims().dest().tn, ["10", "9"].map(tn));
    assert_eq!(passport.claims().dest().uri, ["sip:a@x", "sip:b@x"]);
}
