//! Signatures of authorities that are not ES256: both providers agree on ECDSA, and RSA is the fast
//! one's alone (CRT-75).
#![cfg(test)]

use std::fs::read_to_string;
use std::path::PathBuf;
use std::time::Duration;

use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::certificate::{
    Authority, CertificateBag, PathRules, Profile, TrustAnchors, verify_path,
};
use ringtrue_stir::crypto::{CryptoProvider, IssuerCurve, IssuerDigest, IssuerEcdsa, RustCrypto};
use ringtrue_stir::{Reason, TelephoneNumber};

fn vector(file: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    read_to_string(folder.join(file)).unwrap()
}

/// A time at which the leaf of `chain` is valid, and what it is worth then.
fn outcome(
    provider: &dyn CryptoProvider,
    chain: &str,
    root: &str,
    rules: PathRules<'_>,
) -> Result<Authority, Reason> {
    let bag = CertificateBag::from_pem(chain).unwrap();
    let anchors = TrustAnchors::from_pem(root).unwrap();
    let leaf = &bag.certificates()[0];
    let at = leaf.not_before().plus(Duration::from_secs(3600));
    let number = TelephoneNumber::from_canonical("12155550121").unwrap();
    verify_path(provider, leaf, &bag, &anchors, at, rules).map(|path| path.covers(&number))
}

#[test]
fn both_providers_accept_the_live_chains() {
    let pem_end = "-----END CERTIFICATE-----";
    for (ca, spc) in [
        ("CTIA", "583J"),
        ("Comcast", "318J"),
        ("GBSDTech", "2159"),
        ("Martini_Security", "683G"),
        ("NetNumber", "490J"),
        ("Peeringhub", "132L"),
        ("Sansay", "089K"),
        ("TransNexus", "177K"),
    ] {
        let chain = vector(&format!("stir-shaken-pki-live/chains/{ca}.pem"));
        let blocks: Vec<_> = chain.trim_end().split_inclusive(pem_end).collect();
        let root = blocks
            .iter()
            .rfind(|block| block.contains(pem_end))
            .unwrap();
        for provider in [&AwsLcCrypto as &dyn CryptoProvider, &RustCrypto] {
            let outcome = outcome(provider, &chain, root, PathRules::new(Profile::Shaken));
            assert_eq!(outcome, Ok(Authority::BySpc(spc.to_owned())), "{ca}");
        }
    }
}

#[test]
fn an_rsa_root_counts_where_the_rules_and_the_provider_allow_it() {
    let judge = |provider: &dyn CryptoProvider, leaf: &str, root: &str, on| {
        let mut rules = PathRules::new(Profile::Stir);
        rules.rsa_ca_links = on;
        let (leaf, root) = (
            format!("rsa-root/{leaf}.pem"),
            format!("rsa-root/{root}.pem"),
        );
        outcome(provider, &vector(&leaf), &vector(&root), rules)
    };
    let good = judge(&AwsLcCrypto, "leaf-2048", "root-2048", true);
    assert_eq!(good, Ok(Authority::BySpc("709J".to_owned())));
    let unsupported = Err(Reason::UnsupportedCertificateKey);
    assert_eq!(
        judge(&AwsLcCrypto, "leaf-2048", "root-2048", false),
        unsupported
    );
    assert_eq!(
        judge(&RustCrypto, "leaf-2048", "root-2048", true),
        unsupported
    );
    assert_eq!(
        judge(&AwsLcCrypto, "leaf-2048-sha512", "root-2048", true),
        unsupported
    );
    let too_short = judge(&AwsLcCrypto, "leaf-1024", "root-1024", true);
    assert_eq!(too_short, Err(Reason::NoPathToAnchor));
}

#[test]
fn both_providers_refuse_other_encodings_of_keys_and_signatures() {
    let algorithms = [
        (IssuerCurve::P256, 65),
        (IssuerCurve::P384, 97),
        (IssuerCurve::P521, 133),
    ];
    let digests = [
        IssuerDigest::Sha256,
        IssuerDigest::Sha384,
        IssuerDigest::Sha512,
    ];
    for (curve, len) in algorithms {
        for digest in digests {
            let algorithm = IssuerEcdsa { curve, digest };
            for provider in [&AwsLcCrypto as &dyn CryptoProvider, &RustCrypto] {
                let mut compressed = vec![2; usize::div_ceil(len, 2)];
                compressed[1..].fill(0);
                for point in [&[][..], &vec![4; len], &vec![0; len], &compressed] {
                    for signature in [&[][..], &[0x30, 6, 2, 1, 1, 2, 1, 1], &[0x30, 0x80]] {
                        let verified =
                            provider.verify_issuer_ecdsa(algorithm, point, b"x", signature);
                        assert_eq!(verified, Some(false), "{algorithm:?}");
                    }
                }
            }
        }
    }
    for spki in [&[][..], &[0x30, 0], &[0; 300]] {
        assert_eq!(AwsLcCrypto.verify_rs256(spki, b"x", &[1; 256]), Some(false));
        assert_eq!(RustCrypto.verify_rs256(spki, b"x", &[1; 256]), None);
    }
}
