//! What [`NetworkSource`] promises of the meaning of its calls, whatever a network is kept in.
//!
//! The rows are changed and seen from behind, so that doing nothing does not pass. What only a
//! database can hold is in [`network_source`](crate::network_source).

use async_trait::async_trait;
use rules::lookup::Spelling;
use rules::source::{NetworkSource, Primary, Replaces, SourceError, StageWrite};
use rules::{DomainName, Home, Stage, Whereabouts};

/// The rows of a network from behind its source.
#[async_trait]
pub trait Rows: Send + Sync {
    /// Change one row.
    async fn change(&self, change: Change<'_>);

    /// Every mapping in the order of its id: `id site domain active primary secure stage`, a line
    /// each; `NULL` for no stage.
    async fn mappings(&self) -> String;

    /// How many homes are written down.
    async fn homes(&self) -> usize;
}

/// A change of one row.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// A site under its id, instead of the one that was there.
    Site { id: u64, domain: &'a str, path: &'a str },
    /// A site is archived, spam or deleted: a word of the three.
    Hide { id: u64, how: &'a str },
    /// A site goes.
    DropSite { id: u64 },
    /// A mapping in the stage `checking-dns`, instead of the one that was there; active, not secure.
    Mapping { id: u64, site: u64, domain: &'a str, primary: bool },
    /// A mapping loses its stage.
    NoStage { id: u64 },
    /// Every mapping is switched off.
    Deactivate,
    /// A mapping goes.
    DropMapping { id: u64 },
}

use Change::{Deactivate, DropMapping, DropSite, Hide, Mapping, NoStage, Site};

/// A network, and its rows from behind.
pub type Fresh = (Box<dyn NetworkSource>, Box<dyn Rows>);

/// What [`NetworkSource`] promises of its meaning. `fresh` makes a network at each call: the domain
/// `network.example`, its main site of id 1, no other site and no mapping; Closte is switched off.
///
/// # Panics
///
/// If the source breaks its contract.
pub async fn network_meaning_contract(fresh: impl AsyncFn() -> Fresh) {
    macro_rules! promise {
        ($($promise:ident)*) => {$({
            let (source, rows) = fresh().await;
            sites(&*rows).await;
            $promise(&*source, &*rows).await;
            source.close().await;
        })*};
    }
    promise! {
        a_row_that_wordpress_does_not_surely_find_is_read_as_such
        a_stage_is_written_only_over_the_one_that_was_read
        no_stage_is_written_to_a_row_that_has_another_name
        a_stage_is_written_where_none_stood
        a_record_is_made_as_the_plugin_makes_it
        no_record_is_made_where_a_condition_fails
        a_mapping_is_added_because_a_person_asked
        a_mapping_is_removed_however_it_is_stored
        the_switch_and_the_interval_are_read_as_they_were_set
        a_home_is_written_over_what_it_replaces
        the_pulse_changes_with_all_but_stages
        every_right_is_there_and_trying_it_changes_nothing
        of_two_at_once_one_wins
    }
}

/// Two sites beside the main one.
async fn sites(rows: &dyn Rows) {
    rows.change(Site { id: 2, domain: "Shop.example", path: "/" }).await;
    rows.change(Site { id: 3, domain: "other.example", path: "/" }).await;
}

/// A mapping that is no site's first.
fn mapping(id: u64, site: u64, domain: &str) -> Change<'_> {
    Mapping { id, site, domain, primary: false }
}

fn name(text: &str) -> DomainName {
    text.parse().expect("a name")
}

pub(crate) fn home(ledger: &str) -> Home {
    Home {
        app: Some("a1".into()),
        domain: "network.example".into(),
        ledger: ledger.into(),
        serial: Some(7),
        place: Whereabouts {
            host: "cluster".into(),
            user: "a1".into(),
            path: "/home/a1/l.db".into(),
        },
    }
}

fn write(from: Option<Stage>, to: Stage, secure: bool) -> StageWrite {
    StageWrite { mapping_id: 5, domain: name("a.example"), from, to, secure }
}

async fn a_row_that_wordpress_does_not_surely_find_is_read_as_such(
    source: &dyn NetworkSource,
    rows: &dyn Rows,
) {
    let texts = ["A.example", "b.example.", "bücher.example", "c\u{ad}.example"];
    for (id, text) in (5..).zip(texts) {
        rows.change(mapping(id, 2, text)).await;
    }
    let network = source.read().await.expect("a network");
    let read = network.mappings.into_iter().map(|it| Ok((it.domain, it.spelling)));
    assert_eq!(read.collect::<Vec<_>>(), texts.map(Spelling::read));
}

async fn a_stage_is_written_only_over_the_one_that_was_read(
    source: &dyn NetworkSource,
    rows: &dyn Rows,
) {
    rows.change(mapping(5, 2, "a.example")).await;
    let stands = async |stage: &str| {
        assert_eq!(rows.mappings().await, format!("5 2 a.example 1 0 {stage}\n"));
    };
    let written = async |from, to, secure| {
        source.write_stage(&write(Some(from), to, secure)).await.expect("an answer")
    };
    assert!(!written(Stage::Failed, Stage::Done, true).await, "it has moved on");
    stands("0 checking-dns").await;
    assert!(written(Stage::CheckingDns, Stage::CheckingSslCert, false).await);
    assert!(!written(Stage::CheckingDns, Stage::CheckingSslCert, false).await);
    stands("0 checking-ssl-cert").await;
    assert!(written(Stage::CheckingSslCert, Stage::CheckingSslCert, false).await, "so it stands");
    assert!(written(Stage::CheckingSslCert, Stage::Done, true).await);
    stands("1 done").await;
    assert!(written(Stage::Done, Stage::Failed, false).await);
    // `secure` is never lowered.
    stands("1 failed").await;
    let absent = StageWrite { mapping_id: 99, ..write(Some(Stage::Failed), Stage::Done, true) };
    assert!(!source.write_stage(&absent).await.expect("an answer"));
    let impossible = StageWrite { mapping_id: u64::MAX, ..absent.clone() };
    assert!(!source.write_stage(&impossible).await.expect("an answer"));
}

async fn no_stage_is_written_to_a_row_that_has_another_name(
    source: &dyn NetworkSource,
    rows: &dyn Rows,
) {
    let to_done = |from| write(from, Stage::Done, true);
    for other in ["b.example", "\u{e1}.example", "www.a.example"] {
        rows.change(mapping(5, 2, other)).await;
        let written = source.write_stage(&to_done(Some(Stage::CheckingDns))).await;
        assert!(!written.expect("an answer"), "{other}");
        rows.change(NoStage { id: 5 }).await;
        assert!(!source.write_stage(&to_done(None)).await.expect("an answer"), "{other}");
        assert_eq!(rows.mappings().await, format!("5 2 {other} 1 0 0 NULL\n"));
    }
    for spelled in ["*.BÜcher.example", "*.xn--bcher-kva.example."] {
        rows.change(mapping(5, 2, spelled)).await;
        let write = StageWrite { domain: name("*.bücher.example"), ..to_done(None) };
        let write = StageWrite { from: Some(Stage::CheckingDns), ..write };
        assert!(source.write_stage(&write).await.expect("an answer"), "{spelled}");
    }
    rows.change(mapping(5, 2, "A.Example")).await;
    let written = source.write_stage(&to_done(Some(Stage::CheckingDns))).await;
    assert!(written.expect("an answer"), "capitals make no other name");
    assert_eq!(rows.mappings().await, "5 2 A.Example 1 0 1 done\n");
}

async fn a_stage_is_written_where_none_stood(source: &dyn NetworkSource, rows: &dyn Rows) {
    rows.change(mapping(5, 2, "a.example")).await;
    rows.change(NoStage { id: 5 }).await;
    assert_eq!(rows.mappings().await, "5 2 a.example 1 0 0 NULL\n");
    let first = write(None, Stage::Done, false);
    assert!(source.write_stage(&first).await.expect("an answer"));
    assert!(!source.write_stage(&write(None, Stage::Failed, false)).await.expect("an answer"));
    assert_eq!(rows.mappings().await, "5 2 a.example 1 0 0 done\n");
}

async fn a_record_is_made_as_the_plugin_makes_it(source: &dyn NetworkSource, rows: &dyn Rows) {
    let shop = name("shop.example");
    let made = source.create_record(2, &shop).await.expect("an answer");
    let id = made.expect("a record");
    let record = format!("{id} 2 shop.example 1 1 0 checking-dns\n");
    assert_eq!(rows.mappings().await, record);
    assert_eq!(source.create_record(2, &shop).await.expect("an answer"), None, "only once");
    assert_eq!(rows.mappings().await, record);
    let mapping = &source.read().await.expect("a network").mappings[0];
    assert_eq!((mapping.id, mapping.stage), (id, Some(Stage::CheckingDns)));
}

#[rustfmt::skip] // One case a line.
const NO_RECORD: [(&str, Change<'_>); 12] = [
    ("the site is gone", DropSite { id: 2 }),
    ("it has another name", Site { id: 2, domain: "new.example", path: "/" }),
    ("it has a path", Site { id: 2, domain: "shop.example", path: "/x/" }),
    ("it is archived", Hide { id: 2, how: "archived" }),
    ("it is spam", Hide { id: 2, how: "spam" }),
    ("it is deleted", Hide { id: 2, how: "deleted" }),
    ("it has a mapping", Mapping { id: 7, site: 2, domain: "x.example", primary: false }),
    ("its name is mapped", Mapping { id: 7, site: 3, domain: "SHOP.example", primary: false }),
    ("its twin is mapped", Mapping { id: 7, site: 3, domain: "www.shop.example", primary: false }),
    ("another site has its name", Site { id: 3, domain: "shop.example", path: "/y/" }),
    ("another site has its twin", Site { id: 3, domain: "WWW.shop.example", path: "/" }),
    ("another's name came to be asked for", Site { id: 2, domain: "", path: "/" }),
];

async fn no_record_is_made_where_a_condition_fails(source: &dyn NetworkSource, rows: &dyn Rows) {
    for (shows, change) in NO_RECORD {
        rows.change(DropMapping { id: 7 }).await;
        sites(rows).await;
        rows.change(change).await;
        let before = rows.mappings().await;
        let made = source.create_record(2, &name("shop.example")).await.expect("an answer");
        assert_eq!((made, rows.mappings().await), (None, before), "{shows}");
    }
    sites(rows).await;
    let made = source.create_record(2, &name("shop.example")).await.expect("an answer");
    assert!(made.is_some(), "where none fails, it is made");
}

async fn a_mapping_is_added_because_a_person_asked(source: &dyn NetworkSource, rows: &dyn Rows) {
    rows.change(Mapping { id: 5, site: 2, domain: "a.example", primary: true }).await;
    rows.change(Mapping { id: 6, site: 3, domain: "b.example", primary: true }).await;
    let add =
        async |site, domain: &DomainName, primary| source.add_mapping(site, domain, primary).await;
    let id = add(2, &name("*.c.example"), Primary::No).await.expect("a mapping");
    let primary = add(2, &name("d.example"), Primary::Yes).await.expect("a mapping");
    let after = format!(
        "5 2 a.example 1 0 0 checking-dns\n6 3 b.example 1 1 0 checking-dns\n\
         {id} 2 *.c.example 1 0 0 checking-dns\n{primary} 2 d.example 1 1 0 checking-dns\n"
    );
    assert_eq!(rows.mappings().await, after, "the site's other primary steps down, no other's");

    let long = name(&format!("{}example", "abcdefghi.".repeat(19)));
    let table = [
        (2, name("b.example"), "`b.example` is mapped already".to_owned()),
        (9, name("e.example"), "there is no site 9".to_owned()),
        (2, long.clone(), format!("`{long}` is longer than the 191 octets that WordPress keeps")),
    ];
    for (site, domain, why) in table {
        let error = add(site, &domain, Primary::Yes).await.expect_err("a refusal");
        assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
        assert_eq!(error.to_string(), why);
    }
    assert_eq!(rows.mappings().await, after, "a refusal changes nothing");
    add(3, &name("e.example"), Primary::No).await.expect("no lock is left behind");
}

async fn a_mapping_is_removed_however_it_is_stored(source: &dyn NetworkSource, rows: &dyn Rows) {
    let stored = ["BÜcher.example", "xn--bcher-kva.example.", "bucher.example", "no name"];
    for (id, domain) in (5..).zip(stored) {
        rows.change(mapping(id, 2, domain)).await;
    }
    let domain = name("bücher.example");
    let removed =
        async |rows: &[u64]| source.remove_mappings(&domain, rows).await.expect("an answer");
    assert_eq!(removed(&[7, 8, 99]).await, 0, "rows with another name, with none, and no row");
    assert_eq!(removed(&[6]).await, 1);
    assert_eq!(removed(&[5, 6, 7, 8]).await, 1);
    let left = "7 2 bucher.example 1 0 0 checking-dns\n8 2 no name 1 0 0 checking-dns\n";
    assert_eq!(rows.mappings().await, left);
}

async fn the_switch_and_the_interval_are_read_as_they_were_set(
    source: &dyn NetworkSource,
    _: &dyn Rows,
) {
    for (on, changed) in [(false, false), (true, true), (true, false), (false, true)] {
        assert_eq!(source.switch(on).await.expect("an answer"), changed, "{on}");
        assert_eq!(source.read().await.expect("a network").switch, on.into());
    }
    source.set_check_interval(10).await.expect("written");
    let interval = source.read().await.expect("a network").settings.dns_check_interval;
    assert_eq!(interval.as_secs(), 10);
}

async fn a_home_is_written_over_what_it_replaces(source: &dyn NetworkSource, rows: &dyn Rows) {
    let written = async |home: &Home, replaces: Replaces<'_>| {
        source.write_home(home, replaces).await.expect("an answer").expect("a home")
    };
    let moved = |home: &Home, serial| Home { serial: Some(serial), ..home.clone() };
    let (one, two, three) = (home("one"), home("two"), home("three"));
    assert_eq!(source.read().await.expect("a network").home, None);
    assert_eq!(source.write_home(&one, Replaces::This(&two)).await.expect("an answer"), None);
    assert_eq!(written(&one, Replaces::Nothing).await, one);
    assert_eq!(written(&two, Replaces::Nothing).await, one, "the first one stands");
    assert_eq!(written(&two, Replaces::This(&three)).await, one, "another ledger's");
    let (next, later) = (moved(&one, 8), moved(&one, 9));
    assert_eq!(written(&next, Replaces::This(&one)).await, next);
    assert_eq!(written(&later, Replaces::This(&one)).await, next, "another serial");
    assert_eq!(written(&later, Replaces::This(&next)).await, later);
    assert_eq!(written(&three, Replaces::Any).await, three);
    let network = source.read().await.expect("a network");
    assert_eq!((network.home, network.keeps_serial), (Some(three), true));
    assert_eq!(rows.homes().await, 1);
}

const CHANGES: [(&str, Change<'_>); 9] = [
    ("a site comes", Site { id: 4, domain: "new.example", path: "/" }),
    ("it is archived", Hide { id: 4, how: "archived" }),
    ("it goes", DropSite { id: 4 }),
    ("a mapping comes", Mapping { id: 6, site: 3, domain: "b.example", primary: false }),
    ("two change alike", Deactivate),
    ("it is renamed", Mapping { id: 6, site: 3, domain: "c.example", primary: false }),
    ("it is spelled anew", Mapping { id: 6, site: 3, domain: "c.example.", primary: false }),
    ("it gets another site", Mapping { id: 6, site: 2, domain: "c.example", primary: false }),
    ("it goes", DropMapping { id: 6 }),
];

async fn the_pulse_changes_with_all_but_stages(source: &dyn NetworkSource, rows: &dyn Rows) {
    rows.change(mapping(5, 2, "a.example")).await;
    let pulse = async || source.pulse().await.expect("a pulse");
    let mut before = pulse().await;
    assert_eq!(pulse().await, before, "nothing changed");
    let done = write(Some(Stage::CheckingDns), Stage::Done, true);
    assert!(source.write_stage(&done).await.expect("an answer"));
    assert_eq!(pulse().await, before, "only a stage changed");
    for (shows, change) in CHANGES {
        rows.change(change).await;
        let after = pulse().await;
        assert_ne!(after, before, "{shows}");
        before = after;
    }
    source.set_check_interval(10).await.expect("written");
    assert_ne!(pulse().await, before, "a setting came");
    before = pulse().await;
    source.set_check_interval(20).await.expect("written");
    assert_ne!(pulse().await, before, "it changed");
    before = pulse().await;
    source.switch(true).await.expect("an answer");
    assert_ne!(pulse().await, before, "Closte was switched on");
}

async fn every_right_is_there_and_trying_it_changes_nothing(
    source: &dyn NetworkSource,
    rows: &dyn Rows,
) {
    rows.change(mapping(5, 2, "a.example")).await;
    let (before, pulse) = (rows.mappings().await, source.pulse().await.expect("a pulse"));
    let rights = source.rights().await.expect("rights");
    assert!(!rights.is_empty());
    let missing: Vec<_> = rights.iter().filter(|it| it.missing.is_some()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(rows.mappings().await, before);
    assert_eq!(source.pulse().await.expect("a pulse"), pulse);
}

/// Two calls on one source stand for two processes: each works on a connection of its own.
async fn of_two_at_once_one_wins(source: &dyn NetworkSource, rows: &dyn Rows) {
    let shop = name("shop.example");
    for _ in 0..10 {
        let (a, b) = tokio::join!(source.create_record(2, &shop), source.create_record(2, &shop));
        let made = [a.expect("an answer"), b.expect("an answer")];
        assert_eq!(made.iter().flatten().count(), 1, "{made:?}");
        assert_eq!(rows.mappings().await.lines().count(), 1);
        let id = made.into_iter().flatten().sum();
        rows.change(DropMapping { id }).await;
    }
    let (one, two) = (home("one"), home("two"));
    let (a, b) = tokio::join!(
        source.write_home(&one, Replaces::Nothing),
        source.write_home(&two, Replaces::Nothing)
    );
    assert_eq!(a.expect("a home"), b.expect("a home"), "both hear of the same home");
    assert_eq!(rows.homes().await, 1);
}
