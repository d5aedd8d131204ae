//! What the full verification of a `shaken` PASSporT costs beside the bare signature checks it needs,
//! for both providers.
//!
//! `cargo bench -p ringtrue-net`. Both sides of a row use the same provider and are measured in turn,
//! batch by batch, so that a noisy machine disturbs both alike; the ratio is what counts.
//!
//! *Cached*: from the token's text to the report, with the chain as an earlier call left it. The
//! application keeps the [`CertificateBag`] of an `x5u`; its certificates remember that their issuers'
//! signatures held, everything else about the path is checked again (CRT-44). One signature check.
//!
//! *Cold*: the same, and before it the three certificates (signer, intermediate, root) are read from
//! a PEM file. Three signature checks: the token's and two links.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "fixed inputs; a benchmark may stop"
)]
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use ringtrue_lab::Authority;
use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::certificate::{CertificateBag, TrustAnchors};
use ringtrue_stir::crypto::{CryptoProvider, Es256Signature, RustCrypto};
use ringtrue_stir::passport::{Attestation, Destinations, Identity, Passport, PassportBuilder};
use ringtrue_stir::verification::{
    Evidence, ExpectedCall, Report, Verdict, VerificationPolicy, verify,
};
use ringtrue_stir::{TelephoneNumber, UnixTime, X5u, base64url};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const ROUNDS: usize = 200;

/// The time each of two works takes, medians of [`ROUNDS`] batches measured in turn, and the median of
/// their ratios.
fn compare(mut whole: impl FnMut(), mut bare: impl FnMut()) -> (Duration, Duration, f64) {
    const BATCH: u32 = 16;
    let time = |work: &mut dyn FnMut()| {
        let started = Instant::now();
        for _ in 0..BATCH {
            work();
        }
        started.elapsed() / BATCH
    };
    let mut times = Vec::new();
    for round in 0..=ROUNDS {
        let pair = (time(&mut whole), time(&mut bare));
        // The first round warms up.
        if round > 0 {
            times.push((pair.0.as_secs_f64(), pair.1.as_secs_f64()));
        }
    }
    let median = |value: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = times.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    (
        Duration::from_secs_f64(median(|pair| pair.0)),
        Duration::from_secs_f64(median(|pair| pair.1)),
        median(|pair| pair.0 / pair.1),
    )
}

/// One call: the token, the file its `x5u` leads to, and what the verifier is configured with.
struct Case {
    token: String,
    chain_pem: String,
    anchors: TrustAnchors,
    orig: Identity,
    dest: Identity,
}

impl Case {
    fn new() -> Self {
        let number = |text: &str| TelephoneNumber::from_canonical(text).unwrap();
        let (from, to) = (number("12025550143"), number("12025550199"));
        let authority = Authority::for_numbers(&[from.clone(), to.clone()], NOW).unwrap();
        let credential = authority.issue_number(&from, NOW).unwrap();
        let key = *credential.bag().unwrap().certificates()[0]
            .public_key()
            .unwrap();
        let orig = Identity::Tn(from);
        let dest = Identity::Tn(to.clone());
        let x5u = X5u::parse("https://certificates.example.com/12025550143.pem").unwrap();
        let origid = "123e4567-e89b-12d3-a456-426655440000";
        let unsigned = PassportBuilder::shaken(
            &orig,
            Destinations::of(to),
            NOW,
            &x5u,
            Attestation::Full,
            origid,
        )
        .build()
        .unwrap();
        let input = unsigned.signing_input().as_bytes();
        let signature = RustCrypto.sign_es256(&credential.secret, input).unwrap();
        Self {
            token: unsigned.complete(&RustCrypto, &key, &signature).unwrap(),
            chain_pem: format!("{}{}", credential.chain_pem, authority.root.pem()),
            anchors: authority.anchors().unwrap(),
            orig,
            dest,
        }
    }

    fn verify(&self, provider: &dyn CryptoProvider, chain: &CertificateBag) -> Report {
        let mut evidence = Evidence::default();
        evidence.chains = core::slice::from_ref(chain);
        evidence.anchors = Some(&self.anchors);
        let mut call = ExpectedCall::default();
        call.orig = Some(&self.orig);
        call.dest = Some(&self.dest);
        let policy = VerificationPolicy::default();
        verify(provider, &self.token, &evidence, &policy, &call, NOW)
    }

    fn require(&self, provider: &dyn CryptoProvider, chain: &CertificateBag) {
        let report = self.verify(provider, chain);
        assert_eq!(report.verdict, Verdict::Accept, "{:?}", report.reasons);
        black_box(report);
    }
}

fn main() {
    let case = Case::new();
    let chain = CertificateBag::from_pem(&case.chain_pem).unwrap();
    assert_eq!(chain.certificates().len(), 3);
    let key = *chain.certificates()[0].public_key().unwrap();
    let (input, signature) = case.token.rsplit_once('.').unwrap();
    let input = input.as_bytes();
    let signature = base64url::decode(signature).unwrap();
    let signature = Es256Signature::from_raw(&signature).unwrap();

    println!("medians of {ROUNDS} rounds of 16; bare = the signature checks alone");
    for (name, provider) in [
        ("aws-lc", &AwsLcCrypto as &dyn CryptoProvider),
        ("p256", &RustCrypto),
    ] {
        let check = || assert!(provider.verify_es256(&key, input, &signature));
        let print = |what: &str, (whole, bare, ratio): (Duration, Duration, f64)| {
            let (whole, bare) = (whole.as_secs_f64() * 1e6, bare.as_secs_f64() * 1e6);
            println!("{name:6} {what:28} {whole:8.1} µs, bare {bare:8.1} µs, {ratio:.3} times");
        };
        print(
            "verify, cached chain",
            compare(|| case.require(provider, &chain), check),
        );
        print(
            "verify, cold chain of three",
            compare(
                || {
                    let chain = CertificateBag::from_pem(&case.chain_pem).unwrap();
                    case.require(provider, &chain);
                },
                || (0..3).for_each(|_| check()),
            ),
        );
        // Where the difference goes.
        let parse = || drop(black_box(Passport::parse(&case.token).unwrap()));
        print("the token read", compare(parse, check));
        let read = || {
            drop(black_box(
                CertificateBag::from_pem(&case.chain_pem).unwrap(),
            ))
        };
        print("three certificates read", compare(read, check));
    }
}
