//! `simulator --seeds N --from S`: hunt through so many seeds, and tell the shortest story of the
//! first one that breaks what must hold. `simulator --story SEED`: the stories of one seed, one for
//! each invariant that it breaks, open ones too.

use std::collections::BTreeMap;
use std::process::ExitCode;

use simulator::hunt::hunt;
use simulator::shrink::{shrink, story};
use simulator::{History, Keep, live};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(seed) = number(&arguments, "--story", u64::MAX).filter(|seed| *seed != u64::MAX) {
        return tell(&stories(seed), ExitCode::SUCCESS);
    }
    let (Some(seeds), Some(from)) =
        (number(&arguments, "--seeds", 2000), number(&arguments, "--from", 0))
    else {
        return tell("usage: simulator [--seeds N] [--from S]", ExitCode::from(2));
    };
    let hunt = hunt(from..from + seeds, None);
    let open = match hunt.open.len() {
        0 => String::new(),
        count => format!("{}{count} seeds break only open invariants\n", by_invariant(&hunt.open)),
    };
    let count = hunt.broken.len();
    let broken = hunt.broken.iter().map(|(seed, it)| format!("seed {seed}: {}\n", it.invariant));
    let open: String = broken.chain([open]).collect();
    let end = format!("{open}{seeds} seeds, {count} violations");
    let Some((seed, violation)) = hunt.broken.into_iter().next() else {
        return tell(&end, ExitCode::SUCCESS);
    };
    let shortest = shrink(&History::of(seed), violation.invariant);
    let story = story(&shortest);
    tell(
        &format!("{}: {}\n\n{story}\n{end}", violation.invariant, violation.detail),
        ExitCode::FAILURE,
    )
}

/// The shortest story of each invariant that a seed breaks.
fn stories(seed: u64) -> String {
    let history = History::of(seed);
    let broken = live(&history, Keep::InMemory).violations;
    let told = broken.iter().map(|violation| {
        let story = story(&shrink(&history, violation.invariant));
        format!("{}: {}\n\n{story}\n", violation.invariant, violation.detail)
    });
    told.collect()
}

/// How many seeds broke which open invariant, and the first of them.
fn by_invariant(open: &BTreeMap<u64, Vec<&'static str>>) -> String {
    let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (seed, invariants) in open {
        for invariant in invariants {
            counts.entry(invariant).or_insert((*seed, 0)).1 += 1;
        }
    }
    let lines = counts.iter().map(|(invariant, (first, count))| {
        format!("open: {invariant}: {count} seeds, the first is {first}\n")
    });
    lines.collect()
}

/// The number after a flag, or `default` where the flag is not there; none where it is no number.
fn number(arguments: &[String], flag: &str, default: u64) -> Option<u64> {
    match arguments.iter().position(|argument| argument == flag) {
        Some(at) => arguments.get(at + 1)?.parse().ok(),
        None => Some(default),
    }
}

#[expect(clippy::print_stdout, reason = "the one place that speaks to the person who asked")]
fn tell(text: &str, code: ExitCode) -> ExitCode {
    println!("{text}");
    code
}
