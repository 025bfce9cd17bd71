//! What `explain` found, as scripts read it.

use engine::ops::{Explained, Explanation};
use engine::texts::findings::{Language, text};
use rules::explain::Lights;
use rules::finding::{Finding, RecordChange, Said};
use serde::Serialize;

use crate::clock::rfc3339;

/// The answer of `explain`.
#[derive(Debug, Serialize)]
pub(crate) struct ExplanationView {
    domains: Vec<ExplainedView>,
    network: Vec<FindingView>,
}

/// Why one domain is as it is.
#[derive(Debug, Serialize)]
struct ExplainedView {
    domain: String,
    display: String,
    mapped: bool,
    ready: bool,
    findings: Vec<FindingView>,
    seen: Vec<SaidView>,
    lights: Option<LightsView>,
    next_check: Option<String>,
    /// The text for its owner, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    for_owner: Option<String>,
}

/// How the three things that a domain needs stand.
#[derive(Debug, Serialize)]
struct LightsView {
    alias: &'static str,
    routing: &'static str,
    certificate: &'static str,
}

/// One finding.
#[derive(Debug, Serialize)]
pub(crate) struct FindingView {
    code: &'static str,
    severity: &'static str,
    actor: &'static str,
    text: String,
    records: Vec<RecordView>,
    evidence: Vec<SaidView>,
    wait_until: Option<String>,
}

#[derive(Debug, Serialize)]
struct RecordView {
    action: &'static str,
    name: String,
    r#type: String,
    found: Vec<String>,
    wanted: Vec<String>,
}

#[derive(Debug, Serialize)]
struct SaidView {
    source: String,
    said: String,
    at: String,
}

impl ExplanationView {
    /// All of it in `language`; with the text for each owner, where `for_owner` makes one.
    pub(crate) fn of(
        explanation: &Explanation,
        language: Language,
        for_owner: impl Fn(&Explained) -> Option<String>,
    ) -> Self {
        let domain = |it: &Explained| ExplainedView {
            domain: it.domain.clone(),
            display: it.display.clone(),
            mapped: it.mapped,
            ready: it.ready,
            findings: FindingView::all(&it.findings, language),
            seen: it.seen.iter().map(SaidView::of).collect(),
            lights: it.lights.map(LightsView::of),
            next_check: it.next_check.map(rfc3339),
            for_owner: for_owner(it),
        };
        Self {
            domains: explanation.domains.iter().map(domain).collect(),
            network: FindingView::all(&explanation.network, language),
        }
    }
}

impl LightsView {
    fn of(lights: Lights) -> Self {
        Self {
            alias: lights.alias.map_or("unknown", |it| if it { "present" } else { "absent" }),
            routing: lights.routing.as_str(),
            certificate: lights.certificate.as_str(),
        }
    }
}

impl FindingView {
    /// All of `findings` in `language`.
    pub(super) fn all(findings: &[Finding], language: Language) -> Vec<Self> {
        findings.iter().map(|finding| Self::of(finding, language)).collect()
    }

    fn of(finding: &Finding, language: Language) -> Self {
        Self {
            code: finding.code.as_str(),
            severity: finding.severity.as_str(),
            actor: finding.actor().as_str(),
            text: text(finding, language),
            records: finding.records.iter().map(RecordView::of).collect(),
            evidence: finding.evidence.iter().map(SaidView::of).collect(),
            wait_until: finding.wait_until.map(rfc3339),
        }
    }
}

impl RecordView {
    fn of(change: &RecordChange) -> Self {
        Self {
            action: change.action.as_str(),
            name: change.name.clone(),
            r#type: change.kind.clone(),
            found: change.found.clone(),
            wanted: change.wanted.clone(),
        }
    }
}

impl SaidView {
    fn of(said: &Said) -> Self {
        let Said { source, said, at } = said.clone();
        Self { source, said, at: rfc3339(at) }
    }
}
