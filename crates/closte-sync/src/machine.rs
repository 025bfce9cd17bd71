//! What starts programs on this machine: cron and systemd, read and changed by their own programs.

pub(crate) mod crontab;
mod systemd;

use std::io;
use std::process::{Command, Output};

use engine::Failure;
pub(crate) use systemd::Systemd;

/// What `command` said, where it ended well.
fn ended_well(command: &str, ended: io::Result<Output>) -> Result<String, Failure> {
    let failed = |why: String| Failure::could_not(format!("`{command}` failed: {why}"));
    let output = ended.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(failed(words(&output)))
}

/// Why a program that ended badly says it did.
fn words(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    match said.trim() {
        "" => output.status.to_string(),
        said => said.to_owned(),
    }
}

/// A program that speaks plain English, whatever the language of this user.
fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    command.env("LC_ALL", "C");
    command
}
