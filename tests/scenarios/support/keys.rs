//! Keys as telephones keep them: behind interfaces that sign DER, hash twice, fail or hang.

use std::sync::{Arc, Condvar, Mutex};

use ringtrue::{DeviceSignature, KeyAgreement, P256PublicKey, Reason, Signer};
use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, SecretKey};

/// What a key in hardware does when it is used.
#[derive(Clone)]
pub(crate) enum Temper {
    Works,
    /// Answers with an error.
    Fails,
    /// Panics, as a foreign function that throws does.
    Panics,
    /// Does not answer until it is let go.
    Hangs(Arc<Gate>),
}

/// Holds whoever comes to it until it is opened. Opened when the test ends, however it ends: a runtime
/// waits for its threads.
#[derive(Default)]
pub(crate) struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn wait(&self) {
        let is_open = self.is_open.lock().unwrap();
        drop(self.opened.wait_while(is_open, |is_open| !*is_open));
    }

    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

/// Opens a gate when it is dropped.
pub(crate) struct Opener(Arc<Gate>);

impl Opener {
    /// A closed gate, and what opens it.
    pub(crate) fn closed() -> (Arc<Gate>, Self) {
        let gate = Arc::new(Gate::default());
        (Arc::clone(&gate), Self(gate))
    }
}

impl Drop for Opener {
    fn drop(&mut self) {
        self.0.open();
    }
}

impl Temper {
    fn show(&self, failure: Reason) -> Result<(), Reason> {
        match self {
            Self::Works => Ok(()),
            Self::Fails => Err(failure),
            // Without the panic hook, whose output would look like a failure.
            Self::Panics => std::panic::resume_unwind(Box::new("a key store that throws")),
            Self::Hangs(gate) => {
                gate.wait();
                Err(failure)
            }
        }
    }
}

/// In which form a signer signs, and what.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// DER, as the platforms' key stores do.
    Der,
    /// r then s.
    Raw,
    /// The digest is hashed again: the mistake that key stores invite.
    HashedTwice,
    /// r then s, one octet short.
    Short,
}

/// A signing key behind an interface.
pub(crate) struct DeviceSigner {
    secret: SecretKey,
    public: P256PublicKey,
    form: Form,
    temper: Temper,
}

impl DeviceSigner {
    pub(crate) fn new(secret: &SecretKey, form: Form, temper: Temper) -> Arc<Self> {
        let public = AwsLcCrypto.public_key(Curve::P256, secret).unwrap();
        Arc::new(Self {
            secret: secret.clone(),
            public: P256PublicKey::from_sec1(&public).unwrap(),
            form,
            temper,
        })
    }
}

impl Signer for DeviceSigner {
    fn public_key(&self) -> P256PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8], digest: &[u8; 32]) -> Result<DeviceSignature, Reason> {
        self.temper.show(Reason::SignerFailed)?;
        let message = match self.form {
            Form::HashedTwice => digest.as_slice(),
            _ => message,
        };
        let raw = AwsLcCrypto.sign_es256(&self.secret, message)?;
        let raw = raw.as_raw().as_slice();
        Ok(match self.form {
            Form::Der => DeviceSignature::Der(der(raw)),
            Form::Short => DeviceSignature::Raw(raw[..63].to_vec()),
            _ => DeviceSignature::Raw(raw.to_vec()),
        })
    }
}

/// `SEQUENCE { INTEGER r, INTEGER s }`.
fn der(raw: &[u8]) -> Vec<u8> {
    let integer = |part: &[u8]| {
        let zeros = part.iter().take_while(|octet| **octet == 0).count();
        let mut octets = part[zeros..].to_vec();
        if octets.first().is_none_or(|first| *first >= 0x80) {
            octets.insert(0, 0);
        }
        let mut der = vec![2, u8::try_from(octets.len()).unwrap()];
        der.extend(octets);
        der
    };
    let (r, s) = raw.split_at(32);
    let body = [integer(r), integer(s)].concat();
    let mut der = vec![0x30, u8::try_from(body.len()).unwrap()];
    der.extend(body);
    der
}

/// An encryption key behind an interface.
pub(crate) struct DeviceAgreement {
    pub(crate) secret: SecretKey,
    public: P256PublicKey,
    temper: Temper,
}

impl DeviceAgreement {
    pub(crate) fn new(temper: Temper) -> Arc<Self> {
        let generated = AwsLcCrypto.generate(Curve::P256).unwrap();
        Arc::new(Self {
            public: P256PublicKey::from_sec1(&generated.public).unwrap(),
            secret: generated.secret,
            temper,
        })
    }

    /// The same key in another temper.
    pub(crate) fn with(&self, temper: Temper) -> Arc<Self> {
        Arc::new(Self {
            secret: self.secret.clone(),
            public: self.public,
            temper,
        })
    }
}

impl KeyAgreement for DeviceAgreement {
    fn public_key(&self) -> P256PublicKey {
        self.public
    }

    fn agree(&self, peer: &P256PublicKey) -> Result<Vec<u8>, Reason> {
        self.temper.show(Reason::KeyAgreementFailed)?;
        let shared = AwsLcCrypto.agree(Curve::P256, &self.secret, peer.as_sec1())?;
        Ok(shared.expose().to_vec())
    }
}
