//! Giving the built-in integration its work back, before the plugin is taken away.
//!
//! Only WordPress can: the built-in checks domains by actions in a queue, and those ended while the
//! plugin was in charge. Who deletes the files without this leaves domains that nobody checks.

use engine::ops::check::{Check, ok, warn};
use wordpress::plugin::Left;

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
    match (&access.plugin, &access.no_plugin) {
        (Some(plugin), _) => match plugin.leave().await {
            Ok(left) => (true, Some(gave(&left))),
            Err(error) => (false, Some(untold(&Failure::from(error).in_one_line().0))),
        },
        (None, why) => (false, why.as_deref().map(untold)),
    }
}

fn gave(left: &Left) -> Check {
    match left {
        Left { given: false, .. } => {
            warn(CHECK, "Ultimate Multisite's queue is not there", BY_HAND)
        }
        Left { removed, .. } if removed.is_empty() => {
            ok(CHECK, "it checks the domains that wait again")
        }
        Left { removed, .. } => warn(
            CHECK,
            format!("nobody may have removed at Closte: {}", removed.join(", ")),
            "remove them on Closte's dashboard if they are still there",
        ),
    }
}
