//! Foreign texts, fit for a terminal, a log and a line of either.
//!
//! A host's answer, a certificate, a row of a database: whoever writes them could move the cursor
//! of whoever reads, begin a line that seems ours, or turn a line around. Whatever may do that is
//! written as JSON escapes it, so it can be seen, and stays what it was in JSON.

use std::borrow::Cow;
use std::fmt::Write;

/// The most characters of somebody else's words that are shown.
pub const MOST_WORDS: usize = 500;

/// The most characters of a text that the ledger or a pass keeps for people.
pub const MOST_KEPT: usize = 1_000;

/// `text` in one line: what is not [`is_plain`] is escaped, line ends too.
///
/// ```
/// # use rules::plain::plain;
/// assert_eq!(plain("one\n\u{1b}[31mtwo"), r"one\n\u001b[31mtwo");
/// ```
pub fn plain(text: &str) -> Cow<'_, str> {
    escaped(text, is_plain)
}

/// `text` with its lines (LF); everything else that is not [`is_plain`] is escaped.
pub fn plain_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\n' || is_plain(c))
}

/// Somebody else's words, fit to be shown in one line: [`plain`], and at most [`MOST_WORDS`]
/// characters of them.
pub fn words(text: &str) -> String {
    shortened(&plain(text), MOST_WORDS)
}

/// A text that is kept for people, in one line: [`plain`], and at most [`MOST_KEPT`] characters.
pub fn kept(text: impl Into<String>) -> String {
    let text = text.into();
    if text.len() <= MOST_KEPT && text.chars().all(is_plain) {
        return text;
    }
    shortened(&plain(&text), MOST_KEPT)
}

/// The first `most` characters of `text`, `…` being the last where there are more.
pub fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Whether `c` shows as itself where it stands. What does not: C0 and C1 controls, what turns the
/// direction of a text or marks it (Unicode UAX #9), line and paragraph separators, and what
/// cannot be seen at all.
pub fn is_plain(c: char) -> bool {
    let is_unseen = matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    );
    !c.is_control() && !is_unseen
}

fn escaped(text: &str, is_fit: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.chars().all(&is_fit) {
        return Cow::Borrowed(text);
    }
    let mut fit = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if is_fit(c) => fit.push(c),
            '\n' => fit += r"\n",
            '\r' => fit += r"\r",
            '\t' => fit += r"\t",
            c => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                // Writing to a `String` cannot fail.
                let _ = write!(fit, "\\u{unit:04x}");
            }),
        }
    }
    Cow::Owned(fit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_acts_on_a_terminal_or_turns_a_line_is_seen_instead() {
        let table = [
            ("Invalid or empty domain: \"é\\n\"", "Invalid or empty domain: \"é\\n\""),
            ("a\nb\r\tc", r"a\nb\r\tc"),
            ("\x1b[31m\x07\x7f\0", r"\u001b[31m\u0007\u007f\u0000"),
            ("\u{85}\u{9b}31m", r"\u0085\u009b31m"),
            ("\u{202e}moc.live\u{2066}\u{200f}\u{61c}", r"\u202emoc.live\u2066\u200f\u061c"),
            ("\u{2028}\u{feff}\u{e0041}\u{ad}", r"\u2028\ufeff\udb40\udc41\u00ad"),
        ];
        for (text, want) in table {
            assert_eq!(plain(text), want);
        }
        assert_eq!(plain_lines("a\nb\r\n"), "a\nb\\r\n");
        assert_eq!(shortened("éàü", 3), "éàü");
        assert_eq!(shortened("éàüx", 3), "éà…");
        assert_eq!(words(&"\n".repeat(600)).chars().count(), MOST_WORDS);
        assert_eq!(kept("é".repeat(MOST_KEPT)), "é".repeat(MOST_KEPT));
        assert_eq!(kept("é\n".repeat(MOST_KEPT)).chars().count(), MOST_KEPT);
    }

    proptest! {
        #[test]
        fn nothing_unfit_is_left_and_what_is_fit_stays(text: String) {
            prop_assert!(plain(&text).chars().all(is_plain));
            prop_assert!(plain_lines(&text).chars().all(|c| c == '\n' || is_plain(c)));
            prop_assert!(text.chars().any(|c| !is_plain(c)) || plain(&text) == text);
            prop_assert_eq!(plain_lines(&text).matches('\n').count(), text.matches('\n').count());
        }
    }
}
