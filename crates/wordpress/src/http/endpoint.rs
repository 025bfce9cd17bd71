//! Where a network answers over HTTP. Secrets may only go where nobody can listen in.

use std::fmt;

use reqwest::header::HeaderValue;
use rules::DomainName;
use rustls::pki_types::CertificateDer;
use url::{Host, Url};

/// Where the network's own site answers: https, or http to this machine itself.
#[derive(Clone, Debug)]
pub struct Endpoint {
    base: Url,
    host: Option<HeaderValue>,
    trusted: Vec<CertificateDer<'static>>,
}

/// Why a network cannot be asked at a URL. None of these shows it: people paste passwords into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnEndpoint {
    /// Another scheme, or plain http to another machine.
    #[error(
        "the network's URL must begin with `https://`; `http://` is only for this machine itself (127.0.0.0/8, ::1, localhost)"
    )]
    Insecure,
    /// A user or password.
    #[error("the network's URL holds a user name or password, which is not where they belong")]
    Credentials,
    /// A query or fragment.
    #[error("the network's URL holds a `?` or `#`; only the address of its front page is wanted")]
    Extra,
    /// No name that a request can be addressed to.
    #[error("the name to ask for is no host")]
    Host,
}

impl Endpoint {
    /// The network whose front page is `base`, with or without a slash at its end.
    ///
    /// # Errors
    ///
    /// It is not safe to ask there, or it says more than where.
    pub fn at(mut base: Url) -> Result<Self, NotAnEndpoint> {
        let safe = base.scheme() == "https" || base.scheme() == "http" && is_this_machine(&base);
        if !safe {
            return Err(NotAnEndpoint::Insecure);
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(NotAnEndpoint::Credentials);
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(NotAnEndpoint::Extra);
        }
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        Ok(Self { base, host: None, trusted: Vec::new() })
    }

    /// Ask there for `host`: the network's own domain, where the URL is this machine's address.
    /// Over https the certificate is still that of the URL's name.
    ///
    /// # Errors
    ///
    /// It is no host.
    pub fn asked_as(mut self, host: &str) -> Result<Self, NotAnEndpoint> {
        DomainName::parse_host(host).map_err(|_| NotAnEndpoint::Host)?;
        self.host = Some(super::header(host).ok_or(NotAnEndpoint::Host)?);
        Ok(self)
    }

    /// Trust certificates of these authorities besides the system's.
    #[must_use]
    pub fn trusting(mut self, authorities: Vec<CertificateDer<'static>>) -> Self {
        self.trusted = authorities;
        self
    }

    /// The name that the network answers to there.
    pub fn name(&self) -> &str {
        let named = self.host.as_ref().and_then(|host| host.to_str().ok());
        named.or(self.base.host_str()).unwrap_or_default()
    }

    /// The URL of a route of the REST API, as its permalinks are pretty or `plain`.
    pub(crate) fn route(&self, route: &str, plain: bool) -> Url {
        let mut url = self.base.clone();
        let base = self.base.path().trim_end_matches('/');
        if plain {
            url.set_path(&format!("{base}/"));
            url.query_pairs_mut().append_pair("rest_route", route);
        } else {
            url.set_path(&format!("{base}/wp-json{route}"));
        }
        url
    }

    /// Whether it is this machine itself, where no proxy stands between.
    pub fn is_this_machine(&self) -> bool {
        is_this_machine(&self.base)
    }

    pub(crate) fn host(&self) -> Option<&HeaderValue> {
        self.host.as_ref()
    }

    pub(crate) fn trusted(&self) -> &[CertificateDer<'static>] {
        &self.trusted
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Result<Endpoint, NotAnEndpoint> {
        Endpoint::at(text.parse().unwrap())
    }

    #[test]
    fn routes_lie_below_the_front_page() {
        let pretty = "/wp-json/wu/v2/domain";
        for (base, route) in [
            ("https://network.example", format!("https://network.example{pretty}")),
            ("https://network.example/", format!("https://network.example{pretty}")),
            ("https://network.example/wp/", format!("https://network.example/wp{pretty}")),
            ("http://127.0.0.1:8080", format!("http://127.0.0.1:8080{pretty}")),
        ] {
            assert_eq!(at(base).unwrap().route("/wu/v2/domain", false).as_str(), route);
        }
        let plain = at("https://network.example/wp").unwrap().route("/wu/v2/domain", true);
        assert_eq!(plain.as_str(), "https://network.example/wp/?rest_route=%2Fwu%2Fv2%2Fdomain");
        assert_eq!(at("https://network.example/").unwrap().to_string(), "https://network.example");
    }

    #[test]
    fn secrets_may_not_go_where_others_can_read_them() {
        for (base, why) in [
            ("http://network.example", NotAnEndpoint::Insecure),
            ("http://192.0.2.1", NotAnEndpoint::Insecure),
            ("http://localhost.example", NotAnEndpoint::Insecure),
            ("ftp://127.0.0.1", NotAnEndpoint::Insecure),
            ("https://user@network.example", NotAnEndpoint::Credentials),
            ("https://:s3cret@network.example", NotAnEndpoint::Credentials),
            ("https://network.example/?key=s3cret", NotAnEndpoint::Extra),
            ("https://network.example/#x", NotAnEndpoint::Extra),
        ] {
            let error = at(base).unwrap_err();
            assert_eq!(error, why, "{base}");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
        for base in ["http://127.9.9.9", "http://[::1]:81", "http://localhost:81"] {
            assert!(at(base).unwrap().is_this_machine(), "{base}");
        }
    }

    #[test]
    fn it_may_answer_to_another_name_than_its_address() {
        let here = at("http://127.0.0.1:8080").unwrap();
        assert_eq!(here.name(), "127.0.0.1");
        assert_eq!(here.clone().asked_as("network.example").unwrap().name(), "network.example");
        for host in ["", "two words", "a\nb.example"] {
            assert_eq!(here.clone().asked_as(host).unwrap_err(), NotAnEndpoint::Host, "{host:?}");
        }
    }
}
