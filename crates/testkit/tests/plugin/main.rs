//! The plugin alone, in a real WordPress: asked over HTTP as the engine asks, and by PHP.
//!
//! Ultimate Multisite is a stand-in that was written from what was observed of it.

#![expect(clippy::unwrap_used, reason = "what should be there is there, or the test fails")]

mod carried;
mod carrying;
mod channel;
mod decisions;
mod engine;
mod giving_back;
mod mails;
mod network;
mod notices;
mod nudge;
mod pages;
mod passes;
mod source;
mod stages;
mod status_page;
mod takeover;
mod world;
