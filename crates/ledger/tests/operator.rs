//! What a person asks for while a pass has the ledger open.

use ledger::{CreateIfMissing, LedgerPath, SqliteLedger};
use rules::entry::Mapped;
use rules::ledger::{Batch, Ledger, RecheckScope};
use rules::{Entry, Time};

const MAPPED: Mapped =
    Mapped { mapping_id: 1, site_id: 7, stage: None, secure: false, contested: false };

#[tokio::test]
async fn it_works_while_a_pass_has_the_ledger_open() {
    let folder = tempfile::tempdir().unwrap();
    let ledger_path =
        LedgerPath::at(&format!("sqlite://{}/l.db", folder.path().display()), &[]).unwrap();
    let pass = SqliteLedger::open(&ledger_path, CreateIfMissing::Yes).await.unwrap();
    let entry = Entry::new("a.example".parse().unwrap(), Some(MAPPED), Time::from_millis(0));
    pass.save(&Batch { entries: vec![entry], ..Batch::default() }).await.unwrap();
    let mut loaded = pass.load().await.unwrap().entries.into_values().next().unwrap();

    let person = SqliteLedger::open(&ledger_path, CreateIfMissing::No).await.unwrap();
    assert_eq!(person.recheck(RecheckScope::All, Time::from_millis(5)).await.unwrap(), 1);

    loaded.checks.due = Time::from_millis(90_000);
    loaded.checks.made = 1;
    pass.save(&Batch { entries: vec![loaded], ..Batch::default() }).await.unwrap();
    let stored = person.entry(&"a.example".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((stored.checks.due, stored.checks.made), (Time::from_millis(5), 1));
}
