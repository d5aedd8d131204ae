//! Lists that decide about certificates: revocations, timestamps, constraints, bundles; and requests.

use ringtrue_stir::certificate::sct::SctList;
use ringtrue_stir::certificate::{Certificate, CertificateRequest, RevocationList};
use ringtrue_stir::crypto::RustCrypto;
use ringtrue_stir::trust_bundle::TrustBundle;
use ringtrue_stir::{UnixTime, base64url, json};

use super::any_signature::{AnySignature, POINT, SIGNATURE, a_key};

pub(super) fn crl(octets: &[u8]) {
    let Ok(list) = RevocationList::parse(octets) else {
        return;
    };
    // PEM has other octets than what is inside; the inside reads the same.
    let again = RevocationList::parse(list.der()).map(|again| again.len());
    assert_eq!(again, Ok(list.len()), "the list is kept");
}

pub(super) fn sct_list(octets: &[u8]) {
    let Ok(list) = SctList::decode(octets) else {
        return;
    };
    if list.unsupported() == 0 {
        assert_eq!(list.encode(), octets, "one spelling");
    }
}

pub(super) fn certificate_request(octets: &[u8]) {
    if let Ok(request) = CertificateRequest::from_der(&AnySignature, octets) {
        assert_eq!(request.der(), octets, "a request is kept as received");
        let again = CertificateRequest::from_pem(&AnySignature, &request.to_pem());
        assert!(
            again.is_ok_and(|again| again.der() == octets),
            "PEM holds it"
        );
        // One that really is by its key is rare here, and not checked again below.
        let _ = CertificateRequest::from_der(&RustCrypto, octets);
    }
}

/// The first octet chooses the extension, then its value up to the length in the next two, then the
/// claims of a token.
pub(super) fn constraints(octets: &[u8]) {
    let [kind, high, low, rest @ ..] = octets else {
        return;
    };
    let len = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
    let (value, claims) = rest.split_at(len);
    let name: u8 = if kind % 2 == 0 { 27 } else { 33 };
    let Ok(certificate) = Certificate::from_der(certificate_with(name, value)) else {
        return;
    };
    let Some(constraints) = certificate.claim_constraints() else {
        return;
    };
    if let Ok(claims) = json::parse(claims, 64 * 1024)
        && constraints.check(&claims).is_ok()
    {
        let present = |name: &String| claims.get(name).is_some();
        assert!(constraints.must_include().iter().all(present));
        assert!(!constraints.must_exclude().iter().any(present));
    }
}

pub(super) fn trust_bundle(octets: &[u8]) {
    let header = base64url::encode(br#"{"alg":"ES256","typ":"ringtrue-bundle+jwt"}"#);
    let text = format!("{header}.{}.{SIGNATURE}", base64url::encode(octets));
    let now = UnixTime::from_secs(1_800_000_000);
    let Ok(bundle) = TrustBundle::verify(&text, &[a_key()], &AnySignature, now, None) else {
        return;
    };
    assert!(bundle.expires_at() > now, "in its time");
    assert!(!bundle.anchors().certificates().is_empty(), "anchors");
    let version = bundle.version();
    let again = TrustBundle::verify(&text, &[a_key()], &AnySignature, now, Some(version));
    assert!(again.is_ok(), "the same bundle is no rollback");
}

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut octets = vec![tag];
    if let Ok(short) = u8::try_from(content.len())
        && short < 0x80
    {
        octets.push(short);
    } else {
        let len = u32::try_from(content.len())
            .unwrap_or(u32::MAX)
            .to_be_bytes();
        let significant: Vec<u8> = len.into_iter().skip_while(|octet| *octet == 0).collect();
        octets.push(u8::try_from(significant.len()).unwrap_or(4) | 0x80);
        octets.extend(significant);
    }
    octets.extend(content);
    octets
}

/// An end entity with one extension of id-pe, its value as given.
fn certificate_with(extension: u8, value: &[u8]) -> Vec<u8> {
    let oid = |content: &[u8]| der(0x06, &[content]);
    let algorithm = der(0x30, &[&oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])]);
    let common_name = der(0x30, &[&oid(&[0x55, 4, 3]), &der(0x0c, &[b"a"])]);
    let name = der(0x30, &[&der(0x31, &[&common_name])]);
    let time = der(0x17, &[b"260101000000Z"]);
    let curve = [
        oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]),
        oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]),
    ];
    let key = der(
        0x30,
        &[
            &der(0x30, &[&curve.concat()]),
            &der(0x03, &[&[0], POINT.as_slice()]),
        ],
    );
    let id = oid(&[0x2b, 6, 1, 5, 5, 7, 1, extension]);
    let extensions = der(0x30, &[&der(0x30, &[&id, &der(0x04, &[value])])]);
    let tbs = der(
        0x30,
        &[
            &der(0xa0, &[&der(0x02, &[&[2]])]),
            &der(0x02, &[&[1]]),
            &algorithm,
            &name,
            &der(0x30, &[&time, &time]),
            &name,
            &key,
            &der(0xa3, &[&extensions]),
        ],
    );
    // Two scalars of 1.
    let signature = der(0x03, &[&[0, 0x30, 6, 2, 1, 1, 2, 1, 1]]);
    der(0x30, &[&tbs, &algorithm, &signature])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_around_the_constraints_is_read() {
        let must_include = [0x30, 8, 0xa0, 6, 0x30, 4, 0x16, 2, b'h', b'i'];
        for extension in [27, 33] {
            let der = certificate_with(extension, &must_include);
            let certificate = Certificate::from_der(der).unwrap();
            let constraints = certificate.claim_constraints().unwrap();
            assert_eq!(constraints.must_include(), ["hi"]);
        }
    }
}
