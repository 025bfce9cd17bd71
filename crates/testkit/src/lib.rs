//! What tests share: servers of their own, contract suites, and the `World`.

pub mod alias_host;
pub mod ledger;
pub mod mariadb;
