//! Columns and colours of the story.

use anstyle::{AnsiColor, Style};

/// Columns of prose, which is indented by four more.
pub(super) const PROSE: usize = 75;

/// Adds a line without blanks at its end.
pub(super) fn line_to(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

/// Adds a paragraph.
pub(super) fn prose(text: &mut String, say: &str) {
    for line in wrapped(say, PROSE) {
        line_to(text, &format!("    {line}"));
    }
}

/// `text` in lines of at most `width` columns, broken at blanks.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len().saturating_add(word.len()) < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Exactly `width` characters: filled up, or cut.
pub(super) fn fit(text: &str, width: usize) -> String {
    let cut: String = text.chars().take(width).collect();
    format!("{cut:<width$}")
}

/// Milliseconds as short as they are telling.
pub(super) fn short_ms(ms: f64) -> String {
    if ms < 9.95 {
        format!("{ms:.1} ms")
    } else {
        format!("{ms:.0} ms")
    }
}

/// `text` in a style.
pub(super) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

pub(super) const fn bold() -> Style {
    Style::new().bold()
}

pub(super) const fn faint() -> Style {
    Style::new().dimmed()
}

pub(super) const fn green() -> Style {
    AnsiColor::Green.on_default()
}

pub(super) const fn red() -> Style {
    AnsiColor::Red.on_default()
}

#[cfg(test)]
mod tests {
    use super::{PROSE, fit, short_ms, wrapped};

    #[test]
    fn times_and_texts_fit_their_columns() {
        assert_eq!(short_ms(0.04), "0.0 ms");
        assert_eq!(short_ms(9.94), "9.9 ms");
        assert_eq!(short_ms(9.96), "10 ms");
        assert_eq!(short_ms(1501.4), "1501 ms");
        assert_eq!(fit("ab", 3), "ab ");
        assert_eq!(fit("abcd", 3), "abc");
    }

    #[test]
    fn prose_is_broken_at_blanks() {
        let lines = wrapped(&"word ".repeat(40), PROSE);
        assert!(lines.iter().all(|line| line.len() <= PROSE));
        assert_eq!(lines.join(" "), "word ".repeat(40).trim_end());
        assert!(wrapped("", PROSE).is_empty());
    }
}
