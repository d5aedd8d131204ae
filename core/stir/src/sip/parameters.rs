//! The parameters of a SIP header field: `;name`, `;name=token`, `;name="quoted"`, `;name=<URI>`.
//!
//! Source: RFC 3261 section 25.1 (`generic-param`, `SEMI`, `EQUAL`, `LAQUOT`, `RAQUOT`).

use core::{iter, mem};

/// How many parameters are read. The registered ones of both header fields are six; bounds the work.
pub(super) const MAX_PARAMETERS: usize = 32;

/// The value of a parameter, by the way it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written<'a> {
    /// Nothing behind the name.
    Absent,
    /// Neither quoted nor in angle brackets.
    Bare(&'a str),
    /// Between `<` and `>`.
    Bracketed(&'a str),
    /// Between double quotes, still with its escapes.
    Quoted(&'a str),
}

/// One parameter.
#[derive(Clone, Copy)]
pub(super) struct Parameter<'a> {
    pub(super) name: &'a str,
    pub(super) value: Written<'a>,
}

/// Splits `text` at its first `;` and reads what follows as parameters. `None` if it does not read,
/// or has more than [`MAX_PARAMETERS`].
pub(super) fn split(text: &str) -> Option<(&str, Vec<Parameter<'_>>)> {
    let end = text.find(';').unwrap_or(text.len());
    let (head, mut rest) = text.split_at_checked(end)?;
    let mut parameters = Vec::new();
    while let Some(after) = rest.strip_prefix(';') {
        if parameters.len() == MAX_PARAMETERS {
            return None;
        }
        let (parameter, remainder) = read(after)?;
        parameters.push(parameter);
        rest = remainder;
    }
    rest.is_empty()
        .then(|| (head.trim_matches(is_blank), parameters))
}

/// Separates the values of one line at the commas outside of quotes and angle brackets.
pub(super) fn split_list(line: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut bracketed, mut escaped) = (false, false, false);
    line.split(move |c: char| {
        let was_escaped = mem::take(&mut escaped);
        match c {
            '\\' if quoted && !was_escaped => escaped = true,
            '"' if !bracketed && !was_escaped => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            ',' => return !quoted && !bracketed,
            _ => {}
        }
        false
    })
    .map(|value| value.trim_matches(is_blank))
}

/// One parameter and what follows its trailing blanks.
fn read(text: &str) -> Option<(Parameter<'_>, &str)> {
    let text = text.trim_start_matches(is_blank);
    let end = text.find(|c: char| !is_token_char(c)).unwrap_or(text.len());
    let (name, rest) = text
        .split_at_checked(end)
        .filter(|(name, _)| !name.is_empty())?;
    let rest = rest.trim_start_matches(is_blank);
    let Some(rest) = rest.strip_prefix('=') else {
        let value = Written::Absent;
        return Some((Parameter { name, value }, rest));
    };
    let rest = rest.trim_start_matches(is_blank);
    let (value, rest) = if let Some(rest) = rest.strip_prefix('<') {
        let (inside, rest) = rest.split_once('>')?;
        (Written::Bracketed(inside), rest)
    } else if let Some(rest) = rest.strip_prefix('"') {
        let (inside, rest) = rest.split_at_checked(closing_quote(rest)?)?;
        (Written::Quoted(inside), rest.strip_prefix('"')?)
    } else {
        let end = rest
            .find(|c: char| c == ';' || is_blank(c))
            .unwrap_or(rest.len());
        let (bare, rest) = rest.split_at_checked(end)?;
        if bare.is_empty() || bare.contains(['"', '<', '>']) {
            return None;
        }
        (Written::Bare(bare), rest)
    };
    Some((Parameter { name, value }, rest.trim_start_matches(is_blank)))
}

/// Where a quoted string ends: the first quote that no backslash precedes.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|b| {
        let ends = b == b'"' && !escaped;
        escaped = b == b'\\' && !escaped;
        ends
    })
}

/// What stands in a quoted string. `None` for a backslash at its end, or a control character.
pub(super) fn unquote(inside: &str) -> Option<String> {
    let mut text = String::with_capacity(inside.len());
    let mut rest = inside.chars();
    while let Some(c) = rest.next() {
        let c = if c == '\\' { rest.next()? } else { c };
        if c.is_control() && c != '\t' {
            return None;
        }
        text.push(c);
    }
    Some(text)
}

/// Writes a quoted string. Control characters, which it cannot hold, are left out.
pub(super) fn quote(text: &str) -> String {
    let inside = text
        .chars()
        .filter(|c| !c.is_control() || *c == '\t')
        .flat_map(|c| {
            let escape = matches!(c, '"' | '\\').then_some('\\');
            escape.into_iter().chain(iter::once(c))
        });
    iter::once('"')
        .chain(inside)
        .chain(iter::once('"'))
        .collect()
}

/// `token` of RFC 3261 section 25.1.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_token_char)
}

const fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(
            c,
            '-' | '.' | '!' | '%' | '*' | '_' | '+' | '`' | '\'' | '~'
        )
}

/// White space of one line; lines were unfolded by the SIP stack (SIP-6).
pub(super) const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}
