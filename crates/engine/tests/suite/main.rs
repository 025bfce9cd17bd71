//! The engine in its own process, on the twins in memory: no socket, no file, no real second.

mod contracts;
mod day;
mod lapse;
mod notices;
mod nudges;
mod order;
mod outside;
mod world;
