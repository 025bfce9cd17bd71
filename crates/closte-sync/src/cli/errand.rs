//! What needs the ledger's lock: done here where the lock is free, else by whoever holds it.
//!
//! Where it is not free, a request is left in the ledger. While it waits, the lock is tried each
//! second: whoever gets it does the work. A holder takes up what others asked for before it gives
//! the lock back, and once after, as somebody may have asked in between.

use std::sync::Arc;
use std::time::Duration;

use engine::ops::{self, Answer, requests};
use engine::pass::{Engine, Silent};
use rules::ledger::Ledger;
use rules::request::Asked;
use rules::telling::Telling;
use rules::{Clock, Time};
use tokio_util::sync::CancellationToken;

use super::report::{self, Progress, Verbosity};
use super::{Context, Exit, Failure};
use crate::clock::{SystemClock, system_env};
use crate::wiring::{LockedLedger, Owner, Wiring};

/// The lock is tried so often.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// Something to do that needs the lock.
pub(super) struct Errand<'a> {
    pub(super) context: &'a Context,
    pub(super) asked: Asked,
    pub(super) patience: Patience,
    pub(super) stop: &'a CancellationToken,
}

/// Have a pass made, or the plan that a person looked at applied, and say what came of it.
pub(super) async fn pass(
    context: &Context,
    asked: Asked,
    patience: Patience,
    verbosity: Verbosity,
) -> Result<Exit, Failure> {
    match make_pass(context, asked, patience, verbosity).await? {
        (Ended::Answered(answer), Some(tellings)) => Ok(report::quiet(context, answer, tellings)),
        (ended, _) => report::ended(context, ended, verbosity),
    }
}

/// The same, without saying it: how it ended and, of a quiet one, what to tell.
pub(super) async fn make_pass(
    context: &Context,
    asked: Asked,
    patience: Patience,
    verbosity: Verbosity,
) -> Result<(Ended, Option<Vec<Telling>>), Failure> {
    let stop = CancellationToken::new();
    report::stop_on_signals(&stop);
    // What may be missing is asked for before a ledger is made.
    let mut parts = context.wiring().parts().await?;
    let observer = Progress::new(context.console, verbosity);
    let errand = Errand { context, asked, patience, stop: &stop };
    let patience = context.loaded.settings.telling;
    let mut tellings = None;
    let ended = Box::pin(errand.run(async |ledger| {
        match context.wiring().share_secret_of_ours(&parts.access, ledger.as_ref()).await {
            // The plugin can be spoken with only now.
            Ok(true) => parts = context.wiring().parts().await?,
            Ok(false) => (),
            // The pass tells whatever else stands in its way.
            Err(failure) => failure.log("the plugin and the engine have no common secret"),
        }
        let engine = parts.with(ledger.clone());
        let began = SystemClock.now();
        let mut answer = requests::perform(&engine, &errand.asked, &observer, &stop).await;
        deliver(&engine, began, &stop).await;
        engine.source.close().await;
        if verbosity == Verbosity::Quiet {
            let now = SystemClock.now();
            match ops::tell(ledger.as_ref(), &answer, patience, now).await {
                Ok(some) => tellings = Some(some),
                Err(_) if matches!(answer, Answer::Failed(_)) => (),
                Err(error) => answer = Answer::Failed(error.into()),
            }
        }
        Ok(answer)
    }));
    let ended = ended.await;
    observer.finish();
    Ok((ended?, tellings))
}

/// What to do where somebody else holds the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// Ask, and wait for the answer.
    Wait,
    /// Ask, and leave.
    Leave,
    /// Leave at once.
    None,
}

/// How an errand ended.
pub(super) enum Ended {
    /// With an answer, ours or the holder's.
    Answered(Answer),
    /// Somebody else is at work, and nothing is gained by asking.
    Busy(Option<Owner>),
    /// There is nothing more to say, and how the command ends.
    Left(Exit),
}

impl Errand<'_> {
    /// The name of the command, for those who meet the lock.
    fn command(&self) -> &'static str {
        match self.asked {
            Asked::Pass => "sync",
            Asked::Apply(_) => "apply",
            Asked::EnableHere => "enable --here",
            Asked::Keep(_) => "domains keep",
            Asked::Adopt(_) => "domains adopt",
        }
    }

    /// Have it done: by `work` where the lock is ours.
    pub(super) async fn run(
        &self,
        work: impl AsyncFnOnce(Arc<dyn Ledger>) -> Result<Answer, Failure>,
    ) -> Result<Ended, Failure> {
        let wiring = self.context.wiring();
        let mut waiting: Option<Waiting> = None;
        let mut work = Some(work);
        loop {
            if let Some(answer) = answer(waiting.as_ref()).await? {
                return Ok(Ended::Answered(answer));
            }
            match wiring.locked_ledger(self.command()).await? {
                LockedLedger::Ours(ledger, lock) => {
                    let ledger: Arc<dyn Ledger> = Arc::new(ledger);
                    // Whoever had taken it up does not any more.
                    ledger.release_leases().await?;
                    let work = work.take().expect("the lock is had once");
                    let answer = self.work(ledger.clone(), waiting.as_ref(), work).await;
                    drop(lock);
                    self.serve_once_more(&wiring, ledger.as_ref()).await;
                    return answer.map(Ended::Answered);
                }
                LockedLedger::LockedBy(owner) if self.patience == Patience::None => {
                    return Ok(Ended::Busy(owner));
                }
                LockedLedger::LockedBy(owner) if waiting.is_none() => {
                    let ledger: Box<dyn Ledger> = Box::new(wiring.ledger_to_change().await?);
                    if self.is_asked_already(ledger.as_ref()).await? {
                        return Ok(Ended::Busy(owner));
                    }
                    let id = requests::leave(ledger.as_ref(), &system_env(), &self.asked).await?;
                    let who = report::locked_by(owner.as_ref());
                    if self.patience == Patience::Leave {
                        self.context.console.tell(format!("{who}, and is asked to do it"));
                        return Ok(Ended::Left(Exit::Done));
                    }
                    self.context.console.tell(format!("{who}; waiting for it to do this"));
                    waiting = Some(Waiting { ledger, id });
                }
                LockedLedger::LockedBy(_) => (),
            }
            tokio::select! {
                () = self.stop.cancelled() => return Ok(Ended::Left(Exit::CouldNot)),
                () = tokio::time::sleep(TRY_EVERY) => (),
            }
        }
    }

    /// Whether a pass is to be made that somebody asked for already.
    async fn is_asked_already(&self, ledger: &dyn Ledger) -> Result<bool, Failure> {
        let asked = ledger.requests(SystemClock.now()).await?;
        Ok(self.asked == Asked::Pass && asked.contains(&Asked::Pass))
    }

    /// Do it with the lock in hand, and what others asked for meanwhile.
    async fn work(
        &self,
        ledger: Arc<dyn Ledger>,
        waiting: Option<&Waiting>,
        work: impl AsyncFnOnce(Arc<dyn Ledger>) -> Result<Answer, Failure>,
    ) -> Result<Answer, Failure> {
        // Answered between our last question and the lock.
        if let Some(answer) = answer(waiting).await? {
            return Ok(answer);
        }
        let answer = work(ledger.clone()).await?;
        if let Some(waiting) = waiting {
            ledger.answer_request(waiting.id, &answer.write()).await?;
        }
        self.serve(&self.context.wiring(), ledger).await;
        Ok(answer)
    }

    /// Take up what others asked for. Where that cannot be done here, they do it themselves once
    /// the lock is free.
    async fn serve(&self, wiring: &Wiring<'_>, ledger: Arc<dyn Ledger>) {
        if !requests::are_waiting(ledger.as_ref(), SystemClock.now()).await {
            return;
        }
        let Ok(engine) = wiring.engine_on(ledger).await else { return };
        let began = SystemClock.now();
        if let Err(error) = requests::serve(&engine, &Silent, self.stop).await {
            Failure::from(error).log("who asked for something does it");
        }
        deliver(&engine, began, self.stop).await;
        engine.source.close().await;
    }

    /// Somebody may have asked after we looked, and before the lock was free.
    async fn serve_once_more(&self, wiring: &Wiring<'_>, ledger: &dyn Ledger) {
        if !requests::are_waiting(ledger, SystemClock.now()).await {
            return;
        }
        if let Ok(LockedLedger::Ours(ledger, _lock)) = wiring.locked_ledger(self.command()).await {
            self.serve(wiring, Arc::new(ledger)).await;
        }
    }
}

/// Send what is to be told, in what is left of the time of a pass that began at `began`.
async fn deliver(engine: &Engine, began: Time, stop: &CancellationToken) {
    if let Err(error) = engine.deliver(began, stop).await {
        Failure::from(error).log("what is to be told outside waits for the next pass");
    }
}

/// A request of ours that waits.
struct Waiting {
    ledger: Box<dyn Ledger>,
    id: i64,
}

async fn answer(waiting: Option<&Waiting>) -> Result<Option<Answer>, Failure> {
    match waiting {
        Some(Waiting { ledger, id }) => Ok(requests::answer_to(ledger.as_ref(), *id).await?),
        None => Ok(None),
    }
}
