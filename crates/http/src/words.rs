//! Times, as people are shown them.

use std::time::Duration;

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
    fn limits_are_told_in_their_own_unit() {
        assert_eq!(in_words(Duration::from_secs(20)), "20 s");
        assert_eq!(in_words(Duration::from_millis(1500)), "1500 ms");
    }
}
