//! Who acts for the network: said before the first write, and remembered where it is not us.

use rules::ledger::{Batch, NotActing};
use rules::{Home, Network, Problem};

use super::{Engine, PassError};

impl Engine {
    /// Remember why nothing is done, so that who reads the ledger alone knows.
    pub(super) async fn does_not_act(&self, why: NotActing) -> Result<(), PassError> {
        let mut memory = self.ledger.memory().await?.network;
        if memory.not_acting != Some(why) {
            memory.not_acting = Some(why);
            self.ledger.save(&Batch { network: Some(memory), ..Batch::default() }).await?;
        }
        Ok(())
    }

    /// Say that this installation acts for the network, before the first write.
    ///
    /// Another ledger's name there is told: that one is lost, or runs elsewhere.
    pub(super) async fn claim_home(&self, network: &Network) -> Result<Option<Problem>, PassError> {
        let ours = Home::of(&network.identity, self.ledger.id());
        let lost = match &network.home {
            Some(home) if *home == ours => return Ok(None),
            Some(home) => Some(lost_ledger(&home.ledger)),
            None => None,
        };
        let replace = network.home.is_some();
        self.source.write_home(&ours, replace).await.map_err(PassError::Write)?;
        Ok(lost)
    }
}

fn lost_ledger(other: &str) -> Problem {
    Problem::of_all(format!(
        "another ledger ({other}) was filled for this network; if that one is lost, nothing more is \
         to do, and what only it held stays at the host; if it is still in use, run closte-sync in \
         one place only"
    ))
}
