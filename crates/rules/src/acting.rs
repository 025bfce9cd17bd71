//! Who acts for a network: an installation that is not the one whose ledger and mark this is does
//! nothing at all.

use crate::ledger::NotActing;
use crate::planted;
use crate::{Home, Identity, Network};

/// Why this installation does not act for a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotOurs<'a> {
    /// Another installation acts for it.
    Copy(&'a Home),
    /// The ledger was filled from another network.
    OtherNetwork {
        /// What differs, as `was → is`.
        differs: String,
    },
}

impl NotOurs<'_> {
    /// The same, as it is remembered.
    pub fn not_acting(&self) -> NotActing {
        match self {
            Self::Copy(_) => NotActing::Copy,
            Self::OtherNetwork { .. } => NotActing::OtherNetwork,
        }
    }
}

/// Why an installation whose ledger was filled from the network `filled_from` does not act for
/// `network`; none where it does.
pub fn not_ours<'a>(network: &'a Network, filled_from: Option<&Identity>) -> Option<NotOurs<'a>> {
    let is = &network.identity;
    let copied = |home: &&Home| home.app != is.app || home.domain != is.domain.as_str();
    let copy = network.home.as_ref().filter(copied).filter(|_| !planted!(ActOnCopy));
    let other = || filled_from.filter(|_| !planted!(ActOnOther)).and_then(|was| differs(was, is));
    copy.map(NotOurs::Copy).or_else(|| other().map(|differs| NotOurs::OtherNetwork { differs }))
}

/// What distinguishes two networks, of that which both sides know; none where they are the same.
fn differs(was: &Identity, is: &Identity) -> Option<String> {
    let both_whole = was.is_whole() && is.is_whole();
    let (was_app, is_app) = (was.app.clone(), is.app.clone());
    // A folder may be moved, and its file is the same network.
    let moved = is_file(&was.database) && is_file(&is.database);
    let moved = moved && was_app == is_app && was.domain == is.domain;
    let pairs = [
        ("CLOSTE_APP_ID", was_app, is_app),
        ("domain", some(&was.domain, true), some(&is.domain, true)),
        ("database", some(&was.database, !moved), some(&is.database, !moved)),
        ("table prefix", some(&was.prefix, both_whole), some(&is.prefix, both_whole)),
        ("network id", some(&was.network_id, both_whole), some(&is.network_id, both_whole)),
    ];
    let differences: Vec<String> = pairs
        .into_iter()
        .filter_map(|(what, was, is)| Some((what, was?, is?)))
        .filter(|(_, was, is)| was != is)
        .map(|(what, was, is)| format!("{what} `{was}` → `{is}`"))
        .collect();
    (!differences.is_empty()).then(|| differences.join(", "))
}

/// Whether a database is a file, by its absolute path.
fn is_file(database: &str) -> bool {
    database.starts_with('/')
}

fn some(value: &impl ToString, counts: bool) -> Option<String> {
    Some(value.to_string()).filter(|text| counts && !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::network;

    #[test]
    fn a_copy_is_told_by_its_app_or_its_domain_and_not_by_its_ledger() {
        let home = |app: Option<&str>, domain: &str| Home {
            app: app.map(str::to_owned),
            domain: domain.to_owned(),
            ledger: "whichever".to_owned(),
        };
        let table = [
            (None, false),
            (Some(home(Some("app1"), "net.example")), false),
            (Some(home(Some("app2"), "net.example")), true),
            (Some(home(None, "net.example")), true),
            (Some(home(Some("app1"), "staging.example")), true),
        ];
        for (home, copy) in table {
            let network = Network { home: home.clone(), ..network(vec![]) };
            let why = not_ours(&network, None);
            assert_eq!(matches!(why, Some(NotOurs::Copy(_))), copy, "{home:?}");
        }
    }

    fn identity(app: &str, domain: &str, database: &str, prefix: &str, id: u64) -> Identity {
        Identity {
            app: Some(app.to_owned()).filter(|app| !app.is_empty()),
            domain: domain.parse().unwrap(),
            database: database.to_owned(),
            prefix: prefix.to_owned(),
            network_id: id,
        }
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn networks_are_compared_by_what_both_sides_know() {
        let of = identity;
        let table = [
            // what it shows                  was                                              is                                               what differs
            ("the same",                      of("a", "n.example", "wp", "wp_", 1),            of("a", "n.example", "wp", "wp_", 1),            None),
            ("another app",                   of("a", "n.example", "wp", "wp_", 1),            of("b", "n.example", "wp", "wp_", 1),            Some("CLOSTE_APP_ID `a` → `b`")),
            ("an app that nobody had named",  of("", "n.example", "wp", "wp_", 1),             of("b", "n.example", "wp", "wp_", 1),            None),
            ("another domain",                of("a", "n.example", "wp", "wp_", 1),            of("a", "m.example", "wp", "wp_", 1),            Some("domain `n.example` → `m.example`")),
            ("another database",              of("a", "n.example", "wp", "wp_", 1),            of("a", "n.example", "wp2", "wp_", 1),           Some("database `wp` → `wp2`")),
            ("another prefix",                of("a", "n.example", "wp", "wp_", 1),            of("a", "n.example", "wp", "x_", 1),             Some("table prefix `wp_` → `x_`")),
            ("another network of several",    of("a", "n.example", "wp", "wp_", 1),            of("a", "n.example", "wp", "wp_", 2),            Some("network id `1` → `2`")),
            ("two of them",                   of("a", "n.example", "wp", "wp_", 1),            of("b", "n.example", "wp", "wp_", 2),            Some("CLOSTE_APP_ID `a` → `b`, network id `1` → `2`")),
            ("over REST, the same",           of("a", "n.example", "wp", "wp_", 2),            of("", "n.example", "", "", 0),                  None),
            ("over REST, another",            of("a", "n.example", "wp", "wp_", 2),            of("", "m.example", "", "", 0),                  Some("domain `n.example` → `m.example`")),
            ("a file that was moved",         of("a", "n.example", "/old/.ht.sqlite", "wp_", 1), of("a", "n.example", "/new/.ht.sqlite", "wp_", 1), None),
            ("another app's file",            of("a", "n.example", "/old/.ht.sqlite", "wp_", 1), of("b", "n.example", "/new/.ht.sqlite", "wp_", 1), Some("CLOSTE_APP_ID `a` → `b`, database `/old/.ht.sqlite` → `/new/.ht.sqlite`")),
            ("from a file to a server",       of("a", "n.example", "/old/.ht.sqlite", "wp_", 1), of("a", "n.example", "wp", "wp_", 1),            Some("database `/old/.ht.sqlite` → `wp`")),
        ];
        for (shows, was, is, differs) in table {
            let network = Network { identity: is, ..network(vec![]) };
            let why = not_ours(&network, Some(&was));
            let want = differs.map(|it| NotOurs::OtherNetwork { differs: it.to_owned() });
            assert_eq!(why, want, "{shows}");
            assert_eq!(not_ours(&network, None), None, "{shows}: an empty ledger is anybody's");
        }
    }
}
