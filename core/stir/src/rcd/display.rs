//! Making a stranger's text fit to be shown.

/// The most characters of a call reason that are shown; longer ones are not meant for a screen.
pub const MAX_CALL_REASON_CHARS: usize = 64;

/// The most characters of a name that are shown: two lines of a telephone's screen.
pub const MAX_NAME_CHARS: usize = 80;

/// Marks that may follow one letter: Vietnamese needs two. More of them paint over other lines.
const MAX_MARKS: usize = 2;

/// The text as it may be shown: one line of at most `max_chars` visible characters.
///
/// Taken out are control characters, what turns the direction of writing, what is invisible (zero
/// width, fillers, tags, variation selectors), private-use characters, which show whatever a font
/// likes, and more than two combining marks in a row. White space of any kind becomes single blanks,
/// none at the ends. What is left is plain text: whoever shows it must not read markup into it.
///
/// Joiners are taken out too: some scripts then look plainer, and none becomes misleading.
///
/// Source: PPT-83.
#[must_use]
pub fn display_text(text: &str, max_chars: usize) -> String {
    let mut shown = String::new();
    let mut chars_left = max_chars;
    let mut blank = false;
    let mut marks = 0;
    for c in text.chars() {
        if c.is_whitespace() {
            blank = !shown.is_empty();
            continue;
        }
        if is_hidden(c) {
            continue;
        }
        marks = if is_mark(c) {
            usize::saturating_add(marks, 1)
        } else {
            0
        };
        // A mark with nothing to stand on would be drawn over what the application shows before it.
        if marks > MAX_MARKS || (marks > 0 && (shown.is_empty() || blank)) {
            continue;
        }
        let needed = if blank { 2 } else { 1 };
        let Some(left) = chars_left.checked_sub(needed) else {
            break;
        };
        chars_left = left;
        if blank {
            shown.push(' ');
            blank = false;
        }
        shown.push(c);
    }
    shown
}

/// Whether `text` is shown as it is, however long. Joiners and variation selectors may be in it: they
/// are part of how some scripts and symbols are typed, and nothing is lost without them.
pub(super) fn is_clean(text: &str) -> bool {
    let is_shaping = |c: &char| matches!(u32::from(*c), 0x200C..=0x200D | 0xFE00..=0xFE0F);
    let plain: String = text.chars().filter(|c| !is_shaping(c)).collect();
    display_text(&plain, usize::MAX) == plain
}

/// Characters that show nothing of their own, or something that nobody can foresee.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            // Format characters (Unicode general category Cf), by block.
            0x00AD | 0x0600..=0x0605 | 0x061C | 0x06DD | 0x070F | 0x0890..=0x0891 | 0x08E2
            | 0x180E | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0xFEFF
            | 0x110BD | 0x110CD | 0x13430..=0x1343F | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A
            // Fillers, joiners and selectors that are marks or letters by category.
            | 0x034F | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x2800 | 0x3164
            | 0xFE00..=0xFE0F | 0xFFA0
            // Specials but for the replacement character; tags; private use; noncharacters.
            | 0xFFF0..=0xFFFC | 0xFFFE..=0xFFFF | 0xE0000..=0xE0FFF | 0xE000..=0xF8FF
            | 0xFDD0..=0xFDEF | 0xF0000..=0x10FFFF)
}

/// Combining marks that can be piled up on any letter.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c),
        0x0300..=0x036F | 0x0483..=0x0489 | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF
        | 0xFE20..=0xFE2F)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MAX_CALL_REASON_CHARS, MAX_NAME_CHARS, display_text, is_clean};

    fn shown(text: &str) -> String {
        display_text(text, MAX_NAME_CHARS)
    }

    #[test]
    fn ordinary_names_of_any_script_stay_as_they_are() {
        for name in [
            "",
            "Q Branch Spy Gadgets",
            "Her Majesty's Secret Service",
            "Müller & Söhne",
            "Nguyễn Thị Hồng",
            "株式会社テスト",
            "שלום",
            "مرحبا",
            "हिन्दी",
            "\u{1F4DE} Taxi",
        ] {
            assert_eq!(shown(name), name);
            assert!(is_clean(name));
        }
    }

    #[test]
    fn controls_overrides_and_invisible_characters_are_taken_out() {
        for (hostile, expected) in [
            ("Bank\u{0}\u{7}\u{1b}[31m", "Bank[31m"),
            ("\u{202E}knaB ruoY", "knaB ruoY"),
            ("Your\u{2066} \u{2069}Bank", "Your Bank"),
            ("\u{200E}\u{200F}\u{61C}Bank", "Bank"),
            ("B\u{200B}a\u{200D}n\u{2060}k\u{FEFF}", "Bank"),
            ("B\u{AD}ank\u{34F}", "Bank"),
            ("Bank\u{E0041}\u{E007F}\u{FE0F}", "Bank"),
            ("\u{E000}Bank\u{10FFFD}", "Bank"),
            ("\u{3164}\u{115F}\u{2800}", ""),
            ("\u{FFF9}a\u{FFFA}b\u{FFFB}\u{FFFC}", "ab"),
            ("\u{85}\u{9b}Bank", "Bank"),
        ] {
            assert_eq!(shown(hostile), expected, "{hostile:?}");
            assert!(!is_clean(hostile), "{hostile:?}");
        }
    }

    #[test]
    fn joiners_and_selectors_may_be_signed_and_are_not_shown() {
        for (typed, expected) in [
            ("می\u{200C}خواهم", "میخواهم"),
            ("\u{260E}\u{FE0F} Taxi", "\u{260E} Taxi"),
        ] {
            assert_eq!(shown(typed), expected);
            assert!(is_clean(typed));
        }
    }

    #[test]
    fn white_space_of_any_kind_becomes_single_blanks_inside_one_line() {
        for (hostile, expected) in [
            ("  Your \t\r\n Bank\n", "Your Bank"),
            ("Your\u{2028}\u{2029}Bank", "Your Bank"),
            ("Your\u{A0}\u{3000}\u{2003}Bank", "Your Bank"),
            ("Your \u{200B} Bank", "Your Bank"),
            (" \n\t ", ""),
        ] {
            assert_eq!(shown(hostile), expected, "{hostile:?}");
        }
    }

    #[test]
    fn piled_up_marks_are_cut_and_none_stands_alone() {
        let piled = format!("Ba{}nk", "\u{0301}".repeat(40));
        assert_eq!(shown(&piled), "Ba\u{301}\u{301}nk");
        assert_eq!(shown("\u{0489}Bank"), "Bank");
        assert_eq!(shown("Your \u{0338}Bank"), "Your Bank");
    }

    #[test]
    fn length_is_cut_in_characters_and_markup_stays_text() {
        let long = "é".repeat(1000);
        let cut = display_text(&long, MAX_CALL_REASON_CHARS);
        assert_eq!(cut.chars().count(), 64);
        assert_eq!(display_text("ab cd", 3), "ab");
        assert_eq!(display_text("Bank", 0), "");
        assert_eq!(shown("<b>&amp;</b>"), "<b>&amp;</b>");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_clean_short_and_shown_the_same_again(
            chars in prop::collection::vec(
                prop_oneof![any::<char>(), prop::sample::select(vec![' ', 'a', '\u{301}', '\u{200b}'])],
                0..60,
            ),
            max in 0_usize..40,
        ) {
            let text: String = chars.into_iter().collect();
            let once = display_text(&text, max);
            prop_assert!(once.chars().count() <= max);
            prop_assert!(!once.chars().any(char::is_control));
            prop_assert!(!once.starts_with(' ') && !once.ends_with(' ') && !once.contains("  "));
            prop_assert_eq!(display_text(&once, max), once);
        }
    }
}
