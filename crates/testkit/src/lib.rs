//! What tests share: servers of their own, contract suites, and the `World`.

pub mod alias_host;
mod eventually;
pub mod handed_out;
pub mod http_server;
pub mod internet;
pub mod ledger;
pub mod mariadb;
pub mod network_meaning;
pub mod network_source;
pub mod outbox;
mod process_group;
pub mod receiver;
pub mod rest_api;
pub mod wordpress;

pub use eventually::eventually;
