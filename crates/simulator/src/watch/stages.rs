//! What may be written to WordPress: only what was seen.

use std::time::Duration;

use engine::memory::MappingRow;
use rules::lookup::Spelling;
use rules::probe::{DnsObservation, TlsObservation, TlsVerdict};
use rules::source::StageWrite;
use rules::{DomainName, Mapping, Stage};

use super::Watch;
use super::facts::{Moment, Seen};
use crate::world::{HERE, Who};

/// So long a zone may fail.
const PATIENCE: Duration = Duration::from_hours(48);

/// So long DNS that answered for a name is taken to answer.
const ONE_PASS: Duration = Duration::from_mins(10);

/// So far the database's clock and ours may differ.
const CLOCKS_AGREE: u64 = 10;

impl Watch {
    /// DNS fails for every name.
    pub(crate) fn all_fail(&mut self, who: Who, at: Duration) {
        self.facts(who).all_fail = Some(at);
    }

    pub(crate) fn resolved(
        &mut self,
        who: Who,
        name: &DomainName,
        seen: &DnsObservation,
        clock_off: i64,
        (at, clock): Moment,
    ) {
        if CLOCKS_AGREE < clock_off.unsigned_abs() {
            let detail = format!("{name}, {clock_off} min off");
            self.break_("checked-by-a-wrong-clock", at, detail);
        }
        let here = match seen {
            DnsObservation::Addresses { found, .. } => found.iter().all(|ip| *ip == HERE),
            DnsObservation::NoSuchName | DnsObservation::NoAddress { .. } => false,
            DnsObservation::Failed { .. } => {
                let facts = self.facts(who);
                let all_fail = facts.all_fail == Some(at);
                // A name that was answered for in the same pass shows the same.
                if !all_fail || facts.resolved.is_some_and(|then| at < then + ONE_PASS) {
                    facts.saw_fail(name, (at, clock));
                }
                return;
            }
            DnsObservation::NoAnswer { .. } => return,
        };
        let facts = self.facts(who);
        facts.resolved = Some(at);
        facts.saw(name, |sight| {
            *sight = Seen { here: Some(here), good: sight.good.filter(|_| here), fails: None };
        });
    }

    pub(crate) fn shaken(&mut self, who: Who, name: &DomainName, seen: &TlsObservation) {
        let good = match seen {
            TlsObservation::Presented { verdict, .. } => *verdict == TlsVerdict::Trusted,
            TlsObservation::NoCertificate { .. } => false,
            TlsObservation::NoAnswer { .. } | TlsObservation::Forbidden { .. } => return,
        };
        self.facts(who).saw(name, |sight| sight.good = Some(good));
    }

    /// A stage is about to be written over `row`.
    pub(crate) fn stage(
        &mut self,
        who: Who,
        write: &StageWrite,
        row: Option<&MappingRow>,
        at: Duration,
    ) {
        let StageWrite { mapping_id, to, .. } = write;
        self.log(at, &format!("{who:?}: stage of mapping {mapping_id}: {to}"));
        self.must_act(who, at, "a stage");
        let is_named = |row: &&MappingRow| row.domain.eq_ignore_ascii_case(write.domain.as_str());
        let row = row.filter(|row| row.stage == write.from).filter(is_named);
        let served = row.and_then(|row| row.stage).is_some_and(Stage::is_served);
        if served && !to.is_served() {
            self.break_("served-taken-down", at, format!("mapping {mapping_id} to {to}"));
        }
        let Some(mapping) = self.read_mapping(who, *mapping_id) else { return };
        if let Some(invariant) = self.contested(who, &mapping) {
            self.break_(invariant, at, format!("{} to {to}", mapping.domain));
        }
        if *to == Stage::Failed && self.is_rejected(who, &mapping.domain) {
            return;
        }
        let facts = self.facts(who);
        let sights: Vec<Seen> = facts.sights_of(&mapping.domain).collect();
        if let Some(sight) = sights.iter().find(|sight| is_seen(*to, **sight)) {
            facts.wrote_by(&mapping.domain, *sight);
        } else {
            let detail = format!("{} to {to}, last seen {sights:?}", mapping.domain);
            self.break_("stage-not-seen", at, detail);
        }
    }

    fn read_mapping(&self, who: Who, id: u64) -> Option<Mapping> {
        let read = self.reads.get(&who)?;
        read.network.mappings.iter().find(|row| row.id == id).cloned()
    }

    /// Whether WordPress does not find the row, or another row claims the name, or its twin for
    /// another site; a row without a site claims it where it does not come after, save
    /// a wildcard, which WordPress looks up for nobody.
    ///
    /// A twin that is itself mapped twice is told apart: there the other row may be the one that
    /// does not speak for its name.
    fn contested(&self, who: Who, mapping: &Mapping) -> Option<&'static str> {
        if mapping.spelling != Spelling::Plain {
            return Some("misspelled-written");
        }
        let network = &self.reads.get(&who)?.network;
        let ours = |row: &&Mapping| {
            network.sites.get(&row.site_id).is_some_and(|site| site.network_id == 1)
        };
        let found = |row: &&Mapping| row.id != mapping.id && row.spelling == Spelling::Plain;
        let (others, strangers): (Vec<_>, Vec<_>) =
            network.mappings.iter().filter(found).partition(ours);
        let rank = |row: &Mapping| (row.primary, row.active, row.secure);
        let wins = |row: &Mapping| {
            row.domain.without_www() == mapping.domain.without_www() && rank(mapping) <= rank(row)
        };
        if !mapping.domain.is_wildcard() && strangers.into_iter().any(wins) {
            return Some("outranked-written");
        }
        if others.iter().any(|row| row.domain == mapping.domain) {
            return Some("contested-written");
        }
        let twin = mapping.domain.twin()?;
        let twins: Vec<_> = others.iter().filter(|row| row.domain == twin).collect();
        let elsewhere = twins.iter().any(|row| row.site_id != mapping.site_id);
        match twins.len() {
            1 if elsewhere => Some("contested-written"),
            2.. if elsewhere => Some("contested-by-a-second-row"),
            _ => None,
        }
    }
}

/// Whether a stage says what was last seen.
fn is_seen(stage: Stage, sight: Seen) -> bool {
    match stage {
        Stage::Done => sight.here == Some(true) && sight.good == Some(true),
        Stage::CheckingSslCert => sight.here == Some(true),
        Stage::SslFailed | Stage::DoneWithoutSsl => {
            sight.here == Some(true) && sight.good == Some(false)
        }
        Stage::Failed if sight.failed_for(PATIENCE) => true,
        Stage::CheckingDns | Stage::Failed => sight.here == Some(false),
    }
}
