//! Web servers: at each address, what each name is shown and answered, and how the ports are.
//!
//! A port that is closed is one where nobody listens. One that is silent takes connections and
//! never says a word; one that is filtered does not even take them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio_rustls::LazyConfigAcceptor;

use super::certificate::{Certificate, config};
use super::signing::since_the_epoch;
use super::{locked, runtime};
use crate::eventually;

/// The fatal alerts that end a handshake, as records (RFC 8446, 6).
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];
const INTERNAL_ERROR: [u8; 7] = [21, 3, 3, 0, 2, 2, 80];

/// More head than any client sends.
const HEAD_LIMIT: usize = 16 << 10;

/// One of the two ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// Without certificates.
    Http,
    /// With certificates.
    Https,
}

/// How a port is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Somebody answers.
    Open,
    /// Connections are refused.
    Closed,
    /// Connections are made, and nothing is said on them.
    Silent,
    /// Connections are not even made: packets are dropped.
    Filtered,
}

/// What a name answers to every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A short page with this status.
    Status(u16),
    /// A redirect to this address.
    Redirect(String),
    /// So many redirects on the same server, one after the other, and then a page.
    Hops(u32),
    /// What WordPress answers to its routing proof for the mapping of this id; else a page.
    Proof(u64),
    /// Nothing: the connection stays open.
    Hang,
    /// The connection ends.
    Close,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// At which port.
    pub scheme: Scheme,
    /// The name in the `Host` header, in lower case and without a port.
    pub name: String,
    /// Path and query.
    pub target: String,
}

/// A web server at one address. Clones are the same server.
#[derive(Clone, Debug)]
pub struct Web {
    address: Ipv4Addr,
    ports: BTreeMap<Scheme, u16>,
    site: Arc<Mutex<Site>>,
    doors: Arc<Mutex<BTreeMap<Scheme, Open>>>,
}

#[derive(Debug)]
struct Site {
    certificates: BTreeMap<String, Certificate>,
    otherwise: Certificate,
    answers: BTreeMap<(Scheme, String), Answer>,
    clock_ahead: i64,
    requests: Vec<Request>,
    hellos: Vec<String>,
}

/// What keeps a port as it is.
#[derive(Debug)]
enum Open {
    Served(JoinSet<()>),
    Held { _listener: Listener, _visitor: Option<TcpStream> },
}

#[derive(Debug)]
#[expect(dead_code, reason = "it is held, so that the port is taken")]
enum Listener {
    Ours(TcpListener),
    Full(tokio::net::TcpListener),
}

impl Web {
    pub(super) fn start(address: Ipv4Addr, https: u16, http: u16) -> Self {
        let site = Site {
            certificates: BTreeMap::new(),
            otherwise: Certificate::Default,
            answers: BTreeMap::new(),
            clock_ahead: 0,
            requests: Vec::new(),
            hellos: Vec::new(),
        };
        let web = Self {
            address,
            ports: BTreeMap::from([(Scheme::Https, https), (Scheme::Http, http)]),
            site: Arc::new(Mutex::new(site)),
            doors: Arc::default(),
        };
        web.door(Scheme::Https, Door::Open);
        web.door(Scheme::Http, Door::Open);
        web
    }

    /// Its address.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Show visitors of a name this from now on; `*.` and a name stands for all right below it.
    pub fn show(&self, name: &str, certificate: Certificate) {
        locked(&self.site).certificates.insert(name.to_owned(), certificate);
    }

    /// Show visitors of all other names this from now on.
    pub fn otherwise(&self, certificate: Certificate) {
        locked(&self.site).otherwise = certificate;
    }

    /// Answer every request for a name so from now on; `*` stands for all other names.
    pub fn answer(&self, scheme: Scheme, name: &str, answer: Answer) {
        locked(&self.site).answers.insert((scheme, name.to_owned()), answer);
    }

    /// Have the `Date` header ahead of the time, by seconds.
    pub fn clock_ahead(&self, seconds: i64) {
        locked(&self.site).clock_ahead = seconds;
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        locked(&self.site).requests.clone()
    }

    /// The names in all TLS hellos so far.
    pub fn hellos(&self) -> Vec<String> {
        locked(&self.site).hellos.clone()
    }

    /// Have a port be so from now on.
    ///
    /// # Panics
    ///
    /// From within a runtime.
    pub fn door(&self, scheme: Scheme, door: Door) {
        let mut doors = locked(&self.doors);
        if let Some(Open::Served(mut task)) = doors.remove(&scheme) {
            // Its port is free once it has ended.
            runtime().block_on(task.shutdown());
        }
        let address = SocketAddr::from((self.address, self.ports[&scheme]));
        let open = match door {
            Door::Closed => return,
            Door::Open => Open::Served(self.serve(scheme, bind(address))),
            Door::Silent => Open::Held { _listener: Listener::Ours(bind(address)), _visitor: None },
            Door::Filtered => full(address),
        };
        doors.insert(scheme, open);
    }

    fn serve(&self, scheme: Scheme, listener: TcpListener) -> JoinSet<()> {
        listener.set_nonblocking(true).expect("a socket of ours");
        let site = Arc::clone(&self.site);
        let _context = runtime().enter();
        let listener = tokio::net::TcpListener::from_std(listener).expect("a socket of ours");
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut visits = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((stream, _)) = listener.accept() => {
                        let site = Arc::clone(&site);
                        visits.spawn(async move { visit(stream, scheme, &site).await });
                    }
                    Some(_) = visits.join_next() => {}
                }
            }
        });
        task
    }
}

/// Listen. Between its fork and its exec a child of another test may still hold the listener that was here before.
fn bind(address: SocketAddr) -> TcpListener {
    let listener = RefCell::new(None);
    eventually("the port is free", || {
        listener.replace(TcpListener::bind(address).ok());
        listener.borrow().is_some()
    });
    listener.into_inner().expect("it listens")
}

/// A port whose queue of connections that nobody takes is full: Linux drops what comes after.
fn full(address: SocketAddr) -> Open {
    // Whoever listened here before must be gone.
    drop(bind(address));
    let _context = runtime().enter();
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("a socket of ours");
    socket.bind(address).expect("the block is ours");
    let listener = socket.listen(0).expect("a socket of ours");
    let visitor = TcpStream::connect(address).expect("there is room for one");
    Open::Held { _listener: Listener::Full(listener), _visitor: Some(visitor) }
}

impl Site {
    fn certificate(&self, name: &str) -> (String, Certificate) {
        let wildcard = name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
        let keys = [Some(name.to_owned()), wildcard];
        let found = keys.into_iter().flatten().find_map(|key| {
            let certificate = self.certificates.get(&key)?.clone();
            Some((key, certificate))
        });
        found.unwrap_or_else(|| (name.to_owned(), self.otherwise.clone()))
    }

    fn answer(&self, scheme: Scheme, name: &str) -> Answer {
        let found = self.answers.get(&(scheme, name.to_owned()));
        let found = found.or_else(|| self.answers.get(&(scheme, "*".to_owned())));
        found.cloned().unwrap_or(Answer::Status(200))
    }

    fn date(&self) -> String {
        let now = since_the_epoch();
        let by = Duration::from_secs(self.clock_ahead.unsigned_abs());
        let now = if self.clock_ahead < 0 { now.saturating_sub(by) } else { now + by };
        httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + now)
    }
}

async fn visit(
    stream: tokio::net::TcpStream,
    scheme: Scheme,
    site: &Mutex<Site>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match scheme {
        Scheme::Http => talk(stream, scheme, site).await,
        Scheme::Https => shake_hands(stream, site).await,
    }
}

async fn shake_hands(stream: tokio::net::TcpStream, site: &Mutex<Site>) -> io::Result<()> {
    let mut hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let asked = hello.client_hello().server_name().unwrap_or_default().to_ascii_lowercase();
    let (name, certificate) = {
        let mut site = locked(site);
        site.hellos.push(asked.clone());
        site.certificate(&asked)
    };
    if let Some(config) = config(&name, &certificate) {
        return talk(hello.into_stream(config).await?, Scheme::Https, site).await;
    }
    match certificate {
        Certificate::Alert => hello.io.write_all(&UNRECOGNIZED_NAME).await?,
        Certificate::InternalError => hello.io.write_all(&INTERNAL_ERROR).await?,
        Certificate::Silence => std::future::pending().await,
        _ => {}
    }
    hello.io.shutdown().await
}

/// Answer one request. Who came for the certificate only sends none.
async fn talk(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    scheme: Scheme,
    site: &Mutex<Site>,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_LIMIT {
        if stream.read_buf(&mut head).await? == 0 {
            return stream.shutdown().await;
        }
    }
    let Some(request) = request(&String::from_utf8_lossy(&head), scheme) else { return Ok(()) };
    let (answer, date) = {
        let mut site = locked(site);
        site.requests.push(request.clone());
        (site.answer(scheme, &request.name), site.date())
    };
    let Some(response) = response(&answer, &request, &date) else {
        if answer == Answer::Close {
            return Ok(());
        }
        return std::future::pending().await;
    };
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await
}

fn request(head: &str, scheme: Scheme) -> Option<Request> {
    let target = head.lines().next()?.split(' ').nth(1)?.to_owned();
    let host = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim().to_ascii_lowercase())
    })?;
    let name = host.split(':').next().unwrap_or_default().to_owned();
    Some(Request { scheme, name, target })
}

fn response(answer: &Answer, request: &Request, date: &str) -> Option<String> {
    let (status, header, body) = match answer {
        Answer::Hang | Answer::Close => return None,
        Answer::Status(status) => page(*status),
        Answer::Redirect(to) => redirect(to),
        Answer::Hops(count) => match hop(&request.target) {
            made if made < *count => redirect(&format!("/hop/{}", made + 1)),
            _ => page(200),
        },
        Answer::Proof(id) if request.target.contains("async_check_dns_nonce=") => {
            let body = serde_json::json!({"id": id, "domain": request.name, "active": true});
            (200, "content-type: application/json; charset=UTF-8".to_owned(), body.to_string())
        }
        Answer::Proof(_) => page(200),
    };
    let length = body.len();
    Some(format!(
        "HTTP/1.1 {status} So\r\ndate: {date}\r\n{header}\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    ))
}

fn page(status: u16) -> (u16, String, String) {
    let body = "<!DOCTYPE html>\n<title>A page</title>\n".to_owned();
    (status, "content-type: text/html; charset=UTF-8".to_owned(), body)
}

fn redirect(to: &str) -> (u16, String, String) {
    (301, format!("location: {to}"), String::new())
}

/// How many redirects lie behind a visitor.
fn hop(target: &str) -> u32 {
    target.strip_prefix("/hop/").and_then(|made| made.parse().ok()).unwrap_or(0)
}
