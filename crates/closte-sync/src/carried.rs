//! Leaving the process that started us, where that is PHP: it must be able to end and to start anew
//! while a pass runs, and what it listens on and whom it answers is nothing of ours.

use std::os::fd::RawFd;

use rustix::fs::Mode;
use rustix::process::{Resource, getrlimit, setsid, umask};

/// Standard input, output and error.
const OURS: RawFd = 2;

/// Where no limit is known, descriptors are looked for below this one.
const MOST: RawFd = 65_536;

/// Close all that was inherited but the standard streams, leave the terminal and the group of
/// whoever started us, and keep what is made to ourselves. To be called before anything is opened.
pub(crate) fn leave_parent() {
    for descriptor in open_descriptors() {
        // The folder that they were listed from is closed already.
        _ = nix::unistd::close(descriptor);
    }
    // Who leads a group of processes already cannot, and is alone in it.
    _ = setsid();
    umask(Mode::RWXG | Mode::RWXO);
}

/// All that may be open but the standard streams.
fn open_descriptors() -> Vec<RawFd> {
    let inherited = OURS + 1;
    let Ok(listed) = std::fs::read_dir("/proc/self/fd") else {
        let limit = getrlimit(Resource::Nofile).current.and_then(|it| RawFd::try_from(it).ok());
        return (inherited..limit.unwrap_or(MOST).min(MOST)).collect();
    };
    let number = |name: std::fs::DirEntry| name.file_name().to_str()?.parse().ok();
    listed.flatten().filter_map(number).filter(|it| inherited <= *it).collect()
}
