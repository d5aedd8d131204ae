//! A certification authority for tests that can also issue what no authority should.

use ringtrue_stir::UnixTime;
use ringtrue_stir::certificate::Certificate;
use ringtrue_stir::crypto::{
    CryptoProvider as _, Curve, DeviceSignature, P256PublicKey, RustCrypto, SecretKey, Signer,
};
use ringtrue_stir::tn_auth_list::{Entry, TnAuthList};

use crate::tn;

/// 2026-01-01T00:00:00Z and a year later: the validity of everything here unless stated.
pub(crate) const NOT_BEFORE: UnixTime = UnixTime::from_secs(1_767_225_600);
pub(crate) const NOT_AFTER: UnixTime = UnixTime::from_secs(1_798_761_600);
/// Some time in between.
pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_780_000_000);

pub(crate) const TN_AUTH_LIST: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 26];
pub(crate) const JWT_CLAIM_CONSTRAINTS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 27];
pub(crate) const ENHANCED_JWT_CLAIM_CONSTRAINTS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 33];
pub(crate) const AUTHORITY_INFO_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
pub(crate) const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x0e];
pub(crate) const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x23];
pub(crate) const PRIME256V1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

pub(crate) fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    match content.len() {
        len @ 0..=0x7f => out.push(u8::try_from(len).unwrap()),
        len @ 0x80..=0xff => out.extend([0x81, u8::try_from(len).unwrap()]),
        len @ 0x100..=0xffff => {
            out.push(0x82);
            out.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            out.push(0x83);
            out.extend(&u32::try_from(len).unwrap().to_be_bytes()[1..]);
        }
    }
    out.extend(content);
    out
}

#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) secret: SecretKey,
    pub(crate) public: P256PublicKey,
}

impl Key {
    pub(crate) fn new() -> Self {
        let key = RustCrypto.generate(Curve::P256).unwrap();
        Self {
            public: P256PublicKey::from_sec1(&key.public).unwrap(),
            secret: key.secret,
        }
    }
}

impl Signer for Key {
    fn public_key(&self) -> P256PublicKey {
        self.public
    }

    fn sign(
        &self,
        message: &[u8],
        _digest: &[u8; 32],
    ) -> Result<DeviceSignature, ringtrue_stir::Reason> {
        let signature = RustCrypto.sign_es256(&self.secret, message)?;
        Ok(DeviceSignature::Raw(signature.as_raw().to_vec()))
    }
}

/// What a certificate will say.
#[derive(Clone)]
pub(crate) struct Template {
    pub(crate) subject: &'static str,
    pub(crate) validity: [&'static str; 2],
    /// `Some`: a CA, with an optional path length.
    pub(crate) ca: Option<Option<u8>>,
    /// The content of the BIT STRING.
    pub(crate) key_usage: Option<Vec<u8>>,
    pub(crate) list: Option<TnAuthList>,
    /// Name, critical, value.
    pub(crate) extensions: Vec<(&'static [u8], bool, Vec<u8>)>,
    pub(crate) null_parameters: bool,
    pub(crate) other_outer_algorithm: bool,
    pub(crate) rsa_key: bool,
}

impl Template {
    pub(crate) fn leaf(entries: &[Entry]) -> Self {
        Self {
            subject: "leaf",
            validity: ["20260101000000Z", "20270101000000Z"],
            ca: None,
            key_usage: Some(vec![7, 0x80]),
            list: (!entries.is_empty()).then(|| TnAuthList::new(entries.to_vec()).unwrap()),
            extensions: vec![],
            null_parameters: false,
            other_outer_algorithm: false,
            rsa_key: false,
        }
    }

    pub(crate) fn ca(subject: &'static str, entries: &[Entry]) -> Self {
        Self {
            subject,
            ca: Some(None),
            key_usage: Some(vec![1, 0x06]),
            ..Self::leaf(entries)
        }
    }

    pub(crate) fn with_extension(
        mut self,
        oid: &'static [u8],
        critical: bool,
        value: &[u8],
    ) -> Self {
        self.extensions.push((oid, critical, value.to_vec()));
        self
    }

    pub(crate) fn expired(mut self) -> Self {
        self.validity = ["20250101000000Z", "20260102000000Z"];
        self
    }

    pub(crate) fn future(mut self) -> Self {
        self.validity = ["20261231000000Z", "20280101000000Z"];
        self
    }

    pub(crate) fn issue(&self, key: &P256PublicKey, issuer: &str, issuer_key: &Key) -> Certificate {
        Certificate::from_der(self.issue_der(key, issuer, issuer_key)).unwrap()
    }

    pub(crate) fn issue_der(&self, key: &P256PublicKey, issuer: &str, issuer_key: &Key) -> Vec<u8> {
        let spki = if self.rsa_key {
            let modulus: &[u8] = &[5];
            rsa_spki(modulus)
        } else {
            ec_spki(PRIME256V1, key.as_sec1())
        };
        let outer = self.null_parameters != self.other_outer_algorithm;
        let algorithms = [
            ecdsa_with_sha256(self.null_parameters),
            ecdsa_with_sha256(outer),
        ];
        self.issue_signed(&spki, issuer, &algorithms, |tbs| es256(issuer_key, tbs))
    }

    /// With any key and any signature; the two algorithms are the signed and the unsigned one.
    pub(crate) fn issue_signed(
        &self,
        spki: &[u8],
        issuer: &str,
        algorithms: &[Vec<u8>; 2],
        sign: impl FnOnce(&[u8]) -> Vec<u8>,
    ) -> Vec<u8> {
        let times = self.validity.map(|time| der(0x18, &[time.as_bytes()]));
        let tbs = der(
            0x30,
            &[
                &[0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x01, 0x07],
                &algorithms[0],
                &name(issuer),
                &der(0x30, &[&times[0], &times[1]]),
                &name(self.subject),
                spki,
                &der(0xa3, &[&der(0x30, &[&self.extension_ders().concat()])]),
            ],
        );
        let signature = sign(&tbs);
        der(
            0x30,
            &[&tbs, &algorithms[1], &der(0x03, &[&[0], &signature])],
        )
    }

    /// With a subject key identifier and an authority key identifier.
    pub(crate) fn with_key_ids(self, own: Option<&[u8]>, authority: Option<&[u8]>) -> Self {
        let own_value = own.map(|id| der(0x04, &[id]));
        let authority_value = authority.map(|id| der(0x30, &[&der(0x80, &[id])]));
        let with = |template: Self, oid, value: Option<Vec<u8>>| match value {
            Some(value) => template.with_extension(oid, false, &value),
            None => template,
        };
        let template = with(self, SUBJECT_KEY_IDENTIFIER, own_value);
        with(template, AUTHORITY_KEY_IDENTIFIER, authority_value)
    }

    fn extension_ders(&self) -> Vec<Vec<u8>> {
        let basic = match self.ca {
            None => der(0x30, &[]),
            Some(None) => der(0x30, &[&[0x01, 0x01, 0xff]]),
            Some(Some(len)) => der(0x30, &[&[0x01, 0x01, 0xff, 0x02, 0x01, len]]),
        };
        let mut all = vec![(BASIC_CONSTRAINTS, true, basic)];
        if let Some(usage) = &self.key_usage {
            all.push((KEY_USAGE, true, der(0x03, &[usage])));
        }
        if let Some(list) = &self.list {
            all.push((TN_AUTH_LIST, false, list.encode()));
        }
        all.extend(self.extensions.iter().cloned());
        all.iter()
            .map(|(oid, critical, value)| {
                let critical: &[u8] = if *critical { &[0x01, 0x01, 0xff] } else { &[] };
                der(0x30, &[&der(0x06, &[oid]), critical, &der(0x04, &[value])])
            })
            .collect()
    }
}

pub(crate) fn ecdsa_with_sha256(null: bool) -> Vec<u8> {
    let null: &[u8] = if null { &[0x05, 0x00] } else { &[] };
    der(0x30, &[&der(0x06, &[ECDSA_WITH_SHA256]), null])
}

pub(crate) fn es256(key: &Key, message: &[u8]) -> Vec<u8> {
    let signature = RustCrypto.sign_es256(&key.secret, message).unwrap();
    let halves = signature.as_raw().split_at(32);
    der(0x30, &[&integer(halves.0), &integer(halves.1)])
}

pub(crate) fn ec_spki(curve: &[u8], point: &[u8]) -> Vec<u8> {
    let ec = der(0x06, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]]);
    let algorithm = der(0x30, &[&ec, &der(0x06, &[curve])]);
    der(0x30, &[&algorithm, &der(0x03, &[&[0], point])])
}

/// An RSA key with the public exponent 3.
pub(crate) fn rsa_spki(modulus: &[u8]) -> Vec<u8> {
    let rsa = der(
        0x06,
        &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]],
    );
    let algorithm = der(0x30, &[&rsa, &[0x05, 0x00]]);
    let key = der(0x30, &[&der(0x02, &[modulus]), &[2, 1, 3]]);
    der(0x30, &[&algorithm, &der(0x03, &[&[0], &key])])
}

pub(crate) fn name(common_name: &str) -> Vec<u8> {
    let value = der(0x0c, &[common_name.as_bytes()]);
    let attribute = der(0x30, &[&[0x06, 0x03, 0x55, 0x04, 0x03], &value]);
    der(0x30, &[&der(0x31, &[&attribute])])
}

pub(crate) fn integer(octets: &[u8]) -> Vec<u8> {
    let start = octets.iter().position(|octet| *octet != 0).unwrap();
    let zero: &[u8] = if octets[start] >= 0x80 { &[0] } else { &[] };
    der(0x02, &[zero, &octets[start..]])
}

pub(crate) fn one(number: &str) -> Entry {
    Entry::One(tn(number))
}

pub(crate) fn block(start: &str, count: u64) -> Entry {
    Entry::Range {
        start: tn(start),
        count,
    }
}

pub(crate) fn spc(code: &str) -> Entry {
    Entry::Spc(code.to_owned())
}
