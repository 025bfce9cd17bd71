//! `closte-sync doctor`: what works and what does not, check by check.
//!
//! Here everything is opened and tried; what it means is decided in `engine::ops::examine`.

use std::net::SocketAddr;

use engine::ops::{
    self, Findings, HostAnswers, LedgerFound, NetworkFound, PluginFound, Probing, Route,
};
use rules::ledger::{Ledger, LedgerError};
use rules::targets::TargetBasis;
use rules::{Clock, DomainName, Problem, Targets, Time};
use serde::Serialize;

use super::plugin::ask;
use super::{Context, Exit, Failure, checks};
use crate::clock::SystemClock;
use crate::package;
use crate::view::CheckView;
use crate::wiring::{NetworkAccess, Wiring, public_addresses};

/// Check everything that a pass needs, one thing after the other
///
/// Changes nothing anywhere. Ends with 1 where something does not work.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Also print the host's raw answers, without the key, to send in
    #[arg(long)]
    report: bool,
}

#[derive(Serialize)]
struct View {
    checks: Vec<CheckView>,
    report: Option<String>,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let doctor = Doctor { wiring: context.wiring() };
        let checks = ops::examine(&doctor.try_everything().await);
        let report = if self.report { Some(doctor.report().await) } else { None };
        if context.console.is_json() {
            context.console.json(&View { checks: checks::views(&checks), report });
        } else {
            context.console.say(checks::text(context.console, &checks));
            if let Some(report) = report {
                context.console.say(format!("\n{report}"));
            }
        }
        Ok(checks::exit(&checks))
    }
}

struct Doctor<'a> {
    wiring: Wiring<'a>,
}

impl Doctor<'_> {
    async fn try_everything(&self) -> Findings {
        let (access, found_at) = match self.wiring.access() {
            Ok(access) => {
                let at = access.found_at();
                (Some(access), Ok(at))
            }
            Err(failure) => (None, Err(failure)),
        };
        let network = match &access {
            Some(access) => Some(self.network(access).await),
            None => None,
        };
        let own = network.as_ref().and_then(|found| found.as_ref().ok());
        let own = own.map(|found| found.network.identity.domain.clone());
        let (ledger, now) = (self.ledger().await, SystemClock.now());
        let recorded = ledger.as_ref().ok().and_then(|ledger| ledger.recorded.as_ref());
        let before = recorded.and_then(|(_, recorded)| recorded.memory.network.targets.as_ref());
        let probing = self.probing(access.as_ref(), own.as_ref(), before, now).await;
        Findings {
            route: if self.wiring.is_remote() { Route::Remote } else { Route::Local },
            found_at,
            ledger,
            www: self.wiring.settings.www,
            host: self.host().await,
            drop_in: access.as_ref().and_then(|access| access.drop_in.clone()),
            maps_nothing: access
                .as_ref()
                .and_then(NetworkAccess::maps_nothing)
                .map(|why| (why.to_string(), why.hint())),
            probing,
            receivers: self.receivers(access.as_ref()).await,
            network,
            plugin_version: package::version(),
            now,
        }
    }

    /// The ledger and its folder; what it holds.
    async fn ledger(&self) -> Result<LedgerFound, Failure> {
        let path = self.wiring.ledger_path()?;
        let at = path.file().display().to_string();
        let loaded = match ledger::SqliteLedger::open_readonly(&path).await {
            Ok(ledger) => ledger.load().await.map(|recorded| (ledger.id().to_owned(), recorded)),
            Err(error) => Err(error),
        };
        match loaded {
            Ok(found) => Ok(LedgerFound { at, recorded: Some(found) }),
            Err(LedgerError::Missing { .. }) => Ok(LedgerFound { at, recorded: None }),
            Err(error) => Err(error.into()),
        }
    }

    /// Who is told outside, each with what is wrong with it. A ledger that cannot be read is a check of
    /// its own.
    async fn receivers(&self, access: Option<&NetworkAccess>) -> Vec<(String, Option<Problem>)> {
        let Some(access) = access else { return Vec::new() };
        let receivers = self.wiring.receivers(access);
        let known =
            async { self.wiring.ledger_to_read().await.ok()?.outbox().receivers().await.ok() };
        let known = known.await.unwrap_or_default();
        let found = |name: &str| {
            let problem = known.get(name).and_then(|known| known.state.problem(name));
            (name.to_owned(), problem)
        };
        receivers.iter().map(|receiver| found(receiver.name())).collect()
    }

    async fn host(&self) -> Result<HostAnswers, Failure> {
        Ok(HostAnswers::ask(&self.open_host().await?).await)
    }

    async fn open_host(&self) -> Result<closte::HttpHost, Failure> {
        self.wiring.host(self.wiring.api_key().await?)
    }

    async fn probing(
        &self,
        access: Option<&NetworkAccess>,
        own: Option<&DomainName>,
        before: Option<&Targets>,
        now: Time,
    ) -> Result<Probing, Failure> {
        let probe = self.wiring.probe()?;
        let (resolvers, roots) = tokio::join!(probe.check_resolvers(), probe.check_roots());
        let set = &self.wiring.settings.targets;
        let wp = access.and_then(|access| access.wp.as_ref()).filter(|_| set.is_empty());
        let (public, no_address) = wp.map(public_addresses).unwrap_or_default();
        let basis = TargetBasis { set, public: &public, own };
        let targets = engine::targets(&basis, before, &probe, now).await;
        let named = |all: Vec<(SocketAddr, _)>| {
            all.into_iter().map(|(at, answer)| (at.to_string(), answer)).collect()
        };
        let (resolvers, roots) = (named(resolvers), named(roots));
        Ok(Probing { resolvers, roots, targets, no_address })
    }

    /// What a person can send in.
    async fn report(&self) -> String {
        match self.open_host().await {
            Ok(host) => host.report().await,
            Err(failure) => failure.render(),
        }
    }

    /// The network, the plugin in it, and who writes stages.
    async fn network(&self, access: &NetworkAccess) -> Result<NetworkFound, Failure> {
        let found = NetworkFound::read(access.source.as_ref()).await?;
        let plugin: PluginFound = ask(access).await;
        let writers = self.wiring.writers(access).names(SystemClock.now()).await;
        Ok(NetworkFound { files: access.wp.is_some(), plugin, writers, ..found })
    }
}
