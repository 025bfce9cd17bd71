//! Where the host's API is. A key may only go where nobody can listen in.

use std::fmt;

use url::{Host, Url};

/// The address of the host's API: https, or plain http to this machine itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiUrl(Url);

/// Why a text is not the address of an API.
///
/// None of them shows the text: people paste keys into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnApiUrl {
    /// No URL at all.
    #[error("it is not a URL, such as `https://app.closte.com/api/client`")]
    Url(#[source] url::ParseError),
    /// Another scheme, or plain http to another machine.
    #[error(
        "it must begin with `https://`; `http://` is only for this machine itself (127.0.0.0/8, ::1, localhost)"
    )]
    Insecure,
    /// A user or password.
    #[error("it holds a user name or password, which the API does not use")]
    Credentials,
    /// A query or fragment.
    #[error("it holds a `?` or `#`; only the base of the API is wanted, without a key")]
    Extra,
}

impl ApiUrl {
    /// Read the base of an API, with or without a slash at its end.
    pub fn parse(text: &str) -> Result<Self, NotAnApiUrl> {
        let mut url = Url::parse(text.trim()).map_err(NotAnApiUrl::Url)?;
        if !(url.scheme() == "https" || url.scheme() == "http" && is_this_machine(&url)) {
            return Err(NotAnApiUrl::Insecure);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NotAnApiUrl::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(NotAnApiUrl::Extra);
        }
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&base);
        Ok(Self(url))
    }

    /// The address of the call `name`.
    pub(crate) fn call(&self, name: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}/{name}", self.0.path().trim_end_matches('/')));
        url
    }

    /// Whether it is this machine itself, where no proxy stands between.
    pub(crate) fn is_this_machine(&self) -> bool {
        is_this_machine(&self.0)
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

impl Default for ApiUrl {
    fn default() -> Self {
        Self::parse("https://app.closte.com/api/client").expect("a URL with https")
    }
}

impl fmt::Display for ApiUrl {
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
            assert_eq!(ApiUrl::parse(text).unwrap().call("getdomains").as_str(), want, "{text}");
        }
        assert_eq!(ApiUrl::default().to_string(), "https://app.closte.com/api/client");
        assert_eq!(
            ApiUrl::parse("http://localhost:81/").unwrap().to_string(),
            "http://localhost:81"
        );
    }

    #[test]
    fn the_key_may_not_go_where_others_can_read_it() {
        let table = [
            ("http://app.closte.com/api/client", NotAnApiUrl::Insecure),
            ("http://192.0.2.1/", NotAnApiUrl::Insecure),
            ("http://0.0.0.0/", NotAnApiUrl::Insecure),
            ("http://127.0.0.1.example/", NotAnApiUrl::Insecure),
            ("http://localhost.example/", NotAnApiUrl::Insecure),
            ("http://[::ffff:192.0.2.1]/", NotAnApiUrl::Insecure),
            ("ftp://127.0.0.1/", NotAnApiUrl::Insecure),
            ("https://user@app.closte.com/", NotAnApiUrl::Credentials),
            ("https://:secret@app.closte.com/", NotAnApiUrl::Credentials),
            ("https://app.closte.com/?apikey=secret", NotAnApiUrl::Extra),
            ("https://app.closte.com/#x", NotAnApiUrl::Extra),
            ("app.closte.com", NotAnApiUrl::Url(url::ParseError::RelativeUrlWithoutBase)),
            ("", NotAnApiUrl::Url(url::ParseError::RelativeUrlWithoutBase)),
        ];
        for (text, why) in table {
            let error = ApiUrl::parse(text).unwrap_err();
            assert_eq!(error, why, "{text}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
