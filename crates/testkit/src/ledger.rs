//! What [`Ledger`] promises, tried on any ledger, and entries of every kind.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use rules::breaker::Breaker;
use rules::entry::{
    Alias, Certificate, Condition, Intent, Lease, Mapped, Owned, OwnedAs, Proof, Routing,
};
use rules::event::Event;
use rules::ledger::{Batch, Deferred, LastPass, Ledger, Memory, NextCalls};
use rules::{DomainName, Entry, Identity, Problem, Reason, Stage, Time};

/// What [`Ledger`] promises. `fresh` makes an empty ledger at each call.
///
/// # Panics
///
/// If the ledger breaks its contract.
pub async fn ledger_contract<L: Ledger>(fresh: impl AsyncFn() -> L) {
    a_new_ledger_is_empty_and_has_a_name_of_its_own(&fresh().await, &fresh().await).await;
    entries_come_back_as_they_were(&fresh().await).await;
    a_later_entry_replaces_the_whole_earlier_one(&fresh().await).await;
    retired_entries_are_left_out_and_found(&fresh().await).await;
    only_what_is_due_is_loaded_as_due(&fresh().await).await;
    the_next_calls_are_those_of_all_that_is_recorded(&fresh().await).await;
    what_a_person_asked_for_meanwhile_stays(&fresh().await).await;
    a_name_that_a_person_wants_asked_again_stays_wanted(&fresh().await).await;
    events_are_kept_in_their_order(&fresh().await).await;
    memory_comes_back_as_it_was(&fresh().await).await;
    sites_once_seen_mapped_stay(&fresh().await).await;
    leases_are_released(&fresh().await).await;
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
    for entry in &entries {
        assert_eq!(ledger.entry(&entry.domain).await.expect("an entry").as_ref(), Some(entry));
        let live = Some(entry).filter(|entry| !entry.is_retired());
        assert_eq!(loaded.get(&entry.domain), live, "{}", entry.domain);
    }
    let live = entries.iter().filter(|entry| !entry.is_retired()).count();
    assert_eq!(loaded.len(), live, "and no others");
}

async fn a_later_entry_replaces_the_whole_earlier_one(ledger: &dyn Ledger) {
    let mut dice = Dice(7);
    for _ in 0..100 {
        let (mut earlier, mut later) = (dice.entry(1), dice.entry(1));
        (earlier.rechecked_at, later.rechecked_at) = (None, None);
        save(ledger, &[earlier]).await;
        save(ledger, std::slice::from_ref(&later)).await;
        assert_eq!(ledger.entry(&later.domain).await.expect("an entry"), Some(later));
    }
}

async fn retired_entries_are_left_out_and_found(ledger: &dyn Ledger) {
    let mapped = Mapped { mapping_id: 1, site_id: 2, stage: None, secure: false, contested: false };
    let mut retired = Entry::new(domain(1), None, at(0));
    retired.alias.state = Alias::Absent;
    let absent = Entry { mapped: Some(mapped), domain: domain(2), ..retired.clone() };
    let gone = Entry::new(domain(3), None, at(0));
    save(ledger, &[retired.clone(), absent.clone(), gone.clone()]).await;

    let loaded = ledger.load().await.expect("loading").entries;
    assert_eq!(loaded.into_values().collect::<Vec<_>>(), [absent, gone]);
    assert_eq!(ledger.entry(&domain(1)).await.expect("an entry"), Some(retired));
}

async fn only_what_is_due_is_loaded_as_due(ledger: &dyn Ledger) {
    let mapped = Mapped { mapping_id: 1, site_id: 2, stage: None, secure: false, contested: false };
    let entry = |number, check: i64, step: i64, alias| {
        let mut entry = Entry::new(domain(number), Some(mapped.clone()), at(0));
        entry.alias.state = alias;
        (entry.checks.due, entry.step.due) = (at(check), at(step));
        entry
    };
    let check = entry(1, 100, 900, Alias::Present);
    let step = entry(2, 900, 100, Alias::Wanted);
    let neither = entry(3, 900, 100, Alias::Present);
    let gone = Entry { mapped: None, ..entry(4, 100, 100, Alias::Removing) };
    save(ledger, &[check.clone(), step.clone(), neither, gone]).await;
    let due = ledger.load_due(at(100)).await.expect("loading").entries;
    assert_eq!(due.into_values().collect::<Vec<_>>(), [check, step]);
    assert_eq!(ledger.next_due().await.expect("a time"), Some(at(100)));
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
    let paused = Memory { quiet_until: Some(at(i64::MAX)), ..Memory::default() };
    let refused = Memory { key_refused: Some("no".to_owned()), ..Memory::default() };
    for (memory, want) in [(paused, Some(at(i64::MAX))), (refused, None)] {
        let batch = Batch { memory: Some(memory), ..Batch::default() };
        ledger.save(&batch).await.expect("saving");
        assert_eq!(next_calls().await, NextCalls { add: want, remove: want });
    }
}

async fn what_a_person_asked_for_meanwhile_stays(ledger: &dyn Ledger) {
    let loaded = Entry::new(domain(1), None, at(0));
    let mut asked = loaded.clone();
    asked.recheck(at(500), false);
    save(ledger, &[asked.clone()]).await;

    let mut done = loaded;
    done.alias.set(at(600), Alias::Present, None, None);
    done.step.due = at(10_000);
    done.checks.due = at(20_000);
    done.checks.hot_until = at(30_000);
    done.checks.made = 3;
    save(ledger, &[done.clone()]).await;

    let mut both = done.clone();
    both.step.due = asked.step.due;
    both.checks.due = asked.checks.due;
    both.checks.hot_until = asked.checks.hot_until;
    both.rechecked_at = asked.rechecked_at;
    let stored = ledger.entry(&domain(1)).await.expect("an entry");
    assert_eq!(stored, Some(both.clone()), "due times are the person's, the rest the pass's");

    for rechecked_at in [at(500), at(501)] {
        done.rechecked_at = Some(rechecked_at);
        save(ledger, &[done.clone()]).await;
        let stored = ledger.entry(&domain(1)).await.expect("an entry");
        assert_eq!(stored, Some(done.clone()), "whoever knows of the wish may follow it");
    }
}

async fn a_name_that_a_person_wants_asked_again_stays_wanted(ledger: &dyn Ledger) {
    let mut refused = Entry::new(domain(1), None, at(0));
    let reason = Some(Reason::InvalidDomain);
    refused.alias.set(at(1), Alias::Rejected, reason, Some("no".to_owned()));
    let mut asked = refused.clone();
    asked.recheck(at(500), true);
    save(ledger, &[asked.clone()]).await;
    save(ledger, &[refused]).await;
    let stored = ledger.entry(&domain(1)).await.expect("an entry").expect("it is there");
    assert_eq!(stored.alias, asked.alias);
}

async fn events_are_kept_in_their_order(ledger: &dyn Ledger) {
    let event = |number: u64, about: &str| Event {
        at: at(7),
        domain: domain(number),
        about: about.to_owned(),
        text: format!("wanted → “présent”\n{number}\"\\"),
    };
    let described = [event(1, "alias"), event(2, "alias"), event(1, "routing"), event(1, "stage")];
    for events in described.chunks(2) {
        let batch = Batch { events: events.to_vec(), ..Batch::default() };
        ledger.save(&batch).await.expect("saving");
    }
    let newest = |places: &[usize]| -> Vec<Event> {
        places.iter().map(|place| described[*place].clone()).collect()
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

async fn memory_comes_back_as_it_was(ledger: &dyn Ledger) {
    let least = Memory { last_pass: Some(LastPass::default()), ..Memory::default() };
    for memory in [full_memory(), least, full_memory(), Memory::default()] {
        let batch = Batch { memory: Some(memory.clone()), ..Batch::default() };
        ledger.save(&batch).await.expect("saving");
        ledger.save(&Batch::default()).await.expect("saving nothing");
        assert_eq!(ledger.load().await.expect("loading").memory, memory);
    }
}

async fn sites_once_seen_mapped_stay(ledger: &dyn Ledger) {
    let seen = [BTreeSet::from([2, 1, u64::MAX]), BTreeSet::from([1, 3]), BTreeSet::new()];
    for mapped_sites in seen {
        let batch = Batch { mapped_sites, ..Batch::default() };
        ledger.save(&batch).await.expect("saving");
    }
    let sites = ledger.load().await.expect("loading").mapped_sites;
    assert_eq!(sites, BTreeSet::from([1, 2, 3, u64::MAX]));
}

async fn leases_are_released(ledger: &dyn Ledger) {
    let mut leased = Entry::new(domain(1), None, at(0));
    leased.lease = Some(Lease { owner: "4711".to_owned(), until: at(99) });
    save(ledger, &[leased.clone(), Entry::new(domain(2), None, at(0))]).await;
    ledger.release_leases().await.expect("releasing");
    leased.lease = None;
    assert_eq!(ledger.entry(&domain(1)).await.expect("an entry"), Some(leased));
}

async fn save(ledger: &dyn Ledger, entries: &[Entry]) {
    let batch = Batch { entries: entries.to_vec(), ..Batch::default() };
    ledger.save(&batch).await.expect("saving");
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
        action: "remove-alias".to_owned(),
        domain: "*.bücher.example".parse().expect("a domain name"),
        reason: "brake".to_owned(),
        release: "closte-sync apply 1f".to_owned(),
    };
    let last_pass = LastPass {
        at: at(-5),
        deferred: vec![deferred.clone(), deferred],
        problems: vec![
            Problem::in_row("wp_blogs", "domain", u64::MAX, "no name: `a b`"),
            Problem::of_all("two\nlines"),
        ],
        foreign: [domain(3), domain(2)].into(),
    };
    Memory {
        network: Some(network),
        site_mark: Some(u64::MAX),
        mapped_names: Some(0),
        list_believed: true,
        key_refused: Some("Unauthorized\0!".to_owned()),
        breaker: Breaker { outages: u32::MAX, open_until: Some(at(i64::MAX)) },
        quiet_until: Some(at(i64::MIN)),
        applied: Some("1e5".to_owned()),
        last_pass: Some(last_pass),
    }
}

/// Entries with every state, reason and stage there is, and five hundred at random,
/// each of another domain.
pub fn entries_of_every_kind() -> Vec<Entry> {
    let mut dice = Dice(1);
    (0..500).map(|number| dice.entry(number)).chain(every_word()).collect()
}

/// Each state, reason, stage and hold at least once.
fn every_word() -> Vec<Entry> {
    let longest = Reason::ALL.len().max(ALIASES.len());
    (0..longest)
        .map(|place| {
            let number = u64::try_from(place).expect("few words") + 1000;
            let mut entry = Dice(number).entry(number);
            let reason = Some(Reason::ALL[place % Reason::ALL.len()]);
            entry.alias.state = ALIASES[place % ALIASES.len()];
            entry.routing.state = ROUTINGS[place % ROUTINGS.len()];
            entry.certificate.state = CERTIFICATES[place % CERTIFICATES.len()];
            entry.proof.state = PROOFS[place % PROOFS.len()];
            (entry.alias.reason, entry.routing.reason) = (reason, reason);
            (entry.certificate.reason, entry.proof.reason) = (reason, reason);
            entry.owned = Some(Owned { how: OWNED_AS[place % OWNED_AS.len()], since: at(1) });
            let stage = Some(Stage::ALL[place % Stage::ALL.len()]);
            entry.mapped =
                Some(Mapped { mapping_id: 1, site_id: 2, stage, secure: true, contested: false });
            entry
        })
        .collect()
}

const ALIASES: [Alias; 7] = [
    Alias::Wanted,
    Alias::Adding,
    Alias::Present,
    Alias::Rejected,
    Alias::Removing,
    Alias::Absent,
    Alias::Protected,
];
const ROUTINGS: [Routing; 3] = [Routing::Unknown, Routing::Elsewhere, Routing::Here];
const CERTIFICATES: [Certificate; 5] = [
    Certificate::Unknown,
    Certificate::Missing,
    Certificate::Invalid,
    Certificate::Valid,
    Certificate::Expiring,
];
const PROOFS: [Proof; 3] = [Proof::Unproven, Proof::Proven, Proof::Contradicted];
const OWNED_AS: [OwnedAs; 3] = [OwnedAs::Added, OwnedAs::Adopted, OwnedAs::Seen];
/// What a host, a certificate or a process may have to say.
const TEXTS: [&str; 8] = [
    "",
    "already exists",
    "\"quoted\" \\ 'and' `more`",
    "line\r\nline\ttab\u{b}\u{7f}",
    "nul\0nul",
    "null",
    "{\"error\":[1,\u{2028}2]}",
    "Ünïcödé 💩 \u{feff}\u{fffd}\u{10ffff}",
];

/// Repeatable chance (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut rolled = self.0;
        rolled = (rolled ^ (rolled >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        rolled = (rolled ^ (rolled >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        rolled ^ (rolled >> 31)
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        let count = u64::try_from(choices.len()).expect("few choices");
        choices[usize::try_from(self.roll() % count).expect("few choices")]
    }

    fn chance(&mut self) -> bool {
        self.one_of(&[true, false])
    }

    fn maybe<T>(&mut self, some: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.chance().then(|| some(self))
    }

    fn number(&mut self) -> u64 {
        let rolled = self.roll();
        self.one_of(&[0, 1, rolled, u64::MAX])
    }

    fn count(&mut self) -> u32 {
        self.one_of(&[0, 1, 40, u32::MAX])
    }

    fn time(&mut self) -> Time {
        let rolled = self.roll().cast_signed();
        at(self.one_of(&[0, -1, 1_795_000_000_000, rolled, i64::MIN, i64::MAX]))
    }

    fn text(&mut self) -> String {
        self.one_of(&TEXTS).to_owned()
    }

    fn address(&mut self) -> IpAddr {
        let bits = self.roll();
        let v4 = Ipv4Addr::from_bits((bits & 0xffff_ffff) as u32);
        self.one_of(&[
            IpAddr::V4(v4),
            IpAddr::V6(Ipv6Addr::from_bits(u128::from(bits) << 40)),
            IpAddr::V6(v4.to_ipv6_mapped()),
        ])
    }

    fn condition<S: Copy>(&mut self, states: &[S]) -> Condition<S> {
        Condition {
            state: self.one_of(states),
            reason: self.maybe(|dice| dice.one_of(Reason::ALL)),
            detail: self.maybe(Self::text),
            since: self.time(),
        }
    }

    fn mapped(&mut self) -> Mapped {
        Mapped {
            mapping_id: self.number(),
            site_id: self.number(),
            stage: self.maybe(|dice| dice.one_of(&Stage::ALL)),
            secure: self.chance(),
            contested: self.chance(),
        }
    }

    fn entry(&mut self, number: u64) -> Entry {
        let mapped = self.maybe(Self::mapped);
        let mut entry = Entry::new(domain(number), mapped, self.time());
        entry.alias = self.condition(&ALIASES);
        entry.routing = self.condition(&ROUTINGS);
        entry.found = (0..self.roll() % 4).map(|_| self.address()).collect();
        entry.certificate = self.condition(&CERTIFICATES);
        entry.issuer = self.maybe(Self::text);
        entry.not_after = self.maybe(Self::time);
        entry.proof = self.condition(&PROOFS);
        entry.owned = self.maybe(|dice| Owned { how: dice.one_of(&OWNED_AS), since: dice.time() });
        (entry.shown, entry.confirmed) = (self.chance(), self.chance());
        entry.step.intent =
            self.maybe(|dice| Intent { at: dice.time(), list_lacked: dice.chance() });
        (entry.step.tries, entry.step.due) = (self.count(), self.time());
        (entry.checks.made, entry.checks.last) = (self.count(), self.maybe(Self::time));
        (entry.checks.due, entry.checks.hot_until) = (self.time(), self.time());
        entry.checks.gap = Duration::from_millis(self.roll() >> 1);
        (entry.checks.bad, entry.checks.bad_since) = (self.count(), self.maybe(Self::time));
        (entry.gone.reads, entry.gone.counted_at) = (self.count(), self.maybe(Self::time));
        entry.gone.approved = self.chance();
        entry.rechecked_at = self.maybe(Self::time);
        entry.lease = self.maybe(|dice| Lease { owner: dice.text(), until: dice.time() });
        entry
    }
}
