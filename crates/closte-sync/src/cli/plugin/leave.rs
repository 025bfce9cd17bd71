//! Giving the built-in integration its work back, before the plugin is taken away.
//!
//! Only WordPress can: the built-in checks domains by actions in a queue, and those ended while the
//! plugin was in charge. Who deletes the files without this leaves domains that nobody checks.

use engine::ops::check::{Check, ok, warn};

use crate::cli::Failure;
use crate::wiring::NetworkAccess;

const CHECK: &str = "built-in";

/// What to do for each domain where WordPress was not told.
const BY_HAND: &str = "domains in a stage `checking-…` are checked by nobody: save each on its page \
                       in Ultimate Multisite, under Domains";

/// Have the plugin deactivate itself: whether it is deactivated, and how that went. Without a secret
/// it was never in charge, and there is nothing to give back.
pub(super) async fn give_back(access: &NetworkAccess) -> (bool, Option<Check>) {
    let untold = |why: &str| warn(CHECK, format!("WordPress was not told: {why}"), BY_HAND);
    let (plugin, why) = (&access.plugin, &access.no_plugin);
    let Some(plugin) = plugin else { return (false, why.as_deref().map(untold)) };
    let left = match plugin.leave().await {
        Ok(left) => left,
        Err(error) => return (false, Some(untold(&Failure::from(error).in_one_line().0))),
    };
    let check = if !left.given {
        warn(CHECK, "Ultimate Multisite's queue is not there", BY_HAND)
    } else if left.removed.is_empty() {
        ok(CHECK, "it checks the domains that wait again")
    } else {
        warn(
            CHECK,
            format!("nobody may have removed at Closte: {}", left.removed.join(", ")),
            "remove them on Closte's dashboard if they are still there",
        )
    };
    (true, Some(check))
}
