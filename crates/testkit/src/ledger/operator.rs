//! What [`Ledger`] promises of what a person asks for while a pass may be running.

use rules::breaker::Allowed;
use rules::entry::{Alias, Mapped};
use rules::ledger::{Batch, Ledger, Memory, RecheckScope};
use rules::{DomainName, Entry, Reason};

use super::at;

const MAPPED: Mapped =
    Mapped { mapping_id: 1, site_id: 7, stage: None, secure: false, contested: false };

/// One refused, one at rest, one retired; the breaker open.
async fn some_entries(ledger: &dyn Ledger) -> [Entry; 3] {
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
    ledger.save(&batch).await.expect("saving");
    entries
}

pub(super) async fn recheck_by_name_asks_even_for_what_was_refused_for_good(ledger: &dyn Ledger) {
    let [mut refused, resting, _] = some_entries(ledger).await;
    assert_eq!(recheck(ledger, RecheckScope::One(&refused.domain)).await, 1);
    refused.recheck(at(5), true);
    assert_eq!(stored(ledger, "refused.example").await, refused);
    assert_eq!(stored(ledger, "resting.example").await, resting, "the others rest");
    assert_eq!(
        events(ledger).await,
        ["refused.example somebody asked for a check", "refused.example rejected → wanted"]
    );
    let memory = ledger.load().await.expect("loading").memory;
    assert_eq!(memory.breaker.allows(at(5)), Allowed::Probe);
    assert_eq!(memory.applied.as_deref(), Some("1f"), "all else is kept");
}

pub(super) async fn recheck_of_all_leaves_out_what_is_retired(ledger: &dyn Ledger) {
    let [mut refused, mut resting, retired] = some_entries(ledger).await;
    assert_eq!(recheck(ledger, RecheckScope::All).await, 2);
    refused.recheck(at(5), false);
    resting.recheck(at(5), false);
    assert_eq!(refused.alias.state, Alias::Rejected, "nobody named it");
    assert_eq!(stored(ledger, "refused.example").await, refused);
    assert_eq!(stored(ledger, "resting.example").await, resting);
    assert_eq!(stored(ledger, "retired.example").await, retired);
}

pub(super) async fn recheck_of_an_unknown_or_retired_name_finds_none(ledger: &dyn Ledger) {
    some_entries(ledger).await;
    for domain in ["retired.example", "unknown.example"] {
        assert_eq!(recheck(ledger, RecheckScope::One(&name(domain))).await, 0, "{domain}");
    }
    assert!(events(ledger).await.is_empty());
}

pub(super) async fn a_deleted_mapping_counts_as_seen_gone_once(ledger: &dyn Ledger) {
    let [_, mut resting, _] = some_entries(ledger).await;
    assert!(ledger.forget_mapping(&resting.domain, at(5)).await.expect("forgetting"));
    resting.mapped = None;
    resting.gone.reads = 1;
    resting.gone.counted_at = Some(at(5));
    assert_eq!(stored(ledger, "resting.example").await, resting);
    assert_eq!(events(ledger).await, ["resting.example its mapping is gone"]);

    for domain in ["resting.example", "retired.example", "unknown.example"] {
        let knew = ledger.forget_mapping(&name(domain), at(6)).await.expect("forgetting");
        assert!(!knew, "{domain}");
    }
    assert_eq!(stored(ledger, "resting.example").await, resting, "counted once");
}

fn name(text: &str) -> DomainName {
    text.parse().expect("a domain name")
}

async fn recheck(ledger: &dyn Ledger, scope: RecheckScope<'_>) -> usize {
    ledger.recheck(scope, at(5)).await.expect("rechecking")
}

async fn stored(ledger: &dyn Ledger, domain: &str) -> Entry {
    ledger.entry(&name(domain)).await.expect("an entry").expect("it is there")
}

async fn events(ledger: &dyn Ledger) -> Vec<String> {
    let events = ledger.events(None, 10).await.expect("events");
    events.into_iter().map(|event| format!("{} {}", event.domain, event.text)).collect()
}
