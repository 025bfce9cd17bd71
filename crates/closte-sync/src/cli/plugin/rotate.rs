//! `closte-sync plugin rotate`: a new secret for both sides.

use engine::ops::check::ok;

use super::refuse_not_ours;
use super::status::handshake;
use crate::cli::{Context, Exit, Failure, checks};

/// Make a new secret for both sides
///
/// A resident closte-sync takes it up by itself.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        let access = wiring.access()?;
        refuse_not_ours(&wiring, &access).await?;
        wiring.rotate_secret(&access).await?;
        let checks =
            [ok("secret", "both sides have a new one"), handshake(&wiring.access()?).await];
        Ok(checks::answer(context.console, &checks))
    }
}
