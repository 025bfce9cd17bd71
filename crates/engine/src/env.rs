//! What the engine is given of the world besides its adapters: time, chance, and who it is.
//!
//! With these three and the traits to the outside it is deterministic, so a simulator can replay
//! it. Nothing in this crate may ask the system for any of them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rules::{Clock, Time};

/// A [`Clock`] that can be waited for.
#[async_trait]
pub trait Timer: Clock {
    /// Returns once the clock shows `at` or more; at once where it does already.
    async fn sleep_until(&self, at: Time);
}

/// Where chance comes from.
pub trait Random: Send + Sync {
    /// Any number, each as likely as the others.
    fn next(&self) -> u64;
}

/// Time, chance, and who this process is.
#[derive(Clone)]
pub struct Env {
    pub clock: Arc<dyn Timer>,
    pub random: Arc<dyn Random>,
    /// Names this process on leases and requests: no other one has it at the same time.
    pub process: String,
}

impl Env {
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Wait for `duration`.
    pub async fn sleep(&self, duration: Duration) {
        self.clock.sleep_until(self.now() + duration).await;
    }

    /// A number from 0 to 1, without the 1.
    pub fn chance(&self) -> f64 {
        // 53 bits are what a double holds exactly.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let (numerator, denominator) = ((self.random.next() >> 11) as f64, (1u64 << 53) as f64);
        numerator / denominator
    }
}
