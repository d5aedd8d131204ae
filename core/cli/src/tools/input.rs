//! Files that the tools read: within limits, as PEM or DER.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use ringtrue::{P256PublicKey, Reason, SoftwareSigner, UnixTime};
use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::certificate::{
    Certificate, CertificateBag, RevocationList, TrustAnchors, VerifiedRevocationList,
};
use zeroize::Zeroizing;

use crate::exit::Failure;

/// The largest file that is read. A list of approved roots is below it, and so is every token.
pub(crate) const MAX_FILE_OCTETS: usize = 1 << 20;

/// The largest revocation list, as PEM: the library reads no larger one.
const MAX_CRL_FILE_OCTETS: usize = 6 << 20;

/// How DER of everything read here begins.
const DER_SEQUENCE: u8 = 0x30;

/// The most certificates that are shown: more than any list of approved roots has.
const MAX_SHOWN: usize = 256;

/// Reads a file of at most 1 MiB.
pub(crate) fn octets(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    octets_up_to(path, MAX_FILE_OCTETS)
}

/// Reads a file of at most `most` octets.
fn octets_up_to(path: &Path, most: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |error| Failure::File {
        path: path.to_owned(),
        error,
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut octets = Zeroizing::new(Vec::new());
    // One more than allowed shows that there is more.
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    file.take(limit.saturating_add(1))
        .read_to_end(&mut octets)
        .map_err(failed)?;
    if octets.len() > most {
        return Err(Failure::of("a file is too large")(Reason::TooLong));
    }
    Ok(octets)
}

/// Reads a token. What is no text becomes one that no reader accepts.
pub(crate) fn token(path: &Path) -> Result<String, Failure> {
    let octets = octets(path)?;
    Ok(String::from_utf8_lossy(&octets).trim_ascii().to_owned())
}

/// Reads a chain. A chain comes with a token, so a damaged one is a finding and no failure.
pub(crate) fn chain(path: &Path) -> Result<Result<CertificateBag, Reason>, Failure> {
    let octets = octets(path)?;
    Ok(if is_der(&octets) {
        Certificate::from_der(octets.to_vec())
            .and_then(|certificate| CertificateBag::from_certificates(vec![certificate]))
    } else {
        pem_text(&octets).and_then(CertificateBag::from_pem)
    })
}

/// Reads certificates one by one, so that a damaged one does not hide the others.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Result<Certificate, Reason>>, Failure> {
    let octets = octets(path)?;
    if is_der(&octets) {
        return Ok(vec![Certificate::from_der(octets.to_vec())]);
    }
    let damaged = || Ok(vec![Err(Reason::MalformedPem)]);
    let Ok(text) = pem_text(&octets) else {
        return damaged();
    };
    let begun = text.matches("-----BEGIN ").count();
    if begun > MAX_SHOWN {
        return Ok(vec![Err(Reason::TooManyCertificates)]);
    }
    let Ok(blocks) = pem::parse_many(text) else {
        return damaged();
    };
    // The reader stops at what it does not understand; the count shows it.
    if blocks.is_empty() || blocks.len() != begun {
        return damaged();
    }
    let certificate = |block: pem::Pem| {
        if block.tag() != "CERTIFICATE" {
            return Err(Reason::MalformedPem);
        }
        Certificate::from_der(block.into_contents())
    };
    Ok(blocks.into_iter().map(certificate).collect())
}

/// Reads revocation lists and checks them against their issuers. The inner error is what is wrong with
/// a list.
pub(crate) fn revocation_lists(
    crls: &[PathBuf],
    issuers: &[PathBuf],
    at: UnixTime,
) -> Result<Result<Vec<VerifiedRevocationList>, Reason>, Failure> {
    let mut trusted = Vec::new();
    for path in issuers {
        for issuer in certificates(path)? {
            trusted.push(issuer.map_err(Failure::of("--crl-issuer"))?);
        }
    }
    let mut lists = Vec::new();
    for path in crls {
        let octets = octets_up_to(path, MAX_CRL_FILE_OCTETS)?;
        let list = match RevocationList::parse(&octets) {
            Ok(list) => list,
            Err(reason) => return Ok(Err(reason)),
        };
        let mut verified = Err(Reason::CrlUntrusted);
        for issuer in &trusted {
            verified = verified.or_else(|_| list.verify(&AwsLcCrypto, issuer, at));
        }
        match verified {
            Ok(list) => lists.push(list),
            Err(reason) => return Ok(Err(reason)),
        }
    }
    Ok(Ok(lists))
}

/// Reads anchors.
pub(crate) fn anchors(paths: &[PathBuf]) -> Result<TrustAnchors, Failure> {
    let mut anchors = TrustAnchors::new();
    for path in paths {
        let octets = octets(path)?;
        add_anchors(&mut anchors, &octets).map_err(Failure::of("--anchor"))?;
    }
    Ok(anchors)
}

fn add_anchors(anchors: &mut TrustAnchors, octets: &[u8]) -> Result<(), Reason> {
    if is_der(octets) {
        return anchors.add(Certificate::from_der(octets.to_vec())?);
    }
    for root in TrustAnchors::from_pem(pem_text(octets)?)?.certificates() {
        anchors.add(root.clone())?;
    }
    Ok(())
}

/// Reads a SubjectPublicKeyInfo.
pub(crate) fn public_key(path: &Path) -> Result<P256PublicKey, Failure> {
    let der = spki(path)?;
    P256PublicKey::from_spki_der(&der).map_err(Failure::of("--public-key"))
}

/// Reads the DER of a SubjectPublicKeyInfo of any algorithm.
pub(crate) fn spki(path: &Path) -> Result<Vec<u8>, Failure> {
    let octets = octets(path)?;
    // The key of the one curve that signs tokens is short, so that its length octet says nothing.
    if octets.first() == Some(&DER_SEQUENCE) {
        return Ok(octets.to_vec());
    }
    pem_block(&octets, "PUBLIC KEY").map_err(Failure::of("a public key"))
}

/// Reads a private key.
pub(crate) fn signer(path: &Path) -> Result<SoftwareSigner, Failure> {
    let key = octets(path)?;
    std::str::from_utf8(&key)
        .map_err(|_| Reason::MalformedPem)
        .and_then(SoftwareSigner::from_pkcs8_pem)
        .map_err(Failure::of("--key"))
}

/// The content of the one PEM block of a file.
fn pem_block(octets: &[u8], label: &str) -> Result<Vec<u8>, Reason> {
    let block = pem::parse(pem_text(octets)?).map_err(|_| Reason::MalformedPem)?;
    if block.tag() == label {
        Ok(block.into_contents())
    } else {
        Err(Reason::MalformedPem)
    }
}

fn pem_text(octets: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(octets).map_err(|_| Reason::MalformedPem)
}

/// Whether this is a DER SEQUENCE: text does not begin so, a digit zero would.
fn is_der(octets: &[u8]) -> bool {
    octets.first() == Some(&DER_SEQUENCE) && octets.get(1).is_some_and(|len| *len >= 0x80)
}
