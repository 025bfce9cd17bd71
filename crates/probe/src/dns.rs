//! Asking DNS for the addresses of a name.
//!
//! The resolvers are asked one after the other, and the first that answers is
//! enough: an address, NXDOMAIN and "no such record" are all answers. There is
//! no cache, no hosts file, no search list, and no name that is special: the
//! result is what the resolvers say now. Those are the operator's or the
//! system's own, no customer named them, so the guard does not judge them.
//!
//! [`combine`] is where to start reading: what A and AAAA say together.

pub(crate) mod answer;
pub(crate) mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::Message;
use hickory_proto::rr::{Name, RecordType};
use rules::DomainName;
use rules::probe::{DnsObservation, RecordKind, Unanswered};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use answer::{Manner, Path, QueryForm, Reading, written};
use server::Server;

/// How long one question may take.
const ANSWER: Duration = Duration::from_secs(2);

/// How long all questions for one name may take.
const CHECK: Duration = Duration::from_secs(6);

/// How many names are looked up at once. More wait: a burst that overflows the
/// buffers of a resolver would look as if it did not answer.
const NAMES_AT_ONCE: usize = 128;

/// The resolvers, in the order they are asked.
#[derive(Debug)]
pub(crate) struct Dns {
    servers: Vec<Server>,
    turns: Semaphore,
}

/// How a question is asked, and until when to wait for its answer.
#[derive(Clone, Copy, Debug)]
struct How {
    kind: RecordType,
    form: QueryForm,
    deadline: Instant,
}

/// What the resolvers said about the A or about the AAAA records of a name.
#[derive(Debug)]
struct Told {
    reading: Reading,
    through: Vec<String>,
}

/// Why no resolver said anything about them.
#[derive(Debug, PartialEq, Eq)]
enum LookupError {
    /// A server says that it cannot answer.
    Failed { detail: String, again: bool },
    /// No answer, or none that can be read.
    Silent { detail: String },
}

impl Dns {
    pub(crate) fn new(servers: impl IntoIterator<Item = SocketAddr>) -> Self {
        let servers = servers.into_iter().map(Server::new).collect();
        Self { servers, turns: Semaphore::new(NAMES_AT_ONCE) }
    }

    /// The AAAA records of `name`; none where nobody answers.
    pub(crate) async fn ipv6_of(&self, name: &DomainName) -> Option<Vec<IpAddr>> {
        let how = (RecordType::AAAA, Instant::now() + CHECK);
        let told = ask_in_turn(&self.in_order(), &absolute(name)?, how).await;
        told.ok().map(|told| match told.reading {
            Reading::Addresses(found) => found,
            _ => Vec::new(),
        })
    }

    pub(crate) fn servers(&self) -> &[Server] {
        &self.servers
    }

    pub(crate) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.servers.iter().map(|server| server.address)
    }

    /// Ask for the A and AAAA records of `name` at the same time.
    pub(crate) async fn resolve(&self, name: &DomainName) -> DnsObservation {
        self.resolve_by(&self.in_order(), name).await
    }

    /// The same of each resolver for itself; nothing where there is only one.
    pub(crate) async fn resolve_by_each(&self, name: &DomainName) -> Vec<DnsObservation> {
        if self.servers.len() < 2 {
            return Vec::new();
        }
        let each = self.servers.iter().map(async |server| self.resolve_by(&[server], name).await);
        futures_util::future::join_all(each).await
    }

    async fn resolve_by(&self, servers: &[&Server], name: &DomainName) -> DnsObservation {
        let Some(name) = absolute(name) else {
            return DnsObservation::NoAnswer {
                detail: format!("`{name}` is not a name to ask for"),
            };
        };
        let _turn = self.turns.acquire().await;
        let deadline = Instant::now() + CHECK;
        let (a, aaaa) = tokio::join!(
            ask_in_turn(servers, &name, (RecordType::A, deadline)),
            ask_in_turn(servers, &name, (RecordType::AAAA, deadline)),
        );
        combine(a, aaaa)
    }

    /// As configured, but those that did not answer lately come last.
    fn in_order(&self) -> Vec<&Server> {
        let (quiet, well): (Vec<_>, Vec<_>) =
            self.servers.iter().partition(|server| server.is_quiet());
        [well, quiet].concat()
    }

    /// What each resolver answers to a question that every one knows: those of
    /// the root zone.
    pub(crate) async fn check(&self) -> Vec<(SocketAddr, Result<(), String>)> {
        let deadline = Instant::now() + CHECK;
        let how = How { kind: RecordType::NS, form: QueryForm::Edns, deadline };
        let checks = self.servers.iter().map(|server| async move {
            (server.address, ask(server, &Name::root(), how).await.map(drop))
        });
        futures_util::future::join_all(checks).await
    }
}

/// Ask each of `servers` in turn until one answers, and those that did not once more.
async fn ask_in_turn(
    servers: &[&Server],
    name: &Name,
    (kind, deadline): (RecordType, Instant),
) -> Result<Told, LookupError> {
    let mut errors = BTreeMap::new();
    for form in [QueryForm::Edns, QueryForm::Plain] {
        for server in servers {
            let asked_enough = errors.get(&server.address).is_some_and(LookupError::is_final);
            if asked_enough || deadline <= Instant::now() {
                continue;
            }
            match follow(server, name, How { kind, form, deadline }).await {
                Ok(answered) => return Ok(answered),
                Err(error) => errors.insert(server.address, error),
            };
        }
    }
    Err(sum(errors.into_values()))
}

/// Ask `server` for `kind` of `name`, and of the names that CNAME records point to.
async fn follow(server: &Server, name: &Name, how: How) -> Result<Told, LookupError> {
    let mut path = Path::from(name.clone());
    loop {
        let answered = ask(server, path.end(), how).await;
        let message = answered.map_err(|detail| LookupError::Silent { detail })?;
        let asked = path.end().clone();
        match answer::read(&message, how.kind, &mut path) {
            Ok(Reading::LedOn) => (),
            Ok(reading) => return Ok(Told { reading, through: path.through() }),
            Err(refusal) => {
                // The name itself may be asked under a label that nobody reads of.
                let led = (asked != *name).then(|| format!(" for `{}`", written(&asked)));
                let (server, led) = (server.address, led.unwrap_or_default());
                let detail = format!("{server} answered{led}: {}", refusal.detail);
                return Err(LookupError::Failed { detail, again: refusal.again });
            }
        }
    }
}

/// Ask one question of one resolver; in error, how that failed.
async fn ask(server: &Server, name: &Name, how: How) -> Result<Message, String> {
    let address = server.address;
    let query = answer::query(name, how.kind, Manner::Resolver, how.form)
        .ok_or_else(|| format!("`{}` is not a name to ask for", written(name)))?;
    let until = how.deadline.min(Instant::now() + ANSWER);
    let answered = timeout_at(until, server.ask(&query)).await;
    server.heard(matches!(answered, Ok(Ok(_))));
    match answered {
        Ok(Ok(octets)) => Message::from_vec(&octets)
            .map_err(|_| format!("{address} sent an answer that cannot be read")),
        Ok(Err(error)) => Err(format!("{address}: {}", crate::plain(&error))),
        Err(_) => Err(format!("{address}: no answer within {} s", ANSWER.as_secs())),
    }
}

/// `name` with its final dot, so that nothing is appended to it.
pub(crate) fn absolute(name: &DomainName) -> Option<Name> {
    if name.is_wildcard() {
        return None;
    }
    Name::from_ascii(format!("{name}.")).ok()
}

/// The answers for A and for AAAA, combined.
///
/// Addresses count, no matter what the other question gave: many servers answer
/// NXDOMAIN, an error or nothing for the type they do not know. That it failed is told. Without any, A
/// decides, since every server knows that; but "no A record" says nothing while
/// the AAAA records are unknown.
fn combine(a: Result<Told, LookupError>, aaaa: Result<Told, LookupError>) -> DnsObservation {
    let (mut found, mut through) = (BTreeSet::new(), Vec::new());
    for answered in [&a, &aaaa].into_iter().flatten() {
        if let Reading::Addresses(addresses) = &answered.reading {
            found.extend(addresses.iter().copied());
            if through.is_empty() {
                through.clone_from(&answered.through);
            }
        }
    }
    if !found.is_empty() {
        let error = |answered: Result<Told, LookupError>, kind| {
            answered.err().map(|error| Unanswered { kind, detail: error.into_detail() })
        };
        let unanswered = error(a, RecordKind::A).or(error(aaaa, RecordKind::Aaaa));
        return DnsObservation::Addresses { found, through, unanswered };
    }
    match (a, aaaa) {
        (Ok(Told { reading: Reading::NoSuchName, .. }), _) => DnsObservation::NoSuchName,
        (Ok(answered), Ok(_)) => DnsObservation::NoAddress { through: answered.through },
        (Err(a), Err(aaaa)) => sum([a, aaaa]).into_observation(),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => error.into_observation(),
    }
}

/// All failures as one: a server's own answer counts more than no answer from others.
fn sum(errors: impl IntoIterator<Item = LookupError>) -> LookupError {
    let (mut failed, mut silent) = (BTreeSet::new(), BTreeSet::new());
    for error in errors {
        match error {
            LookupError::Failed { detail, .. } => failed.insert(detail),
            LookupError::Silent { detail } => silent.insert(detail),
        };
    }
    let join = |details: BTreeSet<_>| details.into_iter().collect::<Vec<_>>().join("; ");
    if failed.is_empty() {
        LookupError::Silent { detail: join(silent) }
    } else {
        LookupError::Failed { detail: join(failed), again: false }
    }
}

impl LookupError {
    /// Whether asking the same server once more is of no use.
    fn is_final(&self) -> bool {
        matches!(self, Self::Failed { again: false, .. })
    }

    fn into_detail(self) -> String {
        match self {
            Self::Failed { detail, .. } | Self::Silent { detail } => detail,
        }
    }

    fn into_observation(self) -> DnsObservation {
        match self {
            Self::Failed { detail, .. } => DnsObservation::Failed { detail },
            Self::Silent { detail } => DnsObservation::NoAnswer { detail },
        }
    }
}

/// The resolvers of this machine, as `resolv.conf(5)` says.
pub(crate) fn of_this_machine() -> Vec<SocketAddr> {
    let text = std::fs::read("/etc/resolv.conf").unwrap_or_else(|error: io::Error| {
        tracing::debug!(%error, "`/etc/resolv.conf` cannot be read");
        Vec::new()
    });
    nameservers(&String::from_utf8_lossy(&text))
}

/// The `nameserver` lines of a `resolv.conf`; without any, this machine itself.
///
/// The other lines are for names that are not absolute, which we never ask for.
fn nameservers(text: &str) -> Vec<SocketAddr> {
    let address = |line: &str| -> Option<IpAddr> {
        let mut words = line.split_whitespace();
        if words.next()? == "nameserver" { words.next()?.parse().ok() } else { None }
    };
    let mut found: Vec<_> =
        text.lines().filter_map(address).map(|ip| SocketAddr::new(ip, 53)).collect();
    if found.is_empty() {
        found.push((Ipv4Addr::LOCALHOST, 53).into());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "its like is an error")]
    fn answered(reading: Reading) -> Result<Told, LookupError> {
        Ok(Told { reading, through: vec!["shops.test".to_owned()] })
    }

    fn has(address: &str) -> Result<Told, LookupError> {
        answered(Reading::Addresses(vec![address.parse().unwrap()]))
    }

    fn failed(detail: &str) -> Result<Told, LookupError> {
        Err(LookupError::Failed { detail: detail.to_owned(), again: false })
    }

    fn silent(detail: &str) -> Result<Told, LookupError> {
        Err(LookupError::Silent { detail: detail.to_owned() })
    }

    fn in_short(observation: DnsObservation) -> String {
        match observation {
            DnsObservation::Addresses { found, unanswered, .. } => {
                let unanswered = unanswered.map(|it| format!(", {}: {}", it.kind, it.detail));
                format!("{found:?}{}", unanswered.unwrap_or_default())
            }
            DnsObservation::NoSuchName => "no such name".to_owned(),
            DnsObservation::NoAddress { .. } => "no address".to_owned(),
            DnsObservation::Failed { detail } => format!("failed: {detail}"),
            DnsObservation::NoAnswer { detail } => format!("no answer: {detail}"),
        }
    }

    #[test]
    fn a_and_aaaa_together_say() {
        let [none, gone] = [|| answered(Reading::NoAddress), || answered(Reading::NoSuchName)];
        let [v4, v6] = [|| has("192.0.2.1"), || has("2001:db8::1")];
        #[rustfmt::skip]
        let table = [
            ("both",                         v4(),          v6(),          "{192.0.2.1, 2001:db8::1}"),
            ("A alone",                      v4(),          none(),        "{192.0.2.1}"),
            ("AAAA alone",                   none(),        v6(),          "{2001:db8::1}"),
            ("NXDOMAIN for an unknown type", v4(),          gone(),        "{192.0.2.1}"),
            ("an error for an unknown type", v4(),          failed("s"),   "{192.0.2.1}, AAAA: s"),
            ("silence for an unknown type",  v4(),          silent("s"),   "{192.0.2.1}, AAAA: s"),
            ("A failed",                     failed("s"),   v6(),          "{2001:db8::1}, A: s"),
            ("neither",                      none(),        none(),        "no address"),
            ("A exists without address",     none(),        gone(),        "no address"),
            ("NXDOMAIN",                     gone(),        gone(),        "no such name"),
            ("NXDOMAIN for A",               gone(),        none(),        "no such name"),
            ("NXDOMAIN, and silence",        gone(),        silent("s"),   "no such name"),
            ("AAAA unknown",                 none(),        failed("s"),   "failed: s"),
            ("A unknown",                    silent("s"),   none(),        "no answer: s"),
            ("A unknown, AAAA careless",     failed("s"),   gone(),        "failed: s"),
            ("both failed",                  failed("a"),   failed("b"),   "failed: a; b"),
            ("a word outweighs silence",     silent("a"),   failed("b"),   "failed: b"),
            ("the same twice is told once",  silent("a"),   silent("a"),   "no answer: a"),
        ];
        for (shows, a, aaaa, want) in table {
            assert_eq!(in_short(combine(a, aaaa)), want, "{shows}");
        }
    }

    #[test]
    fn resolv_conf_is_read_and_an_empty_one_means_this_machine() {
        let text = "# made by hand\nsearch lan --\nnameserver 192.0.2.53 ; near\n nameserver\t2001:db8::53\n\
                    nameserver fe80::1%eth0\nnameserver\nnameservers 192.0.2.54\noptions edns0\n";
        let want: [SocketAddr; 2] =
            ["192.0.2.53:53".parse().unwrap(), "[2001:db8::53]:53".parse().unwrap()];
        assert_eq!(nameservers(text), want);
        assert_eq!(nameservers("search lan"), ["127.0.0.1:53".parse().unwrap()]);
    }
}
