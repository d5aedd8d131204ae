//! Drives a session: takes its steps, performs its actions, feeds the results back.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use ringtrue_session::{CallEvent, Relayed, Sealed, Session, Step};
use ringtrue_stir::Reason;
use tokio::sync::mpsc::UnboundedReceiver;

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
    let (output, _) = drive_noting(host, session, |told, _| report(told)).await;
    output
}

/// As [`drive`], with what is worth knowing of how the requests travelled: with each report what is
/// known by then, with the end everything.
pub(crate) async fn drive_noting<S: Session>(
    host: &Host,
    session: S,
    report: impl FnMut(S::Report, &[Reason]),
) -> (S::Output, Vec<Reason>) {
    run(host, session, None, report).await
}

/// As [`drive_noting`], and tells the session what happens to its call.
pub(crate) async fn drive_call<S: Session>(
    host: &Host,
    session: S,
    events: UnboundedReceiver<CallEvent>,
    report: impl FnMut(S::Report, &[Reason]),
) -> (S::Output, Vec<Reason>) {
    run(host, session, Some(events), report).await
}

async fn run<S: Session>(
    host: &Host,
    session: S,
    mut events: Option<UnboundedReceiver<CallEvent>>,
    mut report: impl FnMut(S::Report, &[Reason]),
) -> (S::Output, Vec<Reason>) {
    // What the relay's side keeps is sealed like everything else.
    let session = Relayed::new(session, host.context());
    let mut session = Sealed::new(session, host.records.key.clone());
    let mut running = FuturesUnordered::new();
    loop {
        match session.next(host.now()) {
            Step::Act(action) => running.push(host.perform(action)),
            Step::Report(told) => {
                report(told, session.inner().notices());
            }
            Step::Done(output) => {
                return (output, session.inner().notices().to_vec());
            }
            Step::Wait(until) => {
                let until = host.instant(until);
                tokio::select! {
                    biased;
                    event = next(&mut events) => match event {
                        Some(event) => session.event(event, host.now()),
                        None => events = None,
                    },
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

/// The next event; never, where there are none.
async fn next(events: &mut Option<UnboundedReceiver<CallEvent>>) -> Option<CallEvent> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

/// Adds reasons that are not there yet.
pub(crate) fn note(reasons: &mut Vec<Reason>, more: impl IntoIterator<Item = Reason>) {
    for reason in more {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
}
