//! Operations that change the network or the ledger.

use engine::ops::{
    self, ActsFor, Added, Backfill, NewMapping, ProtectedNames, RecheckScope, Rechecked,
    RecordState, Switched,
};
use rules::entry::Mapped;
use rules::ledger::{Batch, NetworkMemory, NotActing};
use rules::source::{NetworkSource, Primary};
use rules::taking_over::Ownership;
use rules::{Entry, Identity, Network};

use crate::world::{NOW, Source, copy, is_refused, ledger, mapping, name, network, put};

fn wanted(domain: &str, site: &str) -> NewMapping {
    NewMapping { domain: name(domain), site: site.to_owned(), primary: Primary::Yes }
}

fn names() -> ProtectedNames {
    ProtectedNames { cdn: None, patterns: vec!["mail.*".to_owned()] }
}

#[tokio::test]
async fn a_site_is_named_by_its_id_or_by_its_own_domain() {
    for site in ["2", "two.net.example"] {
        let source = Source::of(network());
        let added = ops::add(&source, None, &names(), &wanted("shop.example", site)).await.unwrap();
        assert_eq!(added, Added { site_id: 2, mapping_id: 70 });
        assert_eq!(source.written(), ["map shop.example 2 Yes"]);
    }
}

#[tokio::test]
async fn a_mapping_that_makes_no_sense_is_refused_and_nothing_is_written() {
    let long = format!("{0}.{0}.{0}.example", "a".repeat(62));
    let mappings = vec![mapping(7, 3, "taken.example")];
    let source = Source::of(Network { mappings, ..network() });
    let table = [
        ("shop.example", "8", "the network has no site `8`"),
        ("shop.example", "9", "the network has no site `9`"),
        ("shop.example", "nobody.example", "no site `nobody.example`"),
        (long.as_str(), "2", "letters that WordPress can store"),
        ("net.example", "2", "is protected: it is a network's own domain"),
        ("mail.shop.example", "2", "is protected: `protected.names` has `mail.*`"),
        ("taken.example", "3", "`taken.example` is mapped to site 3 already (mapping 7)"),
        ("www.taken.example", "2", "WordPress treats `taken.example` and `www.taken.example`"),
    ];
    for (domain, site, words) in table {
        is_refused(ops::add(&source, None, &names(), &wanted(domain, site)).await, words);
    }
    ops::add(&source, None, &names(), &wanted("www.taken.example", "3")).await.unwrap();
    assert_eq!(source.written(), ["map www.taken.example 3 Yes"], "both on one site is fine");
}

#[tokio::test]
async fn a_copy_writes_nothing_whatever_it_is_asked_for() {
    let source = Source::of(Network { mappings: vec![mapping(7, 3, "a.example")], ..copy() });
    let ledger = ledger();
    let words = "this is a copy: the network belongs to the installation at";
    is_refused(ops::add(&source, None, &names(), &wanted("shop.example", "2")).await, words);
    is_refused(ops::remove(&source, Some(&ledger), &name("a.example"), NOW).await, words);
    let create = Backfill::Create;
    is_refused(ops::backfill(&source, Some(&ledger), &names(), create).await, words);
    is_refused(ops::enable(&source, None).await, words);
    is_refused(ops::disable(&source, None).await, words);
    assert_eq!(source.written(), Vec::<String>::new());
}

#[tokio::test]
async fn on_another_networks_ledger_nothing_is_written_whatever_it_is_asked_for() {
    let source = Source::of(Network { mappings: vec![mapping(7, 3, "a.example")], ..network() });
    let identity = Some(Identity { prefix: "wp9_".to_owned(), ..network().identity });
    let ledger = ledger();
    let memory = NetworkMemory { identity, ..NetworkMemory::default() };
    put(&ledger, Batch { network: Some(memory), ..Batch::default() }).await;
    let words = "the ledger was filled from another network (table prefix `wp9_` → `wp_`)";
    let wanted = wanted("shop.example", "2");
    is_refused(ops::add(&source, Some(&ledger), &names(), &wanted).await, words);
    is_refused(ops::remove(&source, Some(&ledger), &name("a.example"), NOW).await, words);
    let create = Backfill::Create;
    is_refused(ops::backfill(&source, Some(&ledger), &names(), create).await, words);
    is_refused(ops::enable(&source, Some(&ledger)).await, words);
    is_refused(ops::disable(&source, Some(&ledger)).await, words);
    assert_eq!(source.written(), Vec::<String>::new());
}

#[tokio::test]
async fn a_mapping_that_is_deleted_is_told_to_the_ledger() {
    let source = Source::of(Network { mappings: vec![mapping(7, 3, "a.example")], ..network() });
    let (ledger, domain) = (ledger(), name("a.example"));
    let mapped = Mapped { mapping_id: 7, site_id: 3, stage: None, secure: false, left_alone: None };
    let entries = vec![Entry::new(domain.clone(), Some(mapped), NOW)];
    put(&ledger, Batch { entries, ..Batch::default() }).await;
    ops::remove(&source, Some(&ledger), &domain, NOW).await.unwrap();
    let entry = ledger.contents().entries[&domain].clone();
    assert_eq!((entry.mapped, entry.gone.reads), (None, 1), "the first read that saw it gone");
    let again = ops::remove(&source, Some(&ledger), &domain, NOW).await;
    is_refused(again, "no such domain: `a.example`");
    assert_eq!(ledger.contents().entries[&domain].gone.reads, 1, "what was not there is not told");
}

#[tokio::test]
async fn a_mapping_to_another_networks_site_or_to_none_is_not_deleted() {
    // Site 9 is another network's, and there is no site 99.
    for site in [9, 99] {
        let rows = vec![
            mapping(7, site, "a.example"),
            mapping(8, site, "b.example"),
            mapping(9, 3, "b.example"),
        ];
        let source = Source::of(Network { mappings: rows, ..network() });
        let refused = ops::remove(&source, None, &name("a.example"), NOW).await;
        is_refused(refused, &format!("`a.example` is mapped to site {site}, which is not"));
        ops::remove(&source, None, &name("b.example"), NOW).await.unwrap();
        let left = source.read().await.unwrap().mappings;
        assert_eq!(left.iter().map(|row| row.id).collect::<Vec<_>>(), [7, 8]);
    }
}

#[tokio::test]
async fn a_recheck_counts_what_is_due_and_refuses_a_name_that_nobody_knows() {
    let ledger = ledger();
    let entries = vec![Entry::new(name("a.example"), None, NOW)];
    put(&ledger, Batch { entries, ..Batch::default() }).await;
    let all = ops::recheck(&ledger, RecheckScope::All, NOW).await.unwrap();
    assert_eq!(all, Rechecked { domains: 1 });
    let (known, unknown) = (name("a.example"), name("b.example"));
    ops::recheck(&ledger, RecheckScope::One(&known), NOW).await.unwrap();
    let nobody = ops::recheck(&ledger, RecheckScope::One(&unknown), NOW).await;
    is_refused(nobody, "no such domain: `b.example`");
    let empty = crate::world::ledger();
    let none = ops::recheck(&empty, RecheckScope::All, NOW).await.unwrap();
    assert_eq!(none.domains, 0, "no domain at all is no refusal");
}

#[tokio::test]
async fn a_backfill_lists_old_sites_and_makes_their_records_where_asked() {
    let source = Source::of(network());
    let listed = ops::backfill(&source, None, &names(), Backfill::List).await.unwrap();
    let sites: Vec<_> = listed.iter().map(|it| (it.record.site_id, it.state)).collect();
    assert_eq!(sites, [(2, RecordState::Missing), (3, RecordState::Missing)]);
    assert_eq!(source.written(), Vec::<String>::new());

    let made = ops::backfill(&source, None, &names(), Backfill::Create).await.unwrap();
    let states: Vec<_> = made.iter().map(|it| it.state).collect();
    assert_eq!(states, [RecordState::Made, RecordState::Overtaken]);
    assert_eq!(source.written(), ["record 2 two.net.example", "record 3 three.net.example"]);

    let ledger = ledger();
    put(&ledger, Batch { mapped_sites: [(2, None)].into(), ..Batch::default() }).await;
    let left = ops::backfill(&source, Some(&ledger), &names(), Backfill::List).await.unwrap();
    assert_eq!(left.len(), 1, "what a person removed stays removed");
}

#[tokio::test]
async fn the_switch_says_whether_it_was_turned() {
    let source = Source::of(network());
    assert_eq!(ops::enable(&source, None).await.unwrap().switched, Switched::Already);
    assert_eq!(ops::disable(&source, None).await.unwrap(), Switched::Now);
    assert_eq!(ops::disable(&source, None).await.unwrap(), Switched::Already);
    assert_eq!(ops::enable(&source, None).await.unwrap().switched, Switched::Now);
}

#[tokio::test]
async fn enabling_here_makes_a_copy_the_one_that_acts_and_the_network_the_ledgers() {
    let (source, ledger) = (Source::of(copy()), ledger());
    let other = Identity { prefix: "old_".to_owned(), ..network().identity };
    let network_memory = NetworkMemory {
        identity: Some(other),
        not_acting: Some(NotActing::Copy),
        ..NetworkMemory::default()
    };
    put(&ledger, Batch { network: Some(network_memory), ..Batch::default() }).await;
    let enabled = ops::enable_here(&source, &ledger, NOW).await.unwrap();
    let ownership = Ownership { kept: true, aliases: 0 };
    let domain = name("net.example");
    assert_eq!(enabled.acts_for, Some(ActsFor { domain, ownership }));
    assert_eq!(source.written(), ["home mine Some(1)", "switch true"]);
    let remembered = ledger.contents().memory.network;
    assert_eq!(remembered.identity, Some(network().identity));
    assert_eq!(remembered.not_acting, None);
}
