//! The network: wp-config.php, PHP values, and the tables of WordPress and Ultimate Multisite.
//!
//! # Where to start
//!
//! 1. [`wp_config::find()`] and [`WpConfig::load`]: where the network's database is, without running
//!    PHP.
//! 2. [`network_of`]: the network's tables, as the engine needs them, in MySQL or MariaDB
//!    ([`MysqlNetwork`]) or in a SQLite file ([`SqliteNetwork`]).
//! 3. [`php_value::PhpValue`]: the format of WordPress' options.
//! 4. [`PluginChannel`]: the signed channel to the plugin inside WordPress; [`RestNetwork`]: a
//!    network over HTTP, whose database and files cannot be reached.
//!
//! # Invariants
//!
//! - Only a [`TablePrefix`], once parsed, ever enters SQL text.
//! - What we write keeps every byte that is not ours to change.
//! - What is signed or contains a password goes over https with a valid certificate, or not beyond
//!   this machine, and follows no redirect ([`http::BaseUrl`]).

pub mod credential;
pub mod database_host;
pub mod forms;
pub mod installation;
mod json_row;
mod missing;
pub mod mysql;
pub mod open;
mod option_change;
pub mod options;
pub mod php_value;
pub mod plugin;
pub mod rest;
mod routing_question;
mod rows;
mod salts;
pub mod signature;
mod snapshot;
mod spelling;
pub mod sqlite;
pub mod table_prefix;
mod tables;
pub mod web;
pub mod wp_config;

pub use database_host::DatabaseHost;
pub use installation::Installation;
pub use mysql::MysqlNetwork;
pub use open::{OpenNetworkError, network_of};
pub use plugin::PluginChannel;
pub use rest::{RestNetwork, RestWriter};
pub use salts::Salts;
pub use sqlite::SqliteNetwork;
pub use table_prefix::TablePrefix;
pub use wp_config::WpConfig;
