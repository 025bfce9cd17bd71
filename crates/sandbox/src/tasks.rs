//! The tasks of one part of the sandbox: one way to stop them, and to know that they have stopped.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a client in the middle of a request may delay the end.
const GRACE: Duration = Duration::from_secs(1);

/// The tasks of a part. They stop when this is dropped by its owner.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    stop: CancellationToken,
    running: TaskTracker,
}

impl Tasks {
    /// What the tasks watch.
    pub(crate) fn token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Start a task that ends on its own once the token is cancelled.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.running.spawn(task);
    }

    /// Where tasks start tasks of their own.
    pub(crate) fn tracker(&self) -> TaskTracker {
        self.running.clone()
    }

    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// Stop, and wait until the ports are free.
    pub(crate) async fn stopped(&self) {
        self.stop();
        self.running.close();
        // Listeners close first: a client that is still sending a request then blocks no port.
        let _ = tokio::time::timeout(GRACE, self.running.wait()).await;
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.stop();
    }
}
