//! What [`Ledger`] promises, tried on any ledger, and entries of every kind.

mod every_kind;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use rules::action::{Action, Approved, Deferred, Release};
use rules::breaker::Breaker;
use rules::budget::Budget;
use rules::doubt::Lasting;
use rules::entry::{Alias, Mapped};
use rules::event::{Event, EventKind};
use rules::ledger::{
    Batch, CheckBasis, Claim, HomeMemory, HostHealth, LastPass, Ledger, Memory, NetworkMemory,
    NextCalls, NotActing,
};
use rules::probe::RootsSilent;
use rules::records::{MappedSites, SiteMark};
use rules::request::{Asked, EXPIRES_AFTER};
use rules::telling::{Kind, Told, Topic};
use rules::twins::{Twin, Www};
use rules::{DomainName, Entry, Identity, Problem, Reason, Stage, Time};

pub use every_kind::entries_of_every_kind;
use every_kind::{Dice, targets};

/// What [`Ledger`] promises. `fresh` makes an empty ledger at each call.
///
/// # Panics
///
/// If the ledger breaks its contract.
pub async fn ledger_contract<L: Ledger>(fresh: impl AsyncFn() -> L) {
    a_new_ledger_is_empty_and_has_a_name_of_its_own(&fresh().await, &fresh().await).await;
    entries_come_back_as_they_were(&fresh().await).await;
    a_later_entry_replaces_the_whole_earlier_one(&fresh().await).await;
    a_row_that_somebody_else_stored_meanwhile_is_left_and_named(&fresh().await).await;
    retired_entries_are_left_out_and_found(&fresh().await).await;
    only_what_is_due_is_claimed_the_longest_due_first(&fresh().await).await;
    what_is_claimed_is_nobody_elses_until_then_or_until_it_is_stored(&fresh().await).await;
    the_next_calls_are_those_of_all_that_is_recorded(&fresh().await).await;
    events_are_kept_in_their_order(&fresh().await).await;
    old_events_and_retired_entries_are_forgotten(&fresh().await).await;
    a_request_is_taken_by_one_until_it_is_answered(&fresh().await).await;
    memory_comes_back_as_it_was(&fresh().await).await;
    sites_once_seen_mapped_stay(&fresh().await).await;
}

async fn a_new_ledger_is_empty_and_has_a_name_of_its_own(one: &dyn Ledger, other: &dyn Ledger) {
    let recorded = one.load().await.expect("loading");
    assert!(recorded.entries.is_empty());
    assert!(recorded.mapped_sites.is_empty());
    assert_eq!(recorded.memory, Memory::default());
    assert_eq!(one.events(None, 10).await.expect("events"), []);
    assert_eq!(one.entry(&domain(1)).await.expect("an entry"), None);
    assert!(!one.id().is_empty());
    assert_ne!(one.id(), other.id());
}

async fn entries_come_back_as_they_were(ledger: &dyn Ledger) {
    let entries = entries_of_every_kind();
    save(ledger, &entries).await;
    let loaded = ledger.load().await.expect("loading").entries;
    for entry in entries.iter().map(stored) {
        assert_eq!(ledger.entry(&entry.domain).await.expect("an entry").as_ref(), Some(&entry));
        let live = Some(&entry).filter(|entry| !entry.is_retired());
        assert_eq!(loaded.get(&entry.domain), live, "{}", entry.domain);
    }
    let live = entries.iter().filter(|entry| !entry.is_retired()).count();
    assert_eq!(loaded.len(), live, "and no others");
}

async fn a_later_entry_replaces_the_whole_earlier_one(ledger: &dyn Ledger) {
    let mut dice = Dice(7);
    for version in 0..100 {
        let later = Entry { version, ..dice.entry(1) };
        save(ledger, std::slice::from_ref(&later)).await;
        assert_eq!(ledger.entry(&later.domain).await.expect("an entry"), Some(stored(&later)));
    }
}

async fn a_row_that_somebody_else_stored_meanwhile_is_left_and_named(ledger: &dyn Ledger) {
    let (ours, other) = (Entry::new(domain(1), None, at(0)), Entry::new(domain(2), None, at(0)));
    save(ledger, std::slice::from_ref(&ours)).await;
    let mut theirs = stored(&ours);
    theirs.recheck(at(500), false);
    save(ledger, std::slice::from_ref(&theirs)).await;
    for version in [0, 1] {
        let late = Entry { version, first_seen: at(9), ..ours.clone() };
        let entries = vec![late, Entry { version, ..other.clone() }];
        let batch = Batch { entries, ..Batch::default() };
        assert_eq!(ledger.save(&batch).await.expect("saving"), [domain(1)], "{version}");
        let left = ledger.entry(&domain(1)).await.expect("an entry");
        assert_eq!(left, Some(stored(&theirs)));
        let beside = ledger.entry(&domain(2)).await.expect("an entry").expect("it is stored");
        assert_eq!(beside.version, version + 1, "the others are written");
    }
}

async fn retired_entries_are_left_out_and_found(ledger: &dyn Ledger) {
    let mut retired = Entry::new(domain(1), None, at(0));
    retired.alias.state = Alias::Absent;
    let absent = Entry { mapped: Some(MAPPED), domain: domain(2), ..retired.clone() };
    let gone = Entry::new(domain(3), None, at(0));
    save(ledger, &[retired.clone(), absent.clone(), gone.clone()]).await;
    let loaded = ledger.load().await.expect("loading").entries;
    assert_eq!(loaded.into_values().collect::<Vec<_>>(), [stored(&absent), stored(&gone)]);
    assert_eq!(ledger.entry(&domain(1)).await.expect("an entry"), Some(stored(&retired)));
}

const MAPPED: Mapped =
    Mapped { mapping_id: 1, site_id: 2, stage: None, secure: false, left_alone: None };

/// A mapped entry whose check and call are due at those times.
fn due(number: u64, check: i64, step: i64, alias: Alias) -> Entry {
    let mut entry = Entry::new(domain(number), Some(MAPPED), at(0));
    entry.alias.state = alias;
    (entry.checks.due, entry.step.due) = (at(check), at(step));
    entry
}

fn claim(owner: &str, now: i64, until: i64) -> Claim<'_> {
    Claim { owner, now: at(now), until: at(until) }
}

async fn claimed(ledger: &dyn Ledger, claim: Claim<'_>, limit: usize) -> Vec<DomainName> {
    let due = ledger.claim_due(&claim, limit).await.expect("claiming");
    due.entries.into_keys().collect()
}

async fn only_what_is_due_is_claimed_the_longest_due_first(ledger: &dyn Ledger) {
    let check = due(1, 100, 900, Alias::Present);
    let step = due(2, 900, 90, Alias::Wanted);
    let neither = due(3, 900, 100, Alias::Present);
    let gone = Entry { mapped: None, ..due(4, 100, 100, Alias::Removing) };
    let twin = |number, twin| Entry {
        mapped: None,
        twin: Some(twin),
        ..due(number, 99, 900, Alias::Absent)
    };
    let (follows, goes) = (twin(5, Twin::Follows), twin(6, Twin::Goes));
    save(ledger, &[check.clone(), step.clone(), neither, gone, follows.clone(), goes]).await;
    assert_eq!(ledger.next_due().await.expect("a time"), Some(at(99)));
    assert_eq!(claimed(ledger, claim("a", 100, 200), 1).await, [domain(2)], "the longest due");
    let recorded = ledger.claim_due(&claim("a", 100, 200), 9).await.expect("claiming");
    let due: Vec<_> = recorded.entries.into_values().collect();
    assert_eq!(due, [stored(&check), stored(&step), stored(&follows)]);
}

async fn what_is_claimed_is_nobody_elses_until_then_or_until_it_is_stored(ledger: &dyn Ledger) {
    let entries = [due(1, 100, 900, Alias::Present), due(2, 100, 900, Alias::Present)];
    save(ledger, &entries).await;
    assert_eq!(claimed(ledger, claim("a", 100, 200), 9).await.len(), 2);
    assert_eq!(claimed(ledger, claim("b", 199, 299), 9).await, []);
    save(ledger, &[stored(&entries[0])]).await;
    assert_eq!(claimed(ledger, claim("b", 199, 299), 9).await, [domain(1)], "it was given back");
    assert_eq!(claimed(ledger, claim("b", 200, 299), 9).await.len(), 2, "its time is over");
    ledger.release_leases().await.expect("releasing");
    assert_eq!(claimed(ledger, claim("a", 200, 300), 9).await.len(), 2, "it was released");
}

async fn the_next_calls_are_those_of_all_that_is_recorded(ledger: &dyn Ledger) {
    let next_calls = async || ledger.next_calls().await.expect("times");
    assert_eq!(next_calls().await, NextCalls::default(), "an empty ledger owes nothing");
    for some in entries_of_every_kind().chunks(40) {
        save(ledger, some).await;
        let recorded = ledger.load().await.expect("loading");
        assert_eq!(next_calls().await, recorded.next_calls());
    }
    let NextCalls { add: Some(_), remove: Some(_) } = next_calls().await else {
        panic!("there are calls of both kinds");
    };
    let paused = HostHealth { quiet_until: Some(at(i64::MAX)), ..HostHealth::default() };
    let refused = HostHealth { key_refused: Some("no".to_owned()), ..HostHealth::default() };
    for (host, want) in [(paused, Some(at(i64::MAX))), (refused, None)] {
        let batch = Batch { host: Some(host), ..Batch::default() };
        ledger.save(&batch).await.expect("saving");
        assert_eq!(next_calls().await, NextCalls { add: want, remove: want });
    }
}

async fn events_are_kept_in_their_order(ledger: &dyn Ledger) {
    let all = [
        event(7, 1, EventKind::Alias),
        event(7, 2, EventKind::Host),
        event(7, 1, EventKind::Routing),
        event(7, 1, EventKind::Note),
    ];
    for events in all.chunks(2) {
        let batch = Batch { events: events.to_vec(), ..Batch::default() };
        ledger.save(&batch).await.expect("saving");
    }
    let newest = |places: &[usize]| -> Vec<Event> {
        places.iter().map(|place| all[*place].clone()).collect()
    };
    let events = async |domain: Option<&DomainName>, limit| {
        ledger.events(domain, limit).await.expect("events")
    };
    assert_eq!(events(None, 10).await, newest(&[3, 2, 1, 0]));
    assert_eq!(events(None, 2).await, newest(&[3, 2]));
    assert_eq!(events(Some(&domain(1)), 10).await, newest(&[3, 2, 0]));
    assert_eq!(events(Some(&domain(1)), 1).await, newest(&[3]));
    assert_eq!(events(Some(&domain(9)), 10).await, []);
    assert_eq!(events(None, 0).await, []);
}

/// An event of which nothing is left out.
fn event(millis: i64, number: u64, kind: EventKind) -> Event {
    Event {
        at: at(millis),
        domain: domain(number),
        kind,
        from: Some("wanted".to_owned()),
        to: Some("present".to_owned()),
        reason: Some(Reason::HostSaidNo),
        detail: Some(format!("“nein”\n{number}\"\\")),
    }
}

async fn old_events_and_retired_entries_are_forgotten(ledger: &dyn Ledger) {
    let mut entries: Vec<_> =
        (1..=4).map(|number| Entry::new(domain(number), None, at(0))).collect();
    entries[0].mapped = Some(MAPPED);
    for (place, since) in [(1, 5), (2, 10)] {
        entries[place].alias.set(at(since), Alias::Absent, None, None);
    }
    let of = |number| (0..25).map(move |_| event(5, number, EventKind::Alias));
    let late = (1..=4).map(|number| event(10, number, EventKind::Alias));
    let events = (1..=4).flat_map(of).chain(late).collect();
    ledger.save(&Batch { entries, events, ..Batch::default() }).await.expect("saving");
    ledger.forget(at(10)).await.expect("forgetting");
    for (number, left, is_there) in [(1, 20, true), (2, 1, false), (3, 1, true), (4, 1, true)] {
        let domain = domain(number);
        let events = ledger.events(Some(&domain), 99).await.expect("events");
        assert_eq!(events.len(), left, "{domain}");
        let entry = ledger.entry(&domain).await.expect("an entry");
        assert_eq!(entry.is_some(), is_there, "{domain}");
    }
}

async fn a_request_is_taken_by_one_until_it_is_answered(ledger: &dyn Ledger) {
    let apply = Asked::Apply("1f".to_owned());
    let first = ledger.request(&Asked::EnableHere, &claim("asker", 1, 1)).await.expect("asking");
    let second = ledger.request(&apply, &claim("asker", 2, 2)).await.expect("asking");
    let take = async |owner, now, until| {
        let taken = ledger.take_request(&claim(owner, now, until)).await.expect("taking");
        taken.map(|request| (request.id, request.asked))
    };
    assert_eq!(take("a", 5, 100).await, Some((first, Asked::EnableHere)), "the oldest");
    assert_eq!(take("b", 6, 100).await, Some((second, apply.clone())), "that one is taken");
    assert_eq!(take("c", 99, 200).await, None);
    assert_eq!(take("c", 100, 200).await, Some((first, Asked::EnableHere)), "its time is over");
    ledger.release_leases().await.expect("releasing");
    assert_eq!(take("d", 101, 200).await, Some((first, Asked::EnableHere)), "its taker died");
    assert_eq!(ledger.request_answer(first).await.expect("an answer"), None);
    ledger.answer_request(first, "{\"done\":true}").await.expect("answering");
    let answer = ledger.request_answer(first).await.expect("an answer");
    assert_eq!(answer.as_deref(), Some("{\"done\":true}"));
    assert_eq!(ledger.requests(at(200)).await.expect("requests"), [apply]);
    let over = 2 + i64::try_from(EXPIRES_AFTER.as_millis()).expect("minutes");
    assert_eq!(take("e", over, over + 9).await, None, "nobody waits for it any more");
    assert_eq!(ledger.requests(at(over)).await.expect("requests"), []);
}

async fn memory_comes_back_as_it_was(ledger: &dyn Ledger) {
    let least = Memory { last_pass: Some(LastPass::default()), ..Memory::default() };
    for memory in [full_memory(), least, full_memory(), Memory::default()] {
        let Memory { network, home, host, approved, told, last_pass } = memory.clone();
        let (network, home) = (Some(network), Some(home));
        let (host, approved, told) = (Some(host), Some(approved), Some(told));
        let batch = Batch { network, home, host, approved, told, ..Batch::default() };
        ledger.save(&batch).await.expect("saving");
        let before = ledger.load().await.expect("loading").memory.last_pass;
        ledger
            .save(&Batch { last_pass: last_pass.clone(), ..Batch::default() })
            .await
            .expect("saving");
        let last_pass = last_pass.or(before);
        ledger.save(&Batch::default()).await.expect("saving nothing");
        let stored = ledger.memory().await.expect("the memory");
        assert_eq!(ledger.load().await.expect("loading").memory, stored);
        assert_eq!(stored, Memory { last_pass, ..memory });
    }
}

async fn sites_once_seen_mapped_stay(ledger: &dyn Ledger) {
    let seen = [
        MappedSites::from([(2, None), (1, Some(at(5))), (u64::MAX, None)]),
        MappedSites::from([(1, None), (2, Some(at(-7))), (3, Some(at(6)))]),
        MappedSites::from([(3, Some(at(9)))]),
        MappedSites::new(),
    ];
    for mapped_sites in seen {
        let batch = Batch { mapped_sites, ..Batch::default() };
        ledger.save(&batch).await.expect("saving");
    }
    let sites = ledger.load().await.expect("loading").mapped_sites;
    let times = [(1, Some(at(5))), (2, Some(at(-7))), (3, Some(at(9))), (u64::MAX, None)];
    assert_eq!(sites, times.into());
}

/// As it comes back.
fn stored(entry: &Entry) -> Entry {
    Entry { version: entry.version + 1, ..entry.clone() }
}

async fn save(ledger: &dyn Ledger, entries: &[Entry]) {
    let batch = Batch { entries: entries.to_vec(), ..Batch::default() };
    let missed = ledger.save(&batch).await.expect("saving");
    assert_eq!(missed, [], "nobody else stored them");
}

fn at(millis: i64) -> Time {
    Time::from_millis(millis)
}

fn domain(number: u64) -> DomainName {
    format!("d{number}.example").parse().expect("a domain name")
}

/// A memory in which nothing is left out.
fn full_memory() -> Memory {
    let network = Identity {
        app: Some("app \"1\"".to_owned()),
        domain: domain(1),
        database: "wp".to_owned(),
        prefix: "wp_".to_owned(),
        network_id: u64::MAX,
    };
    let deferred = Deferred {
        action: Action::RemoveAlias,
        domain: "*.bücher.example".parse().expect("a domain name"),
        reason: Reason::Brake,
        release: Release::Apply,
        until: Some(at(7)),
        after: Some(at(-7)),
    };
    let last_pass = LastPass {
        at: at(-5),
        deferred: vec![deferred.clone(), deferred],
        problems: vec![
            Problem::in_row("wp_blogs", "domain", u64::MAX, "no name: `a b`"),
            Problem::of_all("two\nlines"),
        ],
        foreign: [domain(3), domain(2)].into(),
        more_foreign: 7,
    };
    Memory {
        network: NetworkMemory {
            identity: Some(network),
            site_mark: Some(SiteMark { id: u64::MAX, registered: Some(at(-3)) }),
            mapped_names: Some(0),
            applied: Some("1e5".to_owned()),
            restored: [domain(6), domain(7)].into(),
            doubts: [(Lasting::SuddenFall, None), (Lasting::List, Some(at(3)))].into(),
            removals: [(domain(4), at(4)), (domain(5), at(-4))].into(),
            forgot_at: Some(at(9)),
            not_acting: Some(NotActing::SwitchedOff),
            checks: Some(CheckBasis {
                interval: Duration::from_secs(10),
                stage_words: BTreeSet::from([Stage::Done, Stage::SslFailed]),
            }),
            targets: Some(targets()),
            roots_silent: Some(RootsSilent { since: at(-6), until: at(6) }),
            budgets: [(domain(3), Budget { issued: 50, waiting: 2, next: Some(at(3)) })].into(),
            earlier_targets: [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9))].into(),
            www: Www::AsWordpress,
            www_told: true,
        },
        home: HomeMemory { serial: 9, read_back: Some(8) },
        host: HostHealth {
            list_believed: true,
            key_refused: Some("Unauthorized\0!".to_owned()),
            breaker: Breaker { outages: u32::MAX, open_until: Some(at(i64::MAX)) },
            quiet_until: Some(at(i64::MIN)),
        },
        approved: vec![
            Approved {
                hash: "0".to_owned(),
                removals: [domain(6)].into(),
                records: [domain(7), domain(8)].into(),
                additions: [domain(9)].into(),
            },
            Approved { hash: "1".to_owned(), ..Approved::default() },
        ],
        told: [
            telling(Kind::Alert, "brake", None),
            telling(Kind::Domain, "a.example", Some(at(5))),
        ]
        .into(),
        last_pass: Some(last_pass),
    }
}

fn telling(kind: Kind, about: &str, good_at: Option<Time>) -> (Topic, Told) {
    let (code, what) = ("a code".to_owned(), "\"all\"\n".to_owned());
    let told = Told { code, what, since: at(-3), told_at: at(4), good_at };
    (Topic { kind, about: about.to_owned() }, told)
}
