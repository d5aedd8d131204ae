//! Key material. Secrets are overwritten on drop and never printed.

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::Reason;

/// A P-256 public key, checked to be a point of the curve other than the identity.
///
/// Held as the 65 octets of the uncompressed SEC1 form (`04 || X || Y`).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct P256PublicKey([u8; 65]);

impl P256PublicKey {
    /// Checks and keeps an uncompressed SEC1 point.
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedKey`] unless `sec1` is 65 octets, starts with 04 and lies on the curve.
    pub fn from_sec1(sec1: &[u8]) -> Result<Self, Reason> {
        let octets: [u8; 65] = sec1.try_into().map_err(|_| Reason::MalformedKey)?;
        if octets.first() != Some(&4) {
            return Err(Reason::MalformedKey);
        }
        p256::PublicKey::from_sec1_bytes(&octets).map_err(|_| Reason::MalformedKey)?;
        Ok(Self(octets))
    }

    /// Reads the 33 octets of the compressed SEC1 form (`02` or `03`, then X).
    ///
    /// # Errors
    ///
    /// [`Reason::MalformedKey`] for another length or form, or an X that no point has.
    pub fn from_compressed(sec1: &[u8]) -> Result<Self, Reason> {
        use p256::elliptic_curve::sec1::ToSec1Point as _;
        if sec1.len() != 33 {
            return Err(Reason::MalformedKey);
        }
        let key = p256::PublicKey::from_sec1_bytes(sec1).map_err(|_| Reason::MalformedKey)?;
        Self::from_sec1(key.to_sec1_point(false).as_bytes())
    }

    /// The 33 octets of the compressed SEC1 form.
    #[must_use]
    pub const fn to_compressed(&self) -> [u8; 33] {
        let mut sec1 = [0; 33];
        let (_, x_and_y) = self.0.split_at(1);
        let (x, y) = x_and_y.split_at(32);
        let (sign, rest) = sec1.split_at_mut(1);
        let odd = match y {
            [.., last] => *last & 1,
            [] => 0,
        };
        sign.copy_from_slice(&[2 | odd]);
        rest.copy_from_slice(x);
        sec1
    }

    /// The 65 octets of the uncompressed SEC1 form.
    #[must_use]
    pub const fn as_sec1(&self) -> &[u8; 65] {
        &self.0
    }
}

impl fmt::Debug for P256PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P256PublicKey(..)")
    }
}

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Zeroize, ZeroizeOnDrop)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Takes over 32 octets. The caller overwrites any copy of its own.
            #[must_use]
            pub const fn new(octets: [u8; 32]) -> Self {
                Self(octets)
            }

            /// Takes 32 octets; the caller overwrites its own copy.
            ///
            /// # Errors
            ///
            /// [`Reason::MalformedKey`] for any other length.
            pub fn from_slice(octets: &[u8]) -> Result<Self, Reason> {
                octets.try_into().map(Self).map_err(|_| Reason::MalformedKey)
            }

            /// The octets. Do not copy them into anything that is not overwritten.
            #[must_use]
            pub const fn expose(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0).into()
            }
        }

        impl Eq for $name {}
    };
}

secret!(
    /// A secret scalar of P-256 or X25519, 32 octets.
    SecretKey
);

secret!(
    /// The raw result of a Diffie-Hellman agreement, 32 octets, before any key derivation.
    SharedSecret
);

impl SecretKey {
    /// Lets `fill` write the octets in place, so that no copy is left behind.
    ///
    /// # Errors
    ///
    /// Whatever `fill` returns.
    pub fn fill_with<E>(&mut self, fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<(), E> {
        fill(&mut self.0)
    }
}

impl SharedSecret {
    /// Takes what a device returned: shorter results are padded with zeros on the left, as devices
    /// that drop leading zero octets require (docs/protocol.md section 6.8).
    ///
    /// # Errors
    ///
    /// [`Reason::KeyAgreementFailed`] for an empty result, one longer than 32 octets or all zeros.
    pub fn from_device(octets: &[u8]) -> Result<Self, Reason> {
        let start = 32usize
            .checked_sub(octets.len())
            .ok_or(Reason::KeyAgreementFailed)?;
        let mut padded = Self([0; 32]);
        if let Some(tail) = padded.0.get_mut(start..) {
            tail.copy_from_slice(octets);
        }
        if bool::from(padded.0.ct_eq(&[0; 32])) {
            return Err(Reason::KeyAgreementFailed);
        }
        Ok(padded)
    }
}
