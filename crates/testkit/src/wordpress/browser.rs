//! A browser for tests: Chromium without a window, driven by W3C `WebDriver`, as people use a
//! WordPress that is served by [`Nginx`](super::Nginx).
//!
//! Every name below `example` is at that server, and there is nothing else. What is looked for is
//! waited for. A test that fails leaves `target/browser/NAME.png` and `NAME.html`.
//!
//! The client is our own: those there are have `serde_json` keep another order, in the program that
//! is tested too.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::missing;
use crate::process_group::ProcessGroup;

/// So many drivers are started until one finds its port.
const DRIVERS: u32 = 5;

/// Where a test that fails leaves what it saw last.
const SEEN_LAST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/browser");

/// The key of an element's id, by W3C `WebDriver`, section 12.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How long an element, a page or a text is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the driver may take for an answer.
const ANSWERS_WITHIN: Duration = Duration::from_mins(2);

const POLL_EVERY: Duration = Duration::from_millis(50);

/// As a new browser that asks nobody anything.
const ARGUMENTS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // So it ends with its driver.
    "--remote-debugging-pipe",
];

/// A browser with a profile of its own; it ends when dropped.
#[derive(Debug)]
pub struct Browser {
    _driver: ProcessGroup,
    _talk: BufReader<ChildStdout>,
    address: SocketAddr,
    session: String,
    _folder: TempDir,
}

impl Browser {
    /// One for which `server` is every server there is.
    ///
    /// # Panics
    ///
    /// If Chromium or its driver is not installed, or does not start.
    pub fn open(server: SocketAddr) -> Self {
        let folder = tempfile::Builder::new().prefix("browser-").tempdir().expect("a folder");
        let (driver, talk, port) = driver(folder.path());
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
        let names = format!("--host-resolver-rules=MAP *.example {server},MAP * ~NOTFOUND");
        let arguments: Vec<&str> = ARGUMENTS.into_iter().chain([&*profile, &*names]).collect();
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments},
            "timeouts": {"implicit": PATIENCE.as_millis(), "pageLoad": 60_000, "script": 30_000},
        }}});
        let made = call(address, "POST", "/session", &wanted);
        let made = made.unwrap_or_else(|said| panic!("Chromium does not start: {said}"));
        let session = made["sessionId"].as_str().expect("a session").to_owned();
        Self { _driver: driver, _talk: talk, address, session, _folder: folder }
    }

    /// Open a page of the network by its path, or any by its URL.
    ///
    /// # Panics
    ///
    /// If the browser cannot open it. An error of the server is a page.
    pub fn go(&self, to: &str) {
        let before = if to.starts_with('/') { "http://network.example" } else { "" };
        self.ask("POST", "/url", &json!({"url": format!("{before}{to}")}));
    }

    /// Show pages as on a phone of this width from now on.
    ///
    /// # Panics
    ///
    /// If the browser cannot.
    pub fn be_a_phone(&self, width: u32) {
        let screen = json!({"width": width, "height": 740, "deviceScaleFactor": 1, "mobile": true});
        let command = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": screen});
        self.ask("POST", "/goog/cdp/execute", &command);
    }

    /// Log in as the network's admin, by the form.
    ///
    /// # Panics
    ///
    /// If WordPress does not let us in.
    pub fn log_in(&self) {
        self.go("/wp-login.php");
        // The page itself goes there a moment after it came, and would take what is typed then.
        self.find("#user_login:focus");
        self.fill("#user_login", "admin");
        self.fill("#user_pass", "not-a-secret");
        self.click("#wp-submit");
        self.find("#wpadminbar");
    }

    /// Type into a field, or choose a file by its path.
    ///
    /// # Panics
    ///
    /// If no such field appears.
    pub fn fill(&self, css: &str, text: &str) {
        let element = self.find(css);
        self.ask("POST", &format!("/element/{element}/value"), &json!({"text": text}));
    }

    /// Click what a CSS selector finds.
    ///
    /// # Panics
    ///
    /// If it does not appear, or something lies over it.
    pub fn click(&self, css: &str) {
        let element = self.find(css);
        self.ask("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// Click the link with this text.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn click_link(&self, text: &str) {
        let element = self.find_by("link text", text);
        self.ask("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// Say yes to the question that the page asks.
    ///
    /// # Panics
    ///
    /// If it asks none.
    pub fn accept(&self) {
        self.ask("POST", "/alert/accept", &json!({}));
    }

    /// Upload a plugin as a zip by the form, up to WordPress' answer.
    ///
    /// # Panics
    ///
    /// If there is no such form.
    pub fn upload_plugin(&self, zip: &Path) {
        self.go("/wp-admin/network/plugin-install.php?tab=upload");
        self.fill("#pluginzip", zip.to_str().expect("a path in UTF-8"));
        self.click("#install-plugin-submit");
    }

    /// Upload a plugin as new, and activate it for the network by the link that WordPress then
    /// shows.
    ///
    /// # Panics
    ///
    /// If WordPress does not take it.
    #[track_caller]
    pub fn install_plugin(&self, zip: &Path) {
        self.upload_plugin(zip);
        self.sees("Plugin installed successfully.");
        self.click_link("Network Activate");
        self.sees("Plugin activated.");
    }

    /// The text that the page shows.
    ///
    /// # Panics
    ///
    /// If there is no page.
    pub fn text(&self) -> String {
        self.run("return document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// The answer of JavaScript that runs in the page.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub fn run(&self, script: &str) -> Value {
        self.ask("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Wait until the page shows a text.
    ///
    /// # Panics
    ///
    /// If it does not.
    #[track_caller]
    pub fn sees(&self, text: &str) {
        let start = Instant::now();
        while !self.text().contains(text) {
            let page = self.text();
            assert!(start.elapsed() < PATIENCE, "the page does not say `{text}`:\n{page}");
            thread::sleep(POLL_EVERY);
        }
    }

    /// Wait until there is something that a CSS selector finds; its id.
    fn find(&self, css: &str) -> String {
        self.find_by("css selector", css)
    }

    fn find_by(&self, way: &str, what: &str) -> String {
        let found = self.ask("POST", "/element", &json!({"using": way, "value": what}));
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    fn ask(&self, method: &str, command: &str, body: &Value) -> Value {
        self.try_ask(method, command, body).unwrap_or_else(|said| {
            panic!("the browser, asked for {command} {body}: {said}");
        })
    }

    fn try_ask(&self, method: &str, command: &str, body: &Value) -> Result<Value, String> {
        call(self.address, method, &format!("/session/{}{command}", self.session), body)
    }

    /// Keep what is seen, for people.
    #[expect(clippy::print_stderr, reason = "shown with a test that failed")]
    fn keep(&self) {
        let name = thread::current().name().unwrap_or("test").replace("::", ".");
        let file = |ending| PathBuf::from(SEEN_LAST).join(format!("{name}.{ending}"));
        let get = |what| self.try_ask("GET", what, &Value::Null);
        _ = fs::create_dir_all(SEEN_LAST);
        if let Ok(Value::String(image)) = get("/screenshot")
            && let Ok(image) = BASE64_STANDARD.decode(image)
        {
            _ = fs::write(file("png"), image);
        }
        if let (Ok(Value::String(source)), Ok(url)) = (get("/source"), get("/url")) {
            _ = fs::write(file("html"), source);
            eprintln!("the browser was at {url}; what it saw is {}", file("png").display());
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if thread::panicking() {
            self.keep();
        }
        // Its profile cannot be deleted before it is done.
        _ = self.try_ask("DELETE", "", &Value::Null);
    }
}

/// A driver that listens, what it says, and its port. It takes a free port of IPv4 and wants the same of
/// IPv6: where somebody has that, it ends, and another one takes another.
fn driver(home: &Path) -> (ProcessGroup, BufReader<ChildStdout>, u16) {
    for _ in 0..DRIVERS {
        let mut command = ProcessGroup::command("chromedriver");
        command.arg("--port=0").env("HOME", home);
        command.env_remove("XDG_CONFIG_HOME").env_remove("XDG_CACHE_HOME");
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = ProcessGroup::start(command).unwrap_or_else(|error| missing("sh", &error));
        let mut talk = BufReader::new(driver.leader().stdout.take().expect("it is piped"));
        if let Some(port) = port(&mut talk) {
            return (driver, talk, port);
        }
    }
    missing("chromedriver", &io::Error::other("it ended before it listened"))
}

/// Where the driver says that it listens; none where it ends.
fn port(talk: &mut BufReader<ChildStdout>) -> Option<u16> {
    for line in talk.by_ref().lines().map_while(Result::ok) {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return Some(port.trim_end_matches('.').parse().expect("a port"));
        }
    }
    None
}

/// One command of `WebDriver` over HTTP: its value, or the driver's error.
fn call(to: SocketAddr, method: &str, path: &str, body: &Value) -> Result<Value, String> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, answer) = exchange(to, method, path, &body).map_err(|error| error.to_string())?;
    let mut answer: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
    let value = answer["value"].take();
    if status.contains(" 200 ") {
        return Ok(value);
    }
    Err(format!("{}: {}", value["error"], value["message"].as_str().unwrap_or_default()))
}

/// The first line and the body of an answer. The driver keeps connections open.
fn exchange(to: SocketAddr, method: &str, path: &str, body: &str) -> io::Result<(String, Vec<u8>)> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = BufReader::new(stream);
    let (mut status, mut length) = (String::new(), 0);
    answer.read_line(&mut status)?;
    let mut line = String::new();
    while answer.read_line(&mut line)? > "\r\n".len() {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        line.clear();
    }
    let mut body = vec![0; length];
    answer.read_exact(&mut body)?;
    Ok((status, body))
}
