//! When the next pass is due, told to the plugin inside WordPress: where nothing keeps running, it is
//! what has that pass made.

use std::time::Duration;

use rules::entry::Routing;
use rules::schedule::{LONGEST_GAP, Left, next_pass};
use rules::source::PluginOption;
use rules::{Entry, Tally, Time};

use super::{Engine, Entries, PassError, Report};

impl Engine {
    /// Say when to come again after a pass that acted and left `entries`.
    pub(super) async fn come_again(
        &self,
        entries: &Entries,
        report: &Report,
        interval: Duration,
    ) -> Result<(), PassError> {
        if self.plugin.is_none() {
            return Ok(());
        }
        // A twin whose DNS is here is added by the next pass.
        let is_coming = |it: &&Entry| it.is_candidate() && it.routing.state == Routing::Here;
        let coming = entries.values().filter(is_coming).count() as u64;
        let left = Left {
            waiting: Tally::of(entries.values()).waiting + coming,
            cut_short: report.cut_short,
            calls: self.ledger.next_calls().await?,
            released: report.deferred.iter().filter_map(|deferred| deferred.until).min(),
            check: self.ledger.next_due().await?,
            messages: self.has_unsent_messages().await?,
        };
        self.write_next_pass(next_pass(&left, interval, self.env.now())).await;
        Ok(())
    }

    /// Say when to look again whether there is anything to do, where this installation does not
    /// act: only to the plugin that started it, as WordPress' database may be that of the one which
    /// does.
    pub(super) async fn look_again(&self) {
        if self.plugin.is_some() && self.settings.carried {
            self.write_next_pass(self.env.now() + LONGEST_GAP).await;
        }
    }

    /// Where that fails, the plugin tries again by itself, and whatever else was to be written has
    /// told why.
    async fn write_next_pass(&self, at: Time) {
        _ = self.source.write_plugin_option(PluginOption::NextPass(at)).await;
    }
}
