//! Attacks, each over the real service with real messages.

use std::sync::Arc;
use std::time::Duration;

use ringtrue::{CallPhase, CallState, HttpResponse, Reason, Suite};
use ringtrue_lab::Authority;
use ringtrue_net::AwsLcCrypto;
use ringtrue_oob::{Blob, CallNonce, Content, Destination, RecipientKey, open};
use ringtrue_stir::passport::{Passport, PassportBuilder};

use super::attacker::{Attacker, new_call, signed};
use super::instruments::LeakedKey;
use super::scene::{Expected, Played, Who};
use super::script::Script;
use super::world::{Cast, Stage, World, pretty};
use crate::exit::Failure;
use crate::settings::unix_now;

/// How long Alice waits for an answer that is wrong: some looks into her mailbox.
const WAIT: Duration = Duration::from_millis(2000);

/// Alice's number is shown, and there is nothing else.
pub(super) async fn impostor_without_passport(stage: Arc<Stage>) -> Result<Played, Failure> {
    let world = World::start(&stage, "impostor_without_passport", Cast::default()).await?;
    let mut script = Script::begin(
        "Mallory makes the network show Alice's number, which is easy, and calls Bob.",
    );
    let expected = Expected::nothing_opens("no_record");
    script
        .ring("no token", &world, &stage.bob, expected)
        .await?;
    world.end().await;
    Ok(script.end())
}

/// "Alice calls", signed with a good certificate for somebody else's number.
pub(super) async fn impostor_other_number(stage: Arc<Stage>) -> Result<Played, Failure> {
    let world = World::start(&stage, "impostor_other_number", Cast::default()).await?;
    let own = pretty(&stage.mallory);
    let mut script = Script::begin(&format!(
        "Mallory has a true certificate, but for her own number, {own}. With it she signs \
             \"Alice calls Bob\", seals that to Bob's keys, stores it and calls him."
    ));
    let attack = forged_call(&world, &stage, &stage.authority, &stage.mallory);
    let text = "signs with her own certificate, seals, stores";
    script.act((Who::Mallory, "attack"), text, attack).await?;
    let expected = Expected::because("refused", Reason::NumberNotCovered);
    script
        .ring("not hers", &world, &stage.bob, expected)
        .await?;
    world.end().await;
    Ok(script.end())
}

/// "Alice calls", signed with a certificate for Alice's number by an authority that nobody trusts.
pub(super) async fn impostor_own_root(stage: Arc<Stage>) -> Result<Played, Failure> {
    let world = World::start(&stage, "impostor_own_root", Cast::default()).await?;
    let mut script =
        Script::begin("Mallory makes an authority of her own, which certifies that she is Alice.");
    let attack = async {
        let own = Authority::for_numbers(std::slice::from_ref(&stage.alice), unix_now())
            .map_err(Failure::of("an authority"))?;
        forged_call(&world, &stage, &own, &stage.alice).await
    };
    let text = "makes root and certificate, signs, seals, stores";
    script.act((Who::Mallory, "attack"), text, attack).await?;
    let expected = Expected::because("refused", Reason::NoPathToAnchor);
    script
        .ring("own root", &world, &stage.bob, expected)
        .await?;
    world.end().await;
    Ok(script.end())
}

/// Leaves "Alice calls Bob" for Bob, signed with a certificate for `certified` by `authority`.
async fn forged_call(
    world: &World,
    stage: &Stage,
    authority: &Authority,
    certified: &ringtrue::TelephoneNumber,
) -> Result<(), Failure> {
    let credential = authority
        .issue_number(certified, unix_now())
        .map_err(Failure::of("a certificate"))?;
    let mallory = Attacker::at(world)?;
    let token = mallory.forge(&stage.alice, &stage.bob, &credential)?;
    let content = mallory.content(token, &credential, new_call()?)?;
    mallory.leave_sealed(&stage.bob, &content).await
}

/// A good PASSporT, used twice.
pub(super) async fn replay(stage: Arc<Stage>) -> Result<Played, Failure> {
    let world = World::start(&stage, "replay", Cast::default()).await?;
    let mut script = Script::begin(
        "Alice calls Bob and is verified. Mallory got hold of Alice's PASSporT and seals it to Bob \
         anew. She stores that, and copies of all that was there, and calls with Alice's number.",
    );
    script.announce(&world).await?;
    let verified = Expected::plainly("verified");
    script
        .ring("true call", &world, &stage.bob, verified)
        .await?;
    let attack = async {
        let mallory = Attacker::at(&world)?;
        mallory.copy(&stage.bob, &stage.bob).await?;
        let token = world.alice.signer.last_token().unwrap_or_default();
        let credential = stage.credential(&stage.alice)?;
        let content = mallory.content(token, &credential, new_call()?)?;
        mallory.leave_sealed(&stage.bob, &content).await
    };
    let text = "stores copies of Bob's blobs, and the PASSporT sealed anew";
    script.act((Who::Mallory, "attack"), text, attack).await?;
    let expected = Expected::because("refused", Reason::Replayed);
    script.ring("replay", &world, &stage.bob, expected).await?;
    world.end().await;
    Ok(script.end())
}

/// One bit of the sealed PASSporT is flipped on its way to Bob. On the way to the service it would be
/// noticed there: a storage token signs what is stored.
pub(super) async fn tampered_blob(stage: Arc<Stage>) -> Result<Played, Failure> {
    let cast = Cast {
        tamper: Some(flip_one_bit),
        ..Cast::default()
    };
    let world = World::start(&stage, "tampered_blob", cast).await?;
    let mut script =
        Script::begin("Alice calls Bob. Somebody on the way to him flips one bit of each blob.");
    script.announce(&world).await?;
    let expected = Expected::nothing_opens("no_record");
    script
        .ring("tampered", &world, &stage.bob, expected)
        .await?;
    world.end().await;
    Ok(script.end())
}

/// Flips one bit in the middle of every blob, where the ciphertext is.
fn flip_one_bit(mut answer: HttpResponse) -> HttpResponse {
    let Ok(text) = std::str::from_utf8(&answer.body) else {
        return answer;
    };
    let flipped: String = text
        .lines()
        .map(|line| format!("{}\n", flipped(line).unwrap_or_else(|| line.to_owned())))
        .collect();
    answer.body = flipped.into_bytes();
    answer
}

fn flipped(line: &str) -> Option<String> {
    let mut octets = Blob::from_text(line).ok()?.into_octets();
    let middle = octets.len() / 2;
    *octets.get_mut(middle)? ^= 1;
    Some(Blob::from_octets(octets).ok()?.to_text())
}

/// What was left for one number is put into the mailbox of another, of the same telephone.
pub(super) async fn moved_blob(stage: Arc<Stage>) -> Result<Played, Failure> {
    let cast = Cast {
        two_numbers: true,
        ..Cast::default()
    };
    let world = World::start(&stage, "moved_blob", cast).await?;
    let second = pretty(&stage.bob_second);
    let mut script = Script::begin(&format!(
        "Bob's phone has a second number, {second}, with the same keys. Alice calls the first. \
             Mallory copies what is there to the second's mailbox and calls that as Alice."
    ));
    script.announce(&world).await?;
    let attack = async {
        let mallory = Attacker::at(&world)?;
        mallory.copy(&stage.bob, &stage.bob_second).await
    };
    let text = "copies all of Bob's blobs to his second number";
    script.act((Who::Mallory, "attack"), text, attack).await?;
    let moved = Expected::nothing_opens("no_record");
    script
        .ring("moved", &world, &stage.bob_second, moved)
        .await?;
    let in_place = Expected::plainly("verified");
    script
        .ring("in place", &world, &stage.bob, in_place)
        .await?;
    world.end().await;
    Ok(script.end())
}

/// Somebody who can read Bob's calls, but is not Bob, answers one.
pub(super) async fn wrong_party_answers(stage: Arc<Stage>) -> Result<Played, Failure> {
    let leaked = LeakedKey::generate().map_err(Failure::of("a key"))?;
    let cast = Cast {
        leaked: Some(leaked.clone()),
        ..Cast::default()
    };
    let world = World::start(&stage, "wrong_party_answers", cast).await?;
    let mut script = Script::begin(
        "Alice calls Bob, but the call ends at Mallory, who has a copy of Bob's decryption key, though \
         not of his signing key. She reads the announcement and answers with her own certificate.",
    );
    let placed = script.announce(&world).await?;
    let expectation = placed
        .answer
        .ok_or_else(|| Failure::of("asking for an answer")(Reason::Internal))?;
    let attack = async {
        let mallory = Attacker::at(&world)?;
        let (call, orig_and_dest) = read_call(&mallory, &stage, &leaked).await?;
        let credential = stage.credential(&stage.mallory)?;
        let claims = orig_and_dest.claims();
        let x5u = stage.x5u(&stage.mallory)?;
        let unsigned =
            PassportBuilder::rsp(claims.orig(), claims.dest().clone(), unix_now(), &x5u).build();
        let token = signed(unsigned.map_err(Failure::of("an answer"))?, &credential)?;
        let mut content = mallory.content(token, &credential, call)?;
        content.st = Some(CallState {
            s: CallPhase::Answered,
            t_ms: unix_now().as_secs().saturating_mul(1000),
            u_ms: None,
        });
        mallory.leave_sealed(&stage.alice, &content).await
    };
    let text = "reads the call, signs \"Bob answers\", leaves it for Alice";
    let expected = Expected::because("refused", Reason::NumberNotCovered);
    let doing = (Who::Mallory, "attack", text);
    script
        .await_answer(&world, expectation, WAIT, expected, (doing, attack))
        .await?;
    world.end().await;
    Ok(script.end())
}

/// Reads the call that is waiting for Bob, with a copy of his decryption key.
async fn read_call(
    mallory: &Attacker,
    stage: &Stage,
    leaked: &LeakedKey,
) -> Result<(CallNonce, Passport), Failure> {
    let key = RecipientKey::new(Suite::S1, leaked.public.as_sec1())
        .map_err(Failure::of("a copied key"))?;
    let destination = Destination::TelephoneNumber(stage.bob.clone());
    for blob in mallory.fetch(&stage.bob).await? {
        let Ok(octets) = open(&AwsLcCrypto, &blob, &leaked.secret, &key, &destination) else {
            continue;
        };
        let content = Content::parse(&octets).map_err(Failure::of("an opened blob"))?;
        if let Some(token) = content.ppts.first() {
            let passport = Passport::parse(token).map_err(Failure::of("a PASSporT"))?;
            return Ok((content.n, passport));
        }
    }
    Err(Failure::of("reading the call")(Reason::BlobNotOpened))
}

#[cfg(test)]
mod tests {
    use ringtrue::{HttpResponse, Suite};
    use ringtrue_net::AwsLcCrypto;
    use ringtrue_oob::{Blob, dummy};

    use super::flip_one_bit;

    #[test]
    fn tampering_changes_one_bit_and_keeps_the_form() {
        let blob = dummy(&AwsLcCrypto, Suite::S1).unwrap();
        let answer = HttpResponse {
            status: 200,
            headers: Vec::new(),
            body: format!("{}\n", blob.to_text()).into_bytes(),
        };
        let tampered = flip_one_bit(answer);
        let text = std::str::from_utf8(&tampered.body).unwrap();
        let changed = Blob::from_text(text.trim_end()).unwrap();
        let bits: u32 = blob
            .as_octets()
            .iter()
            .zip(changed.as_octets())
            .map(|(before, after)| (before ^ after).count_ones())
            .sum();
        assert_eq!(bits, 1);
    }
}
