//! What the resident program hears besides its own clock: nudges of the plugin,
//! over HTTP or by the touch of a file, and that its secret was exchanged.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rules::Clock;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wordpress::signature::{Secret, Verifier};

use crate::clock::SystemClock;
use crate::nudges::{listen, router};
use crate::watch::watch;
use crate::wiring::Wiring;
use engine::Failure;
use engine::controller::Signals;

/// A nudge is noticed within this time.
const NUDGE_WITHIN: Duration = Duration::from_millis(250);

/// A new secret within this.
const SECRET_WITHIN: Duration = Duration::from_secs(2);

/// All that listens, until it is closed.
pub(crate) struct Triggers {
    listening: JoinSet<()>,
    stop: CancellationToken,
    secret: Option<Secret>,
}

impl Triggers {
    /// Watch the files, and turn what is noticed into `signals`.
    ///
    /// # Errors
    ///
    /// It is not known where the files are.
    pub(crate) fn open(wiring: &Wiring<'_>, signals: &Signals) -> Result<Self, Failure> {
        let (mut listening, stop) = (JoinSet::new(), CancellationToken::new());
        let reload = signals.reload.clone();
        let file = wiring.secret_file()?;
        let watching = watch(file, SECRET_WITHIN, move || reload.notify_one());
        listening.spawn(until(&stop, watching));
        let secret = wiring.secret().unwrap_or_else(|failure| {
            failure.log("nudges of the plugin are not received");
            None
        });
        if secret.is_some() {
            let file = wiring.nudge_file()?;
            make(&file);
            let wake = signals.wake.clone();
            let watching = watch(file, NUDGE_WITHIN, move || wake.notify_one());
            listening.spawn(until(&stop, watching));
        }
        Ok(Self { listening, stop, secret })
    }

    /// Listen for nudges over HTTP, where the settings say so.
    ///
    /// # Errors
    ///
    /// The address is not to be had. What is watched goes on.
    pub(crate) async fn listen(
        &mut self,
        wiring: &Wiring<'_>,
        signals: &Signals,
    ) -> Result<(), Failure> {
        let Some(at) = wiring.settings.listen else { return Ok(()) };
        let listener = TcpListener::bind(at).await.map_err(|error| {
            Failure::could_not(format!("could not listen at `{at}`: {error}"))
                .hint("set `run.listen` to an address of this machine with a free port")
        })?;
        let verifier = Verifier::new(self.secret.clone(), SystemClock.now());
        let wake = signals.wake.clone();
        let router = router(verifier, move || wake.notify_one());
        self.listening.spawn(listen(listener, router, self.stop.clone()));
        Ok(())
    }

    /// Hear no more, and finish what is being answered; when it returns, the address is free.
    pub(crate) async fn close(mut self) {
        self.stop.cancel();
        while self.listening.join_next().await.is_some() {}
    }
}

/// What watches without end, until it is told to `stop`.
fn until(
    stop: &CancellationToken,
    watching: impl Future<Output = ()> + Send + 'static,
) -> impl Future<Output = ()> + Send + 'static {
    let stop = stop.clone();
    async move {
        stop.run_until_cancelled_owned(watching).await;
    }
}

/// Make the file that the plugin touches. Without it, it has no way by file.
fn make(file: &Path) {
    let made = OpenOptions::new().append(true).create(true).mode(0o600).open(file);
    if let Err(error) = made {
        tracing::warn!("`{}` could not be made for the plugin to touch: {error}", file.display());
    }
}
