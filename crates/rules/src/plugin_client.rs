//! The plugin inside WordPress, as the engine sees it: it receives what the engine knows, and says
//! what people ask for on its page: checks, decisions that else need a shell, and what is to be said of
//! a name that is not mapped yet.
//!
//! Nothing depends on it: where it does not answer, only pages in WordPress are outdated.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;

use crate::action::Deferred;
use crate::explain::Headline;
use crate::finding::{Actor, Finding, RecordChange};
use crate::request::Asked;
use crate::source::SourceError;
use crate::{DomainName, Entry, Home, Problem, Tally, Time};

/// A request of the page that was not done within this time is over: who asked has forgotten it,
/// and what it was about may be another thing by then.
pub const REQUEST_EXPIRES_AFTER: Duration = Duration::from_hours(24);

/// The side of the plugin that answers.
#[async_trait]
pub trait PluginClient: Send + Sync {
    /// Say that we are there, and take over what people asked for.
    async fn handshake(&self) -> Result<Handshake, SourceError>;

    /// Say that this installation does not act for the network; what people ask for, which all of
    /// it stays there. Nothing else is said, and nothing taken.
    async fn stand_by(&self, standby: &Standby<'_>) -> Result<Vec<PageRequest>, SourceError>;

    /// Report what is known.
    async fn report(&self, report: &PluginReport<'_>) -> Result<(), SourceError>;
}

/// What the plugin says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handshake {
    /// Its version.
    pub version: String,
    /// The version of the protocol that it speaks.
    pub protocol: u64,
    /// Its clock.
    pub time: Option<Time>,
    /// The version of Ultimate Multisite; none where that is not there.
    pub ultimate_multisite: Option<String>,
    /// How it replaces the built-in integration: `registry`, `hooks` or `off`.
    pub mode: String,
    /// The language of the network's main site, such as `nl_NL`; empty where it does not say.
    pub locale: String,
    /// Domains that people want checked; it says each once.
    pub rechecks: Vec<DomainName>,
    /// What people decided on its page; it says each until it is answered.
    pub requests: Vec<PageRequest>,
    /// The mappings whose owners have a link to a status page.
    pub status_pages: BTreeSet<u64>,
    /// How many requests it has refused.
    pub refused: u64,
}

/// What a person must do before the whole can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginAlert {
    /// What it is about, never renamed.
    pub code: &'static str,
    /// The one domain that it is about; none where it is about the whole.
    pub domain: Option<DomainName>,
    /// What is the matter.
    pub what: String,
    /// What to do.
    pub hint: String,
}

/// What a person asked for on the plugin's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// The plugin's own name for it.
    pub id: String,
    /// The ledger of the installation whose report the page showed.
    pub ledger: String,
    /// When it was asked for.
    pub at: Time,
    pub asked: PageAsked,
}

/// What it is that a person asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageAsked {
    /// A decision: the holder of the ledger's lock does it, as with the command.
    Decision(Asked),
    /// What stands in the way of a name before it is mapped, as it was written. Nothing is changed by it.
    Explain(String),
}

impl PageRequest {
    /// Whether the installation of `ledger` does this `now`, which `acts` for the network or not.
    ///
    /// A copied database contains the request too, so it is done for one ledger only. Who does not
    /// act may be asked for nothing but to act.
    pub fn is_for(&self, ledger: &str, acts: bool, now: Time) -> bool {
        let may_be_done = acts || self.asked == PageAsked::Decision(Asked::EnableHere);
        self.ledger == ledger && may_be_done && now.since(self.at) < REQUEST_EXPIRES_AFTER
    }
}

/// What became of a request of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageAnswer {
    /// The request's.
    pub id: String,
    /// Why it was not done, and what to do about it; none where it was done.
    pub refused: Option<(String, Option<String>)>,
    /// What was found out about the name that it named, where it asked for that.
    pub explained: Option<ExplainedName>,
}

/// What stands in the way of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedName {
    /// As it goes over the wire; a text that can be no domain as it was asked for.
    pub domain: String,
    /// As people write it.
    pub display: String,
    pub ready: bool,
    /// What must be mended, the first first, each with its text.
    pub findings: Vec<(Finding, String)>,
}

/// What an installation says that does not act for the network.
#[derive(Clone, Debug)]
pub struct Standby<'a> {
    /// When.
    pub at: Time,
    /// The mark that it would write: who it is, and where its ledger is.
    pub home: &'a Home,
    /// Why it does not act, as the code of an alert.
    pub code: &'a str,
    /// The same for people.
    pub text: &'a str,
    /// What to do about it.
    pub hint: &'a str,
    /// What became of requests.
    pub answers: &'a [PageAnswer],
}

/// A domain as the plugin shows it.
#[derive(Clone, Debug)]
pub struct PluginDomain<'a> {
    pub entry: &'a Entry,
    /// What is told of it before all else; none where there is nothing to tell.
    pub headline: Option<Headline<'a>>,
    /// The same in the language of the network; empty where there is nothing to tell.
    pub text: String,
}

impl PluginDomain<'_> {
    /// Whether somebody must act.
    pub fn needs_somebody(&self) -> bool {
        self.headline.as_ref().is_some_and(Headline::needs_somebody)
    }
}

/// What the engine knows after a pass.
#[derive(Clone, Debug)]
pub struct PluginReport<'a> {
    /// When.
    pub at: Time,
    /// The ledger of the installation that acts.
    pub ledger: &'a str,
    /// What a person must do at once.
    pub alerts: &'a [PluginAlert],
    /// What is invalid.
    pub problems: &'a [Problem],
    /// How many domains there are.
    pub tally: Tally,
    /// The hash by which a person lets through what is deferred; none where nothing waits for that.
    pub plan: Option<&'a str>,
    /// What the pass kept back.
    pub deferred: &'a [Deferred],
    /// Every mapped domain; none where nothing about them has changed.
    pub entries: Option<Vec<PluginDomain<'a>>>,
    /// What became of requests since the last time.
    pub answers: &'a [PageAnswer],
    /// What the owners read who have a link to a status page.
    pub pages: Vec<StatusPage>,
    /// What went wrong since the last time, one line each.
    pub log: Vec<String>,
}

/// What the owner of a domain reads of it, and nothing internal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusPage {
    pub mapping_id: u64,
    pub domain: DomainName,
    pub ready: bool,
    /// Whose turn it is: the owner's where anything is theirs to mend; none where there is nothing to mend.
    pub turn: Option<Actor>,
    /// In the order in which a domain passes them.
    pub lights: [Light; 3],
    /// What is so and what to do, by the code of the language.
    pub texts: BTreeMap<&'static str, String>,
    /// What the owner must change in DNS.
    pub records: Vec<RecordChange>,
    /// When it was looked at last; none where it was not yet.
    pub last: Option<Time>,
    /// When it is looked at next.
    pub next: Time,
}

/// One of the three states of a domain, as its owner sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Light {
    /// `hosting`, `dns` or `certificate`.
    pub light: &'static str,
    /// The word of the state.
    pub state: &'static str,
    /// Since when.
    pub since: Time,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_request_is_for_one_ledger_one_day_and_a_copy_may_only_be_asked_to_act() {
        let hours = |hours: u64| Time::from_millis(1_795_000_000_000) + Duration::from_hours(hours);
        let decision = PageAsked::Decision;
        let (apply, here) = (decision(Asked::Apply("0123".to_owned())), decision(Asked::EnableHere));
        let keep = decision(Asked::Keep("shop.example".parse().unwrap()));
        let explain = PageAsked::Explain("shop.example".to_owned());
        let table = [
            // what it shows                    asked   ledger   acts   asked at  now  done
            ("who acts applies a plan",         &apply, "ours",  true,  10,       10,  true),
            ("and gives up an alias",           &keep,  "ours",  true,  10,       33,  true),
            ("a day later it is over",          &keep,  "ours",  true,  10,       34,  false),
            ("another clock is a little ahead", &keep,  "ours",  true,  10,       9,   true),
            ("it is another ledger's",          &apply, "other", true,  10,       10,  false),
            ("a copy applies nothing",          &apply, "ours",  false, 10,       10,  false),
            ("a copy gives up nothing",         &keep,  "ours",  false, 10,       10,  false),
            ("who acts looks at a name",        &explain, "ours", true, 10,       10,  true),
            ("a copy looks at none",            &explain, "ours", false, 10,      10,  false),
            ("a copy may be asked to act",      &here,  "ours",  false, 10,       10,  true),
            ("another copy may not",            &here,  "other", false, 10,       10,  false),
            ("who acts already may, too",       &here,  "ours",  true,  10,       10,  true),
        ];
        for (shows, asked, ledger, acts, at, now, done) in table {
            let (id, ledger, asked) = ("1".to_owned(), ledger.to_owned(), asked.clone());
            let request = PageRequest { id, ledger, at: hours(at), asked };
            assert_eq!(request.is_for("ours", acts, hours(now)), done, "{shows}");
        }
    }
}
