//! The system's clock, and times as people and scripts read them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engine::{Env, Random, Timer, rough};
use jiff::Timestamp;
use rules::{Clock, Time};

/// The [`Clock`] of this machine.
#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        Time::from_millis(Timestamp::now().as_millisecond())
    }
}

#[async_trait]
impl Timer for SystemClock {
    async fn sleep_until(&self, at: Time) {
        tokio::time::sleep(at.since(self.now())).await;
    }
}

/// Chance of this machine.
struct SystemRandom;

impl Random for SystemRandom {
    fn next(&self) -> u64 {
        rand::random()
    }
}

/// What the engine is given in the program.
pub(crate) fn system_env() -> Env {
    Env {
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        process: std::process::id().to_string(),
    }
}

/// `time` as RFC 3339 in UTC, whole seconds.
pub(crate) fn rfc3339(time: Time) -> String {
    let seconds = time.as_millis().div_euclid(1000);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// `time` as people write it in a mail, in UTC: `2026-02-02 02:40 UTC`.
pub(crate) fn to_the_minute(time: Time) -> String {
    let text = rfc3339(time);
    let (day, hour) = text.split_once('T').unwrap_or((&text, ""));
    format!("{day} {} UTC", hour.get(..5).unwrap_or_default())
}

/// How far `time` is from `now`, for people: `in 4 min`, `2 h ago`, `now`.
pub(crate) fn relative(time: Time, now: Time) -> String {
    let (ahead, behind) = (time.since(now), now.since(time));
    if ahead.max(behind) < Duration::from_secs(1) {
        "now".to_owned()
    } else if behind.is_zero() {
        format!("in {}", rough(ahead))
    } else {
        format!("{} ago", rough(behind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_reported_exactly_to_scripts_and_roughly_to_people() {
        let now = Time::from_millis(1_770_000_000_123);
        assert_eq!(rfc3339(now), "2026-02-02T02:40:00Z");
        assert_eq!(rfc3339(Time::from_millis(i64::MAX)), "1970-01-01T00:00:00Z");
        assert_eq!(to_the_minute(now), "2026-02-02 02:40 UTC");
        assert_eq!(relative(now, now), "now");
        assert_eq!(relative(now + Duration::from_mins(5), now), "in 5 min");
        assert_eq!(relative(now - Duration::from_hours(3), now), "3 h ago");
    }
}
