//! Whether another step may begin.
//!
//! What is under way is always finished; what has not begun stays due.

use rules::Time;
use rules::breaker::Allowed;
use rules::ledger::HostHealth;
use tokio_util::sync::CancellationToken;

use crate::env::Env;

/// The end of a pass: its time is over, or somebody asked it to stop.
pub(super) struct Deadline<'a> {
    env: &'a Env,
    at: Time,
    stop: CancellationToken,
}

impl<'a> Deadline<'a> {
    /// A deadline at `at`, or on `stop`.
    pub(super) fn new(env: &'a Env, at: Time, stop: CancellationToken) -> Self {
        Self { env, at, stop }
    }

    /// Whether another step may begin.
    pub(super) fn is_open(&self) -> bool {
        self.env.now() < self.at && !self.stop.is_cancelled()
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
