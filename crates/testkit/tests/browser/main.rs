//! WordPress behind the servers that hosts have, used with a browser: what the servers do for the
//! tests, and the plugin as people upload, update and delete it.

#![expect(clippy::unwrap_used, reason = "what should be there is there, or the test fails")]

mod serving;
mod status_page;
mod uploading;
mod world;
