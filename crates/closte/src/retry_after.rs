//! The header `Retry-After`: a number of seconds, or a date (RFC 9110, 10.2.3).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rules::Time;

/// Nobody is asked to wait longer: a day is the pace of the slowest retries, so
/// a larger value is a mistake of the host or of its clock.
const LONGEST: Duration = Duration::from_hours(24);

/// How long to wait. A date counts from the `Date` of the same answer, where it
/// has one: so the host's clock may be wrong, and ours too.
pub(crate) fn wait(retry_after: &str, date: Option<&str>, now: Time) -> Option<Duration> {
    let wait = seconds(retry_after).or_else(|| {
        let until = http_date(retry_after)?;
        Some(until.since(date.and_then(http_date).unwrap_or(now)))
    });
    wait.map(|wait| wait.min(LONGEST))
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    let most = LONGEST.as_secs_f64();
    (!seconds.is_nan()).then(|| Duration::from_secs_f64(seconds.clamp(0.0, most)))
}

fn http_date(text: &str) -> Option<Time> {
    let date: SystemTime = httpdate::parse_http_date(text.trim()).ok()?;
    let since = date.duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(Time::default() + since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_what_the_host_asks_for_within_reason() {
        let now = Time::from_millis(784_111_777_000); // Sun, 06 Nov 1994 08:49:37 GMT
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
            // The host's clock is an hour fast, and it means half a minute.
            ("Sun, 06 Nov 1994 09:50:07 GMT", Some("Sun, 06 Nov 1994 09:49:37 GMT"), Some(30)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some("yesterday"), Some(30)),
            ("soon", None, None),
            ("NaN", None, None),
            ("", None, None),
        ];
        for (retry_after, date, want) in table {
            let want = want.map(Duration::from_secs);
            assert_eq!(wait(retry_after, date, now), want, "{retry_after}");
        }
    }
}
