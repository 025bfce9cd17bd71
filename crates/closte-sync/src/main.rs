//! `closte-sync`: keeps the domains of a WordPress multisite network in step
//! with Closte.
//!
//! What it does is in the crate `engine`. [`wiring`] names every adapter, [`cli`] has a file a
//! command, [`config`] every setting.

mod carried;
mod cli;
mod clock;
mod config;
mod machine;
mod nudges;
mod package;
mod triggers;
mod view;
mod watch;
mod wiring;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // The whole tree has one crypto provider; the first one to ask sets it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = match cli::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            let text = cli::refusal(&error, std::env::args_os());
            // Nobody is left to be told where that fails.
            _ = std::io::stderr().write_all(text.as_bytes());
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
        // Help and the version.
        Err(error) => error.exit(),
    };
    if arguments.is_carried() {
        carried::leave_parent();
    }
    // One thread: a pass waits far more than it computes, and handing work from
    // thread to thread costs more than it gains where every process is billed.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the system gives us sockets and timers");
    let exit = runtime.block_on(cli::run(arguments, config::Environment::of_process()));
    // Whatever still runs in the background (a resolver's socket) is not waited for.
    runtime.shutdown_background();
    ExitCode::from(cli::code(exit))
}
