//! What the attacker can say: everything that can be made of what is public, of its own credential, and
//! of what was left for it.

use ringtrue_oob::{CallNonce, CallPhase, CallState, Content, RecipientKey, seal};
use ringtrue_stir::crypto::Es256Signature;
use ringtrue_stir::passport::{Destinations, Identity, PassportBuilder};
use ringtrue_stir::{UnixTime, X5u};

use crate::blobs::{BlobId, Reader};
use crate::cast::{START_MS, Signer, Who, X5U, unix};
use crate::state::{Mutation, State};
use crate::symbolic::SymbolicCrypto;
use crate::world::World;

/// A message for a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Message {
    /// A right PASSporT for a call of M to D.
    Own,
    /// A PASSporT for a call of C to D, signed with M's key, with these certificates.
    Forged(Certificates),
    /// What the attacker reads in this blob, sealed for D.
    Resealed(BlobId, Nonce),
    /// A report about a call.
    Report(Phase, Nonce, Option<BlobId>),
    /// A blob from a mailbox, once more.
    Replayed(Who, BlobId),
    /// A PASSporT for a call of C to D, signed with C's stolen key.
    Stolen,
    /// An answer in the name of D for the call in this blob, signed with M's key, with these
    /// certificates.
    ForgedAnswer(Certificates, BlobId),
}

/// Whose certificates go along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Certificates {
    /// Those of the number that is claimed.
    Claimed,
    /// The attacker's own.
    Own,
}

/// Which call a message says it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Nonce {
    /// The one in the blob.
    Known,
    /// One that nobody else has.
    Fresh,
}

/// [`CallPhase`], of which a caller has two to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Phase {
    Answered,
    Gone,
}

/// Whether the attacker opens what this reader does.
pub(crate) fn reads(reader: Reader) -> bool {
    matches!(reader, Reader::K | Reader::Party(Who::M))
}

/// Everything that the attacker could leave at a mailbox.
pub(crate) fn messages(world: &World<'_>, state: &State, at: Who) -> Vec<Message> {
    let mut messages = Vec::new();
    let certificates = [Certificates::Claimed, Certificates::Own];
    if at == Who::C {
        for blob in &state.learnt {
            messages.extend(certificates.map(|with| Message::ForgedAnswer(with, *blob)));
        }
        return messages;
    }
    messages.push(Message::Own);
    messages.extend(certificates.map(Message::Forged));
    let phases = [Phase::Gone, Phase::Answered];
    messages.extend(phases.map(|phase| Message::Report(phase, Nonce::Fresh, None)));
    for blob in &state.learnt {
        messages.extend([Nonce::Known, Nonce::Fresh].map(|n| Message::Resealed(*blob, n)));
        messages.extend(phases.map(|phase| Message::Report(phase, Nonce::Known, Some(*blob))));
    }
    messages.extend(state.seen.iter().map(|blob| Message::Replayed(at, *blob)));
    if world.bounds.mutation == Some(Mutation::StolenKeyOfC) {
        messages.push(Message::Stolen);
    }
    messages
}

/// The blob that a message is, made at `ms`, and whose mailbox it is for.
pub(crate) fn make(world: &mut World<'_>, message: &Message, ms: u32) -> Option<(Who, BlobId)> {
    let cast = world.cast;
    let label = format!("the attacker's {message:?} at {ms}");
    cast.crypto.draw_from(label.as_bytes());
    let fresh = CallNonce::generate(cast.crypto.as_ref()).unwrap();
    let (m, at) = (&cast.m.signer, unix(u64::from(ms)));
    let x5c = |of: &Signer, with: &Certificates| match with {
        Certificates::Claimed => of.x5c(),
        Certificates::Own => m.x5c(),
    };
    let known = |blob: &BlobId| world.blobs.get(*blob).content.clone();
    let (reader, content) = match message {
        Message::Replayed(at, blob) => return Some((*at, *blob)),
        Message::Own => (
            Who::D,
            Content {
                ppts: vec![call(world, Who::M, at, m)],
                x5c: m.x5c(),
                ..Content::new(fresh)
            },
        ),
        Message::Forged(with) => (
            Who::D,
            Content {
                ppts: vec![call(world, Who::C, at, m)],
                x5c: x5c(&cast.c.signer, with),
                ..Content::new(fresh)
            },
        ),
        Message::Stolen => (
            Who::D,
            Content {
                ppts: vec![call(world, Who::C, at, &cast.c.signer)],
                x5c: cast.c.signer.x5c(),
                ..Content::new(fresh)
            },
        ),
        Message::Resealed(blob, nonce) => {
            let read = known(blob);
            let n = match nonce {
                Nonce::Known => read.n,
                Nonce::Fresh => fresh,
            };
            let (cps, ksd) = (None, None);
            (
                Who::D,
                Content {
                    n,
                    cps,
                    ksd,
                    ..read
                },
            )
        }
        Message::Report(phase, _, blob) => {
            let n = blob.as_ref().map_or(fresh, |blob| known(blob).n);
            let s = match phase {
                Phase::Answered => CallPhase::Answered,
                Phase::Gone => CallPhase::Gone,
            };
            let t_ms = START_MS + u64::from(ms);
            let st = Some(CallState {
                s,
                t_ms,
                u_ms: None,
            });
            (
                Who::D,
                Content {
                    st,
                    ..Content::new(n)
                },
            )
        }
        Message::ForgedAnswer(with, blob) => {
            let x5u = X5u::parse(X5U).unwrap();
            let orig = Identity::Tn(Who::C.number());
            let dest = Destinations::of(Who::D.number());
            let builder = PassportBuilder::rsp(&orig, dest, at, &x5u);
            let s = CallPhase::Answered;
            let t_ms = START_MS + u64::from(ms);
            let content = Content {
                ppts: vec![signed(world, builder, m)],
                x5c: x5c(&cast.d.signer, with),
                st: Some(CallState {
                    s,
                    t_ms,
                    u_ms: None,
                }),
                ..Content::new(known(blob).n)
            };
            (Who::C, content)
        }
    };
    let key: &RecipientKey = &cast.party(reader).opener.key;
    let octets = content.to_octets().unwrap();
    let blob = seal(cast.crypto.as_ref(), key, &reader.destination(), &octets).unwrap();
    let blob = world.blobs.intern(cast, blob)?;
    Some((reader, blob))
}

/// A PASSporT for a call to D.
fn call(world: &World<'_>, orig: Who, at: UnixTime, signer: &Signer) -> String {
    let x5u = X5u::parse(X5U).unwrap();
    let orig = Identity::Tn(orig.number());
    let builder = PassportBuilder::base(&orig, Destinations::of(Who::D.number()), at, &x5u);
    signed(world, builder, signer)
}

fn signed(world: &World<'_>, builder: PassportBuilder, signer: &Signer) -> String {
    let unsigned = builder.build().unwrap();
    let input = unsigned.signing_input().as_bytes().to_vec();
    let signature: Es256Signature = SymbolicCrypto::signature_by(&signer.public, &input);
    unsigned
        .complete(world.cast.crypto.as_ref(), &signer.public, &signature)
        .unwrap()
}
