//! The whole program against a real MariaDB and the sandbox: only commands,
//! settings and JSON, as a person or a script would use it.

mod bad_days;
mod commands;
mod copies;
mod following;
mod hosts;
mod records;
mod removing;
mod rows;
mod world;
