//! A service that cannot be used: calls go on unprotected, and nobody waits beyond the deadline.

use std::net::SocketAddr;
use std::sync::Arc;

use ringtrue::{PlaceOptions, Policy, Reason};
use ringtrue_cps::{Running as _, RunningRelay};
use tokio::net::TcpListener;

use super::scene::{Expected, Outcome, Played, Timing, Who, ms};
use super::script::{Script, place, report_of};
use super::world::{Cast, Phone, Stage, World, silence};
use crate::exit::Failure;
use crate::output::CallReport;

/// The service is stopped between publishing and calling.
pub(super) async fn service_stopped(stage: Arc<Stage>) -> Result<Played, Failure> {
    let world = prepared(&stage, "service_stopped").await?;
    let mut script = Script::begin(
        "The service is stopped. Alice calls Bob all the same: the call must not wait for long, and \
         nothing may make it look verified.",
    );
    let (_, relay, alice, bob) = stop(&mut script, world).await?;
    // What is behind the relay is the relay's to know.
    both_sides(&mut script, &alice, &bob, Reason::RelayFailed).await?;
    silence(alice, bob).await;
    relay.shutdown().await;
    Ok(script.end())
}

/// Something listens in the service's place, accepts every connection and never says a word.
pub(super) async fn service_silent(stage: Arc<Stage>) -> Result<Played, Failure> {
    let world = prepared(&stage, "service_silent").await?;
    let mut script = Script::begin(
        "Worse: connections are accepted, and then nothing comes. Both phones keep their deadlines.",
    );
    let (addr, relay, alice, bob) = stop(&mut script, world).await?;
    let silent = TcpListener::bind(addr)
        .await
        .map_err(|error| Failure::System {
            what: "listening in the service's place",
            error,
        })?;
    let accepting = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = silent.accept().await {
            held.push(connection);
        }
    });
    let result = both_sides(&mut script, &alice, &bob, Reason::DeadlinePassed).await;
    // Closes the connections, so that what still waits for them ends.
    accepting.abort();
    let _ = accepting.await;
    silence(alice, bob).await;
    relay.shutdown().await;
    result?;
    Ok(script.end())
}

/// Telephones and a relay that have all they need to call but a service.
async fn prepared(stage: &Arc<Stage>, scene: &str) -> Result<World, Failure> {
    let world = World::start(stage, scene, Cast::default()).await?;
    let bob = world.bob.number.as_str();
    let fetched = world.alice.endpoint.prefetch_keys(bob, None).await;
    fetched.map_err(Failure::of("fetching keys"))?;
    Ok(world)
}

async fn stop(
    script: &mut Script,
    world: World,
) -> Result<(SocketAddr, RunningRelay, Phone, Phone), Failure> {
    let World {
        service,
        relay,
        alice,
        bob,
        ..
    } = world;
    let addr = service.local_addr();
    let stopping = async {
        service.shutdown().await;
        Ok(())
    };
    let text = "drains and stops";
    script.act((Who::Service, "stop"), text, stopping).await?;
    Ok((addr, relay, alice, bob))
}

/// Alice announces a call while Bob's telephone rings with her number.
async fn both_sides(
    script: &mut Script,
    alice: &Phone,
    bob: &Phone,
    reason: Reason,
) -> Result<(), Failure> {
    let start = script.now();
    let placing = async {
        let placed = place(alice, bob, PlaceOptions::default()).await?;
        Ok::<_, Failure>((placed, script.now().saturating_sub(start)))
    };
    let ringing = async {
        let (from, to) = (alice.number.as_str(), bob.number.as_str());
        let call = bob.endpoint.ring(Some(from), Some(to), None).await;
        let call = call.map_err(Failure::of("ringing"))?;
        Ok::<_, Failure>((call.verdict(), script.now().saturating_sub(start)))
    };
    let (placed, rung) = tokio::try_join!(placing, ringing)?;
    let policy = Policy::default();
    let learned_at = |took| ms(start.saturating_add(took));
    let (placed, took) = placed;
    let placed = Outcome::new(
        ("place", "place", Who::Alice),
        Expected::because("unprotected", reason),
        report_of(&placed, took),
        Timing {
            at_ms: learned_at(took),
            took,
            deadline: policy.place_deadline,
        },
    );
    let (verdict, took) = rung;
    let rung = Outcome::new(
        ("ring", "ring", Who::Bob),
        Expected::because("unavailable", reason),
        CallReport::of(&verdict, took),
        Timing {
            at_ms: learned_at(took),
            took,
            deadline: policy.ring_deadline,
        },
    );
    script.learned(placed);
    script.learned(rung);
    Ok(())
}
