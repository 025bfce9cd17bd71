//! What a person asked for on the plugin's page, done before the pass that fetched it.
//!
//! It is done by the operations that the commands use, and nothing is decided here. What becomes of
//! it is told to the page.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{self, Either};
use rules::plugin_client::{ExplainedName, PageAnswer, PageAsked, PageRequest};
use tokio_util::sync::CancellationToken;

use super::{Alert, AlertCode, Change, Engine, PassError, PassObserver, Planning, Purpose};
use crate::ops::{Answer, Explained, Explaining, explain, requests};
use crate::texts;
use crate::texts::findings::{Language, text};

use super::PluginSync;

/// More names than this are not looked at at once: the others wait for the next pass.
const MOST_NAMES: usize = 3;

/// Nobody waits longer for what is to be said of names, and neither does the pass.
const NAMES_WITHIN: Duration = Duration::from_secs(15);

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
            let (mut decisions, mut names) = (Vec::new(), Vec::new());
            for PageRequest { id, asked, .. } in asked {
                match asked {
                    PageAsked::Decision(asked) => decisions.push((id, asked)),
                    PageAsked::Explain(name) => names.push((id, name)),
                }
            }
            names.truncate(MOST_NAMES);
            self.explain_names(plugin, names).await;
            if decisions.is_empty() {
                return Ok((planning, changes));
            }
            // What is done changes what is planned, and who acts.
            for (id, asked) in decisions {
                let served = Box::pin(requests::perform(self, &asked, observer, stop)).await;
                plugin.answer(PageAnswer { id, refused: refusal(&served), explained: None });
                if let Answer::Ran(mut report) = served {
                    changes.append(&mut report.changes);
                }
            }
        }
    }

    /// Answer what stands in the way of `names`, each with the id of its request. The host is not asked:
    /// it knows none that is not mapped.
    async fn explain_names(&self, plugin: &PluginSync, names: Vec<(String, String)>) {
        let with = Explaining {
            source: self.source.as_ref(),
            host: None,
            probe: self.probe.as_ref(),
            ledger: Some(self.ledger.as_ref()),
            env: &self.env,
            settings: &self.settings,
        };
        let answers = names.into_iter().map(|name| answer_to_name(&with, plugin.language(), name));
        for answer in future::join_all(answers).await {
            plugin.answer(answer);
        }
    }
}

/// What stands in the way of `name`, or why that is not known.
async fn answer_to_name(
    with: &Explaining<'_>,
    language: Language,
    (id, name): (String, String),
) -> PageAnswer {
    let names = [name];
    let (asked, time) = (pin!(explain(with, &names)), pin!(with.env.sleep(NAMES_WITHIN)));
    let (refused, explained) = match future::select(asked, time).await {
        Either::Left((Ok(it), _)) => (None, it.domains.first().map(|it| in_words(it, language))),
        Either::Left((Err(failure), _)) => (Some(failure.in_one_line()), None),
        Either::Right(_) => (Some(too_slow(&names[0])), None),
    };
    PageAnswer { id, refused, explained }
}

fn too_slow(name: &str) -> (String, Option<String>) {
    let seconds = NAMES_WITHIN.as_secs();
    let what = format!("what is so of `{name}` could not be found out within {seconds} seconds");
    (what, Some("ask again in a minute".to_owned()))
}

fn in_words(explained: &Explained, language: Language) -> ExplainedName {
    let findings = explained.in_the_way().map(|it| (it.clone(), text(it, language)));
    ExplainedName {
        domain: explained.domain.clone(),
        display: explained.display.clone(),
        ready: explained.ready,
        findings: findings.collect(),
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
