//! What the resident program hears besides its own clock: nudges of the plugin,
//! over HTTP or by the touch of a file, and that its secret was exchanged.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rules::Clock;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use wordpress::signature::{Secret, Verifier};

use crate::clock::SystemClock;
use crate::nudges::listen;
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
    secret: Option<Secret>,
}

impl Triggers {
    /// Watch the files, and turn what is noticed into `signals`.
    ///
    /// # Errors
    ///
    /// It is not known where the files are.
    pub(crate) fn open(wiring: &Wiring<'_>, signals: &Signals) -> Result<Self, Failure> {
        let mut listening = JoinSet::new();
        let reload = signals.reload.clone();
        let file = wiring.secret_file()?;
        listening.spawn(watch(file, SECRET_WITHIN, move || reload.notify_one()));
        let secret = wiring.secret().unwrap_or_else(|failure| {
            failure.log("nudges of the plugin are not received");
            None
        });
        if secret.is_some() {
            let file = wiring.nudge_file()?;
            make(&file);
            let wake = signals.wake.clone();
            listening.spawn(watch(file, NUDGE_WITHIN, move || wake.notify_one()));
        }
        Ok(Self { listening, secret })
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
        self.listening.spawn(listen(listener, verifier, move || wake.notify_one()));
        Ok(())
    }

    /// Hear no more; when it returns, the address is free.
    pub(crate) async fn close(mut self) {
        self.listening.shutdown().await;
    }
}

/// Make the file that the plugin touches. Without it, it has no way by file.
fn make(file: &Path) {
    let made = OpenOptions::new().append(true).create(true).mode(0o600).open(file);
    if let Err(error) = made {
        tracing::warn!("`{}` could not be made for the plugin to touch: {error}", file.display());
    }
}
