//! `closte-sync plan`: what a pass would do, and the hash that lets it through.

use std::fmt::Write as _;

use super::{Context, Exit, Failure, report};
use crate::clock::SystemClock;
use crate::view::ReportView;
use engine::pass::{Planned, Planning, Purpose, Report};
use engine::texts;
use rules::Clock;

/// Print what a pass would do, with the hash of this plan
///
/// Nothing is sent, checked or written. Where the brake holds removals back,
/// `closte-sync apply HASH` lets exactly this plan through.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let engine = context.wiring().rehearsal().await?;
        match engine.plan(Purpose::Show).await? {
            Planning::Off(off, problems) => _ = report::off(context, off, problems),
            Planning::NotActing { alert, .. } => {
                let report = Report { alerts: vec![alert], ..Report::default() };
                report::report(context, report, report::Verbosity::Full);
            }
            Planning::Made(planned) => print(context, *planned),
        }
        Ok(Exit::Done)
    }
}

fn print(context: &Context, planned: Planned) {
    let hash = planned.hash();
    let report = planned.into_report(SystemClock.now());
    for alert in &report.alerts {
        context.console.tell(format!("attention: {}\n  hint: {}", alert.what, alert.hint));
    }
    if context.console.is_json() {
        let view = ReportView { hash: Some(hash), ..ReportView::of(report) };
        return context.console.json(&view);
    }
    context.console.say(text(&report, &hash));
}

fn text(found: &Report, hash: &str) -> String {
    let mut text = String::new();
    for change in &found.changes {
        let _ = writeln!(text, "{} {}{}", change.action, change.domain, texts::why(change));
    }
    for deferred in &found.deferred {
        let _ = writeln!(text, "{}", report::deferred(deferred));
    }
    for problem in &found.problems {
        let _ = writeln!(text, "problem: {problem}");
    }
    if found.changes.is_empty() && found.deferred.is_empty() {
        text.push_str("nothing to add or remove\n");
    }
    let _ = writeln!(text, "plan {hash}");
    text
}
