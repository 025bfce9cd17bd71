//! Whether calls to the host rest: said when that begins, when the reason becomes another one, and
//! when it ends.
//!
//! Pure. A key that is refused is said as an alert; here it only ends no rest.

use rules::host_state::HostState;
use rules::{Reason, Time};

use super::line::LogLine;
use crate::texts;

/// Why calls rest, and since when.
#[derive(Debug, Default)]
pub(super) struct Rest {
    now: Option<(Reason, Time)>,
}

impl Rest {
    /// Take in how the host stands at `now`; what to say of it.
    pub(super) fn after(&mut self, host: &HostState, now: Time) -> Option<LogLine> {
        let before = self.now.take();
        let since = before.map_or(now, |(_, since)| since);
        self.now = host.code().map(|reason| (reason, since));
        let is_said = |(reason, _): &(Reason, Time)| *reason != Reason::KeyRefused;
        match (before, self.now) {
            (Some((was, _)), Some((is, _))) if was == is => None,
            (_, Some(rest)) if is_said(&rest) => {
                texts::rests(host, now).map(|text| LogLine::CallsRest { text })
            }
            (Some(rest), None) if is_said(&rest) => {
                Some(LogLine::CallsGoOn { lasted: now.since(since) })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Time {
        Time::from_millis(minutes * 60_000)
    }

    #[test]
    fn a_rest_is_said_when_it_begins_when_its_reason_changes_and_when_it_ends() {
        let paused = |reason, until| HostState::Paused { reason, until: at(until) };
        let refused = || HostState::KeyRefused { words: "no".to_owned() };
        let limited = "calls to the host rest for another 5 min: the host asked for a pause; \
                       will retry automatically";
        let silent = "calls to the host rest for another 2 min: the host could not be reached; \
                      will retry automatically";
        let table = [
            (HostState::Ok, ""),
            (paused(Reason::RateLimited, 6), limited),
            (paused(Reason::RateLimited, 9), ""),
            (paused(Reason::HostUnreachable, 5), silent),
            (HostState::Ok, "calls to the host go on after 3 min"),
            (refused(), ""),
            (HostState::Ok, ""),
            (paused(Reason::HostUnreachable, 9), silent),
            (refused(), ""),
            (HostState::Ok, ""),
        ];
        let mut rest = Rest::default();
        for (minute, (host, text)) in (0..).zip(table) {
            let said = rest.after(&host, at(minute)).map(|line| line.to_string());
            assert_eq!(said.unwrap_or_default(), text, "minute {minute}");
        }
    }
}
