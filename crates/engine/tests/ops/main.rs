//! What people ask for, in one process: what is refused, what is written, what is returned.

#![expect(clippy::unwrap_used, reason = "what should be there is there, or the test fails")]

mod changing;
mod examining;
mod explaining;
mod next_pass;
mod page;
mod passing;
mod setting_up;
mod telling;
mod world;
