//! Whether another step may begin.
//!
//! A call that is under way is always finished, and a check where it does not take long; what has
//! not begun stays due.

use std::time::Duration;

use rules::Time;
use rules::breaker::Allowed;
use rules::ledger::HostHealth;
use tokio_util::sync::CancellationToken;

use crate::env::Env;

/// A clock that is put right may go back so far.
const A_LITTLE: Duration = Duration::from_mins(1);

/// What ends a pass before all of it is done, besides its time.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    /// Somebody wants the process to end.
    pub stop: CancellationToken,
    /// Something changed in WordPress: another pass is to begin, and finds the rest due. An `apply`
    /// is not ended by it.
    pub nudge: CancellationToken,
}

impl Ends {
    /// Only `stop` ends it.
    pub fn on(stop: &CancellationToken) -> Self {
        Self { stop: stop.clone(), nudge: CancellationToken::new() }
    }
}

/// The end of a pass: its time is over, or it is cut short.
pub(super) struct Deadline<'a> {
    env: &'a Env,
    began: Time,
    at: Time,
    ends: Ends,
    /// Cancelled once a call went out, or none is to: before that a nudge ends nothing, so that
    /// every pass does something.
    called: CancellationToken,
}

impl<'a> Deadline<'a> {
    /// A deadline so long after `began`, or on what `ends` it.
    pub(super) fn new(env: &'a Env, began: Time, limit: Duration, ends: Ends) -> Self {
        let Ends { stop, nudge } = ends;
        let ends = Ends { stop: stop.child_token(), nudge };
        Self { env, began, at: began + limit, ends, called: CancellationToken::new() }
    }

    /// This pass ends now: it is not for us to go on.
    pub(super) fn close(&self) {
        self.ends.stop.cancel();
    }

    /// When the pass began.
    pub(super) fn began(&self) -> Time {
        self.began
    }

    /// Whether another step may begin.
    pub(super) fn is_open(&self) -> bool {
        let now = self.env.now();
        // Where the clock went back by more than a little, nobody knows how much time is left.
        self.began <= now + A_LITTLE && now < self.at && !self.is_cut_short()
    }

    /// Whether the pass ends although there is time left.
    pub(super) fn is_cut_short(&self) -> bool {
        let Ends { stop, nudge } = &self.ends;
        stop.is_cancelled() || nudge.is_cancelled() && self.called.is_cancelled()
    }

    /// Returns when the pass is cut short.
    pub(super) async fn cut_short(&self) {
        let Ends { stop, nudge } = &self.ends;
        let nudged = async {
            self.called.cancelled().await;
            nudge.cancelled().await;
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => (),
            () = nudged => (),
        }
    }

    /// Returns when the pass' time is over.
    pub(super) async fn over(&self) {
        self.env.clock.sleep_until(self.at).await;
    }

    /// A call goes out, or none is to.
    pub(super) fn called(&self) {
        self.called.cancel();
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
