//! Where an endpoint's work is done: on threads of its own.
//!
//! The generated code polls a future on whatever thread the application's executor chooses, which may
//! be the one that draws the screen. So a future that crosses the border only waits; the work is a
//! task on the endpoint's own small runtime. That also gives the endpoint an end: when it is closed,
//! its runtime stops, with everything that still ran in the background.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use ringtrue::Reason;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Two: while one checks a call's PASSporTs, which takes some milliseconds, the other keeps deadlines.
const WORKERS: usize = 2;

/// The most threads for what may block: keys, state store, name resolution, transport. A key store that
/// waits for a finger holds one of them for as long as the person takes; beyond this number, work
/// queues until its deadline.
const MAX_BLOCKING_THREADS: usize = 32;

/// How long a shutdown waits for what the application was asked to do: enough for a key store, not for
/// a person who was asked for a finger.
const MAX_SHUTDOWN: Duration = Duration::from_secs(1);

/// A runtime that stops when this is dropped or shut down.
pub(crate) struct Tasks {
    handle: Handle,
    runtime: Mutex<Option<Runtime>>,
}

impl Tasks {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// [`Reason::Internal`] if the system gives none.
    pub(crate) fn start() -> Result<Self, Reason> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .max_blocking_threads(MAX_BLOCKING_THREADS)
            .thread_name("ringtrue")
            .enable_all()
            .build()
            .map_err(|_| Reason::Internal)?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Mutex::new(Some(runtime)),
        })
    }

    /// The threads, for work that is begun by a call that does not wait for it. Once they were stopped,
    /// such work does not begin.
    pub(crate) fn threads(&self) -> Handle {
        self.handle.clone()
    }

    /// Runs `work` on the endpoint's threads. Dropping the future that this returns gives it up.
    ///
    /// # Errors
    ///
    /// [`Reason::Cancelled`] if the endpoint is shut down before or meanwhile; [`Reason::Internal`] if
    /// `work` panics.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Reason> {
        let mut task = AbortOnDrop(self.handle.spawn(work));
        let done = (&mut task.0).await;
        self.unless_stopped()?;
        done.map_err(|error| match error.is_cancelled() {
            true => Reason::Cancelled,
            false => Reason::Internal,
        })
    }

    /// Runs `work` on a thread that may block. It cannot be given up once it has begun.
    ///
    /// # Errors
    ///
    /// What `work` says; `failure` if it panics; [`Reason::Cancelled`] as [`Tasks::run`].
    pub(crate) async fn run_blocking<T: Send + 'static>(
        &self,
        failure: Reason,
        work: impl FnOnce() -> Result<T, Reason> + Send + 'static,
    ) -> Result<T, Reason> {
        let mut task = AbortOnDrop(self.handle.spawn_blocking(work));
        let done = (&mut task.0).await;
        self.unless_stopped()?;
        done.unwrap_or_else(|error| match error.is_cancelled() {
            true => Err(Reason::Cancelled),
            false => Err(failure),
        })
    }

    /// Work whose threads stop fails in ways of its own, a store or a service that is not there any more:
    /// whatever it says from then on, it was given up.
    fn unless_stopped(&self) -> Result<(), Reason> {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        match runtime.is_some() {
            true => Ok(()),
            false => Err(Reason::Cancelled),
        }
    }

    /// Stops the threads, and waits until they have: what they have called in the application ends
    /// first, but is not waited for longer than [`MAX_SHUTDOWN`]. What was running ends with
    /// [`Reason::Cancelled`], and so does what comes later. Repeating it does nothing.
    pub(crate) async fn shut_down(&self) {
        let Some(runtime) = self.take() else { return };
        let (ended, end) = oneshot::channel();
        let stop = move || {
            runtime.shut_down();
            let _ = ended.send(());
        };
        // Waiting for threads blocks, so it has a thread of its own. Without one, nothing is waited for.
        if thread::Builder::new()
            .name("ringtrue-end".to_owned())
            .spawn(stop)
            .is_ok()
        {
            let _ = end.await;
        }
    }

    fn take(&self) -> Option<Stopping> {
        let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        runtime.take().map(|runtime| Stopping(Some(runtime)))
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// A runtime that is about to end. Dropping it waits for nothing: a runtime that is dropped as such
/// waits for its threads without limit, and must not be dropped on one of them.
struct Stopping(Option<Runtime>);

impl Stopping {
    fn shut_down(mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_timeout(MAX_SHUTDOWN);
        }
    }
}

impl Drop for Stopping {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Stops a task when nobody waits for it any more.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use ringtrue::Reason;
    use tokio::runtime::Builder;

    use super::Tasks;

    /// As a foreign executor: a thread without any tokio runtime's timers.
    fn wait<T>(future: impl Future<Output = T>) -> T {
        Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    /// Drops `future` as soon as its work has begun.
    fn give_up_once_begun(future: impl Future, begun: &mpsc::Receiver<()>) {
        wait(async {
            tokio::select! {
                biased;
                _ = future => {}
                () = async { begun.recv_timeout(Duration::from_secs(60)).unwrap() } => {}
            }
        });
    }

    /// Tells when it is dropped.
    struct Tell(mpsc::Sender<()>);

    impl Drop for Tell {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }

    #[test]
    fn work_has_timers_and_may_spawn_on_threads_of_its_own() {
        let tasks = Tasks::start().unwrap();
        let name = wait(tasks.run(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let spawned = tokio::spawn(async { std::thread::current().name().map(str::to_owned) });
            spawned.await.unwrap()
        }));
        assert_eq!(name, Ok(Some("ringtrue".to_owned())));
        let name = wait(tasks.run_blocking(Reason::SignerFailed, || {
            Ok(std::thread::current().name().map(str::to_owned))
        }));
        assert_eq!(name, Ok(Some("ringtrue".to_owned())));
    }

    #[test]
    fn dropping_the_future_drops_the_work() {
        let tasks = Tasks::start().unwrap();
        let (sender, dropped) = mpsc::channel();
        let (begun, started) = mpsc::channel();
        let tell = Tell(sender);
        let work = tasks.run(async move {
            let _tell = tell;
            begun.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        give_up_once_begun(work, &started);
        dropped.recv_timeout(Duration::from_secs(60)).unwrap();
    }

    #[test]
    fn a_shutdown_ends_what_runs_and_what_comes_later() {
        let tasks = Tasks::start().unwrap();
        let (begun, started) = mpsc::channel();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                wait(tasks.run(async move {
                    begun.send(()).unwrap();
                    std::future::pending::<()>().await;
                }))
            });
            started.recv_timeout(Duration::from_secs(60)).unwrap();
            wait(tasks.shut_down());
            assert_eq!(waiting.join().unwrap(), Err(Reason::Cancelled));
        });
        assert_eq!(wait(tasks.run(async {})), Err(Reason::Cancelled));
        let later = wait(tasks.run_blocking(Reason::SignerFailed, || Ok(())));
        assert_eq!(later, Err(Reason::Cancelled));
        wait(tasks.shut_down());
    }

    #[test]
    fn what_work_says_once_its_threads_stop_is_that_it_was_cancelled() {
        let tasks = Tasks::start().unwrap();
        let (begun, started) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                wait(tasks.run(async move {
                    begun.send(()).unwrap();
                    // Holds its thread, so that it is not dropped when the threads stop.
                    released.recv().unwrap();
                    Err::<(), _>(Reason::StateUnavailable)
                }))
            });
            started.recv_timeout(Duration::from_secs(60)).unwrap();
            // From its first poll on the threads stop.
            wait(async {
                tokio::select! {
                    biased;
                    () = tasks.shut_down() => {}
                    () = std::future::ready(()) => {}
                }
            });
            release.send(()).unwrap();
            assert_eq!(waiting.join().unwrap(), Err(Reason::Cancelled));
        });
    }

    #[test]
    fn a_shutdown_waits_for_what_was_called_but_not_for_ever() {
        let tasks = Tasks::start().unwrap();
        let (begun, started) = mpsc::channel();
        let (done, ended) = mpsc::channel();
        let call = tasks.run_blocking(Reason::SignerFailed, move || {
            begun.send(()).unwrap();
            std::thread::sleep(Duration::from_millis(50));
            done.send(()).unwrap();
            Ok(())
        });
        give_up_once_begun(call, &started);
        wait(tasks.shut_down());
        assert_eq!(ended.try_recv(), Ok(()));

        let tasks = Tasks::start().unwrap();
        let (begun, started) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let call = tasks.run_blocking(Reason::SignerFailed, move || {
            begun.send(()).unwrap();
            released.recv().map_err(|_| Reason::SignerFailed)
        });
        give_up_once_begun(call, &started);
        wait(tasks.shut_down());
        drop(release);
    }

    #[test]
    fn a_panic_becomes_a_reason() {
        let tasks = Tasks::start().unwrap();
        let failed = wait(tasks.run(async { panic!("a defect") }));
        assert_eq!(failed, Err::<(), _>(Reason::Internal));
        let failed = wait(tasks.run_blocking(Reason::SignerFailed, || panic!("a foreign one")));
        assert_eq!(failed, Err::<(), _>(Reason::SignerFailed));
        assert_eq!(wait(tasks.run(async { 1 })), Ok(1));
    }

    #[test]
    fn it_may_be_dropped_on_its_own_threads() {
        let tasks = std::sync::Arc::new(Tasks::start().unwrap());
        let (sender, dropped) = mpsc::channel();
        let own = std::sync::Arc::clone(&tasks);
        let handle = tasks.handle.clone();
        drop(tasks);
        handle.spawn(async move {
            drop(own);
            sender.send(()).unwrap();
        });
        dropped.recv_timeout(Duration::from_secs(60)).unwrap();
    }
}
