//! Where log lines go: standard error, so that standard output is only results.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging. `filter` is a list of levels and of targets with theirs (`info`,
/// `ringtrue_cps=debug`); without one only warnings are shown. At no level is a number, token, key or
/// blob written.
pub(crate) fn start(filter: Option<&str>) {
    let warnings = Targets::new().with_default(LevelFilter::WARN);
    let filter = filter.map_or(Ok(warnings.clone()), str::parse);
    let lines = layer().json().with_writer(std::io::stderr);
    let logs = tracing_subscriber::registry()
        .with(lines)
        .with(filter.unwrap_or(warnings));
    // A second start, as in tests, changes nothing.
    let _ = logs.try_init();
}
