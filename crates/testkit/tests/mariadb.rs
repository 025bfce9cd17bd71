//! The private MariaDB starts, accepts both ways of connecting, and ends.

use std::net::TcpStream;

use testkit::mariadb::{MariaDb, Stages};

#[test]
fn a_server_is_there_until_dropped() {
    let server = MariaDb::start();
    let (socket, port) = (server.socket(), server.port());
    assert_eq!(server.execute("SELECT 1"), "1\n");
    TcpStream::connect(("127.0.0.1", port)).unwrap();
    drop(server);
    assert!(!socket.exists());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn each_database_is_its_own_and_has_the_tables_of_a_network() {
    let server = MariaDb::shared();
    let (now, older) = (server.fresh_database(), server.fresh_database());
    assert_ne!(now.name, older.name);
    now.create_network("wp_", Stages::Now);
    now.create_main_site("wp_");
    older.create_network("x7_", Stages::Before2026);
    assert_eq!(now.execute("SELECT domain FROM wp_blogs"), "network.example\n");
    let columns = |sql| older.execute(sql).contains("ssl-failed");
    assert!(!columns("SHOW COLUMNS FROM x7_wu_domain_mappings"));
}
