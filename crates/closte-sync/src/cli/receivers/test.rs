//! `closte-sync notify test`: whether receivers get anything.

use std::fmt::Write as _;

use engine::ops::{Tried, try_receivers};
use rules::notice::Delivery;
use rules::plain::plain;
use serde::Serialize;

use crate::cli::console::Tone;
use crate::cli::{Console, Context, Exit, Failure};
use crate::clock::system_env;

/// Send a test message to each receiver, and say what came back
///
/// A receiver that was switched off, as it took nothing for three days, is
/// switched on again when it takes this one. Ends with 1 where one does not.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Only this one, by its name in `notify status`
    receiver: Option<String>,
}

#[derive(Serialize)]
struct View {
    receivers: Vec<TriedView>,
}

#[derive(Serialize)]
struct TriedView {
    receiver: String,
    delivered: bool,
    /// Whether it refuses the message for good.
    refused: bool,
    /// What came back, where that is not a success.
    said: Option<String>,
    switched_on: bool,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        let receivers = wiring.receivers(&wiring.access()?);
        let ledger = wiring.existing_ledger().await?;
        let outbox = ledger.as_ref().map(|ledger| ledger.outbox());
        let only = self.receiver.as_deref();
        let tried = try_receivers(&receivers, only, (outbox, &system_env())).await?;
        let views: Vec<_> = tried.into_iter().map(view).collect();
        let exit = if views.iter().all(|it| it.delivered) { Exit::Done } else { Exit::No };
        if context.console.is_json() {
            context.console.json(&View { receivers: views });
        } else {
            context.console.say(text(context.console, &views));
        }
        Ok(exit)
    }
}

fn view(tried: Tried) -> TriedView {
    let Tried { receiver, delivery, was_off } = tried;
    let (delivered, refused, said) = match delivery {
        Delivery::Delivered => (true, false, None),
        Delivery::Refused(why) => (false, true, Some(why)),
        Delivery::Failed(why) | Delivery::Busy { why, .. } => (false, false, Some(why)),
    };
    TriedView { receiver, delivered, refused, said, switched_on: was_off && delivered }
}

fn text(console: Console, tried: &[TriedView]) -> String {
    let mut text = String::new();
    for TriedView { receiver, delivered, refused, said, switched_on } in tried {
        let (word, tone) = match (delivered, refused) {
            (true, _) => ("delivered", Tone::Good),
            (false, true) => ("refused", Tone::Bad),
            (false, false) => ("failed", Tone::Bad),
        };
        let said = said.as_ref().map(|said| format!(": {}", plain(said))).unwrap_or_default();
        let on = if *switched_on { "; it is switched on again" } else { "" };
        let _ = writeln!(text, "{} {}{said}{on}", console.paint(word, tone), plain(receiver));
    }
    text
}
