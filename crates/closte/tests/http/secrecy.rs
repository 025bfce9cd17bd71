//! The key is shown by nothing, whatever the host does with it.

use std::io;
use std::sync::{Arc, Mutex};

use closte::{HttpHost, OpenError, UnusableKey};
use rules::host::{AliasHost, HostError};
use rules::{Time, clock::ManualClock};
use tracing_subscriber::fmt::MakeWriter;

use crate::wire::Wire;
use crate::{name, open, port_of_nobody, printed, settings};

/// Looks different in each encoding.
const KEY: &str = "s3cr3t+/\"k3y=";

/// The most telling part of it, the same in all.
const TELLING: &str = "s3cr3t";

#[tokio::test]
async fn a_host_that_repeats_the_key_does_not_make_us_show_it() {
    let echoes = r#"s3cr3t+/\"k3y= s3cr3t+\/\"k3y= s3cr3t%2B%2F%22k3y%3D s3cr3t%2b%2f%22k3y%3d"#;
    let location = "location: https://s3cr3t%2B%2F%22k3y%3D.example/?apikey=s3cr3t%2b%2f%22k3y%3d";
    let refusal = format!(r#"{{"success":false,"error":"no: {echoes}"}}"#);
    let elements = format!(r#"{{"success":true,"domains":["{echoes}",{{"x":"{echoes}"}}]}}"#);
    let table = [
        ("200 OK", "", refusal.as_str()),
        ("401 Unauthorized", "", &refusal),
        ("400 Bad Request", "", &refusal),
        ("302 Found", location, &refusal),
        ("200 OK", "", &elements),
        ("200 OK", "", echoes),
        ("502 Bad Gateway", "", echoes),
    ];
    let logged = Log::everything();
    for (status, headers, body) in table {
        let headers = if headers.is_empty() { "x: y" } else { headers };
        let wire = Wire::head(status, headers, body).await;
        let host = open(settings(&wire.url(), KEY));
        let shown = everything_shown(&host).await;
        assert!(wire.requests().iter().all(|request| request.contains(TELLING)), "it was sent");
        assert!(!shown.contains(TELLING), "{shown}");
    }
    let logged = logged.text();
    assert!(logged.contains("adddomainalias") && logged.contains("logged.example"), "{logged}");
    assert!(!logged.contains(TELLING), "{logged}");
}

/// All that the host's client gives to a person.
async fn everything_shown(host: &HttpHost) -> String {
    let domain = name("logged.example");
    let list = host.aliases().await;
    let mut shown = vec![format!("{host:?} {list:?}"), host.report().await];
    let errors: [Option<HostError>; 4] = [
        host.add_alias(&domain).await.err(),
        host.remove_alias(&domain).await.err(),
        host.check_key().await.err(),
        list.err(),
    ];
    shown.extend(errors.iter().flatten().map(|error| format!("{} {error:?}", printed(error))));
    shown.join("\n")
}

#[tokio::test]
async fn no_connection_shows_no_key_either() {
    let url = format!("https://127.0.0.1:{}/api", port_of_nobody());
    let host = open(settings(&url, KEY));
    let shown = everything_shown(&host).await;
    assert!(shown.contains(&format!("{url}/getdomains?apikey=[key]")), "{shown}");
    assert!(!shown.contains(TELLING), "{shown}");
    assert!(!format!("{:?}", settings("https://closte.invalid", KEY)).contains(TELLING));
}

#[test]
fn a_key_that_cannot_be_sent_is_named_and_not_shown() {
    for (key, why) in [
        (" \n", UnusableKey::Empty),
        ("s3cr3t s3cr3t", UnusableKey::Characters),
        ("s3cr3t\nX-Header: 1", UnusableKey::Characters),
    ] {
        let clock = Arc::new(ManualClock::at(Time::default()));
        let error = HttpHost::open(settings("https://closte.invalid", key), clock).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(TELLING));
        assert!(matches!(error, OpenError::Key(found) if found == why), "{error}");
    }
}

/// What was logged at every level, by other tests too.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// For all threads: a subscriber of one thread is missed by what another logged first.
    fn everything() -> Self {
        let log = Self::default();
        let all = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
        tracing::subscriber::set_global_default(all.with_writer(log.clone()).finish()).unwrap();
        tracing::callsite::rebuild_interest_cache();
        log
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
