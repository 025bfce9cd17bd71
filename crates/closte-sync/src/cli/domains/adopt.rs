//! `closte-sync domains adopt`: own what is at the host already.

use engine::ops;
use rules::DomainName;
use rules::request::Asked;

use super::domain_name;
use crate::cli::errand::{self, Patience};
use crate::cli::report::Verbosity;
use crate::cli::{Context, Exit, Failure};

/// Own aliases that are at Closte already
///
/// From then on they are removed like those that closte-sync added: those without a mapping after
/// two good reads. It says first how many that are, and asks. Where another closte-sync is at
/// work, it is asked to do it.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The domains, for example `shop.example.com`
    #[arg(required = true, value_parser = domain_name)]
    domains: Vec<DomainName>,

    /// Do not ask
    #[arg(long)]
    yes: bool,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let source = context.wiring().access()?.source;
        let unmapped = ops::unmapped(source.as_ref(), &self.domains).await?;
        let count = self.domains.len();
        context.console.tell(format!(
            "closte-sync owns {count} more from then on, and removes each once it has no mapping; \
             {unmapped} of them have none now"
        ));
        context.console.confirm("Adopt them?", self.yes)?;
        let asked = Asked::Adopt(self.domains);
        let exit = errand::pass(context, asked, Patience::Wait, Verbosity::Full).await?;
        if exit == Exit::Done {
            context.console.tell(format!("{count} adopted"));
        }
        Ok(exit)
    }
}
