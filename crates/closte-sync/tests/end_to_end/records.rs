//! Sites that get their domain record.

use crate::world::World;

/// `domain:stage:active:primary:secure` of a site's mappings.
fn record(world: &World, site: u64) -> String {
    let sql = format!(
        "SELECT CONCAT_WS(':', domain, stage, active, primary_domain, secure) \
         FROM wp_wu_domain_mappings WHERE blog_id = {site}"
    );
    world.database.execute(&sql).trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_site_gets_its_record_and_goes_on_in_the_same_pass() {
    let world = World::new().await;
    let old = world.site("old.network.example");
    world.done("sync");
    let new = world.site("new.network.example");
    world.here("new.network.example");
    world.done("sync");
    assert_eq!(record(&world, new), "new.network.example:done:1:1:1");
    assert_eq!(world.aliases(), ["new.network.example"]);
    assert_eq!(record(&world, old), "", "older sites are left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_left_alone_for_its_first_minute() {
    let world = World::new().await;
    world.done("sync");
    let young = world.site_of_age("young.network.example", 20);
    world.done("sync");
    assert_eq!(record(&world, young), "");
    let sql = "UPDATE wp_blogs SET registered = UTC_TIMESTAMP() - INTERVAL 61 SECOND";
    world.database.execute(sql);
    world.done("sync");
    assert!(record(&world, young).starts_with("young.network.example:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_removed_stays_removed() {
    let world = World::new().await;
    world.done("sync");
    let site = world.site("new.network.example");
    world.done("sync");
    assert_ne!(record(&world, site), "");
    world.unmap("new.network.example");
    for _ in 0..3 {
        world.done("sync");
    }
    assert_eq!(record(&world, site), "");
    assert_eq!(world.aliases(), ["new.network.example"], "the site has it as its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_whose_id_wordpress_gave_again_gets_its_record() {
    let world = World::new().await;
    let first = world.site_of_age("old.network.example", 7200);
    world.done("sync");
    let second = world.site_of_age("new.network.example", 3600);
    world.done("sync");
    let again = |site: u64, domain: &str| {
        world.database.execute(&format!(
            "DELETE FROM wp_wu_domain_mappings WHERE blog_id = {site}; \
             UPDATE wp_blogs SET domain = '{domain}', \
             registered = UTC_TIMESTAMP() - INTERVAL 120 SECOND WHERE blog_id = {site}"
        ));
    };
    again(first, "again1.network.example");
    again(second, "again2.network.example");
    world.done("sync");
    assert_ne!(record(&world, first), "", "it was there before the first pass, as another site");
    assert_ne!(record(&world, second), "", "another site had the id, and a record");
    world.unmap("again2.network.example");
    world.done("sync");
    assert_eq!(record(&world, second), "", "what a person removed stays removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_that_should_have_none_get_none() {
    let world = World::new().await;
    world.done("sync");
    let path = world.site("network.example");
    world.database.execute(&format!("UPDATE wp_blogs SET path = '/p/' WHERE blog_id = {path}"));
    let spam = world.site("spam.network.example");
    world.database.execute(&format!("UPDATE wp_blogs SET spam = 1 WHERE blog_id = {spam}"));
    let twin = world.site("www.own.example");
    let other = world.site("own.example");
    let mapped = world.site("mapped.network.example");
    world.map(mapped, "custom.example");
    world.done("sync");
    for site in [path, spam, twin, other] {
        assert_eq!(record(&world, site), "", "site {site}");
    }
    assert_eq!(record(&world, mapped), "custom.example:checking-dns:1:0:0");
}

#[tokio::test(flavor = "multi_thread")]
async fn older_sites_get_theirs_only_on_request() {
    let world = World::new().await;
    let old = world.site("old.network.example");
    let dry = world.json("domains backfill");
    assert_eq!(dry["records"][0]["domain"], "old.network.example");
    assert_eq!(record(&world, old), "");
    world.done("domains backfill --yes");
    assert!(record(&world, old).starts_with("old.network.example:checking-dns"));
    world.done("sync");
    assert_eq!(world.aliases(), ["old.network.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_setting_says_which_sites() {
    let mut world = World::new().await;
    let old = world.site("old.network.example");
    world.set("domains.records", "never");
    world.done("sync");
    let new = world.site("new.network.example");
    world.done("sync");
    assert_eq!((record(&world, old), record(&world, new)), (String::new(), String::new()));
    world.set("domains.records", "all");
    world.done("sync");
    assert!(record(&world, old).starts_with("old.") && record(&world, new).starts_with("new."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_sets_no_mark() {
    let world = World::new().await;
    world.done("sync --dry-run");
    world.site("first.network.example");
    world.done("sync");
    assert_eq!(world.aliases(), Vec::<String>::new(), "it was there at the first pass");
}
