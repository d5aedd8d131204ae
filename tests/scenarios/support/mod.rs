//! What the scenarios share: a service that can be made to fail, endpoints, and an attacker's tools.

pub(crate) mod certificate_host;
pub(crate) mod confirming;
pub(crate) mod faults;
pub(crate) mod forge;
pub(crate) mod gateway;
pub(crate) mod keys;
pub(crate) mod logs;
pub(crate) mod puppet;
pub(crate) mod relayed;
pub(crate) mod scene;
pub(crate) mod secrets;
pub(crate) mod stage;
pub(crate) mod tap;
pub(crate) mod witness;
pub(crate) mod world;

use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{StreamExt as _, stream};
use ringtrue::UnixTime;

/// A deadline for what is expected to come, whatever else the machine does.
pub(crate) const PATIENT: Duration = Duration::from_secs(30);

/// A deadline for what is expected never to come.
pub(crate) const BRIEF: Duration = Duration::from_millis(700);

/// The bound on every call: beyond it, it does not end at all. Far above every deadline, because the
/// machine may do much else.
const BOUND: Duration = Duration::from_secs(300);

/// What `call` gives, which it has to give in bounded time.
pub(crate) async fn ends<T>(call: impl Future<Output = T>) -> T {
    tokio::time::timeout(BOUND, call)
        .await
        .expect("the call ends by its deadline")
}

/// Plays cases few at once and each on a task of its own, so that none takes the time of another.
pub(crate) async fn few_at_once<F>(cases: impl IntoIterator<Item = F>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let playing = cases.into_iter().map(tokio::spawn);
    let ended: Vec<_> = stream::iter(playing).buffer_unordered(4).collect().await;
    for ended in ended {
        ended.unwrap();
    }
}

/// The most looks into one mailbox that a call has begun so long after it rang (W-32): one at once, and
/// others a second and two and a half later, each up to a fifth sooner. A busy machine may need longer
/// for the first than that.
pub(crate) fn looks_due(after: Duration) -> usize {
    let later = [800, 2000].map(Duration::from_millis);
    1 + later.iter().filter(|due| after >= **due).count()
}

/// Waits until the system's clock shows another second. Two calls of one second between the same two
/// numbers are one call to a replay check (W-7).
pub(crate) async fn next_second() {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let left =
        Duration::from_secs(1).saturating_sub(Duration::from_nanos(since.subsec_nanos().into()));
    tokio::time::sleep(left + Duration::from_millis(1)).await;
}

/// The system's time, whole seconds.
pub(crate) fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixTime::from_secs(since.as_secs())
}
