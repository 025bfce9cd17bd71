//! What every [`Receiver`] must do, however it is implemented.

use async_trait::async_trait;
use rules::Time;
use rules::notice::{Delivery, Message, Receiver, Written};

/// How it is to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Takes,
    Silent,
    Refuses,
}

/// The receiver seen from behind.
#[async_trait]
pub trait Behind: Send + Sync {
    /// How it answers from now on; false where it has no such answer.
    async fn becomes(&self, mood: Mood) -> bool;

    /// The ids of all that it took, each time that it came.
    async fn got(&self) -> Vec<String>;
}

/// What [`Receiver`] promises, tried on one that has taken nothing yet.
///
/// # Panics
///
/// If the receiver breaks its contract.
pub async fn receiver_contract(receiver: &dyn Receiver, behind: &dyn Behind) {
    assert!(!receiver.name().is_empty() && 0 < receiver.most());
    let [one, two] = ["msg_1", "msg_2"].map(message);
    let send = async |message: &Message| receiver.send(std::slice::from_ref(message)).await;
    assert!(behind.becomes(Mood::Takes).await, "every receiver takes messages");
    assert_eq!(send(&one).await, Delivery::Delivered);
    assert_eq!(behind.got().await, ["msg_1"], "it is there");
    assert_eq!(send(&one).await, Delivery::Delivered);
    assert_eq!(behind.got().await, ["msg_1", "msg_1"], "again, by the same name");

    if behind.becomes(Mood::Refuses).await {
        let refused = send(&two).await;
        assert!(matches!(&refused, Delivery::Refused(why) if !why.is_empty()), "{refused:?}");
    }
    if behind.becomes(Mood::Silent).await {
        let failed = send(&two).await;
        assert!(matches!(&failed, Delivery::Failed(why) if !why.is_empty()), "{failed:?}");
    }
    assert_eq!(behind.got().await.len(), 2, "it took neither");
    behind.becomes(Mood::Takes).await;
    assert_eq!(receiver.send(&[two.clone(), one.clone()]).await, Delivery::Delivered);
    assert_eq!(behind.got().await[2..], ["msg_2", "msg_1"], "in their order");
}

fn message(id: &str) -> Message {
    let at = Time::from_millis(1_795_000_000_000);
    Message::test(Written { id: id.to_owned(), at, text: "a test \"of\" it".to_owned() })
}
