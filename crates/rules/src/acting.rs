//! Who acts for a network: an installation that is not the one whose ledger and mark this is does
//! nothing at all.

use std::cmp::Ordering;

use crate::ledger::{Memory, NotActing};
use crate::planted;
use crate::{Home, Identity, Network};

/// Why this installation does not act for a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotOurs<'a> {
    /// Another installation acts for it, or this one with another ledger.
    Copy(&'a Home, Copied),
    /// The ledger was filled from another network.
    OtherNetwork {
        /// What differs, as `was → is`.
        differs: String,
    },
}

/// By what a copy is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// The mark is of another app or another domain: a clone of the database.
    Installation,
    /// The mark is of another ledger: that one is lost, or works elsewhere.
    Ledger,
    /// The mark is newer than the ledger: an old ledger was put back.
    OldLedger,
}

impl NotOurs<'_> {
    /// The same, as it is remembered.
    pub fn not_acting(&self) -> NotActing {
        match self {
            Self::Copy(..) => NotActing::Copy,
            Self::OtherNetwork { .. } => NotActing::OtherNetwork,
        }
    }
}

/// The ledger of an installation: its name, and what it remembers.
#[derive(Clone, Copy, Debug)]
pub struct OurLedger<'a> {
    pub id: &'a str,
    pub memory: &'a Memory,
}

/// Why an installation with its ledger, where it has one, does not act for `network`; none where it
/// does.
pub fn not_ours<'a>(network: &'a Network, ledger: Option<OurLedger<'_>>) -> Option<NotOurs<'a>> {
    let filled_from = ledger.and_then(|ledger| ledger.memory.network.identity.as_ref());
    let copy = || copied(network, ledger).filter(|_| !planted!(ActOnCopy));
    let other = || differs(filled_from?, &network.identity).filter(|_| !planted!(ActOnOther));
    let copy = copy().map(|(home, how)| NotOurs::Copy(home, how));
    copy.or_else(|| other().map(|differs| NotOurs::OtherNetwork { differs }))
}

fn copied<'a>(network: &'a Network, ledger: Option<OurLedger<'_>>) -> Option<(&'a Home, Copied)> {
    let (home, is) = (network.home.as_ref()?, &network.identity);
    let is_newer = |ours: &OurLedger<'_>| ours.memory.home.serial < home.serial_or_zero();
    if home.app != is.app || home.domain != is.domain.as_str() {
        Some((home, Copied::Installation))
    } else if ledger.is_some_and(|ours| ours.id != home.ledger) {
        Some((home, Copied::Ledger))
    } else {
        ledger.filter(is_newer).map(|_| (home, Copied::OldLedger))
    }
}

/// What became of a mark that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkWritten {
    /// It is there.
    Done,
    /// An earlier one of ours is there whose writing was not answered: to be written again over it.
    Again,
    /// Another installation's is there, or a newer one of our ledger's.
    Lost(Copied),
    /// It is older than what was read back before: the database was put back meanwhile.
    PutBack,
}

/// What became of writing `ours` where `now` is there; `read_back` is the serial that was read last.
/// Without a place that `keeps_serial`, only the ledger tells.
pub fn mark_written(
    ours: &Home,
    now: Option<&Home>,
    read_back: Option<u64>,
    keeps_serial: bool,
) -> MarkWritten {
    match now {
        Some(now) if now.ledger != ours.ledger => MarkWritten::Lost(Copied::Ledger),
        _ if !keeps_serial => MarkWritten::Done,
        None => MarkWritten::PutBack,
        Some(now) => match now.serial_or_zero().cmp(&ours.serial_or_zero()) {
            Ordering::Equal => MarkWritten::Done,
            Ordering::Greater => MarkWritten::Lost(Copied::OldLedger),
            Ordering::Less if read_back <= Some(now.serial_or_zero()) => MarkWritten::Again,
            Ordering::Less => MarkWritten::PutBack,
        },
    }
}

/// Whether what a ledger owns that was filled from the network `was` is the same host's app still,
/// where a person says that the network is `is` now: app ids are known and equal, or nothing but
/// the domain differs.
pub fn keeps_ownership(was: &Identity, is: &Identity) -> bool {
    let same_app = was.app.is_some() && was.app == is.app;
    // Of a network that is not known as a whole, the app is not either.
    let one_has_none = was.is_whole() && is.is_whole() && was.app != is.app;
    same_app || !one_has_none && is_same_network(was, is)
}

/// Whether sites and rows of the network `was` have the same ids in `is`: it is the same one, or it
/// has another domain now.
pub fn is_same_network(was: &Identity, is: &Identity) -> bool {
    differences(was, is).iter().all(|it| it.what == DOMAIN)
}

const DOMAIN: &str = "domain";

/// Something by which two networks differ.
struct Difference {
    what: &'static str,
    was: String,
    is: String,
}

/// What distinguishes two networks; none where they are the same.
fn differs(was: &Identity, is: &Identity) -> Option<String> {
    let text = |it: Difference| format!("{} `{}` → `{}`", it.what, it.was, it.is);
    let differences: Vec<String> = differences(was, is).into_iter().map(text).collect();
    (!differences.is_empty()).then(|| differences.join(", "))
}

/// What distinguishes two networks, of that which both sides know.
fn differences(was: &Identity, is: &Identity) -> Vec<Difference> {
    let both_whole = was.is_whole() && is.is_whole();
    let (was_app, is_app) = (was.app.clone(), is.app.clone());
    // A folder may be moved, and its file is the same network.
    let moved = is_file(&was.database) && is_file(&is.database);
    let moved = moved && was_app == is_app && was.domain == is.domain;
    let pairs = [
        ("CLOSTE_APP_ID", was_app, is_app),
        (DOMAIN, some(&was.domain, true), some(&is.domain, true)),
        ("database", some(&was.database, !moved), some(&is.database, !moved)),
        ("table prefix", some(&was.prefix, both_whole), some(&is.prefix, both_whole)),
        ("network id", some(&was.network_id, both_whole), some(&is.network_id, both_whole)),
    ];
    pairs
        .into_iter()
        .filter_map(|(what, was, is)| Some(Difference { what, was: was?, is: is? }))
        .filter(|it| it.was != it.is)
        .collect()
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
    use crate::Whereabouts;
    use crate::testing::network;

    fn remembers(serial: u64, filled_from: Option<Identity>) -> Memory {
        let mut memory = Memory::default();
        memory.home.serial = serial;
        memory.network.identity = filled_from;
        memory
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_copy_is_told_by_the_mark() {
        let home = |app: &str, domain: &str, ledger: &str, serial: Option<u64>| Home {
            app: Some(app.to_owned()).filter(|app| !app.is_empty()),
            domain: domain.to_owned(),
            ledger: ledger.to_owned(),
            serial,
            place: Whereabouts { path: "anywhere".to_owned(), ..Whereabouts::default() },
        };
        let table = [
            // the mark                                              ours, at 5            without a ledger
            (None,                                                   None,                       None),
            (Some(home("app1", "net.example", "ours", Some(5))),     None,                       None),
            (Some(home("app1", "net.example", "ours", Some(4))),     None,                       None),
            (Some(home("app1", "net.example", "ours", None)),        None,                       None),
            (Some(home("app1", "net.example", "ours", Some(6))),     Some(Copied::OldLedger),    None),
            (Some(home("app1", "net.example", "other", Some(1))),    Some(Copied::Ledger),       None),
            (Some(home("app2", "net.example", "ours", Some(5))),     Some(Copied::Installation), Some(Copied::Installation)),
            (Some(home("", "net.example", "ours", Some(5))),         Some(Copied::Installation), Some(Copied::Installation)),
            (Some(home("app1", "staging.example", "ours", Some(5))), Some(Copied::Installation), Some(Copied::Installation)),
        ];
        for (home, ours, without) in table {
            let network = Network { home: home.clone(), ..network(vec![]) };
            let memory = remembers(5, None);
            let how = |ledger| match not_ours(&network, ledger) {
                Some(NotOurs::Copy(_, how)) => Some(how),
                _ => None,
            };
            let ledger = Some(OurLedger { id: "ours", memory: &memory });
            assert_eq!((how(ledger), how(None)), (ours, without), "{home:?}");
        }
    }

    #[test]
    fn a_mark_that_was_written_is_ours_or_another_s_or_the_database_was_put_back() {
        use MarkWritten::{Again, Done, Lost, PutBack};
        let home = |(ledger, serial): (&str, Option<u64>)| Home {
            app: None,
            domain: "net.example".to_owned(),
            ledger: ledger.to_owned(),
            serial,
            place: Whereabouts::default(),
        };
        let table = [
            // what is there               read back  keeps  came to
            (Some(("ours", Some(7))), Some(5), true, Done),
            (Some(("ours", Some(6))), Some(5), true, Again),
            (Some(("ours", Some(6))), None, true, Again),
            (Some(("ours", Some(4))), Some(5), true, PutBack),
            (Some(("ours", None)), Some(5), true, PutBack),
            (Some(("ours", Some(8))), Some(5), true, Lost(Copied::OldLedger)),
            (Some(("other", Some(7))), Some(5), true, Lost(Copied::Ledger)),
            (None, Some(5), true, PutBack),
            (None, None, false, Done),
            (Some(("ours", None)), Some(5), false, Done),
            (Some(("other", None)), None, false, Lost(Copied::Ledger)),
        ];
        for (now, read_back, keeps, came_to) in table {
            let written =
                mark_written(&home(("ours", Some(7))), now.map(home).as_ref(), read_back, keeps);
            assert_eq!(written, came_to, "{now:?} after {read_back:?}");
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
            let (filled, empty) = (remembers(0, Some(was)), remembers(0, None));
            let ours = |memory| not_ours(&network, Some(OurLedger { id: "ours", memory }));
            let want = differs.map(|it| NotOurs::OtherNetwork { differs: it.to_owned() });
            assert_eq!(ours(&filled), want, "{shows}");
            assert_eq!(ours(&empty), None, "{shows}: an empty ledger is anybody's");
        }
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn ownership_is_kept_where_the_app_is_surely_the_same() {
        let of = identity;
        let table = [
            // what it shows               was                                   is                                    kept
            ("nothing differs",            of("", "n.example", "wp", "wp_", 1),  of("", "n.example", "wp", "wp_", 1),  true),
            ("only the domain",            of("", "n.example", "wp", "wp_", 1),  of("", "m.example", "wp", "wp_", 1),  true),
            ("the domain and more",        of("", "n.example", "wp", "wp_", 1),  of("", "m.example", "wp2", "wp_", 1), false),
            ("a database of the same app", of("a", "n.example", "wp", "wp_", 1), of("a", "m.example", "wp2", "x_", 2), true),
            ("another app",                of("a", "n.example", "wp", "wp_", 1), of("b", "n.example", "wp", "wp_", 1), false),
            ("an app of one side",         of("", "n.example", "wp", "wp_", 1),  of("b", "n.example", "wp", "wp_", 1), false),
            ("over REST, the same domain", of("a", "n.example", "wp", "wp_", 1), of("", "n.example", "", "", 0),       true),
        ];
        for (shows, was, is, kept) in table {
            assert_eq!(keeps_ownership(&was, &is), kept, "{shows}");
        }
    }
}
