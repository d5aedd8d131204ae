//! What the library logs, handed to the application from a thread of its own.
//!
//! Whoever logs only leaves a line in a bounded queue: no lock of the application, no slow disk and no
//! exception holds up a call. Lines are the library's own: those of other crates, which may show addresses,
//! are left out. Its lines hold nothing of a call by rule; as a second line of defence, what looks like a
//! telephone number is taken out here.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::span;
use tracing::subscriber::{Interest, Subscriber};
use tracing::{Event, Metadata};

use crate::{HostError, RingTrueError};

/// The most lines that wait. What comes when they do is counted and lost.
const MAX_WAITING: usize = 256;

/// The longest line, in octets.
const MAX_LINE: usize = 512;

/// Digits, with single separators between them, that are as many as these look like a number.
const NUMBER_DIGITS: usize = 7;

/// How long [`set_log_sink`] waits for a line that is being delivered.
const MAX_DELIVERY: Duration = Duration::from_secs(1);

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, uniffi::Enum)]
pub enum LogLevel {
    /// What needs somebody's attention.
    Error,
    /// What went wrong and was dealt with.
    Warn,
    /// What rarely happens and is worth knowing.
    Info,
    /// What became of calls, by verdicts and reasons.
    Debug,
}

impl LogLevel {
    fn of(level: tracing::Level) -> Option<Self> {
        Some(match level {
            tracing::Level::ERROR => Self::Error,
            tracing::Level::WARN => Self::Warn,
            tracing::Level::INFO => Self::Info,
            tracing::Level::DEBUG => Self::Debug,
            _ => return None,
        })
    }
}

/// Takes the library's log lines.
///
/// Called on one thread of the library, in order, which does nothing else: it may block. What it throws is
/// ignored. A line holds no telephone number, token, key or URL of a call.
#[uniffi::export(foreign)]
pub trait LogSink: Send + Sync {
    /// Takes one line; `target` says which part of the library it is from.
    ///
    /// # Errors
    ///
    /// Ignored.
    fn log(&self, level: LogLevel, target: String, message: String) -> Result<(), HostError>;
}

/// Hands the library's log lines, of all endpoints, to `sink` from now on, down to `level`; nothing:
/// to nobody, as in the beginning. Returns when the sink before is not called any more, after a second at
/// the latest; in Python take the sink away before the interpreter ends.
///
/// # Errors
///
/// `configuration_invalid` if this process collects the log lines of Rust crates in another way;
/// `internal` if there is no thread.
#[uniffi::export]
pub fn set_log_sink(sink: Option<Arc<dyn LogSink>>, level: LogLevel) -> Result<(), RingTrueError> {
    static QUEUE: OnceLock<Result<&'static Queue, ringtrue::Reason>> = OnceLock::new();
    let queue = match (QUEUE.get(), &sink) {
        (None, None) => return Ok(()),
        _ => QUEUE.get_or_init(Queue::start),
    };
    queue
        .as_ref()
        .map_err(|reason| *reason)?
        .replace(sink, level);
    Ok(())
}

struct Line {
    level: LogLevel,
    target: String,
    message: String,
}

#[derive(Default)]
struct State {
    sink: Option<(Arc<dyn LogSink>, LogLevel)>,
    waiting: VecDeque<Line>,
    lost: u64,
    /// The thread that delivers, while it does.
    delivering: Option<ThreadId>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

impl Queue {
    /// Makes the queue of this process and its thread, and takes the lines of the process.
    fn start() -> Result<&'static Self, ringtrue::Reason> {
        let queue: &'static Self = Box::leak(Box::default());
        tracing::subscriber::set_global_default(Collector(queue))
            .map_err(|_| ringtrue::Reason::ConfigurationInvalid)?;
        thread::Builder::new()
            .name("ringtrue-log".to_owned())
            .spawn(|| queue.deliver())
            .map_err(|_| ringtrue::Reason::Internal)?;
        Ok(queue)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn replace(&self, sink: Option<Arc<dyn LogSink>>, level: LogLevel) {
        let mut state = self.state();
        // The one before goes when nothing is locked any more: it is the application's.
        let _before = std::mem::replace(&mut state.sink, sink.map(|sink| (sink, level)));
        // What waits was meant for the one before.
        state.waiting.clear();
        state.lost = 0;
        let own = thread::current().id();
        let waited = self
            .changed
            .wait_timeout_while(state, MAX_DELIVERY, |state| {
                state.delivering.is_some_and(|thread| thread != own)
            });
        drop(waited);
    }

    fn wants(&self, metadata: &Metadata<'_>) -> Option<LogLevel> {
        let level = LogLevel::of(*metadata.level())?;
        let own = metadata.target().split("::").next() == Some("ringtrue")
            || metadata.target().starts_with("ringtrue_");
        let state = self.state();
        let wanted = state.sink.as_ref().is_some_and(|(_, most)| level <= *most);
        (own && wanted).then_some(level)
    }

    fn push(&self, line: Line) {
        let mut state = self.state();
        if state.waiting.len() >= MAX_WAITING {
            state.lost = state.lost.saturating_add(1);
            return;
        }
        state.waiting.push_back(line);
        drop(state);
        self.changed.notify_all();
    }

    /// Hands lines over, one after the other, for as long as the process lives.
    fn deliver(&self) {
        loop {
            let (sink, line) = self.next();
            // A sink that throws, or breaks, loses this line and gets the next.
            let deliver = || sink.log(line.level, line.target, line.message);
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(deliver));
            self.state().delivering = None;
            self.changed.notify_all();
        }
    }

    fn next(&self) -> (Arc<dyn LogSink>, Line) {
        let mut state = self.state();
        loop {
            let line = match state.lost {
                0 => state.waiting.pop_front(),
                lost if state.waiting.is_empty() => {
                    state.lost = 0;
                    Some(Line {
                        level: LogLevel::Warn,
                        target: "ringtrue::log".to_owned(),
                        message: format!("{lost} lines were lost"),
                    })
                }
                _ => state.waiting.pop_front(),
            };
            if let (Some((sink, _)), Some(line)) = (&state.sink, line) {
                let sink = Arc::clone(sink);
                state.delivering = Some(thread::current().id());
                return (sink, line);
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Collects the lines of this process.
struct Collector(&'static Queue);

impl Subscriber for Collector {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // The level may be another one the next time.
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && self.0.wants(metadata).is_some()
    }

    fn event(&self, event: &Event<'_>) {
        let Some(level) = self.0.wants(event.metadata()) else {
            return;
        };
        let mut text = Text::default();
        event.record(&mut text);
        self.0.push(Line {
            level,
            target: event.metadata().target().to_owned(),
            message: without_numbers(&text.line()),
        });
    }

    // Spans are nobody's here.
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// The message of an event, and its other members behind it.
#[derive(Default)]
struct Text {
    message: String,
    members: String,
}

impl Text {
    fn line(self) -> String {
        let mut line = self.message + &self.members;
        let mut end = MAX_LINE.min(line.len());
        while !line.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        line.truncate(end);
        line
    }
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.members, " {name}={value:?}"),
        };
    }
}

/// The text without what looks like a telephone number: many digits, with a blank, dot, hyphen or bracket
/// between some of them at most.
fn without_numbers(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut run = String::new();
    for character in text.chars().chain([';']) {
        let separates = matches!(character, ' ' | '.' | '-' | '(' | ')');
        let continues = character.is_ascii_digit() || (separates && !run.is_empty());
        if continues && !(separates && run.ends_with("  ")) {
            run.push(character);
            continue;
        }
        let digits = run.chars().filter(char::is_ascii_digit).count();
        if digits < NUMBER_DIGITS {
            shown.push_str(&run);
        } else {
            shown.push('…');
            // The blank before what follows was not part of it.
            shown.extend(run.ends_with(' ').then_some(' '));
        }
        run.clear();
        shown.push(character);
    }
    shown.pop();
    shown
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::{LogLevel, LogSink, MAX_LINE, MAX_WAITING, set_log_sink, without_numbers};
    use crate::HostError;

    const PATIENT: Duration = Duration::from_secs(60);

    /// Hands lines on, and waits before each for as long as the gate is closed.
    struct Sink {
        lines: mpsc::Sender<(LogLevel, String, String)>,
        gate: Arc<Mutex<()>>,
    }

    impl LogSink for Sink {
        fn log(&self, level: LogLevel, target: String, message: String) -> Result<(), HostError> {
            let _ = self.lines.send((level, target, message));
            drop(self.gate.lock());
            Err(HostError::Failed)
        }
    }

    /// One test, because a process has one sink.
    #[test]
    fn lines_come_in_order_from_a_bounded_queue_without_numbers_and_at_most_of_a_level() {
        let (lines, taken) = mpsc::channel();
        let gate = Arc::new(Mutex::new(()));
        let sink = || -> Option<Arc<dyn LogSink>> {
            Some(Arc::new(Sink {
                lines: lines.clone(),
                gate: Arc::clone(&gate),
            }))
        };
        let next = || taken.recv_timeout(PATIENT).unwrap();
        let none = || assert!(taken.try_recv().is_err());

        assert_eq!(set_log_sink(None, LogLevel::Debug), Ok(()));
        tracing::error!(target: "ringtrue", "nobody listens");
        assert_eq!(set_log_sink(sink(), LogLevel::Info), Ok(()));
        tracing::debug!(target: "ringtrue", "not of this level");
        tracing::error!(target: "hyper::client", "not ours");
        tracing::error!(target: "ringtruest", "nor this");
        tracing::warn!(target: "ringtrue::x", from = "+1 202 555 0143", count = 12, "seen {}", 12025550199_u64);
        let expected = (
            LogLevel::Warn,
            "ringtrue::x".to_owned(),
            "seen … from=+… count=12".to_owned(),
        );
        assert_eq!(next(), expected);
        tracing::info!(target: "ringtrue_net", "{}", "x".repeat(2 * MAX_LINE));
        assert_eq!(next().2.len(), MAX_LINE);

        // Another level, without another sink in between.
        assert_eq!(set_log_sink(sink(), LogLevel::Error), Ok(()));
        tracing::warn!(target: "ringtrue", "not of this level");
        none();

        // The one that is being delivered holds the others up; whoever logs goes on.
        let closed = gate.lock().unwrap();
        tracing::error!(target: "ringtrue", "first");
        assert_eq!(next().2, "first");
        for at in 0..MAX_WAITING + 3 {
            tracing::error!(target: "ringtrue", at);
        }
        drop(closed);
        for at in 0..MAX_WAITING {
            assert_eq!(next().2, format!(" at={at}"));
        }
        assert_eq!(next().2, "3 lines were lost");

        assert_eq!(set_log_sink(None, LogLevel::Debug), Ok(()));
        tracing::error!(target: "ringtrue", "nobody listens");
        none();
    }

    #[test]
    fn what_looks_like_a_telephone_number_is_taken_out() {
        for (text, shown) in [
            ("12025550143", "…"),
            ("+1 202 555 0143 called", "+… called"),
            ("from (202) 555-0143.", "from (…"),
            ("version 1.2.3, 404 and 5013", "version 1.2.3, 404 and 5013"),
            ("123456", "123456"),
            ("1234567", "…"),
            ("", ""),
        ] {
            assert_eq!(without_numbers(text), shown, "{text}");
        }
    }
}
