//! What is wrong and where, for people.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use ringtrue::{Kind, Reason};
use ringtrue_stir::verification::Verdict;

const FAINT: Style = Style::new().dimmed();

/// A coloured text. Colours go away where the output is no terminal or `NO_COLOR` is set.
pub(crate) struct Explanation(String);

impl Explanation {
    /// The verdict with every reason and warning, and where to look.
    pub(crate) fn of(verdict: Verdict, reasons: &[Reason], warnings: &[Reason]) -> Self {
        Self::with(verdict, reasons, warnings, |_| None)
    }

    /// As [`Explanation::of`], with what `found` says was found there.
    pub(crate) fn with(
        verdict: Verdict,
        reasons: &[Reason],
        warnings: &[Reason],
        found: impl Fn(Reason) -> Option<String>,
    ) -> Self {
        let mut explanation = Self(String::new());
        let style = verdict_style(verdict);
        explanation.push(&format!("{style}{}{style:#}\n", verdict.name()));
        let yellow = AnsiColor::Yellow.on_default();
        let reasons = reasons.iter().map(|reason| ("because", style, *reason));
        let warnings = warnings.iter().map(|reason| ("warning", yellow, *reason));
        for (word, style, reason) in reasons.chain(warnings) {
            explanation.reason(word, style, reason);
            if let Some(found) = found(reason) {
                explanation.push(&format!("           {}\n", printable(&found)));
            }
        }
        explanation
    }

    /// A text without a verdict.
    pub(crate) const fn empty() -> Self {
        Self(String::new())
    }

    /// A line that is the result itself and nothing to be explained.
    pub(crate) fn verbatim(text: &str) -> Self {
        Self(format!("{}\n", printable(text)))
    }

    fn reason(&mut self, word: &str, style: Style, reason: Reason) {
        let text = format!("  {style}{word}{style:#}  {}: {reason}\n", reason.name());
        self.push(&text);
        if let Some(place) = place(reason) {
            self.push(&format!("           {FAINT}look at {place}{FAINT:#}\n"));
        }
    }

    /// Adds an indented line. What a stranger wrote shows no control characters.
    pub(crate) fn line(&mut self, text: &str) {
        let shown = printable(text);
        self.push(&format!("  {shown}\n"));
    }

    /// Adds a named value.
    pub(crate) fn field(&mut self, name: &str, value: &str) {
        let shown = printable(value);
        self.push(&format!("  {FAINT}{name:<10}{FAINT:#} {shown}\n"));
    }

    /// Adds a heading.
    pub(crate) fn heading(&mut self, text: &str) {
        let bold = Style::new().bold();
        self.push(&format!("{bold}{}{bold:#}\n", printable(text)));
    }

    fn push(&mut self, text: &str) {
        // Writing to a text cannot fail.
        let _ = self.0.write_str(text);
    }

    /// The text with its colours.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

/// Replaces what could move the cursor, colour the terminal or turn the direction of writing.
fn printable(text: &str) -> String {
    let is_unsafe = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars()
        .map(|c| if is_unsafe(c) { '\u{fffd}' } else { c })
        .collect()
}

const fn verdict_style(verdict: Verdict) -> Style {
    let color = match verdict {
        Verdict::Accept => AnsiColor::Green,
        Verdict::Refuse => AnsiColor::Red,
        _ => AnsiColor::Yellow,
    };
    color.on_default().bold()
}

/// Where in a token, a chain or a call a reason is found. `None`: the reason's own text says it.
const fn place(reason: Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::AlgorithmNotAllowed => "alg in the token's header",
        Reason::TypeMismatch => "typ in the token's header",
        Reason::MalformedPpt | Reason::PptUnsupported => "ppt in the token's header",
        Reason::X5uMissing => "x5u in the token's header",
        Reason::MalformedUrl | Reason::AddressNotAllowed => "the URL: x5u in a token's header",
        Reason::MalformedToken | Reason::CompactFormNotAllowed => {
            "the token: HEADER.PAYLOAD.SIGNATURE"
        }
        Reason::MalformedSignature | Reason::SignatureInvalid => {
            "the signature, after the last dot"
        }
        Reason::MalformedJson | Reason::DuplicateMember | Reason::NotCanonical => {
            "header and payload, base64url-decoded"
        }
        Reason::IatNotNumber
        | Reason::IatMissing
        | Reason::IatStale
        | Reason::IatInFuture
        | Reason::IatOutsideCertificate => "iat in the payload",
        Reason::MalformedNumber => "the number: of a token, tn in the payload",
        Reason::MalformedOrig | Reason::OrigMismatch => "orig in the payload",
        Reason::DestMissing
        | Reason::MalformedDest
        | Reason::DestNotSorted
        | Reason::DestMismatch => "dest in the payload",
        Reason::AttestNotAllowed => "attest in the payload",
        Reason::MalformedOrigid => "origid in the payload",
        Reason::MalformedDiv | Reason::DivMismatch => "div in the payload",
        Reason::MalformedOpt | Reason::InnerStale => "the earlier token: opt, or --inner-token",
        Reason::DivOrigMismatch | Reason::DivChainIncomplete | Reason::DivTooDeep => {
            "the tokens of the diversion, outermost first"
        }
        Reason::MalformedRph | Reason::PriorityMismatch => "rph in the payload",
        Reason::SphNotAllowed => "sph in the payload",
        Reason::MalformedMky | Reason::MediaMismatch => "mky in the payload",
        Reason::MalformedDigest | Reason::DigestMismatch => "the digests: rcdi or msgi",
        Reason::MsgiIgnored | Reason::BodyNotChecked => "msgi in the payload, and --body",
        Reason::MalformedRcd | Reason::MalformedJcard => "rcd in the payload",
        Reason::RcdNotChecked | Reason::RcdDigestMissing | Reason::ThirdPartyRcd => {
            "rcd and rcdi in the payload"
        }
        Reason::MalformedIdentityHeader | Reason::InfoNotBracketed => {
            "the field's value: TOKEN;info=<URL>;alg=ES256;ppt=TYPE"
        }
        Reason::InfoMismatch => "info of the header field and x5u of the token",
        Reason::HeaderParameterMismatch => "alg and ppt of the header field and of the token",
        Reason::NumberNotCovered | Reason::AuthorityBySpc => {
            "the TNAuthList of the signer's certificate"
        }
        Reason::TnAuthListMissing | Reason::SignerIsCa | Reason::SignerNotFirst => {
            "the first certificate of the chain"
        }
        Reason::EncompassUnknown | Reason::ScopeNotEncompassed => {
            "the TNAuthLists along the chain, each against the one above it"
        }
        Reason::ClaimConstraintViolated => {
            "the constraints in the signer's certificate, and the claims"
        }
        Reason::RevocationNotChecked => "--crl and --crl-issuer",
        Reason::NoPathToAnchor => "the last issuer of the chain, and --anchor",
        _ => return by_kind(reason),
    })
}

const fn by_kind(reason: Reason) -> Option<&'static str> {
    match reason.kind() {
        Kind::Untrusted => Some("the certificates of the chain"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ringtrue::Reason;
    use ringtrue_stir::verification::Verdict;

    use super::{Explanation, printable};

    #[test]
    fn what_strangers_wrote_cannot_drive_the_terminal() {
        assert_eq!(
            printable("a\u{1b}[2Jb\r\n\u{202e}c"),
            "a\u{fffd}[2Jb\u{fffd}\u{fffd}\u{fffd}c"
        );
        assert_eq!(printable("Grüße 电话"), "Grüße 电话");
    }

    #[test]
    fn a_refusal_names_the_reason_and_where_to_look() {
        let text = anstream_free(&Explanation::of(
            Verdict::Refuse,
            &[Reason::IatStale],
            &[Reason::RevocationNotChecked],
        ));
        assert_eq!(
            text,
            "refuse\n  because  iat_stale: iat is further back than the freshness window\n           \
             look at iat in the payload\n  warning  revocation_not_checked: revocation was not checked\n           \
             look at --crl and --crl-issuer\n"
        );
    }

    fn anstream_free(explanation: &Explanation) -> String {
        anstream::adapter::strip_str(explanation.text()).to_string()
    }
}
