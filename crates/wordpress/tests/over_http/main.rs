//! The ways to a network over HTTP: the signed channel to the plugin, and Ultimate Multisite's REST
//! API. Stand-ins of both answer over real sockets.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod multisite;
mod plugin_channel;
mod rest_read;
mod rest_write;
