//! Changing entries that are stored, while a pass may be working on them in another process.

use rules::acting::{MarkWritten, mark_written};
use rules::ledger::{Batch, Ledger, LedgerError, MOST_READS};
use rules::removal::changes_owned;
use rules::source::{NetworkSource, Replaces, SourceError};
use rules::twins::Twin;
use rules::{DomainName, Entry, Home, Network, Time, event};

/// The mapping of `domain` was deleted by a person: that counts as the first good read that saw it
/// gone. Returns whether the ledger knew it as mapped.
pub(crate) async fn forget_mapping(
    ledger: &dyn Ledger,
    domain: &DomainName,
    now: Time,
) -> Result<bool, LedgerError> {
    let known = ledger.entry(domain).await?;
    if known.is_none_or(|entry| entry.mapped.is_none()) {
        return Ok(false);
    }
    let names = [Some(domain.clone()), domain.twin()].into_iter().flatten().collect();
    let forgotten = change(ledger, names, now, |entry| {
        // Its twin goes with it, and a mapping of the twin's own stays.
        if entry.domain != *domain && entry.twin.is_none() {
            return;
        }
        // A row of its that cannot be read is not deleted by its name, and keeps the alias.
        entry.other_rows = entry.rows().collect();
        entry.mapped = None;
        entry.twin = entry.twin.map(|_| Twin::Goes);
        entry.gone.reads = 1;
        entry.gone.counted_at = Some(now);
    });
    Ok(0 < forgotten.await?)
}

/// Change the entries of `domains` where they are known and not retired; how many those were.
pub(crate) async fn change(
    ledger: &dyn Ledger,
    domains: Vec<DomainName>,
    now: Time,
    change: impl Fn(&mut Entry),
) -> Result<usize, LedgerError> {
    let known = |_: &DomainName, entry: Option<Entry>| {
        let mut entry = entry.filter(|entry| !entry.is_retired())?;
        change(&mut entry);
        Some(entry)
    };
    edit(ledger, domains, now, known).await
}

/// Store what `edit` makes of the entries of `domains`, none where one is not known; how many of
/// them it made something of.
///
/// Where somebody else stores one meanwhile, it is read again and edited anew.
pub(crate) async fn edit(
    ledger: &dyn Ledger,
    domains: Vec<DomainName>,
    now: Time,
    edit: impl Fn(&DomainName, Option<Entry>) -> Option<Entry>,
) -> Result<usize, LedgerError> {
    let mut left = domains;
    let mut changed = 0;
    for _ in 0..MOST_READS {
        let mut batch = Batch::default();
        let mut owned_changed = false;
        for domain in &left {
            let before = ledger.entry(domain).await?;
            let Some(after) = edit(domain, before.clone()) else { continue };
            owned_changed |= changes_owned(before.as_ref(), &after);
            batch.events.extend(event::between(before.as_ref(), &after, now));
            batch.entries.push(after);
        }
        if owned_changed {
            batch.home = Some(ledger.memory().await?.home.moved());
        }
        left = ledger.save(&batch).await?;
        changed += batch.entries.len() - left.len();
        if left.is_empty() {
            return Ok(changed);
        }
    }
    Err(LedgerError::contended(&left))
}

/// Bring the mark of `network` to the serial of what the ledger owns now, where there is one and it
/// is still as it was read: an old ledger that is put back is told by it. Else the next pass does.
pub(crate) async fn move_mark(
    source: &dyn NetworkSource,
    ledger: &dyn Ledger,
    network: &Network,
) -> Result<(), SourceError> {
    let Ok(memory) = ledger.memory().await else { return Ok(()) };
    let Some(stands) = &network.home else { return Ok(()) };
    let ours = Home::of(&network.identity, ledger, memory.home.serial);
    let now = source.write_home(&ours, Replaces::This(stands)).await?;
    let (keeps, read_back) = (network.keeps_serial, memory.home.read_back);
    if keeps && mark_written(&ours, now.as_ref(), read_back, keeps) == MarkWritten::Done {
        let home = Some(rules::ledger::HomeMemory { read_back: ours.serial, ..memory.home });
        // What is not remembered, the next pass reads.
        _ = ledger.save(&Batch { home, ..Batch::default() }).await;
    }
    Ok(())
}
