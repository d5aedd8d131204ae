//! `ringtrue relay serve`.

use std::path::Path;

use ringtrue_cps::{RelayConfigFile, RelayService, run_until_terminated};

use crate::exit::{Exit, Failure};
use crate::service_args::RelayServeArguments;
use crate::settings::read;

/// Carries requests until the process is told to end.
pub(crate) fn serve(arguments: &RelayServeArguments) -> Result<Exit, Failure> {
    let path = &arguments.config;
    let file = RelayConfigFile::parse(&read(path)?).map_err(|detail| Failure::Configuration {
        path: path.clone(),
        detail,
    })?;
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let mut loaded = file
        .load(folder)
        .map_err(Failure::of("the configuration"))?;
    if let Some(listen) = arguments.listen {
        loaded.relay.listen = listen;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::System {
            what: "the runtime",
            error,
        })?;
    runtime.block_on(async {
        let tls = loaded
            .tls
            .read()
            .map_err(Failure::of("the TLS certificate"))?;
        let relay = RelayService::start(loaded.relay, &tls)
            .await
            .map_err(Failure::of("starting"))?;
        anstream::println!(
            "relaying {} on {}",
            relay.base_url().as_str(),
            relay.local_addr()
        );
        run_until_terminated(relay, Some((loaded.tls, loaded.reload_interval)))
            .await
            .map_err(Failure::of("serving"))
    })?;
    Ok(Exit::Good)
}
