//! What explains a domain: only what reads, and as much of it as there is.

use engine::memory::MemoryLedger;
use engine::ops::Explaining;
use engine::{Env, Failure, PassSettings};
use rules::host::AliasHost;
use rules::ledger::Ledger;
use rules::probe::Probe;

use super::{NetworkAccess, Wiring};
use crate::clock::system_env;

/// All that explaining needs, ready to be asked.
pub(crate) struct Explainer {
    access: NetworkAccess,
    host: Option<Box<dyn AliasHost>>,
    probe: Box<dyn Probe>,
    ledger: Option<Box<dyn Ledger>>,
    env: Env,
    settings: PassSettings,
    /// What there is no way to, and why: it goes on without that.
    pub(crate) unread: Vec<Failure>,
}

/// Whether the host is asked for its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Asked,
    LeftAlone,
}

impl Wiring<'_> {
    /// All that explaining needs. Without a key, or with a ledger that cannot be opened, there is less
    /// of it.
    ///
    /// # Errors
    ///
    /// There is no way to the network, or nothing to look with.
    pub(crate) async fn explainer(&self, host: Host) -> Result<Explainer, Failure> {
        let access = self.access()?;
        let mut unread = Vec::new();
        let host = match host {
            Host::Asked => self.boxed_host().await.map_err(|failure| unread.push(failure)).ok(),
            Host::LeftAlone => None,
        };
        let ledger = self.readable_ledger().await.map_err(|failure| unread.push(failure)).ok();
        // The first pass would begin an empty one, which is not the one that the network's mark names.
        let ledger = ledger.map(|it| it.unwrap_or_else(|| Box::new(MemoryLedger::new(""))));
        let settings = self.pass_settings(access.wp.as_ref());
        let (probe, env) = (Box::new(self.probe()?), system_env());
        Ok(Explainer { access, host, probe, ledger, env, settings, unread })
    }

    async fn boxed_host(&self) -> Result<Box<dyn AliasHost>, Failure> {
        Ok(Box::new(self.host(self.api_key().await?)?))
    }
}

impl Explainer {
    /// As the operation takes it.
    pub(crate) fn explaining(&self) -> Explaining<'_> {
        Explaining {
            source: self.access.source.as_ref(),
            host: self.host.as_deref(),
            probe: self.probe.as_ref(),
            ledger: self.ledger.as_deref(),
            env: &self.env,
            settings: &self.settings,
        }
    }
}
