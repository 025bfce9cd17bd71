//! What was seen of a domain, whether anything is wrong with it or not.

use super::{Case, DnsRule, Evidence, Policy, Situation, Subject, certificate, dns, service};
use crate::Entry;
use crate::entry::{Certificate, Routing};
use crate::evidence::Deep;
use crate::finding::Said;
use crate::judge::{self, View};
use crate::proof::Asking;

/// How the three things that a domain needs stand now, each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lights {
    /// Whether the host's list shows it; none where that could not be read.
    pub alias: Option<bool>,
    pub routing: Routing,
    pub certificate: Certificate,
}

/// Who said what: the addresses that each resolver gives, what each of those that are targets
/// presents, and what WordPress proved there.
pub fn seen(
    subject: &Subject<'_>,
    evidence: &Evidence<'_>,
    situation: &Situation<'_>,
    policy: &Policy<'_>,
) -> Vec<Said> {
    let case = Case { subject, evidence, situation, policy };
    let resolvers = dns::said_now(&case);
    let certificates = case.visited();
    let certificates = certificates.iter().map(|it| certificate::said(&case, it));
    let proofs = evidence.check.proof.iter().map(|it| service::said(&case, it));
    resolvers.into_iter().chain(certificates).chain(proofs).collect()
}

/// The states that a pass would give a domain of which nothing is remembered.
pub fn lights(
    subject: &Subject<'_>,
    evidence: &Evidence<'_>,
    situation: &Situation<'_>,
    policy: &Policy<'_>,
) -> Lights {
    let mut check = evidence.check.clone();
    if let (DnsRule::All, Some(Deep { resolvers, .. })) = (policy.dns, evidence.deep) {
        let each = resolvers.iter().map(|it| it.answer.observed()).collect();
        check = judge::agreed(check, each, situation.targets);
    }
    let view = View {
        targets: situation.targets,
        interval: situation.network.settings.dns_check_interval,
        dashboard: policy.dashboard,
        asking: &Asking::Never,
        stages: policy.stages,
        others_answer: true,
        dns: policy.dns,
        mappings: &situation.network.mappings,
        now: policy.now,
        chance: 0.0,
    };
    let mut entry = Entry::new(subject.name.clone(), None, policy.now);
    judge::judge(&mut entry, &check, &view);
    let (routing, certificate) = (entry.routing.state, entry.certificate.state);
    Lights { alias: subject.at_host, routing, certificate }
}
