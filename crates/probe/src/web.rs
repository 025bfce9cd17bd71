//! The deep questions to the web servers of a domain: port 80 as a validator sees it, what they
//! present to a stranger, and their front page.
//!
//! Only addresses that are targets are asked, all of them and everything at once. Start at
//! [`NetProbe::deep_web`].

mod redirect;
mod visit;

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::net::IpAddr;
use std::time::SystemTime;

use futures_util::future::join_all;
use hyper::header::{DATE, LOCATION};
use hyper::http::response::Parts;
use rules::evidence::{FrontPage, HttpVisit, Inquiry};
use rules::plain::words;
use rules::probe::{TlsObservation, Unreached};
use rules::{DomainName, Time};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout, timeout_at};

use crate::NetProbe;
use crate::connector::{NotReached, seconds};
use crate::exchange::{self, exchange};
use crate::tls::Tls;
use visit::Visitor;

/// What the web servers said, each by its address.
#[derive(Debug, Default)]
pub(crate) struct DeepWeb {
    /// Port 80.
    pub(crate) http: BTreeMap<IpAddr, HttpVisit>,
    /// What is presented to a name that nobody has.
    pub(crate) stranger: BTreeMap<IpAddr, TlsObservation>,
    /// The front page; only of those that a browser trusts and that answered.
    pub(crate) front: BTreeMap<IpAddr, FrontPage>,
}

impl NetProbe {
    /// Ask those of `addresses`, where DNS says that `name` is, that are targets.
    ///
    /// What has not come by the `deadline` is told as silence.
    pub(crate) async fn deep_web(
        &self,
        name: &DomainName,
        inquiry: &Inquiry<'_>,
        addresses: &BTreeSet<IpAddr>,
        deadline: Instant,
    ) -> DeepWeb {
        let name = &name.checked_as(inquiry.label);
        let visitor = Visitor { probe: self, inquiry, name, deadline };
        let stranger = &stranger(inquiry.label);
        let here = addresses.iter().copied().filter(|ip| inquiry.targets.contains(*ip));
        let asked = here.map(|address| async move {
            let (http, stranger, front) = tokio::join!(
                visitor.visit(address),
                self.shown_to(stranger.as_ref(), address, deadline),
                timeout_at(deadline, self.front(name, address)),
            );
            (address, http, stranger, front.ok().flatten())
        });
        let mut seen = DeepWeb::default();
        for (address, http, stranger, front) in join_all(asked).await {
            seen.http.insert(address, http);
            seen.stranger.extend(stranger.map(|stranger| (address, stranger)));
            seen.front.extend(front.map(|front| (address, front)));
        }
        seen
    }

    async fn shown_to(
        &self,
        stranger: Option<&DomainName>,
        address: IpAddr,
        deadline: Instant,
    ) -> Option<TlsObservation> {
        let shown = timeout_at(deadline, self.tls.check(stranger?, address)).await;
        Some(shown.unwrap_or_else(|_| TlsObservation::NoAnswer {
            how: Unreached::Silent,
            detail: "no handshake in time".to_owned(),
        }))
    }

    /// What `GET /` gives.
    async fn front(&self, name: &DomainName, address: IpAddr) -> Option<FrontPage> {
        let stream = self.tls.connect(name, address).await.ok()?;
        let answer = head(stream, (name, "/"), &self.tls).await.ok()?;
        let location = answer.headers.get(LOCATION).filter(|_| answer.status.is_redirection());
        Some(FrontPage {
            status: answer.status.as_u16(),
            location: location.map(|to| words(&String::from_utf8_lossy(to.as_bytes()))),
            date: date(&answer),
        })
    }
}

/// A name for which no server has a certificate: no authority may give one (RFC 6761, 6.4). One below
/// the domain would not do, where the server has a certificate for all names there.
fn stranger(label: &str) -> Option<DomainName> {
    format!("{label}.invalid").parse().ok()
}

/// Ask for (host, path) on `stream`: the head of the answer, its body unread.
///
/// # Errors
///
/// There is none.
async fn head(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    (host, path): (&DomainName, &str),
    tls: &Tls,
) -> Result<Parts, NotReached> {
    let broken = |detail| NotReached::NoAnswer { how: Unreached::Broken, detail };
    let request = exchange::get(host, path).map_err(broken)?;
    let answer = exchange(stream, request, |response| ready(Ok(response.into_parts().0)));
    let answer = timeout(tls.timeout(), answer).await.map_err(|_| NotReached::NoAnswer {
        how: Unreached::Silent,
        detail: format!("no answer within {}", seconds(tls.timeout())),
    })?;
    answer.map_err(broken)
}

/// The server's clock, where it tells.
fn date(answer: &Parts) -> Option<Time> {
    let date = httpdate::parse_http_date(answer.headers.get(DATE)?.to_str().ok()?).ok()?;
    Some(Time::default() + date.duration_since(SystemTime::UNIX_EPOCH).ok()?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use rules::clock::ManualClock;
    use rules::evidence::HttpEnd;
    use rules::targets::TargetBasis;
    use tokio::net::TcpListener;

    use super::*;
    use crate::Settings;

    #[tokio::test(start_paused = true)]
    async fn what_has_not_come_by_the_deadline_is_silence() {
        // The kernel takes connections, and nobody answers them.
        let mute = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let at = mute.local_addr().unwrap();
        let settings = Settings {
            resolvers: Some(vec![at]),
            http_port: at.port(),
            https_port: at.port(),
            allow_private: true,
            timeout: Duration::from_hours(1),
            ..Settings::default()
        };
        let probe = NetProbe::new(settings, Arc::new(ManualClock::default())).unwrap();
        let set = BTreeSet::from([at.ip()]);
        let basis = TargetBasis { set: &set, public: &BTreeSet::new(), own: None };
        let targets = basis.targets(None, None, Time::default());
        let inquiry = Inquiry { targets: &targets, label: "zq7", within: Inquiry::WHOLE };
        let begun = Instant::now();
        let deadline = begun + Duration::from_secs(15);
        let name = "shop.test".parse().unwrap();
        let seen = probe.deep_web(&name, &inquiry, &set, deadline).await;
        assert!(begun.elapsed() < Duration::from_secs(16), "{:?}", begun.elapsed());
        assert!(matches!(seen.http[&at.ip()].end, HttpEnd::Silent { .. }), "{seen:?}");
        let how = |it: &TlsObservation| match it {
            TlsObservation::NoAnswer { how, .. } => Some(*how),
            _ => None,
        };
        assert_eq!(how(&seen.stranger[&at.ip()]), Some(Unreached::Silent));
        assert!(seen.front.is_empty());
    }
}
