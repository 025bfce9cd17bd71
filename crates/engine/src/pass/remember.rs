//! What a pass remembers of the whole, besides its entries.

use std::time::Duration;

use rules::Network;
use rules::ledger::{Batch, CheckBasis, NetworkMemory};
use rules::plan::Plan;

use super::acting::Mark;
use super::journal::Journal;
use super::{Engine, PassError};

/// Old events are forgotten so often.
const FORGET_EVERY: Duration = Duration::from_hours(24);

impl Engine {
    /// Say that this installation acts for the network, before anything else is written. Where the
    /// database was put back, the ledger knows that first.
    pub(super) async fn claim(
        &self,
        plan: &Plan,
        network: &Network,
        mark: &Mark<'_>,
        journal: &Journal<'_>,
    ) -> Result<(), PassError> {
        let memory = &plan.memory;
        let stands = network.home.as_ref().map(|home| home.serial.unwrap_or(0));
        journal.read_back(stands.filter(|_| network.keeps_serial));
        if memory.home.is_older(network.home.as_ref()) {
            let network = Some(memory.network.clone());
            self.ledger.save(&Batch { network, ..Batch::default() }).await?;
        }
        if network.home.is_none() {
            return mark.try_forward(journal).await.map_err(PassError::Write);
        }
        mark.forward(journal).await;
        Ok(())
    }

    /// Write what the reading changed. Entries with a call follow with their intent.
    pub(super) async fn save_plan(
        &self,
        plan: &mut Plan,
        journal: &Journal<'_>,
    ) -> Result<(), PassError> {
        journal.remember(std::mem::take(&mut plan.memory.approved));
        for (name, before) in std::mem::take(&mut plan.changed) {
            let entry = &plan.entries[&name];
            if plan.calls.contains_key(&name) {
                journal.entry_with_call(before, entry);
            } else {
                journal.entry(before.as_deref(), entry);
            }
        }
        journal.mapped(std::mem::take(&mut plan.mapped_sites));
        Ok(journal.flush().await?)
    }

    /// Once a day, forget events that are kept long enough.
    pub(super) async fn forget_events(&self, memory: &mut NetworkMemory) -> Result<(), PassError> {
        let now = self.env.now();
        if memory.forgot_at.is_none_or(|at| FORGET_EVERY <= now.since(at)) {
            self.ledger.forget(now - self.settings.keep_events).await?;
            memory.forgot_at = Some(now);
        }
        Ok(())
    }
}

/// Remember what checks need of `network`; whether that is news.
pub(super) fn remember_checks(memory: &mut NetworkMemory, network: &Network) -> bool {
    let basis = CheckBasis {
        interval: network.settings.dns_check_interval,
        stage_words: network.stage_words.clone(),
    };
    let is_news = memory.checks.as_ref() != Some(&basis);
    memory.checks = Some(basis);
    is_news
}
