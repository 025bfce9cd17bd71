//! The host's list, asked for afresh, and what the answer says about how the host is.

use rules::Time;
use rules::host::{AliasHost, AliasList, HostError};
use rules::ledger::HostHealth;

use super::deadline;

/// What is learned of the host beside its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Learns {
    /// Nothing.
    List,
    /// Whether it accepts the key, where that was refused.
    Key,
}

/// The host's list, or why it could not be read; none where it must not be asked now. `health` takes
/// in what that says about the host.
pub(crate) async fn ask_host(
    host: &dyn AliasHost,
    health: &mut HostHealth,
    learns: Learns,
    now: Time,
) -> Option<Result<AliasList, HostError>> {
    if !deadline::may_ask(health, now) {
        return None;
    }
    let list = host.aliases().await;
    let refused = health.key_refused.is_some() || matches!(list, Err(HostError::KeyRefused { .. }));
    if refused && learns == Learns::Key {
        health.key_refused = refusal_of_key(host).await.unwrap_or(health.key_refused.take());
    }
    match &list {
        Err(HostError::RateLimited { retry_after }) => {
            rules::answer::rate_limited(health, *retry_after, now);
        }
        Err(error) if error.is_an_outage() => health.breaker.outage(now),
        _ => (),
    }
    Some(list)
}

/// The host's words where it refuses the key, nothing where it accepts it;
/// none where it could not be asked.
pub(super) async fn refusal_of_key(host: &dyn AliasHost) -> Option<Option<String>> {
    match host.check_key().await {
        Ok(()) => Some(None),
        Err(HostError::KeyRefused { words } | HostError::Refused { words }) => Some(Some(words)),
        Err(_) => None,
    }
}
