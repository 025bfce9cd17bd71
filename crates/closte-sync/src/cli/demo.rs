//! `closte-sync demo`: the whole job on one machine, with nothing else installed.
//!
//! A network of six sites and a stand-in for all the rest, kept in step by the
//! program that users run, as a child. What is printed is read from the ledger,
//! the database and the sandbox, and never told: what does not happen does not
//! show, and then it ends with 2.
//!
//! Start with [`story`]; [`world`] starts the parts, [`observed`] reads them.

mod changes;
mod claim;
mod control;
mod observed;
mod screen;
mod story;
mod summary;
mod world;

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Context, Exit, Failure};
use crate::config::duration;
use changes::Line;
use engine::error_chain;
use observed::{Observed, Observer};
use screen::Screen;
use story::Act;
use summary::Summary;
use world::World;

/// How often everything is read.
const EVERY: Duration = Duration::from_millis(250);
/// From one thing that people do to the next, so that each can be watched.
const BETWEEN_ACTS: Duration = Duration::from_secs(1);
/// People do their part even where the first pass does not come.
const FIRST_PASS: Duration = Duration::from_secs(10);
/// When a child has ended, what the others make of that shows soon or never.
const AFTERMATH: Duration = Duration::from_secs(8);

/// Show the whole job in less than a minute, with nothing else installed
///
/// Makes a WordPress network on SQLite and a sandbox in a temporary folder, runs
/// closte-sync on it, and shows what becomes of seven domains. Everything shown
/// is read from the ledger, the database and the sandbox. Nothing leaves this
/// machine.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Leave everything running afterwards, until Ctrl-C
    #[arg(long)]
    keep: bool,

    /// Give up after this time
    #[arg(long, value_name = "DURATION", default_value = "38s", value_parser = duration)]
    within: Duration,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let stop = CancellationToken::new();
        stop_on_signals(&stop);
        let mut show = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(stopped()),
            show = Show::begin(context) => show?,
        };
        let played = tokio::select! {
            biased;
            () = stop.cancelled() => Err(stopped()),
            // What is not there in time is not there: the sight says so.
            _ = timeout(show.left(self.within), show.play()) => Ok(()),
        };
        show.screen.finish();
        let shown = played.map(|()| show.tell(context, self.keep));
        if shown.is_ok() && self.keep {
            stop.cancelled().await;
        }
        show.world.end().await;
        shown
    }
}

fn stopped() -> Failure {
    Failure::could_not("stopped before the end")
}

/// A demo under way.
struct Show {
    world: World,
    observer: Observer,
    observed: Observed,
    screen: Screen,
    /// What went wrong with the demo itself.
    problems: Vec<String>,
}

impl Show {
    /// Everything is made and started.
    async fn begin(context: &Context) -> Result<Self, Failure> {
        let screen = Screen::of(context);
        let mut world = World::make(&context.environment).await?;
        story::set_dns(&world).await.map_err(Failure::could_not)?;
        world.start()?;
        let (observer, seen) = (Observer::default(), Observed::default());
        Ok(Self { world, observer, observed: seen, screen, problems: Vec::new() })
    }

    /// What is left of the time that it may take.
    fn left(&self, within: Duration) -> Duration {
        within.saturating_sub(self.screen.elapsed())
    }

    /// Watch until everything expected shows, and let people do their part in between.
    async fn play(&mut self) {
        let mut acts = Act::ALL.into_iter();
        let mut last_act = Instant::now();
        let mut ended = None;
        loop {
            self.observe(&[]).await;
            if ended.is_none()
                && let Some(why) = self.world.ended()
            {
                self.note(Line::new("demo", why));
                ended = Some(Instant::now());
            }
            let over = ended.is_some_and(|at| AFTERMATH <= at.max(last_act).elapsed());
            if acts.as_slice().is_empty() && (over || summary::is_complete(&self.observed)) {
                return;
            }
            if self.is_begun()
                && BETWEEN_ACTS <= last_act.elapsed()
                && let Some(act) = acts.next()
            {
                self.act(act).await;
                last_act = Instant::now();
            }
            sleep(EVERY).await;
        }
    }

    /// Read everything, and show what came.
    async fn observe(&mut self, said: &[Line]) {
        let before = self.observed.clone();
        self.observer.observe(&self.world, &mut self.observed).await;
        let lines = [said, &changes::between(&before, &self.observed)].concat();
        self.screen.show(&lines, &self.observed);
    }

    /// Whether the first pass has checked all domains, or should have.
    fn is_begun(&self) -> bool {
        let checked = |name| self.observed.entry(name).is_some_and(|it| it.checks.last.is_some());
        story::mapped().all(checked) || FIRST_PASS <= self.screen.elapsed()
    }

    async fn act(&mut self, act: Act) {
        match act.play(&self.world).await {
            Ok(Some(said)) => self.observe(&[Line::new("command", said)]).await,
            Ok(None) => self.observe(&[]).await,
            Err(error) => {
                let why = error_chain(error.as_ref());
                self.note(Line::new("demo", format!("{}: {why}", act.what())));
            }
        }
    }

    /// Show something that went wrong, and keep it for the summary.
    fn note(&mut self, line: Line) {
        self.problems.push(line.text.clone());
        self.screen.show(&[line], &self.observed);
    }

    /// Say how it ended.
    fn tell(&mut self, context: &Context, keep: bool) -> Exit {
        let mut summary = Summary::of(&self.observed, std::mem::take(&mut self.problems));
        if keep {
            summary = summary.kept(&self.world);
        }
        if context.console.is_json() {
            context.console.json(&summary);
        } else {
            context.console.say(summary.text(context.console));
        }
        if summary.is_good() { Exit::Done } else { Exit::CouldNot }
    }
}

/// Ctrl-C, SIGTERM and a terminal that closes: end everything first.
fn stop_on_signals(stop: &CancellationToken) {
    for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
        let Ok(mut signals) = signal(kind) else { continue };
        let stop = stop.clone();
        tokio::spawn(async move {
            signals.recv().await;
            stop.cancel();
        });
    }
}
