//! One process at a time has the lock.

#![expect(clippy::unwrap_used, reason = "clippy takes what tests share for other code")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use ledger::{Acquired, Lock, Owner, Place};
use rules::Time;
use tempfile::TempDir;

fn place(folder: &TempDir) -> Place {
    Place::at(&format!("sqlite://{}/new/ledger.db", folder.path().display()), &[]).unwrap()
}

fn owner(pid: u32) -> Owner {
    Owner { pid, command: "sync \"é\"".to_owned(), since: Time::from_millis(1_795_000_000_123) }
}

fn take(place: &Place, pid: u32) -> Lock {
    match Lock::acquire(place, &owner(pid)).unwrap() {
        Acquired::Ours(lock) => lock,
        Acquired::HeldBy(holder) => panic!("held by {holder:?}"),
    }
}

fn holder(place: &Place) -> Option<Owner> {
    match Lock::acquire(place, &owner(99)).unwrap() {
        Acquired::Ours(_) => panic!("nobody holds it"),
        Acquired::HeldBy(holder) => holder,
    }
}

#[test]
fn the_second_one_is_told_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let place = place(&folder);
    let lock = take(&place, 1);
    assert_eq!(holder(&place), Some(owner(1)));
    assert_eq!(holder(&place), Some(owner(1)), "asking changes nothing");
    drop(lock);
    let _lock = take(&place, 23);
    assert_eq!(holder(&place), Some(owner(23)));

    let file = folder.path().join("new/ledger.db.lock");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!place.file().exists(), "the ledger itself is not made");
}

#[test]
fn what_a_dead_holder_left_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let place = place(&folder);
    drop(take(&place, 1));
    let file = folder.path().join("new/ledger.db.lock");
    fs::write(&file, r#"{"pid":4000000,"command":"a very long one indeed","since":0}"#).unwrap();
    let _lock = take(&place, 2);
    assert_eq!(holder(&place), Some(owner(2)));
}

#[test]
fn a_holder_that_is_not_known_yet_holds_it_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let place = place(&folder);
    let _lock = take(&place, 1);
    let file = folder.path().join("new/ledger.db.lock");
    for text in [&b""[..], b"{\"pid\":1", b"\xff\xfe"] {
        fs::write(&file, text).unwrap();
        assert_eq!(holder(&place), None);
    }
}

#[test]
fn a_child_does_not_inherit_it() {
    let folder = tempfile::tempdir().unwrap();
    let place = place(&folder);
    let lock = take(&place, 1);
    // It lives until its input ends.
    let mut child =
        Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    drop(lock);
    take(&place, 2);
    assert!(child.try_wait().unwrap().is_none(), "the child is still there");
    drop(child.stdin.take());
    child.wait().unwrap();
}

#[test]
fn a_lock_that_cannot_be_made_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("new"), "").unwrap();
    assert!(Lock::acquire(&place(&folder), &owner(1)).is_err());
}
