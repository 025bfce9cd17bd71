//! What may be sent to the host.

use std::time::Duration;

use engine::memory::Tables;
use rules::entry::{Alias, Call, Entry};
use rules::{DomainName, Time};

use super::Watch;
use crate::world::{Who, verb};

const HOUR: Duration = Duration::from_hours(1);

/// What the world is like when a call goes out.
pub(crate) struct Scene<'a> {
    pub(crate) at: Duration,
    /// What the clock shows.
    pub(crate) clock: Time,
    /// The network's rows.
    pub(crate) tables: &'a Tables,
    /// Whether the host has the name.
    pub(crate) has: bool,
}

impl Watch {
    /// A call goes out.
    pub(crate) fn call(&mut self, who: Who, call: Call, name: &DomainName, scene: &Scene<'_>) {
        self.log(scene.at, &format!("{who:?}: {} {name} …", verb(call)));
        self.writes += 1;
        self.must_act(who, scene.at, verb(call));
        if is_protected(name) {
            self.break_("protected-sent", scene.at, format!("{} {name}", verb(call)));
        }
        if !self.facts(who).in_flight.insert(name.clone()) {
            self.break_("two-in-flight", scene.at, format!("{} {name}", verb(call)));
        }
        let entry = self.facts(who).entries.get(name).cloned();
        self.written_down(call, name, entry.as_ref(), scene.at);
        match call {
            Call::Add => {
                self.is_asked_for(who, name, scene);
                self.added(who, name, scene);
                let facts = self.facts(who);
                if facts.claims.insert(name.clone()) {
                    facts.hoped.insert(name.clone());
                } else {
                    facts.hoped.remove(name);
                }
            }
            Call::Remove => self.removed(who, name, entry.as_ref(), scene),
        }
    }

    /// The ledger holds the intent, and whose it is.
    fn written_down(&mut self, call: Call, name: &DomainName, entry: Option<&Entry>, at: Duration) {
        let state = match call {
            Call::Add => Alias::Adding,
            Call::Remove => Alias::Removing,
        };
        let intended = entry.filter(|it| it.alias.state == state && it.step.intent.is_some());
        if intended.is_none() {
            self.break_("no-intent", at, format!("{} {name}", verb(call)));
        }
    }

    fn added(&mut self, who: Who, name: &DomainName, scene: &Scene<'_>) {
        let Some(list) = self.reads.get(&who).and_then(|read| read.list.clone()) else { return };
        let shown = self.facts(who).shown.clone();
        let lacks: Vec<_> = shown.iter().filter(|it| !list.names.contains(it)).collect();
        let all = lacks.len() == shown.len();
        let owned = self.facts(who).pairs_of(&shown);
        let lacks = self.facts(who).pairs_of(lacks);
        let all = all && 2 <= lacks.len();
        let doubtful = all || self.brake.allows(owned.len()) < lacks.len();
        if scene.has && doubtful && shown.contains(name) && !self.facts(who).is_approved(name) {
            let detail =
                format!("{name}, for a list that lacks {} of {}", lacks.len(), owned.len());
            self.break_("added-again-on-a-doubtful-list", scene.at, detail);
        }
    }

    fn removed(&mut self, who: Who, name: &DomainName, entry: Option<&Entry>, scene: &Scene<'_>) {
        self.is_gone(who, name, entry, scene);
        if !self.facts(who).claims.contains(name) {
            self.break_("removed-foreign", scene.at, name.to_string());
        }
        if who != Who::Original {
            return;
        }
        let approved = self.main().is_approved(name);
        if let Some(plan) = &self.main().apply
            && !plan.gone.contains(name)
            && !approved
        {
            self.break_("apply-removed-more", scene.at, name.to_string());
        }
        if !approved {
            let reads = self.main().missing_in(name);
            if reads < 2 {
                self.break_("removed-on-one-read", scene.at, name.to_string());
            }
            self.is_braked(name, scene);
        }
    }

    /// No row of its mapping is there.
    fn is_gone(&mut self, who: Who, name: &DomainName, entry: Option<&Entry>, scene: &Scene<'_>) {
        let Some(read) = self.reads.get(&who) else { return };
        let at = scene.at;
        // What keeps its parent keeps a twin.
        let names = self.ledgers[who.ledger()].names_of(name);
        let was_read = read.mapped().any(|mapped| names.contains(mapped));
        let mut sites = read.network.sites.values();
        let own = sites.any(|site| site.domain.as_ref().is_some_and(|it| names.contains(it)));
        let mut rows = scene.tables.mappings.values().filter_map(|row| row.domain.parse().ok());
        let is_there = rows.any(|row| names.contains(&row));
        let facts = &self.ledgers[who.ledger()];
        let spoilt = names.iter().any(|name| facts.spoilt(name, entry, scene.tables));
        let restored = names.iter().any(|name| self.restored_away.contains(name));
        if was_read {
            self.break_("removed-while-mapped", at, name.to_string());
        } else if is_there {
            self.break_("removed-on-an-old-read", at, name.to_string());
        } else if spoilt {
            self.break_("removed-while-unreadable", at, name.to_string());
        } else if own {
            self.break_("removed-a-sites-own-name", at, name.to_string());
        } else if restored && !self.is_let_go(name) {
            self.break_("removed-after-a-restore", at, name.to_string());
        }
    }

    /// Whether a person lets it go: a plan is being applied, or one was and passes go on with it.
    fn is_let_go(&self, name: &DomainName) -> bool {
        self.main().apply.is_some() || self.main().is_approved(name)
    }

    /// The brake, in one pass and in one hour.
    fn is_braked(&mut self, name: &DomainName, scene: &Scene<'_>) {
        let (at, brake) = (scene.at, self.brake);
        let facts = self.main_mut();
        let name = &facts.pair_of(name);
        facts.removed.insert(name.clone());
        // By either clock.
        let is_recent =
            |since: super::facts::Moment| at < since.0 + HOUR && scene.clock.since(since.1) < HOUR;
        facts.removals.retain(|(since, other)| is_recent(*since) && other != name);
        facts.removals.push(((at, scene.clock), name.clone()));
        let (pass, hour) = (facts.removed.len(), facts.removals.len());
        let owned = facts.owned.len();
        // What this pass found to be its own counts too.
        let now = facts.entries.values().filter(|entry| entry.owned.is_some());
        let now = facts.pairs_of(now.map(|entry| &entry.domain));
        let mut ever = facts.owned.iter().chain(&now);
        let all = 2 <= owned && ever.all(|it| facts.removed.contains(it));
        let allowed = brake.allows(owned);
        if allowed < pass {
            self.break_("brake-in-a-pass", at, format!("{pass} of {owned}"));
        }
        if brake.allows(owned + hour - pass) < hour {
            self.break_("brake-in-an-hour", at, format!("{hour} of {owned}"));
        }
        if all {
            self.break_("removed-all", at, format!("all {owned}"));
        }
    }
}

/// By the settings of the simulator's world: the network's own names, a shared base, Closte's, and
/// what the operator protects.
pub(crate) fn is_protected(name: &DomainName) -> bool {
    let bare = name.without_www();
    ["net.example", "base.example", "secret.example"].contains(&bare)
        || name.as_str().ends_with(".closte.com")
}

impl super::Facts {
    /// Whether a row that the name was mapped by is there, and holds no name any more.
    pub(crate) fn spoilt(&self, name: &DomainName, entry: Option<&Entry>, tables: &Tables) -> bool {
        let mapped = entry.and_then(|entry| Some(entry.mapped.as_ref()?.mapping_id));
        let mut rows = self.rows.get(name).into_iter().flatten().copied().chain(mapped);
        let is_no_name = |text: &str| text.parse::<DomainName>().is_err();
        rows.any(|id| tables.mappings.get(&id).is_some_and(|row| is_no_name(&row.domain)))
    }
}
