//! The header `Retry-After`: a number of seconds, or a date (RFC 9110, 10.2.3).

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// Nobody is asked to wait longer: a day is the pace of the slowest retries, so
/// a larger value is a mistake of the server or of its clock.
const LONGEST: Duration = Duration::from_hours(24);

/// How long an answer with these headers asks to be waited, at most a day; none where it does not
/// say. A date counts from the `Date` of the same answer, where it has one: so the server's clock may
/// be wrong, and `now` too.
pub(crate) fn wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = |name| headers.get(name)?.to_str().ok();
    let text = value(RETRY_AFTER)?;
    let wait = seconds(text).or_else(|| {
        let until = http_date(text)?;
        let from = value(DATE).and_then(http_date).unwrap_or(now);
        Some(until.duration_since(from).unwrap_or_default())
    });
    wait.map(|wait| wait.min(LONGEST))
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    let most = LONGEST.as_secs_f64();
    (!seconds.is_nan()).then(|| Duration::from_secs_f64(seconds.clamp(0.0, most)))
}

fn http_date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_what_the_server_asks_for_within_reason() {
        // Sun, 06 Nov 1994 08:49:37 GMT
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let day = Some(86_400);
        let table = [
            ("30", None, Some(30)),
            (" 30 ", None, Some(30)),
            ("0", None, Some(0)),
            ("-5", None, Some(0)),
            ("86401", None, day),
            ("99999999999999999999999999", None, day),
            ("Sun, 06 Nov 1994 08:50:07 GMT", None, Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", None, Some(0)),
            ("Sat, 06 Nov 2094 08:49:37 GMT", None, day),
            ("Sunday, 06-Nov-94 08:50:07 GMT", None, Some(30)),
            // The server's clock is an hour fast, and it means half a minute.
            ("Sun, 06 Nov 1994 09:50:07 GMT", Some("Sun, 06 Nov 1994 09:49:37 GMT"), Some(30)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some("yesterday"), Some(30)),
            ("soon", None, None),
            ("NaN", None, None),
            ("", None, None),
        ];
        for (text, date, want) in table {
            let said = [(RETRY_AFTER, Some(text)), (DATE, date)];
            let said =
                said.into_iter().filter_map(|(name, text)| Some((name, text?.parse().ok()?)));
            let want = want.map(Duration::from_secs);
            assert_eq!(wait(&said.collect(), now), want, "{text}");
        }
    }
}
