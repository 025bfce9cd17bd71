//! Where domains must point, as it is stored.

use std::collections::BTreeSet;
use std::net::IpAddr;

use rules::probe::RecordKind;
use rules::targets::{OwnAnswer, TargetSource};
use rules::{Targets, Time};
use serde::{Deserialize, Serialize};

/// [`Targets`] as they are stored.
#[derive(Deserialize, Serialize)]
pub(super) struct TargetsItem {
    addresses: BTreeSet<IpAddr>,
    proxied: BTreeSet<IpAddr>,
    set: bool,
    own: Option<OwnItem>,
    missed: Option<String>,
}

/// [`OwnAnswer`] as it is stored.
#[derive(Deserialize, Serialize)]
struct OwnItem {
    domain: String,
    found: BTreeSet<IpAddr>,
    unanswered: Option<String>,
    since: i64,
}

impl From<&Targets> for TargetsItem {
    fn from(targets: &Targets) -> Self {
        Self {
            addresses: targets.addresses.clone(),
            proxied: targets.proxied.clone(),
            set: targets.source == TargetSource::Set,
            own: targets.own().map(|own| OwnItem {
                domain: own.domain.to_string(),
                found: own.found.clone(),
                unanswered: own.unanswered.map(|kind| kind.to_string()),
                since: own.since.as_millis(),
            }),
            missed: targets.missed.clone(),
        }
    }
}

impl From<TargetsItem> for Targets {
    fn from(item: TargetsItem) -> Self {
        let TargetsItem { addresses, proxied, set, own, missed } = item;
        let own = own.and_then(|own| {
            Some(OwnAnswer {
                domain: own.domain.parse().ok()?,
                found: own.found,
                unanswered: own.unanswered.as_deref().and_then(RecordKind::from_word),
                since: Time::from_millis(own.since),
            })
        });
        let source = if set { TargetSource::Set } else { TargetSource::Own(own) };
        Self { addresses, proxied, source, missed }
    }
}
