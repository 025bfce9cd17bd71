//! Findings of an entry on their way to and from its row. One that a newer closte-sync wrote and we do
//! not know is left out: the next check finds what is so.

use std::collections::BTreeMap;

use rules::Time;
use rules::finding::{Code, Fact, Finding, RecordAction, RecordChange, Said, Severity};
use serde::{Deserialize, Serialize};

#[derive(Clone, Deserialize, PartialEq, Serialize)]
pub(crate) struct FindingState {
    code: String,
    severity: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    facts: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    records: Vec<RecordState>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<(String, String, i64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
}

#[derive(Clone, Deserialize, PartialEq, Serialize)]
struct RecordState {
    action: String,
    name: String,
    kind: String,
    found: Vec<String>,
    wanted: Vec<String>,
}

impl From<&Finding> for FindingState {
    fn from(finding: &Finding) -> Self {
        let Finding { code, severity, facts, records, evidence, wait_until } = finding;
        let said = |it: &Said| (it.source.clone(), it.said.clone(), it.at.as_millis());
        Self {
            code: code.as_str().to_owned(),
            severity: severity.to_string(),
            facts: facts.iter().map(|(fact, text)| (fact.to_string(), text.clone())).collect(),
            records: records.iter().map(RecordState::from).collect(),
            evidence: evidence.iter().map(said).collect(),
            until: wait_until.map(Time::as_millis),
        }
    }
}

impl From<&RecordChange> for RecordState {
    fn from(record: &RecordChange) -> Self {
        let RecordChange { action, name, kind, found, wanted } = record.clone();
        Self { action: action.to_string(), name, kind, found, wanted }
    }
}

impl FindingState {
    /// None where its code or severity is not known to us.
    pub(crate) fn into_finding(self) -> Option<Finding> {
        let said = |(source, said, at)| Said { source, said, at: Time::from_millis(at) };
        let facts = self.facts.into_iter();
        Some(Finding {
            code: Code::from_word(&self.code)?,
            severity: Severity::from_word(&self.severity)?,
            facts: facts.filter_map(|(fact, text)| Some((Fact::from_word(&fact)?, text))).collect(),
            records: self.records.into_iter().filter_map(RecordState::into_record).collect(),
            evidence: self.evidence.into_iter().map(said).collect(),
            wait_until: self.until.map(Time::from_millis),
        })
    }
}

impl RecordState {
    fn into_record(self) -> Option<RecordChange> {
        let Self { action, name, kind, found, wanted } = self;
        let action = RecordAction::from_word(&action)?;
        Some(RecordChange { action, name, kind, found, wanted })
    }
}
