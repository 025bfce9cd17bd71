//! One process at a time has the lock.

#![expect(clippy::unwrap_used, reason = "clippy takes what tests share for other code")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use ledger::{Acquired, LedgerPath, Lock, Owner};
use rules::Time;
use tempfile::TempDir;

fn ledger_path(folder: &TempDir) -> LedgerPath {
    LedgerPath::at(&format!("sqlite://{}/new/ledger.db", folder.path().display()), &[]).unwrap()
}

fn owner(pid: u32) -> Owner {
    Owner { pid, command: "sync \"é\"".to_owned(), since: Time::from_millis(1_795_000_000_123) }
}

fn take(ledger_path: &LedgerPath, pid: u32) -> Lock {
    match Lock::acquire(ledger_path, &owner(pid)).unwrap() {
        Acquired::Ours(lock) => lock,
        Acquired::LockedBy(lock_owner) => panic!("held by {lock_owner:?}"),
    }
}

fn lock_owner(ledger_path: &LedgerPath) -> Option<Owner> {
    match Lock::acquire(ledger_path, &owner(99)).unwrap() {
        Acquired::Ours(_) => panic!("nobody holds it"),
        Acquired::LockedBy(lock_owner) => lock_owner,
    }
}

#[test]
fn the_second_one_is_reported_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let ledger_path = ledger_path(&folder);
    let lock = take(&ledger_path, 1);
    assert_eq!(lock_owner(&ledger_path), Some(owner(1)));
    assert_eq!(lock_owner(&ledger_path), Some(owner(1)), "asking changes nothing");
    drop(lock);
    let _lock = take(&ledger_path, 23);
    assert_eq!(lock_owner(&ledger_path), Some(owner(23)));

    let file = folder.path().join("new/ledger.db.lock");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!ledger_path.file().exists(), "the ledger itself is not made");
}

#[test]
fn what_a_dead_owner_left_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let ledger_path = ledger_path(&folder);
    drop(take(&ledger_path, 1));
    let file = folder.path().join("new/ledger.db.lock");
    fs::write(&file, r#"{"pid":4000000,"command":"a very long one indeed","since":0}"#).unwrap();
    let _lock = take(&ledger_path, 2);
    assert_eq!(lock_owner(&ledger_path), Some(owner(2)));
}

#[test]
fn a_owner_that_is_not_known_yet_holds_it_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let ledger_path = ledger_path(&folder);
    let _lock = take(&ledger_path, 1);
    let file = folder.path().join("new/ledger.db.lock");
    for text in [&b""[..], b"{\"pid\":1", b"\xff\xfe"] {
        fs::write(&file, text).unwrap();
        assert_eq!(lock_owner(&ledger_path), None);
    }
}

#[test]
fn a_child_does_not_inherit_it() {
    let folder = tempfile::tempdir().unwrap();
    let ledger_path = ledger_path(&folder);
    let lock = take(&ledger_path, 1);
    // It lives until its input ends.
    let mut child =
        Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    drop(lock);
    take(&ledger_path, 2);
    assert!(child.try_wait().unwrap().is_none(), "the child is still there");
    drop(child.stdin.take());
    child.wait().unwrap();
}

#[test]
fn a_lock_that_cannot_be_made_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("new"), "").unwrap();
    assert!(Lock::acquire(&ledger_path(&folder), &owner(1)).is_err());
}
