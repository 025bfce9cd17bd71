//! The whole program against a real MariaDB and the sandbox: only commands,
//! settings and JSON, as a person or a script would use it.

#![expect(clippy::unwrap_used, reason = "what should be there is there, or the test fails")]

mod attached;
mod bad_days;
mod carried;
mod commands;
mod copies;
mod explaining;
mod following;
mod headlines;
mod hosts;
mod kills;
mod mails;
mod notify;
mod outputs;
mod over_rest;
mod proof;
mod records;
mod remote;
mod removing;
mod requests;
mod resident;
mod rows;
mod running;
mod setting_up;
mod stored_key;
mod twins;
mod world;
mod wp_configs;
