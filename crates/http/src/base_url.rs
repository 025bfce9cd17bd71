//! Where an API is. Secrets may only go where nobody can listen in.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// The base of an API: https, or plain http to this machine itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why a text is not the base of an API.
///
/// None of them shows the text: people paste keys and passwords into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotABaseUrl {
    /// No URL at all.
    #[error("it is no URL: {0}")]
    Url(url::ParseError),
    /// Another scheme, or plain http to another machine.
    #[error(
        "it must begin with `https://`; `http://` is only for this machine itself (127.0.0.0/8, ::1, localhost)"
    )]
    Insecure,
    /// A user or password.
    #[error("it holds a user name or password, which is not where they belong")]
    Credentials,
    /// A query or fragment.
    #[error("it holds a `?` or `#`; only the base is wanted, without a key")]
    Extra,
}

impl BaseUrl {
    /// The URL of `path` below it.
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}/{path}", self.0.path().trim_end_matches('/')));
        url
    }

    /// The host that is asked.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Whether it is this machine itself, where no proxy stands between.
    pub fn is_this_machine(&self) -> bool {
        is_this_machine(&self.0)
    }
}

/// With or without a slash at its end.
impl FromStr for BaseUrl {
    type Err = NotABaseUrl;

    fn from_str(text: &str) -> Result<Self, NotABaseUrl> {
        let mut url = Url::parse(text.trim()).map_err(NotABaseUrl::Url)?;
        if !(url.scheme() == "https" || url.scheme() == "http" && is_this_machine(&url)) {
            return Err(NotABaseUrl::Insecure);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NotABaseUrl::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(NotABaseUrl::Extra);
        }
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&base);
        Ok(Self(url))
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

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_makes_no_difference() {
        let table = [
            ("https://app.closte.com/api/client", "https://app.closte.com/api/client/getdomains"),
            ("https://app.closte.com/api/client/", "https://app.closte.com/api/client/getdomains"),
            (" https://app.closte.com\n", "https://app.closte.com/getdomains"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/getdomains"),
            ("http://127.9.9.9/x", "http://127.9.9.9/x/getdomains"),
            ("http://[::1]:81", "http://[::1]:81/getdomains"),
            ("http://localhost:81/", "http://localhost:81/getdomains"),
        ];
        for (text, want) in table {
            let base: BaseUrl = text.parse().unwrap();
            assert_eq!(base.join("getdomains").as_str(), want, "{text}");
            assert_eq!(base.is_this_machine(), text.starts_with("http:"), "{text}");
        }
        let base: BaseUrl = "http://localhost:81/".parse().unwrap();
        assert_eq!(base.to_string(), "http://localhost:81");
    }

    #[test]
    fn secrets_may_not_go_where_others_can_read_them() {
        let no_base = NotABaseUrl::Url(url::ParseError::RelativeUrlWithoutBase);
        let table = [
            ("http://app.closte.com/api/client", NotABaseUrl::Insecure),
            ("http://192.0.2.1/", NotABaseUrl::Insecure),
            ("http://0.0.0.0/", NotABaseUrl::Insecure),
            ("http://127.0.0.1.example/", NotABaseUrl::Insecure),
            ("http://localhost.example/", NotABaseUrl::Insecure),
            ("http://[::ffff:192.0.2.1]/", NotABaseUrl::Insecure),
            ("ftp://127.0.0.1/", NotABaseUrl::Insecure),
            ("https://user@app.closte.com/", NotABaseUrl::Credentials),
            ("https://:secret@app.closte.com/", NotABaseUrl::Credentials),
            ("https://app.closte.com/?apikey=secret", NotABaseUrl::Extra),
            ("https://app.closte.com/#x", NotABaseUrl::Extra),
            ("app.closte.com", no_base),
            ("", no_base),
        ];
        for (text, why) in table {
            let error = text.parse::<BaseUrl>().unwrap_err();
            assert_eq!(error, why, "{text}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
