//! Everything that this process logs at debug level, by whichever test and library.

use std::io::Write;
use std::sync::{Mutex, Once, PoisonError};

use tracing::Level;

static RECORDED: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static BEGIN: Once = Once::new();
static BRIDGE: Bridge = Bridge;

struct Recorder;

impl Write for Recorder {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        let mut recorded = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What libraries write through `log`.
struct Bridge;

impl log::Log for Bridge {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!(
            "{} {}: {}\n",
            record.level(),
            record.target(),
            record.args()
        );
        let _ = Recorder.write(line.as_bytes());
    }

    fn flush(&self) {}
}

/// Records from now on. Every world begins with it.
pub(crate) fn record() {
    BEGIN.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(Level::DEBUG)
            .with_ansi(false)
            .with_writer(|| Recorder)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        log::set_logger(&BRIDGE).unwrap();
        log::set_max_level(log::LevelFilter::Debug);
    });
}

/// All that was logged so far.
pub(crate) fn recorded() -> String {
    recorded_since(0)
}

/// How much was logged so far, in octets.
pub(crate) fn length() -> usize {
    let recorded = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
    recorded.len()
}

/// What was logged after that many octets, by whichever test.
pub(crate) fn recorded_since(length: usize) -> String {
    let recorded = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&recorded[length..]).into_owned()
}
