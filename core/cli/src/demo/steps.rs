//! From what a telephone was seen doing to the steps that a person follows.
//!
//! An endpoint is seen from outside only: its requests, signatures and marks. What it does in between
//! (checking keys, sealing, opening) is the time between two of them. Pure.

use std::time::Duration;

use super::record::{Event, Kind};
use super::scene::{Step, Who, ms, ms_from};

/// A conversation that a telephone had: what it was seen doing between `begin` and `end`.
pub(super) struct Conversation<'a> {
    /// Whose telephone.
    pub(super) who: Who,
    /// Whom it is about.
    pub(super) other: Who,
    /// What was seen, in order of time.
    pub(super) events: &'a [Event],
    /// When it began.
    pub(super) begin: Duration,
    /// When it ended.
    pub(super) end: Duration,
    /// What times are told relative to.
    pub(super) zero: Duration,
}

impl Conversation<'_> {
    /// The steps of announcing a call.
    pub(super) fn placing(&self) -> Vec<Step> {
        let other = self.other.name();
        let mut steps = Vec::new();
        let lookup = self.first(Kind::Lookup);
        let sign = self.first(Kind::Sign);
        let store = self.first(Kind::Store);
        if let Some(lookup) = lookup {
            steps.push(self.event("lookup", format!("look up {other}'s keys"), lookup));
        }
        if let (Some(lookup), Some(sign)) = (lookup, sign) {
            let text = format!("check {other} signed them");
            steps.push(self.step("check_keys", text, lookup.end, sign.start));
        }
        if let (Some(sign), Some(store)) = (sign, store) {
            let text = "sign and seal".to_owned();
            steps.push(self.step("sign_and_seal", text, sign.start, store.start));
        }
        if let Some(store) = store {
            steps.push(self.event("store", "leave it at the service".to_owned(), store));
        }
        steps
    }

    /// The steps of verifying: fetch, open, check, mark as used. `counts` are blobs that were received
    /// and opened.
    pub(super) fn verifying(&self, counts: (u32, u32)) -> Vec<Step> {
        let claim = self.first(Kind::Claim);
        let verified_by = self.verified_by();
        let Some(fetched) = self.fetched() else {
            return Vec::new();
        };
        let mut steps = vec![self.event("retrieve", "fetch own mailbox".to_owned(), fetched)];
        let checked: Vec<&Event> = self
            .events
            .iter()
            .filter(|event| event.kind == Kind::Verify && event.start >= fetched.end)
            .collect();
        let opened_by = checked.first().map_or(verified_by, |first| first.start);
        let (received, opened) = counts;
        let text = format!("open {received} blobs: {opened} opens");
        steps.push(self.step("open", text, fetched.end, opened_by));
        if !checked.is_empty() {
            let text = format!("check {} signatures", checked.len());
            steps.push(self.step("check", text, opened_by, verified_by));
        }
        if let Some(claim) = claim {
            steps.push(self.event("mark_used", "mark it as used".to_owned(), claim));
        }
        steps
    }

    /// The steps of answering.
    pub(super) fn answering(&self) -> Vec<Step> {
        let other = self.other.name();
        let sign = self.first(Kind::Sign);
        let look = self.first(Kind::Retrieve);
        let store = self.first(Kind::Store);
        let mut steps = Vec::new();
        if let Some(look) = look {
            let text = "still calling? look again".to_owned();
            steps.push(self.event("look_again", text, look));
        }
        let ready = [sign, look].into_iter().flatten().map(|event| event.end);
        if let (Some(ready), Some(store)) = (ready.max(), store) {
            let text = "sign and seal answer".to_owned();
            let begin = look.map_or(self.begin, |look| look.end).min(ready);
            steps.push(self.step("sign_and_seal", text, begin, store.start));
        }
        if let Some(store) = store {
            steps.push(self.event("store", format!("leave it for {other}"), store));
        }
        steps
    }

    /// The wait for an answer, up to the look that brought it, then how it was verified.
    pub(super) fn awaiting(&self, counts: (u32, u32)) -> Vec<Step> {
        let mut steps = self.verifying(counts);
        let until = self.fetched().map_or(self.end, |look| look.start);
        let text = "wait for the answer".to_owned();
        let waited = self.step("await", text, self.begin, until);
        steps.insert(0, waited);
        steps
    }

    /// A moment rather than a step.
    pub(super) fn moment(&self, step: &'static str, text: &str, at: Duration) -> Step {
        self.step(step, text.to_owned(), at, at)
    }

    /// `at` as milliseconds since zero; negative before it.
    pub(super) fn relative(&self, at: Duration) -> f64 {
        ms_from(self.zero, at)
    }

    /// When everything but the mark was checked.
    fn verified_by(&self) -> Duration {
        self.first(Kind::Claim)
            .map_or(self.end, |claim| claim.start)
    }

    /// The last look into the own mailbox before that: it brought what was verified.
    fn fetched(&self) -> Option<&Event> {
        let verified_by = self.verified_by();
        self.events
            .iter()
            .rfind(|event| event.kind == Kind::Retrieve && event.end <= verified_by)
    }

    fn first(&self, kind: Kind) -> Option<&Event> {
        self.events.iter().find(|event| event.kind == kind)
    }

    fn event(&self, step: &'static str, text: String, event: &Event) -> Step {
        self.step(step, text, event.start, event.end)
    }

    fn step(&self, step: &'static str, text: String, start: Duration, end: Duration) -> Step {
        Step {
            who: self.who,
            step,
            at_ms: self.relative(start),
            elapsed_ms: ms(end.saturating_sub(start)),
            text,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Conversation;
    use crate::demo::record::{Event, Kind};
    use crate::demo::scene::{Step, Who};

    fn events(seen: &[(Kind, u64, u64)]) -> Vec<Event> {
        seen.iter()
            .map(|(kind, start, end)| Event {
                kind: *kind,
                start: Duration::from_millis(*start),
                end: Duration::from_millis(*end),
                message: None,
            })
            .collect()
    }

    fn conversation(events: &[Event]) -> Conversation<'_> {
        Conversation {
            who: Who::Alice,
            other: Who::Bob,
            events,
            begin: Duration::from_millis(100),
            end: Duration::from_millis(200),
            zero: Duration::from_millis(100),
        }
    }

    /// Names, beginnings and lengths in whole milliseconds.
    #[expect(clippy::cast_possible_truncation, reason = "small whole numbers")]
    fn told(steps: &[Step]) -> Vec<(&'static str, i64, i64)> {
        steps
            .iter()
            .map(|step| (step.step, step.at_ms as i64, step.elapsed_ms as i64))
            .collect()
    }

    #[test]
    fn placing_is_lookup_check_seal_and_store() {
        let seen = events(&[
            (Kind::Lookup, 101, 105),
            (Kind::Verify, 106, 107),
            (Kind::Sign, 110, 111),
            (Kind::Store, 115, 120),
        ]);
        assert_eq!(
            told(&conversation(&seen).placing()),
            [
                ("lookup", 1, 4),
                ("check_keys", 5, 5),
                ("sign_and_seal", 10, 5),
                ("store", 15, 5)
            ]
        );
    }

    #[test]
    fn placing_without_a_service_shows_only_what_was_done() {
        assert!(told(&conversation(&[]).placing()).is_empty());
        let seen = events(&[(Kind::Sign, 110, 111)]);
        assert!(told(&conversation(&seen).placing()).is_empty());
    }

    #[test]
    fn verifying_ends_with_the_mark() {
        let seen = events(&[
            (Kind::Retrieve, 100, 110),
            (Kind::Verify, 120, 121),
            (Kind::Verify, 122, 123),
            (Kind::Claim, 130, 135),
            (Kind::Retrieve, 150, 160),
        ]);
        let steps = conversation(&seen).verifying((2, 1));
        assert_eq!(
            told(&steps),
            [
                ("retrieve", 0, 10),
                ("open", 10, 10),
                ("check", 20, 10),
                ("mark_used", 30, 5)
            ]
        );
        assert_eq!(steps[1].text, "open 2 blobs: 1 opens");
        assert_eq!(steps[2].text, "check 2 signatures");
    }

    #[test]
    fn verifying_what_does_not_open_checks_nothing() {
        let seen = events(&[(Kind::Retrieve, 100, 110)]);
        let steps = conversation(&seen).verifying((1, 0));
        assert_eq!(told(&steps), [("retrieve", 0, 10), ("open", 10, 90)]);
        assert!(conversation(&[]).verifying((0, 0)).is_empty());
    }

    #[test]
    fn waiting_ends_with_the_look_that_found_something() {
        let seen = events(&[
            (Kind::Retrieve, 120, 125),
            (Kind::Retrieve, 160, 165),
            (Kind::Verify, 166, 167),
            (Kind::Claim, 170, 172),
        ]);
        assert_eq!(
            told(&conversation(&seen).awaiting((2, 1))),
            [
                ("await", 0, 60),
                ("retrieve", 60, 5),
                ("open", 65, 1),
                ("check", 66, 4),
                ("mark_used", 70, 2)
            ]
        );
    }

    #[test]
    fn answering_signs_while_it_looks_again() {
        let seen = events(&[
            (Kind::Retrieve, 110, 120),
            (Kind::Sign, 111, 112),
            (Kind::Store, 130, 140),
        ]);
        assert_eq!(
            told(&conversation(&seen).answering()),
            [
                ("look_again", 10, 10),
                ("sign_and_seal", 20, 10),
                ("store", 30, 10)
            ]
        );
    }
}
