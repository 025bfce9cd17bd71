//! `closte-sync domains mute`: a person knows of it, and wants to hear no more for a while.

use std::time::Duration;

use engine::ops;
use rules::{Clock, DomainName};

use super::domain_name;
use crate::cli::{Context, Exit, Failure};
use crate::clock::{SystemClock, rfc3339};
use crate::config::duration;

/// Tell nothing of a domain for a while
///
/// Neither cron's mails nor receivers of notifications hear of it until then.
/// It is checked as before, and alerts about the whole are told as before.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The domain, for example `shop.example.com`
    #[arg(value_parser = domain_name)]
    domain: DomainName,

    /// For how long, such as `30d`
    #[arg(long = "for", value_name = "TIME", value_parser = some_time, required_unless_present = "off")]
    time: Option<Duration>,

    /// Tell of it again
    #[arg(long, conflicts_with = "time")]
    off: bool,
}

fn some_time(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("it is no time at all; `--off` tells of it again".to_owned()),
        time => Ok(time),
    }
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let ledger = context.wiring().ledger_to_change().await?;
        let now = SystemClock.now();
        let until = self.time.map(|time| now + time);
        ops::mute(&ledger, &self.domain, until, now).await?;
        context.console.tell(match until {
            Some(until) => format!("nothing is told of {} until {}", self.domain, rfc3339(until)),
            None => format!("{} is told of again", self.domain),
        });
        Ok(Exit::Done)
    }
}
