//! Entries of every kind, from dice that fall the same each time.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use rules::entry::{
    Alias, Certificate, Condition, Intent, LeftAlone, Mapped, Owned, OwnedAs, Proof, Routing,
    Unseen, ZoneFails,
};
use rules::explain::Looked;
use rules::finding::{Code, Fact, Finding, RecordAction, RecordChange, Said, Severity};
use rules::probe::RecordKind;
use rules::targets::{OwnAnswer, TargetSource};
use rules::twins::Twin;
use rules::{Entry, Reason, Stage, Targets, Time};

use super::{at, domain};

/// Entries with every state, reason and stage there is, and five hundred at random,
/// each of another domain.
pub fn entries_of_every_kind() -> Vec<Entry> {
    let mut dice = Dice(1);
    (0..500).map(|number| dice.entry(number)).chain(every_word()).collect()
}

/// Each state, reason, stage and way of owning at least once.
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
                Some(Mapped { mapping_id: 1, site_id: 2, stage, secure: true, left_alone: None });
            entry
        })
        .collect()
}

const LEFT_ALONE: [LeftAlone; 2] = [LeftAlone::Contested, LeftAlone::Misspelled];

const ALIASES: [Alias; 7] = [
    Alias::Wanted,
    Alias::Adding,
    Alias::Present,
    Alias::Rejected,
    Alias::Removing,
    Alias::Absent,
    Alias::Protected,
];
const TWINS: [Twin; 2] = [Twin::Follows, Twin::Goes];
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
/// Texts that may come from a host, a certificate or a process.
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

/// Repeatable random numbers (splitmix64).
pub(super) struct Dice(pub(super) u64);

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
            unseen: self.maybe(|dice| Unseen {
                since: dice.time(),
                seen: dice.time(),
                reason: dice.one_of(Reason::ALL),
                detail: dice.maybe(Self::text),
            }),
        }
    }

    fn mapped(&mut self) -> Mapped {
        Mapped {
            mapping_id: self.number(),
            site_id: self.number(),
            stage: self.maybe(|dice| dice.one_of(&Stage::ALL)),
            secure: self.chance(),
            left_alone: self.maybe(|dice| dice.one_of(&LEFT_ALONE)),
        }
    }

    fn finding(&mut self) -> Finding {
        let record = RecordChange {
            action: self.one_of(&[RecordAction::Add, RecordAction::Keep]),
            name: self.text(),
            kind: "AAAA".to_owned(),
            found: vec![self.text()],
            wanted: Vec::new(),
        };
        let said = Said { source: self.text(), said: self.text(), at: self.time() };
        let severity = self.one_of(&[Severity::Error, Severity::Warn, Severity::Info]);
        let finding = Finding::new(self.one_of(Code::ALL)).as_bad_as(severity);
        let finding = finding.with(Fact::Address, self.text()).with(Fact::End, "2026-11-27");
        finding.records([record]).evidence([said]).until(self.maybe(Self::time))
    }

    pub(super) fn entry(&mut self, number: u64) -> Entry {
        let mapped = self.maybe(Self::mapped);
        let mut entry = Entry::new(domain(number), mapped, self.time());
        if entry.mapped.is_none() {
            entry.twin = self.maybe(|dice| dice.one_of(&TWINS));
        }
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
        entry.checks.zone_fails =
            self.maybe(|dice| ZoneFails { since: dice.time(), last: dice.time() });
        (entry.gone.reads, entry.gone.counted_at) = (self.count(), self.maybe(Self::time));
        entry.tombstone = self.maybe(Self::time);
        entry.rechecked_at = self.maybe(Self::time);
        entry.muted_until = self.maybe(Self::time);
        entry.findings = (0..self.roll() % 3).map(|_| self.finding()).collect();
        entry.looked = self.maybe(|dice| Looked { at: dice.time(), saw: dice.text() });
        entry.other_rows = (0..self.roll() % 3).map(|_| self.roll() >> 1).collect();
        entry
    }
}

/// Targets of every kind of address, by an answer that was not complete.
pub(super) fn targets() -> Targets {
    let own = OwnAnswer {
        domain: domain(1),
        found: [IpAddr::V4(Ipv4Addr::LOCALHOST)].into(),
        unanswered: Some(RecordKind::Aaaa),
        since: at(-2),
    };
    Targets {
        addresses: own.found.clone(),
        proxied: [IpAddr::V4(Ipv4Addr::BROADCAST)].into(),
        source: TargetSource::Own(Some(own)),
        missed: Some("no answer\0".to_owned()),
    }
}
