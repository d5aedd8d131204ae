//! What must not be seen in any log, error, text of a value or state store: numbers, tokens, call
//! nonces, keys, blobs. Registered where it arises, then looked for.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::crypto::{
    CryptoProvider, Curve, Es256Signature, GeneratedKey, P256PublicKey, SecretKey, SharedSecret,
};
use ringtrue_stir::{Reason, base64url};

use super::gateway::Exchange;
use super::logs::recorded_since;

/// What every number of these tests begins with.
const PREFIX: &str = "1202555";

/// Shorter ones could be found by chance.
const MIN_SECRET: usize = 20;

/// What is longer is read by nobody (PRV-10), and so is in no log.
const MAX_ANSWER: usize = 1_572_864;

/// Secrets while a test runs. Cheap to clone; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Arc<Mutex<BTreeSet<String>>>);

impl Secrets {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn held(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn len(&self) -> usize {
        self.held().len()
    }

    /// Registers octets in every form in which they could be printed.
    pub(crate) fn octets(&self, octets: &[u8]) {
        use std::fmt::Write as _;

        let hex = octets.iter().fold(String::new(), |mut hex, octet| {
            write!(hex, "{octet:02x}").unwrap();
            hex
        });
        let list = format!("{octets:?}");
        let list = list.trim_matches(['[', ']']).to_owned();
        for form in [base64url::encode(octets), hex.to_uppercase(), hex, list] {
            self.text(&form);
        }
    }

    /// Registers a text and, if it is a compact JWS, its parts. URLs are no secrets.
    pub(crate) fn text(&self, text: &str) {
        let mut held = self.held();
        for part in text.split('.').chain([text]) {
            if part.len() >= MIN_SECRET && !text.contains("://") {
                held.insert(part.to_owned());
            }
        }
    }

    /// Registers every word of a body: blobs, statements and tokens are lines or quoted texts. The zeros
    /// that fill an answer up are none.
    pub(crate) fn body(&self, body: &[u8]) {
        let text = String::from_utf8_lossy(body);
        for word in text.split(|c: char| c.is_whitespace() || "\"=,".contains(c)) {
            if word.bytes().any(|octet| octet != b'0') {
                self.text(word);
            }
        }
    }

    /// Registers what travelled: blobs, statements, storage tokens with their keys and signatures.
    pub(crate) fn exchange(&self, exchange: &Exchange) {
        self.body(&exchange.body);
        if let Some((200..300, body)) = &exchange.answer
            && body.len() <= MAX_ANSWER
        {
            self.body(body);
        }
        for (name, value) in &exchange.headers {
            if name == "authorization" || name.starts_with("stir-oob-") {
                self.body(value.as_bytes());
            }
        }
    }

    /// What of all this stands in `text`: the line in which it does.
    pub(crate) fn found_in(&self, text: &str) -> Option<String> {
        if text.contains(PREFIX) {
            return Some(format!("a number: {}", around(text, PREFIX)));
        }
        let held = self.held();
        let (lists, words): (Vec<&String>, Vec<&String>) =
            held.iter().partition(|secret| secret.contains(", "));
        // Words are compared with the long words of the text: a log has few of them.
        let samples: HashSet<&str> = words.iter().flat_map(|secret| samples(secret)).collect();
        let lengths: BTreeSet<usize> = samples.iter().map(|sample| sample.len()).collect();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let found_word = text
            .split(|c: char| !is_part(c))
            .filter(|word| word.len() >= MIN_SECRET)
            .flat_map(|word| (0..word.len()).map(move |at| &word[at..]))
            .flat_map(|rest| lengths.iter().filter_map(move |length| rest.get(..*length)))
            .find(|part| samples.contains(part));
        let mut lists = lists.iter().flat_map(|secret| self::samples(secret));
        let found = found_word.or_else(|| lists.find(|sample| text.contains(sample)))?;
        Some(format!("a secret: {}", around(text, found)))
    }

    pub(crate) fn assert_absent_from(&self, what: &str, text: &str) {
        if let Some(found) = self.found_in(text) {
            panic!("{what} shows {found}");
        }
    }

    /// The platform's cryptography, of which every secret is registered.
    pub(crate) fn provider(&self) -> Arc<dyn CryptoProvider> {
        Arc::new(Telling(self.clone()))
    }
}

/// Fails if the log since then, or the body of a problem, shows anything that travelled.
pub(crate) fn assert_quiet(exchanges: &[Exchange], since: usize) {
    let secrets = Secrets::new();
    for exchange in exchanges {
        secrets.exchange(exchange);
    }
    secrets.assert_absent_from("the log", &recorded_since(since));
    for exchange in exchanges {
        if let Some((400.., body)) = &exchange.answer {
            secrets.assert_absent_from("a problem", &String::from_utf8_lossy(body));
        }
    }
}

/// Beginning, middle and end of long texts: a log may cut or wrap them.
fn samples(secret: &str) -> Vec<&str> {
    let middle = secret.len() / 2;
    match secret.len() {
        0..MIN_SECRET => vec![],
        MIN_SECRET..60 => vec![secret],
        _ => vec![
            &secret[..24],
            &secret[middle..middle + 24],
            &secret[secret.len() - 24..],
        ],
    }
}

/// The line in which `what` stands.
fn around(text: &str, what: &str) -> String {
    let line = text.lines().find(|line| line.contains(what));
    line.unwrap_or_default().chars().take(300).collect()
}

struct Telling(Secrets);

impl CryptoProvider for Telling {
    fn fill_random(&self, out: &mut [u8]) -> Result<(), Reason> {
        AwsLcCrypto.fill_random(out)?;
        // Call nonces are 16 octets, ephemeral keys and salts more; jitter takes fewer.
        if out.len() >= 16 {
            self.0.octets(out);
        }
        Ok(())
    }

    fn verify_es256(&self, key: &P256PublicKey, message: &[u8], sig: &Es256Signature) -> bool {
        AwsLcCrypto.verify_es256(key, message, sig)
    }

    fn sign_es256(&self, secret: &SecretKey, message: &[u8]) -> Result<Es256Signature, Reason> {
        self.0.octets(secret.expose());
        let signature = AwsLcCrypto.sign_es256(secret, message)?;
        self.0.octets(signature.as_raw());
        Ok(signature)
    }

    fn generate(&self, curve: Curve) -> Result<GeneratedKey, Reason> {
        let key = AwsLcCrypto.generate(curve)?;
        self.0.octets(key.secret.expose());
        self.0.octets(&key.public);
        Ok(key)
    }

    fn public_key(&self, curve: Curve, secret: &SecretKey) -> Result<Vec<u8>, Reason> {
        AwsLcCrypto.public_key(curve, secret)
    }

    fn agree(&self, curve: Curve, secret: &SecretKey, peer: &[u8]) -> Result<SharedSecret, Reason> {
        let agreed = AwsLcCrypto.agree(curve, secret, peer)?;
        self.0.octets(agreed.expose());
        Ok(agreed)
    }
}
