//! Checking PASSporTs: the order of RFC 8816 section 8.2, every step named.

use core::time::Duration;

use ringtrue_oob::{BaseUrl, CallNonce, Content, RspRequest};
use ringtrue_stir::certificate::{CertificateBag, VerifiedPath, evaluation_time};
use ringtrue_stir::passport::{
    Claims, Destinations, Identity, Passport, PassportType, VerifiedPassport,
};
use ringtrue_stir::{Reason, TelephoneNumber, UnixTime, base64url, json};

use crate::checks::Checks;
use crate::fetches::Sources;
use crate::mailbox::Opened;
use crate::service_clock::ServiceClock;
use crate::{CheckName, Context, RecordName};

/// The answer may carry an `iat` this much before the call's: two clocks are compared.
const RSP_BACKDATING: Duration = Duration::from_secs(5);

/// The largest part of a token that is looked into after it failed to parse.
const MAX_PEEK_OCTETS: usize = 16_384;

/// How much longer than the freshness window a used PASSporT is remembered, in seconds: a device
/// clock that is put back by less than this lets nothing through twice.
const REMEMBER_BEYOND: u64 = 3600;

/// A call whose PASSporT passed every check.
#[derive(Clone, Debug)]
pub struct VerifiedCall {
    pub(crate) passport: VerifiedPassport,
    pub(crate) nonce: CallNonce,
    pub(crate) rsp: Option<RspRequest>,
    pub(crate) bag: Bag,
    pub(crate) orig: TelephoneNumber,
    pub(crate) dest: TelephoneNumber,
    /// Where the announcement was.
    pub(crate) service: BaseUrl,
    /// What is known of that service's clock.
    pub(crate) clock: ServiceClock,
}

impl AsRef<VerifiedPassport> for VerifiedCall {
    fn as_ref(&self) -> &VerifiedPassport {
        &self.passport
    }
}

impl VerifiedCall {
    /// The calling number.
    #[must_use]
    pub const fn orig(&self) -> &TelephoneNumber {
        &self.orig
    }

    /// The called number: one of the endpoint's own.
    #[must_use]
    pub const fn dest(&self) -> &TelephoneNumber {
        &self.dest
    }

    /// Whether the caller asked to know who answers.
    #[must_use]
    pub fn wants_answer(&self) -> bool {
        self.rsp.as_ref().is_some_and(|rsp| rsp.want)
    }

    /// What the caller's PASSporT claims. Everything here is signed.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        self.passport.claims()
    }
}

/// How the evaluation of one PASSporT ended.
pub(crate) enum Outcome<T> {
    /// Every check holds; the replay check is still to be made.
    Good(T),
    /// It names this call and failed.
    Failed(Reason),
    /// It does not name this call, or is of no supported type.
    Dropped(Reason),
    /// Its certificates have to be fetched from this `x5u` first, or fetched anew.
    Wants(String),
}

/// One PASSporT, looked at.
pub(crate) struct Evaluated<T> {
    pub(crate) checks: Checks,
    pub(crate) outcome: Outcome<T>,
    pub(crate) iat: UnixTime,
    /// What is worth knowing of one that is good.
    pub(crate) notices: Vec<Reason>,
}

impl<T> Evaluated<T> {
    /// The same evaluation of what `wrap` makes of the PASSporT.
    pub(crate) fn map<U>(self, wrap: impl FnOnce(T) -> U) -> Evaluated<U> {
        Evaluated {
            checks: self.checks,
            iat: self.iat,
            notices: self.notices,
            outcome: match self.outcome {
                Outcome::Good(found) => Outcome::Good(wrap(found)),
                Outcome::Failed(reason) => Outcome::Failed(reason),
                Outcome::Dropped(reason) => Outcome::Dropped(reason),
                Outcome::Wants(x5u) => Outcome::Wants(x5u),
            },
        }
    }
}

/// The certificates of a content, parsed once for all its tokens.
pub(crate) type Bag = Result<CertificateBag, Reason>;

/// Reads the certificates that a content carries.
pub(crate) fn bag_of_content(content: &Content) -> Bag {
    if content.x5c.is_empty() {
        return Err(Reason::CredentialUnavailable);
    }
    CertificateBag::from_base64_der(&content.x5c)
}

/// The path of the token's signer, with what is worth knowing about it, as of the token's own `iat` while
/// that is fresh: a short-lived certificate may end while the telephone rings. Where a bag holds several end-entity certificates, the signer is
/// the one whose key verifies the token.
fn credential(
    context: &Context,
    passport: &Passport,
    sources: Sources<'_>,
    now: UnixTime,
) -> Result<(VerifiedPath, Vec<Reason>), Reason> {
    let bag = &sources.bag_of(passport)?;
    let provider = context.provider.as_ref();
    let mut end_entities = bag.end_entities();
    let signer = match (end_entities.next(), end_entities.next()) {
        (None, _) => return Err(Reason::SignerIsCa),
        (Some(only), None) => only,
        (Some(first), Some(_)) => passport.find_signer(provider, bag).unwrap_or(first),
    };
    let at = evaluation_time(passport.claims().iat(), now, context.policy.freshness);
    // One that was dated before its certificate is refused as just that, by its signature's check.
    let at = if at < signer.not_before() { now } else { at };
    context.judge_signer(signer, bag, at, now)
}

fn freshness(context: &Context, iat: UnixTime, now: UnixTime) -> Result<(), Reason> {
    if iat < now.minus(context.policy.freshness) {
        return Err(Reason::IatStale);
    }
    if iat > now.plus(context.policy.clock_skew) {
        return Err(Reason::IatInFuture);
    }
    Ok(())
}

/// What a PASSporT must say to count.
struct Wanted<'a> {
    /// The types that count; other supported ones are out of place here.
    kinds: &'static [PassportType],
    orig: &'a Identity,
    /// The number that the signer has to have authority over.
    spoken_for: &'a TelephoneNumber,
    dest: WantedDest<'a>,
    /// The earliest `iat`, beside the freshness window.
    earliest: UnixTime,
}

/// What `dest` must be.
enum WantedDest<'a> {
    /// Holds this number, perhaps among others.
    Holds(&'a TelephoneNumber),
    /// Exactly this (W-26).
    Is(&'a Destinations),
}

impl WantedDest<'_> {
    fn is_met_by(&self, dest: &Destinations) -> bool {
        match self {
            Self::Holds(number) => dest.contains(number),
            Self::Is(same) => dest == *same,
        }
    }
}

/// Whether everything holds that can be seen without certificates. Nothing is fetched for the rest:
/// the URL is its sender's choice, and an old token needs no fetch to be refused.
fn is_worth_fetching(
    context: &Context,
    passport: &Passport,
    wanted: &Wanted<'_>,
    now: UnixTime,
) -> bool {
    let claims = passport.claims();
    wanted.kinds.contains(&passport.kind())
        && claims.orig() == wanted.orig
        && freshness(context, claims.iat(), now).is_ok()
        && claims.iat() >= wanted.earliest
        && wanted.dest.is_met_by(claims.dest())
}

/// Whether a newer certificate behind the same URL could make this good: another key, validity, scope
/// or authority (CRT-44). What is checked first is what shows, whichever of them was renewed.
const fn may_be_renewed(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::AuthorityBySpc
            | Reason::CertificateExpired
            | Reason::CertificateNotYetValid
            | Reason::CertificateRevoked
            | Reason::ChainIncomplete
            | Reason::EncompassUnknown
            | Reason::IatOutsideCertificate
            | Reason::KeyIdentifierMismatch
            | Reason::NoPathToAnchor
            | Reason::NumberNotCovered
            | Reason::ScopeNotEncompassed
            | Reason::SignatureInvalid
            | Reason::TnAuthListMissing
    )
}

/// Checks one PASSporT: steps 2 to 6 of RFC 8816 section 8.2, then `dest`.
fn evaluate(
    context: &Context,
    token: &str,
    sources: Sources<'_>,
    wanted: &Wanted<'_>,
    now: UnixTime,
) -> Evaluated<VerifiedPassport> {
    let mut checks = Checks::default();
    let passport = match checks.note(CheckName::Ppt, Passport::parse(token)) {
        Ok(passport) => passport,
        Err(_) if Passport::stated_kind(token).is_some_and(|kind| !is_used(kind)) => {
            return Evaluated {
                checks,
                outcome: Outcome::Dropped(Reason::PptUnsupported),
                iat: UnixTime::default(),
                notices: Vec::new(),
            };
        }
        Err(reason) => {
            let named = wanted.orig.tn().is_some_and(|orig| names_call(token, orig));
            let outcome = if named {
                Outcome::Failed(reason)
            } else {
                Outcome::Dropped(Reason::MalformedToken)
            };
            return Evaluated {
                checks,
                outcome,
                iat: UnixTime::default(),
                notices: Vec::new(),
            };
        }
    };
    let iat = passport.claims().iat();
    let worth = || is_worth_fetching(context, &passport, wanted, now);
    if sources.can_wait_for(&passport) && worth() {
        return Evaluated {
            checks,
            outcome: Outcome::Wants(passport.x5u().to_owned()),
            iat,
            notices: Vec::new(),
        };
    }
    let mut notices = Vec::new();
    let made = check(
        &mut checks,
        &mut notices,
        context,
        &passport,
        sources,
        wanted,
        now,
    );
    let outcome = match made {
        Err(reason) if may_be_renewed(reason) && sources.can_refresh(&passport) && worth() => {
            Outcome::Wants(passport.x5u().to_owned())
        }
        Ok(verified) => Outcome::Good(verified),
        Err(reason @ (Reason::PptUnsupported | Reason::UnexpectedRsp | Reason::OrigMismatch)) => {
            Outcome::Dropped(reason)
        }
        Err(reason) => Outcome::Failed(reason),
    };
    Evaluated {
        checks,
        outcome,
        iat,
        notices,
    }
}

/// Whether sessions use PASSporTs of this type. The registry of types is open: another one is not wrong,
/// only not for us (W-28).
const fn is_used(kind: PassportType) -> bool {
    matches!(
        kind,
        PassportType::Base | PassportType::Rsp | PassportType::Shaken
    )
}

fn check(
    checks: &mut Checks,
    notices: &mut Vec<Reason>,
    context: &Context,
    passport: &Passport,
    sources: Sources<'_>,
    wanted: &Wanted<'_>,
    now: UnixTime,
) -> Result<VerifiedPassport, Reason> {
    let holds = |holds: bool, reason| if holds { Ok(()) } else { Err(reason) };
    // Step 2.
    if !is_used(passport.kind()) {
        return checks.redo(CheckName::Ppt, Reason::PptUnsupported);
    }
    if !wanted.kinds.contains(&passport.kind()) {
        return checks.redo(CheckName::Ppt, Reason::UnexpectedRsp);
    }
    let claims = passport.claims();
    // Step 3.
    let same = claims.orig() == wanted.orig;
    checks.note(CheckName::Orig, holds(same, Reason::OrigMismatch))?;
    // Step 4.
    let path = credential(context, passport, sources, now);
    let (path, about_path) = checks.note(CheckName::Credential, path)?;
    notices.extend(about_path);
    let authority = context.trust.require_authority(&path, wanted.spoken_for);
    notices.extend(checks.note(CheckName::Authority, authority)?);
    // Step 5.
    let fresh = freshness(context, claims.iat(), now)
        .and_then(|()| holds(claims.iat() >= wanted.earliest, Reason::RspBeforeCall));
    checks.note(CheckName::Freshness, fresh)?;
    // Step 6.
    let verified = passport.verify(context.provider.as_ref(), &path);
    let verified = checks.note(CheckName::Signature, verified)?;
    // A PASSporT for another number of mine is still not for this one.
    let meant = wanted.dest.is_met_by(verified.claims().dest());
    checks.note(CheckName::Dest, holds(meant, Reason::DestMismatch))?;
    Ok(verified)
}

/// Checks one PASSporT of an opened content against the call that rings.
///
/// `orig` is the calling number of signalling; the called one is that in whose mailbox the content was.
pub(crate) fn evaluate_call(
    context: &Context,
    token: &str,
    opened: &Opened,
    sources: Sources<'_>,
    orig: &TelephoneNumber,
    now: UnixTime,
) -> Evaluated<VerifiedCall> {
    let dest = &opened.number;
    let wanted = Wanted {
        kinds: &[PassportType::Base, PassportType::Shaken],
        orig: &Identity::Tn(orig.clone()),
        spoken_for: orig,
        dest: WantedDest::Holds(dest),
        earliest: UnixTime::default(),
    };
    evaluate(context, token, sources, &wanted, now).map(|passport| VerifiedCall {
        bag: sources.bag_beside(passport.passport().x5u()),
        passport,
        nonce: opened.content.n,
        rsp: opened.content.rsp.clone(),
        orig: orig.clone(),
        dest: dest.clone(),
        service: opened.service.clone(),
        clock: ServiceClock::default(),
    })
}

/// Whether a token that does not hold as a PASSporT still names this call: its payload parses, its
/// `orig` is the calling number however it is written, and its `ppt` is one that is supported (W-9).
fn names_call(token: &str, orig: &TelephoneNumber) -> bool {
    let mut parts = token.split('.');
    let mut object = || {
        let octets = base64url::decode(parts.next()?).ok()?;
        json::parse(&octets, MAX_PEEK_OCTETS).ok()
    };
    let (Some(header), Some(payload)) = (object(), object()) else {
        return false;
    };
    let supported = header.get("ppt").is_none_or(|ppt| {
        ppt.as_str()
            .is_some_and(|ppt| matches!(ppt, "shaken" | "rsp"))
    });
    let named = payload
        .get("orig")
        .and_then(|orig| orig.get("tn"))
        .and_then(|tn| tn.as_str())
        .and_then(|tn| TelephoneNumber::from_text(tn).ok());
    supported && named.as_ref() == Some(orig)
}

/// What the caller expects of an answer.
#[derive(Clone, Debug)]
pub(crate) struct ExpectedAnswer {
    pub(crate) claims: Claims,
    pub(crate) dialled: TelephoneNumber,
}

/// Checks one `rsp` PASSporT against the call that was placed.
///
/// Source: RFC 9970 sections 4 to 6 (RSP-3, RSP-22); `dest` is echoed as it was (W-26).
pub(crate) fn evaluate_answer(
    context: &Context,
    token: &str,
    sources: Sources<'_>,
    expected: &ExpectedAnswer,
    now: UnixTime,
) -> Evaluated<VerifiedPassport> {
    let called = &expected.claims;
    let wanted = Wanted {
        kinds: &[PassportType::Rsp],
        orig: called.orig(),
        // The signer speaks for the called number, not for the calling one (RSP-3).
        spoken_for: &expected.dialled,
        dest: WantedDest::Is(called.dest()),
        earliest: called.iat().minus(RSP_BACKDATING),
    };
    let mut evaluated = evaluate(context, token, sources, &wanted, now);
    // Only who read the call's PASSporT knows its `n`: what comes under it is about this call.
    if let Outcome::Dropped(reason @ (Reason::OrigMismatch | Reason::UnexpectedRsp)) =
        evaluated.outcome
    {
        evaluated.outcome = Outcome::Failed(reason);
    }
    evaluated
}

/// The mark that a PASSporT leaves when it is used, and until when the mark is kept (Unix seconds).
pub(crate) fn replay_mark(context: &Context, passport: &VerifiedPassport) -> (RecordName, u64) {
    let record = RecordName::used_passport(&passport.replay_digest());
    let policy = &context.policy;
    let until = passport
        .claims()
        .iat()
        .plus(policy.freshness)
        .plus(policy.clock_skew)
        .as_secs();
    (record, until.saturating_add(REMEMBER_BEYOND))
}

/// Whether an opened content came from the service that it was left at (PRV-12, W-34).
pub(crate) fn came_from(content: &Content, service: &BaseUrl) -> bool {
    content
        .cps
        .as_deref()
        .is_none_or(|cps| cps.eq_ignore_ascii_case(service.authority()))
}
