//! What one seal, one opening and one signature cost with the cryptography that firmware has.
//!
//! `cargo bench -p ringtrue-oob --bench firmware --profile release-firmware`, beside the same with
//! `--config 'profile.release-firmware.opt-level="s"'`: the ratio says what the smaller code costs
//! (docs/adr/0024-size.md). The fastest of many batches is printed, which a busy machine disturbs least.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop")]
#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::hint::black_box;
use std::time::Instant;

use ringtrue_oob::{Destination, Suite, generate_key, open, seal};
use ringtrue_stir::TelephoneNumber;
use ringtrue_stir::crypto::{CryptoProvider as _, Curve, P256PublicKey, RustCrypto};

/// Batches, and what is done in each: short enough to fit between two interruptions.
const BATCHES: usize = 200;
const IN_BATCH: u32 = 3;

fn main() {
    let destination: Destination = TelephoneNumber::from_canonical("12025550143")
        .unwrap()
        .into();
    for suite in [Suite::S1, Suite::S2] {
        let (secret, key) = generate_key(&RustCrypto, suite).unwrap();
        let blob = seal(&RustCrypto, &key, &destination, b"content").unwrap();
        time(&format!("seal {suite:?}"), || {
            black_box(seal(&RustCrypto, &key, &destination, b"content").unwrap());
        });
        time(&format!("open {suite:?}"), || {
            black_box(open(&RustCrypto, &blob, &secret, &key, &destination).unwrap());
        });
    }
    let pair = RustCrypto.generate(Curve::P256).unwrap();
    let key = P256PublicKey::from_sec1(&pair.public).unwrap();
    let signature = RustCrypto.sign_es256(&pair.secret, b"message").unwrap();
    time("sign", || {
        black_box(RustCrypto.sign_es256(&pair.secret, b"message").unwrap());
    });
    time("verify", || {
        black_box(RustCrypto.verify_es256(&key, b"message", &signature));
    });
}

fn time(what: &str, mut work: impl FnMut()) {
    let mut best = f64::MAX;
    for _ in 0..BATCHES {
        let start = Instant::now();
        for _ in 0..IN_BATCH {
            work();
        }
        best = best.min(start.elapsed().as_secs_f64() / f64::from(IN_BATCH));
    }
    println!("{what}: {:.0} microseconds", best * 1e6);
}
