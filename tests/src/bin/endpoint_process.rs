//! An endpoint as a process that tests kill.
//!
//! `endpoint_process LAB NUMBER STATE BASE rotate` rotates its keys until it is killed and writes
//! `published` after each rotation; with `once` it ends after the first. `… ring FROM` waits for a line, rings once, writes the verdict and
//! its reasons and ends. Both write `ready` first.

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use ringtrue::{AddressPolicy, Endpoint, HttpSettings, SoftwareSigner, TelephoneNumber};
use ringtrue_lab::Lab;

/// Time enough for whatever the machine is doing beside.
const DEADLINE: Option<Duration> = Some(Duration::from_secs(30));

fn tell(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn endpoint(lab: &str, number: &str, state: &str, base: &str) -> Result<Endpoint, Box<dyn Error>> {
    let number = TelephoneNumber::from_canonical(number)?;
    let lab = Lab::open(lab)?;
    let credential = lab.credential(&number)?;
    let signer = SoftwareSigner::new(credential.secret.clone())?;
    let endpoint = Endpoint::builder()
        .allow_direct(true)
        .number(number.as_str())
        .credential(
            credential.chain_pem.clone(),
            lab.config().x5u(&number)?.as_str(),
        )
        .signer(Arc::new(signer))
        .anchors_pem(lab.anchor_pem()?)
        .service(base)
        .state_file(state)
        .http(HttpSettings {
            addresses: AddressPolicy::public_only().allow_loopback(),
            extra_roots_pem: vec![lab.tls_identity()?.root_pem],
            web_roots: false,
            connect_timeout: Duration::from_secs(30),
            ..HttpSettings::default()
        })
        .build()?;
    Ok(endpoint)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match arguments.as_slice() {
        [lab, number, state, base, "rotate"] => {
            let endpoint = endpoint(lab, number, state, base)?;
            tell("ready")?;
            runtime.block_on(async {
                loop {
                    endpoint.rotate_keys(DEADLINE).await?;
                    tell("published")?;
                }
            })
        }
        [lab, number, state, base, "rotate", "once"] => {
            let endpoint = endpoint(lab, number, state, base)?;
            tell("ready")?;
            runtime.block_on(endpoint.rotate_keys(DEADLINE))?;
            Ok(tell("published")?)
        }
        [lab, number, state, base, "ring", from] => {
            let endpoint = endpoint(lab, number, state, base)?;
            tell("ready")?;
            std::io::stdin().read_line(&mut String::new())?;
            let call = runtime.block_on(endpoint.ring(Some(from), Some(number), DEADLINE))?;
            let found = call.verdict();
            let mut line = found.verdict.name().to_owned();
            for reason in &found.reasons {
                line.push(' ');
                line.push_str(reason.name());
            }
            Ok(tell(&line)?)
        }
        _ => Err("endpoint_process LAB NUMBER STATE BASE (rotate [once] | ring FROM)".into()),
    }
}
