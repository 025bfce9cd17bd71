//! A WordPress database that was put back: what it lacks then stays until a person says otherwise.

use super::*;
use crate::doubt::Lasting;
use crate::ledger::HomeMemory;
use crate::{Home, Whereabouts};

/// `network` with our mark of this `serial`.
fn marked(mappings: Vec<Mapping>, serial: Option<u64>) -> Network {
    let mut network = network(mappings);
    network.home = serial.map(|serial| Home {
        app: Some("app1".to_owned()),
        domain: "net.example".to_owned(),
        ledger: "one".to_owned(),
        serial: Some(serial),
        place: Whereabouts::default(),
    });
    network
}

/// Three names that are owned, and the mark read back at 5.
fn known() -> Recorded {
    let mut recorded = owning(&["a.example", "b.example", "c.example"]);
    recorded.memory.home = HomeMemory { serial: 6, read_back: Some(5) };
    recorded
}

fn lacking_c(serial: Option<u64>) -> Network {
    marked(vec![mapping(1, 2, "a.example"), mapping(2, 2, "b.example")], serial)
}

/// What the ledger knows after a pass with `plan`, which wrote the mark forward.
fn forwarded(plan: Plan) -> Recorded {
    let mut recorded = recorded(plan);
    recorded.memory.home.read_back = Some(recorded.memory.home.serial);
    recorded
}

#[test]
#[rustfmt::skip] // One case a line.
fn it_is_told_by_a_mark_that_is_older_than_the_one_read_back() {
    let table = [
        // the mark  keeps a serial  read back  put back
        (Some(5),    true,           Some(5),   false),
        (Some(6),    true,           Some(5),   false),
        (Some(4),    true,           Some(5),   true),
        (None,       true,           Some(5),   true),
        (None,       true,           Some(0),   true),
        (None,       true,           None,      false),
        (Some(4),    true,           None,      false),
        (None,       false,          Some(5),   false),
    ];
    for (serial, keeps_serial, read_back, put_back) in table {
        let mut known = known();
        known.memory.home.read_back = read_back;
        let network = Network { keeps_serial, ..lacking_c(serial) };
        let plan = planned(known, &network, None, &POLICY);
        let why = if put_back { "database-restored" } else { "mapping-gone" };
        assert_eq!(deferred_reasons(&plan), [why], "{serial:?} after {read_back:?}");
        assert_eq!(plan.memory.network.doubts.contains_key(&Lasting::Restored), put_back);
    }
}

#[test]
fn what_it_lacked_then_stays_and_all_else_goes_on() {
    let mut known = forwarded(planned(known(), &lacking_c(Some(3)), None, &POLICY));
    let only_a = marked(vec![mapping(1, 2, "a.example")], Some(6));
    for reads in 1..4 {
        let plan = planned(known, &only_a, None, &POLICY);
        assert!(deferred_reasons(&plan).contains(&"database-restored"));
        let goes: &[&str] = if reads == 1 { &[] } else { &["remove-alias b.example"] };
        assert_eq!(calls(&plan), goes, "after {reads} reads");
        known = forwarded(plan);
    }
}

#[test]
fn it_ends_when_each_is_mapped_again_and_at_once_where_none_is_missing() {
    let known = forwarded(planned(known(), &lacking_c(Some(3)), None, &POLICY));
    let whole = || {
        let mut rows = lacking_c(None).mappings;
        rows.push(mapping(9, 2, "c.example"));
        rows
    };
    let plan = planned(known, &marked(whole(), Some(6)), None, &POLICY);
    assert_eq!((calls(&plan), deferred_reasons(&plan)), (vec![], vec![]));
    assert_eq!(plan.memory.network.doubts.len(), 0);
    let later = forwarded(plan);
    let plan = planned(later, &lacking_c(Some(6)), None, &POLICY);
    assert_eq!(deferred_reasons(&plan), ["mapping-gone"], "a mapping that goes later goes");

    let plan = planned(self::known(), &marked(whole(), Some(3)), None, &POLICY);
    assert_eq!((plan.doubts.len(), deferred_reasons(&plan)), (0, vec![]));
}

#[test]
fn a_person_lets_it_go_at_once_or_later() {
    let put_back = lacking_c(Some(3));
    let at_once = applied(&known(), &put_back, None);
    assert_eq!(calls(&at_once), ["remove-alias c.example"]);
    assert_eq!(at_once.memory.network.doubts.len(), 0);
    let known = forwarded(planned(known(), &put_back, None, &POLICY));
    let later = applied(&known, &lacking_c(Some(6)), None);
    assert_eq!(calls(&later), ["remove-alias c.example"]);
    assert_eq!(later.memory.network.restored.len(), 0);
}
