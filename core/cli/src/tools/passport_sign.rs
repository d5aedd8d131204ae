//! `ringtrue passport sign`.

use ringtrue::{Profile, Reason, UnixTime};
use ringtrue_net::AwsLcCrypto;
use ringtrue_stir::X5u;
use ringtrue_stir::certificate::{CertificateBag, VerifiedPath, verify_path};
use ringtrue_stir::crypto::Signer as _;
use ringtrue_stir::passport::{
    Destinations, Diversion, Identity, Mky, Passport, PassportBuilder, ResourcePriorities,
};
use ringtrue_stir::rcd::RichCallData;
use ringtrue_stir::sip::IdentityHeader;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::cert::{judge, spc_policy, verdict_of};
use super::explain::Explanation;
use super::input;
use super::output::{decide, print};
use super::sign_args::{PassportSignArguments, TypeName};
use crate::exit::{Exit, Failure};
use crate::settings::unix_now;

/// The kind of priorities of a call that is authorised (RFC 8443 section 3).
const PRIORITY_KIND: &str = "auth";

/// What the files of the command line hold.
struct Files {
    body: Option<Zeroizing<Vec<u8>>>,
    sdp: Option<Zeroizing<Vec<u8>>>,
    claims: Map<String, Value>,
}

/// Makes a token. A chain that does not check out, or does not cover who the token speaks for, signs
/// nothing (CRT-39).
pub(crate) fn sign(arguments: &PassportSignArguments) -> Result<Exit, Failure> {
    let at = arguments.rules.at.unwrap_or_else(unix_now);
    let signer = input::signer(&arguments.key)?;
    let anchors = input::anchors(&arguments.anchors)?;
    let bag = match input::chain(&arguments.chain)? {
        Ok(bag) => bag,
        Err(reason) => return decide(arguments.json, verdict_of(&[reason]), &[reason]),
    };
    let files = files(arguments)?;
    let made = bag
        .certificates()
        .first()
        .ok_or(Reason::MalformedCertificate)
        .and_then(|first| {
            // Whoever signs for others to believe is held to one profile, the first.
            let profile = arguments.rules.profile.map_or(Profile::Stir, Into::into);
            verify_path(&AwsLcCrypto, first, &bag, &anchors, at, profile)
        })
        .and_then(|path| {
            if *path.public_key() != signer.public_key() {
                return Err(Reason::KeyMismatch);
            }
            let unsigned = build(arguments, files?, &bag, at)?.build()?;
            let token = unsigned.sign(&AwsLcCrypto, &signer)?;
            check(arguments, &token, &path)
        });
    let passport = match made {
        Ok(passport) => passport,
        Err(reason @ (Reason::SignerFailed | Reason::Internal)) => {
            return Err(Failure::of("signing")(reason));
        }
        Err(reason) => return decide(arguments.json, verdict_of(&[reason]), &[reason]),
    };
    let identity = IdentityHeader::for_passport(&passport).map(|header| header.to_value());
    let report = json!({ "token": passport.text(), "identity": identity.ok() });
    // The token alone, for whatever takes it next.
    print(arguments.json, &report, || {
        Explanation::verbatim(passport.text())
    })?;
    Ok(Exit::Good)
}

/// Reads the other files. The inner error is about what they hold.
fn files(arguments: &PassportSignArguments) -> Result<Result<Files, Reason>, Failure> {
    let read = |path: &Option<_>| path.as_deref().map(input::octets).transpose();
    let claims = match read(&arguments.claims)? {
        None => Ok(Value::Object(Map::new())),
        Some(octets) => ringtrue_stir::json::parse(&octets, input::MAX_FILE_OCTETS),
    };
    let claims = match claims {
        Ok(Value::Object(claims)) => claims,
        Ok(_) => return Ok(Err(Reason::MalformedClaims)),
        Err(reason) => return Ok(Err(reason)),
    };
    Ok(Ok(Files {
        body: read(&arguments.body)?,
        sdp: read(&arguments.sdp)?,
        claims,
    }))
}

fn build(
    arguments: &PassportSignArguments,
    files: Files,
    bag: &CertificateBag,
    iat: UnixTime,
) -> Result<PassportBuilder, Reason> {
    let x5u = X5u::parse(&arguments.x5u)?;
    x5u.require_public_literal()?;
    let dest = destinations(&arguments.dests);
    let mut mky = match &files.sdp {
        None => None,
        Some(sdp) => {
            let sdp = std::str::from_utf8(sdp).map_err(|_| Reason::MalformedMky)?;
            Some(Mky::from_sdp(sdp)?.ok_or(Reason::MalformedMky)?)
        }
    };
    // The command line asks for what a type needs; the reasons are for what it leaves open.
    let orig = || arguments.orig.as_ref().ok_or(Reason::MalformedOrig);
    let earlier = || {
        let text = arguments.earlier.as_deref().ok_or(Reason::MalformedOpt)?;
        let div = arguments.div.clone().ok_or(Reason::MalformedDiv)?;
        Ok((Passport::parse(text)?, Diversion::of(div)))
    };
    let mut builder = match arguments.kind {
        TypeName::Base => PassportBuilder::base(orig()?, dest, iat, &x5u),
        TypeName::Div => {
            let (earlier, div) = earlier()?;
            PassportBuilder::div(&earlier, &div, dest, iat, &x5u)?
        }
        TypeName::DivO => {
            let (earlier, div) = earlier()?;
            PassportBuilder::div_o(&earlier, &div, dest, iat, &x5u)?
        }
        TypeName::Msec => {
            let keys = mky.take().ok_or(Reason::MalformedMky)?;
            PassportBuilder::msec(orig()?, dest, iat, &x5u, &keys)
        }
        TypeName::Msg => {
            let body = files.body.as_ref().map(|body| body.as_slice());
            PassportBuilder::msg(orig()?, dest, iat, &x5u, body)
        }
        TypeName::Rcd => PassportBuilder::rcd(orig()?, dest, iat, &x5u, None, None),
        TypeName::Rph => {
            let values: Vec<&str> = arguments.priorities.iter().map(String::as_str).collect();
            let priorities = ResourcePriorities::new(PRIORITY_KIND, &values)?;
            PassportBuilder::rph(orig()?, dest, iat, &x5u, &priorities)
        }
        TypeName::Rsp => PassportBuilder::rsp(orig()?, dest, iat, &x5u),
        TypeName::Shaken => {
            let attest = arguments.attest.ok_or(Reason::AttestNotAllowed)?.into();
            let origid = arguments.origid.as_deref().ok_or(Reason::MalformedOrigid)?;
            PassportBuilder::shaken(orig()?, dest, iat, &x5u, attest, origid)
        }
    };
    if let Some(mky) = &mky {
        builder = builder.mky(mky);
    }
    if arguments.x5c {
        builder = builder.x5c(bag);
    }
    for (name, value) in files.claims {
        // What the command line says is not said again.
        if matches!(name.as_str(), "iat" | "orig" | "dest" | "div" | "opt") {
            return Err(Reason::MalformedClaims);
        }
        builder = builder.claim(&name, value);
    }
    Ok(builder)
}

fn destinations(identities: &[Identity]) -> Destinations {
    let mut destinations = Destinations::default();
    for identity in identities {
        match identity {
            Identity::Tn(number) => destinations.tn.push(number.clone()),
            Identity::Uri(uri) => destinations.uri.push(uri.clone()),
        }
    }
    destinations
}

/// What a verifier will ask: the certificate's constraints, its scope, and rich call data that holds.
fn check(
    arguments: &PassportSignArguments,
    token: &str,
    path: &VerifiedPath,
) -> Result<Passport, Reason> {
    let passport = Passport::parse(token)?;
    passport.verify(&AwsLcCrypto, path)?;
    let accepted = spc_policy(&arguments.rules.accept_spc);
    for identity in passport.spoken_for() {
        let number = identity.tn().ok_or(Reason::NumberNotCovered)?;
        if let (_, Some(fault)) = judge(path, Some(number), &accepted) {
            return Err(fault);
        }
    }
    RichCallData::from_claims(passport.claims().payload())?;
    Ok(passport)
}
