//! Who takes part in the scenario files: keys and certificates of the protocol vectors, and what they
//! sign and seal, octet for octet the same each time.

use std::cell::Cell;
use std::sync::Mutex;

use ringtrue::TelephoneNumber;
use ringtrue_oob::statement::KeyStatement;
use ringtrue_oob::{
    Blob, CallNonce, Content, Destination, RecipientKey, Suite, dummy_from_seed, seal,
};
use ringtrue_stir::crypto::{
    CryptoProvider, Curve, Es256Signature, GeneratedKey, P256PublicKey, RustCrypto, SecretKey,
    SharedSecret,
};
use ringtrue_stir::{Reason, base64url, json};
use serde_json::{Value, json};

/// The time of the vectors, and of every scenario at its beginning, in seconds since the Unix epoch.
pub(super) const NOW: u64 = 1_800_000_000;

/// The calling and the called number of every scenario.
pub(super) const CALLER: &str = "12025550143";
pub(super) const CALLEE: &str = "12025550199";

/// Where the two look for what is left for them.
pub(super) const CALLER_CPS: &str = "https://cps.example.net";
pub(super) const CALLEE_CPS: &str = "https://cps.example.com/oob";

const KEYS: &str = include_str!("../../vectors/protocol/keys.json");
const CERTIFICATES: &str = include_str!("../../vectors/protocol/certificates.json");

/// Randomness that is the same each time.
#[derive(Default)]
struct Repeated(Mutex<u64>);

impl CryptoProvider for Repeated {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason> {
        for chunk in out.chunks_mut(32) {
            let mut drawn = self.0.lock().unwrap();
            *drawn += 1;
            chunk.copy_from_slice(&seed(&format!("draw {drawn}"))[..chunk.len()]);
        }
        Ok(())
    }

    fn verify_es256(&self, key: &P256PublicKey, message: &[u8], mark: &Es256Signature) -> bool {
        RustCrypto.verify_es256(key, message, mark)
    }

    fn sign_es256(&self, secret: &SecretKey, message: &[u8]) -> Result<Es256Signature, Reason> {
        RustCrypto.sign_es256(secret, message)
    }

    fn generate(&self, curve: Curve) -> Result<GeneratedKey, Reason> {
        let mut secret = SecretKey::new([0; 32]);
        secret.fill_with(|octets| self.fill_random(octets))?;
        let public = self.public_key(curve, &secret)?;
        Ok(GeneratedKey { secret, public })
    }

    fn public_key(&self, curve: Curve, secret: &SecretKey) -> Result<Vec<u8>, Reason> {
        RustCrypto.public_key(curve, secret)
    }

    fn agree(&self, curve: Curve, secret: &SecretKey, peer: &[u8]) -> Result<SharedSecret, Reason> {
        RustCrypto.agree(curve, secret, peer)
    }
}

/// 32 octets that belong to a label.
fn seed(label: &str) -> [u8; 32] {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(format!("scenario files|{label}")).into()
}

/// Keys, certificates, and a supply of randomness of one scenario's own.
pub(super) struct Cast {
    keys: Value,
    certificates: Value,
    provider: Repeated,
    nonces: Cell<u64>,
}

impl Cast {
    pub(super) fn new() -> Self {
        Self {
            keys: serde_json::from_str(KEYS).unwrap(),
            certificates: serde_json::from_str(CERTIFICATES).unwrap(),
            provider: Repeated::default(),
            nonces: Cell::new(0),
        }
    }

    /// The private key with this label.
    fn secret(&self, label: &str) -> SecretKey {
        let keys = ["signing", "encryption"].iter();
        let key = keys
            .filter_map(|kind| self.keys[kind].as_array())
            .flatten()
            .find(|key| key["label"] == label);
        let text = key.expect(label)["secret"].as_str().unwrap();
        let digit = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        let octets: Vec<u8> = (0..64).step_by(2).map(digit).collect();
        SecretKey::from_slice(&octets).unwrap()
    }

    /// The same as an unencrypted PKCS#8 block.
    pub(super) fn private_pem(&self, label: &str) -> String {
        // PrivateKeyInfo around ECPrivateKey without its optional parts (RFC 5208, RFC 5915).
        let mut der = vec![0x30, 0x41, 2, 1, 0, 0x30, 0x13];
        der.extend([6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]);
        der.extend([6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]);
        der.extend([4, 0x27, 0x30, 0x25, 2, 1, 1, 4, 0x20]);
        der.extend(self.secret(label).expose());
        block("PRIVATE KEY", der)
    }

    /// Its public half: an uncompressed point in lower-case hex.
    pub(super) fn public_hex(&self, label: &str) -> String {
        let point = RustCrypto
            .public_key(Curve::P256, &self.secret(label))
            .unwrap();
        point.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    fn certificate(&self, label: &str) -> &Value {
        let mut all = self.certificates["certificates"].as_array().unwrap().iter();
        all.find(|certificate| certificate["label"] == label)
            .expect(label)
    }

    /// The certificates from a leaf up to the root, which is left out, as standard base64 of DER.
    fn x5c(&self, leaf: &str) -> Vec<String> {
        let mut chain = Vec::new();
        let mut at = self.certificate(leaf);
        while at["issuer"] != at["label"] {
            chain.push(at["der"].as_str().unwrap().to_owned());
            at = self.certificate(at["issuer"].as_str().unwrap());
        }
        chain
    }

    /// The same as PEM.
    pub(super) fn chain_pem(&self, leaf: &str) -> String {
        self.x5c(leaf)
            .iter()
            .map(|text| certificate_block(text))
            .collect()
    }

    /// The anchor.
    pub(super) fn root_pem(&self) -> String {
        certificate_block(self.certificate("root")["der"].as_str().unwrap())
    }

    /// A token with these octets, signed.
    fn token(&self, header: &Value, payload: &Value, key: &str) -> String {
        let part = |value| base64url::encode(json::canonical(value).as_bytes());
        let input = format!("{}.{}", part(header), part(payload));
        let mark = self
            .provider
            .sign_es256(&self.secret(key), input.as_bytes())
            .unwrap();
        format!("{input}.{}", base64url::encode(mark.as_raw()))
    }

    /// A PASSporT by the key with this label.
    pub(super) fn passport(&self, orig: &str, dest: &str, iat: u64, key: &str) -> String {
        let header = json!({"alg": "ES256", "typ": "passport", "x5u": x5u(orig)});
        let payload = json!({"dest": {"tn": [dest]}, "iat": iat, "orig": {"tn": orig}});
        self.token(&header, &payload, key)
    }

    /// The PASSporT of a right call, made at this time.
    pub(super) fn good_passport(&self, iat: u64) -> String {
        self.passport(CALLER, CALLEE, iat, "caller signing")
    }

    /// A content with this token and the certificates from `leaf` up.
    pub(super) fn content(&self, token: String, leaf: &str) -> Content {
        self.nonces.set(self.nonces.get() + 1);
        let octets = seed(&format!("nonce {}", self.nonces.get()));
        let nonce = CallNonce::from_octets(octets[..16].try_into().unwrap());
        Content {
            ppts: vec![token],
            x5c: self.x5c(leaf),
            ..Content::new(nonce)
        }
    }

    /// The encryption key with this label.
    fn recipient(&self, label: &str) -> RecipientKey {
        let point = RustCrypto
            .public_key(Curve::P256, &self.secret(label))
            .unwrap();
        RecipientKey::new(Suite::S1, &point).unwrap()
    }

    /// What is left for the called number: one content, sealed to its key.
    pub(super) fn sealed(&self, content: &Content) -> Blob {
        let number = Destination::TelephoneNumber(telephone(CALLEE));
        let octets = content.to_octets().unwrap();
        seal(
            &self.provider,
            &self.recipient("callee S1"),
            &number,
            &octets,
        )
        .unwrap()
    }

    /// The blob of a right call, made now.
    pub(super) fn good_blob(&self) -> Blob {
        self.sealed(&self.content(self.good_passport(NOW), "caller"))
    }

    /// Blobs that open for nobody.
    pub(super) fn dummies(&self, count: u64) -> Vec<Blob> {
        let dummy = |at| {
            let seed = seed(&format!("dummy {at}"));
            dummy_from_seed(&self.provider, Suite::S1, &seed).unwrap()
        };
        (0..count).map(dummy).collect()
    }

    /// What a number's key statement says: one S1 key, one day.
    fn statement_payload(&self, number: &str, cps: &str, key: &str) -> Value {
        let recipient = self.recipient(key);
        let key = json!({
            "kid": recipient.kid(),
            "pub": base64url::encode(recipient.as_octets()),
            "suite": "S1",
        });
        json!({
            "cps": [cps], "exp": NOW + 86_400, "iat": NOW, "keys": [key], "seq": NOW,
            "sub": {"tn": [number]},
        })
    }

    /// The called number's key statement as its directory shows it.
    pub(super) fn callee_statement(&self) -> String {
        let header = json!({
            "alg": "ES256", "typ": "stir-eks+jwt", "x5c": self.x5c("callee"), "x5u": x5u(CALLEE),
        });
        let payload = self.statement_payload(CALLEE, CALLEE_CPS, "callee S1");
        let text = self.token(&header, &payload, "callee signing");
        KeyStatement::parse(&text).unwrap();
        text
    }

    /// The calling number's, as it is sent along with a call.
    pub(super) fn inline_caller_statement(&self) -> String {
        let header = json!({"alg": "ES256", "typ": "stir-eks+jwt", "x5u": x5u(CALLER)});
        let payload = self.statement_payload(CALLER, CALLER_CPS, "caller S1");
        let text = self.token(&header, &payload, "caller signing");
        KeyStatement::parse(&text).unwrap();
        text
    }
}

/// A number that is one.
pub(super) fn telephone(number: &str) -> TelephoneNumber {
    TelephoneNumber::from_canonical(number).unwrap()
}

/// Where a number's certificates are said to be. Nobody looks there.
pub(super) fn x5u(number: &str) -> String {
    format!("https://certs.example.com/{number}.pem")
}

fn block(label: &str, der: Vec<u8>) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new(label, der), config)
}

fn certificate_block(text: &str) -> String {
    let lines: Vec<_> = text.as_bytes().chunks(64).collect();
    let lines: Vec<_> = lines
        .iter()
        .map(|line| str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}
