//! A visit to port 80, as the validator of a certificate authority makes it (RFC 8555, 8.3).

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use hyper::StatusCode;
use hyper::header::LOCATION;
use hyper::http::response::Parts;
use rules::DomainName;
use rules::evidence::{Hop, HttpEnd, HttpVisit, Inquiry};
use rules::probe::{DnsObservation, Probe as _, TlsObservation, Unreached};
use tokio::time::{Instant, timeout_at};

use super::redirect::{Destination, Ports, Scheme};
use super::{date, head};
use crate::NetProbe;

/// So many redirects are followed.
const REDIRECTS: usize = 10;

/// Who visits whom.
#[derive(Clone, Copy)]
pub(super) struct Visitor<'a> {
    pub(super) probe: &'a NetProbe,
    pub(super) inquiry: &'a Inquiry<'a>,
    pub(super) name: &'a DomainName,
    pub(super) deadline: Instant,
}

impl Visitor<'_> {
    /// Visit the name at `address`, and follow where that leads.
    pub(super) async fn visit(&self, address: IpAddr) -> HttpVisit {
        let mut hops = Vec::new();
        let end = timeout_at(self.deadline, self.walk(address, &mut hops)).await;
        let end = end.unwrap_or_else(|_| HttpEnd::Silent {
            detail: "its redirects came to no end in time".to_owned(),
        });
        HttpVisit { hops, end }
    }

    async fn walk(&self, address: IpAddr, hops: &mut Vec<Hop>) -> HttpEnd {
        let Some(mut to) = Destination::first(self.name, self.inquiry.label) else {
            return HttpEnd::NotFollowed { url: format!("http://{}", self.name) };
        };
        let mut at = address;
        loop {
            let answer = match self.ask(&to, at).await {
                Ok(answer) => answer,
                Err(end) => return end,
            };
            hops.push(hop(&to, at, &answer));
            let next = match self.next(&to, &answer) {
                Some(Ok(next)) => next,
                Some(Err(url)) => return HttpEnd::NotFollowed { url },
                None => return HttpEnd::Answered,
            };
            if let Some(end) = too_far(hops, &next) {
                return end;
            }
            if next.host == *self.name {
                at = address;
            } else if next.host != to.host {
                at = match self.address_of(&next.host, at).await {
                    Ok(found) => found,
                    Err(end) => return end,
                };
            }
            to = next;
        }
    }

    /// Where an answer leads; none where it is no redirect.
    fn next(&self, to: &Destination, answer: &Parts) -> Option<Result<Destination, String>> {
        let is_redirect = matches!(
            answer.status,
            StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT
        );
        let location = answer.headers.get(LOCATION).filter(|_| is_redirect)?;
        Some(to.next(location.as_bytes(), self.ports()))
    }

    /// An address of another host that is a target, `here` if that is one, else of IPv6 first.
    async fn address_of(&self, host: &DomainName, here: IpAddr) -> Result<IpAddr, HttpEnd> {
        let found = match self.probe.resolve(host).await {
            DnsObservation::Addresses { found, .. } => found,
            _ => BTreeSet::new(),
        };
        let ours = || found.iter().copied().filter(|ip| self.inquiry.targets.contains(*ip));
        let best = ours().find(|ip| *ip == here).or_else(|| ours().max_by_key(IpAddr::is_ipv6));
        best.ok_or_else(|| HttpEnd::Elsewhere { host: host.to_string(), found })
    }

    /// The head of the answer from `address`.
    async fn ask(&self, to: &Destination, address: IpAddr) -> Result<Parts, HttpEnd> {
        let Ports { http, https } = self.ports();
        let port = if to.scheme == Scheme::Http { http } else { https };
        let target = SocketAddr::new(address, port);
        self.head(to, target).await.map_err(|failure| end(failure, to, target))
    }

    async fn head(&self, to: &Destination, target: SocketAddr) -> Result<Parts, TlsObservation> {
        let tls = &self.probe.tls;
        let (host, path) = (&to.host, to.path());
        let head = match to.scheme {
            Scheme::Http => head(tls.connector().connect(target).await?, (host, path), tls).await?,
            // Whoever validates a name does not expect a good certificate of it yet.
            Scheme::Https => {
                head(tls.connect_unjudged(host, target.ip()).await?, (host, path), tls).await?
            }
        };
        Ok(head)
    }

    fn ports(&self) -> Ports {
        Ports { http: self.probe.http_port, https: self.probe.tls.port() }
    }
}

/// How a visit ends that is not to go on.
fn too_far(hops: &[Hop], next: &Destination) -> Option<HttpEnd> {
    if hops.iter().any(|hop| hop.url == next.url()) {
        return Some(HttpEnd::Circle { url: next.url().to_owned() });
    }
    (hops.len() > REDIRECTS).then_some(HttpEnd::TooMany)
}

fn hop(to: &Destination, address: IpAddr, answer: &Parts) -> Hop {
    Hop {
        url: to.url().to_owned(),
        host: to.host.to_string(),
        address,
        status: answer.status.as_u16(),
        date: date(answer),
    }
}

/// What a visit ends with where there is no answer.
fn end(failure: TlsObservation, to: &Destination, target: SocketAddr) -> HttpEnd {
    let at = |detail| format!("{target}: {detail}");
    match failure {
        TlsObservation::NoAnswer { how: Unreached::Refused, detail } => {
            HttpEnd::Refused { detail: at(detail) }
        }
        TlsObservation::NoAnswer { how: Unreached::Silent, detail } => {
            HttpEnd::Silent { detail: at(detail) }
        }
        TlsObservation::NoAnswer { how: Unreached::Broken, detail }
        | TlsObservation::NoCertificate { detail } => HttpEnd::Broken { detail: at(detail) },
        TlsObservation::Forbidden { .. } => {
            HttpEnd::Elsewhere { host: to.host.to_string(), found: [target.ip()].into() }
        }
        TlsObservation::Presented { .. } => {
            HttpEnd::Broken { detail: at("no connection over TLS".to_owned()) }
        }
    }
}
