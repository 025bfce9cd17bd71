//! One process at a time writes passes: the lock next to the ledger.
//!
//! The kernel keeps the lock, so it ends with the process that has it, however
//! that ends. The file is never deleted: a process that waited for a deleted one
//! would have another lock than a process that made it again. Child processes do not
//! inherit it (files are opened with `O_CLOEXEC`).

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rules::Time;
use rules::ledger::LedgerError;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use crate::{LedgerPath, error};

/// Who has a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The process.
    pub pid: u32,
    /// The command that it runs.
    pub command: String,
    /// Since when.
    pub since: Time,
}

/// The right to write passes; it ends when this is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// The result of asking for a lock.
#[derive(Debug)]
pub enum Acquired {
    /// It is ours.
    Ours(Lock),
    /// Somebody else has it; none where they have not written yet who they are.
    LockedBy(Option<Owner>),
}

impl Lock {
    /// Take the lock of the ledger at `place`, in the name of `owner`.
    ///
    /// Does not wait. Makes the folder and the lock's file, not the ledger's.
    ///
    /// # Errors
    ///
    /// The file could not be made, written or locked.
    pub fn acquire(ledger_path: &LedgerPath, owner: &Owner) -> Result<Acquired, LedgerError> {
        ledger_path.make_folder()?;
        let path = ledger_path.sibling(".lock");
        acquire(&path, owner).map_err(|source| error::open(&path, source))
    }
}

fn acquire(path: &Path, owner: &Owner) -> io::Result<Acquired> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    // Whatever a link leads to would be emptied.
    let mut file = options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(path)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            file.write_all(&serde_json::to_vec(&Written::from(owner))?)?;
            Ok(Acquired::Ours(Lock { file }))
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            let written: Option<Written> = serde_json::from_slice(&text).ok();
            Ok(Acquired::LockedBy(written.map(Owner::from)))
        }
        Err(TryLockError::Error(source)) => Err(source),
    }
}

impl Drop for Lock {
    /// Remove the name again, so that nobody reads it as the next owner's, and
    /// release the lock: closing the file alone would leave it with a child that
    /// was forked and has not started its own program yet.
    fn drop(&mut self) {
        // Should either fail, the kernel releases the lock with the file.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

/// An owner as the file stores it.
#[derive(Serialize, Deserialize)]
struct Written {
    pid: u32,
    command: String,
    since: i64,
}

impl From<&Owner> for Written {
    fn from(owner: &Owner) -> Self {
        let Owner { pid, command, since } = owner;
        Self { pid: *pid, command: command.clone(), since: since.as_millis() }
    }
}

impl From<Written> for Owner {
    fn from(written: Written) -> Self {
        let Written { pid, command, since } = written;
        Self { pid, command, since: Time::from_millis(since) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_free_once_given_back_though_a_fork_still_has_the_file_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.lock");
        let owner = Owner { pid: 1, command: "run".to_owned(), since: Time::from_millis(0) };
        let take = || match acquire(&path, &owner).unwrap() {
            Acquired::Ours(lock) => lock,
            Acquired::LockedBy(lock_owner) => panic!("locked by {lock_owner:?}"),
        };
        let lock = take();
        // What a fork has: the same open file, so the same lock.
        let fork = lock.file.try_clone().unwrap();
        drop(lock);
        drop(take());
        drop(fork);
    }
}
