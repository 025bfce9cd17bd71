//! Who acts for the network: the mark in WordPress, moved on with what we own, and remembered where
//! it is not ours.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rules::acting::{Copied, MarkWritten, NotOurs, mark_written};
use rules::ledger::{Batch, NotActing};
use rules::source::{Replaces, SourceError};
use rules::{Home, Network, Problem};
use tokio::sync::Mutex;

use super::journal::Journal;
use super::report::not_ours_alert;
use super::{Alert, Engine, PassError};

/// So often a mark is written over one of ours whose writing was not answered.
const MOST_WRITES: usize = 3;

/// The mark during one pass, and whether it is still ours.
pub(super) struct Mark<'a> {
    engine: &'a Engine,
    network: &'a Network,
    /// What stands there, as far as we know.
    stands: Mutex<Option<Home>>,
    /// Whether it is not known to say what we own.
    is_old: AtomicBool,
    /// By what it is another's, once it is.
    lost: OnceLock<Copied>,
}

impl<'a> Mark<'a> {
    pub(super) fn new(engine: &'a Engine, network: &'a Network) -> Self {
        let stands = Mutex::new(network.home.clone());
        Self { engine, network, stands, is_old: AtomicBool::new(false), lost: OnceLock::new() }
    }

    /// Whether somebody else acts for the network now.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.get().is_some()
    }

    /// Whether it is not known to say what we own: nothing is removed then, as an old ledger that
    /// is put back would not be told from ours.
    pub(super) fn is_old(&self) -> bool {
        self.is_old.load(Ordering::Relaxed)
    }

    /// Bring the mark to the serial that the ledger holds already. Where that fails, it is told.
    pub(super) async fn forward(&self, journal: &Journal<'_>) {
        say_failure(journal, self.try_forward(journal).await);
    }

    /// The same right before removals: whoever acts now is asked, whether the serial moved or not.
    pub(super) async fn forward_again(&self, journal: &Journal<'_>) {
        say_failure(journal, self.write(journal, true).await);
    }

    /// The same, where nothing may be done without it.
    pub(super) async fn try_forward(&self, journal: &Journal<'_>) -> Result<(), SourceError> {
        self.write(journal, false).await
    }

    /// Write it where it is not there, or `again`.
    async fn write(&self, journal: &Journal<'_>, mut again: bool) -> Result<(), SourceError> {
        let mut stands = self.stands.lock().await;
        let memory = journal.home();
        let ours = Home::of(&self.network.identity, self.engine.ledger.as_ref(), memory.serial);
        for _ in 0..MOST_WRITES {
            let is_there = stands.as_ref().is_some_and(|home| home.serial == ours.serial);
            if is_there && !std::mem::take(&mut again) || self.is_lost() {
                return Ok(());
            }
            let replaces = stands.as_ref().map_or(Replaces::Nothing, Replaces::This);
            let now = self.engine.source.write_home(&ours, replaces).await;
            self.is_old.store(true, Ordering::Relaxed);
            let (now, keeps) = (now?, self.network.keeps_serial);
            match mark_written(&ours, now.as_ref(), memory.read_back, keeps) {
                MarkWritten::Done => {
                    self.is_old.store(false, Ordering::Relaxed);
                    journal.read_back(ours.serial.filter(|_| keeps));
                    *stands = Some(ours.clone());
                }
                MarkWritten::Again => *stands = now,
                MarkWritten::Lost(how) => {
                    _ = self.lost.set(how);
                    *stands = now;
                }
                // The next read sees it.
                MarkWritten::PutBack => return Ok(()),
            }
        }
        Ok(())
    }

    /// What stands there, for who works on with the same read.
    pub(super) async fn stands(&self) -> Option<Home> {
        self.stands.lock().await.clone()
    }

    /// What a person should know where somebody else acts now.
    pub(super) async fn alert(&self) -> Option<Alert> {
        let how = *self.lost.get()?;
        let stands = self.stands.lock().await;
        stands
            .as_ref()
            .map(|home| not_ours_alert(&self.network.identity, &NotOurs::Copy(home, how)))
    }
}

fn say_failure(journal: &Journal<'_>, written: Result<(), SourceError>) {
    if let Err(error) = written {
        let what = "could not write which installation acts, so nothing was removed";
        journal.problem(Problem::of_all(super::describe_failure(what, &error)));
    }
}

impl Engine {
    /// Somebody else acts for `network` now: remember that, and say so on the plugin's page.
    pub(super) async fn stand_by(&self, network: &Network, why: &Alert) -> Result<(), PassError> {
        self.does_not_act(NotActing::Copy).await?;
        if let Some(plugin) = &self.plugin {
            let serial = self.ledger.memory().await?.home.serial;
            let home = Home::of(&network.identity, self.ledger.as_ref(), serial);
            plugin.stand_by(&home, why, self.env.now()).await;
        }
        Ok(())
    }

    /// Remember why nothing is done, so that who reads the ledger alone knows, and have the plugin
    /// look again.
    pub(super) async fn does_not_act(&self, why: NotActing) -> Result<(), PassError> {
        let mut memory = self.ledger.memory().await?.network;
        if memory.not_acting != Some(why) {
            memory.not_acting = Some(why);
            self.ledger.save(&Batch { network: Some(memory), ..Batch::default() }).await?;
        }
        self.look_again().await;
        Ok(())
    }
}
