//! What a person decided on the plugin's page, done before the pass that fetched it.
//!
//! It is done by the operations that the commands use, and nothing is decided here. What becomes of
//! it is told to the page.

use rules::plugin_client::{PageAnswer, PageRequest};
use tokio_util::sync::CancellationToken;

use super::{Alert, AlertCode, Change, Engine, PassError, PassObserver, Planning, Purpose};
use crate::ops::{Answer, requests};
use crate::texts;

impl Engine {
    /// Plan, after what the page asks for was done; and what was changed by that.
    pub(super) async fn plan_and_serve(
        &self,
        purpose: Purpose<'_>,
        observer: &dyn PassObserver,
        stop: &CancellationToken,
    ) -> Result<(Planning, Vec<Change>), PassError> {
        let mut changes = Vec::new();
        loop {
            let planning = self.plan(purpose).await?;
            let (Some(plugin), Purpose::Pass) = (&self.plugin, purpose) else {
                return Ok((planning, changes));
            };
            if let Planning::NotActing { alert, home: Some(home), .. } = &planning {
                plugin.stand_by(home, alert, self.env.now()).await;
            }
            let asked = plugin.asked();
            if asked.is_empty() || stop.is_cancelled() {
                return Ok((planning, changes));
            }
            // What is done changes what is planned, and who acts.
            for PageRequest { id, asked, .. } in asked {
                let served = Box::pin(requests::perform(self, &asked, observer, stop)).await;
                plugin.answer(PageAnswer { id, refused: refusal(&served) });
                if let Answer::Ran(mut report) = served {
                    changes.append(&mut report.changes);
                }
            }
        }
    }
}

/// Why a request was not done, and what to do about it.
fn refusal(answer: &Answer) -> Option<(String, Option<String>)> {
    let is_not_ours =
        |alert: &&Alert| matches!(alert.code, AlertCode::Copy | AlertCode::OtherNetwork);
    match answer {
        // Its first answer was lost.
        Answer::Failed(failure) if failure.is_done() => None,
        Answer::Failed(failure) => Some(failure.in_one_line()),
        Answer::Off(off, _) => Some((texts::not_acting(off.not_acting()).to_owned(), None)),
        Answer::Ran(report) => report
            .alerts
            .iter()
            .find(is_not_ours)
            .map(|alert| (alert.what.clone(), Some(alert.hint.clone()))),
        Answer::Enabled(_) | Answer::Done => None,
    }
}
