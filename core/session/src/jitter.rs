//! Random delays: between wanting to store something and storing it.

use core::time::Duration;

use crate::{Context, Monotonic, Now};

/// No more than this part of the time that is left goes into waiting.
const SHARE_OF_TIME_LEFT: u32 = 3;

/// When to send a store that is ready at `now` and due by `deadline`: after a uniformly random part of
/// [`Policy::store_jitter`](crate::Policy::store_jitter), so that whoever sees both the telephone and
/// the network cannot join them by the time. At most a third of the time that is left (PRV-42).
pub(crate) fn store_at(context: &Context, now: Now, deadline: Monotonic) -> Monotonic {
    let longest = context.policy.store_jitter.min(
        deadline
            .since(now.monotonic)
            .checked_div(SHARE_OF_TIME_LEFT)
            .unwrap_or_default(),
    );
    now.monotonic.plus(part(context, longest))
}

/// A uniformly random part of `whole`, in steps of 1/255. None of it without randomness: then nothing
/// is sealed either.
fn part(context: &Context, whole: Duration) -> Duration {
    let mut octet = [0_u8; 1];
    if whole.is_zero() || context.provider.fill_random(&mut octet).is_err() {
        return Duration::ZERO;
    }
    let [octet] = octet;
    whole.mul_f64(f64::from(octet) / 255.0)
}
