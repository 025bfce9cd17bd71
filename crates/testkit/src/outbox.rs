//! What [`Outbox`] promises, tried on the outbox of any ledger.

use rules::Time;
use rules::finding::{Actor, Severity};
use rules::ledger::Ledger;
use rules::notice::{
    Cause, Item, Known, Message, MessageKind, NoticeMemory, Outbox, Post, ReceiverState, Refusal,
};
use rules::telling::{Kind, Phase, Told, Topic};

/// What [`Outbox`] promises. `fresh` makes an empty ledger at each call.
///
/// # Panics
///
/// If the outbox breaks its contract.
pub async fn outbox_contract<L: Ledger>(fresh: impl AsyncFn() -> L) {
    a_new_one_is_empty(fresh().await.outbox()).await;
    messages_come_back_as_they_were_and_in_order(fresh().await.outbox()).await;
    what_is_over_is_taken_out_with_the_state_of_its_receiver_alone(fresh().await.outbox()).await;
    what_nobody_took_is_forgotten_with_old_events(&fresh().await).await;
}

async fn a_new_one_is_empty(outbox: &dyn Outbox) {
    assert_eq!(outbox.notice_memory().await.expect("reading"), NoticeMemory::default());
    assert!(outbox.receivers().await.expect("reading").is_empty());
    assert_eq!(outbox.waiting("a", 9).await.expect("reading"), []);
}

async fn messages_come_back_as_they_were_and_in_order(outbox: &dyn Outbox) {
    let told = Told {
        code: "broken".to_owned(),
        what: "\"so\"\n".to_owned(),
        since: at(-1),
        told_at: at(2),
        good_at: Some(at(3)),
    };
    let topic = Topic { kind: Kind::Domain, about: "shop.example".to_owned() };
    let memory = NoticeMemory { told: [(topic, told)].into(), digest_at: Some(at(4)) };
    // Not in the order of their names.
    let all = [full("9"), bare("5"), full("7")];
    post(outbox, memory.clone(), &all[..2], &["a", "b"]).await;
    post(outbox, memory.clone(), &all[1..], &["a"]).await;
    assert_eq!(outbox.notice_memory().await.expect("reading"), memory);
    assert_eq!(outbox.waiting("a", 9).await.expect("reading"), all, "each once");
    assert_eq!(outbox.waiting("a", 1).await.expect("reading"), all[..1]);
    assert_eq!(outbox.waiting("b", 9).await.expect("reading"), all[..2]);
    let known = outbox.receivers().await.expect("reading");
    let counts: Vec<_> = known.iter().map(|(name, it)| (name.as_str(), it.waiting)).collect();
    assert_eq!(counts, [("a", 3), ("b", 2)]);
    post(outbox, NoticeMemory::default(), &[], &["a"]).await;
    assert_eq!(outbox.notice_memory().await.expect("reading"), NoticeMemory::default());
}

async fn what_is_over_is_taken_out_with_the_state_of_its_receiver_alone(outbox: &dyn Outbox) {
    let all = [bare("1"), bare("2"), bare("3")];
    post(outbox, NoticeMemory::default(), &all, &["a", "b"]).await;
    let state = ReceiverState {
        tries: 7,
        due: Some(at(1)),
        failing_since: Some(at(2)),
        why: Some("no\nanswer".to_owned()),
        off_since: Some(at(3)),
        delivered_at: Some(at(4)),
        refused: Some(Refusal { at: at(5), why: "410 Gone".to_owned() }),
    };
    outbox.settle("a", &all[..2], &state).await.expect("settling");
    assert_eq!(outbox.waiting("a", 9).await.expect("reading"), all[2..]);
    assert_eq!(outbox.waiting("b", 9).await.expect("reading"), all);
    let known = outbox.receivers().await.expect("reading");
    assert_eq!(known["a"], Known { state, waiting: 1 });
    assert_eq!(known["b"], Known { state: ReceiverState::default(), waiting: 3 });
    outbox.settle("a", &all[2..], &ReceiverState::default()).await.expect("settling");
    let known = outbox.receivers().await.expect("reading");
    assert_eq!(known["a"], Known::default(), "it is known still");
}

async fn what_nobody_took_is_forgotten_with_old_events(ledger: &dyn Ledger) {
    let outbox = ledger.outbox();
    let late = Message { at: at(50), ..bare("2") };
    post(outbox, NoticeMemory::default(), &[bare("1"), late.clone()], &["a"]).await;
    ledger.forget(at(50)).await.expect("forgetting");
    assert_eq!(outbox.waiting("a", 9).await.expect("reading"), [late]);
}

async fn post(outbox: &dyn Outbox, memory: NoticeMemory, messages: &[Message], to: &[&str]) {
    let receivers = to.iter().map(|name| (*name).to_owned()).collect();
    let post = Post { memory, messages: messages.to_vec(), receivers };
    outbox.post(&post).await.expect("posting");
}

fn at(millis: i64) -> Time {
    Time::from_millis(millis)
}

/// A message of which nothing is left out.
fn full(id: &str) -> Message {
    let item =
        |domain: &str| Item { domain: domain.to_owned(), what: "broken".to_owned(), at: at(-8) };
    Message {
        kind: MessageKind::DomainBroken,
        domain: Some("shop.example".to_owned()),
        phase: Some(Phase::Lasts),
        since: Some(at(-9)),
        cause: Cause { code: "expired".to_owned(), severity: Severity::Error, actor: Actor::Host },
        items: vec![item("a.example"), item("b.example")],
        more: 3,
        ..bare(id)
    }
}

/// One of which everything is.
fn bare(id: &str) -> Message {
    Message {
        id: format!("msg_{id}"),
        kind: MessageKind::Test,
        at: at(40),
        domain: None,
        phase: None,
        since: None,
        cause: Cause { code: "test".to_owned(), severity: Severity::Info, actor: Actor::Nobody },
        text: "two\nlines \"and\" 💩".to_owned(),
        items: Vec::new(),
        more: 0,
    }
}
