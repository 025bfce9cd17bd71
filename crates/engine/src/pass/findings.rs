//! Why a domain is as a check saw it: the deep questions where they are due, and what follows.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use rules::budget::Budget;
use rules::entry::Entry;
use rules::evidence::{Deep, Inquiry};
use rules::explain::{self, Evidence, Looked, Rows, Situation, Subject};
use rules::host_state::HostState;
use rules::judge::Check;
use rules::protected::Protected;
use rules::{DomainName, Network, Targets};
use tokio::sync::OnceCell;

use super::Engine;
use super::journal::Journal;

/// Explains what checks saw of the domains of one network.
pub(super) struct Explainer<'a> {
    engine: &'a Engine,
    network: &'a Network,
    earlier_targets: BTreeSet<IpAddr>,
    budgets: BTreeMap<DomainName, Budget>,
    /// Made for the first domain that needs them.
    known: OnceCell<(Rows<'a>, Protected)>,
}

/// One check, and what it was made with.
pub(super) struct Looking<'a> {
    pub(super) check: &'a Check,
    pub(super) targets: &'a Targets,
    /// A label that nobody has by chance.
    pub(super) label: &'a str,
}

impl<'a> Explainer<'a> {
    pub(super) fn new(engine: &'a Engine, network: &'a Network, journal: &Journal<'_>) -> Self {
        let (earlier_targets, budgets) = (journal.earlier_targets(), journal.budgets());
        Self { engine, network, earlier_targets, budgets, known: OnceCell::new() }
    }

    /// Ask everybody about the domain of `entry`.
    pub(super) async fn look_deeper(&self, entry: &Entry, looking: &Looking<'_>) -> Deep {
        let (targets, label) = (looking.targets, looking.label);
        let inquiry = Inquiry { targets, label, within: Inquiry::WHOLE };
        self.engine.probe.investigate(&entry.domain, &inquiry).await
    }

    /// Take in what follows from a check, and from a `deep` look where there was one. Without one,
    /// what the last one found stands while checks see the same.
    pub(super) async fn take_in(
        &self,
        entry: &mut Entry,
        looking: &Looking<'_>,
        deep: Option<&Deep>,
    ) {
        let (now, saw) = (self.engine.env.now(), explain::saw(looking.check));
        if deep.is_none() && entry.looked.as_ref().is_some_and(|looked| looked.saw == saw) {
            return;
        }
        if deep.is_some() {
            entry.looked = Some(Looked { at: now, saw });
        }
        let (rows, protected) = self.known().await;
        let evidence = Evidence { check: looking.check, deep, label: looking.label, at: now };
        let settings = &self.engine.settings;
        let situation = Situation {
            network: self.network,
            rows,
            protected,
            targets: looking.targets,
            earlier_targets: &self.earlier_targets,
            // What concerns the whole is told by itself, and a pass acts only where nothing keeps it.
            memory: None,
            host: &HostState::Ok,
            deferred: &[],
            serving: settings.serving,
            budgets: &self.budgets,
            not_ours: None,
        };
        let policy = settings.explained_at(now);
        let subject =
            Subject { name: &entry.domain, entry: Some(entry), written: None, at_host: None };
        let findings = explain::of_check(&subject, &evidence, &situation, &policy);
        entry.findings = findings;
    }

    async fn known(&self) -> &(Rows<'a>, Protected) {
        let make = async || {
            let protected = self.engine.settings.protected_on(self.network);
            (Rows::of(self.network), protected)
        };
        self.known.get_or_init(make).await
    }
}
