//! The worlds that are explored, and what must and must not be seen in each.

use crate::cast::Cast;
use crate::explore::{Explored, explore};
use crate::narrate::narrate;
use crate::rules::{Feat, Rule, Sight};
use crate::state::Bounds;
use crate::world::World;

/// More states than any of the worlds below has.
const MOST_STATES: usize = 10_000_000;

/// What was found in a world.
pub(crate) struct Found {
    pub(crate) broken: Vec<Rule>,
    pub(crate) feats: Vec<Feat>,
    /// A shortest way to each, told to people.
    pub(crate) told: Vec<(Sight, String)>,
}

impl Found {
    /// Requires that no rule is broken and that all of this is possible: a world in which nothing happens
    /// breaks no rule either.
    pub(crate) fn require(&self, possible: &[Feat]) {
        for (sight, way) in &self.told {
            if matches!(sight, Sight::Broken(_)) {
                println!("{sight:?}:\n{way}");
            }
        }
        assert_eq!(self.broken, []);
        for feat in possible {
            assert!(self.feats.contains(feat), "{feat:?} is not possible");
        }
    }

    pub(crate) fn way_to(&self, sight: Sight) -> Option<&str> {
        let told = self.told.iter().find(|(seen, _)| *seen == sight);
        told.map(|(_, way)| way.as_str())
    }
}

/// Explores a world, and prints what that took.
pub(crate) fn explored(name: &str, bounds: Bounds) -> Found {
    let cast = Cast::new();
    let mut world = World::new(&cast, bounds);
    let explored: Explored<World<'_>> = explore(&mut world, MOST_STATES);
    let seconds = explored.took.as_secs_f64();
    println!(
        "{name}: {} states, {} transitions, depth {}, {} states of sessions, {seconds:.1} s",
        explored.states,
        explored.transitions,
        explored.depth,
        world.locals.len(),
    );
    let mut found = Found {
        broken: Vec::new(),
        feats: Vec::new(),
        told: Vec::new(),
    };
    for (sight, way) in &explored.sights {
        match sight {
            Sight::Possible(feat) => found.feats.push(*feat),
            Sight::Broken(rule) => found.broken.push(*rule),
        }
        found.told.push((*sight, narrate(&mut world, way)));
    }
    found
}

/// The bounds of the worlds that are explored with every run of the tests.
pub(crate) mod bounds {
    use super::Bounds;

    pub(crate) fn nobody_calls() -> Bounds {
        Bounds {
            calls_to_m: 1,
            spoofs: 1,
            messages: 1,
            horizon_ms: 500,
            end_ms: 3500,
            ..Bounds::default()
        }
    }

    pub(crate) fn race() -> Bounds {
        Bounds {
            calls: 1,
            spoofs: 1,
            end_ms: 4000,
            ..Bounds::default()
        }
    }

    pub(crate) fn estimates() -> Bounds {
        Bounds {
            horizon_ms: 500,
            end_ms: 2500,
            ..race()
        }
    }

    pub(crate) fn messages() -> Bounds {
        Bounds {
            messages: 1,
            end_ms: 500,
            ..race()
        }
    }

    pub(crate) fn strangers() -> Bounds {
        Bounds {
            spoofs: 0,
            messages: 2,
            end_ms: 1500,
            ..race()
        }
    }

    pub(crate) fn faults() -> Bounds {
        Bounds {
            faults: 1,
            end_ms: 500,
            ..race()
        }
    }

    pub(crate) fn replays() -> Bounds {
        Bounds {
            messages: 1,
            pauses: 1,
            end_ms: 0,
            ..race()
        }
    }

    pub(crate) fn second_reader() -> Bounds {
        Bounds {
            messages: 1,
            with_k: true,
            end_ms: 500,
            ..race()
        }
    }

    pub(crate) fn answers() -> Bounds {
        Bounds {
            answers: true,
            end_ms: 500,
            ..second_reader()
        }
    }

    pub(crate) fn redial() -> Bounds {
        Bounds {
            calls: 2,
            end_ms: 500,
            ..race()
        }
    }
}

/// P1: the attacker has a right PASSporT for a call to itself, and everything that is public.
#[test]
fn who_did_not_call_is_never_verified() {
    let found = explored("nobody calls", bounds::nobody_calls());
    found.require(&[Feat::Refused]);
    for feat in [Feat::SpoofVerified, Feat::SpoofConfirmed] {
        assert!(!found.feats.contains(&feat), "{feat:?}");
    }
}

/// P2 to P5, and case c.
#[test]
fn a_spoofed_call_is_confirmed_only_while_somebody_else_answers_the_true_one() {
    let found = explored("race", bounds::race());
    found.require(&[
        Feat::TrueCallVerified,
        Feat::SpoofVerified,
        Feat::TrueCallConfirmed,
        Feat::BothConflicting,
        Feat::SpoofUnmasked,
        Feat::Refused,
    ]);
    // That `confirmed` says which call it is does not hold, and the checker has to see it.
    let way = found.way_to(Sight::Possible(Feat::SpoofConfirmed));
    println!("case c:\n{}", way.expect("case c is possible"));
}

/// P2 where the estimates of one clock are as far apart as they can be: calls that begin at another half of
/// a second, and answers two and a half seconds apart. A rule that compared the estimates as they are
/// was broken here.
#[test]
fn what_two_clocks_leave_open_does_not_add_to_the_two_seconds() {
    let found = explored("estimates", bounds::estimates());
    found.require(&[Feat::TrueCallConfirmed, Feat::SpoofConfirmed]);
}

#[test]
fn messages_of_the_attacker_change_nothing() {
    let found = explored("messages", bounds::messages());
    found.require(&[Feat::TrueCallVerifiedUnderAttack, Feat::SpoofUnmasked]);
}

/// P7.
#[test]
fn a_call_is_not_spoilt_by_messages_alone() {
    let found = explored("strangers", bounds::strangers());
    found.require(&[Feat::TrueCallVerifiedUnderAttack, Feat::TrueCallConfirmed]);
}

#[test]
fn a_network_that_loses_delays_and_reorders_changes_nothing() {
    let found = explored("faults", bounds::faults());
    found.require(&[Feat::TrueCallConfirmed, Feat::BothConflicting]);
}

#[test]
fn what_is_replayed_later_changes_nothing() {
    let found = explored("replays", bounds::replays());
    found.require(&[
        Feat::TrueCallVerified,
        Feat::SpoofVerified,
        Feat::ReplayRefused,
        Feat::StaleRefused,
    ]);
}

/// Who reads what is meant for D knows `n`, and can report in C's name that the call was answered.
#[test]
fn a_second_reader_can_confirm_but_not_verify() {
    let found = explored("second reader", bounds::second_reader());
    assert_eq!(found.broken, [Rule::ConfirmedOnlyByCoincidence]);
}

/// P6.
#[test]
fn nobody_answers_in_the_name_of_the_callee() {
    let found = explored("answers", bounds::answers());
    assert_eq!(found.broken, [Rule::ConfirmedOnlyByCoincidence]);
    assert!(found.feats.contains(&Feat::AnswerConfirmed));
}

#[test]
fn two_calls_of_one_caller_are_kept_apart() {
    let found = explored("redial", bounds::redial());
    found.require(&[Feat::TrueCallVerified, Feat::SpoofVerified]);
}

/// Larger worlds.
mod large {
    use super::{Bounds, Feat, bounds, explored};

    #[test]
    #[ignore = "takes minutes: see docs/model.md"]
    fn races_that_begin_at_different_times() {
        let bounds = Bounds {
            horizon_ms: 500,
            end_ms: 3000,
            ..bounds::race()
        };
        explored("large race", bounds).require(&[Feat::SpoofConfirmed, Feat::SpoofUnmasked]);
    }

    #[test]
    #[ignore = "takes minutes: see docs/model.md"]
    fn messages_at_any_look_of_a_longer_call() {
        let bounds = Bounds {
            end_ms: 1000,
            ..bounds::messages()
        };
        explored("large messages", bounds).require(&[Feat::TrueCallVerifiedUnderAttack]);
    }

    #[test]
    #[ignore = "takes minutes: see docs/model.md"]
    fn faults_of_a_longer_call() {
        let bounds = Bounds {
            end_ms: 1000,
            ..bounds::faults()
        };
        explored("large faults", bounds).require(&[Feat::TrueCallConfirmed]);
    }

    #[test]
    #[ignore = "takes minutes: see docs/model.md"]
    fn two_messages_without_a_call() {
        let bounds = Bounds {
            messages: 2,
            horizon_ms: 0,
            end_ms: 1000,
            ..bounds::nobody_calls()
        };
        let found = explored("large nobody calls", bounds);
        found.require(&[Feat::Refused]);
        assert!(!found.feats.contains(&Feat::SpoofVerified));
    }
}
