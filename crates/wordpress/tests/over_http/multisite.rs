//! A [`RestNetwork`] of the stand-in, and what the tests of it share.

use std::time::Duration;

use rules::source::StageWrite;
use rules::{DomainName, Stage};
use testkit::http_server::Server;
use testkit::rest_api::{KEY, Multisite, SECRET, Tables};
use wordpress::rest::{Credentials, KeyPair, RestNetwork, Settings, Timeouts};
use wordpress::web::Endpoint;

/// Short enough to wait for, long enough for a busy machine.
pub(crate) const SHORT: Timeouts = Timeouts {
    write: Duration::from_secs(2),
    list: Duration::from_secs(2),
    pause: Duration::from_millis(1),
};

/// `localhost` with its main site of id 1, `shop.example` (2) and `other.example` (3).
pub(crate) async fn localhost() -> Multisite {
    let mut tables = Tables::of("localhost");
    tables.add_site(2, "Shop.example");
    tables.add_site(3, "other.example");
    Multisite::start(tables).await
}

/// The source that reads and writes it.
pub(crate) fn network(multisite: &Multisite) -> RestNetwork {
    network_with(multisite, &format!("{KEY}:{SECRET}"))
}

/// The same with credentials that may be wrong.
pub(crate) fn network_with(multisite: &Multisite, credentials: &str) -> RestNetwork {
    let pair = KeyPair::parse(&credentials.into()).unwrap();
    RestNetwork::new(Settings {
        endpoint: endpoint(&multisite.server),
        credentials: Credentials::Given(pair),
        timeouts: SHORT,
        plugin: None,
        cache: None,
    })
}

/// Where a stand-in answers.
pub(crate) fn endpoint(server: &Server) -> Endpoint {
    Endpoint::new(server.url().parse().unwrap())
}

pub(crate) fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

pub(crate) fn write(mapping_id: u64, from: Option<Stage>, to: Stage) -> StageWrite {
    write_to(mapping_id, "a.example", from, to)
}

pub(crate) fn write_to(
    mapping_id: u64,
    domain: &str,
    from: Option<Stage>,
    to: Stage,
) -> StageWrite {
    StageWrite { mapping_id, domain: name(domain), from, to, secure: to == Stage::Done }
}
