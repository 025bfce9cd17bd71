//! How many checks are made per second, as ratios taken in one run: `just bench`.
//!
//! Next to each figure is what it is compared with: the same questions to
//! the same server, as many at once. Nothing here passes or fails.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run should stop")]

use std::io::{ErrorKind, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use probe::{NetProbe, Settings, read_pem};
use rules::clock::ManualClock;
use rules::probe::{DnsObservation, Probe as _, TlsObservation, TlsVerdict};
use rules::{DomainName, Time};
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use sandbox::Certificate;
use sandbox::dns::{self, Dns};
use sandbox::web::{self, Web};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsConnector;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// So many checks run at once, as in a pass.
const AT_ONCE: u32 = 64;

/// So many names are checked, over and over.
const NAMES: u32 = 1000;

/// Each is measured so often, and so long; the best counts.
const ROUNDS: u32 = 3;
const SECONDS: u32 = 3;

fn main() {
    // `cargo test` starts benches too, without this word: they are for `just bench`.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    // The servers have their own threads, as if they were another process; all clients have
    // one thread, as the program has.
    let servers = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let clients = Builder::new_current_thread().enable_all().build().unwrap();
    let names: Arc<[DomainName]> =
        (0..NAMES).map(|number| format!("d{number}.example").parse().unwrap()).collect();
    dns_checks(&servers, &clients, &names);
    tls_checks(&servers, &clients, &names);
}

/// Checks of DNS, against `dnsperf`. A check is two queries, A and AAAA.
fn dns_checks(servers: &Runtime, clients: &Runtime, names: &Arc<[DomainName]>) {
    let server = servers.block_on(Dns::start(dns::Settings::default())).unwrap();
    for name in names.iter() {
        server.set(name.as_str(), [dns::a("192.0.2.1")]);
    }
    let probe = probe(server.address(), 443, Vec::new());
    let resolve = move |name: DomainName| {
        let probe = probe.clone();
        async move { assert!(matches!(probe.resolve(&name).await, DnsObservation::Addresses { .. })) }
    };
    let questions = questions(names);
    let (mut ours, mut theirs) = (0.0_f64, None);
    for _ in 0..ROUNDS {
        ours = ours.max(2.0 * clients.block_on(per_second(names, resolve.clone())));
        let rate = dnsperf(server.address(), questions.path());
        theirs = rate.map(|rate| rate.max(theirs.unwrap_or_default()));
    }
    match theirs {
        Some(theirs) => println!(
            "DNS checks: {ours:.0} queries a second (two a check), dnsperf {theirs:.0}: ratio {:.2} (at least 0.3)",
            ours / theirs
        ),
        None => println!(
            "DNS checks: {ours:.0} queries a second (two a check), NO RATIO: `dnsperf` IS NOT INSTALLED (apt-get install dnsperf)"
        ),
    }
}

/// What `dnsperf` asks, in its form.
fn questions(names: &[DomainName]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    for name in names {
        writeln!(file, "{name} A\n{name} AAAA").unwrap();
    }
    file
}

/// Queries per second by `dnsperf` on one thread; none where it is not installed.
fn dnsperf(server: SocketAddr, questions: &Path) -> Option<f64> {
    let [address, port] = [server.ip().to_string(), server.port().to_string()];
    let [at_once, seconds] = [2 * AT_ONCE, SECONDS].map(|number| number.to_string());
    let output = Command::new("dnsperf")
        .args(["-e", "-T", "1", "-s", &address, "-p", &port])
        .args(["-q", &at_once, "-l", &seconds, "-d"])
        .arg(questions)
        .stderr(Stdio::inherit())
        .output();
    if matches!(&output, Err(error) if error.kind() == ErrorKind::NotFound) {
        return None;
    }
    let output = String::from_utf8(output.unwrap().stdout).unwrap();
    let rate = output.lines().find_map(|line| line.trim().strip_prefix("Queries per second:"));
    Some(rate.unwrap().trim().parse().unwrap())
}

/// Checks of TLS, against a loop that does nothing but full handshakes, with
/// verification against the same roots.
fn tls_checks(servers: &Runtime, clients: &Runtime, names: &Arc<[DomainName]>) {
    let server = servers.block_on(Web::start(web::Settings::default())).unwrap();
    for name in names.iter() {
        server.set(name.as_str(), Certificate::valid());
    }
    let (port, root) = (server.https_port(), root(&server));
    let config = bare_config(&root);
    let probe = probe((HERE, 53).into(), port, root);
    let check = move |name: DomainName| {
        let probe = probe.clone();
        async move {
            let observation = probe.handshake(&name, HERE).await;
            assert!(matches!(
                observation,
                TlsObservation::Presented { verdict: TlsVerdict::Trusted, .. }
            ));
        }
    };
    let bare = move |name| shake_hands(config.clone(), name, port);
    // Certificates are made and roots read before time counts.
    clients.block_on(per_second(names, check.clone()));
    let (mut ours, mut theirs) = (0.0_f64, 0.0_f64);
    for _ in 0..ROUNDS {
        ours = ours.max(clients.block_on(per_second(names, check.clone())));
        theirs = theirs.max(clients.block_on(per_second(names, bare.clone())));
    }
    println!(
        "TLS checks: {ours:.0} a second, bare handshakes {theirs:.0}: ratio {:.2} (at least 0.5)",
        ours / theirs
    );
}

async fn shake_hands(config: Arc<ClientConfig>, name: DomainName, port: u16) {
    let name = ServerName::try_from(name.as_str().to_owned()).unwrap();
    let stream = TcpStream::connect((HERE, port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut stream = TlsConnector::from(config).connect(name, stream).await.unwrap();
    stream.shutdown().await.unwrap();
}

/// The system's roots and `root`, and no resumption.
fn bare_config(root: &[CertificateDer<'static>]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots.add_parsable_certificates(root.to_vec());
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

/// The sandbox's CA, by way of a file.
fn root(server: &Web) -> Vec<CertificateDer<'static>> {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(server.ca_pem().as_bytes()).unwrap();
    read_pem(file.path()).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the certificates begin and end by the real clock")]
fn probe(
    resolver: SocketAddr,
    https_port: u16,
    extra_roots: Vec<CertificateDer<'static>>,
) -> Arc<NetProbe> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let clock = Arc::new(ManualClock::at(Time::default() + since));
    let resolvers = Some(vec![resolver]);
    let settings =
        Settings { resolvers, https_port, extra_roots, allow_private: true, ..Settings::default() };
    Arc::new(NetProbe::new(settings, clock).unwrap())
}

/// How many `check`s end per second, [`AT_ONCE`] of them always running.
async fn per_second<L, F>(names: &Arc<[DomainName]>, check: L) -> f64
where
    L: Fn(DomainName) -> F + Clone + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let count = Arc::new(AtomicU32::new(0));
    let (start, period) = (Instant::now(), Duration::from_secs(SECONDS.into()));
    let tasks = (0..AT_ONCE).map(|_| {
        let (count, names, check) = (count.clone(), names.clone(), check.clone());
        tokio::spawn(async move {
            while start.elapsed() < period {
                let number = count.fetch_add(1, Ordering::Relaxed);
                check(names[(number % NAMES) as usize].clone()).await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    f64::from(count.load(Ordering::Relaxed)) / start.elapsed().as_secs_f64()
}
