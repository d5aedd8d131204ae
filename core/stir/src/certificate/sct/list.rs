//! The list of timestamps as an extension carries it.

use crate::Reason;
use crate::certificate::Certificate;
use crate::der;

/// The longest list that is read. A timestamp of an RSA-4096 log has 560 octets; certificates carry
/// two to five.
pub const MAX_SCT_LIST_LEN: usize = 8 * 1024;

/// The most timestamps of one list: each may cost a signature check.
pub const MAX_SCTS: usize = 16;

/// The only version there is.
const V1: u8 = 0;

/// One promise of one log, not verified.
///
/// Source: RFC 6962 section 3.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCertificateTimestamp {
    log_id: [u8; 32],
    timestamp_ms: u64,
    extensions: Vec<u8>,
    algorithm: [u8; 2],
    signature: Vec<u8>,
}

impl SignedCertificateTimestamp {
    /// `hash` and `signature` of an ECDSA log (RFC 5246 section 7.4.1.4.1).
    pub const ECDSA_SHA256: [u8; 2] = [4, 3];

    /// `hash` and `signature` of an RSA log.
    pub const RSA_SHA256: [u8; 2] = [4, 1];

    /// What a log answered.
    ///
    /// `log_id` is the SHA-256 of the log's SubjectPublicKeyInfo, `timestamp_ms` milliseconds since
    /// 1970, `algorithm` one of the two constants, `signature` DER or PKCS #1.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedSctList`] if extensions or signature exceed 65 535 octets.
    pub fn new(
        log_id: [u8; 32],
        timestamp_ms: u64,
        extensions: &[u8],
        algorithm: [u8; 2],
        signature: &[u8],
    ) -> Result<Self, Reason> {
        let fits = |octets: &[u8]| u16::try_from(octets.len()).is_ok();
        if !fits(extensions) || !fits(signature) {
            return Err(Reason::MalformedSctList);
        }
        Ok(Self {
            log_id,
            timestamp_ms,
            extensions: extensions.to_vec(),
            algorithm,
            signature: signature.to_vec(),
        })
    }

    /// SHA-256 of the log's SubjectPublicKeyInfo.
    #[must_use]
    pub const fn log_id(&self) -> &[u8; 32] {
        &self.log_id
    }

    /// When the log promised, milliseconds since 1970.
    #[must_use]
    pub const fn timestamp_ms(&self) -> u64 {
        self.timestamp_ms
    }

    /// Extensions of the structure; none are defined, all are signed.
    #[must_use]
    pub fn extensions(&self) -> &[u8] {
        &self.extensions
    }

    /// The identifiers of hash and signature.
    #[must_use]
    pub const fn algorithm(&self) -> [u8; 2] {
        self.algorithm
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    fn read(mut octets: &[u8]) -> Option<Self> {
        let timestamp = Self {
            log_id: take(&mut octets, 32)?.try_into().ok()?,
            timestamp_ms: u64::from_be_bytes(take(&mut octets, 8)?.try_into().ok()?),
            extensions: take_u16_framed(&mut octets)?.to_vec(),
            algorithm: take(&mut octets, 2)?.try_into().ok()?,
            signature: take_u16_framed(&mut octets)?.to_vec(),
        };
        octets.is_empty().then_some(timestamp)
    }

    fn write(&self) -> Option<Vec<u8>> {
        let mut octets = vec![V1];
        octets.extend(self.log_id);
        octets.extend(self.timestamp_ms.to_be_bytes());
        octets.extend(u16_framed(&self.extensions)?);
        octets.extend(self.algorithm);
        octets.extend(u16_framed(&self.signature)?);
        Some(octets)
    }
}

/// The timestamps of one certificate, at least one, none verified.
///
/// Source: RFC 6962 section 3.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SctList {
    timestamps: Vec<SignedCertificateTimestamp>,
    unsupported: usize,
}

impl SctList {
    /// Makes a list for a certificate.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedSctList`] for none, for more than [`MAX_SCTS`], and above
    /// [`MAX_SCT_LIST_LEN`].
    pub fn new(timestamps: Vec<SignedCertificateTimestamp>) -> Result<Self, Reason> {
        let list = Self {
            timestamps,
            unsupported: 0,
        };
        match list.write() {
            Some(value)
                if value.len() <= MAX_SCT_LIST_LEN
                    && (1..=MAX_SCTS).contains(&list.timestamps.len()) =>
            {
                Ok(list)
            }
            _ => Err(Reason::MalformedSctList),
        }
    }

    /// Reads the value of the extension: an OCTET STRING with the list in it.
    ///
    /// Timestamps of other versions than 1 cannot be understood and are only counted.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedSctList`] for a list without a timestamp, with more than [`MAX_SCTS`], longer
    /// than [`MAX_SCT_LIST_LEN`], or with any length in it that is not what is there.
    pub fn decode(value: &[u8]) -> Result<Self, Reason> {
        read(value).ok_or(Reason::MalformedSctList)
    }

    /// The list of a certificate, if it has one.
    ///
    /// # Errors
    ///
    /// As [`SctList::decode`].
    pub fn of(certificate: &Certificate) -> Result<Option<Self>, Reason> {
        Ok(super::precertificate::split(certificate)?.map(|(list, _)| list))
    }

    /// The value of the extension. Timestamps that were only counted are not written.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Both ways to make a list have checked that it can be written.
        self.write().unwrap_or_default()
    }

    fn write(&self) -> Option<Vec<u8>> {
        let mut all = Vec::new();
        for timestamp in &self.timestamps {
            all.extend(u16_framed(&timestamp.write()?)?);
        }
        Some(der::element(der::OCTET_STRING, &u16_framed(&all)?))
    }

    /// The timestamps in their order.
    #[must_use]
    pub fn timestamps(&self) -> &[SignedCertificateTimestamp] {
        &self.timestamps
    }

    /// How many timestamps have another version.
    #[must_use]
    pub const fn unsupported(&self) -> usize {
        self.unsupported
    }
}

fn read(value: &[u8]) -> Option<SctList> {
    if value.len() > MAX_SCT_LIST_LEN {
        return None;
    }
    let mut framed = der::only(value, der::OCTET_STRING)?;
    let mut rest = take_u16_framed(&mut framed)?;
    if !framed.is_empty() || rest.is_empty() {
        return None;
    }
    let mut list = SctList {
        timestamps: Vec::new(),
        unsupported: 0,
    };
    while !rest.is_empty() {
        if list.timestamps.len().saturating_add(list.unsupported) >= MAX_SCTS {
            return None;
        }
        let (version, octets) = take_u16_framed(&mut rest)?.split_first()?;
        if *version == V1 {
            list.timestamps
                .push(SignedCertificateTimestamp::read(octets)?);
        } else {
            list.unsupported = list.unsupported.saturating_add(1);
        }
    }
    Some(list)
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(len)?;
    *rest = behind;
    Some(taken)
}

fn take_u16_framed<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = u16::from_be_bytes(take(rest, 2)?.try_into().ok()?);
    take(rest, usize::from(len))
}

/// A two-octet length and the octets.
pub(super) fn u16_framed(octets: &[u8]) -> Option<Vec<u8>> {
    let len = u16::try_from(octets.len()).ok()?;
    Some([&len.to_be_bytes(), octets].concat())
}
