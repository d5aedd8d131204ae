//! Where log lines go: standard error, so that standard output is only results.

use tracing_subscriber::EnvFilter;

/// Starts logging. `filter` is in the form of `tracing`'s directives (`info`, `ringtrue_cps=debug`);
/// without one only warnings are shown. At no level is a number, token, key or blob written.
pub(crate) fn start(filter: Option<&str>) {
    let filter = EnvFilter::try_new(filter.unwrap_or("warn")).unwrap_or_else(|_| "warn".into());
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second start, as in tests, changes nothing.
    let _ = logs.json().try_init();
}
