//! The records that a domain's owner changes, as in a zone file without TTL.

use std::net::IpAddr;

use crate::Targets;
use crate::finding::{RecordAction, RecordChange};

/// The addresses of one type among `ips`, as texts.
fn of_kind<'a>(ips: impl IntoIterator<Item = &'a IpAddr>, is_v6: bool) -> Vec<String> {
    let ips = ips.into_iter().map(IpAddr::to_canonical);
    ips.filter(|ip| ip.is_ipv6() == is_v6).map(|ip| ip.to_string()).collect()
}

fn kind(is_v6: bool) -> String {
    if is_v6 { "AAAA" } else { "A" }.to_owned()
}

/// A record of `name` to change.
pub(super) fn record(
    action: RecordAction,
    (name, kind): (&str, &str),
    found: Vec<String>,
    wanted: Vec<String>,
) -> RecordChange {
    RecordChange { action, name: name.to_owned(), kind: kind.to_owned(), found, wanted }
}

/// The address records that `name` has none of, to be made.
pub(super) fn add_addresses(name: &str, targets: &Targets) -> Vec<RecordChange> {
    let add = |is_v6| {
        let wanted = of_kind(&targets.addresses, is_v6);
        let add = |wanted| record(RecordAction::Add, (name, &kind(is_v6)), Vec::new(), wanted);
        (!wanted.is_empty()).then(|| add(wanted))
    };
    [false, true].into_iter().filter_map(add).collect()
}

/// A CNAME record in the way of address records: it goes, they come.
pub(super) fn instead_of_cname(name: &str, target: &str, targets: &Targets) -> Vec<RecordChange> {
    let found = vec![format!("{target}.")];
    let remove = record(RecordAction::Remove, (name, "CNAME"), found, Vec::new());
    [vec![remove], add_addresses(name, targets)].concat()
}

/// What to do so that `name`, which has the addresses `found`, has the targets and nothing else: what
/// changes first, what stays last.
pub(super) fn right_addresses<'a>(
    name: &str,
    found: impl IntoIterator<Item = &'a IpAddr>,
    targets: &Targets,
) -> Vec<RecordChange> {
    let (right, wrong): (Vec<&IpAddr>, Vec<&IpAddr>) =
        found.into_iter().partition(|ip| targets.contains(**ip));
    let mut changes = Vec::new();
    let mut keeps = Vec::new();
    for is_v6 in [false, true] {
        let (right, wrong) =
            (of_kind(right.iter().copied(), is_v6), of_kind(wrong.iter().copied(), is_v6));
        let wanted = of_kind(&targets.addresses, is_v6);
        let of = |action, found, wanted| record(action, (name, &kind(is_v6)), found, wanted);
        match (wrong.is_empty(), right.is_empty(), wanted.is_empty()) {
            (false, true, false) => changes.push(of(RecordAction::Change, wrong, wanted)),
            (false, ..) => changes.push(of(RecordAction::Remove, wrong, Vec::new())),
            // Without a right A record nobody gets here; an AAAA record is welcome, no more.
            (true, true, false) if !is_v6 => changes.push(of(RecordAction::Add, wrong, wanted)),
            (true, ..) => (),
        }
        if !right.is_empty() {
            keeps.push(of(RecordAction::Keep, right.clone(), right));
        }
    }
    changes.extend(keeps);
    changes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn ips(text: &str) -> BTreeSet<IpAddr> {
        text.split_whitespace().map(|ip| ip.parse().unwrap()).collect()
    }

    fn shown(changes: &[RecordChange]) -> Vec<String> {
        let show = |it: &RecordChange| {
            format!("{} {} {} > {}", it.action, it.kind, it.found.join(" "), it.wanted.join(" "))
        };
        changes.iter().map(show).collect()
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn what_is_wrong_changes_and_what_is_right_stays() {
        let (v4, both) = ("192.0.2.1", "192.0.2.1 2001:db8::1");
        let table: [(&str, &str, &str, &[&str]); 8] = [
            // what it shows                   targets  found                           what to do
            ("another A",                      v4,      "192.0.2.9",                    &["change A 192.0.2.9 > 192.0.2.1"]),
            ("another A and AAAA",             v4,      "192.0.2.9 2001:db8::9",        &["change A 192.0.2.9 > 192.0.2.1", "remove AAAA 2001:db8::9 > "]),
            ("the same, the network has both", both,    "192.0.2.9 2001:db8::9",        &["change A 192.0.2.9 > 192.0.2.1", "change AAAA 2001:db8::9 > 2001:db8::1"]),
            ("A right, AAAA wrong",            v4,      "192.0.2.1 2001:db8::9",        &["remove AAAA 2001:db8::9 > ", "keep A 192.0.2.1 > 192.0.2.1"]),
            ("the same, the network has both", both,    "192.0.2.1 2001:db8::9",        &["change AAAA 2001:db8::9 > 2001:db8::1", "keep A 192.0.2.1 > 192.0.2.1"]),
            ("one right, one wrong",           v4,      "192.0.2.1 192.0.2.9",          &["remove A 192.0.2.9 > ", "keep A 192.0.2.1 > 192.0.2.1"]),
            ("AAAA alone, another's",          v4,      "2001:db8::9",                  &["add A  > 192.0.2.1", "remove AAAA 2001:db8::9 > "]),
            ("an IPv4 address in IPv6 form",   v4,      "::ffff:192.0.2.9",             &["change A 192.0.2.9 > 192.0.2.1"]),
        ];
        for (shows, targets, found, want) in table {
            let targets = ips(targets).into();
            assert_eq!(shown(&right_addresses("shop.example", &ips(found), &targets)), want, "{shows}");
        }
    }
}
