//! Reading a network from a real MariaDB: the parts that are MySQL's own. The rest is in
//! `network_source.rs`.

use rules::network::Switch;
use rules::source::{NetworkSource, SourceError};
use rules::{Network, Stage};
use testkit::mariadb::{Database, MariaDb, PASSWORD, Stages, USER};
use wordpress::mysql::Database as At;
use wordpress::{DatabaseHost, Installation, MysqlNetwork};

fn host(server: &MariaDb) -> DatabaseHost {
    DatabaseHost::tcp("127.0.0.1", Some(server.port()))
}

fn installation(prefix: &str) -> Installation {
    Installation::new(prefix.parse().expect("a prefix"))
}

fn source(database: &Database<'_>) -> MysqlNetwork {
    let at =
        At::new(&DatabaseHost::socket(database.server.socket()), USER, PASSWORD, &database.name);
    MysqlNetwork::new(at, installation("wp_"))
}

fn network() -> Database<'static> {
    let database = MariaDb::shared().fresh_database();
    database.create_network("wp_", Stages::Now);
    database.create_main_site("wp_");
    database
}

async fn read(database: &Database<'_>) -> Network {
    source(database).read().await.expect("a network")
}

fn problems(network: &Network) -> Vec<String> {
    let shown = |it: &rules::Problem| {
        let (table, column) = (it.table.as_deref(), it.column.as_deref());
        format!("{}.{} {:?}: {}", table.unwrap_or("-"), column.unwrap_or("-"), it.id, it.reason)
    };
    network.problems.iter().map(shown).collect()
}

/// The error and its causes in one line, with the hint.
fn describe(error: &SourceError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(it) = cause {
        text = format!("{text}: {it}");
        cause = it.source();
    }
    format!("{text} ({})", error.hint().unwrap_or_default())
}

#[tokio::test]
async fn a_network_is_read_over_socket_tcp_and_ipv6() {
    let database = network();
    let server = database.server;
    let hosts = [
        DatabaseHost::socket(server.socket()),
        host(server),
        DatabaseHost::tcp("::1", Some(server.port())),
        DatabaseHost::parse(&format!("localhost:{}", server.socket().display())).unwrap(),
        DatabaseHost::parse(&format!("127.0.0.1:{}:/nowhere/socket", server.port())).unwrap(),
    ];
    for host in hosts {
        let at = At::new(&host, USER, PASSWORD, &database.name);
        let network = MysqlNetwork::new(at, installation("wp_")).read().await.unwrap();
        assert_eq!(network.identity.domain.as_str(), "network.example");
        assert_eq!(network.identity.database, database.name);
    }
}

/// On a real network they are stored so; MySQL removes one of each two.
#[tokio::test]
async fn checkout_forms_are_read_with_a_backslash_before_each_quote() {
    let database = network();
    database.execute(
        "INSERT INTO wp_wu_forms (name, settings) VALUES ('x',
         'a:1:{i:0;a:1:{s:6:\\\\\"fields\\\\\";a:1:{i:0;a:2:{s:4:\\\\\"type\\\\\";s:8:\\\\\"site_url\\\\\";s:17:\\\\\"available_domains\\\\\";s:17:\\\\\"www.Bases.example\\\\\";}}}}');",
    );
    let network = read(&database).await;
    assert_eq!(network.shared_bases.first().unwrap().as_str(), "bases.example");
    assert_eq!(problems(&network), Vec::<String>::new());
}

#[tokio::test]
async fn tcp_is_encrypted_where_the_server_offers_it() {
    let database = network();
    database.execute(
        "CREATE USER 'tls'@'%' IDENTIFIED BY 'x' REQUIRE SSL; GRANT ALL ON *.* TO 'tls'@'%'",
    );
    let at = At::new(&host(database.server), "tls", "x", &database.name);
    MysqlNetwork::new(at, installation("wp_")).read().await.unwrap();
}

#[tokio::test]
async fn a_url_leads_there_too() {
    let database = network();
    let at = At::from_url(&database.url()).unwrap();
    MysqlNetwork::new(at, installation("wp_")).read().await.unwrap();
}

#[tokio::test]
async fn rows_that_make_no_sense_cost_only_themselves() {
    let database = network();
    database.execute(
        "SET sql_mode = '';
         INSERT INTO wp_blogs (blog_id, site_id, domain, path) VALUES
         (2, 1, 'zero.example', '/'), (3, 1, 'not a host!', '/'), (4, 1, 'localhost:8080', '/');
         ALTER TABLE wp_wu_domain_mappings MODIFY domain varchar(191) CHARACTER SET latin1;
         INSERT INTO wp_wu_domain_mappings (id, blog_id, domain, active, primary_domain, secure, stage, date_created) VALUES
         (1, 2, 'good.example', NULL, NULL, NULL, NULL, '0000-00-00 00:00:00'),
         (2, 2, 'empty.example', 1, 0, 0, 'unknown word', NULL),
         (3, 2, 'two words.example', 1, 0, 0, 'done', NULL),
         (4, 99, 'orphan.example', 1, 0, 0, 'done', NULL),
         (5, -1, 'negative.example', 1, 0, 0, 'done', NULL),
         (-6, 2, 'row.example', 1, 0, 0, 'done', NULL),
         (7, 2, '', 1, 0, 0, 'done', NULL),
         (8, 2, 'https://a.example/', 1, 0, 0, 'done', NULL);
         INSERT INTO wp_sitemeta (meta_id, site_id, meta_key, meta_value) VALUES
         (11, 1, 'wp-ultimo_v2_settings', 'a:9:{broken'), (12, 1, 'wu_host_integrations_enabled', NULL);
         INSERT INTO wp_wu_forms (id, name, settings) VALUES (21, 'x', 'a:1:{available_domains');",
    );
    let network = read(&database).await;
    let names: Vec<_> = network.mappings.iter().map(|it| (it.id, it.domain.as_str())).collect();
    assert_eq!(
        names,
        [(1, "good.example"), (2, "empty.example"), (4, "orphan.example"), (5, "negative.example")]
    );
    assert_eq!(network.mappings[0].stage, None);
    assert!(!network.mappings[0].active && !network.mappings[0].secure);
    assert_eq!(network.mappings[3].site_id, 0);
    assert_eq!(network.unreadable.values().copied().collect::<Vec<_>>(), [2, 2, 2]);
    assert_eq!(network.sites.len(), 4);
    assert_eq!(network.sites[&2].age, None, "a zero date says nothing");
    assert_eq!(network.sites[&4].domain, None);
    assert_eq!(
        problems(&network),
        [
            "wp_blogs.domain Some(3): `not a host!` is not a domain: it contains characters that no domain name has (only the bare name, without `https://`, port or path)",
            "wp_wu_domain_mappings.- None: a row whose id cannot be read",
            "wp_wu_domain_mappings.stage Some(1): `NULL` is not a stage; the next check writes one",
            "wp_wu_domain_mappings.stage Some(2): `` is not a stage; the next check writes one",
            "wp_wu_domain_mappings.domain Some(3): `two words.example` is not a domain: it contains characters that no domain name has (only the bare name, without `https://`, port or path)",
            "wp_wu_domain_mappings.domain Some(7): `` is not a domain: it is empty",
            "wp_wu_domain_mappings.domain Some(8): `https://a.example/` is not a domain: it contains characters that no domain name has (only the bare name, without `https://`, port or path); write it as `a.example`",
            "wp_sitemeta.meta_value Some(11): `wp-ultimo_v2_settings`: it is not a list",
            "wp_wu_forms.settings Some(21): not a serialized PHP value (byte 7): the shared base domains in it are not known",
        ]
    );
    assert_eq!(network.switch, Switch::Off);
}

#[tokio::test]
async fn an_older_table_lacks_one_word_and_forms_may_be_missing() {
    let database = MariaDb::shared().fresh_database();
    database.create_network("wp_", Stages::Before2026);
    database.create_main_site("wp_");
    database.execute("DROP TABLE wp_wu_forms");
    let network = read(&database).await;
    assert!(!network.stage_words.contains(&Stage::SslFailed));
    assert_eq!(network.stage_words.len(), 5);
    assert!(network.shared_bases.is_empty());
}

#[tokio::test]
async fn of_two_networks_the_one_in_wp_config_is_ours() {
    let database = network();
    database.execute(
        "INSERT INTO wp_site VALUES (2, 'other.example', '/');
         INSERT INTO wp_blogs (blog_id, site_id, domain, path) VALUES (2, 2, 'other.example', '/');
         INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) VALUES
         (2, 'wu_host_integrations_enabled', 'a:1:{s:6:\"closte\";b:1;}'),
         (2, 'wu_host_integrations_enabled', 'a:1:{s:6:\"closte\";b:0;}')",
    );
    let at = || At::new(&host(database.server), USER, PASSWORD, &database.name);
    let read = async |of: Installation| MysqlNetwork::new(at(), of).read().await;

    let second = Installation { network_id: Some(2), ..installation("wp_") };
    let second = read(second).await.unwrap();
    assert_eq!(second.identity.domain.as_str(), "other.example");
    assert_eq!(second.switch, Switch::On, "of two rows the first counts");
    assert_eq!(second.network_domains.len(), 2);
    assert_eq!(second.sites[&1].network_id, 1);

    let first = Installation { domain: Some("network.example".into()), ..installation("wp_") };
    assert_eq!(read(first).await.unwrap().switch, Switch::Off);
    assert_eq!(
        describe(&read(installation("wp_")).await.unwrap_err()),
        "`wp_site` has several networks (`network.example/`, `other.example/`), and it is not known which is ours (set `network.domain` to one of them)"
    );
}

#[tokio::test]
async fn a_database_that_cannot_be_read_says_why_and_what_to_do() {
    let database = network();
    let server = database.server;
    let bare = server.fresh_database();
    let no_plugin = server.fresh_database();
    no_plugin.create_network("wp_", Stages::Now);
    no_plugin.execute("DROP TABLE wp_wu_domain_mappings");
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let limited = format!("blind_{}", database.name);
    server.create_user(&limited, &[&format!("SELECT ON {}.wp_blogs", database.name)]);
    let tcp = host(server);
    let closed = DatabaseHost::tcp("127.0.0.1", Some(gone));
    let no_socket = DatabaseHost::socket("/nowhere/socket");

    let table: [(&DatabaseHost, &str, &str, &str, &str, String); 8] = [
        (&tcp, USER, "wrong-secret", &database.name, "wp_", format!("the database refused: Access denied for user '{USER}'@")),
        (&tcp, USER, PASSWORD, "nowhere", "wp_", format!("there is no database `nowhere` at `127.0.0.1:{}` (check `DB_NAME` in wp-config.php, or `network.database_url` where that is set)", server.port())),
        (&closed, USER, PASSWORD, "x", "wp_", format!("could not reach the database at `127.0.0.1:{gone}`: Connection refused (os error 111) (check `DB_HOST` in wp-config.php, or `network.database_url`")),
        (&no_socket, USER, PASSWORD, "x", "wp_", "could not reach the database at `/nowhere/socket`: No such file or directory (os error 2) (check `DB_HOST` in wp-config.php, or `network.database_url`".into()),
        (&tcp, USER, PASSWORD, &database.name, "x7_", format!("the database `{}` lacks `x7_blogs`, `x7_site`, `x7_sitemeta`, `x7_wu_domain_mappings` (tables of a network with the prefix `wp_` are there: check `$table_prefix`, or `network.table_prefix` where that is set)", database.name)),
        (&tcp, USER, PASSWORD, &bare.name, "wp_", format!("the database `{}` lacks `wp_blogs`, `wp_site`, `wp_sitemeta`, `wp_wu_domain_mappings` (is this a WordPress multisite network, and `DB_NAME` its database, or `network.database_url` where that is set?)", bare.name)),
        (&tcp, USER, PASSWORD, &no_plugin.name, "wp_", format!("the database `{}` lacks `wp_wu_domain_mappings` (is Ultimate Multisite installed and its setup done?)", no_plugin.name)),
        (&tcp, &limited, &limited, &database.name, "wp_", "the database refused: SELECT command denied to user ".into()),
    ];
    for (host, user, password, name, prefix, want) in table {
        let of = MysqlNetwork::new(At::new(host, user, password, name), installation(prefix));
        let error = describe(&of.read().await.unwrap_err());
        assert!(error.starts_with(&want), "{error}\n{want}");
        assert!(!error.contains("wrong-secret") && !error.contains(PASSWORD), "{error}");
    }
}

#[tokio::test]
async fn a_connection_killed_half_way_is_an_error_and_never_a_smaller_network() {
    let database = network();
    let source = source(&database);
    source.read().await.unwrap();
    // The last table is locked, so the read waits after the mappings.
    let mut blocker = lock_table(&database, "wp_wu_forms");
    let waiting = |database: &Database<'_>| {
        let sql = format!(
            "SELECT id FROM information_schema.processlist WHERE db = '{}' AND info LIKE '%wu_forms%' AND state LIKE 'Waiting%'",
            database.name
        );
        database.server.execute(&sql)
    };
    let reading = source.read();
    let killing = async {
        loop {
            let id = waiting(&database);
            if !id.is_empty() {
                return database.server.execute(&format!("KILL {id}"));
            }
            tokio::task::yield_now().await;
        }
    };
    let (read, _) = tokio::join!(reading, killing);
    let error = read.unwrap_err();
    assert!(matches!(error, SourceError::Failed { doing: "reading the network", .. }), "{error:?}");
    blocker.kill().unwrap();
    blocker.wait().unwrap();
    source.read().await.expect("the next pass connects anew");
}

/// A client that locks a table until it is killed.
fn lock_table(database: &Database<'_>, table: &str) -> std::process::Child {
    let sql = format!("LOCK TABLES {table} WRITE; SELECT 'held', SLEEP(60)");
    let blocker = std::process::Command::new("mariadb")
        .args(["--no-defaults", "--user=root", &database.name])
        .arg(format!("--socket={}", database.server.socket().display()))
        .arg(format!("--execute={sql}"))
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the client");
    let waiting = format!(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE db = '{}' AND info LIKE 'SELECT ''held''%'",
        database.name
    );
    while database.server.execute(&waiting) != "1\n" {}
    blocker
}
