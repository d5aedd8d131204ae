//! From a lab to what an endpoint is made of.

use std::path::Path;

use ringtrue::TelephoneNumber;
use ringtrue_lab::Lab;

use super::{Parts, TokenIssuer, addresses, read};
use crate::exit::Failure;

/// The parts of the endpoint that has `number` in the lab in `dir`.
pub(super) fn parts(dir: &Path, number: &TelephoneNumber) -> Result<Parts, Failure> {
    let lab = Lab::open(dir).map_err(Failure::Lab)?;
    let config = lab.config();
    // The lab's own errors name no folder, which is a number here.
    let credential = lab.credential(number).map_err(Failure::Lab)?;
    let x5u = config.x5u(number).map_err(Failure::of("lab.toml"))?;
    Ok(Parts {
        credential: Some((credential.chain_pem, x5u.as_str().to_owned())),
        key: credential.key_pem,
        trust: None,
        anchors: vec![read(&dir.join("root.pem"))?.to_string()],
        base_url: config.base_url.clone(),
        mirror_directory: None,
        reader_signers: Vec::new(),
        token_issuer: config.storage_tokens.then_some(TokenIssuer::Service),
        relay: None,
        // A lab is one machine: a relay hides nothing there, and is tried by naming it.
        allow_direct: true,
        tls_root: Some(read(&dir.join("tls-root.pem"))?.to_string()),
        state: lab.state_dir(number),
        addresses: addresses(config.policy.allow_loopback, config.policy.allow_private),
        profile: config.policy.profile.into(),
        numbers: Vec::new(),
        numbering: None,
        serve: None,
    })
}
