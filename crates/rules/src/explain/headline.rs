//! What is told of a domain before all else: its first finding, and whose turn it is.

use std::borrow::Cow;

use super::{order, recorded};
use crate::entry::{Entry, Why};
use crate::finding::{Actor, Code, Finding, Severity};

/// What is told of a domain before all else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Headline<'a> {
    /// The first of its findings.
    Found(Cow<'a, Finding>),
    /// Why one of its states is as it is and whose turn it is, where no finding tells it: in a ledger
    /// of an older version, of a name whose mapping is gone.
    State(Why<'a>, Actor),
}

impl Headline<'_> {
    /// What it is.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Found(finding) => finding.code.as_str(),
            Self::State(why, _) => why.reason.code(),
        }
    }

    /// The finding, where it is one.
    pub fn finding(&self) -> Option<&Finding> {
        match self {
            Self::Found(finding) => Some(finding),
            Self::State(..) => None,
        }
    }

    /// Whose turn it is; none where nothing has to be done or waited for.
    pub fn turn(&self) -> Option<Actor> {
        match self {
            Self::Found(finding) => finding.turn(),
            Self::State(_, actor) => Some(*actor),
        }
    }

    /// Whether it stays as it is until somebody acts.
    pub fn needs_somebody(&self) -> bool {
        let is_error = self.finding().is_none_or(|it| it.severity == Severity::Error);
        is_error && self.turn().is_some_and(|actor| actor != Actor::Nobody)
    }
}

/// What is told of `entry` before all else; none where there is nothing to tell. What is only worth
/// knowing says nothing against a domain, but that a name is protected is told. Nobody waits for a
/// twin that is not at the host.
pub fn headline(entry: &Entry) -> Option<Headline<'_>> {
    if entry.is_candidate() {
        return None;
    }
    let is_told =
        |it: &Cow<'_, Finding>| it.severity != Severity::Info || it.code == Code::ProtectedName;
    let first = recorded::all(entry).filter(is_told).min_by_key(|it| order(it));
    first.map(Headline::Found).or_else(|| of_state(entry))
}

/// The first reason of its states. Of a domain that is mapped it is somebody's turn where waiting does
/// not help.
fn of_state(entry: &Entry) -> Option<Headline<'_>> {
    let why = if entry.is_followed() { entry.why() } else { entry.alias.why() }?;
    let waits = entry.mapped.is_some() && !entry.needs_person();
    Some(Headline::State(why, if waits { Actor::Nobody } else { why.reason.actor() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Alias, Certificate, LeftAlone, Mapped, Routing};
    use crate::twins::Twin;
    use crate::{Reason, Stage, Time};

    const NOW: Time = Time::from_millis(1_000_000_000);

    fn ready() -> Entry {
        let mapped = Mapped {
            mapping_id: 7,
            site_id: 2,
            stage: Some(Stage::Done),
            secure: true,
            left_alone: None,
        };
        let mut entry = Entry::new("shop.example".parse().unwrap(), Some(mapped), NOW);
        entry.alias.set(NOW, Alias::Present, None, None);
        entry.routing.see(NOW, Routing::Here, None, None);
        entry.certificate.see(NOW, Certificate::Valid, None, None);
        entry
    }

    /// What it shows, what makes an entry so, and what is told of it.
    type Row<'a> = (&'a str, &'a dyn Fn(&mut Entry), &'a str);

    /// `code turn`, and `!` where somebody must act; of a ready domain without news `-`.
    fn summary(change: impl Fn(&mut Entry)) -> String {
        let mut entry = ready();
        change(&mut entry);
        let Some(headline) = headline(&entry) else { return "-".to_owned() };
        let turn = headline.turn().map_or("-", Actor::as_str);
        format!("{} {turn}{}", headline.code(), if headline.needs_somebody() { "!" } else { "" })
    }

    fn found(codes: &[Code]) -> impl Fn(&mut Entry) {
        move |entry| entry.findings = codes.iter().map(|it| Finding::new(*it)).collect()
    }

    #[test]
    fn the_first_finding_leads_and_says_whose_turn_it_is() {
        let rejected = |entry: &mut Entry| {
            found(&[Code::OtherAddress])(entry);
            entry.alias.set(NOW, Alias::Rejected, Some(Reason::InvalidDomain), None);
        };
        let protected = |entry: &mut Entry| {
            entry.alias.set(NOW, Alias::Protected, Some(Reason::ProtectedName), None);
        };
        let unseen =
            |entry: &mut Entry| entry.certificate.miss(NOW, None, Reason::NoResolver, None);
        let table: [Row<'_>; 9] = [
            ("nothing is wrong", &|_| (), "-"),
            ("only worth knowing", &found(&[Code::AlreadyAtHost, Code::NoProof]), "-"),
            ("it will break", &found(&[Code::ExpiresSoon, Code::NoProof]), "expires-soon host"),
            ("an error first", &found(&[Code::Expired, Code::ExpiresSoon]), "expired host!"),
            ("who waits comes last", &found(&[Code::Issuing, Code::Proxied]), "proxied owner!"),
            ("it takes time", &found(&[Code::Issuing]), "issuing nobody"),
            ("what the host said since", &rejected, "invalid-domain admin!"),
            ("protected, which is nobody's turn", &protected, "protected-name -"),
            ("served and unseen", &unseen, "unseen nobody"),
        ];
        for (shows, change, want) in table {
            assert_eq!(summary(change), want, "{shows}");
        }
    }

    #[test]
    fn without_a_finding_the_state_says_it() {
        let missing = |stage: Stage| {
            move |entry: &mut Entry| {
                entry.mapped.as_mut().unwrap().stage = Some(stage);
                let reason = Some(Reason::NoCertificate);
                entry.certificate.see(NOW, Certificate::Missing, reason, None);
            }
        };
        let elsewhere = |entry: &mut Entry| {
            entry.routing.see(NOW, Routing::Elsewhere, Some(Reason::OtherAddress), None);
        };
        let left_alone =
            |why| move |entry: &mut Entry| entry.mapped.as_mut().unwrap().left_alone = Some(why);
        let gone = |reason| {
            move |entry: &mut Entry| {
                found(&[Code::OtherAddress])(entry);
                entry.mapped = None;
                entry.alias.set(NOW, Alias::Removing, Some(reason), None);
            }
        };
        let twin = |alias: Alias| {
            move |entry: &mut Entry| {
                (entry.mapped, entry.twin) = (None, Some(Twin::Follows));
                elsewhere(entry);
                entry.alias.set(NOW, alias, None, None);
            }
        };
        let table: [Row<'_>; 9] = [
            ("it may come", &missing(Stage::CheckingSslCert), "no-certificate nobody"),
            ("it did not", &missing(Stage::SslFailed), "no-certificate host!"),
            ("the owner must act", &elsewhere, "other-address owner!"),
            ("two rows", &left_alone(LeftAlone::Contested), "contested admin!"),
            ("odd", &left_alone(LeftAlone::Misspelled), "spelling-never-matched admin!"),
            ("its mapping is gone", &gone(Reason::MappingGone), "mapping-gone nobody"),
            ("the brake holds it", &gone(Reason::Brake), "brake admin!"),
            ("a twin at the host", &twin(Alias::Present), "other-address owner!"),
            ("a twin that nobody waits for", &twin(Alias::Absent), "-"),
        ];
        for (shows, change, want) in table {
            assert_eq!(summary(change), want, "{shows}");
        }
    }
}
