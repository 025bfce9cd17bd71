//! Whether another step may begin.
//!
//! What is under way is always finished; what has not begun stays due.

use std::time::Duration;

use rules::Time;
use rules::breaker::Allowed;
use rules::ledger::HostHealth;
use tokio_util::sync::CancellationToken;

use crate::env::Env;

/// A clock that is put right may go back so far.
const A_LITTLE: Duration = Duration::from_mins(1);

/// The end of a pass: its time is over, or somebody asked it to stop.
pub(super) struct Deadline<'a> {
    env: &'a Env,
    began: Time,
    at: Time,
    stop: CancellationToken,
}

impl<'a> Deadline<'a> {
    /// A deadline so long after `began`, or on `stop`.
    pub(super) fn new(env: &'a Env, began: Time, limit: Duration, stop: CancellationToken) -> Self {
        Self { env, began, at: began + limit, stop }
    }

    /// When the pass began.
    pub(super) fn began(&self) -> Time {
        self.began
    }

    /// Whether another step may begin.
    pub(super) fn is_open(&self) -> bool {
        let now = self.env.now();
        // Where the clock went back by more than a little, nobody knows how much time is left.
        self.began <= now + A_LITTLE && now < self.at && !self.stop.is_cancelled()
    }
}

/// Whether the host may be asked anything now.
pub(super) fn may_ask(host: &HostHealth, now: Time) -> bool {
    host.breaker.allows(now) != Allowed::None && host.quiet_until.is_none_or(|it| it <= now)
}

/// How many writes the host may be sent now.
pub(super) fn may_write(host: &HostHealth, now: Time) -> Allowed {
    if may_ask(host, now) && host.key_refused.is_none() {
        host.breaker.allows(now)
    } else {
        Allowed::None
    }
}
