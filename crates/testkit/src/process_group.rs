//! A server with all its children: they end with the test, however that ends.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// Becomes the program that its arguments name. Beside it waits one who ends the whole group as
/// soon as nobody holds its input any more.
const GUARD: &str = "exec 3<&0 </dev/null
{ trap '' TERM INT HUP QUIT; cat <&3 >/dev/null; kill -KILL 0; } >/dev/null 2>&1 &
exec 3<&- \"$@\"";

/// A process and its children, in a group of their own; they are killed when dropped.
#[derive(Debug)]
pub(crate) struct ProcessGroup {
    leader: Child,
}

impl ProcessGroup {
    /// A command for [`start`](Self::start): its arguments, environment and outputs are still to be
    /// set.
    pub(crate) fn command(program: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "guard", program]).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        command
    }

    /// Start it.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        Ok(Self { leader: command.spawn()? })
    }

    /// The first process, to read from.
    pub(crate) fn leader(&mut self) -> &mut Child {
        &mut self.leader
    }

    /// How the first process ended, if it did. Its children may go on.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.leader.try_wait().expect("a child of ours")
    }

    /// Ask the first process to end, and wait until it did. Its children may go on.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        if let Some(status) = self.ended() {
            return status;
        }
        // It cannot be another: who was not waited for keeps its number.
        _ = kill_process(self.id(), Signal::TERM);
        // `wait` would close its input, and with that end the group.
        let input = self.leader.stdin.take();
        let status = self.leader.wait().expect("a child of ours");
        self.leader.stdin = input;
        status
    }

    /// Kill all of the group at once.
    pub(crate) fn kill(&mut self) {
        _ = kill_process_group(self.id(), Signal::KILL);
        _ = self.leader.wait();
    }

    fn id(&self) -> Pid {
        Pid::from_child(&self.leader)
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        // The guard ends the group: it has that number as long as the guard is there.
        drop(self.leader.stdin.take());
        _ = self.leader.wait();
    }
}

/// The processes that run the file `program`.
///
/// # Panics
///
/// If the machine does not show its processes.
pub(crate) fn running(program: &std::path::Path) -> Vec<Pid> {
    let Ok(program) = program.canonicalize() else { return Vec::new() };
    let processes = std::fs::read_dir("/proc").expect("the machine's processes");
    let names = processes.flatten().filter(|process| {
        // Nobody may read it of a process that has just ended.
        std::fs::read_link(process.path().join("exe")).is_ok_and(|it| it == program)
    });
    let ids = names.filter_map(|process| process.file_name().to_str()?.parse().ok());
    ids.filter_map(Pid::from_raw).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    /// One that has a child, and says so.
    const WITH_A_CHILD: [&str; 2] = ["-c", "sleep 1000 & echo $!; wait"];

    fn started() -> (ProcessGroup, Pid) {
        let mut command = ProcessGroup::command("sh");
        command.args(WITH_A_CHILD).stdout(Stdio::piped());
        let mut group = ProcessGroup::start(command).unwrap();
        let mut child = String::new();
        BufReader::new(group.leader().stdout.take().unwrap()).read_line(&mut child).unwrap();
        (group, Pid::from_raw(child.trim().parse().unwrap()).unwrap())
    }

    /// Whether it runs; one that nobody waited for does not.
    fn runs(process: Pid) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
        stat.is_ok_and(|it| !it.contains(") Z "))
    }

    fn ends(process: Pid) {
        let start = std::time::Instant::now();
        while runs(process) {
            assert!(start.elapsed().as_secs() < 30, "it goes on");
            std::thread::yield_now();
        }
    }

    #[test]
    fn children_outlive_the_first_process_and_end_with_the_group() {
        let (mut group, child) = started();
        assert_eq!(group.ended(), None);
        assert_eq!(group.terminate().signal(), Some(15));
        assert!(runs(child));
        drop(group);
        ends(child);
    }

    #[test]
    fn all_are_killed_at_once() {
        let (mut group, child) = started();
        group.kill();
        ends(child);
    }
}
