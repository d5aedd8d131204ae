//! Giving up from outside, for a language whose own cancellation does not reach across the border.
//!
//! Kotlin and Python drop the future that a cancelled coroutine waits for, and the work stops. The
//! generated Swift has no such way: a cancelled `Task` goes on waiting. There a cancellation handler
//! calls [`Cancellation::cancel`].

use std::future::Future;
use std::sync::Arc;

use ringtrue::Reason;
use tokio::sync::watch;

use crate::tasks::Tasks;

/// Gives up what was begun with it, once and for all: what runs and what comes later fails with
/// `cancelled`. May be used from any thread, and again without effect.
///
/// For languages whose own cancellation does not arrive here: Swift. Make one for each piece of work.
#[derive(uniffi::Object)]
pub struct Cancellation(watch::Sender<bool>);

#[uniffi::export]
impl Cancellation {
    /// Nothing is cancelled yet.
    #[uniffi::constructor]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives up whatever was begun with this. Returns at once.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }
}

impl Default for Cancellation {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Cancellation {
    /// Ends when this is cancelled. Needs no thread of any runtime.
    pub(crate) async fn cancelled(&self) {
        // An error says that the sender is gone, which is `self`.
        let _ = self.0.subscribe().wait_for(|cancelled| *cancelled).await;
    }
}

/// Waits for `change`, unless `cancellation` comes first: then there is none.
pub(crate) async fn until<T>(
    cancellation: Option<Arc<Cancellation>>,
    change: impl Future<Output = Option<T>>,
) -> Option<T> {
    match cancellation {
        None => change.await,
        Some(cancellation) => tokio::select! {
            biased;
            () = cancellation.cancelled() => None,
            change = change => change,
        },
    }
}

/// An endpoint's threads, for work that is given up when something is cancelled.
pub(crate) struct Work {
    pub(crate) tasks: Arc<Tasks>,
    cancellation: Option<Arc<Cancellation>>,
}

impl Work {
    /// Work that only its own future gives up.
    pub(crate) fn new(tasks: Tasks) -> Self {
        Self {
            tasks: Arc::new(tasks),
            cancellation: None,
        }
    }

    /// The same threads, for work that `cancellation` gives up.
    pub(crate) fn cancelled_by(&self, cancellation: Arc<Cancellation>) -> Self {
        Self {
            tasks: Arc::clone(&self.tasks),
            cancellation: Some(cancellation),
        }
    }

    /// Runs `work` on the endpoint's threads, as [`Tasks::run`].
    ///
    /// # Errors
    ///
    /// As [`Tasks::run`]; [`Reason::Cancelled`] also if it was cancelled before or meanwhile.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Reason> {
        let Some(cancellation) = &self.cancellation else {
            return self.tasks.run(work).await;
        };
        tokio::select! {
            // First, so that what was cancelled before does not begin.
            biased;
            () = cancellation.cancelled() => Err(Reason::Cancelled),
            done = self.tasks.run(work) => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::{Arc, mpsc};
    use std::time::Duration;

    use ringtrue::Reason;
    use tokio::runtime::Builder;

    use super::{Cancellation, Work};
    use crate::tasks::Tasks;

    /// As a foreign executor: a thread without any tokio runtime's timers.
    fn wait<T>(future: impl Future<Output = T>) -> T {
        Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    /// Tells when it is dropped.
    struct Tell(mpsc::Sender<()>);

    impl Drop for Tell {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }

    #[test]
    fn cancelling_drops_the_work_and_what_comes_later_does_not_begin() {
        let cancellation = Arc::new(Cancellation::new());
        let all = Work::new(Tasks::start().unwrap());
        let work = all.cancelled_by(Arc::clone(&cancellation));
        let (sender, dropped) = mpsc::channel();
        let (begun, started) = mpsc::channel();
        let tell = Tell(sender);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                wait(work.run(async move {
                    let _tell = tell;
                    begun.send(()).unwrap();
                    pending::<()>().await;
                }))
            });
            started.recv_timeout(Duration::from_secs(60)).unwrap();
            cancellation.cancel();
            cancellation.cancel();
            assert_eq!(waiting.join().unwrap(), Err(Reason::Cancelled));
        });
        dropped.recv_timeout(Duration::from_secs(60)).unwrap();
        let late = wait(work.run(async { panic!("must not begin") }));
        assert_eq!(late, Err::<(), _>(Reason::Cancelled));
        assert_eq!(wait(all.run(async { 1 })), Ok(1));
    }
}
