//! The crontab of this user, by the program `crontab`.

use std::io::{ErrorKind, Write};
use std::process::Stdio;

use engine::Failure;
use engine::ops::setup::CrontabFound;

use super::{ended_well, program, words};

/// What cron says of a user who has no crontab: Vixie's, cronie and systemd-cron the first, `BusyBox`
/// and dcron the second. Its exit code is that of a refusal.
const NONE_YET: [&str; 2] = ["no crontab for", "No such file or directory"];

/// Read it.
pub(crate) fn read() -> CrontabFound {
    let output = match program("crontab").arg("-l").stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => return CrontabFound::NoProgram,
        Err(error) => return CrontabFound::Refused(error.to_string()),
    };
    let words = words(&output);
    if output.status.success() {
        CrontabFound::Read(output.stdout)
    } else if NONE_YET.iter().any(|none| words.contains(none)) {
        CrontabFound::Read(Vec::new())
    } else {
        CrontabFound::Refused(words)
    }
}

/// Write `text` where `before` is still what is there.
///
/// # Errors
///
/// Somebody else changed it, the program refuses, or something else is there afterwards.
pub(crate) fn write(before: &[u8], text: &[u8]) -> Result<(), Failure> {
    if read() != CrontabFound::Read(before.to_owned()) {
        return Err(Failure::no("the crontab was changed meanwhile; nothing was written")
            .hint("run it again"));
    }
    let command = "crontab -";
    let child = program("crontab")
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let ended = child.and_then(|mut child| {
        // One that refuses does not read: its exit code and words say more.
        _ = child.stdin.take().map(|mut stdin| stdin.write_all(text));
        child.wait_with_output()
    });
    ended_well(command, ended)?;
    // Some print a comment of their own first.
    match read() {
        CrontabFound::Read(now) if now.ends_with(text) => Ok(()),
        _ => Err(Failure::could_not("the crontab does not hold what was written into it")
            .hint("compare `crontab -l` with the line above")),
    }
}
