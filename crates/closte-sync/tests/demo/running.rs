//! A demo as a child of the test: what it prints, who its children are, what it leaves.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// Nothing takes so long, on the slowest machine.
const LIMIT: Duration = Duration::from_mins(3);

/// A demo under way. It has a folder of its own for what is temporary.
pub(crate) struct Demo {
    child: Child,
    out: Receiver<String>,
    err: Option<ChildStderr>,
    folder: TempDir,
    children: Vec<u32>,
    /// What it has printed so far, as far as it was read.
    pub(crate) lines: Vec<String>,
}

/// How it ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// What it said on stderr.
    pub(crate) said: String,
    /// Those of its children that still run.
    pub(crate) children_left: Vec<u32>,
    /// What is left in the folder for what is temporary.
    pub(crate) files_left: Vec<String>,
}

impl Demo {
    pub(crate) fn start(arguments: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = closte_sync(arguments, &folder);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (out, err) = (lines_of(&mut child), child.stderr.take());
        Self { child, out, err, folder, children: Vec::new(), lines: Vec::new() }
    }

    /// Read on until a line holds `mark`.
    #[track_caller]
    pub(crate) fn read_until(&mut self, mark: &str) {
        loop {
            let line = self.out.recv_timeout(LIMIT);
            let line = line.unwrap_or_else(|_| panic!("no `{mark}` in {:#?}", self.lines));
            let found = line.contains(mark);
            self.lines.push(line);
            if found {
                self.children = self.living_children();
                return;
            }
        }
    }

    /// The word after `words` in what it printed.
    pub(crate) fn word_after(&self, words: &str) -> &str {
        let rest = self.lines.iter().find_map(|line| Some(line.split_once(words)?.1));
        rest.unwrap().split_whitespace().next().unwrap()
    }

    /// Run a command with the settings that were printed; what it answers.
    pub(crate) fn join_in(&self, arguments: &str) -> String {
        let exports = self.lines.iter().filter_map(|line| line.strip_prefix("  export "));
        let settings = exports.map(|export| export.split_once('=').unwrap());
        let settings = settings.map(|(name, value)| (name, value.trim_matches('\'')));
        let output = closte_sync(arguments, &self.folder).envs(settings).output().unwrap();
        let Output { status, stdout, stderr } = output;
        assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        kill(name, self.child.id());
    }

    /// Kill the child that runs `command`.
    pub(crate) fn kill_child(&self, command: &str) {
        let runs = |child: &&u32| {
            let line = fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap();
            line.split('\0').any(|word| word == command)
        };
        kill("-KILL", *self.children.iter().find(runs).unwrap());
    }

    /// Wait for its end.
    #[track_caller]
    pub(crate) fn ended(&mut self) -> Ended {
        loop {
            match self.out.recv_timeout(LIMIT) {
                Ok(line) => self.lines.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {:#?}", self.lines),
            }
        }
        let code = self.child.wait().unwrap().code();
        let mut said = String::new();
        self.err.take().unwrap().read_to_string(&mut said).unwrap();
        let files = fs::read_dir(self.folder.path()).unwrap();
        let name = |file: fs::DirEntry| file.file_name().to_string_lossy().into_owned();
        Ended {
            code,
            said,
            children_left: self.children.iter().copied().filter(|child| lives(*child)).collect(),
            files_left: files.map(|file| name(file.unwrap())).collect(),
        }
    }

    fn living_children(&self) -> Vec<u32> {
        let own = format!("/proc/{}/task", self.child.id());
        let tasks = fs::read_dir(own).into_iter().flatten().flatten();
        let children =
            tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
        let children: Vec<String> = children.collect();
        children.iter().flat_map(|it| it.split_whitespace()).map(|it| it.parse().unwrap()).collect()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // A test that failed half-way leaves nothing running either: a signal lets it end its children.
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal("-TERM");
            let _ = self.child.wait();
        }
    }
}

/// What a line says, if it was read from `place`.
pub(crate) fn read_from<'a>(line: &'a str, place: &str) -> Option<&'a str> {
    let (at, rest) = line.split_once(" s  ")?;
    at.trim().parse::<f32>().ok()?;
    Some(rest.strip_prefix(place)?.strip_prefix(' ')?.trim_start())
}

/// The JSON at a URL.
pub(crate) fn fetch(url: &str) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // The client asks for a crypto provider even where there is nothing to encrypt.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let text = runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.get(url).send().await.unwrap().text().await.unwrap()
    });
    serde_json::from_str(&text).unwrap()
}

fn closte_sync(arguments: &str, folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_closte-sync"));
    command
        .args(arguments.split_whitespace())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        // What a user has set otherwise is nothing to the demo.
        .env("CLOSTE_SYNC_DOMAINS_RECORDS", "never")
        .current_dir(folder.path())
        .stdin(Stdio::null());
    command
}

fn lines_of(child: &mut Child) -> Receiver<String> {
    let (send, receive) = channel();
    let out = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || {
        out.lines().map_while(Result::ok).try_for_each(|line| send.send(line))
    });
    receive
}

fn kill(name: &str, process: u32) {
    assert!(Command::new("kill").args([name, &process.to_string()]).status().unwrap().success());
}

fn lives(process: u32) -> bool {
    fs::exists(format!("/proc/{process}")).unwrap()
}
