//! `closte-sync doctor`: what works and what does not, check by check.

use std::fmt::Write as _;
use std::time::Duration;

use rules::host::{AliasHost, AliasList, HostError};
use rules::ledger::{Ledger, LedgerError, Recorded};
use rules::network::WwwTwins;
use rules::probe::{DnsObservation, Probe};
use rules::source::{Right, SourceError};
use rules::{Clock, Network, Stage, answer, plan};
use serde::Serialize;
use wordpress::WpConfig;

use super::checks::{self, Check, State, fail, failed, ok, warn};
use super::plugin::handshake;
use super::{Context, Exit, Failure};
use crate::clock::{SystemClock, rough};
use crate::wiring::{NetworkAccess, Wiring};

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
struct View<'a> {
    checks: &'a [Check],
    report: Option<String>,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let doctor = Doctor { context, wiring: context.wiring() };
        let checks = doctor.examine().await;
        let report = if self.report { Some(doctor.report().await) } else { None };
        if context.console.is_json() {
            context.console.json(&View { checks: &checks, report });
        } else {
            context.console.say(checks::text(context.console, &checks));
            if let Some(report) = report {
                context.console.say(format!("\n{report}"));
            }
        }
        Ok(if checks::any_failed(&checks) { Exit::No } else { Exit::Done })
    }
}

struct Doctor<'a> {
    context: &'a Context,
    wiring: Wiring<'a>,
}

impl Doctor<'_> {
    async fn examine(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        let access = self.wiring.access();
        checks.push(match &access {
            Ok(access) => ok(self.found_by(), access.found_at()),
            Err(failure) => failed(self.found_by(), failure),
        });
        let recorded = self.ledger(&mut checks).await;
        self.host(&recorded, &mut checks).await;
        let network = match &access {
            Ok(access) => self.network(access, &mut checks).await,
            Err(_) => None,
        };
        let wp = access.as_ref().ok().and_then(|access| access.wp.as_ref());
        self.checks(wp, network.as_ref(), &mut checks).await;
        checks
    }

    /// What the network is found by.
    fn found_by(&self) -> &'static str {
        if self.wiring.is_remote() { "network.url" } else { "wp-config.php" }
    }

    /// The key, and the list.
    async fn host(&self, recorded: &Recorded, checks: &mut Vec<Check>) {
        let host = match self.open_host().await {
            Ok(host) => host,
            Err(failure) => return checks.push(failed("API key", &failure)),
        };
        match host.check_key().await {
            Ok(()) => checks.push(ok("API key", "Access authorized")),
            Err(error) => return checks.push(of_host("API key", &error)),
        }
        checks.push(match host.aliases().await {
            Ok(list) => believable(&list, recorded),
            Err(error) => {
                let Check { detail, .. } = of_host("getdomains", &error);
                warn(
                    "getdomains",
                    detail,
                    "without it, outcomes that are not clear are settled by asking again",
                )
            }
        });
    }

    async fn open_host(&self) -> Result<closte::HttpHost, Failure> {
        self.wiring.host(self.wiring.api_key().await?)
    }

    async fn network(&self, access: &NetworkAccess, checks: &mut Vec<Check>) -> Option<Network> {
        let network = match access.source.read().await {
            Ok(network) => network,
            Err(error) => {
                checks.push(self.of_source(error));
                return None;
            }
        };
        checks.push(ok(self.read_from(), self.in_short(&network)));
        match access.source.rights().await {
            Ok(rights) => checks.push(self.rights_check(&rights)),
            Err(error) => checks.push(self.of_source(error)),
        }
        checks.push(switch(&network));
        checks.push(words(&network));
        checks.push(self.clock(&network));
        let plugin = plugin(access).await;
        // The REST API by itself tells of neither.
        if access.wp.is_some() || access.plugin.is_some() {
            checks.push(home(&network));
            let answers = plugin.state == State::Ok && access.plugin.is_some();
            checks.push(object_cache(&network, answers));
        }
        checks.push(plugin);
        Some(network)
    }

    async fn checks(
        &self,
        wp: Option<&WpConfig>,
        network: Option<&Network>,
        checks: &mut Vec<Check>,
    ) {
        let probe = match self.wiring.probe() {
            Ok(probe) => probe,
            Err(failure) => return checks.push(failed("resolvers", &failure)),
        };
        let answers = probe.check_resolvers().await;
        let described = answers.iter().map(|(at, answer)| match answer {
            Ok(()) => format!("{at} answers"),
            Err(why) => format!("{at} does not ({why})"),
        });
        let described = described.collect::<Vec<_>>().join(", ");
        checks.push(if answers.iter().any(|(_, answer)| answer.is_ok()) {
            ok("resolvers", described)
        } else {
            fail(
                "resolvers",
                described,
                "set `checks.resolvers`, such as 9.9.9.9:53, or repair /etc/resolv.conf",
            )
        });
        checks.push(self.targets(&probe, wp, network).await);
    }

    async fn targets(
        &self,
        probe: &dyn Probe,
        wp: Option<&WpConfig>,
        network: Option<&Network>,
    ) -> Check {
        let set = &self.context.loaded.settings.targets;
        let mut described: Vec<String> = set.iter().map(ToString::to_string).collect();
        if set.is_empty() {
            match wp.map(crate::wiring::public_address) {
                Some(Ok(ip)) => described.extend(ip.map(|ip| ip.to_string())),
                Some(Err(failure)) => return failed("targets", &failure),
                None => (),
            }
            if let Some(network) = network
                && let DnsObservation::Addresses { found, .. } =
                    probe.resolve(&network.identity.domain).await
            {
                described.extend(found.iter().map(ToString::to_string));
            }
        }
        described.sort();
        described.dedup();
        if described.is_empty() {
            fail(
                "targets",
                "it is not known where domains must point",
                "set `checks.targets` to the address of your site at Closte",
            )
        } else {
            ok("targets", format!("domains must point to {}", described.join(", ")))
        }
    }

    /// The ledger and its folder; what it holds.
    async fn ledger(&self, checks: &mut Vec<Check>) -> Recorded {
        let path = match self.wiring.ledger_path() {
            Ok(path) => path,
            Err(failure) => {
                checks.push(failed("ledger", &failure));
                return Recorded::default();
            }
        };
        let at = path.file().display().to_string();
        let loaded = match ledger::SqliteLedger::open_readonly(&path).await {
            Ok(ledger) => ledger.load().await,
            Err(error) => Err(error),
        };
        match loaded {
            Ok(recorded) => {
                checks.push(ok("ledger", format!("{at}, {} domains", recorded.entries.len())));
                recorded
            }
            Err(LedgerError::Missing { .. }) => {
                checks.push(ok("ledger", format!("{at} will be made by the first pass")));
                Recorded::default()
            }
            Err(error) => {
                checks.push(failed("ledger", &error.into()));
                Recorded::default()
            }
        }
    }

    fn of_source(&self, error: SourceError) -> Check {
        failed(self.read_from(), &Failure::from(error))
    }

    /// What sites and mappings are read from.
    fn read_from(&self) -> &'static str {
        if self.wiring.is_remote() { "network" } else { "database" }
    }

    fn in_short(&self, network: &Network) -> String {
        let (identity, sites) = (&network.identity, network.sites.len());
        let (domain, mappings) = (&identity.domain, network.mappings.len());
        let read = format!("{domain}, {sites} sites, {mappings} mappings");
        if self.wiring.is_remote() {
            return read;
        }
        let www = twins(network.settings.www);
        let (database, prefix) = (&identity.database, &identity.prefix);
        format!("`{database}` with prefix `{prefix}`: network {read}, www twins: {www}")
    }

    fn rights_check(&self, rights: &[Right]) -> Check {
        let missing: Vec<String> = rights
            .iter()
            .filter_map(|it| Some(format!("may not {}: {}", it.purpose, it.missing.as_ref()?)))
            .collect();
        let hint = if self.wiring.is_remote() {
            "check `network.rest_credentials_file`, and Ultimate Multisite > Settings > API"
        } else {
            "GRANT them to `DB_USER` of wp-config.php"
        };
        match missing[..] {
            [] => ok("rights", "all that are needed"),
            _ => fail("rights", missing.join("; "), hint),
        }
    }

    fn clock(&self, network: &Network) -> Check {
        let whose = self.read_from();
        let Some(theirs) = network.database_time else {
            let what = format!("the {whose} did not report its time");
            return warn("clock", what, "compare this machine's clock by hand");
        };
        let now = SystemClock.now();
        let difference = now.since(theirs).max(theirs.since(now));
        if difference <= Duration::from_mins(1) {
            return ok("clock", format!("as the {whose}'s"));
        }
        fail(
            "clock",
            format!("{} from the {whose}'s", rough(difference)),
            "set this machine's clock; if the clocks differ by more than 10 minutes, no domain is checked",
        )
    }

    /// What a person can send in.
    async fn report(&self) -> String {
        match self.open_host().await {
            Ok(host) => host.report().await,
            Err(failure) => failure.render(),
        }
    }
}

fn of_host(check: &'static str, error: &HostError) -> Check {
    let mut detail = error.to_string();
    if let Some(cause) = std::error::Error::source(error) {
        let _ = write!(detail, ": {cause}");
    }
    Check { check, state: State::Fail, detail, hint: error.hint().map(str::to_owned) }
}

/// Whether what the list lacks would be believed to be absent.
fn believable(list: &AliasList, recorded: &Recorded) -> Check {
    let count = list.names.len();
    let proven = recorded.memory.host.list_believed
        || answer::proves_itself(list, recorded.entries.values());
    let detail = if proven {
        format!("{count} aliases; it has shown names that we added, so it is believed")
    } else {
        format!(
            "{count} aliases; it has not shown a name that we added yet, so what it lacks is not taken as absent"
        )
    };
    ok("getdomains", detail)
}

fn twins(www: WwwTwins) -> &'static str {
    match www {
        WwwTwins::Always => "wanted for all (only mapped names are added at the host)",
        WwwTwins::MainOnly => "wanted for main domains (only mapped names are added at the host)",
        WwwTwins::Never => "not wanted",
    }
}

fn switch(network: &Network) -> Check {
    let hint = "`closte-sync enable`, or Ultimate Multisite > Settings > Domain Mapping > Host Integrations";
    match (network.switched_on, network.settings.domain_mapping) {
        (true, true) => ok("switch", "Closte is switched on"),
        (false, _) => warn("switch", "Closte is switched off, so a pass does nothing", hint),
        (true, false) => warn(
            "switch",
            "domain mapping is switched off, so a pass does nothing",
            "Ultimate Multisite > Settings > Domain Mapping",
        ),
    }
}

fn words(network: &Network) -> Check {
    let missing: Vec<&str> = Stage::ALL
        .into_iter()
        .filter(|stage| !network.stage_words.contains(stage))
        .map(Stage::as_str)
        .collect();
    match missing[..] {
        [] => ok("stages", "the column has all six words"),
        ["ssl-failed"] => ok(
            "stages",
            "an older table without `ssl-failed`: `done-without-ssl` is written instead",
        ),
        _ => warn(
            "stages",
            format!("the column lacks {}", missing.join(", ")),
            "update Ultimate Multisite; a stage that the column lacks is not written",
        ),
    }
}

fn home(network: &Network) -> Check {
    match (plan::copy_of(network), &network.home) {
        (Some(home), _) => fail(
            "home",
            format!(
                "this is a copy of the installation at `{}`; it sends and writes nothing",
                home.domain
            ),
            "if this installation is the one that counts now, run `closte-sync enable --here`",
        ),
        (None, Some(_)) => ok("home", "this installation acts for the network"),
        (None, None) => ok("home", "no installation acts for the network yet; the first pass will"),
    }
}

/// The plugin; without one everything works, only later.
async fn plugin(access: &NetworkAccess) -> Check {
    if access.plugin.is_none() && access.no_plugin.is_none() {
        return ok("plugin", "not installed; `closte-sync plugin install` installs it");
    }
    Check { check: "plugin", ..handshake(access).await }
}

fn object_cache(network: &Network, answers: bool) -> Check {
    if network.object_cache && answers {
        ok("object cache", "there is one, and the plugin writes stages through it")
    } else if network.object_cache {
        let detail = "wp-content/object-cache.php is there: WordPress may show a new stage late";
        warn(
            "object cache",
            detail,
            "`wp cache flush` shows it at once, `closte-sync plugin install` ends it",
        )
    } else {
        ok("object cache", "none: WordPress shows a new stage at once")
    }
}
