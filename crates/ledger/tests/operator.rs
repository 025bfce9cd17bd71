//! What a person asks for while a pass may be running.

#![expect(clippy::unwrap_used, reason = "clippy takes what tests share for other code")]

use ledger::{CreateIfMissing, LedgerPath, RecheckScope, SqliteLedger};
use rules::breaker::Allowed;
use rules::entry::{Alias, Mapped};
use rules::ledger::{Batch, Ledger, Memory};
use rules::{DomainName, Entry, Reason, Time};

const MAPPED: Mapped =
    Mapped { mapping_id: 1, site_id: 7, stage: None, secure: false, contested: false };

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

fn at(millis: i64) -> Time {
    Time::from_millis(millis)
}

/// One refused, one at rest, one retired; the breaker open.
async fn some_entries() -> (SqliteLedger, [Entry; 3]) {
    let mut refused = Entry::new(name("refused.example"), Some(MAPPED), at(0));
    refused.alias.set(at(1), Alias::Rejected, Some(Reason::InvalidDomain), None);
    let mut resting = Entry::new(name("resting.example"), Some(MAPPED), at(0));
    resting.alias.set(at(1), Alias::Present, None, None);
    resting.checks.due = at(90_000);
    let mut retired = Entry::new(name("retired.example"), None, at(0));
    retired.alias.set(at(1), Alias::Absent, None, None);

    let mut memory = Memory { applied: Some("1f".to_owned()), ..Memory::default() };
    while memory.breaker.allows(at(2)) == Allowed::All {
        memory.breaker.outage(at(2));
    }
    let entries = [refused, resting, retired];
    let batch = Batch { entries: entries.to_vec(), memory: Some(memory), ..Batch::default() };
    let ledger = SqliteLedger::in_memory().await.unwrap();
    ledger.save(&batch).await.unwrap();
    (ledger, entries)
}

async fn stored(ledger: &SqliteLedger, domain: &str) -> Entry {
    ledger.entry(&name(domain)).await.unwrap().unwrap()
}

async fn events(ledger: &SqliteLedger) -> Vec<String> {
    let events = ledger.events(None, 10).await.unwrap();
    events.into_iter().map(|event| format!("{} {}", event.domain, event.text)).collect()
}

#[tokio::test]
async fn recheck_by_name_asks_even_for_what_was_refused_for_good() {
    let (ledger, [mut refused, resting, _]) = some_entries().await;
    assert_eq!(ledger.recheck(RecheckScope::One(&refused.domain), at(5)).await.unwrap(), 1);
    refused.recheck(at(5), true);
    assert_eq!(stored(&ledger, "refused.example").await, refused);
    assert_eq!(stored(&ledger, "resting.example").await, resting, "the others rest");
    assert_eq!(
        events(&ledger).await,
        ["refused.example somebody asked for a check", "refused.example rejected → wanted"]
    );
    let memory = ledger.load().await.unwrap().memory;
    assert_eq!(memory.breaker.allows(at(5)), Allowed::Probe);
    assert_eq!(memory.applied.as_deref(), Some("1f"), "all else is kept");
}

#[tokio::test]
async fn recheck_of_all_leaves_out_what_is_retired() {
    let (ledger, [mut refused, mut resting, retired]) = some_entries().await;
    assert_eq!(ledger.recheck(RecheckScope::All, at(5)).await.unwrap(), 2);
    refused.recheck(at(5), false);
    resting.recheck(at(5), false);
    assert_eq!(refused.alias.state, Alias::Rejected, "nobody named it");
    assert_eq!(stored(&ledger, "refused.example").await, refused);
    assert_eq!(stored(&ledger, "resting.example").await, resting);
    assert_eq!(stored(&ledger, "retired.example").await, retired);
}

#[tokio::test]
async fn recheck_of_an_unknown_or_retired_name_finds_none() {
    let (ledger, _) = some_entries().await;
    for domain in ["retired.example", "unknown.example"] {
        assert_eq!(ledger.recheck(RecheckScope::One(&name(domain)), at(5)).await.unwrap(), 0);
    }
    assert!(events(&ledger).await.is_empty());
}

#[tokio::test]
async fn a_deleted_mapping_counts_as_seen_gone_once() {
    let (ledger, [_, mut resting, _]) = some_entries().await;
    assert!(ledger.forget_mapping(&resting.domain, at(5)).await.unwrap());
    resting.mapped = None;
    resting.gone.reads = 1;
    resting.gone.counted_at = Some(at(5));
    assert_eq!(stored(&ledger, "resting.example").await, resting);
    assert_eq!(events(&ledger).await, ["resting.example its mapping is gone"]);

    for domain in ["resting.example", "retired.example", "unknown.example"] {
        assert!(!ledger.forget_mapping(&name(domain), at(6)).await.unwrap(), "{domain}");
    }
    assert_eq!(stored(&ledger, "resting.example").await, resting, "counted once");
}

#[tokio::test]
async fn it_works_while_a_pass_has_the_ledger_open() {
    let folder = tempfile::tempdir().unwrap();
    let ledger_path =
        LedgerPath::at(&format!("sqlite://{}/l.db", folder.path().display()), &[]).unwrap();
    let pass = SqliteLedger::open(&ledger_path, CreateIfMissing::Yes).await.unwrap();
    let entry = Entry::new(name("a.example"), Some(MAPPED), at(0));
    pass.save(&Batch { entries: vec![entry], ..Batch::default() }).await.unwrap();
    let mut loaded = pass.load().await.unwrap().entries.into_values().next().unwrap();

    let person = SqliteLedger::open(&ledger_path, CreateIfMissing::No).await.unwrap();
    assert_eq!(person.recheck(RecheckScope::All, at(5)).await.unwrap(), 1);

    loaded.checks.due = at(90_000);
    loaded.checks.made = 1;
    pass.save(&Batch { entries: vec![loaded], ..Batch::default() }).await.unwrap();
    let stored = stored(&person, "a.example").await;
    assert_eq!((stored.checks.due, stored.checks.made), (at(5), 1));
}
