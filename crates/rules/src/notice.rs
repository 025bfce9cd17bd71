//! What is told to receivers outside: messages, who gets them, and where they wait until then.
//!
//! ```text
//!   tellings ──▶ messages at once ──┐
//!                                   ├──▶ outbox, in order for each receiver ──▶ receiver
//!   events ────▶ digest, daily ─────┘
//! ```
//!
//! What is told, and when, is decided as for cron's mails ([`crate::telling`]), and remembered apart
//! from them. A message is in the outbox before it is sent, with an id that stays the same however
//! often that is tried: so each receiver gets it at least once, and can know the second time.

mod digest;
mod state;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;

use crate::Time;
use crate::entry::Entry;
use crate::explain;
use crate::finding::{Actor, Severity};
use crate::ledger::LedgerError;
use crate::telling::{Kind, Phase, Remembered, Telling, UNSEEN};
use crate::words::words;

pub use digest::{DIGEST_EVERY, Digest, Happening, digest};
pub use state::{Attempt, ReceiverState, Refusal, SILENT};

/// More of a kind in one pass are one message.
const MANY: usize = 20;

/// A message names so many domains; of more it says how many.
const MOST_ITEMS: usize = 200;

words! {
    /// What a message is about; the words are never renamed.
    MessageKind {
        /// A served domain is found broken.
        DomainBroken = "domain.broken",
        /// Nothing can be seen of a served domain.
        DomainUnseen = "domain.unseen",
        /// What was broken or unseen is good again.
        DomainRecovered = "domain.recovered",
        /// What was broken or unseen is not mapped any more.
        DomainGone = "domain.gone",
        /// The host refuses a name.
        DomainRefused = "domain.refused",
        /// The whole needs a person.
        AlertRaised = "alert.raised",
        /// It does not any more.
        AlertOver = "alert.over",
        /// Something makes no sense, or wants an eye.
        ProblemFound = "problem.found",
        /// What happened in a day and had to be told to nobody at once.
        Digest = "digest",
        /// Somebody tries whether a receiver gets anything.
        Test = "test",
    }
}

/// A domain in a message about several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub domain: String,
    /// A word of [`Happening`], or the code of what is told.
    pub what: String,
    pub at: Time,
}

/// Something to be told to receivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its name, the same each time that it is sent and for each receiver.
    pub id: String,
    pub kind: MessageKind,
    /// When it was written.
    pub at: Time,
    /// The one domain that it is about; none where it is about the whole, or several.
    pub domain: Option<String>,
    /// Whether it begins, lasts or ends; none of what only happened.
    pub phase: Option<Phase>,
    /// Since when it is so, as far as it was told.
    pub since: Option<Time>,
    pub cause: Cause,
    /// The same for people, in English; may have several lines.
    pub text: String,
    /// The domains, where there are several.
    pub items: Vec<Item>,
    /// How many more there are.
    pub more: usize,
}

/// Why something is told: as a code, how bad it is, and whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub code: String,
    pub severity: Severity,
    pub actor: Actor,
}

/// A message as it is written down: its name, when, and what it says for people.
#[derive(Clone, Debug)]
pub struct Written {
    pub id: String,
    pub at: Time,
    pub text: String,
}

impl Message {
    /// The message of a `group` of tellings; `entry` is that of the one domain.
    ///
    /// # Panics
    ///
    /// If the group is empty.
    pub fn of(group: &[Telling], entry: Option<&Entry>, written: Written) -> Self {
        let first = group.first().expect("a group has a first telling");
        let is_one = group.len() == 1;
        let about_domain = matches!(first.topic.kind, Kind::Domain | Kind::Refused);
        let since = |telling: &Telling| written.at - telling.lasted;
        let item = |telling: &Telling| Item {
            domain: telling.topic.about.clone(),
            what: telling.code.clone(),
            at: since(telling),
        };
        let named = if is_one || !about_domain { &[][..] } else { group };
        Self {
            kind: kind(first),
            domain: (is_one && about_domain).then(|| first.topic.about.clone()),
            phase: Some(first.phase),
            since: is_one.then(|| since(first)),
            cause: cause(first, entry),
            items: named.iter().take(MOST_ITEMS).map(item).collect(),
            more: named.len().saturating_sub(MOST_ITEMS),
            ..Self::about_the_whole(MessageKind::Test, written)
        }
    }

    /// The message of a `digest`.
    pub fn of_digest(digest: Digest, written: Written) -> Self {
        let Digest { items, more } = digest;
        Self { items, more, ..Self::about_the_whole(MessageKind::Digest, written) }
    }

    /// What is sent to try a receiver.
    pub fn test(written: Written) -> Self {
        Self::about_the_whole(MessageKind::Test, written)
    }

    fn about_the_whole(kind: MessageKind, written: Written) -> Self {
        let Written { id, at, text } = written;
        let (severity, actor) = (Severity::Info, Actor::Nobody);
        let cause = Cause { code: kind.to_string(), severity, actor };
        let (domain, phase, since) = (None, None, None);
        Self { id, kind, at, domain, phase, since, cause, text, items: Vec::new(), more: 0 }
    }
}

/// `tellings` as they are told: each alone, but one for all where very many are of a kind.
pub fn grouped(mut tellings: Vec<Telling>) -> Vec<Vec<Telling>> {
    tellings.sort_by(|a, b| key(a).cmp(&key(b)));
    let groups = tellings.chunk_by(|a, b| key(a) == key(b));
    let split = groups.flat_map(|group| match group.len() {
        few if few <= MANY => group.iter().map(|it| vec![it.clone()]).collect(),
        _ => vec![group.to_vec()],
    });
    split.collect()
}

/// What tellings share that are told together.
fn key(telling: &Telling) -> (Phase, Kind, &str, bool) {
    let code = if telling.topic.kind == Kind::Domain { telling.code.as_str() } else { "" };
    (telling.phase, telling.topic.kind, code, telling.is_good)
}

fn kind(telling: &Telling) -> MessageKind {
    match (telling.topic.kind, telling.phase) {
        (Kind::Alert, Phase::Ends) => MessageKind::AlertOver,
        (Kind::Alert, _) => MessageKind::AlertRaised,
        (Kind::Domain, Phase::Ends) if telling.is_good => MessageKind::DomainRecovered,
        (Kind::Domain, Phase::Ends) => MessageKind::DomainGone,
        (Kind::Domain, _) if telling.code == UNSEEN => MessageKind::DomainUnseen,
        (Kind::Domain, _) => MessageKind::DomainBroken,
        (Kind::Refused, _) => MessageKind::DomainRefused,
        (Kind::Problem, _) => MessageKind::ProblemFound,
    }
}

/// Why `telling` is told: the one place where that is decided. Of a broken domain, by what its last
/// check found first, else by the reason of its state.
fn cause(telling: &Telling, entry: Option<&Entry>) -> Cause {
    let code = telling.code.clone();
    let cause = |severity, actor| Cause { code: code.clone(), severity, actor };
    match kind(telling) {
        MessageKind::DomainBroken => {
            let broken = entry.and_then(|entry| found(entry).or_else(|| state_of(entry)));
            broken.unwrap_or_else(|| cause(Severity::Error, Actor::Admin))
        }
        MessageKind::DomainUnseen => cause(Severity::Warn, Actor::Nobody),
        MessageKind::DomainRefused | MessageKind::AlertRaised => {
            cause(Severity::Error, Actor::Admin)
        }
        MessageKind::ProblemFound => cause(Severity::Warn, Actor::Admin),
        _ => cause(Severity::Info, Actor::Nobody),
    }
}

/// What the last check of it found first, where that is an error.
fn found(entry: &Entry) -> Option<Cause> {
    let first = explain::first_error(entry)?;
    let (code, severity) = (first.code.as_str().to_owned(), first.severity);
    Some(Cause { code, severity, actor: first.actor() })
}

/// The reason of its state.
fn state_of(entry: &Entry) -> Option<Cause> {
    let reason = entry.observed_why(false)?.reason;
    let (code, severity) = (reason.code().to_owned(), Severity::Error);
    Some(Cause { code, severity, actor: reason.actor() })
}

/// What became of messages that were sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver has them.
    Delivered,
    /// It refuses them for good, in these words.
    Refused(String),
    /// They did not get there, or it is not known: they are sent again.
    Failed(String),
    /// It did not take them now, and says after how long it may be tried again.
    Busy { why: String, wait: Duration },
}

/// Somebody outside who is told.
#[async_trait]
pub trait Receiver: Send + Sync {
    /// Its name, for people; holds no secret, and no other receiver has it.
    fn name(&self) -> &str;

    /// Whether it can be sent to in this process: else its messages wait for another.
    fn can_send(&self) -> bool {
        true
    }

    /// Whether it is sure to be there now, so that it is tried whatever came of the last time.
    fn is_at_hand(&self) -> bool {
        false
    }

    /// So many messages are sent at once.
    fn most(&self) -> usize {
        1
    }

    /// Send `messages`, in their order. It ends in its own time, and may be dropped half-way: then
    /// they are sent again.
    async fn send(&self, messages: &[Message]) -> Delivery;
}

/// What is remembered of what receivers were told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoticeMemory {
    /// What was told and is not over.
    pub told: Remembered,
    /// Until when the last digest goes.
    pub digest_at: Option<Time>,
}

/// What is put into the outbox at once.
#[derive(Clone, Debug)]
pub struct Post {
    pub memory: NoticeMemory,
    /// In the order in which they are told.
    pub messages: Vec<Message>,
    /// To whom.
    pub receivers: Vec<String>,
}

/// A receiver as the outbox knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    pub state: ReceiverState,
    /// How many messages wait.
    pub waiting: u64,
}

/// Where messages wait, and how receivers do: a part of the ledger.
///
/// # Contract
///
/// What a call returned from survives a crash, and each writes all or nothing. Messages of one
/// receiver come back in the order in which they were put.
#[async_trait]
pub trait Outbox: Send + Sync {
    async fn notice_memory(&self) -> Result<NoticeMemory, LedgerError>;

    /// Remember, and put the messages behind those that wait for each receiver.
    async fn post(&self, post: &Post) -> Result<(), LedgerError>;

    /// The oldest messages that wait for `receiver`, at most `most` of them.
    async fn waiting(&self, receiver: &str, most: usize) -> Result<Vec<Message>, LedgerError>;

    /// Every receiver that a message waits for, or whose state was ever stored.
    async fn receivers(&self) -> Result<BTreeMap<String, Known>, LedgerError>;

    /// Take out the messages of `receiver` that are over, and store its state.
    async fn settle(
        &self,
        receiver: &str,
        over: &[Message],
        state: &ReceiverState,
    ) -> Result<(), LedgerError>;
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::Reason;
    use crate::entry::{Certificate, Routing};
    use crate::finding::{Code, Finding};
    use crate::telling::{BROKEN, Topic};

    fn telling(kind: Kind, phase: Phase, code: &str, is_good: bool) -> Telling {
        let topic = Topic { kind, about: "shop.example".to_owned() };
        let (code, what, lasted) = (code.to_owned(), String::new(), Duration::from_secs(9));
        Telling { topic, phase, code, what, lasted, is_good }
    }

    fn written() -> Written {
        Written { id: "msg_1".to_owned(), at: Time::from_millis(10_000), text: "so".to_owned() }
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_message_says_what_it_is_how_bad_and_whose_turn_it_is() {
        use Phase::{Begins, Ends, Lasts};
        let at = Time::from_millis(0);
        let mut elsewhere = Entry::new("shop.example".parse().unwrap(), None, at);
        elsewhere.routing.set(at, Routing::Elsewhere, Some(Reason::OtherAddress), None);
        let mut expired = Entry::new("shop.example".parse().unwrap(), None, at);
        expired.routing.set(at, Routing::Here, None, None);
        expired.certificate.set(at, Certificate::Invalid, Some(Reason::Expired), None);
        let mut deep = elsewhere.clone();
        deep.findings = vec![Finding::new(Code::ExpiresSoon), Finding::new(Code::CnameElsewhere)];
        let table = [
            // kind       phase   told as   good   entry             what it is
            (Kind::Domain,  Begins, BROKEN,  false, Some(&elsewhere), "domain.broken other-address error owner shop.example"),
            (Kind::Domain,  Lasts,  BROKEN,  false, Some(&expired),   "domain.broken expired error host shop.example"),
            (Kind::Domain,  Begins, BROKEN,  false, Some(&deep),      "domain.broken cname-elsewhere error owner shop.example"),
            (Kind::Domain,  Begins, BROKEN,  false, None,             "domain.broken broken error admin shop.example"),
            (Kind::Domain,  Begins, UNSEEN,  false, Some(&elsewhere), "domain.unseen unseen warn nobody shop.example"),
            (Kind::Domain,  Ends,   BROKEN,  true,  Some(&elsewhere), "domain.recovered broken info nobody shop.example"),
            (Kind::Domain,  Ends,   BROKEN,  false, None,             "domain.gone broken info nobody shop.example"),
            (Kind::Refused, Begins, "host-said-no", false, None,      "domain.refused host-said-no error admin shop.example"),
            (Kind::Alert,   Begins, "brake", false, None,             "alert.raised brake error admin -"),
            (Kind::Alert,   Lasts,  "brake", false, None,             "alert.raised brake error admin -"),
            (Kind::Alert,   Ends,   "brake", false, None,             "alert.over brake info nobody -"),
            (Kind::Problem, Begins, "problem", false, None,           "problem.found problem warn admin -"),
        ];
        for (kind, phase, code, is_good, entry, want) in table {
            let Message { kind, cause, domain, since, phase: told, .. } =
                Message::of(&[telling(kind, phase, code, is_good)], entry, written());
            let Cause { code, severity, actor } = cause;
            let is = format!("{kind} {code} {severity} {actor} {}", domain.as_deref().unwrap_or("-"));
            assert_eq!((is.as_str(), told, since), (want, Some(phase), Some(Time::from_millis(1000))));
        }
    }

    #[test]
    fn very_many_of_a_kind_are_one_message_that_names_them() {
        let many = |count: usize| {
            let one = |number| {
                let telling = telling(Kind::Domain, Phase::Begins, BROKEN, false);
                Telling {
                    topic: Topic { kind: Kind::Domain, about: format!("d{number}.example") },
                    ..telling
                }
            };
            let mut all: Vec<_> = (0..count).map(one).collect();
            all.push(telling(Kind::Alert, Phase::Begins, "brake", false));
            grouped(all)
        };
        assert_eq!(many(MANY).len(), MANY + 1, "each alone");
        let groups = many(250);
        assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [1, 250]);
        let message = Message::of(&groups[1], None, written());
        assert_eq!((message.items.len(), message.more, message.domain), (MOST_ITEMS, 50, None));
        assert_eq!(
            (message.items[0].domain.as_str(), message.items[0].what.as_str()),
            ("d0.example", BROKEN)
        );
    }
}
