//! A web server for a WordPress: PHP's own, on a port of its own.
//!
//! It uses the name that is asked for, not its address: ask with the header
//! `Host: network.example`. It ends with the process that started it, however that ends.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use super::{WordPress, missing};
use crate::process_group::ProcessGroup;

const ROUTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/php/router.php");

const PATIENCE: Duration = Duration::from_mins(1);
const POLL_EVERY: Duration = Duration::from_millis(10);

/// How many requests are served at once: a request may cause another.
const WORKERS: &str = "4";

/// A running server; it ends when dropped.
#[derive(Debug)]
pub struct Server {
    _process: ProcessGroup,
    address: SocketAddr,
    log: PathBuf,
}

impl WordPress {
    /// Serve it over HTTP.
    ///
    /// # Panics
    ///
    /// If PHP is not installed, or its server does not start.
    pub fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// The same with settings of PHP as a host has them, such as `disable_functions=proc_open`.
    ///
    /// # Panics
    ///
    /// If PHP is not installed, or its server does not start.
    pub fn serve_with(&self, settings: &[&str]) -> Server {
        let log = self.root.join("wp-content/server.log");
        let address = free_address();
        let mut command = ProcessGroup::command("php");
        command.args(["-S", &address.to_string(), "-t"]).arg(&self.root);
        // Errors go to the log, and never onto a page.
        command.args(["-d", "display_errors=0", "-d", "log_errors=1", "-d", "error_log="]);
        command.args(["-d", "opcache.enable_cli=1", "-d", "opcache.revalidate_freq=0"]);
        command.args(settings.iter().flat_map(|setting| ["-d", setting]));
        command.arg(ROUTER).env("PHP_CLI_SERVER_WORKERS", WORKERS);
        command.stderr(fs::File::create(&log).expect("our folder"));
        let process = ProcessGroup::start(command).unwrap_or_else(|error| missing("sh", &error));
        let server = Server { _process: process, address, log };
        server.wait_until_it_answers();
        server
    }
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All that PHP reported so far, such as warnings, with one line per request.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn wait_until_it_answers(&self) {
        let start = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            assert!(start.elapsed() < PATIENCE, "PHP's server did not start:\n{}", self.log());
            thread::sleep(POLL_EVERY);
        }
    }
}

pub(super) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address")
}
