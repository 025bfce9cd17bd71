//! Words that came from outside, and times, as people are shown them.

use std::time::Duration;

/// The most characters of somebody else's words that are shown.
pub const MOST_SHOWN: usize = 500;

/// Somebody else's words, fit to be shown in one line: without what moves a terminal's cursor, and
/// not too long.
pub fn clean(words: &str) -> String {
    let mut words: String = words.chars().map(shown).collect();
    if let Some((end, _)) = words.char_indices().nth(MOST_SHOWN) {
        words.truncate(end);
        words.push('…');
    }
    words
}

/// `c`, or a space where it would move the cursor or turn the line around.
pub fn shown(c: char) -> char {
    let turns =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || turns { ' ' } else { c }
}

/// A limit, such as `20 s` or `200 ms`.
pub(crate) fn in_words(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{} s", time.as_secs()),
        _ => format!("{} ms", time.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_made_fit_for_one_line() {
        let long = "é".repeat(600);
        let table = [
            ("Invalid or empty domain: ", "Invalid or empty domain: "),
            ("a\nb\x1b[31mc\u{202e}d", "a b [31mc d"),
            (long.as_str(), &format!("{}…", "é".repeat(MOST_SHOWN))),
        ];
        for (words, want) in table {
            assert_eq!(clean(words), want);
        }
    }

    #[test]
    fn limits_are_told_in_their_own_unit() {
        assert_eq!(in_words(Duration::from_secs(20)), "20 s");
        assert_eq!(in_words(Duration::from_millis(1500)), "1500 ms");
    }
}
