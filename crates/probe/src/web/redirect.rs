//! Where a redirect leads, as a validator of domains reads it (RFC 8555, 8.3, and what authorities
//! add to it): to a name, over http or https, at the one port of each.
//!
//! Pure: whether anybody may go there is the guard's, and the addresses are the resolver's.

use rules::DomainName;
use rules::plain::words;
use url::{Host, Position, Url};

/// The longest URL that is followed, in octets.
const LONGEST: usize = 2_000;

/// The ports that the default ports of URLs stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) http: u16,
    pub(super) https: u16,
}

/// How to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

/// Something to ask for, written in one way only: no port, no user, no fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Destination {
    url: Url,
    pub(super) host: DomainName,
    pub(super) scheme: Scheme,
}

impl Destination {
    /// What a validator asks `host` for first; `token` is a label.
    pub(super) fn first(host: &DomainName, token: &str) -> Option<Self> {
        let url = format!("http://{host}/.well-known/acme-challenge/{token}");
        let url = Url::parse(&url).ok()?;
        Some(Self { url, host: host.clone(), scheme: Scheme::Http })
    }

    /// Where `location`, answered there, leads.
    ///
    /// # Errors
    ///
    /// Nobody follows it: what it says, for people.
    pub(super) fn next(&self, location: &[u8], ports: Ports) -> Result<Self, String> {
        let location = String::from_utf8_lossy(location);
        let joined = self.url.join(&location).ok();
        joined.and_then(|url| Self::read(url, ports)).ok_or_else(|| words(&location))
    }

    fn read(mut url: Url, ports: Ports) -> Option<Self> {
        let (scheme, usual, ours) = match url.scheme() {
            "http" => (Scheme::Http, 80, ports.http),
            "https" => (Scheme::Https, 443, ports.https),
            _ => return None,
        };
        let Host::Domain(host) = url.host()? else { return None };
        let host: DomainName = host.parse().ok().filter(|host: &DomainName| !host.is_wildcard())?;
        if url.port().is_some_and(|port| port != usual && port != ours) {
            return None;
        }
        url.set_port(None).ok()?;
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        url.set_host(Some(host.as_str())).ok()?;
        url.set_fragment(None);
        (url.as_str().len() <= LONGEST).then_some(Self { url, host, scheme })
    }

    /// The whole of it.
    pub(super) fn url(&self) -> &str {
        self.url.as_str()
    }

    /// What is asked of its host: path and query.
    pub(super) fn path(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_redirect_leads() {
        let table = [
            ("/x",                                 Ok("http://a.test/x")),
            ("x?y=1#z",                            Ok("http://a.test/.well-known/acme-challenge/x?y=1")),
            ("?y",                                 Ok("http://a.test/.well-known/acme-challenge/t?y")),
            ("",                                   Ok("http://a.test/.well-known/acme-challenge/t")),
            ("//b.test/x",                         Ok("http://b.test/x")),
            ("HTTPS://B.Test.",                    Ok("https://b.test/")),
            ("https://bücher.test/ü",              Ok("https://xn--bcher-kva.test/%C3%BC")),
            ("https://user:secret@a.test/",        Ok("https://a.test/")),
            ("http://a.test:80/",                  Ok("http://a.test/")),
            ("http://a.test:8080/",                Ok("http://a.test/")),
            ("https://a.test:443/",                Ok("https://a.test/")),
            ("https://a.test:8443/",               Ok("https://a.test/")),
            ("https://a.test:80/",                 Err("https://a.test:80/")),
            ("https://a.test:8080/",               Err("https://a.test:8080/")),
            ("http://a.test:443/",                 Err("http://a.test:443/")),
            ("http://a.test:22/",                  Err("http://a.test:22/")),
            ("ftp://a.test/",                      Err("ftp://a.test/")),
            ("mailto:a@a.test",                    Err("mailto:a@a.test")),
            ("javascript:alert(1)",                Err("javascript:alert(1)")),
            ("http://192.0.2.1/",                  Err("http://192.0.2.1/")),
            ("http://[2001:db8::1]/",              Err("http://[2001:db8::1]/")),
            ("http://3221225985/",                 Err("http://3221225985/")),
            ("http://localhost/",                  Err("http://localhost/")),
            ("http://*.a.test/",                   Err("http://*.a.test/")),
            ("http://",                            Err("http://")),
            ("http://a.test:99999/",               Err("http://a.test:99999/")),
            ("http://a b/\u{1b}[2J",               Err("http://a b/\\u001b[2J")),
        ];
        let first = Destination::first(&"a.test".parse().unwrap(), "t").unwrap();
        let ports = Ports { http: 8080, https: 8443 };
        for (location, want) in table {
            let next = first.next(location.as_bytes(), ports);
            let next = next.as_ref().map(Destination::url).map_err(String::as_str);
            assert_eq!(next, want, "{location}");
        }
    }

    #[test]
    fn only_so_much_is_followed_and_shown() {
        let first = Destination::first(&"a.test".parse().unwrap(), "t").unwrap();
        let ports = Ports { http: 80, https: 443 };
        let longest = "x".repeat(LONGEST - "http://a.test/".len());
        assert_eq!(
            first.next(format!("/{longest}").as_bytes(), ports).unwrap().url().len(),
            LONGEST
        );
        let shown = first.next(format!("/{longest}x").as_bytes(), ports).unwrap_err();
        assert_eq!(shown.chars().count(), rules::plain::MOST_WORDS);
    }

    #[test]
    fn its_host_is_asked_for_path_and_query() {
        let first = Destination::first(&"a.test".parse().unwrap(), "t").unwrap();
        assert_eq!(first.path(), "/.well-known/acme-challenge/t");
        let next = first.next(b"https://b.test?x=y#z", Ports { http: 80, https: 443 }).unwrap();
        assert_eq!((next.path(), next.scheme), ("/?x=y", Scheme::Https));
    }
}
