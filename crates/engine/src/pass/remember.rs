//! What a pass remembers of the whole, besides its entries.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use rules::Network;
use rules::ledger::{CheckBasis, NetworkMemory};
use rules::plan::Plan;

use super::journal::Journal;
use super::{Engine, PassError};

/// Old events are forgotten so often.
const FORGET_EVERY: Duration = Duration::from_hours(24);

impl Engine {
    /// Write what the reading changed. Entries with a call follow with their intent.
    pub(super) async fn save_plan<'a>(&'a self, plan: &mut Plan) -> Result<Journal<'a>, PassError> {
        let mut memory = std::mem::take(&mut plan.memory);
        self.forget_events(&mut memory.network).await?;
        let journal = Journal::new(self.ledger.as_ref(), &self.env, memory.host);
        journal.remember(memory.network, memory.approved);
        for (name, before) in std::mem::take(&mut plan.changed) {
            let entry = &plan.entries[&name];
            if plan.calls.contains_key(&name) {
                journal.entry_with_call(before, entry);
            } else {
                journal.entry(before.as_deref(), entry);
            }
        }
        journal.mapped(std::mem::take(&mut plan.mapped_sites));
        journal.flush().await?;
        Ok(journal)
    }

    /// Once a day, forget events that are kept long enough.
    async fn forget_events(&self, memory: &mut NetworkMemory) -> Result<(), PassError> {
        let now = self.env.now();
        if memory.forgot_at.is_none_or(|at| FORGET_EVERY <= now.since(at)) {
            self.ledger.forget(now - self.settings.keep_events).await?;
            memory.forgot_at = Some(now);
        }
        Ok(())
    }
}

/// Remember what checks need of `network`; whether that is news.
pub(super) fn remember_checks(
    memory: &mut NetworkMemory,
    network: &Network,
    targets: Option<BTreeSet<IpAddr>>,
) -> bool {
    let known = memory.checks.take();
    let before = known.as_ref().map(|basis| basis.targets.clone());
    let basis = CheckBasis {
        interval: network.settings.dns_check_interval,
        stage_words: network.stage_words.clone(),
        targets: targets.or(before).unwrap_or_default(),
    };
    let is_news = known.as_ref() != Some(&basis);
    memory.checks = Some(basis);
    is_news
}
