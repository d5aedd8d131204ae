mod form;

use core::time::Duration;

use ringtrue_lab::{Authority, Credential, LeafSpec, Validity};
use ringtrue_stir::certificate::{Certificate, CertificateBag, Profile, TrustAnchors};
use ringtrue_stir::crypto::{
    CryptoProvider as _, Curve, DeviceSignature, P256PublicKey, RustCrypto, SecretKey, Signer,
};
use ringtrue_stir::jws::UnsignedJws;
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime, X5u, base64url};
use serde_json::{Value, json};

use super::{KeyStatement, SignedStatement, StatementDraft, VerifiedStatement, VerifyStatement};
use crate::http::problem::Problem;
use crate::{BaseUrl, RecipientKey, StatementDigest, Suite};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn number(text: &str) -> TelephoneNumber {
    TelephoneNumber::from_canonical(text).unwrap()
}

fn own() -> TelephoneNumber {
    number("12025550143")
}

/// An authority, one endpoint's credential, and a draft that verifies.
struct World {
    anchors: TrustAnchors,
    authority: Authority,
    credential: Credential,
    bag: CertificateBag,
    draft: StatementDraft,
}

struct SoftSigner(SecretKey);

impl Signer for SoftSigner {
    fn public_key(&self) -> P256PublicKey {
        let public = RustCrypto.public_key(Curve::P256, &self.0).unwrap();
        P256PublicKey::from_sec1(&public).unwrap()
    }

    fn sign(&self, message: &[u8], _: &[u8; 32]) -> Result<DeviceSignature, Reason> {
        let signature = RustCrypto.sign_es256(&self.0, message)?;
        Ok(DeviceSignature::Raw(signature.as_raw().to_vec()))
    }
}

fn key(suite: Suite) -> RecipientKey {
    crate::generate_key(&RustCrypto, suite).unwrap().1
}

impl World {
    fn new() -> Self {
        let authority = Authority::for_numbers(&[own()], NOW).unwrap();
        let credential = authority.issue_number(&own(), NOW).unwrap();
        Self {
            anchors: authority.anchors().unwrap(),
            bag: credential.bag().unwrap(),
            draft: StatementDraft {
                iat: NOW,
                exp: NOW.plus(Duration::from_secs(86_400)),
                seq: 7,
                numbers: vec![own()],
                cps: vec![BaseUrl::parse("https://cps.example.com/oob").unwrap()],
                keys: vec![key(Suite::S1), key(Suite::S2)],
                prev: Some(StatementDigest::from_octets([3; 32])),
                tok: Some("issuer.example.com".into()),
            },
            authority,
            credential,
        }
    }

    fn with_leaf(spec: &LeafSpec) -> Self {
        let mut world = Self::new();
        world.credential = world.authority.issue(spec).unwrap();
        world.bag = world.credential.bag().unwrap();
        world
    }

    fn x5u() -> X5u {
        X5u::parse("https://cert.example.com/leaf.pem").unwrap()
    }

    fn sign(&self) -> SignedStatement {
        let signer = SoftSigner(self.credential.secret.clone());
        let unsigned = self.draft.build(&Self::x5u(), &self.bag).unwrap();
        unsigned.sign(&RustCrypto, &signer).unwrap()
    }

    /// Signs any payload under the ordinary directory header.
    fn sign_payload(&self, payload: &Value) -> String {
        self.sign_any(
            &json!({"typ": super::TYP, "x5c": self.bag.to_x5c()}),
            payload,
        )
    }

    fn sign_any(&self, header: &Value, payload: &Value) -> String {
        let signer = SoftSigner(self.credential.secret.clone());
        UnsignedJws::new(header, payload)
            .sign(&RustCrypto, &signer)
            .unwrap()
    }

    fn payload(&self) -> Value {
        let signed = self.sign();
        let payload = signed.directory.split('.').nth(1).unwrap();
        serde_json::from_slice(&base64url::decode(payload).unwrap()).unwrap()
    }

    fn verify_at(&self, text: &str, now: UnixTime) -> Result<VerifiedStatement, Reason> {
        self.verify_for(text, &own(), now, None)
    }

    fn verify_for(
        &self,
        text: &str,
        number: &TelephoneNumber,
        now: UnixTime,
        bag: Option<&CertificateBag>,
    ) -> Result<VerifiedStatement, Reason> {
        KeyStatement::parse(text)?.verify(&VerifyStatement {
            provider: &RustCrypto,
            anchors: &self.anchors,
            rules: Profile::Delegate.into(),
            number,
            bag,
            now,
        })
    }

    fn outcome(&self, text: &str) -> Result<(), Reason> {
        self.verify_at(text, NOW).map(drop)
    }
}

#[test]
fn both_encodings_verify_and_say_the_same() {
    let world = World::new();
    let signed = world.sign();
    let directory = world.verify_at(&signed.directory, NOW).unwrap();
    let inline = world
        .verify_for(&signed.inline, &own(), NOW, Some(&world.bag))
        .unwrap();
    assert_eq!(
        signed.directory.split('.').nth(1),
        signed.inline.split('.').nth(1)
    );
    assert!(directory.has_x5c() && !inline.has_x5c());
    for statement in [&directory, &inline] {
        assert_eq!(statement.digest(), &signed.digest);
        assert_eq!(statement.x5u(), Some("https://cert.example.com/leaf.pem"));
        assert_eq!(statement.iat(), world.draft.iat);
        assert_eq!(statement.exp(), world.draft.exp);
        assert_eq!(statement.seq(), 7);
        assert_eq!(statement.numbers(), [own()]);
        assert_eq!(statement.cps(), world.draft.cps);
        assert_eq!(statement.keys(), world.draft.keys);
        assert_eq!(statement.prev(), world.draft.prev.as_ref());
        assert_eq!(statement.tok(), Some("issuer.example.com"));
        let leaf = world.bag.certificates().first().unwrap();
        assert_eq!(statement.signer(), &leaf.spki_digest());
    }
    assert_eq!(directory.text(), signed.directory);
    assert_eq!(format!("{directory:?}"), "VerifiedStatement(..)");
    assert!(!format!("{:?}", world.draft).contains("12025550143"));
}

#[test]
fn the_inline_encoding_needs_certificates_from_elsewhere() {
    let world = World::new();
    let inline = world.sign().inline;
    assert_eq!(world.outcome(&inline), Err(Reason::CredentialUnavailable));
    // A header's own certificates are not replaced by others, even if those would do (W-1).
    let other = world.authority.issue_number(&own(), NOW).unwrap();
    let header = json!({"typ": super::TYP, "x5c": other.bag().unwrap().to_x5c()});
    let text = world.sign_any(&header, &world.payload());
    assert_eq!(
        world
            .verify_for(&text, &own(), NOW, Some(&world.bag))
            .map(drop),
        Err(Reason::SignatureInvalid)
    );
}

#[test]
fn changed_or_foreign_signatures_are_refused() {
    let world = World::new();
    let text = world.sign().directory;
    let (rest, signature) = text.rsplit_once('.').unwrap();
    let mut octets = base64url::decode(signature).unwrap();
    octets[40] ^= 1;
    let tampered = format!("{rest}.{}", base64url::encode(&octets));
    assert_eq!(world.outcome(&tampered), Err(Reason::SignatureInvalid));

    let mut payload = world.payload();
    payload["seq"] = json!(8);
    let parts: Vec<&str> = text.split('.').collect();
    let swapped = format!(
        "{}.{}.{}",
        parts[0],
        base64url::encode(payload.to_string().as_bytes()),
        parts[2]
    );
    assert_eq!(world.outcome(&swapped), Err(Reason::SignatureInvalid));
}

#[test]
fn the_signer_needs_a_path_and_every_number() {
    let world = World::new();
    let text = world.sign().directory;
    let stranger = World::new();
    assert_eq!(stranger.outcome(&text), Err(Reason::NoPathToAnchor));

    let mut world = World::new();
    world.draft.numbers = vec![own(), number("12025550144")];
    let text = world.sign().directory;
    assert_eq!(world.outcome(&text), Err(Reason::NumberNotCovered));

    let world = World::new();
    let text = world.sign().directory;
    let other = number("12025550144");
    assert_eq!(
        world.verify_for(&text, &other, NOW, None).map(drop),
        Err(Reason::StatementNumberMissing)
    );

    let spc = TnAuthList::new(vec![Entry::Spc("1234".into())]).unwrap();
    let world = World::with_leaf(&LeafSpec::for_scope(Some(spc), NOW));
    let refused = world.outcome(&world.sign().directory);
    assert!(
        matches!(
            refused,
            Err(Reason::AuthorityBySpc | Reason::ScopeNotEncompassed)
        ),
        "{refused:?}"
    );
    let world = World::with_leaf(&LeafSpec::for_scope(None, NOW));
    assert_eq!(
        world.outcome(&world.sign().directory),
        Err(Reason::TnAuthListMissing)
    );
    let world = World::with_leaf(&LeafSpec {
        may_sign: false,
        ..LeafSpec::for_number(&own(), NOW)
    });
    assert_eq!(
        world.outcome(&world.sign().directory),
        Err(Reason::KeyUsageMissing)
    );
}

#[test]
fn a_ca_signs_no_statements() {
    let mut world = World::new();
    world.credential = world.authority.intermediate.as_credential().unwrap();
    world.bag = world.credential.bag().unwrap();
    let refused = world.outcome(&world.sign().directory);
    assert!(
        matches!(refused, Err(Reason::SignerIsCa | Reason::SignatureInvalid)),
        "{refused:?}"
    );
}

#[test]
fn times_have_exact_limits() {
    let world = World::new();
    let text = world.sign().directory;
    let at = |now: UnixTime| world.verify_at(&text, now).map(drop);
    let secs = Duration::from_secs;
    assert_eq!(at(NOW.minus(secs(60))), Ok(()));
    assert_eq!(at(NOW.minus(secs(61))), Err(Reason::StatementNotYetValid));
    let exp = world.draft.exp;
    assert_eq!(at(exp.minus(secs(1))), Ok(()));
    assert_eq!(at(exp), Err(Reason::StatementExpired));
}

#[test]
fn a_statement_does_not_outlive_its_certificate() {
    let leaf_ends = NOW.plus(Duration::from_secs(1000));
    let spec = LeafSpec {
        validity: Validity {
            not_before: NOW.minus(Duration::from_secs(1000)),
            not_after: leaf_ends,
        },
        ..LeafSpec::for_number(&own(), NOW)
    };
    let mut world = World::with_leaf(&spec);
    world.draft.exp = leaf_ends;
    assert_eq!(world.outcome(&world.sign().directory), Ok(()));
    world.draft.exp = leaf_ends.plus(Duration::from_secs(1));
    assert_eq!(
        world.outcome(&world.sign().directory),
        Err(Reason::StatementOutlivesCertificate)
    );
    let expired = world.verify_at(
        &world.sign().directory,
        leaf_ends.plus(Duration::from_secs(1)),
    );
    assert_eq!(expired.map(drop), Err(Reason::CertificateExpired));
}

#[test]
fn drafts_that_no_reader_would_accept_are_not_built() {
    let world = World::new();
    let build = |change: &dyn Fn(&mut StatementDraft)| {
        let mut draft = world.draft.clone();
        change(&mut draft);
        draft.build(&World::x5u(), &world.bag).map(drop)
    };
    assert_eq!(build(&|_| ()), Ok(()));
    let changes: [&dyn Fn(&mut StatementDraft); 11] = [
        &|d| d.exp = d.iat,
        &|d| d.exp = d.iat.plus(Duration::from_secs(604_801)),
        &|d| d.numbers.clear(),
        &|d| d.numbers = vec![own(); 65],
        &|d| d.cps.clear(),
        &|d| d.cps = vec![d.cps[0].clone(); 5],
        &|d| d.keys.clear(),
        &|d| d.keys.push(d.keys[0].clone()),
        &|d| d.keys = (0..9).map(|_| key(Suite::S2)).collect(),
        &|d| d.tok = Some(String::new()),
        &|d| d.tok = Some("x".repeat(262)),
    ];
    for change in changes {
        assert_eq!(build(change), Err(Reason::MalformedStatement));
    }
}

#[test]
fn a_signature_of_another_key_does_not_complete() {
    let world = World::new();
    let unsigned = world.draft.build(&World::x5u(), &world.bag).unwrap();
    let signer = SoftSigner(world.credential.secret.clone());
    let sign = |input: &str| {
        RustCrypto
            .sign_es256(&world.credential.secret, input.as_bytes())
            .unwrap()
    };
    let directory = sign(unsigned.directory_signing_input());
    let inline = sign(unsigned.inline_signing_input());
    let key = signer.public_key();
    let swapped = unsigned
        .clone()
        .complete(&RustCrypto, &key, &inline, &directory);
    assert_eq!(swapped, Err(Reason::SignerFailed));
    let other = SoftSigner(RustCrypto.generate(Curve::P256).unwrap().secret).public_key();
    let foreign = unsigned
        .clone()
        .complete(&RustCrypto, &other, &directory, &inline);
    assert_eq!(foreign, Err(Reason::SignerFailed));
    assert!(
        unsigned
            .complete(&RustCrypto, &key, &directory, &inline)
            .is_ok()
    );
}

#[test]
fn every_refusal_has_its_status() {
    for (reason, problem) in [
        (Reason::TooLong, Problem::BodyTooLarge),
        (Reason::MalformedToken, Problem::MalformedStatement),
        (Reason::TypeMismatch, Problem::MalformedStatement),
        (Reason::MalformedKey, Problem::MalformedStatement),
        (Reason::MalformedCertificate, Problem::MalformedStatement),
        (Reason::CredentialUnavailable, Problem::MalformedStatement),
        (Reason::SignatureInvalid, Problem::UntrustedStatement),
        (Reason::StatementExpired, Problem::UntrustedStatement),
        (Reason::NumberNotCovered, Problem::UntrustedStatement),
        (Reason::Internal, Problem::Unavailable),
        (Reason::RandomnessUnavailable, Problem::Unavailable),
    ] {
        assert_eq!(Problem::for_statement(reason), problem, "{reason:?}");
    }
}

#[test]
fn an_anchor_that_is_no_longer_configured_ends_trust() {
    let mut world = World::new();
    let text = world.sign().directory;
    world.anchors = TrustAnchors::new();
    assert_eq!(world.outcome(&text), Err(Reason::NoPathToAnchor));
    let root = Certificate::from_der(world.authority.root.der()).unwrap();
    world.anchors.add(root).unwrap();
    assert_eq!(world.outcome(&text), Ok(()));
}
