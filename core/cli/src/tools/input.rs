//! Files that the tools read: within limits, as PEM or DER.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use ringtrue::{P256PublicKey, Reason};
use ringtrue_stir::certificate::{Certificate, CertificateBag, TrustAnchors};
use zeroize::Zeroizing;

use crate::exit::Failure;

/// The largest file that is read. A list of approved roots is below it, and so is every token.
pub(crate) const MAX_FILE_OCTETS: usize = 1 << 20;

/// Reads a file of at most 1 MiB.
pub(crate) fn octets(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |error| Failure::File {
        path: path.to_owned(),
        error,
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut octets = Zeroizing::new(Vec::new());
    // One more than allowed shows that there is more.
    let limit = u64::try_from(MAX_FILE_OCTETS).unwrap_or(u64::MAX);
    file.take(limit.saturating_add(1))
        .read_to_end(&mut octets)
        .map_err(failed)?;
    if octets.len() > MAX_FILE_OCTETS {
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
    let octets = octets(path)?;
    let key = if is_der(&octets) {
        P256PublicKey::from_spki_der(&octets)
    } else {
        pem_block(&octets, "PUBLIC KEY").and_then(|der| P256PublicKey::from_spki_der(&der))
    };
    key.map_err(Failure::of("--public-key"))
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
    octets.first() == Some(&0x30) && octets.get(1).is_some_and(|len| *len >= 0x80)
}
