//! What the service could see of a call: what it was really sent, held and counted.

use std::time::Duration;

use ringtrue::TelephoneNumber;
use ringtrue_oob::Blob;
use ringtrue_stir::base64url;
use serde::Serialize;

use super::attacker::Attacker;
use super::record::{Kind, Message, Sender};
use super::scene::{Who, ms_from};
use super::world::{Phone, World};
use crate::exit::Failure;

/// What the service could see of a call.
///
/// | Member | Meaning |
/// |---|---|
/// | `requests` | every request as it arrived: `at_ms` (negative before the call), `from` (whose network address: `relay` or `telephone`), `method`, `path`, `request_octets` and `answer_octets` of the bodies |
/// | `counts` | what the service itself counted meanwhile |
/// | `mailboxes` | what it was sent and held about each number: [`MailboxView`] |
#[derive(Serialize)]
pub(super) struct ServiceView {
    pub(super) requests: Vec<SeenRequest>,
    pub(super) counts: SeenCounts,
    pub(super) mailboxes: Vec<MailboxView>,
}

impl ServiceView {
    /// Whether nothing that belongs to one number names the other, and the search would have seen it.
    pub(super) fn is_blind(&self) -> bool {
        self.mailboxes
            .iter()
            .all(|one| one.other_found == 0 && one.other_in_passport != Some(0))
    }
}

/// A request as it arrived.
#[derive(Serialize)]
pub(super) struct SeenRequest {
    pub(super) at_ms: f64,
    pub(super) from: Sender,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) request_octets: usize,
    pub(super) answer_octets: usize,
    /// For people.
    #[serde(skip)]
    pub(super) about: String,
}

/// The service's own counts. Whoever runs it gets the same from its metrics.
#[derive(Serialize)]
pub(super) struct SeenCounts {
    pub(super) connections: u64,
    pub(super) publications: u64,
    pub(super) lookups: u64,
    pub(super) stores: u64,
    pub(super) retrievals: u64,
    pub(super) refusals: u64,
    /// Blobs that were stored, real ones.
    pub(super) blobs_stored: u64,
    /// Of those, how many it held at the end.
    pub(super) blobs_held: usize,
}

/// What the service was sent and held about one number.
///
/// | Member | Meaning |
/// |---|---|
/// | `number` | whose mailbox |
/// | `blobs`, `blob_octets` | what anybody gets who fetches it: how many, and the length of each |
/// | `searched_octets` | everything about this number: request lines, bodies, answers, blobs |
/// | `other_found` | how often the other party's number is in it, in any coding |
/// | `other_in_passport` | how often the same search finds it in the PASSporT that is sealed inside |
#[derive(Serialize)]
pub(super) struct MailboxView {
    pub(super) number: String,
    pub(super) blobs: usize,
    pub(super) blob_octets: Vec<usize>,
    pub(super) searched_octets: usize,
    pub(super) other_found: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) other_in_passport: Option<usize>,
    #[serde(skip)]
    pub(super) owner: Who,
    #[serde(skip)]
    pub(super) other: Who,
}

/// Collects what the service could see of the call that began at `zero`.
pub(super) async fn of_call(
    world: &World,
    caller: &Phone,
    callee: &Phone,
    passport: &str,
    zero: Duration,
) -> Result<ServiceView, Failure> {
    let until = world.now();
    let mut seen: Vec<(f64, Kind, Message)> = [caller, callee]
        .iter()
        .flat_map(|phone| phone.recorder.between(Duration::ZERO, until))
        .filter_map(|event| Some((ms_from(zero, event.start), event.kind, event.message?)))
        .collect();
    seen.sort_by(|a, b| a.0.total_cmp(&b.0));
    let observed = world.service.observed();
    let counts = SeenCounts {
        connections: observed.connections,
        publications: observed.publications,
        lookups: observed.lookups,
        stores: observed.stores,
        retrievals: observed.retrievals,
        refusals: observed.refusals,
        blobs_stored: observed.blobs_stored,
        blobs_held: world.service.placement_counts().live,
    };
    let mailboxes = vec![
        mailbox(world, &seen, callee, caller, Some(passport)).await?,
        mailbox(world, &seen, caller, callee, None).await?,
    ];
    let requests = seen
        .into_iter()
        .map(|(at_ms, kind, message)| SeenRequest {
            at_ms,
            about: about(kind, &message.path, [caller, callee]),
            from: message.from,
            method: message.method,
            path: message.path,
            request_octets: message.sent.len(),
            answer_octets: message.received.len(),
        })
        .collect();
    Ok(ServiceView {
        requests,
        counts,
        mailboxes,
    })
}

/// What a request says, in words.
fn about(kind: Kind, path: &str, phones: [&Phone; 2]) -> String {
    let owner = phones
        .iter()
        .find(|phone| is_about(path, &phone.number))
        .map_or("somebody", |phone| phone.who.name());
    match kind {
        Kind::Configuration => "keys that are the same for everybody are read".to_owned(),
        Kind::Issue => format!("{owner} gets storage tokens"),
        Kind::Lookup => format!("{owner}'s keys are looked up"),
        Kind::Publish => format!("{owner}'s keys are published"),
        Kind::Store => format!("something is left for {owner}"),
        _ => format!("{owner}'s mailbox is fetched"),
    }
}

fn is_about(path: &str, number: &TelephoneNumber) -> bool {
    path.split('/').any(|segment| segment == number.as_str())
}

/// Searches everything about the number of `owner` for the number of `other`.
async fn mailbox(
    world: &World,
    seen: &[(f64, Kind, Message)],
    owner: &Phone,
    other: &Phone,
    passport: Option<&str>,
) -> Result<MailboxView, Failure> {
    // Fetching asks for no secret: this is what anybody gets, the service's operator included.
    let blobs = Attacker::at(world)?.fetch(&owner.number).await?;
    let mut texts: Vec<Vec<u8>> = Vec::new();
    for (_, _, message) in seen
        .iter()
        .filter(|(_, _, message)| is_about(&message.path, &owner.number))
    {
        texts.push(message.path.clone().into_bytes());
        for body in [&message.sent, &message.received] {
            texts.push(body.clone());
            texts.extend(blobs_in(body));
        }
    }
    texts.extend(blobs.iter().map(|blob| blob.as_octets().to_vec()));
    let forms = codings(other.number.as_str());
    Ok(MailboxView {
        number: owner.number.as_str().to_owned(),
        blobs: blobs.len(),
        blob_octets: blobs.iter().map(|blob| blob.as_octets().len()).collect(),
        searched_octets: texts.iter().map(Vec::len).sum(),
        other_found: texts.iter().map(|text| occurrences(text, &forms)).sum(),
        other_in_passport: passport.map(|token| occurrences(token.as_bytes(), &forms)),
        owner: owner.who,
        other: other.who,
    })
}

/// The octets of the blobs in a body, which holds them as text.
fn blobs_in(body: &[u8]) -> Vec<Vec<u8>> {
    let Ok(text) = std::str::from_utf8(body) else {
        return Vec::new();
    };
    text.lines()
        .filter_map(|line| Blob::from_text(line).ok())
        .map(Blob::into_octets)
        .collect()
}

/// How a number may stand somewhere: its digits, and what base64url makes of them at each of the
/// three places in a group, without the characters that depend on their neighbours. Such a coding
/// may lack some bits of the first and the last digit, so the search errs on the side of finding.
fn codings(digits: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![digits.as_bytes().to_vec()];
    for before in 0..3_usize {
        let mut octets = vec![0; before];
        octets.extend_from_slice(digits.as_bytes());
        let text = base64url::encode(&octets);
        // Six bits a character: those that begin inside the digits and end there.
        let first = before.saturating_mul(8).div_ceil(6);
        let last = octets
            .len()
            .saturating_mul(8)
            .checked_div(6)
            .unwrap_or_default();
        if let Some(form) = text.get(first..last) {
            forms.push(form.as_bytes().to_vec());
        }
    }
    forms
}

fn occurrences(text: &[u8], forms: &[Vec<u8>]) -> usize {
    forms
        .iter()
        .filter(|form| !form.is_empty())
        .map(|form| {
            text.windows(form.len())
                .filter(|window| window == form)
                .count()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use ringtrue_stir::base64url;

    use super::{codings, is_about, occurrences};

    #[test]
    fn a_number_is_found_as_digits_and_in_base64url_wherever_it_begins() {
        let number = "12025550143";
        let forms = codings(number);
        for before in 0..9 {
            let plain = format!("{}{number}\"}}", "x".repeat(before));
            assert_eq!(occurrences(plain.as_bytes(), &forms), 1);
            let coded = base64url::encode(plain.as_bytes());
            assert_eq!(occurrences(coded.as_bytes(), &forms), 1, "{before}");
        }
    }

    #[test]
    fn other_numbers_are_not_found() {
        let forms = codings("12025550143");
        for other in ["12025550177", "12025551143", "555", ""] {
            assert_eq!(occurrences(other.as_bytes(), &forms), 0);
            let coded = base64url::encode(other.as_bytes());
            assert_eq!(occurrences(coded.as_bytes(), &forms), 0);
        }
    }

    #[test]
    fn a_request_is_about_the_number_in_its_path() {
        let number = ringtrue::TelephoneNumber::from_canonical("12025550143").unwrap();
        assert!(is_about("/cps/12025550143/ppts", &number));
        assert!(is_about("/keys/12025550143", &number));
        assert!(!is_about("/keys/120255501430", &number));
    }
}
