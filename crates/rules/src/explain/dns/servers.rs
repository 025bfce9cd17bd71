//! The servers that a domain is delegated to: which of them answer, and whether they agree.

use super::super::records::{record, right_addresses};
use super::super::{Case, list};
use super::{answer_text, is_here};
use crate::evidence::{Answer, Authority, Deep, ServerSaid, WalkEnd, ZoneSaid};
use crate::finding::{Code, Fact, Finding, RecordAction, RecordChange, Said, Severity};

/// What all servers of a domain's zone said.
pub(super) struct Servers<'a> {
    case: &'a Case<'a>,
    zone: &'a str,
    said: Vec<&'a ServerSaid>,
    /// The authoritative answers, each followed to where its CNAME records lead.
    answers: Vec<(&'a ServerSaid, Answer)>,
}

impl<'a> Servers<'a> {
    pub(super) fn of(case: &'a Case<'a>, deep: &'a Deep) -> Self {
        Self::of_zone(case, &deep.zones, deep.zones.first())
    }

    /// What is wrong with servers of the zones that CNAME records lead into, where none of a zone's
    /// answers.
    pub(super) fn of_target(case: &Case<'_>, deep: &Deep) -> Vec<Finding> {
        let targets = deep.zones.iter().skip(1);
        let targets = targets.map(|zone| Servers::of_zone(case, &deep.zones, Some(zone)));
        targets.filter(|it| it.answers.is_empty()).flat_map(|it| it.findings()).collect()
    }

    fn of_zone(case: &'a Case<'a>, zones: &[ZoneSaid], walked: Option<&'a ZoneSaid>) -> Self {
        let zone = match walked.map(|it| &it.end) {
            Some(WalkEnd::Reached { zone, .. }) => zone.as_str(),
            _ => "",
        };
        let said: Vec<_> = walked.into_iter().flat_map(|it| &it.servers).collect();
        let name: Vec<&str> = walked.iter().map(|it| it.name.as_str()).collect();
        let answers = said.iter().filter_map(|it| match &it.said {
            Authority::Answered(answer) => Some((*it, followed(answer, zones, &name))),
            _ => None,
        });
        let answers = answers.collect();
        Self { case, zone, said, answers }
    }

    /// What all authoritative servers answer, where they agree, and one that does.
    pub(super) fn agreed(&self) -> Option<(String, &Answer)> {
        let (by, first) = self.answers.first()?;
        // A target whose own servers could not be asked is not known.
        let is_known =
            !matches!(first, Answer::LedOut { .. } | Answer::Failed { .. } | Answer::Silent { .. });
        (is_known && !self.disagree()).then(|| (name_of(by), first))
    }

    /// Whether they answer differently, and not all of it is here: some give addresses in turns.
    pub(super) fn disagree(&self) -> bool {
        let same = |a: &Answer, b: &Answer| (a.found(), kind(a)) == (b.found(), kind(b));
        let targets = self.case.situation.targets;
        self.answers.windows(2).any(|two| !same(&two[0].1, &two[1].1))
            && !self.answers.iter().all(|(_, answer)| is_here(answer, targets))
    }

    /// That servers answer differently, with what to change at those that are wrong.
    pub(super) fn disagreement(&self) -> Finding {
        let targets = self.case.situation.targets;
        let wrong = self.answers.iter().filter(|(_, answer)| !is_here(answer, targets));
        let wrong: Vec<_> = wrong.collect();
        let name = self.case.subject.name.as_str();
        let mut records: Vec<RecordChange> = Vec::new();
        for (_, answer) in &wrong {
            let none = std::collections::BTreeSet::new();
            let changes = right_addresses(name, answer.found().unwrap_or(&none), targets);
            records.extend(changes.into_iter().filter(|it| it.action != RecordAction::Keep));
        }
        records.sort_by(|a, b| (&a.kind, &a.found).cmp(&(&b.kind, &b.found)));
        records.dedup();
        let who = list(wrong.iter().map(|(server, _)| name_of(server)));
        let finding = Finding::new(Code::ServersDisagree).with(Fact::Server, who);
        finding.with(Fact::Zone, self.zone).records(records).evidence(self.evidence())
    }

    /// Servers that do not do their part.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let one_answers = !self.answers.is_empty();
        let of = |wanted: fn(&Authority) -> bool| -> Vec<&ServerSaid> {
            self.said.iter().copied().filter(|it| wanted(&it.said)).collect()
        };
        let lame = of(|it| matches!(it, Authority::Lame { .. } | Authority::NoAddress));
        let failed = of(|it| matches!(it, Authority::Failed { .. }));
        let silent = of(|it| matches!(it, Authority::Silent { .. }));
        let (lame, failed) =
            if one_answers { ([lame, failed].concat(), Vec::new()) } else { (lame, failed) };
        let severity = if one_answers { Severity::Warn } else { Severity::Error };
        let finding = |code, servers: Vec<&ServerSaid>| {
            let who = list(servers.iter().map(|it| name_of(it)));
            let finding = Finding::new(code).as_bad_as(severity).with(Fact::Server, who);
            finding.with(Fact::Zone, self.zone).evidence(self.evidence())
        };
        let mut found = Vec::new();
        if !lame.is_empty() {
            found
                .push(finding(Code::LameDelegation, lame.clone()).records([self.change_ns(&lame)]));
        }
        if !silent.is_empty() {
            found.push(finding(Code::DnsTimeout, silent));
        }
        if !failed.is_empty() {
            found.push(finding(Code::Servfail, failed));
        }
        found
    }

    /// The delegation without the servers that do not answer for the zone.
    fn change_ns(&self, lame: &[&ServerSaid]) -> RecordChange {
        let names = |servers: &mut dyn Iterator<Item = &ServerSaid>| {
            let mut names: Vec<String> = servers.map(|it| format!("{}.", it.server)).collect();
            names.sort();
            names.dedup();
            names
        };
        let found = names(&mut self.said.iter().copied());
        let wanted = names(&mut self.answers.iter().map(|(server, _)| *server));
        let is_lame = |it: &str| lame.iter().any(|lame| format!("{}.", lame.server) == it);
        let wanted = if wanted.iter().any(|it| is_lame(it)) { Vec::new() } else { wanted };
        record(RecordAction::Change, (self.zone, "NS"), found, wanted)
    }

    fn evidence(&self) -> Vec<Said> {
        let said = |it: &&ServerSaid| self.case.said(name_of(it), said(it));
        self.said.iter().map(said).collect()
    }
}

/// `answer`, or where its CNAME records lead out of the zone what the servers of the target's zone
/// say; `before` are the names that led here.
fn followed(answer: &Answer, zones: &[ZoneSaid], before: &[&str]) -> Answer {
    let Answer::LedOut { through } = answer else { return answer.clone() };
    let Some(target) = through.last() else { return answer.clone() };
    if before.contains(&target.as_str()) {
        return Answer::Circle { through: through.clone() };
    }
    let next = zones.iter().find(|zone| zone.name == *target);
    let before = [before, &[target]].concat();
    let there = next.into_iter().flat_map(|zone| &zone.servers).find_map(|it| match &it.said {
        Authority::Answered(answer) => Some(answer),
        _ => None,
    });
    let nowhere = next.is_some_and(|it| matches!(it.end, WalkEnd::NotDelegated { .. }));
    match there.map(|it| followed(it, zones, &before)) {
        None if nowhere => Answer::Dangling { through: through.clone() },
        None => answer.clone(),
        Some(there) => behind(through, there),
    }
}

/// What is said of a CNAME's target, as it is said of who points there.
fn behind(led: &[String], there: Answer) -> Answer {
    let through = || [led, there.through()].concat();
    match &there {
        Answer::Addresses { found, ttl, .. } => {
            Answer::Addresses { found: found.clone(), through: through(), ttl: *ttl }
        }
        Answer::NoSuchName { .. } | Answer::Dangling { .. } => {
            Answer::Dangling { through: through() }
        }
        Answer::NoAddress { ttl, .. } => Answer::NoAddress { through: through(), ttl: *ttl },
        Answer::Circle { .. } => Answer::Circle { through: through() },
        Answer::LedOut { .. } => Answer::LedOut { through: through() },
        Answer::Failed { .. } | Answer::Silent { .. } => there,
    }
}

fn kind(answer: &Answer) -> u8 {
    match answer {
        Answer::Addresses { .. } => 0,
        Answer::NoSuchName { .. } => 1,
        Answer::NoAddress { .. } => 2,
        Answer::Dangling { .. } => 3,
        Answer::Circle { .. } => 4,
        Answer::LedOut { .. } => 5,
        Answer::Failed { .. } => 6,
        Answer::Silent { .. } => 7,
    }
}

fn name_of(server: &ServerSaid) -> String {
    match server.address {
        Some(address) => format!("{} ({address})", server.server),
        None => server.server.clone(),
    }
}

fn said(server: &ServerSaid) -> String {
    match &server.said {
        Authority::Answered(answer) => answer_text(answer),
        Authority::Lame { detail } => format!("is not responsible: {detail}"),
        Authority::Failed { code } => code.clone(),
        Authority::Silent { detail } => format!("no answer: {detail}"),
        Authority::NoAddress => "its name has no address".to_owned(),
        Authority::Forbidden { detail } => format!("was not asked: {detail}"),
    }
}
