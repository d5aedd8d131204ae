//! What the service could see, in words.

use std::fmt::Write as _;

use super::text::{bold, faint, fit, green, line_to, paint, prose, red};
use super::view::{MailboxView, ServiceView};

/// What the service could see of a call.
pub(super) fn service_view(view: &ServiceView) -> String {
    let mut text = format!(
        "\n    {}\n",
        paint(bold(), "What the service could see of this call")
    );
    let head = format!(
        "{:>6}  {:<5}{:<23}{:<28}{:>7}{:>8}",
        "ms", "", "request", "in other words", "octets", "answer"
    );
    line_to(&mut text, &paint(faint(), &head));
    for request in view.requests.iter().filter(|request| request.at_ms >= 0.0) {
        line_to(
            &mut text,
            &format!(
                "{:>6.0}  {:<5}{}{}{:>7}{:>8}",
                request.at_ms,
                request.method,
                fit(&request.path, 23),
                fit(&request.about, 28),
                request.request_octets,
                request.answer_octets
            ),
        );
    }
    let counts = &view.counts;
    line_to(
        &mut text,
        &format!(
            "    It counted {} stores of {} blobs, {} fetches, {} lookup(s), {} connections.",
            counts.stores,
            counts.blobs_stored,
            counts.retrievals,
            counts.lookups,
            counts.connections
        ),
    );
    let alike: usize = view.mailboxes.iter().map(|mailbox| mailbox.blobs).sum();
    let held = format!(
        "It holds {} real blobs among {alike} in both mailboxes, {}: the others are dummies, made to \
         look alike.",
        counts.blobs_held,
        lengths(&view.mailboxes)
    );
    prose(&mut text, &held);
    text.push_str(&blindness(view));
    prose(
        &mut text,
        "So it knows which mailboxes were used, and when. The network addresses of these requests are \
         the relay's, which knows those of the telephones, and no number. That the two mailboxes belong \
         together the service can only guess from the time.",
    );
    text
}

/// That nothing about one number names the other.
pub(super) fn blindness(view: &ServiceView) -> String {
    let mut text = String::new();
    for mailbox in &view.mailboxes {
        let (owner, other) = (mailbox.owner.name(), mailbox.other.name());
        let found = match mailbox.other_found {
            0 => paint(green(), &format!("{other}'s number is not in")),
            times => paint(red(), &format!("{other}'s number is {times} times in")),
        };
        let _ = writeln!(
            text,
            "    {found} the {} octets it was sent and held for {owner}.",
            mailbox.searched_octets
        );
        if let Some(times) = mailbox.other_in_passport {
            let _ = writeln!(
                text,
                "      (The same search finds it {times} times in the PASSporT that is sealed inside.)"
            );
        }
    }
    text
}

fn lengths(mailboxes: &[MailboxView]) -> String {
    let mut lengths: Vec<usize> = mailboxes
        .iter()
        .flat_map(|mailbox| mailbox.blob_octets.iter().copied())
        .collect();
    lengths.dedup();
    match lengths.as_slice() {
        [one] => format!("each of {one} octets"),
        _ => "of several lengths".to_owned(),
    }
}
