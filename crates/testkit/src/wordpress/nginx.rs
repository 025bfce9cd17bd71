//! Web servers for a WordPress as hosts have them: nginx, and PHP-FPM behind it.
//!
//! Like [`Server`](super::Server) it uses the name that is asked for. What PHP takes for the home of
//! its user is a folder of the test: it sees another password file than everybody else.

use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Signal, getuid, kill_process};
use tempfile::TempDir;

use super::server::free_address;
use super::{WordPress, missing};
use crate::process_group::{ProcessGroup, running};

/// Runs before each script.
const PREPEND: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/php/in_wp_admin.php");

/// Where Debian puts servers; not everybody has it in `PATH`.
const SERVERS: &str = "/usr/sbin";

/// Runs a program that sees the file `$0` as the password file, a disk of its own in `$DISK`, and
/// a folder `$NOEXEC` whose programs may not be run.
const ELSEWHERE: &str = "mount --bind \"$0\" /etc/passwd && \
    { [ -z \"$DISK\" ] || mount -t tmpfs -o size=4m none \"$DISK\"; } && \
    { [ -z \"$NOEXEC\" ] || { mount --bind \"$NOEXEC\" \"$NOEXEC\" && \
    mount -o remount,bind,noexec \"$NOEXEC\"; }; } && exec \"$@\"";

/// What PHP-FPM says when it has come up.
const READY: &str = "ready to handle connections";

const PATIENCE: Duration = Duration::from_mins(1);
const POLL_EVERY: Duration = Duration::from_millis(10);

/// Where PHP-FPM listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// On a port of 127.0.0.1.
    Port,
    /// On a Unix socket.
    Socket,
}

/// How PHP-FPM is run.
#[derive(Clone, Debug)]
pub struct Fpm {
    /// Where it listens.
    pub listen: Listen,
    /// How many requests it serves at once.
    pub children: u32,
    /// What its user has as home in the password file.
    pub home: PathBuf,
    /// A folder that is a small disk for it and its children, empty at first.
    pub disk: Option<PathBuf>,
    /// A folder whose programs they may not run.
    pub noexec: Option<PathBuf>,
    /// Functions that PHP may not call, with commas between them.
    pub forbidden: String,
    /// What kind of machine they are told that this is, if not what it is: `setarch` knows it.
    pub machine: Option<String>,
}

impl Fpm {
    /// Four children, with all rights.
    pub fn new(listen: Listen, home: &Path) -> Self {
        let (home, forbidden) = (home.to_owned(), String::new());
        Self { listen, children: 4, home, disk: None, noexec: None, forbidden, machine: None }
    }
}

/// Running servers; they end when dropped, and so does a carried engine.
#[derive(Debug)]
pub struct Nginx {
    _web: ProcessGroup,
    fpm: ProcessGroup,
    /// Those that ended, with what their children left.
    before: Vec<ProcessGroup>,
    address: SocketAddr,
    engine: PathBuf,
    settings: Fpm,
    folder: TempDir,
}

/// Where exactly.
#[derive(Debug)]
enum Endpoint {
    Port(SocketAddr),
    Socket(PathBuf),
}

impl WordPress {
    /// Serve it by nginx and PHP-FPM.
    ///
    /// # Panics
    ///
    /// If a package is missing, a server does not start, or PHP has another home.
    pub fn serve_by_nginx(&self, settings: Fpm) -> Nginx {
        let folder = tempfile::Builder::new().prefix("nginx-").tempdir().expect("a folder");
        fs::create_dir(folder.path().join("tmp")).expect("a folder in ours");
        let listens = match settings.listen {
            Listen::Port => Endpoint::Port(free_address()),
            Listen::Socket => Endpoint::Socket(folder.path().join("fpm.sock")),
        };
        let address = free_address();
        let write = |name: &str, text: &str| {
            fs::write(folder.path().join(name), text).expect("our folder");
        };
        write("passwd", &format!("root:x:0:0::{}:/bin/sh\n", settings.home.display()));
        write("fpm.conf", &fpm_conf(folder.path(), &listens, &settings));
        write("nginx.conf", &nginx_conf(folder.path(), &self.root, address, &listens));
        assert_home(folder.path(), &settings.home);
        let fpm = start_fpm(folder.path(), &settings);
        let web = start_nginx(folder.path());
        let engine = self.plugin_folder().join("bin/closte-sync");
        let before = Vec::new();
        let mut server = Nginx { _web: web, fpm, before, address, engine, settings, folder };
        server.wait_for_fpm(0).unwrap_or_else(|said| panic!("{said}"));
        wait_until(|| TcpStream::connect(address).is_ok())
            .unwrap_or_else(|()| panic!("nginx did not start:\n{}", server.log()));
        server
    }
}

impl Nginx {
    /// Where nginx listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is answered under a name, head and body, when nginx closes the connection.
    ///
    /// # Panics
    ///
    /// If it does not, for a minute.
    pub fn get(&self, host: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).expect("nginx listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").expect("nginx reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("nginx answers");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// All that PHP, PHP-FPM and nginx reported so far.
    pub fn log(&self) -> String {
        let files = ["php.log", "fpm.log", "nginx.log"];
        let text = |name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        files.map(text).concat()
    }

    /// What PHP itself reported so far, such as warnings.
    pub fn php_log(&self) -> String {
        fs::read_to_string(self.folder.path().join("php.log")).unwrap_or_default()
    }

    /// End PHP-FPM as its service does, and start it again where it listened.
    ///
    /// What its children started goes on.
    ///
    /// # Errors
    ///
    /// What PHP-FPM said, if it does not come up.
    pub fn restart_fpm(&mut self) -> Result<(), String> {
        self.fpm.terminate();
        self.start_fpm()
    }

    /// Kill PHP-FPM with all that its children started, as a service's control group ends.
    pub fn kill_fpm(&mut self) {
        self.fpm.kill();
        self.kill_engines();
    }

    /// Start PHP-FPM where it listened.
    ///
    /// # Errors
    ///
    /// What PHP-FPM said, if it does not come up.
    pub fn start_fpm(&mut self) -> Result<(), String> {
        let said_before = self.fpm_log().len();
        let new = start_fpm(self.folder.path(), &self.settings);
        self.before.push(std::mem::replace(&mut self.fpm, new));
        self.wait_for_fpm(said_before)
    }

    /// How many carried engines run.
    pub fn engines(&self) -> usize {
        running(&self.engine).len()
    }

    /// Kill the engines that run.
    pub fn kill_engines(&self) {
        for engine in running(&self.engine) {
            // One that has just ended needs no more.
            _ = kill_process(engine, Signal::KILL);
        }
    }

    /// Where it listens tells nothing: a child that kept that answers too.
    fn wait_for_fpm(&mut self, said_before: usize) -> Result<(), String> {
        let is_ready = |server: &Self| server.fpm_log()[said_before..].contains(READY);
        let mut ended = false;
        let came = wait_until(|| {
            ended = self.fpm.ended().is_some();
            ended || is_ready(self)
        });
        if came.is_ok() && is_ready(self) {
            return Ok(());
        }
        Err(format!("PHP-FPM did not come up:\n{}", self.log()))
    }

    fn fpm_log(&self) -> String {
        fs::read_to_string(self.folder.path().join("fpm.log")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    /// An engine is in no group of ours.
    fn drop(&mut self) {
        self.kill_engines();
    }
}

impl Endpoint {
    /// As PHP-FPM is told.
    fn in_fpm(&self) -> String {
        match self {
            Self::Port(address) => address.to_string(),
            Self::Socket(path) => path.display().to_string(),
        }
    }

    /// As nginx is told.
    fn in_nginx(&self) -> String {
        match self {
            Self::Port(address) => address.to_string(),
            Self::Socket(path) => format!("unix:{}", path.display()),
        }
    }
}

fn wait_until(mut is_so: impl FnMut() -> bool) -> Result<(), ()> {
    let start = Instant::now();
    while !is_so() {
        if start.elapsed() > PATIENCE {
            return Err(());
        }
        thread::sleep(POLL_EVERY);
    }
    Ok(())
}

fn start_fpm(folder: &Path, settings: &Fpm) -> ProcessGroup {
    let mut command = ProcessGroup::command("unshare");
    let path = |path: &Option<PathBuf>| path.clone().unwrap_or_default();
    command.env("DISK", path(&settings.disk)).env("NOEXEC", path(&settings.noexec));
    command.args(other_home(folder));
    if let Some(machine) = &settings.machine {
        command.args(["setarch", machine]);
    }
    // `-R`: where we are root, so are our files.
    command.arg(program("php-fpm")).args(["-F", "-R", "-y"]);
    command.arg(folder.join("fpm.conf")).stderr(log(folder, "fpm.log"));
    ProcessGroup::start(command).unwrap_or_else(|error| missing("sh", &error))
}

fn start_nginx(folder: &Path) -> ProcessGroup {
    let mut command = ProcessGroup::command(&program("nginx").display().to_string());
    command.arg("-e").arg(folder.join("nginx.log")).arg("-c").arg(folder.join("nginx.conf"));
    command.stderr(log(folder, "nginx.log"));
    ProcessGroup::start(command).unwrap_or_else(|error| missing("sh", &error))
}

fn log(folder: &Path, name: &str) -> fs::File {
    let mut options = fs::File::options();
    options.create(true).append(true).open(folder.join(name)).expect("our folder")
}

/// A server by the beginning of its name: that of PHP-FPM ends with a version.
fn program(name: &str) -> PathBuf {
    let files = fs::read_dir(SERVERS).unwrap_or_else(|error| missing(SERVERS, &error)).flatten();
    let found = files
        .map(|file| file.path())
        .filter(|path| path.file_name().is_some_and(|it| it.to_string_lossy().starts_with(name)));
    found.max().unwrap_or_else(|| missing(name, &std::io::ErrorKind::NotFound.into()))
}

/// The arguments of `unshare` before a program that is to find the home in our password file.
/// Who is not root becomes it, in a namespace of its own.
fn other_home(folder: &Path) -> Vec<OsString> {
    let root = if getuid().is_root() { None } else { Some("--map-root-user") };
    let arguments = ["--mount"].into_iter().chain(root).chain(["sh", "-c", ELSEWHERE]);
    arguments.map(OsString::from).chain([folder.join("passwd").into()]).collect()
}

/// No test may touch the home of who runs it.
fn assert_home(folder: &Path, home: &Path) {
    let code = "echo posix_getpwuid(posix_geteuid())['dir'];";
    let mut php = Command::new("unshare");
    php.args(other_home(folder)).args(["php", "-r", code]);
    let said = php.output().unwrap_or_else(|error| missing("unshare", &error));
    let told = String::from_utf8_lossy(&said.stdout);
    let error = String::from_utf8_lossy(&said.stderr);
    assert_eq!(Path::new(&*told), home, "PHP does not see the password file of the test: {error}");
}

fn fpm_conf(folder: &Path, listens: &Endpoint, settings: &Fpm) -> String {
    let (at, children, forbidden) = (folder.display(), settings.children, &settings.forbidden);
    format!(
        "[global]\nerror_log = {at}/fpm.log\ndaemonize = no\n\
         [www]\nuser = root\nlisten = {}\npm = static\npm.max_children = {children}\n\
         php_admin_value[error_log] = {at}/php.log\nphp_admin_flag[log_errors] = on\n\
         php_admin_value[disable_functions] = {forbidden}\n\
         php_admin_flag[display_errors] = off\nphp_admin_value[error_reporting] = -1\n\
         php_admin_value[auto_prepend_file] = {PREPEND}\n\
         php_admin_value[opcache.revalidate_freq] = 0\n\
         php_admin_value[sys_temp_dir] = {at}/tmp\nphp_admin_value[upload_tmp_dir] = {at}/tmp\n\
         php_admin_value[upload_max_filesize] = 256M\nphp_admin_value[post_max_size] = 256M\n",
        listens.in_fpm()
    )
}

fn nginx_conf(folder: &Path, root: &Path, address: SocketAddr, listens: &Endpoint) -> String {
    let (at, root) = (folder.display(), root.display());
    let user = if getuid().is_root() { "user root;\n" } else { "" };
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|of| format!("{of}_temp_path {at}/tmp/{of};\n"));
    let parameters = PARAMETERS.map(|(name, value)| format!("fastcgi_param {name} {value};\n"));
    format!(
        "{user}daemon off;\nworker_processes 1;\npid {at}/nginx.pid;\n\
         events {{ worker_connections 256; }}\n\
         http {{\naccess_log off;\nclient_max_body_size 256m;\n{}\
         types {{ text/html html; text/css css; text/javascript js; image/png png; \
         image/svg+xml svg; }}\n\
         server {{\nlisten {address};\nroot {root};\nindex index.php;\n\
         location / {{ try_files $uri $uri/ /index.php?$args; }}\n\
         location ~ \\.php$ {{\ntry_files $uri =404;\nfastcgi_pass {};\n{}}}\n}}\n}}\n",
        temporary.concat(),
        listens.in_nginx(),
        parameters.concat()
    )
}

/// What PHP is told of a request. A port in the name would be another site.
const PARAMETERS: [(&str, &str); 14] = [
    ("CONTENT_LENGTH", "$content_length"),
    ("CONTENT_TYPE", "$content_type"),
    ("DOCUMENT_ROOT", "$document_root"),
    ("HTTP_HOST", "$host"),
    ("QUERY_STRING", "$query_string"),
    ("REMOTE_ADDR", "$remote_addr"),
    ("REQUEST_METHOD", "$request_method"),
    ("REQUEST_SCHEME", "$scheme"),
    ("REQUEST_URI", "$request_uri"),
    ("SCRIPT_FILENAME", "$document_root$fastcgi_script_name"),
    ("SCRIPT_NAME", "$fastcgi_script_name"),
    ("SERVER_NAME", "$host"),
    ("SERVER_PORT", "80"),
    ("SERVER_PROTOCOL", "$server_protocol"),
];
