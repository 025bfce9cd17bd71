//! What the engine knows, as the plugin's pages in WordPress show it.

use rules::action::Deferred;
use rules::explain::Headline;
use rules::finding::{Actor, Finding, RecordChange};
use rules::plugin_client::{
    ExplainedName, Light, PageAnswer, PluginAlert, PluginDomain, PluginReport, Standby, StatusPage,
};
use rules::{DomainName, Entry, Problem, Time};
use serde_json::{Map, Value, json};

use super::Engine;

/// The most deferred steps that are named; their number is told anyway.
const MOST_DEFERRED: usize = 50;

/// The body of a report.
pub(super) fn body(engine: &Engine, report: &PluginReport<'_>) -> Value {
    let counts = report
        .tally
        .stages
        .iter()
        .map(|(stage, count)| (stage.as_str().to_owned(), (*count).into()));
    let mut body = json!({
        "engine": engine.version,
        "at": seconds(report.at),
        "ledger": report.ledger,
        "silence": engine.silence.as_secs(),
        "nudge": { "url": engine.nudge_url, "file": engine.nudge_file },
        "panel": engine.panel,
        // An older plugin knows only the texts.
        "alerts": report.alerts.iter().map(|it| format!("{}: {}", it.what, it.hint)).collect::<Vec<_>>(),
        "notices": report.alerts.iter().map(notice).collect::<Vec<_>>(),
        "problems": report.problems.iter().map(Problem::to_string).collect::<Vec<_>>(),
        "counts": Value::Object(counts.collect()),
        "ready": report.tally.ready,
        "waiting": report.tally.waiting,
        "plan": report.plan,
        "deferred": report.deferred.iter().take(MOST_DEFERRED).map(deferred).collect::<Vec<_>>(),
        "deferred_count": report.deferred.len(),
        "answers": answers(report.answers),
        "pages": report.pages.iter().map(page).collect::<Map<_, _>>(),
        "log": report.log,
    });
    if let Some(entries) = &report.entries {
        body["domains"] = entries.iter().filter_map(domain).collect::<Map<_, _>>().into();
    }
    body
}

/// An alert with its code, as the plugin shows and lets a user dismiss it.
fn notice(alert: &PluginAlert) -> Value {
    let PluginAlert { code, domain, what, hint } = alert;
    json!({ "code": code, "domain": domain.as_ref().map(DomainName::as_str), "what": what, "hint": hint })
}

/// What an installation says that does not act.
pub(super) fn standby(standby: &Standby<'_>) -> Value {
    let home = standby.home;
    json!({
        "at": seconds(standby.at),
        "ledger": home.ledger,
        "app": home.app, "domain": home.domain,
        "host": home.place.host, "user": home.place.user, "path": home.place.path,
        "alert": { "code": standby.code, "text": standby.text, "hint": standby.hint },
        "answers": answers(standby.answers),
    })
}

fn answers(answers: &[PageAnswer]) -> Vec<Value> {
    let answer = |answer: &PageAnswer| {
        let (text, hint) = answer.refused.clone().unzip();
        let mut value = json!({
            "id": answer.id, "done": text.is_none(), "text": text, "hint": hint.flatten(),
        });
        if let Some(name) = &answer.explained {
            value["explained"] = explained(name);
        }
        value
    };
    answers.iter().map(answer).collect()
}

/// What stands in the way of a name.
fn explained(name: &ExplainedName) -> Value {
    let ExplainedName { domain, display, ready, findings } = name;
    let finding = |(it, text): &(Finding, String)| {
        json!({
            "code": it.code.as_str(),
            "severity": it.severity.as_str(),
            "turn": it.actor().as_str(),
            "text": text,
            "records": it.records.iter().map(record).collect::<Vec<_>>(),
        })
    };
    let findings: Vec<_> = findings.iter().map(finding).collect();
    json!({ "domain": domain, "display": display, "ready": ready, "findings": findings })
}

/// What an owner reads, by the id of the mapping.
fn page(page: &StatusPage) -> (String, Value) {
    let light =
        |it: &Light| json!({ "light": it.light, "state": it.state, "since": seconds(it.since) });
    let value = json!({
        "domain": page.domain.as_str(),
        "display": page.domain.display(),
        "ready": page.ready,
        "turn": page.turn.map(Actor::as_str),
        "lights": page.lights.iter().map(light).collect::<Vec<_>>(),
        "texts": page.texts,
        "records": page.records.iter().map(record).collect::<Vec<_>>(),
        "last": page.last.map(seconds),
        "next": seconds(page.next),
    });
    (page.mapping_id.to_string(), value)
}

fn record(record: &RecordChange) -> Value {
    let RecordChange { action, name, kind, found, wanted } = record;
    json!({
        "action": action.as_str(), "name": name, "type": kind, "found": found, "wanted": wanted,
    })
}

fn deferred(step: &Deferred) -> Value {
    json!({
        "action": step.action.as_str(),
        "domain": step.domain.as_str(),
        "reason": step.reason.code(),
        "text": step.reason.sentence(),
        "release": step.release.as_str(),
        "until": step.until.map(seconds),
    })
}

/// A mapped domain by the id of its mapping.
fn domain(domain: &PluginDomain<'_>) -> Option<(String, Value)> {
    let PluginDomain { entry, headline, text } = domain;
    let mapped = entry.mapped.as_ref()?;
    let finding = headline.as_ref().and_then(Headline::finding);
    let value = json!({
        "domain": entry.domain.as_str(),
        "ready": entry.is_ready(),
        "person": domain.needs_somebody(),
        "alias": entry.alias.state.as_str(),
        "routing": entry.routing.state.as_str(),
        "certificate": entry.certificate.state.as_str(),
        "finding": finding.map(|it| it.code.as_str()),
        "turn": headline.as_ref().and_then(Headline::turn).map(Actor::as_str),
        // An older plugin knows only this.
        "reason": entry.why().map(|why| why.reason.code()),
        "text": headline.as_ref().map(|_| text),
        "since": seconds(since(entry)),
        "next": seconds(entry.checks.due),
    });
    Some((mapped.mapping_id.to_string(), value))
}

/// Since when it is as it is: by its first reason, else since the last of its states changed.
fn since(entry: &Entry) -> Time {
    let last = entry.alias.since.max(entry.routing.since).max(entry.certificate.since);
    entry.why().and_then(|why| why.since).unwrap_or(last)
}

fn seconds(time: Time) -> i64 {
    time.as_millis().div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use rules::action::{Action, Release};
    use rules::entry::{Alias, Certificate, Mapped, Routing};
    use rules::explain;
    use rules::finding::{Code, RecordAction};
    use rules::{Reason, Stage, Tally};

    const NOW: Time = Time::from_millis(1_795_000_000_500);

    fn entry() -> Entry {
        let mapped = Mapped {
            mapping_id: 41,
            site_id: 2,
            stage: Some(Stage::CheckingDns),
            secure: false,
            left_alone: None,
        };
        let mut entry = Entry::new("shop.example".parse().unwrap(), Some(mapped), NOW);
        entry.alias.set(NOW, Alias::Present, None, None);
        entry.routing.set(NOW, Routing::Elsewhere, Some(Reason::OtherAddress), None);
        let unknown = (Certificate::Unknown, Some(Reason::NotRoutedHere));
        entry.certificate.set(NOW, unknown.0, unknown.1, None);
        entry.findings = vec![Finding::new(Code::CnameElsewhere)];
        entry.checks.due = NOW + Duration::from_mins(5);
        entry
    }

    fn with_headline(entry: &Entry) -> PluginDomain<'_> {
        PluginDomain { entry, headline: explain::headline(entry), text: "It is so.".to_owned() }
    }

    fn report<'a>(
        entries: Option<Vec<PluginDomain<'a>>>,
        problems: &'a [Problem],
    ) -> PluginReport<'a> {
        let stages = BTreeMap::from([(Stage::CheckingDns, 1)]);
        PluginReport {
            at: NOW,
            ledger: "l-1",
            alerts: &[],
            problems,
            tally: Tally { ready: 0, waiting: 1, stages },
            plan: None,
            deferred: &[],
            answers: &[],
            entries,
            pages: Vec::new(),
            log: vec!["a line".to_owned()],
        }
    }

    fn engine() -> Engine {
        Engine {
            version: "0.1.0".to_owned(),
            silence: Duration::from_hours(1),
            nudge_url: None,
            nudge_file: Some("/home/app1/ledger.db.nudge".into()),
            panel: None,
        }
    }

    #[test]
    fn a_report_is_what_the_protocol_says() {
        let entry = entry();
        let problems =
            [Problem::in_row("wp_blogs", "domain", 5, "odd"), Problem::of_all("all of it")];
        let alert = |code, domain: Option<&str>| PluginAlert {
            code,
            domain: domain.map(|it| it.parse().unwrap()),
            what: "it is so".to_owned(),
            hint: "act".to_owned(),
        };
        let alerts = [alert("brake", None), alert("doubt", Some("a.example"))];
        let report = PluginReport {
            alerts: &alerts,
            ..report(Some(vec![with_headline(&entry)]), &problems)
        };
        let body = body(&engine(), &report);
        let want = json!({
            "engine": "0.1.0", "at": 1_795_000_000, "ledger": "l-1", "silence": 3600,
            "nudge": { "url": null, "file": "/home/app1/ledger.db.nudge" },
            "panel": null, "alerts": ["it is so: act", "it is so: act"],
            "notices": [
                { "code": "brake", "domain": null, "what": "it is so", "hint": "act" },
                { "code": "doubt", "domain": "a.example", "what": "it is so", "hint": "act" },
            ],
            "problems": ["wp_blogs.domain 5: odd", "all of it"],
            "counts": { "checking-dns": 1 }, "ready": 0, "waiting": 1,
            "plan": null, "deferred": [], "deferred_count": 0, "answers": [], "pages": {},
            "domains": { "41": {
                "domain": "shop.example", "ready": false, "person": true,
                "alias": "present", "routing": "elsewhere", "certificate": "unknown",
                "finding": "cname-elsewhere", "turn": "owner",
                "reason": "other-address", "text": "It is so.",
                "since": 1_795_000_000,
                "next": 1_795_000_300,
            }},
            "log": ["a line"],
        });
        assert_eq!(body, want);
    }

    #[test]
    fn what_is_deferred_is_named_up_to_a_limit_and_counted_beyond() {
        let step = |number: u32| Deferred {
            action: Action::RemoveAlias,
            domain: format!("d{number}.example").parse().unwrap(),
            reason: Reason::Brake,
            release: Release::Apply,
            until: Some(NOW),
            after: None,
        };
        let deferred: Vec<_> = (0..60).map(step).collect();
        let refused = ("too late".to_owned(), Some("look again".to_owned()));
        let answers = [
            PageAnswer { id: "a".to_owned(), refused: None, explained: None },
            PageAnswer { id: "b".to_owned(), refused: Some(refused), explained: None },
        ];
        let report = PluginReport {
            plan: Some("0123"),
            deferred: &deferred,
            answers: &answers,
            ..report(None, &[])
        };
        let body = body(&engine(), &report);
        assert_eq!((&body["plan"], &body["deferred_count"]), (&json!("0123"), &json!(60)));
        assert_eq!(body["deferred"].as_array().unwrap().len(), 50);
        let first = json!({
            "action": "remove-alias", "domain": "d0.example", "reason": "brake",
            "text": Reason::Brake.sentence(), "release": "apply", "until": 1_795_000_000,
        });
        assert_eq!(body["deferred"][0], first);
        let answers = json!([
            { "id": "a", "done": true, "text": null, "hint": null },
            { "id": "b", "done": false, "text": "too late", "hint": "look again" },
        ]);
        assert_eq!(body["answers"], answers);
    }

    #[test]
    fn owners_and_who_asked_about_a_name_are_told_in_words_and_records() {
        let change = RecordChange {
            action: RecordAction::Change,
            name: "shop.example".to_owned(),
            kind: "A".to_owned(),
            found: vec!["192.0.2.77".to_owned()],
            wanted: vec!["203.0.113.7".to_owned()],
        };
        let light = |light, state| Light { light, state, since: NOW };
        let page = StatusPage {
            mapping_id: 41,
            domain: "xn--caf-dma.example".parse().unwrap(),
            ready: false,
            turn: Some(Actor::Owner),
            lights: [
                light("hosting", "present"),
                light("dns", "elsewhere"),
                light("certificate", "unknown"),
            ],
            texts: BTreeMap::from([
                ("en", "Change it.".to_owned()),
                ("nl", "Wijzig het.".to_owned()),
            ]),
            records: vec![change.clone()],
            last: None,
            next: NOW,
        };
        let finding = Finding::new(Code::OtherAddress).records([change]);
        let explained = ExplainedName {
            domain: "new.example".to_owned(),
            display: "new.example".to_owned(),
            ready: false,
            findings: vec![(finding, "Change it.".to_owned())],
        };
        let answers =
            [PageAnswer { id: "a".to_owned(), refused: None, explained: Some(explained) }];
        let report = PluginReport { answers: &answers, pages: vec![page], ..report(None, &[]) };
        let body = body(&engine(), &report);
        let record = json!({
            "action": "change", "name": "shop.example", "type": "A",
            "found": ["192.0.2.77"], "wanted": ["203.0.113.7"],
        });
        let light =
            |light, state| json!({ "light": light, "state": state, "since": 1_795_000_000 });
        let page = json!({
            "domain": "xn--caf-dma.example", "display": "café.example",
            "ready": false, "turn": "owner",
            "lights": [light("hosting", "present"), light("dns", "elsewhere"), light("certificate", "unknown")],
            "texts": { "en": "Change it.", "nl": "Wijzig het." }, "records": [record],
            "last": null, "next": 1_795_000_000,
        });
        assert_eq!(body["pages"], json!({ "41": page }));
        let finding = json!({
            "code": "other-address", "severity": "error", "turn": "owner",
            "text": "Change it.", "records": [record],
        });
        let explained = json!({
            "domain": "new.example", "display": "new.example", "ready": false, "findings": [finding],
        });
        let answer =
            json!({ "id": "a", "done": true, "text": null, "hint": null, "explained": explained });
        assert_eq!(body["answers"], json!([answer]));
    }

    #[test]
    fn domains_are_left_out_where_nothing_has_changed() {
        assert_eq!(body(&engine(), &report(None, &[])).get("domains"), None);
        let none = body(&engine(), &report(Some(Vec::new()), &[]));
        assert_eq!(none.get("domains"), Some(&json!({})));
    }

    #[test]
    fn a_ready_domain_has_no_headline_and_what_is_not_mapped_no_page() {
        let mut entry = entry();
        entry.findings.clear();
        entry.routing.set(NOW, Routing::Here, None, None);
        entry.certificate.set(NOW, Certificate::Valid, None, None);
        let (_, ready) = domain(&with_headline(&entry)).unwrap();
        let shown = ["finding", "turn", "reason", "text", "person"].map(|field| &ready[field]);
        assert_eq!(shown, [&json!(null), &json!(null), &json!(null), &json!(null), &json!(false)]);
        entry.mapped = None;
        assert_eq!(domain(&with_headline(&entry)), None);
    }
}
