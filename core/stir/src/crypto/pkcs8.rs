//! Secret P-256 keys as key files write them: PKCS#8, not encrypted.
//!
//! Read here, because a library for every kind of key weighs more than all that firmware does with one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::SecretKey;
use crate::Reason;
use crate::der::{self, Reader};

/// RFC 7468 section 10.
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// The largest PEM text that is read: a key has some 250 octets, the rest is what tools write around it.
const MAX_PEM_LEN: usize = 4 * 1024;

/// The algorithm: id-ecPublicKey, then the curve, secp256r1 (RFC 5480 section 2.1.1).
const EC_PUBLIC_KEY: [u8; 9] = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

impl SecretKey {
    /// Reads a P-256 key from the first unencrypted PKCS#8 `PRIVATE KEY` block of a PEM text of at most
    /// 4 KiB. The caller overwrites its own copy.
    ///
    /// Source: RFC 5958 section 2, RFC 5915 section 3, RFC 7468 section 10.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedPem`] unless it holds a P-256 key, and its own public key if any.
    pub fn from_pkcs8_pem(text: &str) -> Result<Self, Reason> {
        decoded(text)
            .as_deref()
            .and_then(|der| scalar(der))
            .ok_or(Reason::MalformedPem)
    }
}

/// The octets of the block. Nothing of it is left behind in memory.
fn decoded(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = (text.len() <= MAX_PEM_LEN).then_some(text)?;
    let (_, rest) = text.split_once(BEGIN)?;
    let (body, _) = rest.split_once(END)?;
    let mut digits = Zeroizing::new(Vec::with_capacity(body.len()));
    digits.extend(body.bytes().filter(|octet| !octet.is_ascii_whitespace()));
    let mut der = Zeroizing::new(vec![0; body.len()]);
    let length = STANDARD.decode_slice(digits.as_slice(), &mut der).ok()?;
    der.truncate(length);
    Some(der)
}

/// The secret of a `OneAsymmetricKey`.
fn scalar(der: &[u8]) -> Option<SecretKey> {
    let mut info = Reader::new(der::only(der, der::SEQUENCE)?);
    // 1 if a public key follows, which many tools leave out.
    let version = der::unsigned(info.expect(der::INTEGER)?)?;
    let algorithm = info.expect(der::SEQUENCE)?;
    if version > 1 || algorithm.strip_prefix(&EC_PUBLIC_KEY) != Some(&P256) {
        return None;
    }
    let key = info.expect(der::OCTET_STRING)?;
    // Attributes, public key.
    while let Some((tag, _)) = info.next_if_any()? {
        if tag & !1 != der::context(0) && tag != 0x81 {
            return None;
        }
    }
    ec_private_key(key)
}

/// The secret of an `ECPrivateKey`.
fn ec_private_key(der: &[u8]) -> Option<SecretKey> {
    let mut key = Reader::new(der::only(der, der::SEQUENCE)?);
    let version = der::unsigned(key.expect(der::INTEGER)?)?;
    let secret = SecretKey::from_slice(key.expect(der::OCTET_STRING)?).ok()?;
    // Within the range of scalars.
    let public = p256::SecretKey::from_slice(secret.expose())
        .ok()?
        .public_key();
    while let Some((tag, content)) = key.next_if_any()? {
        let same = if tag == der::context(0) {
            content == P256
        } else if tag == der::context(1) {
            let point = der::only(content, der::BIT_STRING)?.strip_prefix(&[0])?;
            p256::PublicKey::from_sec1_bytes(point).is_ok_and(|named| named == public)
        } else {
            false
        };
        if !same {
            return None;
        }
    }
    (version == 1).then_some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{CryptoProvider as _, Curve, RustCrypto};

    /// The key of RFC 6979 section A.2.5.
    const SECRET: [u8; 32] = [
        0xc9, 0xaf, 0xa9, 0xd8, 0x45, 0xba, 0x75, 0x16, 0x6b, 0x5c, 0x21, 0x57, 0x67, 0xb1, 0xd6,
        0x93, 0x4e, 0x50, 0xc3, 0xdb, 0x36, 0xe8, 0x9b, 0x12, 0x7b, 0x8a, 0x62, 0x2b, 0x12, 0x0f,
        0x67, 0x21,
    ];

    fn secret() -> SecretKey {
        SecretKey::new(SECRET)
    }

    fn public() -> Vec<u8> {
        RustCrypto.public_key(Curve::P256, &secret()).unwrap()
    }

    /// A key file: what stands after the secret, and after the key.
    fn file(secret: &[u8], inner: &[u8], outer: &[u8]) -> Vec<u8> {
        let secret = der::element(der::OCTET_STRING, secret);
        let key = [&[2, 1, 1], secret.as_slice(), inner].concat();
        let key = der::element(der::OCTET_STRING, &der::element(der::SEQUENCE, &key));
        let algorithm = der::element(der::SEQUENCE, &[EC_PUBLIC_KEY.as_slice(), &P256].concat());
        let info = [&[2, 1, 0], algorithm.as_slice(), &key, outer].concat();
        der::element(der::SEQUENCE, &info)
    }

    fn named(point: &[u8]) -> Vec<u8> {
        let bits = der::element(der::BIT_STRING, &[&[0], point].concat());
        der::element(der::context(1), &bits)
    }

    fn pem(der: &[u8]) -> String {
        pem::encode(&pem::Pem::new("PRIVATE KEY", der))
    }

    #[test]
    fn reads_a_key_with_and_without_what_may_be_left_out() {
        let curve = der::element(der::context(0), &P256);
        let compressed = [&[2 + (public()[64] & 1)], &public()[1..33]].concat();
        for der in [
            file(&SECRET, &[], &[]),
            file(&SECRET, &curve, &[]),
            file(&SECRET, &named(&public()), &[]),
            file(&SECRET, &named(&compressed), &[]),
            file(&SECRET, &[curve, named(&public())].concat(), &[0xa0, 0]),
        ] {
            let text = pem(&der);
            assert_eq!(SecretKey::from_pkcs8_pem(&text), Ok(secret()));
            let windows = text.replace('\n', "\r\n");
            let around = format!("Bag Attributes: none\n{windows}\nmore\n");
            assert_eq!(SecretKey::from_pkcs8_pem(&around), Ok(secret()));
        }
    }

    #[test]
    fn refuses_what_is_no_p256_key() {
        let whole = file(&SECRET, &[], &[]);
        let mut other_curve = whole.clone();
        other_curve[25] ^= 1;
        let mut other_version = whole.clone();
        other_version[4] = 2;
        let foreign = RustCrypto.generate(Curve::P256).unwrap().public;
        for der in [
            Vec::new(),
            whole[..whole.len() - 1].to_vec(),
            [whole.as_slice(), &[0]].concat(),
            other_curve,
            other_version,
            file(&SECRET[1..], &[], &[]),
            file(&[0; 32], &[], &[]),
            file(&[0xff; 32], &[], &[]),
            file(&SECRET, &named(&foreign), &[]),
            file(&SECRET, &named(&public()[..64]), &[]),
            file(&SECRET, &der::element(der::context(0), &EC_PUBLIC_KEY), &[]),
            file(&SECRET, &[5, 0], &[]),
            file(&SECRET, &[], &[5, 0]),
        ] {
            let found = SecretKey::from_pkcs8_pem(&pem(&der));
            assert_eq!(found, Err(Reason::MalformedPem), "{der:02x?}");
        }
    }

    #[test]
    fn refuses_what_is_no_block() {
        let text = pem(&file(&SECRET, &[], &[]));
        for text in [
            String::new(),
            "-----END PRIVATE KEY----------BEGIN PRIVATE KEY-----".to_owned(),
            text.replace("PRIVATE", "EC PRIVATE"),
            text.replace("PRIVATE", "ENCRYPTED PRIVATE"),
            text.replace("END", "BEGIN"),
            text.replacen('M', "!", 1),
            text.replacen("\nM", "\nM=", 1),
            format!("{}{text}", " ".repeat(MAX_PEM_LEN)),
        ] {
            let found = SecretKey::from_pkcs8_pem(&text);
            assert_eq!(found, Err(Reason::MalformedPem), "{text}");
        }
    }
}
