//! What needs the ledger's lock while somebody else holds it.

use ledger::{LedgerPath, SqliteLedger};
use rules::Time;
use rules::ledger::Ledger;
use rules::request::Asked;
use sandbox::closte::{Act, CallKind, Fault};

use crate::running::{eventually, signal, stop};
use crate::world::{World, ended};

/// A network with domains that are owned, whose resident program asks every second and needs one
/// good read.
async fn world(domains: u32) -> World {
    let mut world = World::new().await;
    world.set("run.poll", "1s");
    world.set("removal.confirmations", "1");
    world.own_domains(domains);
    world
}

/// What is asked for in the ledger.
async fn asked(world: &World) -> Vec<Asked> {
    let url = format!("sqlite://{}", world.ledger().display());
    let ledger = SqliteLedger::open_readonly(&LedgerPath::at(&url, &[]).unwrap()).await.unwrap();
    ledger.requests(Time::from_millis(0)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_applied_while_the_resident_program_is_up() {
    let world = world(20).await;
    world.drop_domains(8);
    let run = world.command("run").spawn().unwrap();
    eventually("they are deferred", || {
        world.json("status")["deferred"].as_array().unwrap().len() == 8
    });
    world
        .run("apply 000000000000")
        .fails(1, &["holds the ledger lock", "the plan is not `000000000000`"]);
    let applied = world.done(&format!("apply {}", world.plan_hash()));
    assert!(applied.err.contains("`run` since"), "{applied:?}");
    assert!(applied.out.contains("remove-alias d00.example: done"), "{applied:?}");
    assert_eq!(world.aliases().len(), 12);
    stop(run);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_is_made_by_the_resident_program_and_reported_to_who_asked() {
    let world = world(1).await;
    let run = world.command("run").spawn().unwrap();
    eventually("it follows", || world.json("status")["last_pass"].is_string());
    let report = world.run("sync --output json");
    assert_eq!(report.code, 0, "{report:?}");
    assert!(report.json()["changes"].is_array(), "{report:?}");
    let left = world.done("sync --no-wait");
    assert!(left.err.contains("is asked to do it"), "{left:?}");
    stop(run);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_made_the_one_that_acts_while_its_resident_program_is_up() {
    let world = world(1).await;
    let staging = world.wp_config().replace("'app1'", "'app2'");
    world.write_wp_config(&staging);
    world.map(1, "shop.example");
    let run = world.command("run").spawn().unwrap();
    eventually("it is a copy", || world.json("status")["why_not"] == "copy");
    let quiet = world.done("sync --quiet");
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""), "cron has nothing to mail");
    world.run("sync").fails(1, &["this is a copy"]);
    let enabled = world.done("enable --here --yes");
    assert!(enabled.err.contains("this installation acts for network.example"), "{enabled:?}");
    eventually("it acts", || world.aliases().contains(&"shop.example".to_owned()));
    stop(run);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_taker_is_killed_is_done_by_who_asked() {
    let world = world(20).await;
    world.drop_domains(8);
    let mut run = world.command("run").spawn().unwrap();
    eventually("they are deferred", || {
        world.json("status")["deferred"].as_array().unwrap().len() == 8
    });
    world.sandbox.closte().fault(Fault::new(Act::Hang).on(CallKind::Delete).once());
    let apply = world.command(&format!("apply {}", world.plan_hash())).spawn().unwrap();
    eventually("it is taken up", || world.asked().iter().any(|call| call.starts_with("remove")));
    run.kill().unwrap();
    run.wait().unwrap();
    let applied = ended(apply, "apply");
    assert!(applied.err.contains("holds the ledger lock"), "{applied:?}");
    world.done("sync");
    eventually("they are gone", || {
        world.run("sync --quiet");
        world.aliases().len() == 12
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_can_be_stopped() {
    let world = world(0).await;
    world.map(1, "shop.example");
    world.sandbox.closte().fault(Fault::new(Act::Hang).on(CallKind::Add).once());
    let mut first = world.command("sync").spawn().unwrap();
    world.sandbox.closte().called(3).await;
    let second = world.command("sync").spawn().unwrap();
    while asked(&world).await.is_empty() {}
    assert!(world.done("sync").err.contains("nothing was done"), "one that waits is enough");
    signal(&second, "-TERM");
    let stopped = ended(second, "sync");
    assert_eq!(stopped.code, 2, "{stopped:?}");
    first.kill().unwrap();
    first.wait().unwrap();
}
