//! `closte-sync domains keep`: an alias whose removal waits stays at the host.

use rules::DomainName;
use rules::request::Asked;

use super::domain_name;
use crate::cli::errand::{self, Patience};
use crate::cli::report::Verbosity;
use crate::cli::{Context, Exit, Failure};

/// Give up an alias whose removal waits: it stays at Closte
///
/// For a mapping that is gone, while its alias is still there: in its grace, by the brake, in a
/// doubt, or before the next good read. From then on the alias is not closte-sync's, and is listed
/// as unmanaged. Where another closte-sync is at work, it is asked to do it.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The domain, for example `shop.example.com`
    #[arg(value_parser = domain_name)]
    domain: DomainName,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let asked = Asked::Keep(self.domain.clone());
        let exit = errand::pass(context, asked, Patience::Wait, Verbosity::Full).await?;
        if exit == Exit::Done {
            context.console.tell(format!("the alias {} stays at Closte", self.domain));
        }
        Ok(exit)
    }
}
