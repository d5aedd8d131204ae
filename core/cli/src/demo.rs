//! `ringtrue demo`: real calls and real attacks, all on this machine, told as a story or as JSON.
//!
//! Everything is real: keys, certificates, endpoints, a service over TLS 1.3. Only the telephone
//! network between them is left out: a telephone "rings" because the demo says so, with the number
//! that a network would show.

mod attacker;
mod attacks;
mod calls;
mod gateway_sight;
mod instruments;
mod outages;
mod record;
mod scene;
mod script;
mod sight;
mod steps;
mod story;
mod substitution;
mod text;
mod timeline;
mod verdicts;
mod view;
mod world;

use std::future::Future;
use std::io::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::exit::{Exit, Failure};
use crate::service_args::DemoArguments;

use self::scene::{Played, Report, Scene, ms};
use self::world::Stage;

/// How long what is left of the telephones may take to end. They do no more than end requests.
const WIND_DOWN: Duration = Duration::from_secs(1);

type Playing = Pin<Box<dyn Future<Output = Result<Played, Failure>> + Send>>;

/// A scene that can be played.
struct Cue {
    scene: &'static str,
    title: &'static str,
    play: fn(Arc<Stage>) -> Playing,
}

/// The calls, one after the other, so that their times are their own.
const CALLS: [Cue; 2] = [
    Cue {
        scene: "call",
        title: "Alice calls Bob",
        play: |stage| Box::pin(calls::call(stage)),
    },
    Cue {
        scene: "call_back",
        title: "Bob calls Alice",
        play: |stage| Box::pin(calls::call_back(stage)),
    },
];

/// The attacks and outages. They mostly wait, so they are played all at once and told in order.
const ATTACKS: [Cue; 12] = [
    Cue {
        scene: "impostor_without_passport",
        title: "An impostor shows Alice's number, with nothing to prove it",
        play: |stage| Box::pin(attacks::impostor_without_passport(stage)),
    },
    Cue {
        scene: "impostor_other_number",
        title: "An impostor signs with a certificate for another number",
        play: |stage| Box::pin(attacks::impostor_other_number(stage)),
    },
    Cue {
        scene: "impostor_own_root",
        title: "An impostor brings a certificate authority of her own",
        play: |stage| Box::pin(attacks::impostor_own_root(stage)),
    },
    Cue {
        scene: "replay",
        title: "A replay of a true call",
        play: |stage| Box::pin(attacks::replay(stage)),
    },
    Cue {
        scene: "tampered_blob",
        title: "A sealed PASSporT is changed on the way",
        play: |stage| Box::pin(attacks::tampered_blob(stage)),
    },
    Cue {
        scene: "moved_blob",
        title: "A sealed PASSporT is moved to another number",
        play: |stage| Box::pin(attacks::moved_blob(stage)),
    },
    Cue {
        scene: "wrong_party_answers",
        title: "The wrong party answers",
        play: |stage| Box::pin(attacks::wrong_party_answers(stage)),
    },
    Cue {
        scene: "confirmed",
        title: "Both phones see the same call",
        play: |stage| Box::pin(substitution::confirmed(stage)),
    },
    Cue {
        scene: "two_calls",
        title: "Mallory's call borrows Alice's announcement",
        play: |stage| Box::pin(substitution::two_calls(stage)),
    },
    Cue {
        scene: "caller_gone",
        title: "Mallory holds the line, and Alice hears the busy tone",
        play: |stage| Box::pin(substitution::caller_gone(stage)),
    },
    Cue {
        scene: "service_stopped",
        title: "The service is down",
        play: |stage| Box::pin(outages::service_stopped(stage)),
    },
    Cue {
        scene: "service_silent",
        title: "The service does not answer",
        play: |stage| Box::pin(outages::service_silent(stage)),
    },
];

/// Shows a verified call in both directions, and attacks that fail.
pub(crate) fn run(arguments: &DemoArguments) -> Result<Exit, Failure> {
    let started = Instant::now();
    let failed = |what| move |error| Failure::System { what, error };
    let folder = tempfile::Builder::new()
        .prefix("ringtrue-demo-")
        .tempdir()
        .map_err(failed("the temporary folder"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(failed("the runtime"))?;
    let stage = Arc::new(Stage::build(folder.path())?);
    let teller = Teller {
        silent: arguments.json,
    };
    teller.say(&story::opening(&stage));
    let scenes = runtime.block_on(play_all(&stage, &teller));
    runtime.shutdown_timeout(WIND_DOWN);

    let kept = arguments.keep.then(|| folder.keep());
    let report = Report {
        ok: scenes.iter().all(|scene| scene.ok),
        elapsed_ms: ms(started.elapsed()),
        folder: kept.map(|path| path.display().to_string()),
        scenes,
    };
    teller.say(&story::closing(&report));
    if arguments.json {
        // Plain strings and numbers always serialise.
        let json = serde_json::to_string(&report).unwrap_or_default();
        print(&format!("{json}\n"));
    }
    Ok(if report.ok { Exit::Good } else { Exit::Failed })
}

async fn play_all(stage: &Arc<Stage>, teller: &Teller) -> Vec<Scene> {
    let mut scenes: Vec<Scene> = Vec::new();
    for cue in &CALLS {
        let playing = tokio::spawn((cue.play)(Arc::clone(stage)));
        let scene = played(cue, playing).await;
        teller.say(&story::scene(scenes.len().saturating_add(1), &scene));
        scenes.push(scene);
    }
    let all: Vec<_> = ATTACKS
        .iter()
        .map(|cue| (cue, tokio::spawn((cue.play)(Arc::clone(stage)))))
        .collect();
    for (cue, playing) in all {
        let scene = played(cue, playing).await;
        teller.say(&story::scene(scenes.len().saturating_add(1), &scene));
        scenes.push(scene);
    }
    scenes
}

/// A scene that fails, or panics, is a scene that is not ok: the others are told all the same.
async fn played(cue: &Cue, playing: tokio::task::JoinHandle<Result<Played, Failure>>) -> Scene {
    let result = match playing.await {
        Ok(result) => result.map_err(|failure| failure.to_string()),
        Err(_) => Err("the scene broke off: a defect of the demo".to_owned()),
    };
    Scene::new(cue.scene, cue.title, result)
}

/// Tells the story on standard output, unless only the JSON is wanted.
struct Teller {
    silent: bool,
}

impl Teller {
    fn say(&self, text: &str) {
        if !self.silent {
            print(text);
        }
    }
}

/// Prints. Colours go where there is a terminal; a reader that has gone away is no failure.
fn print(text: &str) {
    let mut out = anstream::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}
