//! Many seeds, on as many threads as there are cores; each seed in one.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;

use rules::planted::{Fault, plant};

use crate::generate::History;
use crate::life::{Keep, live};
use crate::open::is_open;
use crate::watch::Violation;

/// What a hunt came to.
#[derive(Debug, Default)]
pub struct Hunt {
    /// Seeds that broke an invariant that holds, each with the first one.
    pub broken: BTreeMap<u64, Violation>,
    /// Seeds that broke open ones only.
    pub open: BTreeMap<u64, Vec<&'static str>>,
}

/// A fault that is planted, and the invariant that it breaks.
pub type Planted = (Fault, &'static str);

/// Live through the lives of `seeds`, with a planted fault or none; with one, until it is found by
/// its invariant.
pub fn hunt(seeds: Range<u64>, planted: Option<Planted>) -> Hunt {
    let cores = thread::available_parallelism().map_or(1, |it| it.get() as u64);
    let found = Mutex::new(Hunt::default());
    let wanted = planted.map(|(_, invariant)| invariant);
    let found_one = || lock(&found).broken.values().any(|it| Some(it.invariant) == wanted);
    thread::scope(|scope| {
        for core in 0..cores {
            let mine = (seeds.start + core..seeds.end).step_by(usize::try_from(cores).unwrap_or(1));
            let (found, found_one) = (&found, &found_one);
            scope.spawn(move || {
                plant(planted.map(|(fault, _)| fault));
                for seed in mine {
                    if found_one() {
                        return;
                    }
                    note(seed, found, wanted);
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn note(seed: u64, found: &Mutex<Hunt>, wanted: Option<&str>) {
    let outcome = live(&History::of(seed), Keep::InMemory);
    let (open, broken): (Vec<_>, Vec<_>) =
        outcome.violations.into_iter().partition(|it| is_open(it.invariant));
    let mut found = lock(found);
    let best = broken.iter().position(|it| Some(it.invariant) == wanted).unwrap_or(0);
    if let Some(violation) = broken.into_iter().nth(best) {
        found.broken.insert(seed, violation);
    } else if !open.is_empty() {
        found.open.insert(seed, open.iter().map(|it| it.invariant).collect());
    }
}

fn lock(found: &Mutex<Hunt>) -> std::sync::MutexGuard<'_, Hunt> {
    found.lock().unwrap_or_else(PoisonError::into_inner)
}
