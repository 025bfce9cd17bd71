//! What answers there, and whether WordPress serves the site under the domain.

use std::net::IpAddr;

use super::rows::in_row;
use super::{Case, Serving, is_out_of_reach, list};
use crate::evidence::FrontPage;
use crate::finding::{Code, Fact, Finding, Said, Severity};
use crate::network::{Hidden, Switch};
use crate::probe::ProofObservation;
use crate::stage;
use crate::{DomainName, Mapping};

/// Where WordPress sends visitors of a domain that it does not serve (facts: the tables).
const SIGN_UP: &str = "wp-signup.php";

/// What the routing proof says.
pub(super) fn of_web(case: &Case<'_>) -> Option<Finding> {
    let answers = &case.evidence.check.proof;
    let ids = answers.iter().filter_map(|(ip, seen)| match seen {
        ProofObservation::Answered(id) => Some((*ip, *id)),
        ProofObservation::NoProof { .. } => None,
    });
    let ids: Vec<(IpAddr, u64)> = ids.collect();
    let first = case.situation.rows.ours(case.subject.name).first().copied()?;
    let wrong = ids.iter().find(|(_, id)| !is_right(case, first, *id));
    match wrong {
        Some((ip, id)) => Some(of_answer(case, *ip, *id)),
        None if !ids.is_empty() => None,
        None => no_proof(case),
    }
}

fn known<'a>(case: &Case<'a>, id: u64) -> Option<&'a Mapping> {
    case.situation.network.mappings.iter().find(|mapping| mapping.id == id)
}

/// Whether `id` is a mapping of the name, or of its twin, to the same site.
fn is_right(case: &Case<'_>, first: &Mapping, id: u64) -> bool {
    let same = |a: &DomainName, b: &DomainName| a.without_www() == b.without_www();
    let known = known(case, id);
    id == first.id
        || known.is_some_and(|it| it.site_id == first.site_id && same(&it.domain, &first.domain))
}

/// The address answers for another mapping: of this network, or of another WordPress.
fn of_answer(case: &Case<'_>, ip: IpAddr, id: u64) -> Finding {
    let said = said(case, &(ip, ProofObservation::Answered(id)));
    match known(case, id) {
        Some(other) => {
            let other = format!("{} (mapping {id}, site {})", other.domain, other.site_id);
            Finding::new(Code::OtherMapping).with(Fact::Other, other).evidence([said])
        }
        // Rows may be missing of a network that changed while it was read.
        None if case.situation.network.moved => Finding::new(Code::NoProof).evidence([said]),
        None => {
            Finding::new(Code::OtherServer).with(Fact::Address, ip.to_string()).evidence([said])
        }
    }
}

/// What an address answered when WordPress was asked for its proof.
pub(super) fn said(case: &Case<'_>, (ip, answer): &(IpAddr, ProofObservation)) -> Said {
    let said = match answer {
        ProofObservation::Answered(id) => format!("answers for mapping {id}"),
        ProofObservation::NoProof { detail } => detail.clone(),
    };
    case.said(ip.to_string(), said)
}

/// Nothing was proven, where it was asked for or is required.
fn no_proof(case: &Case<'_>) -> Option<Finding> {
    let answers = &case.evidence.check.proof;
    let required = case.policy.stages.require_proof;
    if answers.is_empty() && !required || case.subject.name.is_wildcard() {
        return None;
    }
    let finding = Finding::new(Code::NoProof).evidence(answers.iter().map(|it| said(case, it)));
    Some(if required { finding.as_bad_as(Severity::Error) } else { finding })
}

/// What keeps WordPress from serving the domain although it is reached; `found` is what was found so
/// far.
pub(super) fn of_mapping(case: &Case<'_>, found: &[Finding]) -> Vec<Finding> {
    let situation = case.situation;
    let Some(row) = situation.rows.ours(case.subject.name).first().copied() else {
        return Vec::new();
    };
    let mut here = Vec::new();
    if situation.network.settings.domain_mapping == Switch::Off {
        here.push(Finding::new(Code::MappingDisabled));
    }
    if situation.serving == Serving::MapsNothing {
        here.push(Finding::new(Code::NoSunrise));
    }
    if !row.active {
        here.push(in_row(Code::MappingInactive, row));
    }
    let site = situation.network.sites.get(&row.site_id);
    if site.and_then(|site| site.hidden) == Some(Hidden::Archived) {
        here.push(in_row(Code::SiteArchived, row));
    }
    here.extend(hand_written_stage(case, row));
    here.extend(unseen(case, found));
    let is_explained = !here.is_empty() || found.iter().any(explains_service);
    here.extend(sign_up(case, row).filter(|_| !is_explained));
    here
}

/// It is served, and nothing could be seen of it.
fn unseen(case: &Case<'_>, found: &[Finding]) -> Option<Finding> {
    let is_explained = found.iter().any(|it| it.severity == Severity::Error);
    let check = &case.evidence.check;
    let is_seen =
        check.dns.is_answer() && (check.tls.is_empty() || !check.tls.iter().all(is_out_of_reach));
    (case.is_served() && !is_seen && !is_explained).then(|| Finding::new(Code::Unseen))
}

/// Whether a finding says by itself why WordPress does not serve the domain.
fn explains_service(finding: &Finding) -> bool {
    let rows = Code::SpellingNeverMatched..=Code::OtherRowWins;
    finding.severity == Severity::Error
        && (rows.contains(&finding.code) || finding.code == Code::OtherMapping)
}

/// The stage is neither what we wrote last nor what the three states give.
fn hand_written_stage(case: &Case<'_>, row: &Mapping) -> Option<Finding> {
    let (entry, written) = (case.subject.entry?, case.subject.written?);
    let network = case.situation.network;
    let mut now = entry.clone();
    let mapped = now.mapped.as_mut().filter(|mapped| mapped.left_alone.is_none())?;
    (mapped.stage, mapped.secure) = (row.stage, row.secure);
    if row.stage == Some(written) {
        return None;
    }
    let policy = case.policy;
    let domain = &network.identity.domain;
    // Where it is what the states give, nothing is left to write.
    stage::project(&now, policy.stages, &network.stage_words, domain, policy.now)?;
    let is_served = row.stage.is_some_and(crate::Stage::is_served);
    let severity = if is_served { Severity::Warn } else { Severity::Error };
    let is = row.stage.map_or("", crate::Stage::as_str);
    let finding = in_row(Code::StageByHand, row).as_bad_as(severity).with(Fact::Detail, is);
    Some(finding.with(Fact::Other, written.as_str()))
}

/// WordPress sends visitors to its sign-up page although the stage is a served one.
fn sign_up(case: &Case<'_>, row: &Mapping) -> Option<Finding> {
    let fronts = case.deep().into_iter().flat_map(|deep| &deep.front);
    let leads = |page: &FrontPage| page.location.as_ref().is_some_and(|to| to.contains(SIGN_UP));
    let pages: Vec<_> = fronts.filter(|(_, page)| leads(page)).collect();
    if pages.is_empty() || !row.stage.is_some_and(crate::Stage::is_served) {
        return None;
    }
    let code =
        if case.situation.network.object_cache { Code::CacheStale } else { Code::SignUpPage };
    let said = pages.iter().map(|(ip, page)| {
        let to = page.location.as_deref().unwrap_or_default();
        case.said(ip.to_string(), format!("status {} to {to}", page.status))
    });
    Some(in_row(code, row).with(Fact::Address, list(pages.iter().map(|it| it.0))).evidence(said))
}
