//! The network: wp-config.php, PHP values, and the tables of WordPress and Ultimate Multisite.
//!
//! # Where to start
//!
//! 1. [`wp_config::find()`] and [`WpConfig::load`]: where the network's database is, without running
//!    PHP.
//! 2. [`MysqlNetwork`]: the network's tables, as the engine wants them.
//! 3. [`php_value::PhpValue`]: the format of WordPress' options.
//!
//! # Invariants
//!
//! - Only a [`TablePrefix`], once parsed, ever enters SQL text.
//! - What we write keeps every byte that is not ours to change.

pub mod database_host;
pub mod forms;
pub mod installation;
pub mod mysql;
pub mod options;
pub mod php_value;
mod snapshot;
pub mod table_prefix;
pub mod wp_config;

pub use database_host::DatabaseHost;
pub use installation::Installation;
pub use mysql::MysqlNetwork;
pub use table_prefix::TablePrefix;
pub use wp_config::WpConfig;
