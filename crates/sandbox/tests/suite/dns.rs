//! The DNS servers, asked by a resolver.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::common::PATIENCE;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::{Resolver, TokioResolver};
use sandbox::dns::{Behaviour, Dns, Failure, Record, RecordType, Settings, a, aaaa, caa, cname};

async fn dns() -> Dns {
    Dns::start(Settings::default()).await.expect("loopback has free ports")
}

/// A resolver that asks once and remembers nothing.
fn resolver(server: SocketAddr, connection: ConnectionConfig, patience: Duration) -> TokioResolver {
    let mut connection = connection;
    connection.port = server.port();
    let server = NameServerConfig::new(server.ip(), true, vec![connection]);
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let mut builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
    let options = builder.options_mut();
    options.cache_size = 0;
    options.attempts = 0;
    options.timeout = patience;
    builder.build().expect("a resolver without options that can fail")
}

fn udp(dns: &Dns) -> TokioResolver {
    resolver(dns.address(), ConnectionConfig::udp(), PATIENCE)
}

/// A resolver that stops waiting soon.
fn impatient(dns: &Dns) -> TokioResolver {
    resolver(dns.address(), ConnectionConfig::udp(), Duration::from_millis(300))
}

/// The answers as text, or the failure.
async fn ask(
    resolver: &TokioResolver,
    name: &str,
    asked: RecordType,
) -> Result<Vec<String>, NetError> {
    let lookup = resolver.lookup(format!("{name}."), asked).await?;
    Ok(lookup.answers().iter().map(|record| record.data.to_string()).collect())
}

#[tokio::test]
async fn every_kind_of_record_is_answered_over_udp_and_tcp() {
    let dns = dns().await;
    dns.set(
        "shop.example.test",
        [
            a("127.0.0.1"),
            a("127.0.0.2"),
            aaaa("::1"),
            caa("issue", "letsencrypt.org"),
            Record::Txt("hello".to_owned()),
            Record::Ns("ns1.example.test".to_owned()),
            Record::Soa("ns1.example.test".to_owned()),
        ],
    );
    for resolver in [udp(&dns), resolver(dns.address(), ConnectionConfig::tcp(), PATIENCE)] {
        let ask = async |asked| ask(&resolver, "shop.example.test", asked).await.unwrap();
        assert_eq!(ask(RecordType::A).await, ["127.0.0.1", "127.0.0.2"]);
        assert_eq!(ask(RecordType::AAAA).await, ["::1"]);
        assert_eq!(ask(RecordType::CAA).await, ["0 issue \"letsencrypt.org\""]);
        assert_eq!(ask(RecordType::TXT).await, ["hello"]);
        assert_eq!(ask(RecordType::NS).await, ["ns1.example.test."]);
        assert!(ask(RecordType::SOA).await[0].starts_with("ns1.example.test. "));
    }
    assert_eq!(dns.queries_of("shop.example.test"), 12);
    assert_eq!(dns.queries().iter().filter(|query| query.tcp).count(), 6);
}

#[tokio::test]
async fn chains_and_wildcards_are_followed() {
    let dns = dns().await;
    dns.set("*.example.test", [cname("www.host.test")]);
    dns.set("www.host.test", [cname("host.test")]);
    dns.set("host.test", [a("127.0.0.1")]);
    let answers = ask(&udp(&dns), "any.example.test", RecordType::A).await.unwrap();
    assert_eq!(answers, ["www.host.test.", "host.test.", "127.0.0.1"]);
}

#[tokio::test]
async fn absence_has_two_forms() {
    let dns = dns().await;
    dns.set("here.test", [a("127.0.0.1")]);
    let resolver = udp(&dns);
    let unknown = ask(&resolver, "gone.test", RecordType::A).await.unwrap_err();
    assert!(unknown.is_nx_domain(), "{unknown}");
    let empty = ask(&resolver, "here.test", RecordType::AAAA).await.unwrap_err();
    assert!(empty.is_no_records_found() && !empty.is_nx_domain(), "{empty}");

    dns.remove("here.test");
    assert!(ask(&resolver, "here.test", RecordType::A).await.unwrap_err().is_nx_domain());
}

#[tokio::test]
async fn failures_are_what_they_say() {
    let dns = dns().await;
    let resolver = udp(&dns);
    dns.set("a.test", [a("127.0.0.1")]);
    for (behaviour, code) in
        [(Behaviour::ServFail, ResponseCode::ServFail), (Behaviour::Refused, ResponseCode::Refused)]
    {
        dns.fail("a.test", Failure::from(behaviour).times(1));
        let error = ask(&resolver, "a.test", RecordType::A).await.unwrap_err();
        assert!(format!("{error:?}").contains(&format!("{code:?}")), "{behaviour:?}: {error:?}");
        assert!(!error.is_no_records_found(), "{behaviour:?}: {error:?}");
    }
    dns.fail("a.test", Failure::from(Behaviour::NxDomain).times(1));
    assert!(ask(&resolver, "a.test", RecordType::A).await.unwrap_err().is_nx_domain());
    assert_eq!(ask(&resolver, "a.test", RecordType::A).await.unwrap(), ["127.0.0.1"]);
}

#[tokio::test]
async fn a_loop_of_names_is_a_server_failure() {
    let dns = dns().await;
    dns.set("loop.test", [cname("pool.test")]);
    dns.set("pool.test", [cname("loop.test")]);
    let error = ask(&udp(&dns), "loop.test", RecordType::A).await.unwrap_err();
    assert!(format!("{error:?}").contains("ServFail"), "{error:?}");
}

#[tokio::test]
async fn a_delay_delays_and_silence_is_silent() {
    let dns = dns().await;
    let resolver = udp(&dns);
    dns.set("slow.test", [a("127.0.0.1")]);
    dns.set("dumb.test", [a("127.0.0.1")]);
    let delay = Duration::from_millis(100);
    dns.fail("slow.test", Behaviour::Delay(delay));
    dns.fail("dumb.test", Behaviour::NoAnswer);

    let start = Instant::now();
    assert_eq!(ask(&resolver, "slow.test", RecordType::A).await.unwrap(), ["127.0.0.1"]);
    assert!(start.elapsed() >= delay);
    let silence = ask(&impatient(&dns), "dumb.test", RecordType::A).await.unwrap_err();
    assert!(matches!(silence, NetError::Timeout), "{silence:?}");
}

#[tokio::test]
async fn a_killed_server_answers_nobody_until_it_is_revived() {
    let dns = dns().await;
    let resolver = udp(&dns);
    dns.set("a.test", [a("127.0.0.1")]);
    dns.kill();
    let silence = ask(&impatient(&dns), "a.test", RecordType::A).await.unwrap_err();
    assert!(matches!(silence, NetError::Timeout), "{silence:?}");
    dns.revive();
    assert_eq!(ask(&resolver, "a.test", RecordType::A).await.unwrap(), ["127.0.0.1"]);
}

#[tokio::test]
async fn a_big_answer_is_truncated_over_udp_and_comes_over_tcp() {
    let dns = dns().await;
    dns.set("big.test", (0..200).map(|host| a(&format!("127.0.1.{host}"))));
    let mut config = ConnectionConfig::udp();
    config.port = dns.address().port();
    let mut tcp = ConnectionConfig::tcp();
    tcp.port = dns.address().port();
    let server = NameServerConfig::new(dns.address().ip(), true, vec![config, tcp]);
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let resolver =
        Resolver::builder_with_config(config, TokioRuntimeProvider::default()).build().unwrap();
    assert_eq!(ask(&resolver, "big.test", RecordType::A).await.unwrap().len(), 200);
    assert!(dns.queries().iter().any(|query| query.tcp));
}

#[tokio::test]
async fn a_stopped_server_frees_its_port() {
    let dns = dns().await;
    let address = dns.address();
    dns.stopped().await;
    let again = Dns::start(Settings { address, ..Settings::default() }).await.unwrap();
    assert_eq!(again.address(), address);
}

#[test]
fn records_are_read_as_people_write_them() {
    let json = r#"[{"A":"127.0.0.1"},{"AAAA":"::1"},{"CNAME":"a.test"},{"CAA":{"tag":"issue","value":";"}}]"#;
    let records: Vec<Record> = serde_json::from_str(json).unwrap();
    assert_eq!(records, [a("127.0.0.1"), aaaa("::1"), cname("a.test"), caa("issue", ";")]);
}
