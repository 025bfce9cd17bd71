//! What is *recorded* of one domain: its three states, its next steps, its history.
//!
//! ```text
//!   alias        wanted ──▶ adding ──▶ present ──▶ removing ──▶ absent
//!                   ▲         │           │
//!                   │         ▼           └─ vanished: wanted again
//!                   └──── rejected            protected: never sent
//!   routing      unknown ──▶ elsewhere ◀──▶ here
//!   certificate  unknown ──▶ missing, invalid ◀──▶ valid ──▶ expiring
//! ```
//!
//! Besides them there is the proof, for a domain that is routed here, that it
//! is WordPress which answers: `unproven ──▶ proven ◀──▶ contradicted`.

mod call;
mod condition;
mod mapped;

use std::net::IpAddr;
use std::time::Duration;

use crate::explain::Looked;
use crate::finding::Finding;
use crate::reason::Reason;
use crate::stage::Stage;
use crate::twins::Twin;
use crate::words::words;
use crate::{DomainName, Time};

pub use call::Call;
pub use condition::{Condition, Unseen, Why};
pub use mapped::{LeftAlone, Mapped};

/// How long a domain is hot after anything about it changed.
pub const HOT: Duration = Duration::from_hours(1);

words! {
    /// The domain as the host knows it.
    Alias {
        /// It should be added.
        Wanted = "wanted",
        /// It was asked for; the outcome is not known yet.
        Adding = "adding",
        /// The host has it.
        Present = "present",
        /// The host refuses it.
        Rejected = "rejected",
        /// It should be removed, or a removal was asked for.
        Removing = "removing",
        /// It is gone, and nothing is left to do.
        Absent = "absent",
        /// It is never sent.
        Protected = "protected",
    }
}

words! {
    /// Where DNS points.
    Routing {
        /// Could not ask.
        Unknown = "unknown",
        /// Not, or not only, to the network.
        Elsewhere = "elsewhere",
        /// To the network.
        Here = "here",
    }
}

words! {
    /// What a browser would say of its certificate.
    Certificate {
        /// Could not ask.
        Unknown = "unknown",
        /// There is no certificate.
        Missing = "missing",
        /// It would be refused.
        Invalid = "invalid",
        /// It would be accepted.
        Valid = "valid",
        /// It would be accepted, and not for long.
        Expiring = "expiring",
    }
}

words! {
    /// Whether WordPress answered at a domain that is routed here.
    Proof {
        /// Not yet: it did not answer, or could not be asked.
        Unproven = "unproven",
        /// It answered with the id of the domain's mapping.
        Proven = "proven",
        /// It answered with the id of another mapping.
        Contradicted = "contradicted",
    }
}

words! {
    /// Why closte-sync may remove an alias.
    OwnedAs {
        /// It added it.
        Added = "added",
        /// An operator adopted it.
        Adopted = "adopted",
        /// It saw it at the host while a good read showed the name mapped.
        Seen = "seen",
    }
}

impl Certificate {
    /// Whether a browser would accept it.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Valid | Self::Expiring)
    }
}

/// Why and since when an alias is ours to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owned {
    /// Why.
    pub how: OwnedAs,
    /// Since when.
    pub since: Time,
}

/// A call to the host that was about to be made; cleared when its outcome is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// When it was written down.
    pub at: Time,
    /// Whether a list of the host's read before the call lacked the name.
    pub list_lacked: bool,
}

/// The next call to the host for an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The call in flight, or whose outcome is not known.
    pub intent: Option<Intent>,
    /// How often the pending call was made without a clear success.
    pub tries: u32,
    /// When it may be made next.
    pub due: Time,
}

/// The checks of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checks {
    /// How many checks could be made since anything changed.
    pub made: u32,
    /// When the last one was made.
    pub last: Option<Time>,
    /// When the next one may start.
    pub due: Time,
    /// The last gap between two checks, which the next one grows from.
    pub gap: Duration,
    /// Until when it is checked as often as the network's interval says.
    pub hot_until: Time,
    /// How many checks in a row showed a served domain not ready.
    pub bad: u32,
    /// Since when.
    pub bad_since: Option<Time>,
    /// That its zone fails, while resolvers answer for other names.
    pub zone_fails: Option<ZoneFails>,
}

/// The checks in a row, as far as they could be made, in which the zone of a domain failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneFails {
    /// The first of them.
    pub since: Time,
    /// The last.
    pub last: Time,
}

/// How often good reads have seen the mapping gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    /// How often.
    pub reads: u32,
    /// When last.
    pub counted_at: Option<Time>,
}

/// What the ledger remembers of one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The domain.
    pub domain: DomainName,
    /// Its mapping; none once that is gone.
    pub mapped: Option<Mapped>,
    /// Whether it is a twin, which has no mapping; none where it is not.
    pub twin: Option<Twin>,
    /// Other rows that had the name when it was last read; once its mapping is gone, all that had.
    /// Of a twin those of its parent.
    pub other_rows: Vec<u64>,
    /// When a good read first showed it.
    pub first_seen: Time,
    /// The alias at the host.
    pub alias: Condition<Alias>,
    /// Where DNS points.
    pub routing: Condition<Routing>,
    /// The addresses that DNS gave.
    pub found: Vec<IpAddr>,
    /// Its certificate.
    pub certificate: Condition<Certificate>,
    /// Who issued it.
    pub issuer: Option<String>,
    /// When it ends.
    pub not_after: Option<Time>,
    /// Whether it is WordPress that answers.
    pub proof: Condition<Proof>,
    /// Whether the alias is ours to remove.
    pub owned: Option<Owned>,
    /// Whether the host's list has ever shown it.
    pub shown: bool,
    /// Whether the host ever confirmed adding it.
    pub confirmed: bool,
    /// The next call to the host.
    pub step: Step,
    /// The next check.
    pub checks: Checks,
    /// Whether its mapping is gone.
    pub gone: Gone,
    /// When its grace began, once its mapping is certainly gone.
    pub tombstone: Option<Time>,
    /// When a person last asked for a check.
    pub rechecked_at: Option<Time>,
    /// Until when nothing is told of it.
    pub muted_until: Option<Time>,
    /// What its last check found, but for what its alias says by itself.
    pub findings: Vec<Finding>,
    /// The last deep look at it.
    pub looked: Option<Looked>,
    /// How often it was stored: a row that was stored by somebody else meanwhile has another.
    pub version: u64,
}

impl Entry {
    /// The entry of a domain that a read shows for the first time: everything is
    /// due at once.
    pub fn new(domain: DomainName, mapped: Option<Mapped>, now: Time) -> Self {
        Self {
            domain,
            mapped,
            twin: None,
            other_rows: Vec::new(),
            first_seen: now,
            alias: Condition::new(Alias::Wanted, now),
            routing: Condition::new(Routing::Unknown, now),
            found: Vec::new(),
            certificate: Condition::new(Certificate::Unknown, now),
            issuer: None,
            not_after: None,
            proof: Condition::new(Proof::Unproven, now),
            owned: None,
            shown: false,
            confirmed: false,
            step: Step { intent: None, tries: 0, due: now },
            checks: Checks {
                made: 0,
                last: None,
                due: now,
                gap: Duration::ZERO,
                hot_until: now + HOT,
                bad: 0,
                bad_since: None,
                zone_fails: None,
            },
            gone: Gone::default(),
            tombstone: None,
            rechecked_at: None,
            muted_until: None,
            findings: Vec::new(),
            looked: None,
            version: 0,
        }
    }

    /// Its name is mapped by this row.
    pub fn map(&mut self, mapped: Mapped, now: Time) {
        let row = |mapped: &Mapped| (mapped.mapping_id, mapped.site_id);
        if self.mapped.as_ref().map(row) != Some(row(&mapped)) {
            self.checks.due = now;
            self.heat(now);
            self.proof.set(now, Proof::Unproven, None, None);
            (self.routing.unseen, self.certificate.unseen) = (None, None);
            self.checks.zone_fails = None;
            (self.findings, self.looked) = (Vec::new(), None);
        } else if self.left_alone() != mapped.left_alone {
            // What was found of its rows is old.
            (self.checks.due, self.looked) = (now, None);
        }
        (self.mapped, self.twin) = (Some(mapped), None);
        (self.gone, self.tombstone) = (Gone::default(), None);
    }

    /// The same, and its alias is wanted, whatever was done to that before.
    pub fn want(&mut self, mapped: Mapped, now: Time) {
        self.map(mapped, now);
        match self.alias.state {
            // A removal had started: the list or adding again shows whether it happened.
            Alias::Removing if self.step.intent.is_none() => {
                self.alias.set(now, Alias::Present, None, None);
            }
            Alias::Removing | Alias::Protected | Alias::Absent => {
                self.step = Step { intent: None, tries: 0, due: now };
                self.alias.set(now, Alias::Wanted, None, None);
            }
            Alias::Present => self.alias.set(now, Alias::Present, None, None),
            Alias::Wanted | Alias::Adding | Alias::Rejected => (),
        }
    }

    /// Every row that had the name when it was last read.
    pub fn rows(&self) -> impl Iterator<Item = u64> {
        let mapped = self.mapped.as_ref().map(|mapped| mapped.mapping_id);
        mapped.into_iter().chain(self.other_rows.iter().copied())
    }

    /// Whether nothing is left to do for it: it stays only as a memory.
    pub fn is_retired(&self) -> bool {
        self.alias.state == Alias::Absent && !self.is_followed()
    }

    /// Whether it is as it must be: DNS leads here, a browser accepts its
    /// certificate, both were seen, and no call to the host is pending.
    pub fn is_ready(&self) -> bool {
        self.was_ready() && self.unseen().is_none()
    }

    /// The same, as it was when it could last be seen.
    pub fn was_ready(&self) -> bool {
        self.pending_call().is_none()
            && self.routing.state == Routing::Here
            && self.certificate.state.is_good()
    }

    /// That it could not be observed. Where DNS is not seen, neither is the certificate, so that one
    /// tells it of both.
    pub fn unseen(&self) -> Option<&Unseen> {
        self.certificate.unseen.as_ref()
    }

    /// Why it is as it is, as a person is told: the host's reason comes first, then why its stage is
    /// left alone, then what was observed. None where there is nothing to say.
    pub fn why(&self) -> Option<Why<'_>> {
        let left_alone =
            || Some(Why { reason: self.left_alone()?.reason(), detail: None, since: None });
        let why = self.alias.why().or_else(left_alone);
        why.or_else(|| self.observed_why(self.is_held_back()))
    }

    /// Why the stage of its mapping is left alone, where it is.
    pub fn left_alone(&self) -> Option<LeftAlone> {
        self.mapped.as_ref()?.left_alone
    }

    /// Why what was observed is as it is: DNS, the certificate, and the proof, where that
    /// contradicts or its absence holds the domain back. A proof that only lacks says nothing. What
    /// could not be seen comes before what was seen once; that a certificate is past its end needs
    /// no sight.
    pub fn observed_why<'a>(&'a self, held_back: bool) -> Option<Why<'a>> {
        let counts = held_back || self.proof.state == Proof::Contradicted;
        let proof = || self.proof.why().filter(|_| counts);
        let unseen = |unseen: &'a Option<Unseen>| unseen.as_ref().map(Unseen::why);
        let expired = || self.certificate.why().filter(|why| why.reason == Reason::Expired);
        unseen(&self.routing.unseen)
            .or_else(|| self.routing.why())
            .or_else(expired)
            .or_else(|| unseen(&self.certificate.unseen))
            .or_else(|| self.certificate.why())
            .or_else(proof)
    }

    /// Whether only its proof keeps it from `done`.
    pub fn is_held_back(&self) -> bool {
        let stage = self.mapped.as_ref().and_then(|mapped| mapped.stage);
        self.is_ready() && self.lacks_proof() && stage == Some(Stage::CheckingSslCert)
    }

    /// Whether WordPress could prove that it answers here, and has not.
    ///
    /// There is nothing to ask at a wildcard, nor where no answer is the right one: WordPress picks
    /// another mapping, or finds none.
    pub fn lacks_proof(&self) -> bool {
        let is_asked = self.mapped.is_some() && self.left_alone().is_none();
        self.proof.state != Proof::Proven && is_asked && !self.domain.is_wildcard()
    }

    /// Whether its states stay as they are until somebody acts.
    pub fn needs_person(&self) -> bool {
        let Some(mapped) = &self.mapped else { return false };
        let given_up = matches!(mapped.stage, Some(Stage::Failed | Stage::SslFailed));
        let waits = self.alias.state == Alias::Rejected
            || self.routing.reason.is_some_and(Reason::is_for_the_owner)
            || self.certificate.reason == Some(Reason::WildcardByHand);
        let contradicted = self.proof.state == Proof::Contradicted;
        contradicted || mapped.left_alone.is_some() || !self.is_ready() && (waits || given_up)
    }

    /// The pending call to the host, due or not.
    pub fn pending_call(&self) -> Option<Call> {
        match self.alias.state {
            Alias::Wanted | Alias::Adding => Some(Call::Add),
            Alias::Removing => Some(Call::Remove),
            // Said no in words, not permanently: asked again, slowly.
            Alias::Rejected if self.alias.reason != Some(Reason::InvalidDomain) => Some(Call::Add),
            Alias::Rejected | Alias::Present | Alias::Absent | Alias::Protected => None,
        }
    }

    /// The call to make now.
    pub fn due_call(&self, now: Time) -> Option<Call> {
        self.pending_call().filter(|_| self.step.due <= now)
    }

    /// Whether nothing is told of it now.
    pub fn is_muted(&self, now: Time) -> bool {
        self.muted_until.is_some_and(|until| now < until)
    }

    /// Whether to check it now.
    pub fn is_check_due(&self, now: Time) -> bool {
        self.is_followed() && self.checks.due <= now
    }

    /// Something about it changed, or a person asked: check often for a while.
    pub fn heat(&mut self, now: Time) {
        self.checks.hot_until = now + HOT;
        self.checks.gap = Duration::ZERO;
        self.checks.made = 0;
    }

    /// A person wants it checked: every pending step is due now.
    ///
    /// A name that the host refused permanently is sent again only where
    /// the person named it (`by_name`).
    pub fn recheck(&mut self, now: Time, by_name: bool) {
        if by_name && self.alias.state == Alias::Rejected {
            self.alias.set(now, Alias::Wanted, None, None);
        }
        self.step.due = now;
        self.step.tries = 0;
        self.checks.due = now;
        self.rechecked_at = Some(now);
        self.heat(now);
    }

    /// Apply to `stored`, which somebody else stored meanwhile, what was done here: the change from
    /// `before` to `self`. What was done wins over what stands there, field by field; a check that
    /// a person asked for meanwhile stays due.
    pub fn rebase(&self, before: &Self, stored: &Self) -> Self {
        macro_rules! changed {
            ($($field:ident),*) => {
                Self {
                    domain: stored.domain.clone(),
                    version: stored.version,
                    $($field: if self.$field == before.$field {
                        stored.$field.clone()
                    } else {
                        self.$field.clone()
                    },)*
                }
            };
        }
        let mut rebased = changed!(
            mapped,
            twin,
            other_rows,
            first_seen,
            alias,
            routing,
            found,
            certificate,
            issuer,
            not_after,
            proof,
            owned,
            shown,
            confirmed,
            step,
            checks,
            gone,
            tombstone,
            rechecked_at,
            muted_until,
            findings,
            looked
        );
        // A row of its own wins.
        rebased.twin.take_if(|_| rebased.mapped.is_some());
        if before.rechecked_at < stored.rechecked_at {
            (rebased.step.due, rebased.step.tries) = (stored.step.due, stored.step.tries);
            (rebased.checks.due, rebased.checks.hot_until) =
                (stored.checks.due, stored.checks.hot_until);
            // A name that the host had refused is wanted again, whatever it says to an earlier call.
            if stored.alias.state == Alias::Wanted && rebased.alias.state == Alias::Rejected {
                rebased.alias = stored.alias.clone();
            }
        }
        rebased
    }

    /// How often the pending step was tried: calls while the host owes an
    /// answer, else looks while the domain is not ready.
    pub fn attempts(&self) -> u32 {
        match (self.pending_call(), self.is_ready()) {
            (Some(_), _) => self.step.tries,
            (None, true) => 0,
            (None, false) => self.checks.made,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One entry as it was loaded, as a pass left it, and as somebody else stored it meanwhile.
    fn three(pass: impl Fn(&mut Entry), other: impl Fn(&mut Entry)) -> (Entry, Entry) {
        let mapped =
            Mapped { mapping_id: 1, site_id: 2, stage: None, secure: false, left_alone: None };
        let before = Entry::new("a.example".parse().unwrap(), Some(mapped), Time::from_millis(0));
        let (mut ours, mut stored) = (before.clone(), Entry { version: 7, ..before.clone() });
        pass(&mut ours);
        other(&mut stored);
        (ours.rebase(&before, &stored), stored)
    }

    fn at(millis: i64) -> Time {
        Time::from_millis(millis)
    }

    #[test]
    fn what_a_pass_did_is_applied_to_what_somebody_else_stored_meanwhile() {
        let added = |entry: &mut Entry| {
            entry.alias.set(at(5), Alias::Present, None, None);
            (entry.step.due, entry.checks.due, entry.checks.made) = (at(10), at(20), 3);
        };
        let (rebased, stored) = three(added, |entry| entry.recheck(at(6), false));
        assert_eq!((rebased.version, rebased.alias.state), (7, Alias::Present));
        assert_eq!(rebased.rechecked_at, Some(at(6)));
        assert_eq!(rebased.checks.due, stored.checks.due, "what a person asked for stays due");
        assert_eq!(rebased.checks.made, 3, "and what was seen counts");

        let (mapped, _) = three(added, |entry| entry.twin = Some(Twin::Goes));
        assert_eq!(mapped.twin, None, "what had been a twin has a row of its own now");

        let (rebased, _) = three(added, |entry| (entry.mapped, entry.gone.reads) = (None, 1));
        assert_eq!((rebased.mapped, rebased.gone.reads), (None, 1), "a deleted mapping stays so");
        assert_eq!((rebased.alias.state, rebased.checks.due), (Alias::Present, at(20)));
    }

    #[test]
    fn a_name_that_a_person_wants_asked_for_again_stays_wanted() {
        let refused = |entry: &mut Entry| {
            entry.alias.set(at(5), Alias::Rejected, Some(Reason::InvalidDomain), None);
        };
        let (rebased, _) = three(refused, |entry| entry.recheck(at(6), true));
        assert_eq!((rebased.alias.state, rebased.step.due), (Alias::Wanted, at(6)));
        let (rebased, _) = three(refused, |_| ());
        assert_eq!(rebased.alias.state, Alias::Rejected);
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_person_is_needed_where_waiting_does_not_help() {
        use Alias::{Present, Rejected, Wanted};
        use Reason::{DnsFailed, NoCertificate, NoResolver, NoSuchName, OtherAddress, WildcardByHand};
        use Routing::{Elsewhere, Here, Unknown};
        use Stage::{CheckingDns, Done, Failed, SslFailed};
        let table = [
            ("all is well",               Present,  (Here, None),                    (Certificate::Valid, None),                   Done,        false),
            ("not checked yet",         Wanted,   (Unknown, None),                 (Certificate::Unknown, None),                 CheckingDns, false),
            ("nobody could ask",          Present,  (Unknown, Some(NoResolver)),     (Certificate::Unknown, None),                 CheckingDns, false),
            ("its certificate will come", Present,  (Here, None),                    (Certificate::Missing, Some(NoCertificate)),  CheckingDns, false),
            ("the host will not have it", Rejected, (Elsewhere, None),               (Certificate::Unknown, None),                 CheckingDns, true),
            ("it does not exist",         Present,  (Elsewhere, Some(NoSuchName)),   (Certificate::Unknown, None),                 CheckingDns, true),
            ("it leads elsewhere",        Wanted,   (Elsewhere, Some(OtherAddress)), (Certificate::Unknown, None),                 CheckingDns, true),
            ("its zone is broken",        Present,  (Unknown, Some(DnsFailed)),      (Certificate::Unknown, None),                 CheckingDns, true),
            ("a wildcard, by hand",       Present,  (Here, None),                    (Certificate::Missing, Some(WildcardByHand)), CheckingDns, true),
            ("DNS took too long",         Present,  (Unknown, None),                 (Certificate::Unknown, None),                 Failed,      true),
            ("its certificate did",       Present,  (Here, None),                    (Certificate::Missing, Some(NoCertificate)),  SslFailed,   true),
            ("failed, and ready since",   Present,  (Here, None),                    (Certificate::Valid, None),                   Failed,      false),
        ];
        for (shows, alias, routing, certificate, stage, needs) in table {
            let now = Time::from_millis(0);
            let mapped = Mapped { mapping_id: 1, site_id: 2, stage: Some(stage), secure: false, left_alone: None };
            let mut entry = Entry::new("a.example".parse().unwrap(), Some(mapped), now);
            entry.alias.set(now, alias, None, None);
            entry.routing.set(now, routing.0, routing.1, None);
            entry.certificate.set(now, certificate.0, certificate.1, None);
            assert_eq!(entry.needs_person(), needs, "{shows}");
            entry.proof.set(now, Proof::Contradicted, Some(Reason::OtherMapping), None);
            assert!(entry.needs_person(), "{shows}, and another mapping answers there");
            entry.mapped = None;
            assert!(!entry.needs_person(), "{shows}, and its mapping is gone");
        }
    }
}
