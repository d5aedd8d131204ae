//! Drives a session: takes its steps, performs its actions, feeds the results back.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use ringtrue_session::{Sealed, Session, Step};

use crate::host::Host;

/// Runs `session` to its end. `report` gets what it tells on the way.
///
/// The session keeps its own deadline; nothing it waits for can hold it beyond. Dropping the future
/// drops what is outstanding.
pub(crate) async fn drive<S: Session>(
    host: &Host,
    session: S,
    mut report: impl FnMut(S::Report),
) -> S::Output {
    let mut session = Sealed::new(session, host.records.key.clone());
    let mut running = FuturesUnordered::new();
    loop {
        match session.next(host.now()) {
            Step::Act(action) => running.push(host.perform(action)),
            Step::Report(told) => report(told),
            Step::Done(output) => return output,
            Step::Wait(until) => {
                let until = host.instant(until);
                tokio::select! {
                    biased;
                    Some(input) = running.next(), if !running.is_empty() => {
                        if let Some(input) = input {
                            session.input(input, host.now());
                        }
                    }
                    () = tokio::time::sleep_until(until) => {}
                }
            }
            // Sessions of this version take no other steps.
            _ => tokio::task::yield_now().await,
        }
    }
}
