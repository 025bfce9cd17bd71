//! How long the ledger takes for the batches of a large network.
//!
//! `cargo run --release -p ledger --example speed [FOLDER]`; best of ten, on a file
//! in FOLDER or in the system's temporary one.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::cell::RefCell;
use std::error::Error;
use std::time::{Duration, Instant};

use ledger::{CreateIfMissing, LedgerPath, SqliteLedger};
use rules::entry::{Alias, Certificate, Mapped, Routing};
use rules::event::{Event, EventKind};
use rules::ledger::{Batch, Ledger, LedgerError};
use rules::{Entry, Stage, Time};

const ROUNDS: usize = 10;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = match std::env::args().nth(1) {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let url = format!("sqlite://{}/ledger.db", folder.path().display());
    let ledger = SqliteLedger::open(&LedgerPath::at(&url, &[])?, CreateIfMissing::Yes).await?;

    let mut first = Duration::MAX;
    for thousand in 0..10 {
        let batch = batch(thousand * 1000..thousand * 1000 + 1000)?;
        let started = Instant::now();
        ledger.save(&batch).await?;
        first = first.min(started.elapsed());
    }
    println!("save   1,000 new entries  {first:>8.1?}");
    let again = RefCell::new(batch(4000..5000)?);
    let known = best(async || save_next(&ledger, &again).await).await?;
    println!("save   1,000 known ones   {known:>8.1?}");
    let one = RefCell::new(batch(5000..5001)?);
    let known = best(async || save_next(&ledger, &one).await).await?;
    println!("save       1 entry        {known:>8.1?}");
    println!("load  10,000 entries      {:>8.1?}", best(async || ledger.load().await).await?);
    Ok(())
}

/// Store the entries of `batch` once more.
async fn save_next(ledger: &SqliteLedger, batch: &RefCell<Batch>) -> Result<(), LedgerError> {
    let next = {
        let mut batch = batch.borrow_mut();
        batch.entries.iter_mut().for_each(|entry| entry.version += 1);
        batch.clone()
    };
    let missed = ledger.save(&next).await?;
    assert!(missed.is_empty(), "nobody else stores them");
    Ok(())
}

/// The shortest time that `work` takes.
async fn best<T, E>(work: impl AsyncFn() -> Result<T, E>) -> Result<Duration, E> {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        work().await?;
        best = best.min(started.elapsed());
    }
    Ok(best)
}

/// Ready domains, with an event each.
fn batch(numbers: std::ops::Range<u32>) -> Result<Batch, Box<dyn Error>> {
    let now = Time::from_millis(1_795_000_000_000);
    let mut batch = Batch::default();
    for number in numbers {
        // Not in the order of the table.
        let domain = format!("shop-{}.customers.example", number.reverse_bits());
        let mapped = Mapped {
            mapping_id: number.into(),
            site_id: number.into(),
            stage: Some(Stage::Done),
            secure: true,
            left_alone: None,
        };
        let mut entry = Entry::new(domain.parse()?, Some(mapped), now);
        entry.alias.state = Alias::Present;
        entry.routing.state = Routing::Here;
        entry.found = vec!["192.0.2.1".parse()?];
        entry.certificate.state = Certificate::Valid;
        entry.issuer = Some("Example Trust, R11".to_owned());
        entry.not_after = Some(now);
        batch.events.push(Event {
            at: now,
            domain: entry.domain.clone(),
            kind: EventKind::Alias,
            from: Some("adding".to_owned()),
            to: Some("present".to_owned()),
            reason: None,
            detail: None,
        });
        batch.mapped_sites.insert(number.into(), None);
        batch.entries.push(entry);
    }
    Ok(batch)
}
