//! Giving up an alias, and taking one over: an operator's word.

use rules::ledger::Ledger;
use rules::removal::{self, NotKept};
use rules::source::NetworkSource;
use rules::{DomainName, Entry, Time};

use super::stored::{edit, move_mark};
use super::{network_to_change, unknown};
use crate::failure::Failure;
use crate::pass::Engine;

/// Give up the alias of `domain`, whose removal waits: it stays at the host, and is never removed
/// from here. The caller has the lock of the ledger.
///
/// # Errors
///
/// There is nothing to give up, and nothing was changed.
pub async fn keep(
    source: &dyn NetworkSource,
    ledger: &dyn Ledger,
    domain: &DomainName,
    now: Time,
) -> Result<(), Failure> {
    let network = network_to_change(source, Some(ledger)).await?;
    let known = ledger.entry(domain).await?.filter(|entry| !entry.is_retired());
    let mut entry = known.ok_or_else(|| unknown(domain))?;
    removal::keep(&mut entry, now).map_err(|why| not_kept(domain, why))?;
    let keep = |_: &DomainName, entry: Option<Entry>| {
        let mut entry = entry?;
        removal::keep(&mut entry, now).ok().map(|()| entry)
    };
    if edit(ledger, vec![domain.clone()], now, keep).await? == 0 {
        return Err(not_kept(domain, NotKept::Mapped));
    }
    Ok(move_mark(source, ledger, &network).await?)
}

fn not_kept(domain: &DomainName, why: NotKept) -> Failure {
    match why {
        NotKept::Mapped => Failure::no(format!(
            "`{domain}`, or the domain whose twin it is, is mapped: its alias stays anyway"
        ))
        .hint("delete the mapping first; to keep a name for good, set `protected.names`"),
        NotKept::NotOwned => Failure::no(format!(
            "closte-sync does not own the alias `{domain}`, and never removes it"
        )),
        NotKept::Sent => Failure::no(format!(
            "the removal of `{domain}` was sent already, and its outcome is not known yet"
        ))
        .hint("see `closte-sync domains show` after the next `closte-sync sync`"),
    }
}

/// Own the aliases `domains`, which the host shows: from now on they are removed like those that
/// closte-sync added. The caller has the lock of the engine's ledger.
///
/// # Errors
///
/// One of them is protected, or not at the host; or the host does not say: nothing was changed.
pub async fn adopt(engine: &Engine, domains: &[DomainName]) -> Result<(), Failure> {
    let (ledger, now) = (engine.ledger.as_ref(), engine.env.now());
    let network = network_to_change(engine.source.as_ref(), Some(ledger)).await?;
    let protected = engine.settings.protected_on(&network);
    let list = engine.host.aliases().await.map_err(|error| {
        let hint = error.hint();
        Failure::could_not(error).maybe_hint(hint)
    })?;
    for domain in domains {
        if let Some(why) = protected.why(domain) {
            let what = format!("`{domain}` is protected: {why}; nothing was adopted");
            return Err(Failure::no(what).hint("a protected name is never removed"));
        }
        if !list.names.contains(domain) {
            let what = format!("`{domain}` is not at the host; nothing was adopted");
            return Err(Failure::no(what)
                .hint("`closte-sync domains list --unmanaged` shows what can be adopted"));
        }
    }
    let adopt = |domain: &DomainName, entry: Option<Entry>| {
        let mut entry = entry.unwrap_or_else(|| Entry::new(domain.clone(), None, now));
        removal::adopt(&mut entry, now);
        Some(entry)
    };
    edit(ledger, domains.to_vec(), now, adopt).await?;
    Ok(move_mark(engine.source.as_ref(), ledger, &network).await?)
}

/// How many of `domains` no row of the network maps: those that are removed once they are adopted.
pub async fn unmapped(
    source: &dyn NetworkSource,
    domains: &[DomainName],
) -> Result<usize, Failure> {
    let network = source.read().await?;
    let is_mapped =
        |domain: &&DomainName| network.mappings.iter().any(|mapping| mapping.domain == **domain);
    Ok(domains.iter().filter(|domain| !is_mapped(domain)).count())
}
