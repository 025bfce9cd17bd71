//! How fast, and how many at once, the host is called.
//!
//! Both limits are waited for before a call starts, so its timeout counts from
//! when the request goes out.

use std::num::NonZeroU16;
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// The limits, shared by all calls.
///
/// Kept in tokio's time: a rate limiter with a timer of its own would cost a
/// thread, and its waits could not be tested with a paused clock.
#[derive(Debug)]
pub(crate) struct Pace {
    permits: Semaphore,
    /// The time between the starts of two calls; zero is no limit.
    gap: Duration,
    /// When the next call may start.
    next: Mutex<Instant>,
}

impl Pace {
    /// At most `rate` starts a second (0 is unlimited), `concurrency` at once.
    pub(crate) fn new(rate: u32, concurrency: NonZeroU16) -> Self {
        let gap = Duration::from_secs(1).checked_div(rate).unwrap_or_default();
        let permits = Semaphore::new(concurrency.get().into());
        Self { permits, gap, next: Mutex::new(Instant::now()) }
    }

    /// Wait until a call may start; it ends when the permit is dropped.
    pub(crate) async fn turn(&self) -> SemaphorePermit<'_> {
        // First the permit: whoever waited for it with a turn in hand would
        // start at the same moment as the next one.
        let permit = self.permits.acquire().await.expect("nobody closes the semaphore");
        if !self.gap.is_zero() {
            // The lock is first come, first served, and a call that is dropped
            // while it waits here takes no turn away.
            let mut next = self.next.lock().await;
            let start = Instant::now().max(*next);
            sleep_until(start).await;
            *next = start + self.gap;
        }
        permit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(rate: u32, concurrency: u16) -> Pace {
        Pace::new(rate, NonZeroU16::new(concurrency).unwrap())
    }

    async fn starts(pace: &Pace, calls: usize) -> Vec<u128> {
        let began = Instant::now();
        let mut starts = Vec::new();
        for _ in 0..calls {
            drop(pace.turn().await);
            starts.push(began.elapsed().as_millis());
        }
        starts
    }

    #[tokio::test(start_paused = true)]
    async fn calls_start_evenly_and_never_in_a_burst() {
        let pace = pace(5, 8);
        assert_eq!(starts(&pace, 4).await, [0, 200, 400, 600]);
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(starts(&pace, 3).await, [0, 200, 400], "a rest is not saved up");
    }

    #[tokio::test(start_paused = true)]
    async fn zero_is_no_limit() {
        assert_eq!(starts(&pace(0, 8), 100).await, [0; 100]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_calls_run_at_once_than_allowed() {
        let pace = pace(0, 2);
        let first = pace.turn().await;
        let _second = pace.turn().await;
        let soon = Duration::from_secs(1);
        assert!(tokio::time::timeout(soon, pace.turn()).await.is_err(), "a third waits");
        drop(first);
        assert!(tokio::time::timeout(soon, pace.turn()).await.is_ok(), "until one is done");
    }
}
