//! An `iat` that no earlier PASSporT of this endpoint carries for the same two numbers.
//!
//! A PASSporT serves one call, and is recognised by `orig`, `dest`, `iat` and signer (W-7). Two honest
//! calls within one second would look like one to the other side, and the second would be refused. So
//! the second is dated a second ahead, which is far inside the clock skew that readers allow (W-24).

use core::time::Duration;

use ringtrue_stir::{Reason, UnixTime};

use crate::step::Ids;
use crate::{Action, ActionId, Monotonic, RecordName};

/// How far ahead a PASSporT is dated at most, in seconds: half of what readers allow.
const MAX_AHEAD: u64 = 5;

/// How long a date is remembered, in seconds: as long as anybody could find it fresh.
const REMEMBERED: u64 = 120;

/// How long the state store may take. It only guards against a redial within a second, which is no
/// reason to announce nothing.
const PATIENCE: Duration = Duration::from_millis(200);

/// Finds the `iat` of one PASSporT.
pub(crate) struct OwnIat {
    kind: &'static str,
    orig: String,
    dest: String,
    asked: Option<(ActionId, UnixTime)>,
    patience: Option<Monotonic>,
    settled: Option<UnixTime>,
}

impl OwnIat {
    /// For a PASSporT of `kind` between two numbers.
    pub(crate) fn new(kind: &'static str, orig: &str, dest: &str) -> Self {
        Self {
            kind,
            orig: orig.to_owned(),
            dest: dest.to_owned(),
            asked: None,
            patience: None,
            settled: None,
        }
    }

    /// The action that is to be started, once.
    pub(crate) fn action(
        &mut self,
        now: UnixTime,
        monotonic: Monotonic,
        ids: &mut Ids,
    ) -> Option<Action> {
        if self.patience.is_some() {
            return None;
        }
        self.patience = Some(monotonic.plus(PATIENCE));
        Some(self.ask(now, ids))
    }

    fn ask(&mut self, iat: UnixTime, ids: &mut Ids) -> Action {
        let id = ids.next();
        self.asked = Some((id, iat));
        Action::Claim {
            id,
            record: RecordName::own_passport(self.kind, &self.orig, &self.dest, iat),
            expires: iat.as_secs().saturating_add(REMEMBERED),
        }
    }

    /// Takes in what came of a claim; gives the next one if the date is taken.
    pub(crate) fn claimed(
        &mut self,
        id: ActionId,
        result: Result<bool, Reason>,
        now: UnixTime,
        ids: &mut Ids,
    ) -> Option<Action> {
        let (_, iat) = self.asked.take_if(|(asked, _)| *asked == id)?;
        let next = iat.plus(Duration::from_secs(1));
        match result {
            Ok(false) if next <= now.plus(Duration::from_secs(MAX_AHEAD)) => {
                Some(self.ask(next, ids))
            }
            // Too many calls at once, or no store: the date may be one that was used.
            Ok(_) | Err(_) => {
                self.settled = Some(iat);
                None
            }
        }
    }

    /// The date, if it is found or cannot be waited for any longer.
    pub(crate) fn settled(&self, now: UnixTime, monotonic: Monotonic) -> Option<UnixTime> {
        let impatient = self.patience.is_some_and(|patience| patience <= monotonic);
        // What is asked for now has not been refused; every date before it has.
        let asked = self.asked.map_or(now, |(_, iat)| iat.max(now));
        self.settled.or_else(|| impatient.then_some(asked))
    }

    /// When to look again at the latest. A patience that has ended is no time to wait for: whatever
    /// else is outstanding may take longer.
    pub(crate) fn wake(&self, monotonic: Monotonic, deadline: Monotonic) -> Monotonic {
        self.patience
            .filter(|patience| self.settled.is_none() && *patience > monotonic)
            .map_or(deadline, |patience| patience.min(deadline))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn asked(action: Option<Action>) -> ActionId {
        match action {
            Some(Action::Claim { id, .. }) => id,
            _ => panic!("no claim"),
        }
    }

    #[test]
    fn a_store_that_is_slow_leaves_the_date_of_now() {
        let mut iat = OwnIat::new("base", "1", "2");
        let (start, mut ids) = (Monotonic::from_ms(0), Ids::default());
        asked(iat.action(NOW, start, &mut ids));
        assert_eq!(iat.settled(NOW, start), None);
        assert_eq!(iat.settled(NOW, start.plus(PATIENCE)), Some(NOW));
    }

    #[test]
    fn a_date_that_was_refused_is_not_taken_when_the_store_is_slow_afterwards() {
        let mut iat = OwnIat::new("base", "1", "2");
        let (start, mut ids) = (Monotonic::from_ms(0), Ids::default());
        let id = asked(iat.action(NOW, start, &mut ids));
        asked(iat.claimed(id, Ok(false), NOW, &mut ids));
        let late = start.plus(PATIENCE);
        let next = NOW.plus(Duration::from_secs(1));
        assert_eq!(iat.settled(NOW, late), Some(next));
        // Nor is one of the past.
        let later = NOW.plus(Duration::from_secs(3));
        assert_eq!(iat.settled(later, late), Some(later));
    }
}
