//! Time that moves only when nothing is left to do, and the executor that moves it.
//!
//! ```text
//!   poll ──▶ woken? ──yes──▶ poll again
//!              │no
//!              ▼
//!           a call in flight? ──yes──▶ wait for its waker
//!              │no
//!              ▼
//!           on to the next sleeper ──▶ poll again
//! ```
//!
//! Two times are kept apart: the one that passes, by which sleepers wake, and the one that the
//! clock shows. A jump moves only the second, as a clock that somebody sets does.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_trait::async_trait;
use rules::{Clock, Time};

use crate::Timer;

/// A future that is polled so often while the clock stands still is a loop.
const SPINS: u32 = 200_000;

/// A [`Timer`] that an executor of its own moves on.
#[derive(Debug)]
pub struct VirtualClock {
    start: Time,
    state: Mutex<State>,
    signal: Arc<Signal>,
}

#[derive(Debug, Default)]
struct State {
    /// How much time has passed.
    passed: Duration,
    /// How far the clock was set, in milliseconds.
    set_by: i64,
    /// Who sleeps until when, those of one moment in the order in which they came.
    sleepers: BTreeMap<(Duration, u64), Waker>,
    next_sleeper: u64,
    in_flight: usize,
    halted: bool,
}

impl VirtualClock {
    /// A clock that shows `start`.
    pub fn at(start: Time) -> Arc<Self> {
        Arc::new(Self { start, state: Mutex::default(), signal: Arc::default() })
    }

    /// How much time has passed since the start, however the clock was set.
    pub fn passed(&self) -> Duration {
        self.state().passed
    }

    /// Set the clock by so many milliseconds, forward or back. Nobody wakes by that.
    pub fn jump(&self, millis: i64) {
        self.state().set_by += millis;
    }

    /// A call whose answer comes from another thread is under way: until the guard is dropped, time
    /// stands still and the executor waits for real.
    pub fn busy(self: &Arc<Self>) -> Busy {
        self.state().in_flight += 1;
        Busy(Arc::clone(self))
    }

    /// End [`run_until`](Self::run_until) after the poll under way, as a crash does.
    pub fn halt(&self) {
        self.state().halted = true;
    }

    /// Run `future` to its end.
    ///
    /// # Panics
    ///
    /// If nothing is left that could ever wake it.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let output = self.run(pin!(future), None);
        output.expect("only a halt ends a future without a limit, and nobody called for one")
    }

    /// Run `future` until `limit` has passed since the start; none where it is not done by then, or
    /// was halted. It can be run on.
    pub fn run_until<F>(&self, future: Pin<&mut F>, limit: Duration) -> Option<F::Output>
    where
        F: Future + ?Sized,
    {
        self.run(future, Some(limit))
    }

    fn run<F>(&self, mut future: Pin<&mut F>, limit: Option<Duration>) -> Option<F::Output>
    where
        F: Future + ?Sized,
    {
        let waker = Waker::from(Arc::clone(&self.signal));
        let mut context = Context::from_waker(&waker);
        let (mut spins, mut at) = (0, self.passed());
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return Some(output);
            }
            if std::mem::take(&mut self.state().halted) {
                return None;
            }
            if !self.next_turn(limit) {
                return None;
            }
            (spins, at) = if at == self.passed() { (spins + 1, at) } else { (0, self.passed()) };
            assert!(spins < SPINS, "a loop that never waits: {spins} turns while time stood still");
        }
    }

    /// Wait until there is something to poll for; false where that is after `limit`.
    fn next_turn(&self, limit: Option<Duration>) -> bool {
        if self.signal.take() {
            return true;
        }
        if 0 < self.state().in_flight {
            self.signal.wait();
            return true;
        }
        let next = self.state().sleepers.keys().next().map(|(at, _)| *at);
        match (next, limit) {
            (Some(next), None) => self.pass_to(next),
            (Some(next), Some(limit)) if next <= limit => self.pass_to(next),
            (_, Some(limit)) => {
                self.pass_to(limit);
                return false;
            }
            (None, None) => panic!("deadlock: nobody sleeps, no call is in flight, nobody woke"),
        }
        true
    }

    /// Let time pass up to `at`, and wake those who slept until then.
    fn pass_to(&self, at: Duration) {
        let woken: Vec<Waker> = {
            let mut state = self.state();
            state.passed = state.passed.max(at);
            let later = state.sleepers.split_off(&(at, u64::MAX));
            std::mem::replace(&mut state.sleepers, later).into_values().collect()
        };
        woken.into_iter().for_each(Waker::wake);
    }

    /// Sleep for `duration` of the time that passes.
    fn sleep(&self, duration: Duration) -> Sleep<'_> {
        let mut state = self.state();
        state.next_sleeper += 1;
        Sleep { clock: self, key: (state.passed + duration, state.next_sleeper) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Time {
        let state = self.state();
        let real = (self.start + state.passed).as_millis();
        Time::from_millis(real.saturating_add(state.set_by))
    }
}

#[async_trait]
impl Timer for VirtualClock {
    async fn sleep_until(&self, at: Time) {
        self.sleep(at.since(self.now())).await;
    }
}

/// The same time as of a machine whose clock nobody sets: the database's, say.
#[derive(Clone, Debug)]
pub struct SteadyClock(pub Arc<VirtualClock>);

impl Clock for SteadyClock {
    fn now(&self) -> Time {
        self.0.start + self.0.passed()
    }
}

/// While it lives, time stands still.
#[derive(Debug)]
pub struct Busy(Arc<VirtualClock>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.state().in_flight -= 1;
    }
}

struct Sleep<'a> {
    clock: &'a VirtualClock,
    key: (Duration, u64),
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.state();
        if self.key.0 <= state.passed {
            return Poll::Ready(());
        }
        state.sleepers.insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.clock.state().sleepers.remove(&self.key);
    }
}

/// Whether somebody woke the future that is being run.
#[derive(Debug, Default)]
struct Signal {
    woken: Mutex<bool>,
    told: Condvar,
}

impl Signal {
    fn take(&self) -> bool {
        std::mem::take(&mut *self.woken.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn wait(&self) {
        let woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        let woken = self.told.wait_while(woken, |woken| !*woken);
        *woken.unwrap_or_else(PoisonError::into_inner) = false;
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.told.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future;

    const HOUR: Duration = Duration::from_hours(1);
    const START: Time = Time::from_millis(1_800_000_000_000);

    #[test]
    fn hours_pass_at_once_and_sleepers_wake_in_their_order() {
        let clock = VirtualClock::at(START);
        let woken = Mutex::new(Vec::new());
        let sleeper = async |hours: u32| {
            clock.sleep_until(START + HOUR * hours).await;
            woken.lock().unwrap().push((hours, clock.now()));
        };
        clock.block_on(future::join_all([9, 2, 2, 0].map(sleeper)));
        let at = |hours: u32| (hours, START + HOUR * hours);
        assert_eq!(*woken.lock().unwrap(), [at(0), at(2), at(2), at(9)]);
    }

    #[test]
    fn a_future_can_be_run_on_after_a_limit() {
        let clock = VirtualClock::at(START);
        let mut future = pin!(clock.sleep(HOUR * 2));
        assert_eq!(clock.run_until(future.as_mut(), HOUR), None);
        assert_eq!(clock.now(), START + HOUR);
        assert_eq!(clock.run_until(future.as_mut(), HOUR * 3), Some(()));
        assert_eq!(clock.now(), START + HOUR * 2);
    }

    #[test]
    fn a_jump_moves_what_the_clock_shows_and_wakes_nobody() {
        let clock = VirtualClock::at(START);
        let mut future = pin!(clock.sleep(HOUR));
        assert_eq!(clock.run_until(future.as_mut(), HOUR / 2), None);
        clock.jump(7_200_000);
        assert_eq!(clock.now(), START + HOUR / 2 + HOUR * 2);
        assert_eq!(SteadyClock(Arc::clone(&clock)).now(), START + HOUR / 2);
        assert_eq!(clock.run_until(future.as_mut(), HOUR * 3 / 4), None);
        assert_eq!(clock.run_until(future.as_mut(), HOUR), Some(()));
    }

    #[test]
    fn time_stands_still_while_another_thread_works() {
        let clock = VirtualClock::at(START);
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let other = async {
            let _busy = clock.busy();
            std::thread::spawn(move || sender.send(4).unwrap());
            (receiver.await.unwrap(), clock.now())
        };
        let both = future::join(other, clock.sleep(HOUR));
        assert_eq!(clock.block_on(both), ((4, START), ()));
    }

    #[test]
    #[should_panic(expected = "deadlock")]
    fn a_future_that_nothing_can_wake_is_told() {
        VirtualClock::at(START).block_on(future::pending::<()>());
    }
}
