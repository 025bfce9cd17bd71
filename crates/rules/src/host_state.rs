//! Whether the host may be asked for changes, as the ledger alone tells.

use crate::Time;
use crate::ledger::HostHealth;
use crate::reason::Reason;

/// How the host stands to us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HostState {
    /// It may be asked.
    #[default]
    Ok,
    /// It is left alone for a while.
    Paused {
        /// It did not answer, or asked for a pause.
        reason: Reason,
        /// Until when.
        until: Time,
    },
    /// It does not accept our key.
    KeyRefused {
        /// Its own words.
        words: String,
    },
}

impl HostState {
    /// How the host stands at `now`, by what is remembered.
    pub fn of(health: &HostHealth, now: Time) -> Self {
        if let Some(words) = &health.key_refused {
            return Self::KeyRefused { words: words.clone() };
        }
        let out = Reason::HostUnreachable;
        let breaker = &health.breaker;
        let opened = if breaker.is_out() { out } else { Reason::RateLimited };
        let pauses =
            [(breaker.open_until, opened), (health.quiet_until, Reason::RateLimited)].into_iter();
        let pauses = pauses.filter_map(|(until, reason)| Some((until?, reason)));
        match pauses.filter(|(until, _)| now < *until).max_by_key(|(until, _)| *until) {
            Some((until, reason)) => Self::Paused { reason, until },
            None => Self::Ok,
        }
    }

    /// The word that scripts read.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Paused { .. } => "paused",
            Self::KeyRefused { .. } => "key-refused",
        }
    }

    /// Why, for people; the host's own words where it refuses the key.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Ok => None,
            Self::Paused { reason, .. } => Some(reason.sentence()),
            Self::KeyRefused { words } => Some(words),
        }
    }

    /// The code of why; none where it may be asked.
    pub fn code(&self) -> Option<Reason> {
        match self {
            Self::Ok => None,
            Self::Paused { reason, .. } => Some(*reason),
            Self::KeyRefused { .. } => Some(Reason::KeyRefused),
        }
    }

    /// Until when, where that is known.
    pub fn until(&self) -> Option<Time> {
        match self {
            Self::Paused { until, .. } => Some(*until),
            Self::Ok | Self::KeyRefused { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Time = Time::from_millis(100_000);

    fn remembered(change: impl FnOnce(&mut HostHealth)) -> HostHealth {
        let mut memory = HostHealth::default();
        change(&mut memory);
        memory
    }

    fn out(memory: &mut HostHealth) {
        (0..5).for_each(|_| memory.breaker.outage(NOW));
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn the_host_is_paused_until_the_last_reason_for_it_is_over() {
        let later = NOW + Duration::from_hours(1);
        let paused = |reason, until| HostState::Paused { reason, until };
        let (unreachable, limited) = (Reason::HostUnreachable, Reason::RateLimited);
        let half_minute = NOW + Duration::from_secs(30);
        let table = [
            ("nothing is wrong",           remembered(|_| ()),                                                  HostState::Ok),
            ("it did not answer",          remembered(out),                                                     paused(unreachable, half_minute)),
            ("it wants to be left alone",  remembered(|it| it.breaker.pause(NOW)),                              paused(limited, NOW + Duration::from_mins(1))),
            ("it says how long",           remembered(|it| it.quiet_until = Some(later)),                       paused(limited, later)),
            ("both, and one lasts longer", remembered(|it| { out(it); it.quiet_until = Some(later); }),         paused(limited, later)),
            ("the pause is over",          remembered(|it| it.quiet_until = Some(NOW)),                         HostState::Ok),
            ("the key comes first",        remembered(|it| { out(it); it.key_refused = Some("no".to_owned()); }), HostState::KeyRefused { words: "no".to_owned() }),
        ];
        for (shows, memory, state) in table {
            assert_eq!(HostState::of(&memory, NOW), state, "{shows}");
        }
    }
}
