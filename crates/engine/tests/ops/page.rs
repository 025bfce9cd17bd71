//! What people ask for on the plugin's page: done by the next pass, and answered; and what owners read
//! on theirs.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use engine::Engine;
use engine::memory::{MemoryLedger, MemoryProbe, VirtualClock};
use engine::pass::{AlertCode, Ends, PassObserver, Passed, PluginSync, Report, Silent};
use rules::action::{Action, Release};
use rules::finding::{Actor, Code};
use rules::ledger::Ledger;
use rules::plan::Plan;
use rules::plugin_client::{
    Handshake, PageAnswer, PageAsked, PageRequest, PluginClient, PluginReport, Standby, StatusPage,
};
use rules::request::Asked;
use rules::source::SourceError;
use rules::{Clock, DomainName, Network, Problem};

use crate::passing::engine;
use crate::world::{Dark, NOW, Source, copy, mapping, name, network};

/// The ledger of the engines here.
const OURS: &str = "mine";

/// What the plugin stores, and what it was told.
#[derive(Default)]
pub(crate) struct Page {
    requests: Mutex<Vec<PageRequest>>,
    rechecks: Mutex<Vec<DomainName>>,
    reports: Mutex<Vec<Told>>,
    standbys: Mutex<Vec<(String, String)>>,
    answers: Mutex<Vec<PageAnswer>>,
    locale: Mutex<String>,
    /// The mappings that have a link to a status page, and what was told of them last.
    links: Mutex<BTreeSet<u64>>,
    pages: Mutex<Vec<StatusPage>>,
    /// Whether what it is told does not reach it.
    is_deaf: Mutex<bool>,
}

/// What a report says of the plan.
#[derive(Clone, Debug)]
struct Told {
    ledger: String,
    plan: Option<String>,
    deferred: Vec<(Action, DomainName, Release)>,
    problems: usize,
    domains: Option<usize>,
    /// What is told of them for people.
    texts: Vec<String>,
}

impl Page {
    fn asks(&self, asked: Asked) {
        self.asks_of(OURS, asked);
    }

    fn asks_of(&self, ledger: &str, asked: Asked) {
        self.wants(ledger, PageAsked::Decision(asked));
    }

    fn wants(&self, ledger: &str, asked: PageAsked) {
        let mut requests = self.requests.lock().unwrap();
        let id = requests.len().to_string();
        requests.push(PageRequest { id, ledger: ledger.to_owned(), at: NOW, asked });
    }

    fn last(&self) -> Told {
        self.reports.lock().unwrap().last().expect("a report").clone()
    }

    /// Why each request was not done, empty where it was; those that wait are not in it.
    fn refusals(&self) -> Vec<String> {
        let answers = self.answers.lock().unwrap();
        let text = |it: &PageAnswer| it.refused.as_ref().map_or("", |it| &it.0).to_owned();
        answers.iter().map(text).collect()
    }

    fn take(&self, answers: &[PageAnswer]) -> Result<(), SourceError> {
        if *self.is_deaf.lock().unwrap() {
            return Err(SourceError::Denied { what: "no".to_owned() });
        }
        let is_done = |request: &PageRequest| answers.iter().any(|it| it.id == request.id);
        self.requests.lock().unwrap().retain(|request| !is_done(request));
        self.answers.lock().unwrap().extend_from_slice(answers);
        Ok(())
    }
}

#[async_trait]
impl PluginClient for Page {
    async fn handshake(&self) -> Result<Handshake, SourceError> {
        let rechecks = std::mem::take(&mut *self.rechecks.lock().unwrap());
        let requests = self.requests.lock().unwrap().clone();
        let locale = self.locale.lock().unwrap().clone();
        let status_pages = self.links.lock().unwrap().clone();
        Ok(Handshake { rechecks, requests, locale, status_pages, ..Handshake::default() })
    }

    async fn stand_by(&self, standby: &Standby<'_>) -> Result<Vec<PageRequest>, SourceError> {
        self.take(standby.answers)?;
        let said = (standby.home.ledger.clone(), standby.code.to_owned());
        self.standbys.lock().unwrap().push(said);
        Ok(self.requests.lock().unwrap().clone())
    }

    async fn report(&self, report: &PluginReport<'_>) -> Result<(), SourceError> {
        self.take(report.answers)?;
        self.pages.lock().unwrap().clone_from(&report.pages);
        let deferred = report.deferred.iter();
        let deferred = deferred.map(|it| (it.action, it.domain.clone(), it.release)).collect();
        let (ledger, plan) = (report.ledger.to_owned(), report.plan.map(str::to_owned));
        let (problems, domains) = (report.problems.len(), report.entries.as_ref().map(Vec::len));
        let texts = report.entries.iter().flatten().map(|it| it.text.clone()).collect();
        self.reports.lock().unwrap().push(Told {
            ledger,
            plan,
            deferred,
            problems,
            domains,
            texts,
        });
        Ok(())
    }
}

struct World {
    page: Arc<Page>,
    engine: Engine,
    ledger: MemoryLedger,
}

impl World {
    fn new(network: Network) -> Self {
        let page = Arc::<Page>::default();
        let (engine, ledger) = engine(network);
        let plugin = Some(PluginSync::new(page.clone()));
        Self { page, engine: Engine { plugin, ..engine }, ledger }
    }

    /// Four aliases that are ours, whose mappings are all gone.
    async fn with_removals_held_back() -> Self {
        let names = ["a.example", "b.example", "c.example", "d.example"];
        let rows = names.iter().zip(1..).map(|(name, id)| mapping(id, 2, name)).collect();
        let mut world = Self::new(Network { mappings: rows, ..network() });
        world.pass().await;
        world.engine.source = Arc::new(Source::of(network()));
        world.pass().await;
        world
    }

    async fn pass(&self) -> Report {
        self.pass_that(&Silent, &Ends::default()).await
    }

    async fn pass_that(&self, observer: &dyn PassObserver, ends: &Ends) -> Report {
        match self.engine.pass(None, observer, ends).await.unwrap().0 {
            Passed::Ran(report) => report,
            Passed::Off(..) => panic!("it is switched on"),
        }
    }

    async fn at_the_host(&self) -> usize {
        self.engine.host.aliases().await.unwrap().names.len()
    }
}

#[tokio::test]
async fn the_report_has_what_is_deferred_and_the_hash_that_lets_it_through() {
    let world = World::with_removals_held_back().await;
    let told = world.page.last();
    assert_eq!(told.ledger, OURS);
    let removal = |name: &str| (Action::RemoveAlias, name.parse().unwrap(), Release::Apply);
    let names = ["a.example", "b.example", "c.example", "d.example"];
    assert_eq!(told.deferred, names.map(removal));
    let hash = told.plan.expect("a person can let it through");
    assert_eq!(world.at_the_host().await, 4);

    world.page.asks(Asked::Apply(hash));
    let report = world.pass().await;
    let removed = report.changes.iter().filter(|it| it.action == Action::RemoveAlias).count();
    assert_eq!((removed, world.at_the_host().await), (4, 0), "who made the pass sees it, too");
    assert_eq!(world.page.refusals(), [""]);
    let told = world.page.last();
    assert_eq!((told.plan, told.deferred), (None, vec![]), "nothing waits for a person any more");
}

#[tokio::test]
async fn a_plan_whose_first_answer_was_lost_is_told_as_applied() {
    let world = World::with_removals_held_back().await;
    let hash = world.page.last().plan.expect("a person can let it through");
    world.page.asks(Asked::Apply(hash));
    *world.page.is_deaf.lock().unwrap() = true;
    world.pass().await;
    assert_eq!(world.at_the_host().await, 0, "it was done");
    *world.page.is_deaf.lock().unwrap() = false;
    let plugin = Some(PluginSync::new(world.page.clone()));
    let world = World { engine: Engine { plugin, ..world.engine }, ..world };
    world.pass().await;
    assert_eq!(world.page.refusals(), [""]);
}

#[tokio::test]
async fn what_cannot_be_done_any_more_is_told_once_with_its_reason() {
    let world = World::with_removals_held_back().await;
    world.page.asks(Asked::Apply("0123".to_owned()));
    for _ in 0..2 {
        world.pass().await;
    }
    let refusals = world.page.refusals();
    assert!(refusals[0].contains("the plan is not `0123` any more"), "{refusals:?}");
    assert_eq!((refusals.len(), world.at_the_host().await), (1, 4));
}

#[tokio::test]
async fn an_alias_is_given_up_from_the_page() {
    let world = World::with_removals_held_back().await;
    world.page.asks(Asked::Keep(name("a.example")));
    world.page.asks(Asked::Keep(name("unknown.example")));
    world.pass().await;
    let refusals = world.page.refusals();
    assert_eq!((refusals[0].as_str(), refusals.len()), ("", 2));
    assert!(refusals[1].contains("no such domain: `unknown.example`"), "{refusals:?}");
    let kept = world.ledger.entry(&name("a.example")).await.unwrap().unwrap();
    assert_eq!(kept.owned, None);
    assert_eq!(world.page.last().deferred.len(), 3);
}

#[tokio::test]
async fn a_request_stays_until_its_answer_arrives() {
    let world = World::with_removals_held_back().await;
    world.page.asks(Asked::Apply("0123".to_owned()));
    *world.page.is_deaf.lock().unwrap() = true;
    world.pass().await;
    assert_eq!(world.page.requests.lock().unwrap().len(), 1);
    *world.page.is_deaf.lock().unwrap() = false;
    // The plugin is left alone for a while; another process knows nothing of that.
    let plugin = Some(PluginSync::new(world.page.clone()));
    let world = World { engine: Engine { plugin, ..world.engine }, ..world };
    world.pass().await;
    assert_eq!(world.page.refusals().len(), 1);
    assert_eq!(world.page.requests.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_pass_that_a_nudge_cuts_short_reports_all_but_the_domains() {
    let world = World::with_removals_held_back().await;
    let mappings = vec![mapping(9, 2, "new.example")];
    let odd = Problem::in_row("wp_blogs", "domain", 5, "odd");
    let source =
        |problems| Source::of(Network { mappings: mappings.clone(), problems, ..network() });
    let with = |source, engine| Engine { source: Arc::new(source), ..engine };
    let world = World { engine: with(source(vec![odd]), world.engine), ..world };
    world.pass().await;
    let whole = world.page.last();
    assert_eq!(whole.domains, Some(1));

    let world = World { engine: with(source(vec![]), world.engine), ..world };
    world.page.asks(Asked::Apply("0123".to_owned()));
    let ends = Ends::default();
    ends.nudge.cancel();
    let report = world.pass_that(&Silent, &ends).await;
    assert!(report.cut_short);
    assert_eq!(world.page.reports.lock().unwrap().len(), 4, "each pass is a sign of life");
    assert_eq!(world.page.refusals().len(), 1, "and takes answers along");
    let told = world.page.last();
    assert_eq!((told.domains, told.problems), (None, whole.problems), "its rest may show the same");
    world.pass().await;
    assert_eq!(world.page.last().problems, whole.problems - 1);
}

/// Another installation takes the network when the steps of a pass begin.
struct Taken(Arc<Source>);

impl PassObserver for Taken {
    fn begins(&self, _: &Network, _: &Plan, _: bool) {}

    fn total(&self, _: usize) {
        self.0.is_taken();
    }

    fn advances(&self) {}
}

#[tokio::test]
async fn who_loses_the_mark_within_a_pass_stands_by_and_tells_its_domains_once_it_acts_again() {
    let mappings = vec![mapping(1, 2, "a.example")];
    let mut world = World::new(Network { mappings: mappings.clone(), ..network() });
    world.pass().await;
    assert_eq!(world.page.last().domains, Some(1));
    let more = [mappings, vec![mapping(2, 2, "b.example")]].concat();
    let source = Arc::new(Source::of(Network { mappings: more, ..network() }));
    world.engine.source = source.clone();
    let report = world.pass_that(&Taken(source), &Ends::default()).await;
    assert_eq!(report.alerts[0].code, AlertCode::Copy);
    assert_eq!(world.page.reports.lock().unwrap().len(), 1, "the other one's stays");
    assert_eq!(*world.page.standbys.lock().unwrap(), [(OURS.to_owned(), "copy".to_owned())]);

    world.page.asks(Asked::EnableHere);
    world.pass().await;
    world.pass().await;
    let reports = world.page.reports.lock().unwrap();
    let told: Vec<_> = reports[1..].iter().map(|it| it.domains).collect();
    assert_eq!(told[0], Some(2), "{told:?}");
}

#[tokio::test]
async fn a_network_reads_of_its_domains_in_its_own_language() {
    let world = World::new(Network { mappings: vec![mapping(1, 2, "a.example")], ..network() });
    world.pass().await;
    let english = world.page.last().texts;
    *world.page.locale.lock().unwrap() = "nl_NL".to_owned();
    world.pass().await;
    let dutch = world.page.last().texts;
    assert_eq!((english.len(), dutch.len()), (1, 1), "another language is news");
    assert!(!english[0].is_empty() && english != dutch, "{english:?} {dutch:?}");
}

#[tokio::test]
async fn a_copy_says_that_it_does_not_act_and_takes_nothing_else() {
    let world = World::new(copy());
    world.page.rechecks.lock().unwrap().push(name("shop.example"));
    world.page.asks(Asked::Apply("0123".to_owned()));
    world.page.asks(Asked::Keep(name("a.example")));
    world.page.asks_of("another", Asked::EnableHere);
    let report = world.pass().await;
    assert_eq!(report.alerts[0].code, AlertCode::Copy);
    assert_eq!(*world.page.standbys.lock().unwrap(), [(OURS.to_owned(), "copy".to_owned())]);
    assert_eq!(world.page.rechecks.lock().unwrap().len(), 1);
    assert_eq!(world.page.requests.lock().unwrap().len(), 3);
    assert!(world.page.reports.lock().unwrap().is_empty() && world.page.refusals().is_empty());
}

#[tokio::test]
async fn a_copy_that_is_asked_to_act_does_so_in_the_same_pass() {
    let mappings = vec![mapping(1, 2, "shop.example")];
    let world = World::new(Network { mappings, ..copy() });
    world.page.asks(Asked::EnableHere);
    let report = world.pass().await;
    assert_eq!((report.alerts, world.at_the_host().await), (vec![], 1));
    assert_eq!(world.page.refusals(), [""]);
    assert_eq!(world.page.last().ledger, OURS);
    assert!(world.ledger.contents().memory.network.not_acting.is_none());
}

#[tokio::test]
async fn a_request_of_the_day_before_is_over() {
    let world = World::with_removals_held_back().await;
    let day = Duration::from_hours(24);
    world.page.asks(Asked::Keep(name("a.example")));
    world.page.requests.lock().unwrap()[0].at = NOW - day;
    world.pass().await;
    let kept = world.ledger.entry(&name("a.example")).await.unwrap().unwrap();
    assert!(kept.owned.is_some() && world.page.refusals().is_empty());
}

/// What stands in the way of each name that was asked about, with its text; nothing where nothing does.
fn in_the_way(page: &Page) -> Vec<(String, Option<(Code, String)>)> {
    let answers = page.answers.lock().unwrap();
    let named = answers.iter().filter_map(|it| it.explained.as_ref());
    let first = |it: &rules::plugin_client::ExplainedName| {
        let first = it.findings.first().map(|(finding, text)| (finding.code, text.clone()));
        (it.display.clone(), first)
    };
    named.map(first).collect()
}

#[tokio::test]
async fn a_name_is_looked_at_before_it_is_mapped_and_nothing_remembers_it() {
    let mut world = World::new(network());
    let probe = MemoryProbe::new(Arc::clone(&world.engine.env.clock) as _);
    probe.points(&name("here.example"), ["192.0.2.1".parse().unwrap()]);
    probe.points(&name("there.example"), ["9.9.9.77".parse().unwrap()]);
    world.engine.probe = Box::new(probe);
    let before = world.ledger.contents().entries;
    for text in ["Here.example", "there.example", "no name", "later.example"] {
        world.page.wants(OURS, PageAsked::Explain(text.to_owned()));
    }
    world.pass().await;
    let found = in_the_way(&world.page);
    assert_eq!((found.len(), found[0].clone()), (2, ("here.example".to_owned(), None)));
    let (code, text) = found[1].1.clone().unwrap();
    assert_eq!((found[1].0.as_str(), code), ("there.example", Code::OtherAddress));
    assert!(text.contains("9.9.9.77"), "{text}");
    let refusals = world.page.refusals();
    assert!(refusals[2].contains("`no name` is not a domain name"), "{refusals:?}");
    assert_eq!(world.page.requests.lock().unwrap().len(), 1, "three at once; the rest waits");
    world.pass().await;
    assert_eq!(in_the_way(&world.page).len(), 3);
    assert_eq!(world.ledger.contents().entries, before, "nothing of it is remembered");
    assert_eq!(world.at_the_host().await, 0);
}

#[test]
fn nobody_waits_longer_than_fifteen_seconds_for_what_is_to_be_said_of_names() {
    let mut world = World::new(network());
    let clock = VirtualClock::at(NOW);
    world.engine.env.clock = clock.clone();
    world.engine.probe = Box::new(Dark { is_lost: true });
    for name in ["a.example", "b.example"] {
        world.page.wants(OURS, PageAsked::Explain(name.to_owned()));
    }
    clock.block_on(world.pass());
    assert_eq!(clock.now(), NOW + Duration::from_secs(15), "both are looked at together");
    let refusals = world.page.refusals();
    let want = "what is so of `b.example` could not be found out within 15 seconds";
    assert_eq!((refusals.len(), refusals[1].as_str()), (2, want));
}

#[tokio::test]
async fn a_copy_looks_at_no_name() {
    let world = World::new(copy());
    world.page.wants(OURS, PageAsked::Explain("here.example".to_owned()));
    world.pass().await;
    assert_eq!(*world.page.answers.lock().unwrap(), []);
}

#[tokio::test]
async fn owners_read_of_the_domains_that_have_a_link_also_where_a_pass_is_cut_short() {
    let rows = vec![mapping(1, 2, "a.example"), mapping(2, 2, "b.example")];
    let mut world = World::new(Network { mappings: rows, ..network() });
    let probe = MemoryProbe::new(Arc::clone(&world.engine.env.clock) as _);
    probe.points(&name("a.example"), ["9.9.9.77".parse().unwrap()]);
    world.engine.probe = Box::new(probe);
    world.pass().await;
    assert_eq!(*world.page.pages.lock().unwrap(), [], "nobody has a link");
    world.page.links.lock().unwrap().extend([1, 77]);
    let ends = Ends::default();
    ends.nudge.cancel();
    assert_eq!(world.page.last().domains, Some(2));
    world.pass_that(&Silent, &ends).await;
    assert_eq!(world.page.last().domains, None);
    let pages = world.page.pages.lock().unwrap().clone();
    let [page] = pages.as_slice() else { panic!("one page: {pages:?}") };
    assert_eq!((page.mapping_id, page.domain.as_str(), page.ready), (1, "a.example", false));
    assert_eq!((page.turn, page.last), (Some(Actor::Owner), Some(NOW)));
    assert_eq!(
        page.lights.map(|it| (it.light, it.state)),
        [("hosting", "present"), ("dns", "elsewhere"), ("certificate", "unknown"),]
    );
    assert_eq!(page.records[0].wanted, ["192.0.2.1"]);
    assert!(page.texts["en"].contains("points to another server (9.9.9.77)"), "{page:?}");
    assert!(page.texts["nl"].contains("wijst naar een andere server (9.9.9.77)"), "{page:?}");
}
