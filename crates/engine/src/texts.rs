//! What people read of the engine's values: the one place where texts are made of them.
//!
//! Scripts read the values themselves. A second language is a second one of this file.

use rules::acting::{Copied, NotOurs};
use rules::event::{Event, EventKind};
use rules::ledger::NotActing;
use rules::plain::plain;
use rules::targets::TargetSource;
use rules::{DomainName, Identity, Targets};

use crate::pass::Change;

/// What happened, without when and to whom: `wanted → present`.
pub fn event(event: &Event) -> String {
    let (from, to) = (event.from.as_deref(), event.to.as_deref());
    let detail = plain(event.detail.as_deref().unwrap_or_default());
    match (event.kind, from, to) {
        (EventKind::Mapping, None, Some(site)) => format!("mapped to site {site}"),
        (EventKind::Mapping, Some(_), None) => "its mapping is gone".to_owned(),
        (EventKind::Mapping, Some(old), Some(new)) => {
            format!("moved from site {old} to site {new}")
        }
        (EventKind::Recheck, ..) => "somebody asked for a check".to_owned(),
        (EventKind::Host, _, Some(action)) => format!("{action}: {detail}"),
        (EventKind::Note, ..) => detail.into_owned(),
        (_, Some(old), Some(new)) if old == new => format!("still {new}{}", why_of(event)),
        (_, Some(old), Some(new)) => format!("{old} → {new}{}", why_of(event)),
        _ => why_of(event).trim_start().to_owned(),
    }
}

/// `add-alias shop.example: done`, with the reason where there is one.
pub fn change(change: &Change) -> String {
    format!("{} {}: {}{}", change.action, change.domain, change.outcome, why(change))
}

/// ` (code: words)` of a change, of that which there is; else nothing.
pub fn why(change: &Change) -> String {
    in_parentheses(change.reason, change.detail.as_deref())
}

/// Why the last pass did not act for the network, and what to do about it.
pub fn not_acting(why: NotActing) -> &'static str {
    match why {
        NotActing::Copy => {
            "this is a copy of the installation that acts for the network: nothing is sent or written; where this is the network now, run `closte-sync enable --here`"
        }
        NotActing::OtherNetwork => {
            "the ledger was filled from another network: nothing is sent or written; point closte-sync at the right wp-config.php, or run `closte-sync enable --here` if this is the network now"
        }
        NotActing::SwitchedOff => {
            "the Closte integration is switched off: nothing is sent or written until `closte-sync enable`"
        }
        NotActing::MappingDisabled => {
            "domain mapping is switched off in Ultimate Multisite: nothing is sent or written"
        }
    }
}

/// That no target is known, and why, `own` being the network's domain.
pub fn no_targets(targets: &Targets, own: Option<&DomainName>) -> String {
    let unknown = "it is not known where domains must point";
    if let Some(proxied) = proxied(targets) {
        return format!("{unknown}: {proxied}; set `checks.targets`");
    }
    let own = own.map(|own| match &targets.missed {
        Some(missed) => format!(": DNS did not tell of `{own}` ({})", plain(missed)),
        None => {
            format!(": `{own}` has no address in DNS and CLOSTE_PUBLIC_IP_ADDRESS is not defined")
        }
    });
    format!("{unknown}{}; set `checks.targets`", own.unwrap_or_default())
}

/// Which addresses are no targets as they are a proxy's, if any.
pub fn proxied(targets: &Targets) -> Option<String> {
    let proxied: Vec<String> = targets.proxied.iter().map(ToString::to_string).collect();
    let why = "of Cloudflare's proxy, so no target";
    (!proxied.is_empty()).then(|| format!("{} is {why}", proxied.join(", ")))
}

/// Where domains must point, and how that is known.
pub fn targets(targets: &Targets) -> String {
    let addresses: Vec<String> = targets.addresses.iter().map(ToString::to_string).collect();
    let source = match &targets.source {
        TargetSource::Set => "by `checks.targets`".to_owned(),
        TargetSource::Own(None) => "by CLOSTE_PUBLIC_IP_ADDRESS".to_owned(),
        TargetSource::Own(Some(own)) => format!("as `{}` does", own.domain),
    };
    format!("domains must point to {}, {source}", addresses.join(", "))
}

/// Why the installation of `is` does not act for its network.
pub(crate) fn not_ours(is: &Identity, why: &NotOurs<'_>) -> String {
    let (home, how) = match why {
        NotOurs::OtherNetwork { differs } => {
            return format!("the ledger was filled from another network ({differs})");
        }
        NotOurs::Copy(home, how) => (home, how),
    };
    let app = |app: &Option<String>| app.clone().unwrap_or_else(|| "none".to_owned());
    let place = match home.place.to_string() {
        place if place.is_empty() => String::new(),
        place => format!(", at {place}"),
    };
    match how {
        Copied::Installation => format!(
            "this is a copy: the network belongs to the installation at `{}` (CLOSTE_APP_ID {}), and \
             this is `{}` (CLOSTE_APP_ID {})",
            home.domain,
            app(&home.app),
            is.domain,
            app(&is.app),
        ),
        Copied::Ledger => {
            format!("this is a copy: another ledger ({}{place}) acts for the network", home.ledger)
        }
        Copied::OldLedger => format!(
            "this is a copy: the ledger is older than what the network remembers of it{place}: an \
             old one was put back"
        ),
    }
}

/// What to do about it.
pub(crate) fn not_ours_hint(why: &NotOurs<'_>) -> &'static str {
    match why {
        NotOurs::Copy(..) => {
            "if this installation is the one that counts now, run `closte-sync enable --here`"
        }
        NotOurs::OtherNetwork { .. } => {
            "point closte-sync at the right wp-config.php, or at a ledger of its own (`ledger.url`); \
             if this is the network now, run `closte-sync enable --here`"
        }
    }
}

fn why_of(event: &Event) -> String {
    in_parentheses(event.reason, event.detail.as_deref().filter(|_| event.reason.is_some()))
}

fn in_parentheses(reason: Option<rules::Reason>, detail: Option<&str>) -> String {
    match (reason, detail.map(plain)) {
        (Some(reason), Some(detail)) => format!(" ({reason}: {detail})"),
        (Some(reason), None) => format!(" ({reason})"),
        (None, Some(detail)) => format!(" ({detail})"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use rules::{Reason, Time};

    use super::*;

    #[test]
    #[rustfmt::skip] // One case a line.
    fn an_event_reads_as_a_sentence_of_its_values() {
        use EventKind::{Alias, Host, Mapping, Note, Recheck, Stage};
        let table = [
            // kind   from             to               reason                     detail        text
            (Mapping, None,            Some("4"),       None,                      None,         "mapped to site 4"),
            (Mapping, Some("4"),       None,            None,                      None,         "its mapping is gone"),
            (Mapping, Some("4"),       Some("5"),       None,                      None,         "moved from site 4 to site 5"),
            (Alias,   Some("wanted"),  Some("present"), None,                      None,         "wanted → present"),
            (Alias,   Some("adding"),  Some("adding"),  Some(Reason::HostSaidNo),  Some("nein"), "still adding (host-said-no: nein)"),
            (Alias,   Some("present"), Some("wanted"),  Some(Reason::Vanished),    None,         "present → wanted (vanished)"),
            (Stage,   Some("failed"),  Some("done"),    None,                      None,         "failed → done"),
            (Recheck, None,            None,            None,                      None,         "somebody asked for a check"),
            (Host,    None,            Some("add-alias"), Some(Reason::HostSaidNo), Some("nein"), "add-alias: nein"),
            (Note,    None,            None,            None,                      Some("alias: wanted → present"), "alias: wanted → present"),
        ];
        for (kind, from, to, reason, detail, text) in table {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let (from, to, detail) = (owned(from), owned(to), owned(detail));
            let domain = "a.example".parse().unwrap();
            let at = Time::from_millis(0);
            assert_eq!(event(&Event { at, domain, kind, from, to, reason, detail }), text);
        }
    }
}
