//! Where a network answers over HTTP, and by which name.

use std::fmt;

use http::header::HeaderValue;
use http::{BaseUrl, Url};
use rules::DomainName;
use rustls::pki_types::CertificateDer;

/// Where the network's own site answers.
#[derive(Clone, Debug)]
pub struct Endpoint {
    base: BaseUrl,
    host: Option<HeaderValue>,
    trusted: Vec<CertificateDer<'static>>,
}

/// No name that a request can be addressed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name to ask for is no host")]
pub struct NotAHost;

impl Endpoint {
    /// The network whose front page is `base`.
    pub fn new(base: BaseUrl) -> Self {
        Self { base, host: None, trusted: Vec::new() }
    }

    /// Ask there for `host`: the network's own domain, where the URL is this machine's address.
    /// Over https the certificate is still that of the URL's name.
    ///
    /// # Errors
    ///
    /// It is no host.
    pub fn asked_as(mut self, host: &str) -> Result<Self, NotAHost> {
        DomainName::parse_host(host).map_err(|_| NotAHost)?;
        self.host = Some(HeaderValue::from_str(host).map_err(|_| NotAHost)?);
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
        named.unwrap_or(self.base.host())
    }

    /// The URL of a route of the REST API, as its permalinks are pretty or `plain`.
    pub(crate) fn route(&self, route: &str, plain: bool) -> Url {
        if !plain {
            return self.base.join(&format!("wp-json{route}"));
        }
        let mut url = self.base.join("");
        url.query_pairs_mut().append_pair("rest_route", route);
        url
    }

    pub(crate) fn base(&self) -> &BaseUrl {
        &self.base
    }

    pub(crate) fn host(&self) -> Option<&HeaderValue> {
        self.host.as_ref()
    }

    pub(crate) fn trusted(&self) -> &[CertificateDer<'static>] {
        &self.trusted
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.base.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Endpoint {
        Endpoint::new(text.parse().unwrap())
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
            assert_eq!(at(base).route("/wu/v2/domain", false).as_str(), route);
        }
        let plain = at("https://network.example/wp").route("/wu/v2/domain", true);
        assert_eq!(plain.as_str(), "https://network.example/wp/?rest_route=%2Fwu%2Fv2%2Fdomain");
        assert_eq!(at("https://network.example/").to_string(), "https://network.example");
    }

    #[test]
    fn it_may_answer_to_another_name_than_its_address() {
        let here = at("http://127.0.0.1:8080");
        assert_eq!(here.name(), "127.0.0.1");
        assert_eq!(here.clone().asked_as("network.example").unwrap().name(), "network.example");
        for host in ["", "two words", "a\nb.example"] {
            assert_eq!(here.clone().asked_as(host).unwrap_err(), NotAHost, "{host:?}");
        }
    }
}
