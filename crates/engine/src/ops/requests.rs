//! Requests: what somebody asks of whoever holds the ledger's lock.
//!
//! Only the holder of the lock makes passes. Who needs one beside it leaves a request in the
//! ledger and waits; the holder takes it up between its own passes, does it and answers. A request
//! whose taker died is done again: each can be.

use rules::Time;
use rules::ledger::{Claim, Ledger, LedgerError};
use rules::request::Asked;
use tokio_util::sync::CancellationToken;

use super::apply::pass;
use super::{Answer, adopt, apply, enable_here, keep};
use crate::env::Env;
use crate::pass::{Engine, PassObserver};

/// Leave a request; its id.
pub async fn leave(ledger: &dyn Ledger, env: &Env, asked: &Asked) -> Result<i64, LedgerError> {
    let now = env.now();
    ledger.request(asked, &Claim { owner: &env.process, now, until: now }).await
}

/// Whether somebody's request waits; not where the ledger cannot tell.
pub async fn are_waiting(ledger: &dyn Ledger, now: Time) -> bool {
    ledger.requests(now).await.is_ok_and(|asked| !asked.is_empty())
}

/// The answer to the request `id`, once there is one.
pub async fn answer_to(ledger: &dyn Ledger, id: i64) -> Result<Option<Answer>, LedgerError> {
    Ok(ledger.request_answer(id).await?.map(|text| Answer::read(&text)))
}

/// Take up every request that waits, the oldest first; how many those were.
///
/// The caller holds the lock of the engine's ledger. A request that is under way when somebody
/// asks to `stop` is finished, and the others wait for the next holder.
pub async fn serve(
    engine: &Engine,
    observer: &dyn PassObserver,
    stop: &CancellationToken,
) -> Result<usize, LedgerError> {
    let mut served = 0;
    while !stop.is_cancelled() {
        let now = engine.env.now();
        // Twice what a pass may take: it finishes the call in hand after its time.
        let until = now + engine.settings.limit * 2;
        let claim = Claim { owner: &engine.env.process, now, until };
        let Some(request) = engine.ledger.take_request(&claim).await? else { break };
        let answer = perform(engine, &request.asked, observer, stop).await;
        engine.ledger.answer_request(request.id, &answer.write()).await?;
        served += 1;
    }
    Ok(served)
}

/// Do what is asked for.
pub async fn perform(
    engine: &Engine,
    asked: &Asked,
    observer: &dyn PassObserver,
    stop: &CancellationToken,
) -> Answer {
    let done = match asked {
        Asked::Pass => pass(engine, None, observer, stop).await,
        Asked::Apply(hash) => apply(engine, hash, observer, stop).await,
        Asked::EnableHere => {
            let ledger = engine.ledger.as_ref();
            let enabled = enable_here(engine.source.as_ref(), ledger, engine.env.now()).await;
            enabled.map(Answer::Enabled)
        }
        Asked::Keep(domain) => {
            let (source, ledger) = (engine.source.as_ref(), engine.ledger.as_ref());
            keep(source, ledger, domain, engine.env.now()).await.map(|()| Answer::Done)
        }
        Asked::Adopt(domains) => adopt(engine, domains).await.map(|()| Answer::Done),
    };
    done.unwrap_or_else(Answer::Failed)
}
