//! A network keeps the contract of its trait, in MariaDB and in SQLite.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

use std::collections::BTreeMap;

use async_trait::async_trait;
use sandbox::wordpress::{Settings, WordPress};
use testkit::mariadb::{MariaDb, PASSWORD, Stages, USER};
use testkit::network_source::{Fresh, RawSql, network_source_contract};
use wordpress::mysql::Database as At;
use wordpress::wp_config::Found;
use wordpress::{DatabaseHost, Installation, MysqlNetwork, WpConfig, network_of};

#[tokio::test]
async fn a_network_in_mariadb_keeps_the_contract() {
    network_source_contract(in_mariadb).await;
}

#[tokio::test]
async fn a_network_in_sqlite_keeps_the_contract() {
    network_source_contract(in_sqlite).await;
}

async fn in_mariadb() -> Fresh {
    let database = MariaDb::shared().fresh_database();
    database.create_network("wp_", Stages::Now);
    database.create_main_site("wp_");
    let host = DatabaseHost::tcp("127.0.0.1", Some(database.server.port()));
    let at = At::new(&host, USER, PASSWORD, &database.name);
    let installation = Installation::new("wp_".parse().unwrap());
    (Box::new(MysqlNetwork::new(at, installation)), Box::new(database))
}

async fn in_sqlite() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        domain: "network.example".to_owned(),
        api_key: "key".to_owned(),
        app: "app".to_owned(),
    };
    let network = WordPress::create(folder.path(), &settings).await.unwrap();
    let config = WpConfig::load(&Found::at(network.config()), &BTreeMap::new()).unwrap();
    (network_of(&config, None).unwrap(), Box::new(InFolder { network, _folder: folder }))
}

/// A network in a folder that is deleted with it.
struct InFolder {
    network: WordPress,
    _folder: tempfile::TempDir,
}

#[async_trait]
impl RawSql for InFolder {
    async fn run(&self, sql: &str) -> String {
        self.network.execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }
}
