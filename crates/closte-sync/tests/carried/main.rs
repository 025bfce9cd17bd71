//! The whole job inside WordPress: the plugin carries this program, nginx and PHP-FPM serve it, and
//! nothing else is started or set.

#![expect(clippy::unwrap_used, reason = "what should be there is there, or the test fails")]

mod children;
mod disk;
mod hosted;
mod obstacles;
#[path = "../end_to_end/running.rs"]
#[expect(dead_code, reason = "the end-to-end tests use all of it")]
mod running;
mod story;
#[expect(dead_code, reason = "the end-to-end tests use all of it")]
#[path = "../end_to_end/world.rs"]
mod world;
