//! The shortest history that still breaks the same invariant.

use crate::generate::History;
use crate::life::{Keep, live};

/// So many lives at most are lived through for one story.
const TRIES: usize = 600;

/// Leave out of `history` whatever is not needed to break `invariant`.
pub fn shrink(history: &History, invariant: &str) -> History {
    let mut shortest = history.clone();
    let mut tries = 0;
    let mut size = shortest.steps.len().div_ceil(2).max(1);
    loop {
        let before = shortest.steps.len();
        let mut at = 0;
        while at < shortest.steps.len() && tries < TRIES {
            let mut shorter = shortest.clone();
            let end = (at + size).min(shorter.steps.len());
            shorter.steps.drain(at..end);
            tries += 1;
            if breaks(&shorter, invariant) {
                shortest = shorter;
            } else {
                at += size;
            }
        }
        if tries == TRIES || (size == 1 && shortest.steps.len() == before) {
            return shortest;
        }
        size = size.div_ceil(2).max(1);
    }
}

fn breaks(history: &History, invariant: &str) -> bool {
    let outcome = live(history, Keep::InMemory);
    outcome.violations.iter().any(|violation| violation.invariant == invariant)
}

/// The story of a history: its steps and, between them, what the engine did.
pub fn story(history: &History) -> String {
    let outcome = live(history, Keep::InMemory);
    let settings = format!(
        "seed {}, brake {:?}, records {:?}, {} at once",
        history.seed, history.brake, history.records, history.concurrency
    );
    let quiet = outcome.log.iter().position(|line| line.contains("* the faults stop"));
    let broken = outcome.log.iter().rposition(|line| line.contains("BROKEN"));
    let end = broken.map_or(outcome.log.len(), |at| at + 1).max(quiet.unwrap_or(0));
    format!("{settings}\n{}\n", outcome.log[..end].join("\n"))
}
