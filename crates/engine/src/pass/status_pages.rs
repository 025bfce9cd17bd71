//! What the owners of domains read on their status pages, by what the last checks found.

use std::collections::BTreeSet;

use rules::Entry;
use rules::explain;
use rules::finding::{Actor, Finding, Severity};
use rules::plugin_client::{Light, StatusPage};

use super::Entries;
use crate::texts::findings::{ForOwner, Language};

/// The pages of those `mappings` that `entries` knows.
pub(super) fn status_pages(entries: &Entries, mappings: &BTreeSet<u64>) -> Vec<StatusPage> {
    if mappings.is_empty() {
        return Vec::new();
    }
    let of_entry = |entry| {
        let rows = Entry::rows(entry).filter(|id| mappings.contains(id));
        rows.map(|id| page(id, entry)).collect::<Vec<_>>()
    };
    entries.values().filter(|entry| entry.mapped.is_some()).flat_map(of_entry).collect()
}

fn page(mapping_id: u64, entry: &Entry) -> StatusPage {
    let (display, findings) = (entry.domain.display(), explain::of_entry(entry));
    let ready = entry.is_ready();
    let owner = ForOwner { domain: &display, ready, findings: &findings, next_check: None };
    let first = findings.iter().find(|it| it.severity != Severity::Info);
    let turn = if owner.is_their_turn() { Some(Actor::Owner) } else { first.map(Finding::actor) };
    StatusPage {
        mapping_id,
        domain: entry.domain.clone(),
        ready,
        turn,
        lights: lights(entry),
        texts: Language::ALL.map(|it| (it.code(), owner.said(it))).into_iter().collect(),
        records: owner.records(),
        last: entry.checks.last,
        next: entry.checks.due,
    }
}

fn lights(entry: &Entry) -> [Light; 3] {
    let Entry { alias, routing, certificate, .. } = entry;
    [
        Light { light: "hosting", state: alias.state.as_str(), since: alias.since },
        Light { light: "dns", state: routing.state.as_str(), since: routing.since },
        Light { light: "certificate", state: certificate.state.as_str(), since: certificate.since },
    ]
}
