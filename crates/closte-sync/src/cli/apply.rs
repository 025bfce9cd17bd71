//! `closte-sync apply HASH`: one pass that a person has checked beforehand.

use rules::request::Asked;

use super::errand::{self, Patience};
use super::report::Verbosity;
use super::{Context, Exit, Failure};

/// Do what the plan of this hash defers, and nothing else
///
/// Refuses when something else is deferred than when `closte-sync plan` printed
/// the hash. What is let through stays so until each of it is done or mapped
/// again. Where another closte-sync is at work, it is asked to apply the plan.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The hash that `closte-sync plan` printed
    hash: String,

    /// Where another closte-sync is at work, ask it and do not wait
    #[arg(long)]
    no_wait: bool,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let patience = if self.no_wait { Patience::Leave } else { Patience::Wait };
        errand::pass(context, Asked::Apply(self.hash), patience, Verbosity::Full).await
    }
}
