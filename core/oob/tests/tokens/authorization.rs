//! Who may ask for tokens: the bearer token of a STIR credential.

use ringtrue_lab::{Authority, Credential, LeafSpec};
use ringtrue_oob::token::IssuerName;
use ringtrue_oob::token::issuance::{Authorization, AuthorizationDraft, VerifyAuthorization};
use ringtrue_stir::certificate::{Profile, TrustAnchors};
use ringtrue_stir::crypto::{CryptoProvider as _, RustCrypto};
use ringtrue_stir::jws::UnsignedJws;
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime, base64url};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::issuer;

const NOW: u64 = 1_800_000_000;
const NUMBER: &str = "12025550143";
const BODY: &[u8] = b"request";

fn number(text: &str) -> TelephoneNumber {
    TelephoneNumber::from_canonical(text).unwrap()
}

struct World {
    anchors: TrustAnchors,
    credential: Credential,
}

impl World {
    fn new() -> Self {
        Self::with_scope(vec![Entry::One(number(NUMBER))])
    }

    fn with_scope(entries: Vec<Entry>) -> Self {
        let at = UnixTime::from_secs(NOW);
        let scope = TnAuthList::new(entries).unwrap();
        let authority = Authority::for_scope(scope.clone(), at).unwrap();
        Self {
            anchors: authority.anchors().unwrap(),
            credential: authority
                .issue(&LeafSpec::for_scope(Some(scope), at))
                .unwrap(),
        }
    }

    fn header(&self) -> Value {
        let x5c = self.credential.bag().unwrap().to_x5c();
        json!({"typ": "stir-token-req+jwt", "x5c": x5c})
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let unsigned = UnsignedJws::new(header, claims);
        let input = unsigned.signing_input().as_bytes().to_vec();
        let signature = RustCrypto
            .sign_es256(&self.credential.secret, &input)
            .unwrap();
        let bag = self.credential.bag().unwrap();
        let key = *bag.certificates()[0].public_key().unwrap();
        unsigned.complete(&RustCrypto, &key, &signature).unwrap()
    }

    fn verify_at(&self, text: &str, issuer: &IssuerName, at: u64) -> Result<Authorization, Reason> {
        Authorization::verify(
            text,
            &VerifyAuthorization {
                provider: &RustCrypto,
                anchors: &self.anchors,
                rules: Profile::Stir.into(),
                issuer,
                body: BODY,
                now: UnixTime::from_secs(at),
            },
        )
    }

    fn verify(&self, text: &str) -> Result<Authorization, Reason> {
        self.verify_at(text, &issuer(), NOW)
    }

    fn verify_claims(&self, claims: &Value) -> Result<Authorization, Reason> {
        self.verify(&self.sign(&self.header(), claims))
    }
}

fn claims() -> Value {
    json!({
        "iss": NUMBER,
        "sub": NUMBER,
        "aud": "issuer.example.com",
        "iat": NOW,
        "exp": NOW + 60,
        "jti": "AAAAAAAAAAAAAAAAAAAAAA",
        "action": "token",
        "rqd": base64url::encode(&Sha256::digest(BODY)),
    })
}

#[test]
fn what_an_endpoint_builds_is_what_an_issuer_takes() {
    let world = World::new();
    let bag = world.credential.bag().unwrap();
    let build = || {
        AuthorizationDraft {
            issuer: &issuer(),
            number: &number(NUMBER),
            now: UnixTime::from_secs(NOW),
            body: BODY,
        }
        .build(&RustCrypto, &bag)
        .unwrap()
    };
    let unsigned = build();
    let input = unsigned.signing_input().as_bytes().to_vec();
    let signature = RustCrypto
        .sign_es256(&world.credential.secret, &input)
        .unwrap();
    let key = *bag.certificates()[0].public_key().unwrap();
    let other = build();
    assert!(
        other.signing_input().as_bytes() != input,
        "a jti of its own"
    );
    let wrong = other.complete(&RustCrypto, &key, &signature);
    assert_eq!(wrong.err(), Some(Reason::SignerFailed));
    let text = unsigned.complete(&RustCrypto, &key, &signature).unwrap();
    let taken = world.verify(&text).unwrap();
    assert_eq!(taken.subject(), NUMBER);
    assert_eq!(taken.expires().as_secs(), NOW + 60);
    assert_eq!(taken.jti().len(), 22);
    assert_eq!(format!("{taken:?}"), "Authorization(..)");
}

#[test]
fn every_claim_counts() {
    let world = World::new();
    assert!(world.verify_claims(&claims()).is_ok());
    let wrong = [
        ("iss", json!("")),
        ("iss", json!(1)),
        ("sub", json!("")),
        ("sub", json!(12_025_550_143_u64)),
        ("sub", json!("1".repeat(16))),
        ("aud", json!("other.example.com")),
        ("aud", json!(["issuer.example.com"])),
        ("aud", json!("ISSUER.example.com")),
        ("aud", json!("https://issuer.example.com")),
        ("iat", json!(NOW + 1)),
        ("iat", json!(NOW + 60)),
        ("iat", json!("now")),
        ("exp", json!(NOW)),
        ("exp", json!(NOW + 61)),
        ("exp", json!(-1)),
        ("jti", json!("")),
        ("jti", json!("x".repeat(129))),
        ("action", json!("retrieve")),
        ("action", json!("Token")),
        ("rqd", json!(base64url::encode(&Sha256::digest(b"other")))),
        ("rqd", json!(base64url::encode(&[0; 32]))),
    ];
    for (name, value) in wrong {
        let mut changed = claims();
        changed[name] = value.clone();
        // A later iat shortens the life and is refused by the clock alone.
        let outcome = world
            .verify_claims(&changed)
            .map(|taken| taken.jti().to_owned());
        if (name, &value) == ("iat", &json!(NOW + 1)) {
            assert!(outcome.is_ok());
            continue;
        }
        assert_eq!(
            outcome,
            Err(Reason::MalformedTokenRequest),
            "{name} {value}"
        );
    }
    for name in ["iss", "sub", "aud", "iat", "exp", "jti", "action", "rqd"] {
        let mut changed = claims();
        changed.as_object_mut().unwrap().remove(name);
        let refused = world.verify_claims(&changed).err();
        assert_eq!(refused, Some(Reason::MalformedTokenRequest), "{name}");
    }
}

#[test]
fn it_holds_for_its_minute() {
    let world = World::new();
    let text = world.sign(&world.header(), &claims());
    let at = |now| world.verify_at(&text, &issuer(), now).err();
    assert_eq!(at(NOW + 59), None);
    assert_eq!(at(NOW + 60), Some(Reason::IatStale));
    assert_eq!(at(NOW - 60), None);
    let mut early = claims();
    early["iat"] = json!(NOW + 61);
    early["exp"] = json!(NOW + 62);
    assert_eq!(world.verify_claims(&early).err(), Some(Reason::IatInFuture));
}

#[test]
fn the_header_says_what_it_is_and_who_signed() {
    let world = World::new();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut header = world.header();
        change(&mut header);
        world.verify(&world.sign(&header, &claims())).err()
    };
    assert_eq!(with(&|_| {}), None);
    for typ in ["passport", "stir-eks+jwt", "JWT", ""] {
        let refused = with(&|header| header["typ"] = json!(typ));
        assert_eq!(refused, Some(Reason::TypeMismatch), "{typ}");
    }
    let without = with(&|header| drop(header.as_object_mut().unwrap().remove("x5c")));
    assert_eq!(without, Some(Reason::CredentialUnavailable));
    let nobody = with(&|header| header["x5c"] = json!([]));
    assert_eq!(nobody, Some(Reason::MalformedCertificate));
    // Another credential's certificates: its key did not sign.
    let other = World::new().credential.bag().unwrap().to_x5c();
    let foreign = with(&|header| header["x5c"] = json!(other));
    assert_eq!(foreign, Some(Reason::SignatureInvalid));
    let long = with(&|header| header["pad"] = json!("x".repeat(16 * 1024)));
    assert_eq!(long, Some(Reason::TooLong));
}

#[test]
fn a_credential_asks_for_itself_alone() {
    let world = World::new();
    let mut other = claims();
    other["sub"] = json!("12025550144");
    assert_eq!(
        world.verify_claims(&other).err(),
        Some(Reason::NumberNotCovered)
    );
    let mut odd = claims();
    odd["sub"] = json!("alice");
    assert_eq!(
        world.verify_claims(&odd).err(),
        Some(Reason::NumberNotCovered)
    );
    // A stranger's hierarchy.
    let stranger = World::new();
    let text = stranger.sign(&stranger.header(), &claims());
    let refused = world.verify(&text).err();
    assert_eq!(refused, Some(Reason::NoPathToAnchor));
}

/// Gateways without a number credential ask in the name of their provider code.
#[test]
fn a_provider_asks_in_the_name_of_its_code() {
    let world = World::with_scope(vec![Entry::Spc("709J".into())]);
    let mut of_code = claims();
    of_code["sub"] = json!("709J");
    let taken = world.verify_claims(&of_code).unwrap();
    assert_eq!(taken.subject(), "709J");
    of_code["sub"] = json!("709K");
    assert_eq!(
        world.verify_claims(&of_code).err(),
        Some(Reason::NumberNotCovered)
    );
    assert_eq!(
        world.verify_claims(&claims()).err(),
        Some(Reason::AuthorityBySpc)
    );
}

#[test]
fn an_authorization_for_one_issuer_is_nothing_to_another() {
    let world = World::new();
    let text = world.sign(&world.header(), &claims());
    let other = IssuerName::parse("other.example.com").unwrap();
    let refused = world.verify_at(&text, &other, NOW).err();
    assert_eq!(refused, Some(Reason::MalformedTokenRequest));
}
