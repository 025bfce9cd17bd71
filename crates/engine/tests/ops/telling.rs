//! What a pass means for whoever reads cron's mails.

use std::sync::Arc;
use std::time::Duration;

use engine::memory::MemoryLedger;
use engine::ops::{Answer, tell};
use engine::pass::{Ends, Passed, Silent};
use engine::{Failure, texts};
use rules::network::Switch;
use rules::telling::Patience;
use rules::{Network, Time};

use crate::passing::engine;
use crate::world::{NOW, copy, ledger, network};

const PATIENCE: Patience =
    Patience { broken: Duration::from_mins(10), unseen: Duration::from_hours(1) };

/// What is told at `now` of a pass that came to `answer`.
async fn lines(ledger: &MemoryLedger, answer: &Answer, now: Time) -> Vec<String> {
    texts::tellings(&tell(ledger, answer, PATIENCE, now).await.unwrap())
}

/// What a pass over `network` comes to.
async fn pass(ledger: &MemoryLedger, network: Network) -> Answer {
    let (mut engine, _) = engine(network);
    engine.ledger = Arc::new(ledger.clone());
    match engine.pass(None, &Silent, &Ends::default()).await.unwrap().0 {
        Passed::Ran(report) => Answer::Ran(report),
        Passed::Off(off, problems) => Answer::Off(off, problems),
    }
}

#[tokio::test]
async fn a_failure_a_copy_and_being_off_end_nothing_that_they_do_not_show() {
    let ledger = ledger();
    let hour = |hours| NOW + Duration::from_hours(hours);
    let failed = Answer::Failed(Failure::could_not("the database is down"));
    let off = pass(&ledger, Network { switch: Switch::Off, ..network() }).await;
    assert_eq!(lines(&ledger, &failed, NOW).await, ["attention: the database is down"]);
    assert_eq!(lines(&ledger, &failed, hour(1)).await, [""; 0]);
    assert_eq!(lines(&ledger, &off, hour(2)).await, [""; 0]);
    let copied = pass(&ledger, copy()).await;
    let begins = lines(&ledger, &copied, hour(3)).await;
    assert!(matches!(&begins[..], [line] if line.starts_with("attention: this is a copy")));
    assert_eq!(lines(&ledger, &copied, hour(4)).await, [""; 0]);
    let failed_still = lines(&ledger, &failed, hour(24)).await;
    assert_eq!(failed_still, ["attention, for 24 h: the database is down"]);
    let ran = pass(&ledger, network()).await;
    let ends = lines(&ledger, &ran, hour(25)).await;
    assert_eq!(ends.len(), 2, "{ends:?}");
    assert!(ends.iter().all(|line| line.starts_with("over after ")), "{ends:?}");
    assert_eq!(lines(&ledger, &ran, hour(26)).await, [""; 0]);
    assert!(ledger.contents().memory.told.is_empty());
}
