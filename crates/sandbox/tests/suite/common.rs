//! What the suites share: clients that hide nothing.

use std::time::Duration;

use sandbox::closte::{Closte, Settings};

/// Long enough for a busy machine, and an end to a test that hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn client() -> reqwest::Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .expect("a client without options that can fail")
}

pub(crate) async fn closte() -> Closte {
    Closte::start(Settings::default()).await.expect("loopback has free ports")
}
