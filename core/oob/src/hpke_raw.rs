//! HPKE base mode where the Diffie-Hellman agreement was done elsewhere: by the crypto provider or by
//! a key that never leaves its hardware.
//!
//! [`RawDhKem`] is a KEM for the `hpke` crate whose "keys" carry a finished agreement. Only the labelled
//! extract-and-expand of DHKEM happens here; key schedule and AEAD are the crate's. The parts of `hpke`
//! used for it are public but outside its semantic versioning, so its version is pinned exactly and the
//! RFC 9180 vectors below guard every change.
//!
//! Not here: validation of points and secrets. The callers do that before (PRV-9).
//!
//! Source: RFC 9180 sections 4.1 and 5.1; docs/protocol.md section 6.8 (PRV-21).

#[cfg(test)]
mod rfc9180;

use core::{fmt, marker::PhantomData};

use hpke::aead::{Aead, AeadCtxR, AeadTag};
use hpke::hybrid_array::typenum::{U32, U65, Unsigned as _};
use hpke::hybrid_array::{Array, ArraySize};
use hpke::inout::InOutBuf;
use hpke::kdf::{HkdfSha256, Kdf};
use hpke::rand_core::CryptoRng;
use hpke::{Deserializable, HpkeError, Kem, OpModeR, OpModeS, Serializable};
use ringtrue_stir::Reason;
use ringtrue_stir::crypto::SharedSecret;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

/// A group with its DHKEM identifier and the length of its public keys.
pub(crate) trait RawGroup: 'static {
    /// The KEM's code point in the HPKE registry.
    const KEM_ID: u16;
    /// Octets of a public key; the encapsulated key has the same length.
    type PublicLen: ArraySize;
}

/// P-256 with uncompressed points: DHKEM(P-256, HKDF-SHA256).
pub(crate) struct P256Group;

impl RawGroup for P256Group {
    const KEM_ID: u16 = 0x0010;
    type PublicLen = U65;
}

/// X25519: DHKEM(X25519, HKDF-SHA256).
pub(crate) struct X25519Group;

impl RawGroup for X25519Group {
    const KEM_ID: u16 = 0x0020;
    type PublicLen = U32;
}

/// The octets of a public or encapsulated key.
pub(crate) struct KeyOctets<G: RawGroup>(Array<u8, G::PublicLen>);

impl<G: RawGroup> KeyOctets<G> {
    pub(crate) fn new(octets: &[u8]) -> Result<Self, Reason> {
        Array::try_from(octets)
            .map(Self)
            .map_err(|_| Reason::MalformedKey)
    }
}

impl<G: RawGroup> Clone for KeyOctets<G> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<G: RawGroup> Serializable for KeyOctets<G> {
    type OutputSize = G::PublicLen;

    fn write_exact(&self, out: &mut [u8]) {
        out.copy_from_slice(&self.0);
    }
}

impl<G: RawGroup> Deserializable for KeyOctets<G> {
    fn from_bytes(octets: &[u8]) -> Result<Self, HpkeError> {
        Self::new(octets)
            .map_err(|_| HpkeError::IncorrectInputLength(G::PublicLen::USIZE, octets.len()))
    }
}

/// What a sender's agreement gave: the ephemeral public key and the raw secret.
struct SenderPart<G: RawGroup> {
    enc: KeyOctets<G>,
    agreed: SharedSecret,
}

/// The recipient's public key, for a sender together with its finished agreement.
pub(crate) struct RawPublicKey<G: RawGroup> {
    octets: KeyOctets<G>,
    sender: Option<SenderPart<G>>,
}

impl<G: RawGroup> RawPublicKey<G> {
    /// The key of `recipient`, to which `agreed` was computed with the secret half of `enc`.
    pub(crate) fn for_sender(
        recipient: &[u8],
        enc: &[u8],
        agreed: &SharedSecret,
    ) -> Result<Self, Reason> {
        Ok(Self {
            octets: KeyOctets::new(recipient)?,
            sender: Some(SenderPart {
                enc: KeyOctets::new(enc)?,
                agreed: agreed.clone(),
            }),
        })
    }
}

impl<G: RawGroup> Clone for RawPublicKey<G> {
    fn clone(&self) -> Self {
        Self {
            octets: self.octets.clone(),
            sender: self.sender.as_ref().map(|sender| SenderPart {
                enc: sender.enc.clone(),
                agreed: sender.agreed.clone(),
            }),
        }
    }
}

impl<G: RawGroup> fmt::Debug for RawPublicKey<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawPublicKey(..)")
    }
}

impl<G: RawGroup> PartialEq for RawPublicKey<G> {
    fn eq(&self, other: &Self) -> bool {
        self.octets.0 == other.octets.0
    }
}

impl<G: RawGroup> Eq for RawPublicKey<G> {}

impl<G: RawGroup> Serializable for RawPublicKey<G> {
    type OutputSize = G::PublicLen;

    fn write_exact(&self, out: &mut [u8]) {
        self.octets.write_exact(out);
    }
}

impl<G: RawGroup> Deserializable for RawPublicKey<G> {
    fn from_bytes(octets: &[u8]) -> Result<Self, HpkeError> {
        Ok(Self {
            octets: KeyOctets::from_bytes(octets)?,
            sender: None,
        })
    }
}

/// The recipient's side of a finished agreement; stands where `hpke` wants a private key.
pub(crate) struct RawPrivateKey<G: RawGroup> {
    public: KeyOctets<G>,
    agreed: Option<SharedSecret>,
}

impl<G: RawGroup> RawPrivateKey<G> {
    /// `agreed` was computed with the secret half of `public`.
    pub(crate) fn new(public: &[u8], agreed: &SharedSecret) -> Result<Self, Reason> {
        Ok(Self {
            public: KeyOctets::new(public)?,
            agreed: Some(agreed.clone()),
        })
    }
}

impl<G: RawGroup> Clone for RawPrivateKey<G> {
    fn clone(&self) -> Self {
        Self {
            public: self.public.clone(),
            agreed: self.agreed.clone(),
        }
    }
}

impl<G: RawGroup> ConstantTimeEq for RawPrivateKey<G> {
    fn ct_eq(&self, other: &Self) -> Choice {
        let agreed = match (&self.agreed, &other.agreed) {
            (Some(own), Some(theirs)) => own.expose().ct_eq(theirs.expose()),
            (None, None) => Choice::from(1),
            _ => Choice::from(0),
        };
        agreed & self.public.0.as_slice().ct_eq(other.public.0.as_slice())
    }
}

// The trait asks for a serial form. There is none: a finished agreement is never stored.
impl<G: RawGroup> Serializable for RawPrivateKey<G> {
    type OutputSize = U32;

    fn write_exact(&self, out: &mut [u8]) {
        out.fill(0);
    }
}

impl<G: RawGroup> Deserializable for RawPrivateKey<G> {
    fn from_bytes(_: &[u8]) -> Result<Self, HpkeError> {
        Err(HpkeError::ValidationError)
    }
}

/// DHKEM(G, HKDF-SHA256) over a finished agreement. Base mode only (PRV-4).
pub(crate) struct RawDhKem<G>(PhantomData<G>);

impl<G: RawGroup> RawDhKem<G> {
    /// `ExtractAndExpand(dh, enc || pkRm)` of RFC 9180 section 4.1.
    fn derive(
        agreed: &SharedSecret,
        enc: &KeyOctets<G>,
        recipient: &KeyOctets<G>,
    ) -> Result<hpke::kem::SharedSecret<Self>, HpkeError> {
        let [high, low] = G::KEM_ID.to_be_bytes();
        let suite_id = [b'K', b'E', b'M', high, low];
        let mut context = enc.0.to_vec();
        context.extend_from_slice(&recipient.0);
        let mut secret = hpke::kem::SharedSecret::<Self>::default();
        HkdfSha256::extract_and_expand(agreed.expose(), &suite_id, &context, &mut secret.0)?;
        Ok(secret)
    }
}

impl<G: RawGroup> Kem for RawDhKem<G> {
    type PublicKey = RawPublicKey<G>;
    type PrivateKey = RawPrivateKey<G>;
    type EncappedKey = KeyOctets<G>;
    type NSecret = U32;

    const KEM_ID: u16 = G::KEM_ID;

    fn sk_to_pk(key: &Self::PrivateKey) -> Self::PublicKey {
        RawPublicKey {
            octets: key.public.clone(),
            sender: None,
        }
    }

    // Keys come from the provider, never from here: this pair holds no agreement, so that sealing
    // and opening with it fail.
    fn derive_keypair(_: &[u8]) -> (Self::PrivateKey, Self::PublicKey) {
        let key = RawPrivateKey {
            public: KeyOctets(Array::default()),
            agreed: None,
        };
        let public = Self::sk_to_pk(&key);
        (key, public)
    }

    fn decap(
        key: &Self::PrivateKey,
        sender_identity: Option<&Self::PublicKey>,
        enc: &Self::EncappedKey,
    ) -> Result<hpke::kem::SharedSecret<Self>, HpkeError> {
        let agreed = match (&key.agreed, sender_identity) {
            (Some(agreed), None) => agreed,
            _ => return Err(HpkeError::DecapError),
        };
        Self::derive(agreed, enc, &key.public)
    }

    fn encap_with_rng(
        recipient: &Self::PublicKey,
        sender_identity: Option<(&Self::PrivateKey, &Self::PublicKey)>,
        _: &mut impl CryptoRng,
    ) -> Result<(hpke::kem::SharedSecret<Self>, Self::EncappedKey), HpkeError> {
        let sender = match (&recipient.sender, sender_identity) {
            (Some(sender), None) => sender,
            _ => return Err(HpkeError::EncapError),
        };
        let secret = Self::derive(&sender.agreed, &sender.enc, &recipient.octets)?;
        Ok((secret, sender.enc.clone()))
    }
}

/// What goes into both sides of one message beside the secret and the text.
pub(crate) struct Message<'a> {
    /// The ephemeral public key.
    pub(crate) enc: &'a [u8],
    /// The recipient's public key.
    pub(crate) recipient: &'a [u8],
    /// HPKE's application information.
    pub(crate) info: &'a [u8],
    /// Additional authenticated data.
    pub(crate) aad: &'a [u8],
}

/// Encrypts `text` in place as the only message of its context and writes the tag to `tag`.
///
/// # Errors
///
/// [`Reason::MalformedKey`] for keys of the wrong length, [`Reason::Internal`] if the AEAD refuses or
/// `tag` does not have its tag's length.
pub(crate) fn seal_in_place<G: RawGroup, A: Aead>(
    agreed: &SharedSecret,
    message: &Message<'_>,
    text: &mut [u8],
    tag: &mut [u8],
) -> Result<(), Reason> {
    let recipient = RawPublicKey::<G>::for_sender(message.recipient, message.enc, agreed)?;
    // The crate's generator is handed in by this call and never used: the agreement is done.
    let (_, mut context) =
        hpke::setup_sender::<A, HkdfSha256, RawDhKem<G>>(&OpModeS::Base, &recipient, message.info)
            .map_err(|_| Reason::Internal)?;
    let computed = context
        .seal_inout_detached(InOutBuf::from(text), message.aad)
        .map_err(|_| Reason::Internal)?
        .to_bytes();
    if tag.len() != computed.len() {
        return Err(Reason::Internal);
    }
    tag.copy_from_slice(&computed);
    Ok(())
}

/// Decrypts `ciphertext`. The text is written only after the tag agreed: of the many blobs that are
/// tried most are for somebody else, and nothing of those has to be overwritten.
///
/// # Errors
///
/// [`Reason::MalformedKey`] for keys of the wrong length, [`Reason::BlobNotOpened`] if the tag does
/// not agree.
pub(crate) fn open<G: RawGroup, A: Aead>(
    agreed: &SharedSecret,
    message: &Message<'_>,
    ciphertext: &[u8],
    tag: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Reason> {
    let key = RawPrivateKey::<G>::new(message.recipient, agreed)?;
    let enc = KeyOctets::<G>::new(message.enc)?;
    let tag = AeadTag::<A>::from_bytes(tag).map_err(|_| Reason::MalformedBlob)?;
    let context = hpke::setup_receiver::<A, HkdfSha256, RawDhKem<G>>(
        &OpModeR::Base,
        &key,
        &enc,
        message.info,
    );
    open_with(context, ciphertext, message.aad, &tag)
}

/// Opens the only message of a context, as [`open`] does.
pub(crate) fn open_with<A: Aead, D: Kdf, K: Kem>(
    context: Result<AeadCtxR<A, D, K>, HpkeError>,
    ciphertext: &[u8],
    aad: &[u8],
    tag: &AeadTag<A>,
) -> Result<Zeroizing<Vec<u8>>, Reason> {
    let mut text = vec![0; ciphertext.len()];
    let buffers = InOutBuf::new(ciphertext, text.as_mut_slice()).map_err(|_| Reason::Internal)?;
    context
        .and_then(|mut context| context.open_inout_detached(buffers, aad, tag))
        .map_err(|_| Reason::BlobNotOpened)?;
    Ok(Zeroizing::new(text))
}
