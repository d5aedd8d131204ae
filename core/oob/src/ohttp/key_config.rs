//! A gateway's key configurations: `application/ohttp-keys`.

use ringtrue_stir::Reason;

/// The most configurations of one list. A gateway has two: the key in use and the one before.
pub const MAX_KEY_CONFIGS: usize = 8;

/// The most octets of one list. A configuration of ours has 45 and its length.
pub const MAX_KEY_CONFIGS_LEN: usize = 4096;

/// The most combinations of KDF and AEAD in one configuration.
const MAX_SUITES: usize = 16;

/// DHKEM(X25519, HKDF-SHA256) in the HPKE registry.
pub(super) const KEM_X25519: u16 = 0x0020;

/// HKDF-SHA256 in the HPKE registry.
pub(super) const KDF_SHA256: u16 = 0x0001;

const MALFORMED: Reason = Reason::MalformedGatewayKeys;

/// The AEAD of an encapsulated message; the KDF is HKDF-SHA256 with both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SymmetricSuite {
    /// AES-128-GCM.
    Aes128Gcm,
    /// ChaCha20-Poly1305.
    ChaCha20Poly1305,
}

impl SymmetricSuite {
    /// Both, preferred first: constant in time on every processor.
    pub const ALL: [Self; 2] = [Self::ChaCha20Poly1305, Self::Aes128Gcm];

    /// The AEAD's code point in the HPKE registry.
    #[must_use]
    pub const fn aead_id(self) -> u16 {
        match self {
            Self::Aes128Gcm => 0x0001,
            Self::ChaCha20Poly1305 => 0x0003,
        }
    }

    /// Octets of the AEAD's key.
    pub(super) const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::ChaCha20Poly1305 => 32,
        }
    }

    pub(super) fn from_ids(kdf: u16, aead: u16) -> Option<Self> {
        (kdf == KDF_SHA256)
            .then(|| Self::ALL.into_iter().find(|suite| suite.aead_id() == aead))
            .flatten()
    }
}

/// One key of a gateway, with what it may be used with.
///
/// Source: RFC 9458 section 3.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyConfig {
    key_id: u8,
    public_key: [u8; 32],
    suites: Vec<SymmetricSuite>,
}

impl KeyConfig {
    /// A configuration for both AEADs.
    #[must_use]
    pub fn new(key_id: u8, public_key: [u8; 32]) -> Self {
        Self {
            key_id,
            public_key,
            suites: SymmetricSuite::ALL.to_vec(),
        }
    }

    /// The identifier by which a request names the key.
    #[must_use]
    pub const fn key_id(&self) -> u8 {
        self.key_id
    }

    /// The X25519 public key.
    #[must_use]
    pub const fn public_key(&self) -> &[u8; 32] {
        &self.public_key
    }

    /// The AEADs that the gateway takes and this build knows, in the gateway's order; never empty.
    #[must_use]
    pub fn suites(&self) -> &[SymmetricSuite] {
        &self.suites
    }

    /// The octets of one configuration, without its length.
    #[must_use]
    pub fn to_octets(&self) -> Vec<u8> {
        let mut octets = vec![self.key_id];
        octets.extend_from_slice(&KEM_X25519.to_be_bytes());
        octets.extend_from_slice(&self.public_key);
        // At most two combinations of four octets.
        let len = u16::try_from(self.suites.len().saturating_mul(4)).unwrap_or(u16::MAX);
        octets.extend_from_slice(&len.to_be_bytes());
        for suite in &self.suites {
            octets.extend_from_slice(&KDF_SHA256.to_be_bytes());
            octets.extend_from_slice(&suite.aead_id().to_be_bytes());
        }
        octets
    }

    /// Reads one configuration.
    ///
    /// `None` for one of another KEM or with no combination that is known here: to be passed over.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedGatewayKeys`].
    pub fn parse(octets: &[u8]) -> Result<Option<Self>, Reason> {
        let (key_id, rest) = octets.split_first().ok_or(MALFORMED)?;
        let (kem, rest) = rest.split_first_chunk::<2>().ok_or(MALFORMED)?;
        if u16::from_be_bytes(*kem) != KEM_X25519 {
            // The length of its key is not known, so nothing more can be read.
            return Ok(None);
        }
        let (public_key, rest) = rest.split_first_chunk::<32>().ok_or(MALFORMED)?;
        let (len, rest) = rest.split_first_chunk::<2>().ok_or(MALFORMED)?;
        let len = usize::from(u16::from_be_bytes(*len));
        if len != rest.len() || len == 0 || len % 4 != 0 || len / 4 > MAX_SUITES {
            return Err(MALFORMED);
        }
        let mut suites = Vec::new();
        for pair in rest.chunks_exact(4) {
            let [a, b, c, d] = *pair else {
                return Err(MALFORMED);
            };
            let suite =
                SymmetricSuite::from_ids(u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            suites.extend(suite.filter(|suite| !suites.contains(suite)));
        }
        Ok((!suites.is_empty()).then_some(Self {
            key_id: *key_id,
            public_key: *public_key,
            suites,
        }))
    }
}

/// Writes a list of configurations, the preferred one first: the body of `application/ohttp-keys`.
///
/// Source: RFC 9458 section 3.2.
#[must_use]
pub fn encode_key_configs(configs: &[KeyConfig]) -> Vec<u8> {
    let mut list = Vec::new();
    for config in configs {
        let octets = config.to_octets();
        list.extend_from_slice(
            &u16::try_from(octets.len())
                .unwrap_or(u16::MAX)
                .to_be_bytes(),
        );
        list.extend_from_slice(&octets);
    }
    list
}

/// Reads a list of configurations: those that can be used here, in the gateway's order.
///
/// # Errors
///
/// [`Reason::MalformedGatewayKeys`] for a list over its limits, cut off, with one key identifier for
/// two keys, or without any configuration that can be used here.
pub fn parse_key_configs(octets: &[u8]) -> Result<Vec<KeyConfig>, Reason> {
    if octets.len() > MAX_KEY_CONFIGS_LEN {
        return Err(MALFORMED);
    }
    let mut rest = octets;
    let mut configs: Vec<KeyConfig> = Vec::new();
    let mut count = 0_usize;
    while !rest.is_empty() {
        let (len, tail) = rest.split_first_chunk::<2>().ok_or(MALFORMED)?;
        let len = usize::from(u16::from_be_bytes(*len));
        let (config, tail) = tail.split_at_checked(len).ok_or(MALFORMED)?;
        rest = tail;
        count = count.saturating_add(1);
        if count > MAX_KEY_CONFIGS {
            return Err(MALFORMED);
        }
        if let Some(config) = KeyConfig::parse(config)? {
            if configs.iter().any(|known| known.key_id == config.key_id) {
                return Err(MALFORMED);
            }
            configs.push(config);
        }
    }
    if configs.is_empty() {
        return Err(MALFORMED);
    }
    Ok(configs)
}

#[cfg(test)]
mod tests;
