//! `DB_HOST`: where the database is, in the ways WordPress understands it.

use std::fmt;
use std::path::PathBuf;

/// Where PHP builds and distributions put the server's socket, in the order tried.
const SOCKETS: [&str; 4] = [
    "/run/mysqld/mysqld.sock",
    "/var/run/mysqld/mysqld.sock",
    "/var/lib/mysql/mysql.sock",
    "/tmp/mysql.sock",
];

const DEFAULT_PORT: u16 = 3306;

/// A parsed `DB_HOST`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseHost {
    routes: Vec<Route>,
}

/// One way to the server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// A Unix socket.
    Socket(PathBuf),
    /// A host, by name or address (IPv6 without brackets), and a port.
    Tcp(String, u16),
}

/// A `DB_HOST` that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a database host")]
pub struct NotAHost(String);

impl DatabaseHost {
    /// Read `host`, `host:port`, `host:/socket`, `:/socket`, `[v6]:port` or a bare IPv6 address.
    ///
    /// # Errors
    ///
    /// A port that is not a number, or an address that does not end.
    pub fn parse(text: &str) -> Result<Self, NotAHost> {
        let refused = || NotAHost(text.chars().take(100).collect());
        let (rest, socket) = match text.trim().find(":/") {
            Some(at) => (&text.trim()[..at], Some(&text.trim()[at + 1..])),
            None if text.trim().starts_with('/') => ("", Some(text.trim())),
            None => (text.trim(), None),
        };
        let (host, port) = host_and_port(rest).ok_or_else(refused)?;
        Ok(Self { routes: routes(&host, port, socket) })
    }

    /// The one route to `host` over TCP.
    pub fn tcp(host: impl Into<String>, port: Option<u16>) -> Self {
        Self { routes: vec![Route::Tcp(host.into(), port.unwrap_or(DEFAULT_PORT))] }
    }

    /// The one route over a socket.
    pub fn socket(path: impl Into<PathBuf>) -> Self {
        Self { routes: vec![Route::Socket(path.into())] }
    }

    /// The ways to the server, in the order in which to try them; at least one.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }
}

/// PHP uses the socket for `localhost`, no matter which port; TCP comes after it.
fn routes(host: &str, port: Option<u16>, socket: Option<&str>) -> Vec<Route> {
    let is_local = host.is_empty() || host.eq_ignore_ascii_case("localhost");
    let tcp = |host: &str| Route::Tcp(host.to_owned(), port.unwrap_or(DEFAULT_PORT));
    match socket {
        Some(path) if is_local => vec![Route::Socket(path.into())],
        Some(path) => vec![Route::Socket(path.into()), tcp(host)],
        None if is_local => {
            let sockets = SOCKETS.map(|path| Route::Socket(path.into()));
            sockets.into_iter().chain([tcp("localhost")]).collect()
        }
        None => vec![tcp(host)],
    }
}

fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        let port = match rest {
            "" => None,
            _ => Some(port(rest.strip_prefix(':')?)?),
        };
        return Some((host.to_owned(), port));
    }
    match text.split_once(':') {
        Some((_, rest)) if rest.contains(':') => Some((text.to_owned(), None)),
        Some((host, "")) => Some((host.to_owned(), None)),
        Some((host, digits)) => Some((host.to_owned(), Some(port(digits)?))),
        None => Some((text.to_owned(), None)),
    }
}

fn port(digits: &str) -> Option<u16> {
    digits.parse().ok().filter(|port| *port != 0)
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "{}", path.display()),
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let host = DatabaseHost::parse(text).unwrap();
        let routes: Vec<_> = host.routes().iter().map(ToString::to_string).collect();
        routes.join(" ")
    }

    #[test]
    fn every_way_to_write_a_host_is_understood() {
        let sockets = SOCKETS.join(" ");
        let table = [
            ("db.example", "db.example:3306"),
            (" db.example:3307 ", "db.example:3307"),
            ("db.example:", "db.example:3306"),
            ("127.0.0.1", "127.0.0.1:3306"),
            ("[2001:db8::1]:3307", "[2001:db8::1]:3307"),
            ("[::1]", "[::1]:3306"),
            ("2001:db8::1", "[2001:db8::1]:3306"),
            ("localhost:/tmp/my.sock", "/tmp/my.sock"),
            (":/tmp/my.sock", "/tmp/my.sock"),
            ("/tmp/my.sock", "/tmp/my.sock"),
            ("db.example:/tmp/my.sock", "/tmp/my.sock db.example:3306"),
            ("db.example:3307:/tmp/my.sock", "/tmp/my.sock db.example:3307"),
            ("localhost", &format!("{sockets} localhost:3306")),
            ("LocalHost:3307", &format!("{sockets} localhost:3307")),
            ("", &format!("{sockets} localhost:3306")),
        ];
        for (text, routes) in table {
            assert_eq!(shown(text), routes, "{text}");
        }
    }

    #[test]
    fn a_host_that_leads_nowhere_is_refused() {
        for text in ["db:port", "db:0", "db:99999", "[::1", "[::1]3306"] {
            assert!(DatabaseHost::parse(text).is_err(), "{text}");
        }
    }
}
