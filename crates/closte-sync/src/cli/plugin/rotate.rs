//! `closte-sync plugin rotate`: a new secret for both sides.

use super::refuse_on_copy;
use super::status::greet;
use crate::cli::checks::{self, good};
use crate::cli::{Context, Exit, Failure};

/// Make a new secret for both sides
///
/// A resident closte-sync takes it up by itself.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        let reach = wiring.reach()?;
        refuse_on_copy(&reach).await?;
        wiring.rotate_secret(&reach).await?;
        let checks = [good("secret", "both sides have a new one"), greet(&wiring.reach()?).await];
        Ok(checks::answer(context.console, &checks))
    }
}
