//! Killed at any moment, with a host that fails and mappings that come and go: nothing is lost and
//! nobody's alias is gone.

use std::collections::BTreeSet;
use std::time::Duration;

use sandbox::closte::Fault;

use crate::world::{World, ended};

/// Dice that fall the same way for the same seed.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

const ROUNDS: u64 = 30;
const NAMES: u64 = 24;

fn name(number: u64) -> String {
    format!("d{number:02}.example")
}

/// A fault of one of the next calls.
fn fault(dice: &mut Dice) -> Fault {
    match dice.roll(4) {
        0 => Fault::status(502).once(),
        1 => Fault::status(502).after_effect().once(),
        2 => Fault::slow(Duration::from_millis(300)).times(3),
        _ => Fault::body(200, "").after_effect().once(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_thirty_times_each_mapping_is_present_and_nobodys_alias_is_gone() {
    let seed = rand::random::<u64>() | 1;
    let mut dice = Dice(seed);
    let world = World::new().await;
    let foreign: BTreeSet<String> = (0..3).map(|it| format!("theirs{it}.example")).collect();
    for name in &foreign {
        world.sandbox.closte().insert_alias(name);
    }
    let mut mapped: BTreeSet<String> = (0..NAMES).map(name).collect();
    for name in &mapped {
        world.map(1, name);
    }
    let mut applied = 0;
    for round in 0..ROUNDS {
        for _ in 0..dice.roll(6) {
            let name = name(dice.roll(NAMES));
            if mapped.remove(&name) {
                world.unmap(&name);
            } else {
                world.map(1, &name);
                mapped.insert(name);
            }
        }
        world.sandbox.closte().fault(fault(&mut dice));
        // Each third round removes as much as a person must let through.
        let command = if round % 3 == 2 {
            let some = mapped.len().saturating_sub(8).min(5);
            for name in mapped.iter().take(some).cloned().collect::<Vec<_>>() {
                world.unmap(&name);
                mapped.remove(&name);
            }
            world.run("sync");
            applied += 1;
            format!("apply {}", world.plan_hash())
        } else {
            "sync".to_owned()
        };
        let mut process = world.command(&command).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(dice.roll(400))).await;
        process.kill().unwrap();
        ended(process, &command);
        let aliases = world.sandbox.closte().aliases();
        assert!(foreign.is_subset(&aliases), "seed {seed}, round {round}: {aliases:?}");
    }
    assert_eq!(applied, ROUNDS / 3);
    world.sandbox.closte().heal();
    let want: BTreeSet<String> = mapped.union(&foreign).cloned().collect();
    for _ in 0..20 {
        world.run("domains recheck --all");
        world.run("sync");
        world.run(&format!("apply {}", world.plan_hash()));
        let aliases = world.sandbox.closte().aliases();
        // What nobody can say that we added is somebody else's.
        let unmanaged = world.json("domains list --unmanaged")["unmanaged"].clone();
        let unmanaged: BTreeSet<String> = serde_json::from_value(unmanaged).unwrap();
        if want.is_subset(&aliases) && aliases.difference(&want).all(|it| unmanaged.contains(it)) {
            return;
        }
    }
    let (aliases, status) = (world.sandbox.closte().aliases(), world.json("status"));
    panic!("seed {seed}: {aliases:?} and not {want:?}: {status:#}");
}
