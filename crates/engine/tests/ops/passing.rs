//! Letting a plan through by its hash.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::memory::{MemoryHost, MemoryLedger};
use engine::ops::{self, Answer, requests};
use engine::pass::{AlertCode, Ends, Passed, Planning, Purpose, Silent, Writers};
use engine::{Engine, Notices, PassSettings};
use rules::Network;
use rules::action::Action;
use rules::ledger::{Ledger, Memory, NotActing};
use rules::network::Switch;
use rules::records::Records;
use rules::request::Asked;
use tokio_util::sync::CancellationToken;

use crate::world::{Dark, NOW, Source, copy, env, is_refused, ledger, mapping, network};

fn settings() -> PassSettings {
    PassSettings {
        records: Records::Never,
        targets: BTreeSet::from(["192.0.2.1".parse().unwrap()]),
        ask_proof: false,
        ..PassSettings::default()
    }
}

pub(crate) fn engine(network: Network) -> (Engine, MemoryLedger) {
    let ledger = ledger();
    let engine = Engine {
        source: Arc::new(Source::of(network)),
        writers: Writers::new(Vec::new()),
        problems: Vec::new(),
        plugin: None,
        notices: Notices::default(),
        host: Box::new(MemoryHost::default()),
        probe: Box::<Dark>::default(),
        ledger: Arc::new(ledger.clone()),
        env: env(),
        settings: settings(),
    };
    (engine, ledger)
}

async fn hash(engine: &Engine) -> String {
    let Planning::Made(planned) = engine.plan(Purpose::Show).await.unwrap() else {
        panic!("there is a plan")
    };
    planned.hash()
}

async fn apply(engine: &Engine, hash: &str) -> Result<Answer, engine::Failure> {
    ops::apply(engine, hash, &Silent, &CancellationToken::new()).await
}

/// A pass over `first`, which adds what is mapped, and then the same with `now`.
async fn after_a_pass(first: Network, now: Network) -> Engine {
    let (before, ledger) = engine(first);
    before.pass(None, &Silent, &Ends::default()).await.unwrap();
    let (after, _) = engine(now);
    Engine { host: before.host, ledger: Arc::new(ledger), ..after }
}

#[tokio::test]
async fn what_the_plan_of_the_hash_defers_is_done_and_nothing_else() {
    let names = ["a.example", "b.example", "c.example", "d.example"];
    let rows = names.iter().zip(1..).map(|(name, id)| mapping(id, 2, name)).collect();
    let new = vec![mapping(9, 2, "new.example")];
    let first = Network { mappings: rows, ..network() };
    let engine = after_a_pass(first, Network { mappings: new, ..network() }).await;
    let present = async || engine.host.aliases().await.unwrap().names.len();
    is_refused(apply(&engine, "0123").await, "the plan is not `0123` any more: it is `");
    assert_eq!(present().await, 4, "nothing was done");

    let hash = hash(&engine).await;
    let Answer::Ran(report) = apply(&engine, &hash).await.unwrap() else { panic!("it ran") };
    let actions: Vec<_> = report.changes.iter().map(|change| change.action).collect();
    assert_eq!(actions, [Action::RemoveAlias; 4], "and not what a pass does anyway");
    assert_eq!(present().await, 0);
    is_refused(apply(&engine, &hash).await, "was applied before, and is done");
    engine.pass(None, &Silent, &Ends::default()).await.unwrap();
    assert_eq!(present().await, 1, "the next pass adds");
}

#[tokio::test]
async fn what_was_let_through_and_could_not_be_done_is_gone_on_with_and_the_hash_stays_good() {
    let names = ["a.example", "b.example", "c.example", "d.example"];
    let rows = names.iter().zip(1..).map(|(name, id)| mapping(id, 2, name)).collect();
    let engine = after_a_pass(Network { mappings: rows, ..network() }, network()).await;
    let hash = hash(&engine).await;
    let stopped = CancellationToken::new();
    stopped.cancel();
    ops::apply(&engine, &hash, &Silent, &stopped).await.unwrap();
    assert_eq!(engine.host.aliases().await.unwrap().names.len(), 4, "it was cut off");
    apply(&engine, &hash).await.unwrap();
    assert_eq!(engine.host.aliases().await.unwrap().names.len(), 0);
}

#[tokio::test]
async fn a_nudge_ends_a_pass_after_the_calls_in_hand_and_an_apply_not_at_all() {
    let names: Vec<_> = ('a'..='t').map(|letter| format!("{letter}.example")).collect();
    let rows = names.iter().zip(1..).map(|(name, id)| mapping(id, 2, name)).collect();
    let (engine, ledger) = engine(Network { mappings: rows, ..network() });
    let settings = PassSettings { concurrency: 1, ..settings() };
    let mut engine = Engine { settings, ..engine };
    let ends = Ends::default();
    ends.nudge.cancel();
    let Passed::Ran(report) = engine.pass(None, &Silent, &ends).await.unwrap().0 else {
        panic!("it ran")
    };
    let present = async |engine: &Engine| engine.host.aliases().await.unwrap().names.len();
    assert_eq!((report.cut_short, present(&engine).await), (true, 1), "one call was in hand");
    let left = ledger.contents();
    assert_eq!(left.entries.values().filter(|entry| entry.due_call(NOW).is_some()).count(), 19);
    assert_eq!(left.memory.last_pass, None, "it is not told as one that ran to its end");

    engine.pass(None, &Silent, &Ends::default()).await.unwrap();
    assert_eq!(present(&engine).await, 20);
    assert!(ledger.contents().memory.last_pass.is_some());
    engine.source = Arc::new(Source::of(network()));
    let hash = hash(&engine).await;
    engine.pass(Some(&hash), &Silent, &ends).await.unwrap();
    assert_eq!(present(&engine).await, 0, "a person waits for all of it");
}

#[tokio::test]
async fn a_plan_is_not_applied_where_the_integration_is_switched_off() {
    let (engine, _) = engine(Network { switch: Switch::Off, ..network() });
    assert!(matches!(apply(&engine, "0123").await.unwrap(), Answer::Off(..)));
}

#[tokio::test]
async fn the_ledger_remembers_why_a_pass_did_not_act_until_one_does() {
    let mut mapping_off = network();
    mapping_off.settings.domain_mapping = Switch::Off;
    let unreadable = Network { switch: Switch::Unreadable, ..network() };
    let mut other = network();
    other.identity.database = "other".to_owned();
    let table = [
        (Network { switch: Switch::Off, ..network() }, Some(NotActing::SwitchedOff)),
        (mapping_off, Some(NotActing::MappingDisabled)),
        (unreadable, Some(NotActing::SwitchUnreadable)),
        (copy(), Some(NotActing::Copy)),
        (network(), None),
        (other, Some(NotActing::OtherNetwork)),
        (network(), None),
    ];
    let ledger = ledger();
    for (network, why) in table {
        let (engine, _) = engine(network);
        let engine = Engine { ledger: Arc::new(ledger.clone()), ..engine };
        engine.pass(None, &Silent, &Ends::default()).await.unwrap();
        assert_eq!(ledger.contents().memory.network.not_acting, why);
    }
}

#[tokio::test]
async fn a_pass_that_is_asked_to_stop_makes_no_record_and_the_next_does() {
    let source = Arc::new(Source::of(network()));
    let settings = PassSettings { records: Records::All, ..settings() };
    let engine = Engine { source: source.clone(), settings, ..engine(network()).0 };
    let stop = CancellationToken::new();
    stop.cancel();
    engine.pass(None, &Silent, &Ends::on(&stop)).await.unwrap();
    let records = || source.written().iter().filter(|it| it.starts_with("record")).count();
    assert_eq!(records(), 0);
    engine.pass(None, &Silent, &Ends::default()).await.unwrap();
    assert_eq!(records(), 2);
}

#[tokio::test]
async fn a_rehearsal_remembers_nothing() {
    let (engine, ledger) = engine(copy());
    engine.plan(Purpose::Show).await.unwrap();
    assert_eq!(ledger.contents().memory, Memory::default());
}

/// What `asked` comes to when the holder of the lock takes it up.
async fn served(engine: &Engine, asked: Asked) -> Answer {
    let (ledger, stop) = (engine.ledger.as_ref(), CancellationToken::new());
    let id = requests::leave(ledger, &engine.env, &asked).await.unwrap();
    assert!(requests::answer_to(ledger, id).await.unwrap().is_none());
    assert_eq!(requests::serve(engine, &Silent, &stop).await.unwrap(), 1);
    requests::answer_to(ledger, id).await.unwrap().expect("it is answered")
}

#[tokio::test]
async fn the_holder_of_the_lock_does_what_others_ask_for() {
    let mappings = vec![mapping(1, 2, "shop.example")];
    let (engine, _) = engine(Network { mappings, ..network() });
    let Answer::Ran(report) = served(&engine, Asked::Pass).await else { panic!("it ran") };
    assert_eq!(report.changes[0].action, Action::AddAlias);
    let Answer::Failed(other) = served(&engine, Asked::Apply("0123".to_owned())).await else {
        panic!("it is not the plan")
    };
    assert!(other.render().contains("the plan is not `0123` any more"), "{}", other.render());
    let none = requests::serve(&engine, &Silent, &CancellationToken::new()).await.unwrap();
    assert_eq!(none, 0, "each is done once");
}

#[tokio::test]
async fn on_a_copy_only_the_request_to_act_is_done_and_others_get_the_reason() {
    let (engine, _) = engine(copy());
    for asked in [Asked::Pass, Asked::Apply("0123".to_owned())] {
        let Answer::Ran(report) = served(&engine, asked).await else { panic!("it says why") };
        assert_eq!(report.alerts[0].code, AlertCode::Copy);
    }
    let Answer::Enabled(enabled) = served(&engine, Asked::EnableHere).await else {
        panic!("it is done")
    };
    assert_eq!(enabled.acts_for.unwrap().domain.as_str(), "net.example");
}

#[tokio::test]
async fn who_is_asked_to_stop_leaves_requests_to_the_next() {
    let (engine, ledger) = engine(network());
    requests::leave(&ledger, &engine.env, &Asked::Pass).await.unwrap();
    let stop = CancellationToken::new();
    stop.cancel();
    assert_eq!(requests::serve(&engine, &Silent, &stop).await.unwrap(), 0);
    assert_eq!(ledger.requests(engine.env.now()).await.unwrap(), [Asked::Pass]);
}
